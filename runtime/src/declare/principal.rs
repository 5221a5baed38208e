//! Who is calling: what a verifier vouches for, and the principal made from it.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

use super::{
    actor::Actor,
    confirmation::{Confirmation, InvalidConfirmation},
    scope::{ScopeName, ScopeSet, ScopeTable},
};

/// What a verifier vouches for after it has checked a token.
///
/// Only verifiers make one of these; handlers see the [`Principal`] that the server makes from it. The
/// token itself is not in here, so it cannot leak from here.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: String,
    subject: String,
    client_id: Option<String>,
    scopes: Vec<ScopeName>,
    expires_at: Option<u64>,
    token_id: Option<String>,
    confirmation: Option<Confirmation>,
    roles: Vec<String>,
    tenant: Option<String>,
    actors: Vec<Actor>,
    may_act: Option<Actor>,
    claims: Map<String, Value>,
}

impl VerifiedToken {
    /// A token of `subject`, issued by `issuer`. It holds no scopes until [`scopes`](Self::scopes) says so.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            client_id: None,
            scopes: Vec::new(),
            expires_at: None,
            token_id: None,
            confirmation: None,
            roles: Vec::new(),
            tenant: None,
            actors: Vec::new(),
            may_act: None,
            claims: Map::new(),
        }
    }

    /// The OAuth client the token was issued to (`client_id`, RFC 9068 §2.2).
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// The scopes that were granted.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = ScopeName>) -> Self {
        self.scopes = scopes.into_iter().collect();
        self
    }

    /// When the token stops being valid, in seconds since the Unix epoch (`exp`).
    #[must_use]
    pub fn expires_at(mut self, seconds: u64) -> Self {
        self.expires_at = Some(seconds);
        self
    }

    /// The token's own identifier (`jti`).
    #[must_use]
    pub fn token_id(mut self, token_id: impl Into<String>) -> Self {
        self.token_id = Some(token_id.into());
        self
    }

    /// Roles or groups, as the issuer names them. They are never scopes.
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = String>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// The tenant the subject belongs to.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Who acts for the subject (`act`), the current actor first.
    #[cfg_attr(
        not(feature = "verify"),
        allow(dead_code, reason = "only verifiers make these")
    )]
    pub(crate) fn actors(mut self, actors: Vec<Actor>) -> Self {
        self.actors = actors;
        self
    }

    /// Who may become an actor for the subject (`may_act`).
    #[cfg_attr(
        not(feature = "verify"),
        allow(dead_code, reason = "only verifiers make these")
    )]
    pub(crate) fn may_act(mut self, actor: Option<Actor>) -> Self {
        self.may_act = actor;
        self
    }

    pub(crate) fn all_claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// All claims, for handlers that look at more than the standard ones.
    #[must_use]
    pub fn claims(mut self, claims: Map<String, Value>) -> Self {
        self.claims = claims;
        self
    }

    /// What the token is bound to (`cnf`, RFC 7800): whoever sends it must prove to possess that too.
    ///
    /// The server enforces it on every request, with DPoP ([RFC 9449]) or a client certificate
    /// ([RFC 8705]), and refuses the token where that is not switched on. A verifier that forgets this call
    /// opens no door: a `cnf` among the [`claims`](Self::claims) is enforced just the same.
    ///
    /// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
    /// [RFC 8705]: https://www.rfc-editor.org/rfc/rfc8705
    #[must_use]
    pub fn confirmation(mut self, confirmation: Confirmation) -> Self {
        self.confirmation = Some(confirmation);
        self
    }

    /// What must be proven before the token counts for anything. An error refuses the token.
    pub(crate) fn binding(&self) -> Result<Option<Confirmation>, InvalidConfirmation> {
        let claimed = self.claims.get("cnf").map(Confirmation::from_claim);
        match (&self.confirmation, claimed.transpose()?) {
            (Some(given), Some(claimed)) if *given != claimed => {
                Err(InvalidConfirmation::Contradiction)
            }
            (given, claimed) => Ok(claimed.or_else(|| given.clone())),
        }
    }
}

/// The claims' values may be personal data: only their names are shown.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The caller of a tool, as a verified token names it: issuer, subject and client.
///
/// A `Principal` exists only for a token that passed every check of the server's verifier (or, on stdio,
/// for the identity its environment names); there is no way to make one up. Cloning is cheap.
///
/// A subject is unique within its issuer only ([RFC 7519 §4.1.2]): key per-user data by
/// [`identity`](Self::identity), never by the subject alone.
///
/// [RFC 7519 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2
#[derive(Clone)]
pub struct Principal(Arc<Inner>);

struct Inner {
    token: VerifiedToken,
    table: Arc<ScopeTable>,
    held: ScopeSet,
}

impl Principal {
    /// The principal `token` stands for at the server whose declarations gave `table`.
    #[cfg_attr(
        not(feature = "verify"),
        allow(dead_code, reason = "only a server makes principals")
    )]
    pub(crate) fn new(token: VerifiedToken, table: &Arc<ScopeTable>) -> Self {
        Self(Arc::new(Inner {
            held: table.held(&token.scopes),
            table: table.clone(),
            token,
        }))
    }

    /// The authorization server that issued the token (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.token.issuer
    }

    /// The user or workload, as its issuer names it (`sub`). Unique within [`issuer`](Self::issuer) only.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.token.subject
    }

    /// Issuer and subject together: the key for anything kept per user.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            issuer: self.issuer().to_owned(),
            subject: self.subject().to_owned(),
        }
    }

    /// The OAuth client that acts for the subject (`client_id`).
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.token.client_id.as_deref()
    }

    /// The scopes that were granted, as the token spells them.
    #[must_use]
    pub fn scopes(&self) -> &[ScopeName] {
        &self.0.token.scopes
    }

    /// When the token stops being valid, in seconds since the Unix epoch (`exp`).
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.0.token.expires_at
    }

    /// The token's own identifier (`jti`).
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.0.token.token_id.as_deref()
    }

    /// Roles or groups, where the issuer's [`ClaimMapping`](crate::ClaimMapping) says where they are. They
    /// are never scopes: what they permit is the application's to say.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.0.token.roles
    }

    /// The tenant, where the issuer's configuration says which one or where it is. Unique within
    /// [`issuer`](Self::issuer) only.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.0.token.tenant.as_deref()
    }

    /// Who acts for the subject now (`act`, [RFC 8693 §4.1]), if it is not the subject itself.
    ///
    /// The issuer vouches for it; it holds no scopes of its own, and no check here looks at it.
    ///
    /// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.0.token.actors.first()
    }

    /// The whole chain of delegation, the current actor first. Those after it acted before: they are
    /// history, and RFC 8693 §4.1 forbids to decide by them.
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.0.token.actors
    }

    /// Who the issuer would let act for the subject (`may_act`, [RFC 8693 §4.4]). That is for authorization
    /// servers: it says nothing about who is calling.
    ///
    /// [RFC 8693 §4.4]: https://www.rfc-editor.org/rfc/rfc8693#section-4.4
    #[must_use]
    pub fn may_act(&self) -> Option<&Actor> {
        self.0.token.may_act.as_ref()
    }

    /// Whether a client calls on its own behalf, without a user: the subject is the client
    /// ([RFC 9068 §2.2], client credentials).
    ///
    /// [RFC 9068 §2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
    #[must_use]
    pub fn is_workload(&self) -> bool {
        self.client_id() == Some(self.subject())
    }

    /// A claim of the token, by its name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.token.claims.get(name)
    }

    /// Whether the token holds `scope`, or one that implies it.
    pub(crate) fn holds(&self, scope: &ScopeName) -> bool {
        match self.0.table.get(scope) {
            Some(at) => self.held().contains(at),
            None => self.scopes().contains(scope),
        }
    }

    /// What the verifier vouched for.
    pub(crate) fn token(&self) -> &VerifiedToken {
        &self.0.token
    }

    /// The declared scopes this principal holds, with all that they imply.
    pub(crate) fn held(&self) -> &ScopeSet {
        &self.0.held
    }
}

/// A user or workload among all issuers: the key for anything that is kept per user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    issuer: String,
    subject: String,
}

impl Identity {
    /// The authorization server that vouches for the subject.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The user or workload, as the issuer names it.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scopes", &self.scopes())
            .finish_non_exhaustive()
    }
}
