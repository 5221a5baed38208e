//! Configuring a verifier: every mistake is found before the first request.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    algorithm::SignatureAlgorithm,
    claims::ClaimRules,
    clock::Clock,
    fetch::{FetchError, Fetcher, is_loopback},
    freshness::Trust,
    jose::{MAX_TOKEN, TokenType},
    jwt::{JwtVerifier, Keys},
    mapping::ClaimMapping,
    remote::RemoteKeys,
    source::KeySource,
};

/// The most tolerance for clocks that differ.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Why a verifier cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierConfigError {
    /// The issuer is no https URL without query and fragment (RFC 8414 §2).
    #[error("issuer `{issuer}` is not an https URL without query and fragment (RFC 8414 §2)")]
    Issuer {
        /// The issuer as configured.
        issuer: String,
    },
    /// The issuer uses plain http and is not on this machine.
    #[error("issuer `{issuer}` uses plain http; use https, or loopback for development")]
    InsecureIssuer {
        /// The issuer as configured.
        issuer: String,
    },
    /// The audience would fit other servers too.
    #[error(
        "audience `{audience}` does not name one server: use its URL, without fragment (RFC 8707 §2)"
    )]
    Audience {
        /// The audience as configured.
        audience: String,
    },
    /// No algorithm is left.
    #[error("no signature algorithm is allowed")]
    NoAlgorithms,
    /// Clocks are allowed to differ too much.
    #[error("a leeway of more than 300 s would keep expired tokens alive")]
    Leeway,
    /// Nothing could ever be accepted.
    #[error("a limit of zero refuses every token")]
    ZeroLimit,
    /// The key set's URL is none that may be fetched.
    #[error("the URL of the key set is not an https URL")]
    KeySetUrl,
    /// The HTTP client cannot be set up: no root certificates, for example.
    #[error("the HTTP client cannot be set up")]
    Client,
    /// Two verifiers for one issuer.
    #[error("issuer `{issuer}` is configured twice")]
    DuplicateIssuer {
        /// The issuer as configured.
        issuer: String,
    },
    /// A place in the claims that no token can have.
    #[error("`{pointer}` is no JSON Pointer (RFC 6901): write `/roles`, or `/realm_access/roles`")]
    Pointer {
        /// The pointer as configured.
        pointer: String,
    },
    /// A template of issuers without exactly one `{{tenant}}`.
    #[error("`{template}` is no template: write `{{tenant}}` where the tenant is, once")]
    Template {
        /// The template as configured.
        template: String,
    },
    /// A tenant that cannot be part of a URL as it is.
    #[error("`{tenant}` is no tenant: use letters, digits and `-._~`")]
    Tenant {
        /// The tenant as configured.
        tenant: String,
    },
    /// The endpoint of introspection is none that a token may be sent to.
    #[error("the introspection endpoint is not an https URL")]
    Endpoint,
    /// Introspection without a name and a secret.
    #[error(
        "introspection needs client authentication (RFC 7662 §2.1): `.client_secret_basic(id, secret)`"
    )]
    NoCredentials,
    /// No verifier at all.
    #[error("no issuer is configured")]
    NoIssuers,
}

/// Makes a [`JwtVerifier`]. See [`JwtVerifier::new`].
#[must_use]
pub struct JwtVerifierBuilder {
    issuer: String,
    audiences: Vec<String>,
    aliases: Vec<String>,
    algorithms: Vec<SignatureAlgorithm>,
    token_type: TokenType,
    leeway: Duration,
    max_lifetime: Option<Duration>,
    max_age: Option<Duration>,
    max_token_bytes: usize,
    clock: Clock,
    keys: Option<Box<dyn KeySource>>,
    allow_http: bool,
    mapping: ClaimMapping,
    tenant: Option<String>,
}

impl JwtVerifierBuilder {
    pub(crate) fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audiences: vec![audience],
            aliases: Vec::new(),
            algorithms: SignatureAlgorithm::DEFAULT.to_vec(),
            token_type: TokenType::default(),
            leeway: Duration::from_secs(60),
            max_lifetime: None,
            max_age: None,
            max_token_bytes: MAX_TOKEN,
            clock: Clock::system(),
            keys: None,
            allow_http: false,
            mapping: ClaimMapping::new(),
            tenant: None,
        }
    }

    /// Takes the issuer's keys from `keys` instead of discovering them.
    pub fn keys(mut self, keys: impl KeySource) -> Self {
        self.keys = Some(Box::new(keys));
        self
    }

    /// The algorithms a token may use, instead of [`SignatureAlgorithm::DEFAULT`]. A key narrows them
    /// further: to those of its kind, and to its own `alg`.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Which `typ` an access token has.
    pub fn token_type(mut self, token_type: TokenType) -> Self {
        self.token_type = token_type;
        self
    }

    /// How far clocks may differ: 60 seconds unless set, at most 300.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Refuses tokens that were issued for longer than this (`exp` - `iat`), and tokens without `iat`.
    pub fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = Some(lifetime);
        self
    }

    /// Refuses tokens that were issued longer ago than this, and tokens without `iat`.
    pub fn max_token_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The longest token that is looked at: 16 KiB unless set.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Another name under which this issuer knows this server, accepted in `aud` like the identifier itself:
    /// an absolute URI, or a UUID, as some issuers assign.
    pub fn audience_alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// How this issuer's claims are read, where they are not as RFC 9068 has them.
    pub fn claims(mut self, mapping: ClaimMapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// The tenant that all tokens of this issuer belong to: what
    /// [`Principal::tenant`](crate::Principal::tenant) says. Where the mapping reads a tenant from the token as
    /// well, a token of another tenant is refused.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Another clock, for tests. It also serves the keys, unless [`keys`](Self::keys) brings its own.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Not for production: whoever controls the network between this server and the issuer can then
    /// replace its keys, and sign any token. Permits an issuer, metadata and keys over plain http at the
    /// issuer's host. Loopback needs no permission.
    pub fn insecure_allow_http_issuer(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Checks the whole.
    ///
    /// # Errors
    ///
    /// [`VerifierConfigError`] names the mistake.
    pub fn build(self) -> Result<JwtVerifier, VerifierConfigError> {
        let url = issuer_url(&self.issuer, self.allow_http)?;
        self.mapping.check()?;
        let uris = self
            .audiences
            .iter()
            .filter(|audience| !is_identifier(audience));
        let names = self
            .aliases
            .iter()
            .filter(|alias| !is_identifier(alias) && !is_uuid(alias));
        if let Some(audience) = uris.chain(names).next() {
            return Err(VerifierConfigError::Audience {
                audience: audience.clone(),
            });
        }
        if self.algorithms.is_empty() {
            return Err(VerifierConfigError::NoAlgorithms);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(VerifierConfigError::Leeway);
        }
        let zero = Some(Duration::ZERO);
        if self.max_token_bytes == 0 || self.max_lifetime == zero || self.max_age == zero {
            return Err(VerifierConfigError::ZeroLimit);
        }
        let keys = match self.keys {
            Some(keys) => Keys::Given(keys),
            None => {
                let fetcher = Fetcher::new(url, self.allow_http).map_err(|error| match error {
                    FetchError::Client => VerifierConfigError::Client,
                    _ => VerifierConfigError::Issuer {
                        issuer: self.issuer.clone(),
                    },
                })?;
                Keys::Discovered(
                    RemoteKeys::discover(&self.issuer, fetcher).clock(self.clock.clone()),
                )
            }
        };
        let rules = ClaimRules {
            issuer: self.issuer,
            audiences: [self.audiences, self.aliases].concat(),
            token_type: self.token_type,
            leeway: self.leeway,
            max_lifetime: self.max_lifetime,
            max_age: self.max_age,
            mapping: self.mapping,
            tenant: self.tenant,
        };
        Ok(JwtVerifier {
            rules,
            algorithms: self.algorithms,
            max_token_bytes: self.max_token_bytes,
            trust: Arc::new(Trust {
                keys,
                clock: self.clock,
            }),
        })
    }
}

impl std::fmt::Debug for JwtVerifierBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtVerifierBuilder")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

pub(super) fn issuer_url(issuer: &str, allow_http: bool) -> Result<Url, VerifierConfigError> {
    let bad = || VerifierConfigError::Issuer {
        issuer: issuer.to_owned(),
    };
    let url: Url = issuer.parse().map_err(|_| bad())?;
    let plain = url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && issuer.bytes().all(|byte| byte.is_ascii_graphic());
    match url.scheme() {
        _ if !plain => Err(bad()),
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err(VerifierConfigError::InsecureIssuer {
            issuer: issuer.to_owned(),
        }),
        _ => Err(bad()),
    }
}

/// An absolute URI without fragment (RFC 8707 §2).
pub(super) fn is_identifier(audience: &str) -> bool {
    let graphic = audience
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'*');
    graphic && Url::parse(audience).is_ok_and(|url| url.fragment().is_none())
}

pub(super) fn is_uuid(alias: &str) -> bool {
    let lengths: Vec<usize> = alias.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && alias.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://as.example";
    const AUDIENCE: &str = "https://api.example/mcp";

    fn error(builder: JwtVerifierBuilder) -> Option<VerifierConfigError> {
        builder.build().err()
    }

    #[test]
    fn an_issuer_is_an_https_url_without_query_and_fragment() {
        let of = |issuer: &str| error(JwtVerifier::new(issuer, AUDIENCE));
        for good in [
            "https://as.example",
            "https://as.example/t/1",
            "http://localhost:1",
            "http://127.0.0.1:1",
            "http://[::1]",
        ] {
            assert_eq!(of(good), None, "{good}");
        }
        for bad in [
            "",
            "as.example",
            "https://",
            "https://as.example?x",
            "https://as.example#x",
            "https://u@as.example",
            "ftp://as.example",
            " https://as.example",
            "https://as.example/\n",
            "urn:x:y",
        ] {
            assert!(
                matches!(of(bad), Some(VerifierConfigError::Issuer { .. })),
                "{bad:?}"
            );
        }
        for plain in [
            "http://as.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(
                matches!(of(plain), Some(VerifierConfigError::InsecureIssuer { .. })),
                "{plain}"
            );
            assert_eq!(
                error(JwtVerifier::new(plain, AUDIENCE).insecure_allow_http_issuer()),
                None
            );
        }
    }

    #[test]
    fn an_audience_names_one_server() {
        for good in [
            AUDIENCE,
            "https://api.example",
            "api://notes",
            "urn:example:notes",
        ] {
            assert_eq!(error(JwtVerifier::new(ISSUER, good)), None, "{good}");
            assert_eq!(
                error(JwtVerifier::new(ISSUER, AUDIENCE).audience_alias(good)),
                None
            );
        }
        let uuid = "6731de76-14a6-49ae-97bc-6eba6914391e";
        assert_eq!(
            error(JwtVerifier::new(ISSUER, AUDIENCE).audience_alias(uuid)),
            None
        );
        for bad in [
            "",
            "api",
            "*",
            "https://*.example",
            "account",
            "https://api.example#x",
            "https://api.example/ x",
            "api.example/mcp",
            uuid,
        ] {
            assert!(
                matches!(
                    error(JwtVerifier::new(ISSUER, bad)),
                    Some(VerifierConfigError::Audience { .. })
                ),
                "{bad}"
            );
            if bad != uuid {
                let alias = JwtVerifier::new(ISSUER, AUDIENCE).audience_alias(bad);
                assert!(
                    matches!(error(alias), Some(VerifierConfigError::Audience { .. })),
                    "{bad}"
                );
            }
        }
    }

    #[test]
    fn settings_that_switch_a_check_off_are_refused() {
        let of = || JwtVerifier::new(ISSUER, AUDIENCE);
        assert_eq!(
            error(of().algorithms([])),
            Some(VerifierConfigError::NoAlgorithms)
        );
        assert_eq!(error(of().leeway(Duration::from_secs(300))), None);
        assert_eq!(
            error(of().leeway(Duration::from_millis(300_001))),
            Some(VerifierConfigError::Leeway)
        );
        assert_eq!(
            error(of().max_token_lifetime(Duration::ZERO)),
            Some(VerifierConfigError::ZeroLimit)
        );
        assert_eq!(
            error(of().max_token_age(Duration::ZERO)),
            Some(VerifierConfigError::ZeroLimit)
        );
        assert_eq!(
            error(of().max_token_bytes(0)),
            Some(VerifierConfigError::ZeroLimit)
        );
        assert_eq!(
            RemoteKeys::new("http://as.example/keys").err(),
            Some(VerifierConfigError::KeySetUrl)
        );
    }
}
