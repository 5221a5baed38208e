//! Tokens that only their authorization server can read: it is asked about each ([RFC 7662]).
//!
//! The rules, and what each is for:
//!
//! - The token is posted in a body to one endpoint, over https, without redirects, within one deadline. It is
//!   in no URL and no log. A JWT that names another issuer is not sent at all.
//! - `active` is the boolean `true`, or the token is not accepted. Everything else in the answer is checked as
//!   in a JWT: audience, issuer, times, scopes.
//! - An answer that cannot be had or read (no connection, any status but 200, HTML, a member name twice) says
//!   nothing about the token: callers get 503, never 401 and never acceptance.
//! - Answers are kept for a short while, see `answers`.
//! - Signed answers ([RFC 9701]) are demanded where they are configured: an unsigned one is then no answer.
//!
//! [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};
use url::Url;
use zeroize::Zeroizing;

pub use super::introspection_builder::IntrospectionBuilder;
use super::{
    answers::{Answers, Found, Name, Outcome},
    check::{Examination, IssuerReport},
    claims::ClaimRules,
    clock::Clock,
    discovery::IssuerMetadata,
    fetch::{FetchError, Fetcher, Form},
    hint::{Recognition, TokenHint},
    introspection_client::Credentials,
    introspection_jwt::{SIGNED, SignedAnswers, whole_seconds},
    json,
    refresh::{HOUR, SECOND},
    source::KeySource,
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError},
};

/// The metadata member that names the endpoint (RFC 8414 §2).
const ENDPOINT: &str = "introspection_endpoint";
/// How many questions may be under way.
const MAX_CONCURRENT: usize = 64;
/// How long after a failed discovery the next may start.
const COOLDOWN: Duration = Duration::from_secs(5);

/// Verifies tokens by asking their authorization server ([RFC 7662]): for opaque tokens, or where a
/// revocation must count within a minute.
///
/// ```
/// use toolgate::{Introspection, Secret};
///
/// # let secret = || Secret::new("from a secret store");
/// let verifier = Introspection::new("https://auth.example.com", "https://notes.example.com/mcp")
///     .client_secret_basic("notes-server", secret())
///     .build()?;
/// # Ok::<(), toolgate::VerifierConfigError>(())
/// ```
///
/// The endpoint is found through the issuer's metadata when the first token arrives. An answer must hold
/// `active`, `aud`, `exp` and `sub`; `iss`, when it is there, must be the configured issuer. An acceptance is
/// remembered for a minute at most, and never beyond the token's `exp`; a refusal for ten seconds.
///
/// # What this does not do
///
/// Verify a JWT by itself: it is sent to the endpoint like an opaque token, if it names this issuer. A JWT
/// that names another issuer, or none, is refused without asking. See [`AnyOf`](crate::AnyOf) for several
/// authorization servers.
///
/// [RFC 7662]: https://www.rfc-editor.org/rfc/rfc7662
pub struct Introspection {
    pub(super) server: Arc<Server>,
    pub(super) prefix: Option<String>,
    pub(super) max_token_bytes: usize,
}

/// The authorization server, as the questions under way share it.
pub(super) struct Server {
    pub(super) rules: ClaimRules,
    pub(super) place: Place,
    pub(super) fetcher: Fetcher,
    pub(super) credentials: Credentials,
    pub(super) signed: Option<SignedAnswers>,
    pub(super) restricts_audience: bool,
    pub(super) client_as_subject: bool,
    pub(super) answers: Answers,
    pub(super) timeout: Duration,
    pub(super) clock: Clock,
    pub(super) concurrent: Semaphore,
    pub(super) failing: AtomicBool,
}

pub(super) enum Place {
    Configured(Url),
    Discovered(Discovery),
}

#[derive(Default)]
pub(super) struct Discovery {
    known: ArcSwapOption<(IssuerMetadata, Duration)>,
    /// When the last attempt failed.
    failed_at: Mutex<Option<Duration>>,
}

impl Introspection {
    /// Begins introspection at `issuer` for the server that is `audience`: its resource identifier, which an
    /// answer must name in `aud`.
    #[allow(
        clippy::new_ret_no_self,
        reason = "client credentials are required too, the rest has defaults"
    )]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> IntrospectionBuilder {
        IntrospectionBuilder::new(issuer.into(), audience.into())
    }

    /// How many questions may be under way at a time.
    pub(super) fn semaphore() -> Semaphore {
        Semaphore::new(MAX_CONCURRENT)
    }

    async fn check(&self, token: &str) -> Outcome {
        if token.len() > self.max_token_bytes {
            return Err(InvalidToken::TooLarge.into());
        }
        let hint = TokenHint::read(token);
        if self.recognizes(&hint) == Recognition::No {
            let jwt = hint.is_jwt();
            let reason = if jwt {
                InvalidToken::Issuer
            } else {
                InvalidToken::Unknown
            };
            return Err(reason.into());
        }
        let server = &self.server;
        let name = server.answers.name(token);
        let found = server.answers.find(&name, &server.clock, || {
            let server = Arc::clone(server);
            let token = Zeroizing::new(token.to_owned());
            async move { server.ask_and_keep(&name, &token).await }.boxed()
        });
        match found {
            Found::Answer(outcome) => *outcome,
            Found::Asking(flight) => flight.await,
        }
    }
}

impl Server {
    async fn ask_and_keep(&self, name: &Name, token: &str) -> Outcome {
        let asked = tokio::time::timeout(self.timeout, self.ask(token)).await;
        let (expires, outcome) = match asked.unwrap_or(Err(FetchError::Timeout)) {
            Ok(answer) => {
                let expires = answer.get("exp").and_then(Value::as_u64);
                // Fractions of a second are the token's own loss.
                let expires = expires.or_else(|| whole_seconds(answer.get("exp")?));
                self.well();
                (expires, self.judge(answer))
            }
            Err(error) => (None, Err(self.unwell(error))),
        };
        self.answers.keep(name, expires, &outcome, &self.clock);
        outcome
    }

    /// The members of the answer, whose form is right.
    async fn ask(&self, token: &str) -> Result<Map<String, Value>, FetchError> {
        let _permit = self.concurrent.acquire().await;
        let url = self.endpoint().await?;
        let body = Zeroizing::new(self.credentials.body(token));
        let form = Form {
            body: &body,
            authorization: self.credentials.header(),
            accept: match self.signed {
                Some(_) => SIGNED,
                None => "application/json",
            },
        };
        let answer = self.fetcher.post(&url, &form, self.timeout).await?;
        let members = match &self.signed {
            None => json::object(&answer.body).map_err(|_| FetchError::Document)?,
            Some(signed) => self.open(signed, &answer).await?,
        };
        match members.get("active") {
            Some(Value::Bool(_)) => Ok(members),
            _ => Err(FetchError::Document),
        }
    }

    /// What an answer means for its token.
    fn judge(&self, mut answer: Map<String, Value>) -> Outcome {
        if answer.remove("active") != Some(Value::Bool(true)) {
            return Err(InvalidToken::Inactive.into());
        }
        is_access_token(&answer)?;
        // The endpoint that was configured speaks for its own issuer, whether it says so or not.
        let issuer = || Value::from(self.rules.issuer.as_str());
        answer.entry("iss").or_insert_with(issuer);
        if self.restricts_audience
            && !answer.contains_key("aud")
            && let Some(audience) = self.rules.audiences.first()
        {
            answer.insert("aud".into(), Value::from(audience.as_str()));
        }
        if self.client_as_subject
            && !answer.contains_key("sub")
            && let Some(client) = answer.get("client_id").cloned()
        {
            answer.insert("sub".into(), client);
        }
        Ok(self.rules.check(answer, self.clock.unix_seconds())?)
    }

    async fn endpoint(&self) -> Result<Url, FetchError> {
        let discovery = match &self.place {
            Place::Configured(url) => return Ok(url.clone()),
            Place::Discovered(discovery) => discovery,
        };
        let younger = |than: Duration| {
            let known = discovery.known.load_full()?;
            let age = self.clock.monotonic().saturating_sub(known.1);
            (age < than).then(|| known.0.wanted.clone())
        };
        if let Some(url) = younger(HOUR) {
            return Ok(url);
        }
        // One at a time: the others find what it found.
        let mut failed_at = discovery.failed_at.lock().await;
        if let Some(url) = younger(HOUR) {
            return Ok(url);
        }
        let now = self.clock.monotonic();
        let found = match *failed_at {
            Some(at) if now.saturating_sub(at) < COOLDOWN => Err(FetchError::Connect),
            _ => self.discover().await,
        };
        match found {
            Ok(metadata) => {
                let url = metadata.wanted.clone();
                discovery.known.store(Some(Arc::new((metadata, now))));
                *failed_at = None;
                Ok(url)
            }
            // The last good one stays in use, but not for ever.
            Err(error) => {
                if failed_at.is_none_or(|at| now.saturating_sub(at) >= COOLDOWN) {
                    *failed_at = Some(now);
                }
                younger(HOUR.saturating_mul(24)).ok_or(error)
            }
        }
    }

    async fn discover(&self) -> Result<IssuerMetadata, FetchError> {
        IssuerMetadata::discover(&self.fetcher, &self.rules.issuer, ENDPOINT, self.timeout).await
    }

    fn well(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!(
                issuer = self.rules.issuer,
                "tokens can be introspected again"
            );
        }
    }

    /// One warning when it begins, not one a request.
    fn unwell(&self, error: FetchError) -> VerifyError {
        let issuer = &self.rules.issuer;
        if self.failing.swap(true, Ordering::Relaxed) {
            tracing::debug!(issuer, %error, "tokens cannot be introspected");
        } else {
            tracing::warn!(issuer, %error, "tokens cannot be introspected");
        }
        VerifyError::Unavailable {
            reason: "the introspection endpoint gives no answer",
            retry_after: SECOND.saturating_mul(5),
        }
    }
}

/// Whether the answer is about a token that may be used at a resource (RFC 7662 §2.2: `token_type`; some
/// servers answer for refresh tokens too, and say so in `token_use`).
fn is_access_token(answer: &Map<String, Value>) -> Result<(), InvalidToken> {
    let is = |text: &str, names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    match answer.get("token_type") {
        None => {}
        Some(Value::String(kind)) if is(kind, &["Bearer"]) => {}
        // Without the key it is bound to, nobody could demand a proof.
        Some(Value::String(kind)) if is(kind, &["DPoP"]) && answer.contains_key("cnf") => {}
        Some(Value::String(_)) => return Err(InvalidToken::TokenType),
        Some(_) => return Err(InvalidToken::Claim("token_type")),
    }
    match answer.get("token_use") {
        None => Ok(()),
        Some(Value::String(usage)) if is(usage, &["access_token", "access"]) => Ok(()),
        Some(Value::String(_)) => Err(InvalidToken::TokenType),
        Some(_) => Err(InvalidToken::Claim("token_use")),
    }
}

impl Verifier for Introspection {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(self.check(token))
    }

    fn ready(&self) -> Readiness<'_> {
        Box::pin(async {
            let server = &self.server;
            let found = tokio::time::timeout(server.timeout, server.endpoint()).await;
            if let Err(error) = found.unwrap_or(Err(FetchError::Timeout)) {
                return Err(server.unwell(error));
            }
            match &server.signed {
                Some(signed) => Ok(signed.keys.ready().await?),
                None => Ok(()),
            }
        })
    }

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        match &self.prefix {
            _ if token.is_jwt() => token.names(&self.server.rules.issuer),
            Some(prefix) if token.has_prefix(prefix) => Recognition::Yes,
            Some(_) => Recognition::No,
            None => Recognition::Maybe,
        }
    }

    fn issuers(&self) -> Vec<String> {
        vec![self.server.rules.issuer.clone()]
    }

    fn examine(&self) -> Examination<'_> {
        Box::pin(async {
            let server = &self.server;
            let Place::Discovered(discovery) = &server.place else {
                return Vec::new();
            };
            let known = tokio::time::timeout(server.timeout, server.endpoint()).await;
            let metadata = match (known, discovery.known.load_full()) {
                (Ok(Ok(_)), Some(known)) => Ok(known.0.clone()),
                (Err(_), _) => Err(FetchError::Timeout),
                // Why not, of which the pause after a failure tells nothing.
                _ => tokio::time::timeout(server.timeout, server.discover())
                    .await
                    .unwrap_or(Err(FetchError::Timeout)),
            };
            vec![IssuerReport {
                issuer: server.rules.issuer.clone(),
                metadata,
                without_key: None,
            }]
        })
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("rules", &self.server.rules)
            .field("client_id", &self.server.credentials.id)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testkit"))]
#[path = "introspection_tests.rs"]
mod tests;
