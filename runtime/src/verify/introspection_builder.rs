//! Configuring introspection: every mistake is found before the first request.

use std::{fmt, sync::Arc, sync::atomic::AtomicBool, time::Duration};

use url::Url;

use super::{
    algorithm::SignatureAlgorithm,
    answers::Answers,
    builder::{MAX_LEEWAY, VerifierConfigError, is_identifier, is_uuid, issuer_url},
    claims::ClaimRules,
    clock::Clock,
    fetch::{FetchError, Fetcher},
    introspection::{Discovery, Introspection, Place, Server},
    introspection_client::{Credentials, Method},
    introspection_jwt::SignedAnswers,
    jose::{MAX_TOKEN, TokenType},
    mapping::ClaimMapping,
    remote::RemoteKeys,
    secret::Secret,
};

/// The longest that an acceptance and a refusal may be remembered.
const MAX_ACCEPTED: Duration = Duration::from_secs(60);
const MAX_REFUSED: Duration = Duration::from_secs(10);
/// The longest that a question may take.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections to the endpoint that are kept for the next question.
const IDLE: usize = 8;

/// Makes an [`Introspection`]. See [`Introspection::new`].
#[must_use]
pub struct IntrospectionBuilder {
    issuer: String,
    audience: String,
    aliases: Vec<String>,
    endpoint: Option<String>,
    credentials: Option<Credentials>,
    signed: bool,
    algorithms: Vec<SignatureAlgorithm>,
    restricts_audience: bool,
    client_as_subject: bool,
    prefix: Option<String>,
    mapping: ClaimMapping,
    tenant: Option<String>,
    leeway: Duration,
    max_token_bytes: usize,
    accepted_for: Duration,
    refused_for: Duration,
    timeout: Duration,
    clock: Clock,
    allow_http: bool,
}

impl IntrospectionBuilder {
    pub(super) fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audience,
            aliases: Vec::new(),
            endpoint: None,
            credentials: None,
            signed: false,
            algorithms: SignatureAlgorithm::DEFAULT.to_vec(),
            restricts_audience: false,
            client_as_subject: false,
            prefix: None,
            mapping: ClaimMapping::new(),
            tenant: None,
            leeway: Duration::from_secs(60),
            max_token_bytes: MAX_TOKEN,
            accepted_for: MAX_ACCEPTED,
            refused_for: MAX_REFUSED,
            timeout: Duration::from_secs(5),
            clock: Clock::system(),
            allow_http: false,
        }
    }

    /// Authenticates this server with a name and a secret in the `Authorization` header, as authorization
    /// servers must support it. The secret is this server's own, not that of any client of users.
    pub fn client_secret_basic(self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client(id.into(), secret.into(), Method::Basic)
    }

    /// Authenticates this server with a name and a secret in the body, for authorization servers that want
    /// that.
    pub fn client_secret_post(self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client(id.into(), secret.into(), Method::Post)
    }

    fn client(mut self, id: String, secret: Secret, method: Method) -> Self {
        self.credentials = Some(Credentials { id, secret, method });
        self
    }

    /// Asks at `url` instead of the endpoint that the issuer's metadata names.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// For endpoints that answer "active" only for tokens that are for this server, as its client credentials
    /// name it: an answer without `aud` is then accepted. **Not otherwise:** a token for any other server
    /// would be accepted here. An `aud` that is there must still fit.
    pub fn endpoint_restricts_audience(mut self) -> Self {
        self.restricts_audience = true;
        self
    }

    /// For authorization servers that leave out `sub` where no user is involved (client credentials): the
    /// client is then the subject, as RFC 9068 §2.2 has it. Not for those where a client can choose an id that
    /// is also the name of a user.
    pub fn client_id_as_subject(mut self) -> Self {
        self.client_as_subject = true;
        self
    }

    /// Demands signed answers (RFC 9701), and takes no others: `typ` is `token-introspection+jwt`, `iss` the
    /// issuer, `aud` this server, `iat` at most a minute ago, and a key of the issuer has signed it.
    pub fn signed_answers(mut self) -> Self {
        self.signed = true;
        self
    }

    /// The algorithms of signed answers, instead of [`SignatureAlgorithm::DEFAULT`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How all opaque tokens of this authorization server begin: `ory_at_`, for example. Others are then
    /// refused without asking, and those are for nobody else.
    pub fn token_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into()).filter(|prefix| !prefix.is_empty());
        self
    }

    /// How this authorization server's answers are read, where they are not as RFC 7662 has them.
    pub fn claims(mut self, mapping: ClaimMapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// The tenant that all tokens of this issuer belong to.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Another name under which this issuer knows this server: see
    /// [`JwtVerifierBuilder::audience_alias`](crate::JwtVerifierBuilder::audience_alias).
    pub fn audience_alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// How far clocks may differ: 60 seconds unless set, at most 300.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest token that is asked about: 16 KiB unless set.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// How long an acceptance is remembered, and so how long a revocation may go unnoticed: 60 seconds unless
    /// set, which is also the most. Zero asks about every request.
    pub fn remember_accepted(mut self, lifetime: Duration) -> Self {
        self.accepted_for = lifetime.min(MAX_ACCEPTED);
        self
    }

    /// How long a refusal is remembered: 10 seconds unless set, which is also the most. Zero asks about every
    /// request.
    pub fn remember_refused(mut self, lifetime: Duration) -> Self {
        self.refused_for = lifetime.min(MAX_REFUSED);
        self
    }

    /// How long an answer may take in all: 5 seconds unless set, at most 30.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(MAX_TIMEOUT);
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Not for production: whoever is on the network between this server and the issuer can then read every
    /// token and the secret. Permits plain http to the host of the issuer, or of the endpoint. Loopback needs no
    /// permission.
    pub fn insecure_allow_http_issuer(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Checks the whole.
    ///
    /// # Errors
    ///
    /// [`VerifierConfigError`] names the mistake.
    pub fn build(self) -> Result<Introspection, VerifierConfigError> {
        let issuer = issuer_url(&self.issuer, self.allow_http)?;
        self.mapping.check()?;
        let alias_fits = |alias: &&String| !is_identifier(alias) && !is_uuid(alias);
        let bad = std::iter::once(&self.audience).filter(|audience| !is_identifier(audience));
        if let Some(audience) = bad.chain(self.aliases.iter().filter(alias_fits)).next() {
            return Err(VerifierConfigError::Audience {
                audience: audience.clone(),
            });
        }
        if self.signed && self.algorithms.is_empty() {
            return Err(VerifierConfigError::NoAlgorithms);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(VerifierConfigError::Leeway);
        }
        if self.max_token_bytes == 0 || self.timeout.is_zero() {
            return Err(VerifierConfigError::ZeroLimit);
        }
        let credentials = self
            .credentials
            .filter(|credentials| !credentials.id.is_empty())
            .filter(|credentials| !credentials.secret.expose().is_empty())
            .ok_or(VerifierConfigError::NoCredentials)?;

        let fetcher =
            |base: &Url, idle| Fetcher::with_idle_connections(base.clone(), self.allow_http, idle);
        let refused = |error| match error {
            FetchError::Client => VerifierConfigError::Client,
            _ => VerifierConfigError::Endpoint,
        };
        let signed = match self.signed {
            false => None,
            true => Some(SignedAnswers {
                keys: RemoteKeys::discover(&self.issuer, fetcher(&issuer, 0).map_err(refused)?)
                    .clock(self.clock.clone()),
                algorithms: self.algorithms,
            }),
        };
        let (place, base) = match &self.endpoint {
            None => (Place::Discovered(Discovery::default()), issuer),
            Some(url) => {
                let url: Url = url.parse().map_err(|_| VerifierConfigError::Endpoint)?;
                (Place::Configured(url.clone()), url)
            }
        };
        let fetcher = fetcher(&base, IDLE).map_err(refused)?;
        let rules = ClaimRules {
            issuer: self.issuer,
            audiences: [vec![self.audience], self.aliases].concat(),
            token_type: TokenType::Compatible,
            leeway: self.leeway,
            max_lifetime: None,
            max_age: None,
            mapping: self.mapping,
            tenant: self.tenant,
        };
        let answers = Answers::new(self.accepted_for, self.refused_for);
        let server = Server {
            rules,
            place,
            fetcher,
            credentials,
            signed,
            restricts_audience: self.restricts_audience,
            client_as_subject: self.client_as_subject,
            answers: answers.ok_or(VerifierConfigError::Client)?,
            timeout: self.timeout,
            clock: self.clock,
            concurrent: Introspection::semaphore(),
            failing: AtomicBool::new(false),
        };
        Ok(Introspection {
            server: Arc::new(server),
            prefix: self.prefix,
            max_token_bytes: self.max_token_bytes,
        })
    }
}

impl fmt::Debug for IntrospectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionBuilder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
