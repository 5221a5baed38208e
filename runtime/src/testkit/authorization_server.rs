//! Building and starting the embedded authorization server.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Mutex, time::Duration};

use jsonwebtoken::Algorithm;
use tokio::net::{TcpListener, lookup_host};

use super::{issuer::Issuer, keys::SigningKey, running::RunningAuthorizationServer, store::Store};
use crate::{
    declare::scope::{InvalidScope, ScopeName},
    verify::{algorithm::SignatureAlgorithm, dpop::Dpop},
};

/// An authorization server for development and tests, not started yet.
///
/// **Never for production:** it asks nobody for a password and forgets everything when it stops. It
/// listens on loopback addresses only.
///
/// | setting | default |
/// |---|---|
/// | [`scope`](Self::scope) | none described; any scope that is asked for can be granted |
/// | [`user`](Self::user) | `alice` and `bob` |
/// | [`auto_consent`](Self::auto_consent) | off: a page asks |
/// | [`token_lifetime`](Self::token_lifetime) | 10 minutes |
/// | [`algorithm`](Self::algorithm) | ES256 |
/// | [`opaque_tokens`](Self::opaque_tokens) | off: access tokens are JWTs |
/// | [`resource_server`](Self::resource_server) | none: nobody may introspect tokens |
/// | [`default_resource`](Self::default_resource) | none: clients have to say which server a token is for |
#[derive(Clone)]
#[must_use = "an authorization server does nothing until it is started"]
pub struct AuthorizationServer {
    scopes: Vec<(String, String)>,
    users: Vec<String>,
    auto_consent: Option<String>,
    token_lifetime: Duration,
    algorithm: Algorithm,
    default_resource: Option<String>,
    opaque_tokens: bool,
    resource_servers: Vec<(String, String)>,
}

impl AuthorizationServer {
    /// A server with the defaults of the table above.
    pub fn new() -> Self {
        Self {
            scopes: Vec::new(),
            users: Vec::new(),
            auto_consent: None,
            token_lifetime: Duration::from_secs(10 * 60),
            algorithm: Algorithm::ES256,
            default_resource: None,
            opaque_tokens: false,
            resource_servers: Vec::new(),
        }
    }

    /// Lists `name` in `scopes_supported` and describes it on the consent page. Scopes that are not
    /// described can be asked for too; the page shows their names.
    pub fn scope(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.scopes.push((name.into(), description.into()));
        self
    }

    /// Offers `name` on the consent page, instead of `alice` and `bob`.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.users.push(name.into());
        self
    }

    /// Shows no page: `user` agrees to everything at once. For scripts and tests; any web page that the
    /// developer opens meanwhile could get itself a token of this server.
    pub fn auto_consent(mut self, user: impl Into<String>) -> Self {
        self.auto_consent = Some(user.into());
        self
    }

    /// How long access tokens are valid.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// What access tokens are signed with: ES256, RS256 or EdDSA.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The audience of tokens for clients that name no `resource` (RFC 8707). MCP clients must name one,
    /// so that without this setting a request that doesn't is refused with `invalid_target`.
    pub fn default_resource(mut self, resource: impl Into<String>) -> Self {
        self.default_resource = Some(resource.into());
        self
    }

    /// Issues access tokens that say nothing: resource servers have to
    /// [introspect](Self::resource_server) them.
    pub fn opaque_tokens(mut self) -> Self {
        self.opaque_tokens = true;
        self
    }

    /// Lets the resource server `id` introspect tokens (RFC 7662) with `secret`. May be given more than once.
    pub fn resource_server(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.resource_servers.push((id.into(), secret.into()));
        self
    }

    /// Starts at a free port of `127.0.0.1`.
    ///
    /// # Errors
    ///
    /// [`StartError`] when a setting is wrong or the port cannot be had.
    pub async fn start(self) -> Result<RunningAuthorizationServer, StartError> {
        self.start_on("127.0.0.1:0").await
    }

    /// Starts at `address`, for example `127.0.0.1:9000`, which must be a loopback address.
    ///
    /// # Errors
    ///
    /// [`StartError`] when a setting is wrong, the address is not a loopback one or cannot be had.
    pub async fn start_on(self, address: &str) -> Result<RunningAuthorizationServer, StartError> {
        let scopes = self
            .scopes
            .into_iter()
            .map(|(name, description)| Ok((ScopeName::new(name)?, description)))
            .collect::<Result<BTreeMap<_, _>, InvalidScope>>()?;
        if !matches!(
            self.algorithm,
            Algorithm::ES256 | Algorithm::RS256 | Algorithm::EdDSA
        ) {
            return Err(StartError::Algorithm {
                algorithm: self.algorithm,
            });
        }
        let mut users = self.users;
        if users.is_empty() {
            users.extend(["alice".to_owned(), "bob".to_owned()]);
        }
        let bind = |source| StartError::Bind {
            address: address.to_owned(),
            source,
        };
        let addresses: Vec<SocketAddr> = lookup_host(address).await.map_err(bind)?.collect();
        if !addresses.iter().all(|found| found.ip().is_loopback()) {
            return Err(StartError::NotLoopback {
                address: address.to_owned(),
            });
        }
        let listener = TcpListener::bind(&*addresses).await.map_err(bind)?;
        let url = format!("http://{}", listener.local_addr().map_err(bind)?);
        use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
        let proofs = Dpop::new()
            .algorithms([ES256, EdDSA, RS256, PS256, ES384])
            .build(&format!("{url}/token"))
            .expect("an address of this server");
        let issuer = Issuer {
            proofs,
            url,
            scopes,
            users,
            auto_consent: self.auto_consent,
            token_lifetime: self.token_lifetime,
            default_resource: self.default_resource,
            opaque_tokens: self.opaque_tokens,
            resource_servers: self.resource_servers,
            store: Mutex::new(Store::new(SigningKey::generate(self.algorithm))),
        };
        Ok(RunningAuthorizationServer::serve(issuer, listener))
    }
}

/// The secrets of resource servers are not shown.
impl std::fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("scopes", &self.scopes)
            .field("users", &self.users)
            .finish_non_exhaustive()
    }
}

impl Default for AuthorizationServer {
    fn default() -> Self {
        Self::new()
    }
}

/// Why the authorization server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can be reached from other machines, which must not reach a server without passwords.
    #[error(
        "`{address}` is not a loopback address; this authorization server is for development and listens on `127.0.0.1` or `[::1]` only"
    )]
    NotLoopback {
        /// The address that was asked for.
        address: String,
    },
    /// The address could not be had.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address that was asked for.
        address: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A described scope is not one.
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    /// There is no key generation for this algorithm.
    #[error("cannot sign with {algorithm:?}; use ES256, RS256 or EdDSA")]
    Algorithm {
        /// The algorithm that was asked for.
        algorithm: Algorithm,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_others_can_reach_is_refused() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = AuthorizationServer::new()
                .start_on(address)
                .await
                .unwrap_err();
            assert!(
                matches!(error, StartError::NotLoopback { .. }),
                "{address}: {error}"
            );
            assert!(error.to_string().contains("for development"));
        }
    }

    #[tokio::test]
    async fn wrong_settings_are_start_errors() {
        let scope = AuthorizationServer::new()
            .scope("two words", "")
            .start()
            .await;
        assert!(matches!(scope.unwrap_err(), StartError::Scope(_)));
        let algorithm = AuthorizationServer::new()
            .algorithm(Algorithm::HS256)
            .start()
            .await;
        assert!(matches!(
            algorithm.unwrap_err(),
            StartError::Algorithm { .. }
        ));
        let address = AuthorizationServer::new().start_on("nonsense").await;
        assert!(matches!(address.unwrap_err(), StartError::Bind { .. }));
    }
}
