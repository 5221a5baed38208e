//! Tokens without the flow: good ones, and every kind of bad one.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    issuer::{Issuer, spaced, unix_now},
    keys::SigningKey,
};
use crate::{
    declare::scope::ScopeName,
    verify::dpop::digest::{encode, sha256},
};

/// An access token in the making, from
/// [`RunningAuthorizationServer::mint`](super::RunningAuthorizationServer::mint).
///
/// Unless told otherwise the token is as good as an issued one (RFC 9068): `iss`, `sub`, `aud`, `exp`,
/// `iat`, `jti`, `client_id` and `scope`, under the header `typ: at+jwt` with `alg` and `kid` of the
/// server's key. Each part can be made wrong, and the signature still fits: a test then knows which check
/// refused the token.
#[derive(Debug, Clone)]
#[must_use = "a token is made by `sign`"]
pub struct TokenBuilder {
    issuer: Arc<Issuer>,
    key: SigningKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl TokenBuilder {
    pub(super) fn new(issuer: &Arc<Issuer>, subject: &str) -> Self {
        let now = unix_now();
        let expires_at = now + issuer.token_lifetime.as_secs();
        let audience = issuer.default_resource.as_deref();
        Self {
            issuer: Arc::clone(issuer),
            key: issuer.signing_key(),
            header: Map::from_iter([("typ".to_owned(), json!("at+jwt"))]),
            claims: issuer.claims(subject, "testkit", &[], audience, now, expires_at),
        }
    }

    /// The scopes of the token. Without this call it holds none.
    ///
    /// # Panics
    ///
    /// When one is not a scope (RFC 6749 §3.3); [`claim`](Self::claim) puts anything into `scope`.
    pub fn scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<_> = scopes
            .into_iter()
            .map(|scope| {
                ScopeName::new(scope.as_ref().to_owned()).unwrap_or_else(|error| panic!("{error}"))
            })
            .collect();
        self.claim("scope", spaced(&scopes))
    }

    /// The server the token is for (`aud`). The default is the authorization server's default resource;
    /// when it has none, there is no `aud`.
    pub fn audience(self, resource: impl Into<String>) -> Self {
        self.claim("aud", resource.into())
    }

    /// The client the token was issued to. The default is `testkit`.
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        self.claim("client_id", client_id.into())
    }

    /// Valid for `lifetime` from now.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let now = unix_now();
        self.claim("iat", now)
            .claim("exp", now + lifetime.as_secs())
    }

    /// Issued two hours ago and expired for one.
    pub fn expired(self) -> Self {
        const HOUR: u64 = 60 * 60;
        let now = unix_now();
        self.claim("iat", now - 2 * HOUR).claim("exp", now - HOUR)
    }

    /// Bound to `key` (`cnf.jkt`, RFC 9449 §6): a request needs its
    /// [proof](SigningKey::dpop_proof).
    pub fn bound_to(self, key: &SigningKey) -> Self {
        self.claim("cnf", json!({"jkt": key.thumbprint()}))
    }

    /// Bound to the client certificate `der` (`cnf.x5t#S256`, RFC 8705 §3.1).
    pub fn bound_to_certificate(self, der: &[u8]) -> Self {
        self.claim("cnf", json!({"x5t#S256": encode(&sha256(der))}))
    }

    /// Any claim, in place of the one there was.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Any header parameter, in place of the one there was. [`Value::Null`] leaves it out.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Signs with `key` in place of the server's: a key it does not publish.
    pub fn key(mut self, key: SigningKey) -> Self {
        self.key = key;
        self
    }

    /// An opaque token that stands for these claims: what the introspection endpoint says about it.
    ///
    /// # Panics
    ///
    /// When the server holds as many as it may.
    #[must_use]
    pub fn opaque(self) -> String {
        let token = self.issuer.opaque(self.claims);
        token.unwrap_or_else(|refusal| panic!("{}", refusal.description))
    }

    /// The token.
    #[must_use]
    pub fn sign(self) -> String {
        let mut header = Map::new();
        header.insert(
            "alg".to_owned(),
            json!(format!("{:?}", self.key.algorithm())),
        );
        header.insert("kid".to_owned(), json!(self.key.kid()));
        header.extend(self.header);
        header.retain(|_, value| !value.is_null());
        let (header, claims) = (Value::Object(header), Value::Object(self.claims));
        self.key
            .sign_parts(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}
