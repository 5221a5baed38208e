//! The builder: from declarations and a few words of configuration to a server that can be served.

use std::{borrow::Cow, collections::BTreeSet, env::VarError, fmt, io, sync::Arc};

use rmcp::{
    ServiceExt,
    model::{
        CacheScope, Implementation, ListToolsResult, ServerCapabilities, ServerConfig,
        Tool as McpTool,
    },
    service::ServerInitializeError,
};

use super::{core::Core, guard::Guard, resource::Resource, stdio::Environment};
use crate::{
    declare::{
        principal::{Principal, VerifiedToken},
        problem::{ConfigError, Problem},
        registry::{Registry, Terms, is_reserved, reserved},
        scope::ScopeName,
        state::StateMap,
        tool::{Tool, registered},
    },
    verify::{
        issuer::Issuers,
        jwt::JwtVerifier,
        token::{InvalidToken, Verifier},
    },
};

/// How long clients may rely on a tool list, in milliseconds. It changes only when a new version is
/// deployed.
const LIST_TTL_MS: u64 = 60_000;

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
    resource: String,
    name: Option<String>,
    version: Option<String>,
    instructions: Option<String>,
    issuers: Vec<String>,
    verifier: Option<Arc<dyn Verifier>>,
    state: StateMap,
    require: Vec<Cow<'static, str>>,
    step_up: Vec<Cow<'static, str>>,
    allow_anonymous: bool,
    tools: Vec<Tool>,
    registered: bool,
    hosts: Vec<String>,
    origins: Vec<String>,
    insecure_http: bool,
    development_principal: Option<VerifiedToken>,
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
            verifier: None,
            state: StateMap::default(),
            require: Vec::new(),
            step_up: Vec::new(),
            allow_anonymous: false,
            tools: Vec::new(),
            registered: true,
            hosts: Vec::new(),
            origins: Vec::new(),
            insecure_http: false,
            development_principal: None,
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
        self
    }

    /// Verifies tokens with `verifier` instead of what [`authorization_server`](Self::authorization_server)
    /// would set up; authorization servers are then only listed in the metadata.
    pub fn verifier(mut self, verifier: impl Verifier) -> Self {
        self.verifier = Some(Arc::new(verifier));
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
    pub fn require(
        mut self,
        scopes: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.require.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Scopes to leave out of `scopes_supported`, so that clients do not ask for them at the first login:
    /// they are challenged when a tool that needs them is called.
    pub fn step_up(
        mut self,
        scopes: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.step_up.extend(scopes.into_iter().map(Into::into));
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
    /// served.
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
    /// `https://app.example.com`. By default there is none.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
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
        scopes: impl IntoIterator<Item = ScopeName>,
    ) -> Self {
        self.development_principal =
            Some(VerifiedToken::new("urn:toolgate:development", subject).scopes(scopes));
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
        Ok(self.build()?.serve(address).await?)
    }

    /// Builds the server and serves one client on standard input and output, until it closes them.
    ///
    /// The caller is the principal of the access token in the environment variable `TOOLGATE_TOKEN`, which
    /// is checked like any other token. Without it there is no caller: public tools can be used if the server
    /// [allows that](Self::allow_anonymous), and no others. Nothing but MCP messages is written to standard
    /// output: let logs go to standard error.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the server cannot be built, the token is refused or the streams fail.
    pub async fn stdio(self) -> Result<(), ServeError> {
        let development = self.development_principal.clone();
        let core = self.assemble(Transport::Stdio)?;
        let token = match std::env::var(super::stdio::TOKEN_VARIABLE) {
            Ok(token) => {
                let verifier = core.verifier.as_ref().ok_or(ServeError::NoVerifier)?;
                Some(verifier.verify(&token).await.map_err(ServeError::Token)?)
            }
            // What is set is a token, whatever it is: a bad one is never taken for none.
            Err(VarError::NotUnicode(_)) => {
                return Err(ServeError::Token(InvalidToken::Malformed.into()));
            }
            Err(VarError::NotPresent) => development.inspect(|_| {
                tracing::warn!(target: "toolgate", "serving a development principal without any token");
            }),
        };
        let principal = token.map(|token| Principal::new(token, core.registry.scopes()));
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
        let running = match guard.serve(rmcp::transport::stdio()).await {
            Ok(running) => running,
            // Clients look whether a server starts, and go.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(io::Error::other(error).into()),
        };
        running.waiting().await.map_err(io::Error::other)?;
        Ok(())
    }

    fn assemble(self, transport: Transport) -> Result<Core, ConfigError> {
        let mut problems = Vec::new();
        let resource = Resource::parse(&self.resource, self.insecure_http).map_err(|reason| {
            problems.push(Problem::InvalidResource {
                resource: self.resource.clone(),
                reason,
            });
        });
        let base = scope_names(self.require, &mut problems);
        problems.extend(base.iter().filter(|scope| is_reserved(scope)).map(reserved));
        let step_up = scope_names(self.step_up, &mut problems);
        if self.allow_anonymous && !base.is_empty() {
            problems.push(Problem::AnonymousWithRequiredScopes);
        }

        let mut tools = self.tools;
        if self.registered {
            tools.extend(registered());
        }
        let terms = Terms {
            base,
            allow_anonymous: self.allow_anonymous,
        };
        let registry =
            Registry::build(tools, &terms, &self.state).map_err(|found| problems.extend(found));

        let advertised = match &registry {
            Ok(registry) => advertised(registry, &terms.base, &step_up, &mut problems),
            Err(()) => Vec::new(),
        };
        let protected = match &registry {
            Ok(registry) => registry
                .entries()
                .iter()
                .any(|entry| !entry.policy().allows_anonymous()),
            Err(()) => false,
        };
        if protected && self.issuers.is_empty() && transport == Transport::Http {
            problems.push(Problem::NoAuthorizationServer);
        }
        let verifier = match (&resource, self.verifier) {
            (_, Some(verifier)) => Some(verifier),
            (Ok(resource), None) => {
                verifier(&self.issuers, resource, self.insecure_http, &mut problems)
            }
            (Err(()), None) => None,
        };
        #[cfg(feature = "http")]
        let hosts = match &resource {
            Ok(resource) => {
                super::hosts::Hosts::new(resource, &self.hosts, &self.origins, &mut problems)
            }
            Err(()) => super::hosts::Hosts::default(),
        };
        #[cfg(not(feature = "http"))]
        let _ = (&advertised, &self.hosts, &self.origins);
        ConfigError::unless_empty(problems)?;
        let (Ok(resource), Ok(registry)) = (resource, registry) else {
            unreachable!("each of them left a problem")
        };

        let name = self.name.unwrap_or_else(|| resource.host().to_owned());
        let server_info =
            Implementation::new(&name, self.version.unwrap_or_else(|| "0.0.0".into()));
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let mut info = ServerConfig::new(capabilities).with_server_info(server_info);
        info.instructions = self.instructions;
        Ok(Core {
            #[cfg(feature = "http")]
            challenges: super::challenge::Challenges::new(&resource, &registry, &advertised),
            #[cfg(feature = "http")]
            metadata: (!self.issuers.is_empty()).then(|| {
                super::metadata::document(&resource, Some(&name), &self.issuers, &advertised)
            }),
            #[cfg(feature = "http")]
            hosts,
            list: list(&registry, protected),
            info,
            resource,
            registry,
            state: Arc::new(self.state),
            verifier,
            allow_anonymous: self.allow_anonymous,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("resource", &self.resource)
            .field("authorization_servers", &self.issuers)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "stdio is all there is then")
    )]
    Http,
    Stdio,
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
    /// There is a token in the environment, but nothing to check it with.
    #[error("TOOLGATE_TOKEN is set, but the server has no authorization server to check it with")]
    NoVerifier,
    /// A socket or stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn scope_names(scopes: Vec<Cow<'static, str>>, problems: &mut Vec<Problem>) -> Vec<ScopeName> {
    let mut names = Vec::new();
    for scope in scopes {
        match ScopeName::new(scope) {
            Ok(name) if !names.contains(&name) => names.push(name),
            Ok(_) => {}
            Err(error) => problems.push(error.into()),
        }
    }
    names
}

/// `scopes_supported`: what the declarations mention, without what is left to step-up.
fn advertised(
    registry: &Registry,
    base: &[ScopeName],
    step_up: &[ScopeName],
    problems: &mut Vec<Problem>,
) -> Vec<ScopeName> {
    let declared = registry.declared_scopes();
    for scope in step_up {
        if base.contains(scope) {
            problems.push(Problem::StepUpScopeRequired(scope.to_string()));
        } else if !declared.contains(scope) {
            let nearest = nearest(scope.as_str(), declared.iter().map(ScopeName::as_str));
            problems.push(Problem::UnknownStepUpScope {
                scope: scope.to_string(),
                nearest,
            });
        }
    }
    let step_up: BTreeSet<_> = step_up.iter().collect();
    declared
        .into_iter()
        .filter(|scope| !step_up.contains(scope))
        .collect()
}

/// The candidate that differs least from `text`, if it differs little.
fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let scored = candidates.map(|candidate| (distance(text, candidate), candidate));
    let (score, candidate) = scored.min()?;
    (score <= text.len() / 3 + 1).then(|| candidate.to_owned())
}

/// The Levenshtein distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The verifier of tokens that any of `issuers` issued for `resource`, if there is any issuer.
fn verifier(
    issuers: &[String],
    resource: &Resource,
    allow_http: bool,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Verifier>> {
    let mut verifiers = Vec::new();
    for issuer in issuers {
        let mut verifier = JwtVerifier::new(issuer, resource.identifier());
        if resource.endpoint() == "/" {
            // Clients that build URLs with a library name a bare host with a slash (RFC 3986 §6.2.3).
            verifier = verifier.audience_alias(format!("{}/", resource.identifier()));
        }
        if allow_http {
            verifier = verifier.insecure_allow_http_issuer();
        }
        match verifier.build() {
            Ok(verifier) => verifiers.push(verifier),
            Err(error) => problems.push(Problem::InvalidAuthorizationServer {
                issuer: issuer.clone(),
                reason: error.to_string(),
            }),
        }
    }
    if verifiers.len() < issuers.len() || issuers.is_empty() {
        return None;
    }
    match Issuers::new(verifiers) {
        Ok(issuers) => Some(Arc::new(issuers)),
        Err(error) => {
            let issuer = issuers.join(", ");
            problems.push(Problem::InvalidAuthorizationServer {
                issuer,
                reason: error.to_string(),
            });
            None
        }
    }
}

/// What `tools/list` answers: the same for everybody who may ask.
fn list(registry: &Registry, protected: bool) -> ListToolsResult {
    let tools = registry.entries().iter().map(|entry| {
        let mut tool = McpTool::new(
            entry.name.clone(),
            entry.description.clone(),
            entry.input.clone(),
        );
        tool.title = entry.title.clone();
        tool.output_schema = entry.output.clone();
        tool
    });
    let mut list = ListToolsResult::with_all_items(tools.collect());
    list.ttl_ms = Some(LIST_TTL_MS);
    list.cache_scope = Some(if protected {
        CacheScope::Private
    } else {
        CacheScope::Public
    });
    list
}
