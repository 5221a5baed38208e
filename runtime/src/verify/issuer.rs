//! Several issuers, each with its own keys and rules.

use super::{
    builder::VerifierConfigError,
    claims,
    freshness::Vouched,
    jose::Jws,
    jwt::JwtVerifier,
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError, Vouching},
};

/// Accepts the tokens of several issuers.
///
/// The issuer a token names chooses the verifier, by exact comparison, and with it the only keys and rules
/// that can make the token valid: a key of one issuer never vouches for another, even under the same name
/// ([RFC 8725 §3.8]). An issuer that is not configured causes no fetch.
///
/// [RFC 8725 §3.8]: https://www.rfc-editor.org/rfc/rfc8725#section-3.8
#[derive(Debug)]
pub struct Issuers {
    verifiers: Vec<JwtVerifier>,
    max_token_bytes: usize,
}

impl Issuers {
    /// Brings verifiers together.
    ///
    /// # Errors
    ///
    /// [`VerifierConfigError::DuplicateIssuer`] and [`VerifierConfigError::NoIssuers`].
    pub fn new(
        verifiers: impl IntoIterator<Item = JwtVerifier>,
    ) -> Result<Self, VerifierConfigError> {
        let mut all: Vec<JwtVerifier> = Vec::new();
        for verifier in verifiers {
            if all.iter().any(|other| other.issuer() == verifier.issuer()) {
                return Err(VerifierConfigError::DuplicateIssuer {
                    issuer: verifier.issuer().to_owned(),
                });
            }
            all.push(verifier);
        }
        let limits = all.iter().map(|verifier| verifier.max_token_bytes);
        let max_token_bytes = limits.max().ok_or(VerifierConfigError::NoIssuers)?;
        Ok(Self {
            verifiers: all,
            max_token_bytes,
        })
    }

    /// Completes when the keys of all issuers are at hand. See [`JwtVerifier::ready`].
    ///
    /// # Errors
    ///
    /// [`VerifyError::Unavailable`] when the keys of some issuer cannot be had now.
    pub async fn ready(&self) -> Result<(), VerifyError> {
        let all = self.verifiers.iter().map(JwtVerifier::ready);
        futures_util::future::join_all(all)
            .await
            .into_iter()
            .collect()
    }
}

impl Issuers {
    async fn check(&self, token: &str) -> Result<Vouched, VerifyError> {
        let jws = Jws::decode(token, self.max_token_bytes)?;
        let issuer = claims::issuer(&jws.claims)?;
        let named = self
            .verifiers
            .iter()
            .find(|verifier| verifier.issuer() == issuer);
        let verifier = named.ok_or(InvalidToken::Issuer)?;
        if token.len() > verifier.max_token_bytes {
            return Err(InvalidToken::TooLarge.into());
        }
        verifier.check(jws).await
    }
}

impl Verifier for Issuers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move { Ok(self.check(token).await?.token) })
    }

    fn vouch<'a>(&'a self, token: &'a str) -> Vouching<'a> {
        Box::pin(self.check(token))
    }

    fn ready(&self) -> Readiness<'_> {
        Box::pin(Self::ready(self))
    }
}
