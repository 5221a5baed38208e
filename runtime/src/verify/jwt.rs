//! JWT access tokens of one issuer, from text to [`VerifiedToken`](crate::VerifiedToken).
//!
//! The order of the checks is the order in which a token earns work: structure, algorithm, type and issuer
//! cost nothing; then a key of that issuer; then the signature; and only then do the claims mean anything.
//! Header and claims are parsed once.

use std::{fmt, sync::Arc};

use super::{
    algorithm::SignatureAlgorithm,
    builder::JwtVerifierBuilder,
    check::{Examination, IssuerReport},
    claims::ClaimRules,
    freshness::{Trust, Vouched},
    hint::{Recognition, TokenHint},
    jose::Jws,
    remote::RemoteKeys,
    source::KeySource,
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError, Vouching},
};

/// Verifies signed JWT access tokens ([RFC 9068], [RFC 8725]) of one issuer for one server.
///
/// ```
/// use toolgate::JwtVerifier;
///
/// let verifier = JwtVerifier::new("https://auth.example.com", "https://notes.example.com/mcp").build()?;
/// # Ok::<(), toolgate::VerifierConfigError>(())
/// ```
///
/// The issuer's keys are found through its metadata when the first token arrives; see
/// [`ready`](Self::ready).
///
/// [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
/// [RFC 8725]: https://www.rfc-editor.org/rfc/rfc8725
pub struct JwtVerifier {
    pub(super) rules: ClaimRules,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) max_token_bytes: usize,
    pub(super) trust: Arc<Trust>,
}

pub(super) enum Keys {
    Discovered(RemoteKeys),
    Given(Box<dyn KeySource>),
}

impl JwtVerifier {
    /// Begins a verifier of tokens from `issuer` for the server that is `audience`: its resource identifier,
    /// which a token must name in `aud`, byte for byte ([RFC 8707 §2]).
    ///
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    #[allow(
        clippy::new_ret_no_self,
        reason = "two values are required, the rest has defaults"
    )]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> JwtVerifierBuilder {
        JwtVerifierBuilder::new(issuer.into(), audience.into())
    }

    /// The issuer whose tokens this accepts.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.rules.issuer
    }

    /// Completes when the issuer's keys are at hand, after fetching them if need be. For start-up and
    /// health checks; a server may listen before.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Unavailable`] when the keys cannot be had now.
    pub async fn ready(&self) -> Result<(), VerifyError> {
        Ok(self.trust.keys.source().ready().await?)
    }

    /// What the issuer publishes about itself, once it has been discovered.
    #[cfg(test)]
    pub(crate) fn metadata(
        &self,
    ) -> Option<std::sync::Arc<(super::discovery::IssuerMetadata, std::time::Duration)>> {
        match &self.trust.keys {
            Keys::Discovered(keys) => keys.metadata(),
            Keys::Given(_) => None,
        }
    }

    async fn decode_and_check(&self, token: &str) -> Result<Vouched, VerifyError> {
        self.check(Jws::decode(token, self.max_token_bytes)?).await
    }

    /// Checks a token whose structure is sound.
    pub(super) async fn check(&self, jws: Jws<'_>) -> Result<Vouched, VerifyError> {
        let Jws { signed, claims } = jws;
        if !self.algorithms.contains(&signed.algorithm) {
            return Err(InvalidToken::Algorithm.into());
        }
        self.rules.token_type.check(signed.typ.as_deref())?;
        self.rules.check_issuer(&claims)?;
        let keys = self.trust.keys.source();
        let kid = signed.kid.as_deref();
        let key = match keys.current(kid, signed.algorithm) {
            Some(key) => key,
            None => keys.key(kid, signed.algorithm).await?,
        };
        key.verify(&signed)?;
        let window = self.rules.window(&claims)?;
        let token = self.rules.check(claims, self.trust.clock.unix_seconds())?;
        let freshness = self
            .trust
            .freshness(key, kid.is_some(), signed.algorithm, &window);
        Ok(Vouched::while_fresh(token, freshness))
    }
}

impl Keys {
    pub(super) fn source(&self) -> &dyn KeySource {
        match self {
            Self::Discovered(keys) => keys,
            Self::Given(keys) => &**keys,
        }
    }
}

impl Verifier for JwtVerifier {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move { Ok(self.decode_and_check(token).await?.token) })
    }

    fn vouch<'a>(&'a self, token: &'a str) -> Vouching<'a> {
        Box::pin(self.decode_and_check(token))
    }

    fn ready(&self) -> Readiness<'_> {
        Box::pin(Self::ready(self))
    }

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        token.names(&self.rules.issuer)
    }

    fn issuers(&self) -> Vec<String> {
        vec![self.rules.issuer.clone()]
    }

    fn examine(&self) -> Examination<'_> {
        Box::pin(async {
            let Keys::Discovered(keys) = &self.trust.keys else {
                return Vec::new();
            };
            let fits = keys.fits_any(&self.algorithms).await;
            let metadata = keys.look_at_issuer().await;
            vec![IssuerReport {
                issuer: self.rules.issuer.clone(),
                metadata,
                without_key: (fits == Some(false)).then(|| self.algorithms.clone()),
            }]
        })
    }
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("rules", &self.rules)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testkit"))]
#[path = "jwt_tests.rs"]
mod tests;
