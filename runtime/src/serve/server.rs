//! The builder: from declarations and a few words of configuration to a server that can be served.

use std::{borrow::Cow, env::VarError, fmt, io, sync::Arc, time::Duration};

use rmcp::{ServiceExt, service::ServerInitializeError};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    assemble::Transport, guard::Guard, identify::Revocation, stdio::Environment, tokens::TokenCache,
};
#[cfg(feature = "http")]
use super::{certificate::MutualTls, core::Core, tokens::TokenCacheStats};
#[cfg(doc)]
use crate::AnyOf;
#[cfg(feature = "http")]
use crate::verify::dpop::Dpop;
use crate::{
    declare::{
        catalogue::{ScopeDeclaration, Scopes},
        expression::ScopeExpr,
        principal::{Principal, VerifiedToken},
        problem::ConfigError,
        scope::ScopeName,
        state::StateMap,
        tool::{ListMode, Location, Tool},
    },
    verify::{
        builder::JwtVerifierBuilder,
        clock::Clock,
        revocation::Revocations,
        token::{InvalidToken, Verifier},
    },
};

/// Settings of one authorization server.
pub(super) type Configure = Box<dyn FnOnce(JwtVerifierBuilder) -> JwtVerifierBuilder + Send>;

/// A protected MCP server, before it is built.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use toolgate::Server;
///
/// Server::new("https://notes.example.com/mcp")
///     .authorization_server("https://auth.example.com")
///     .serve("127.0.0.1:3000")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server does nothing until it is served"]
pub struct Server {
    pub(super) resource: String,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) instructions: Option<String>,
    pub(super) issuers: Vec<String>,
    /// For each issuer, in their order: what is to be set before its verifier is built.
    pub(super) configure: Vec<Option<Configure>>,
    pub(super) verifier: Option<Arc<dyn Verifier>>,
    pub(super) token_cache: TokenCache,
    pub(super) revocation: Revocation,
    pub(super) accepted: Vec<Arc<dyn Verifier>>,
    pub(super) strict: bool,
    pub(super) state: StateMap,
    pub(super) require: Vec<(ScopeExpr, Location)>,
    pub(super) step_up: Vec<(ScopeExpr, Location)>,
    pub(super) catalogue: Vec<&'static ScopeDeclaration>,
    pub(super) list: ListMode,
    pub(super) clock: Clock,
    pub(super) allow_anonymous: bool,
    pub(super) tools: Vec<Tool>,
    pub(super) registered: bool,
    pub(super) hosts: Vec<String>,
    pub(super) origins: Vec<String>,
    pub(super) insecure_http: bool,
    pub(super) development_principal: Option<(String, Vec<Cow<'static, str>>)>,
    #[cfg(feature = "http")]
    pub(super) dpop: Option<Dpop>,
    #[cfg(feature = "http")]
    pub(super) mutual_tls: Option<MutualTls>,
}

impl Server {
    /// A server whose resource identifier is `resource`: its public URL, for example
    /// `https://notes.example.com/mcp`.
    ///
    /// Tokens must name it as their audience, clients derive from it where the metadata is (RFC 9728), and
    /// its path is where the MCP endpoint is served.
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            name: None,
            version: None,
            instructions: None,
            issuers: Vec::new(),
            configure: Vec::new(),
            verifier: None,
            token_cache: TokenCache::default(),
            revocation: Revocation::default(),
            accepted: Vec::new(),
            strict: false,
            state: StateMap::default(),
            require: Vec::new(),
            step_up: Vec::new(),
            catalogue: Vec::new(),
            list: ListMode::default(),
            clock: Clock::system(),
            allow_anonymous: false,
            tools: Vec::new(),
            registered: true,
            hosts: Vec::new(),
            origins: Vec::new(),
            insecure_http: false,
            development_principal: None,
            #[cfg(feature = "http")]
            dpop: None,
            #[cfg(feature = "http")]
            mutual_tls: None,
        }
    }

    /// The name that clients and consent pages show. Default: the host of the resource.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The version that clients are told. Default: `0.0.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// What a model should know about the server as a whole.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// An authorization server whose tokens are accepted, by its issuer identifier. May be given more than
    /// once.
    ///
    /// Its metadata and keys are found by discovery (RFC 8414, OpenID Connect Discovery), fetched when they
    /// are first needed, cached and refreshed.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self.configure.push(None);
        self
    }

    /// Like [`authorization_server`](Self::authorization_server), with settings of its own: algorithms, claim
    /// mapping, other names of this server in `aud`, the strict type of tokens. Other authorization servers
    /// are not touched by them.
    ///
    /// ```
    /// use toolgate::{ClaimMapping, Server, TokenType};
    ///
    /// let server = Server::new("https://notes.example.com/mcp")
    ///     .authorization_server("https://auth.example.com")
    ///     .authorization_server_with("https://keycloak.example.com/realms/staff", |tokens| {
    ///         tokens
    ///             .token_type(TokenType::Rfc9068)
    ///             .claims(ClaimMapping::new().roles_at("/realm_access/roles"))
    ///     });
    /// # let _ = server;
    /// ```
    pub fn authorization_server_with(
        mut self,
        issuer: impl Into<String>,
        settings: impl FnOnce(JwtVerifierBuilder) -> JwtVerifierBuilder + Send + 'static,
    ) -> Self {
        self.issuers.push(issuer.into());
        self.configure.push(Some(Box::new(settings)));
        self
    }

    /// Accepts also what `verifier` accepts: opaque tokens ([`Introspection`](crate::Introspection)), API keys
    /// ([`ApiKeys`](crate::ApiKeys)), tenants ([`Issuers::for_tenants`](crate::Issuers::for_tenants)). May be
    /// given more than once. Which of them a token is for, [`AnyOf`] says.
    ///
    /// The authorization servers of `verifier` are listed in the metadata. API keys have none: they stand beside
    /// an authorization server, never alone.
    ///
    /// ```
    /// use toolgate::{ApiKeys, Introspection, Secret, Server};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// const NOTES: &str = "https://notes.example.com/mcp";
    /// # let secret = Secret::new("from a secret store");
    /// let partners = Introspection::new("https://auth.partner.example", NOTES)
    ///     .client_secret_basic("notes", secret)
    ///     .build()?;
    /// let server = Server::new(NOTES)
    ///     .authorization_server("https://auth.example.com")
    ///     .accept(partners)
    ///     .accept(ApiKeys::new("urn:example:notes:api-keys", "ntk_")?);
    /// # let _ = server;
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept(mut self, verifier: impl Verifier) -> Self {
        self.accepted.push(Arc::new(verifier));
        self
    }

    /// Refuses to [`serve`](Self::serve) when [`ProtectedServer::check`] finds something: when an
    /// authorization server cannot be reached, or does not offer what clients of this server need. Without
    /// this call each finding is a warning in the log.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Verifies tokens with `verifier` instead of what [`authorization_server`](Self::authorization_server)
    /// would set up; authorization servers are then only listed in the metadata.
    pub fn verifier(mut self, verifier: impl Verifier) -> Self {
        self.verifier = Some(Arc::new(verifier));
        self
    }

    /// How many verified tokens are remembered, instead of [`TokenCache::default`].
    pub fn token_cache(mut self, cache: TokenCache) -> Self {
        self.token_cache = cache;
        self
    }

    /// Asks `revocations` with every request whether its token was revoked. Then it is refused like an expired
    /// one; without an answer within the [deadline](Self::revocation_deadline) the caller gets 503.
    pub fn revocations(mut self, revocations: impl Revocations) -> Self {
        self.revocation.list = Some(Arc::new(revocations));
        self
    }

    /// How long to wait for the answer of [`revocations`](Self::revocations): one second unless set.
    pub fn revocation_deadline(mut self, deadline: Duration) -> Self {
        self.revocation.deadline = deadline;
        self
    }

    /// Application state, one value per type, for tools that take [`State<T>`](crate::State).
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that is shared already.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.state.insert(value);
        self
    }

    /// Scopes that every request needs, whatever it asks for. They are named in each challenge.
    #[track_caller]
    pub fn require(mut self, scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>) -> Self {
        self.require
            .push((ScopeExpr::all(scopes), Location::caller()));
        self
    }

    /// Scopes to leave out of `scopes_supported`, so that clients do not ask for them at the first login:
    /// they are challenged when a tool that needs them is called. Beside those that a [`Scopes`] enum
    /// marks `step_up`.
    #[track_caller]
    pub fn step_up(mut self, scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>) -> Self {
        self.step_up
            .push((ScopeExpr::all(scopes), Location::caller()));
        self
    }

    /// Adds the scopes of `S` to the catalogue, beside those that were linked: for servers
    /// [without](Self::without_registered_tools) what was registered. Naming a variant anywhere does the
    /// same.
    pub fn scopes<S: Scopes>(mut self) -> Self {
        self.catalogue.extend(S::DECLARED);
        self
    }

    /// What callers see of tools that they may not call, unless a tool says otherwise. Default:
    /// [`ListMode::Show`].
    pub fn list(mut self, mode: ListMode) -> Self {
        self.list = mode;
        self
    }

    /// The clock by which the age of a login is told, here and in the verifiers that this server sets up.
    /// For tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Lets callers without a token use tools that are `public`, and see the list of tools. Everything else
    /// is challenged as before; a bad token is never taken for none.
    pub fn allow_anonymous(mut self) -> Self {
        self.allow_anonymous = true;
        self
    }

    /// Adds a tool that is not registered with `#[mcp_tool]`.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Leaves out the tools that `#[mcp_tool]` registered: only those given with [`tool`](Self::tool) are
    /// served. With them go the scopes that `#[derive(Scopes)]` registered: see [`scopes`](Self::scopes).
    pub fn without_registered_tools(mut self) -> Self {
        self.registered = false;
        self
    }

    /// A host name, without port, under which this server is reached beside that of the resource and the
    /// loopback names: the name that a reverse proxy puts into `Host`.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// An origin whose pages may call this server from a browser, for example
    /// `https://app.example.com`. By default only the server's own origin may.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Accepts tokens that are bound to a DPoP key ([RFC 9449]), each request with a proof, as `dpop` says.
    /// Without this call such tokens are refused.
    ///
    /// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Accepts tokens that are bound to a TLS client certificate ([RFC 8705 §3]), from connections that
    /// present it. Without this call such tokens are refused.
    ///
    /// [RFC 8705 §3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn mutual_tls(mut self, mutual_tls: MutualTls) -> Self {
        self.mutual_tls = Some(mutual_tls);
        self
    }

    /// Do not use this where tokens matter: it lets the resource and the authorization servers be plain
    /// `http` beyond loopback, where everybody on the way reads the tokens.
    pub fn insecure_allow_http(mut self) -> Self {
        self.insecure_http = true;
        self
    }

    /// Do not use this in what you ship: on stdio, and only there, calls are made by `subject` with
    /// `scopes`, without any token. For trying a server out. A token in the environment takes precedence.
    pub fn insecure_development_principal(
        mut self,
        subject: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.development_principal = Some((subject.into(), scopes));
        self
    }

    /// Checks everything that can be checked before the first request.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem there is, each naming the place in the source where it has one.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn build(self) -> Result<ProtectedServer, ConfigError> {
        Ok(ProtectedServer {
            core: Arc::new(self.assemble(Transport::Http)?),
        })
    }

    /// Builds the server and serves HTTP at `address` until the process is told to stop (Ctrl-C or
    /// `SIGTERM`).
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the server cannot be built, the address cannot be bound or the listener fails.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub async fn serve(self, address: impl tokio::net::ToSocketAddrs) -> Result<(), ServeError> {
        let strict = self.strict;
        let server = self.build()?;
        if strict {
            let findings = server.check().await;
            if !findings.is_empty() {
                return Err(ServeError::Check(findings));
            }
        }
        Ok(server.serve(address).await?)
    }

    /// Builds the server and serves one client on standard input and output, until it closes them.
    ///
    /// The caller is the principal of the access token in the environment variable `TOOLGATE_TOKEN`, which
    /// is checked like any other token. A token that is bound to a key or certificate is refused: nothing here
    /// could prove it. Without a token there is no caller: public tools can be used if the server
    /// [allows that](Self::allow_anonymous), and no others. Nothing but MCP messages is written to standard
    /// output: let logs go to standard error.
    ///
    /// The variable stays in the environment, because taking it out is `unsafe` while there are threads:
    /// processes that tools start inherit the token unless they are started without it, with
    /// [`env_remove`](std::process::Command::env_remove)`(`[`TOKEN_VARIABLE`](crate::TOKEN_VARIABLE)`)`.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the server cannot be built, the token is refused or the streams fail.
    pub async fn stdio(self) -> Result<(), ServeError> {
        let (input, output) = rmcp::transport::stdio();
        self.stdio_on(input, output).await
    }

    /// Like [`stdio`](Self::stdio), on other streams than those of the process: a Unix socket that only one
    /// user may open, for example.
    ///
    /// # Errors
    ///
    /// Like [`stdio`](Self::stdio).
    pub async fn stdio_on(
        mut self,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(), ServeError> {
        let development = self
            .development_principal
            .take()
            .map(development_token)
            .transpose()?;
        let core = self.assemble(Transport::Stdio)?;
        let principal = match std::env::var(super::stdio::TOKEN_VARIABLE) {
            Ok(token) => {
                let verifier = core.verifier.as_ref().ok_or(ServeError::NoVerifier)?;
                let principal = core.identify(&**verifier, &token).await;
                let principal = principal.map_err(ServeError::Token)?;
                // There is no request that could carry a proof.
                match principal.token().binding().map_err(InvalidToken::from) {
                    Ok(None) => Some(principal),
                    Ok(Some(_)) => return Err(ServeError::Token(InvalidToken::Unproven.into())),
                    Err(invalid) => return Err(ServeError::Token(invalid.into())),
                }
            }
            // What is set is a token, whatever it is: a bad one is never taken for none.
            Err(VarError::NotUnicode(_)) => {
                return Err(ServeError::Token(InvalidToken::Malformed.into()));
            }
            Err(VarError::NotPresent) => development.map(|token| {
                tracing::warn!(target: "toolgate", "serving a development principal without any token");
                Principal::new(token, core.registry.scopes())
            }),
        };
        tracing::info!(
            target: "toolgate",
            resource = core.resource.identifier(),
            tools = core.registry.entries().len(),
            issuer = principal.as_ref().map(Principal::issuer),
            subject = principal.as_ref().map(Principal::subject),
            "serving on standard input and output"
        );
        let environment = Some(Arc::new(Environment::new(principal)));
        let guard = Guard {
            core: Arc::new(core),
            environment,
        };
        let running = match guard.serve((input, output)).await {
            Ok(running) => running,
            // Clients look whether a server starts, and go.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(io::Error::other(error).into()),
        };
        running.waiting().await.map_err(io::Error::other)?;
        Ok(())
    }
}

/// What stands for a token where there is none.
fn development_token(
    (subject, scopes): (String, Vec<Cow<'static, str>>),
) -> Result<VerifiedToken, ConfigError> {
    let mut names = Vec::new();
    let mut problems = Vec::new();
    for scope in scopes {
        match ScopeName::new(scope) {
            Ok(name) => names.push(name),
            Err(error) => problems.push(crate::InvalidExpression::from(error).into()),
        }
    }
    ConfigError::unless_empty(problems)?;
    Ok(VerifiedToken::new("urn:toolgate:development", subject).scopes(names))
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("resource", &self.resource)
            .field("authorization_servers", &self.issuers)
            .finish_non_exhaustive()
    }
}

/// A server that was built: every declaration is checked and everything it says is written down.
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
#[derive(Debug, Clone)]
pub struct ProtectedServer {
    pub(crate) core: Arc<Core>,
}

#[cfg(feature = "http")]
impl ProtectedServer {
    /// The resource identifier, in its canonical form.
    #[must_use]
    pub fn resource(&self) -> String {
        self.core.resource.identifier()
    }

    /// Where clients find the Protected Resource Metadata document.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        self.core.resource.metadata_url()
    }

    /// What has happened in the cache of verified tokens.
    #[must_use]
    pub fn token_cache_stats(&self) -> TokenCacheStats {
        self.core.tokens.stats()
    }

    /// The path of the MCP endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.core.resource.endpoint()
    }
}

/// Why a server stopped, or never started.
///
/// Its `Debug` output is its message: that is what a `main` prints which returns it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The server cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The token in the environment was refused.
    #[error("the access token in TOOLGATE_TOKEN: {0}")]
    Token(#[source] crate::VerifyError),
    /// The authorization servers do not offer what this server needs, and it was told to be
    /// [strict](Server::strict).
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    #[error("{}", listed(.0))]
    Check(Vec<super::check::Warning>),
    /// There is a token in the environment, but nothing to check it with.
    #[error("TOOLGATE_TOKEN is set, but the server has no authorization server to check it with")]
    NoVerifier,
    /// A socket or stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[cfg(feature = "http")]
fn listed(findings: &[super::check::Warning]) -> String {
    let mut text = String::from("the authorization servers do not fit this server");
    for finding in findings {
        text.push_str("\n- ");
        text.push_str(&finding.to_string());
    }
    text
}

impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
