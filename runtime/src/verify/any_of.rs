//! Several ways to verify, one of which a token belongs to.

use std::{fmt, sync::Arc};

use super::{
    check::{Examination, IssuerReport},
    freshness::Vouched,
    hint::{Recognition, TokenHint},
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError, Vouching},
};

/// Combines verifiers: JWTs of several issuers, introspection, API keys, each with its own keys, audience,
/// algorithms and claim mapping.
///
/// ```
/// use toolgate::{AnyOf, ApiKeys, ClaimMapping, Introspection, JwtVerifier, ScopeClaim, Secret};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// const NOTES: &str = "https://notes.example.com/mcp";
/// # let secret = Secret::new("from a secret store");
///
/// let staff = JwtVerifier::new("https://login.example.com", NOTES)
///     .claims(ClaimMapping::new().scopes_from([ScopeClaim::Scp]).roles_at("/roles"))
///     .build()?;
/// let partners = Introspection::new("https://auth.partner.example", NOTES)
///     .client_secret_basic("notes", secret)
///     .build()?;
/// let scripts = ApiKeys::new("urn:example:notes:api-keys", "ntk_")?;
///
/// let verifier = AnyOf::new(staff).or(partners).or(scripts);
/// # let _ = toolgate::Server::new(NOTES).verifier(verifier);
/// # Ok(())
/// # }
/// ```
///
/// # Who is asked
///
/// A token that says whose it is (a JWT by its `iss`, an API key by its prefix) is decided by the first
/// verifier that recognizes it, alone. Nothing vouches for it in that one's stead, and nobody else sees it.
/// An opaque token that says nothing goes to those that take such tokens, in order, until one accepts it:
/// to keep a token of one authorization server from being shown to another, give one of them a
/// [`token_prefix`](crate::IntrospectionBuilder::token_prefix). When nobody accepts it and somebody could
/// not be asked, nothing is known about the token: callers get 503, not 401.
pub struct AnyOf {
    verifiers: Vec<Arc<dyn Verifier>>,
}

impl AnyOf {
    /// Begins with `first`.
    pub fn new(first: impl Verifier) -> Self {
        Self::of(vec![Arc::new(first)])
    }

    pub(crate) fn of(verifiers: Vec<Arc<dyn Verifier>>) -> Self {
        Self { verifiers }
    }

    /// Adds `next`.
    #[must_use]
    pub fn or(mut self, next: impl Verifier) -> Self {
        self.verifiers.push(Arc::new(next));
        self
    }

    async fn decide(&self, token: &str) -> Result<Vouched, VerifyError> {
        let hint = TokenHint::read(token);
        let mut candidates = Vec::new();
        for verifier in &self.verifiers {
            match verifier.recognizes(&hint) {
                Recognition::Yes => return verifier.vouch(token).await,
                Recognition::Maybe => candidates.push(verifier),
                Recognition::No => {}
            }
        }
        let unknown = if hint.is_jwt() {
            InvalidToken::Issuer
        } else {
            InvalidToken::Unknown
        };
        let mut refusal: Option<VerifyError> = None;
        for verifier in candidates {
            match (verifier.vouch(token).await, &refusal) {
                (Ok(vouched), _) => return Ok(vouched),
                (Err(_), Some(VerifyError::Unavailable { .. })) => {}
                (Err(error @ VerifyError::Unavailable { .. }), _) => refusal = Some(error),
                (Err(_), Some(_)) => {}
                (Err(error), None) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or(VerifyError::Invalid(unknown)))
    }
}

impl Verifier for AnyOf {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async { Ok(self.decide(token).await?.token) })
    }

    fn vouch<'a>(&'a self, token: &'a str) -> Vouching<'a> {
        Box::pin(self.decide(token))
    }

    fn ready(&self) -> Readiness<'_> {
        Box::pin(async {
            let all = self.verifiers.iter().map(|verifier| verifier.ready());
            let all = futures_util::future::join_all(all).await;
            all.into_iter().collect()
        })
    }

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        let all = self.verifiers.iter().map(|v| v.recognizes(token));
        all.fold(Recognition::No, |best, next| match (best, next) {
            (Recognition::Yes, _) | (_, Recognition::Yes) => Recognition::Yes,
            (Recognition::Maybe, _) | (_, Recognition::Maybe) => Recognition::Maybe,
            (Recognition::No, Recognition::No) => Recognition::No,
        })
    }

    fn issuers(&self) -> Vec<String> {
        let mut issuers = Vec::new();
        for issuer in self.verifiers.iter().flat_map(|v| v.issuers()) {
            if !issuers.contains(&issuer) {
                issuers.push(issuer);
            }
        }
        issuers
    }

    fn examine(&self) -> Examination<'_> {
        Box::pin(async {
            let all = self.verifiers.iter().map(|verifier| verifier.examine());
            let all = futures_util::future::join_all(all).await;
            all.into_iter().flatten().collect::<Vec<IssuerReport>>()
        })
    }
}

impl fmt::Debug for AnyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyOf")
            .field("verifiers", &self.verifiers.len())
            .field("issuers", &self.issuers())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    use super::*;
    use crate::VerifiedToken;

    /// Answers one thing, recognizes by prefix, and counts.
    struct Fixed {
        prefix: Option<&'static str>,
        answer: Result<&'static str, VerifyError>,
        asked: Arc<AtomicUsize>,
    }

    impl Verifier for Fixed {
        fn verify<'a>(&'a self, _token: &'a str) -> Verification<'a> {
            self.asked.fetch_add(1, SeqCst);
            let answer = self.answer.clone();
            Box::pin(async move { Ok(VerifiedToken::new("urn:x", answer?)) })
        }

        fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
            match self.prefix {
                Some(prefix) if token.has_prefix(prefix) => Recognition::Yes,
                Some(_) => Recognition::No,
                None => Recognition::Maybe,
            }
        }

        fn issuers(&self) -> Vec<String> {
            vec!["https://as.example".into()]
        }
    }

    type Answer = Result<&'static str, VerifyError>;

    async fn ask(
        of: &[(Option<&'static str>, Answer)],
        token: &str,
    ) -> (Result<String, VerifyError>, Vec<usize>) {
        let counters: Vec<Arc<AtomicUsize>> = of.iter().map(|_| Arc::default()).collect();
        let verifiers = of.iter().zip(&counters).map(|((prefix, answer), asked)| {
            Arc::new(Fixed {
                prefix: *prefix,
                answer: answer.clone(),
                asked: asked.clone(),
            }) as Arc<dyn Verifier>
        });
        let any = AnyOf::of(verifiers.collect());
        assert_eq!(any.issuers().len(), 1, "each issuer once");
        let answer = any.verify(token).await.map(|token| format!("{token:?}"));
        let asked = counters.iter().map(|asked| asked.load(SeqCst)).collect();
        (answer, asked)
    }

    #[tokio::test]
    async fn a_token_that_says_whose_it_is_goes_to_one_verifier_only() {
        let refused = || Err(VerifyError::Invalid(InvalidToken::Expired));
        let down = || {
            Err(VerifyError::Unavailable {
                reason: "down",
                retry_after: Duration::from_secs(1),
            })
        };
        let (answer, asked) = ask(&[(None, Ok("alice")), (Some("k_"), refused())], "k_1").await;
        assert_eq!(answer.err(), refused().err());
        assert_eq!(
            asked,
            [0, 1],
            "nobody vouches for it in its verifier's stead"
        );

        let (answer, asked) = ask(
            &[(Some("k_"), Ok("k")), (None, refused()), (None, Ok("b"))],
            "x",
        )
        .await;
        assert!(answer.unwrap().contains("\"b\""));
        assert_eq!(asked, [0, 1, 1]);

        for order in [
            [(None, down()), (None, refused())],
            [(None, refused()), (None, down())],
        ] {
            let (answer, _) = ask(&order, "x").await;
            assert_eq!(answer.err(), down().err(), "unknown is not bad");
        }
        let (answer, _) = ask(&[(None, down()), (None, Ok("a"))], "x").await;
        assert!(answer.is_ok());
        let (answer, asked) = ask(&[(Some("k_"), Ok("k"))], "x").await;
        assert_eq!(answer.err(), Some(InvalidToken::Unknown.into()));
        assert_eq!(asked, [0]);
        let (answer, _) = ask(&[(Some("k_"), Ok("k"))], "e30.e30.c2ln").await;
        assert_eq!(answer.err(), Some(InvalidToken::Issuer.into()));
    }
}
