//! Several issuers, each with its own keys and rules.

use super::{
    builder::{JwtVerifierBuilder, VerifierConfigError},
    check::Examination,
    claims,
    freshness::Vouched,
    hint::{Recognition, TokenHint},
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

    /// The issuers of several tenants of one authorization server, whose issuer identifiers differ in the
    /// tenant only: `https://login.example.com/{tenant}/v2.0` ([RFC 8414 §2]).
    ///
    /// Only the `tenants` that are named here are trusted; there is no form that trusts all of them, because
    /// anybody can open a tenant. Each has its own metadata and keys, and its name is what
    /// [`Principal::tenant`](crate::Principal::tenant) says. `configure` is called for each.
    ///
    /// ```
    /// use toolgate::{ClaimMapping, Issuers, ScopeClaim};
    ///
    /// let verifier = Issuers::for_tenants(
    ///     "https://login.example.com/{tenant}/v2.0",
    ///     "https://notes.example.com/mcp",
    ///     ["contoso", "fabrikam"],
    ///     |tenant| tenant.claims(ClaimMapping::new().scopes_from([ScopeClaim::Scp])),
    /// )?;
    /// # Ok::<(), toolgate::VerifierConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifierConfigError`]: a template without exactly one `{tenant}`, a tenant that would change the
    /// shape of the URL, none or one twice, or what [`JwtVerifierBuilder::build`] finds.
    ///
    /// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
    pub fn for_tenants(
        template: &str,
        audience: &str,
        tenants: impl IntoIterator<Item = impl Into<String>>,
        configure: impl Fn(JwtVerifierBuilder) -> JwtVerifierBuilder,
    ) -> Result<Self, VerifierConfigError> {
        let (before, after) = template
            .split_once("{tenant}")
            .filter(|(before, after)| !before.contains(['{', '}']) && !after.contains(['{', '}']))
            .ok_or_else(|| VerifierConfigError::Template {
                template: template.to_owned(),
            })?;
        let mut verifiers = Vec::new();
        for tenant in tenants {
            let tenant: String = tenant.into();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            if !tenant.bytes().all(plain) || tenant.bytes().all(|b| b == b'.') {
                return Err(VerifierConfigError::Tenant { tenant });
            }
            let issuer = format!("{before}{tenant}{after}");
            let verifier = JwtVerifier::new(issuer, audience).tenant(tenant);
            verifiers.push(configure(verifier).build()?);
        }
        Self::new(verifiers)
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

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        let named = |verifier: &JwtVerifier| token.names(verifier.issuer()) == Recognition::Yes;
        if self.verifiers.iter().any(named) {
            Recognition::Yes
        } else {
            Recognition::No
        }
    }

    fn issuers(&self) -> Vec<String> {
        let issuers = self.verifiers.iter().map(JwtVerifier::issuer);
        issuers.map(str::to_owned).collect()
    }

    fn examine(&self) -> Examination<'_> {
        Box::pin(async {
            let all = self.verifiers.iter().map(Verifier::examine);
            let all = futures_util::future::join_all(all).await;
            all.into_iter().flatten().collect()
        })
    }
}
