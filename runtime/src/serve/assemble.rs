//! Assembling a server: every check that needs no request, and everything that is written down once.

use std::sync::Arc;

use rmcp::model::{
    CacheScope, Implementation, ListToolsResult, ServerCapabilities, ServerConfig, Tool as McpTool,
};

use super::{
    core::Core,
    resource::Resource,
    server::{Configure, Server},
    tokens::Tokens,
};
use crate::{
    declare::{
        catalogue::{Catalogue, registered_scopes},
        expression::{Needed, ScopeExpr},
        problem::{ConfigError, Place, Problem},
        registry::{Entry, Registry, Terms, is_reserved, reserved},
        scope::ScopeName,
        spelling::nearest,
        tool::{Location, Tool, registered},
    },
    verify::{
        any_of::AnyOf, builder::VerifierConfigError, clock::Clock, issuer::Issuers,
        jwt::JwtVerifier, token::Verifier,
    },
};

/// How long clients may rely on a tool list, in milliseconds. It changes only when a new version is
/// deployed.
const LIST_TTL_MS: u64 = 60_000;

/// What a server is assembled for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "stdio is all there is then")
    )]
    Http,
    Stdio,
}

impl Server {
    /// The core of the server.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem there is.
    pub(super) fn assemble(self, transport: Transport) -> Result<Core, ConfigError> {
        let mut problems = Vec::new();
        let resource = Resource::parse(&self.resource, self.insecure_http).map_err(|reason| {
            problems.push(Problem::InvalidResource {
                resource: self.resource.clone(),
                reason,
            });
        });
        let mut tools = self.tools;
        let mut catalogue = self.catalogue;
        if self.registered {
            tools.extend(registered());
            catalogue.extend(registered_scopes());
        }
        let mentioned = self.require.iter().chain(&self.step_up);
        catalogue.extend(mentioned.flat_map(|(scopes, _)| scopes.catalogues()));
        catalogue.extend(tools.iter().flat_map(Tool::catalogues));
        let catalogue = Catalogue::combine(catalogue, &mut problems);

        let base = needed("require", self.require, &catalogue, &mut problems);
        let reserved_names = base.names().into_iter().filter(is_reserved);
        problems.extend(reserved_names.map(|scope| reserved(&scope)));
        let step_up = needed("step_up", self.step_up, &catalogue, &mut problems);
        if self.allow_anonymous && !base.names().is_empty() {
            problems.push(Problem::AnonymousWithRequiredScopes);
        }
        let terms = Terms {
            base,
            allow_anonymous: self.allow_anonymous,
            catalogue,
            step_up: step_up.names().into_iter().collect(),
            list: self.list,
        };
        let registry =
            Registry::build(tools, terms, &self.state).map_err(|found| problems.extend(found));

        let advertised = match &registry {
            Ok(registry) => advertised(registry, &mut problems),
            Err(()) => Vec::new(),
        };
        let protected = match &registry {
            Ok(registry) => registry
                .entries()
                .iter()
                .any(|entry| !entry.policy().allows_anonymous()),
            Err(()) => false,
        };
        let mut issuers = self.issuers.clone();
        for issuer in self
            .verifier
            .iter()
            .chain(&self.accepted)
            .flat_map(|v| v.issuers())
        {
            if !issuers.contains(&issuer) {
                issuers.push(issuer);
            }
        }
        if protected && issuers.is_empty() && transport == Transport::Http {
            problems.push(Problem::NoAuthorizationServer);
        }
        let verifier = match (&resource, self.verifier) {
            (_, Some(verifier)) => Some(verifier),
            (Ok(resource), None) => {
                let servers = self.issuers.iter().zip(self.configure);
                let clock = &self.clock;
                verifier(servers, resource, self.insecure_http, clock, &mut problems)
            }
            (Err(()), None) => None,
        };
        let mut all: Vec<_> = verifier.into_iter().chain(self.accepted).collect();
        let verifier: Option<Arc<dyn Verifier>> = if all.len() > 1 {
            Some(Arc::new(AnyOf::of(all)))
        } else {
            all.pop()
        };
        #[cfg(feature = "http")]
        let hosts = match &resource {
            Ok(resource) => {
                super::hosts::Hosts::new(resource, &self.hosts, &self.origins, &mut problems)
            }
            Err(()) => super::hosts::Hosts::default(),
        };
        #[cfg(feature = "http")]
        let possession = match &resource {
            Ok(resource) => super::possession::Possession::new(
                self.dpop,
                self.mutual_tls,
                &resource.identifier(),
            )
            .map_err(|reason| problems.push(Problem::InvalidProofOfPossession(reason)))
            .unwrap_or_default(),
            Err(()) => super::possession::Possession::default(),
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
            challenges: super::challenge::Challenges::new(
                &resource,
                &registry,
                &advertised,
                &possession.schemes(),
            ),
            #[cfg(feature = "http")]
            declared: registry.mentioned_scopes().cloned().collect(),
            #[cfg(feature = "http")]
            metadata: (!issuers.is_empty()).then(|| {
                super::metadata::document(
                    &resource,
                    Some(&name),
                    &issuers,
                    &advertised,
                    &possession,
                )
            }),
            #[cfg(feature = "http")]
            possession,
            #[cfg(feature = "http")]
            hosts,
            list: list(&registry, protected),
            header_params: registry.entries().iter().any(has_header_params),
            info,
            resource,
            registry,
            state: Arc::new(self.state),
            verifier,
            tokens: Tokens::new(self.token_cache),
            revocation: self.revocation,
            allow_anonymous: self.allow_anonymous,
            clock: self.clock,
        })
    }
}

/// What the calls of `.method(..)` name, all of it.
fn needed(
    method: &'static str,
    given: Vec<(ScopeExpr, Location)>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Needed {
    let mut all = Vec::new();
    for (scopes, location) in given {
        let place = Place::Server { method, location };
        match scopes.check() {
            Ok(scopes) => {
                for scope in scopes.names() {
                    catalogue.check(&scope, &place, problems);
                }
                all.push(scopes);
            }
            Err(error) => problems.push(error.into()),
        }
    }
    Needed::All(all)
}

/// `scopes_supported`: what something needs, without what is left to step-up.
fn advertised(registry: &Registry, problems: &mut Vec<Problem>) -> Vec<ScopeName> {
    let terms = registry.terms();
    for scope in terms.base.names() {
        if !terms.advertises(&scope) {
            problems.push(Problem::StepUpScopeRequired(scope.to_string()));
        }
    }
    let mentioned: Vec<_> = registry.mentioned_scopes().collect();
    let unneeded = |scope: &&ScopeName| !mentioned.contains(scope);
    // What is in no catalogue is reported as that.
    let known = |scope: &&ScopeName| !terms.catalogue.lacks(scope);
    for scope in terms.step_up.iter().filter(known).filter(unneeded) {
        let nearest = nearest(scope.as_str(), mentioned.iter().map(|scope| scope.as_str()));
        problems.push(Problem::UnknownStepUpScope {
            scope: scope.to_string(),
            nearest,
        });
    }
    let advertised = mentioned
        .into_iter()
        .filter(|scope| terms.advertises(scope));
    advertised.cloned().collect()
}

/// The verifier of tokens that any of `issuers` issued for `resource`, if there is any issuer.
fn verifier<'a>(
    servers: impl ExactSizeIterator<Item = (&'a String, Option<Configure>)>,
    resource: &Resource,
    allow_http: bool,
    clock: &Clock,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Verifier>> {
    let count = servers.len();
    let mut verifiers = Vec::new();
    for (issuer, configure) in servers {
        let mut verifier = JwtVerifier::new(issuer, resource.identifier()).clock(clock.clone());
        if resource.endpoint() == "/" {
            // Clients that build URLs with a library name a bare host with a slash (RFC 3986 §6.2.3).
            verifier = verifier.audience_alias(format!("{}/", resource.identifier()));
        }
        if allow_http {
            verifier = verifier.insecure_allow_http_issuer();
        }
        if let Some(configure) = configure {
            verifier = configure(verifier);
        }
        match verifier.build() {
            Ok(verifier) => verifiers.push(verifier),
            Err(error) => problems.push(Problem::InvalidAuthorizationServer {
                issuer: issuer.clone(),
                reason: error.to_string(),
            }),
        }
    }
    if verifiers.len() < count || count == 0 {
        return None;
    }
    match Issuers::new(verifiers) {
        Ok(issuers) => Some(Arc::new(issuers)),
        Err(error) => {
            let issuer = match &error {
                VerifierConfigError::DuplicateIssuer { issuer } => issuer.clone(),
                _ => String::new(),
            };
            problems.push(Problem::InvalidAuthorizationServer {
                issuer,
                reason: error.to_string(),
            });
            None
        }
    }
}

/// Whether `x-mcp-header` occurs anywhere in the schema: if it doesn't, no header can contradict an argument.
fn has_header_params(entry: &Entry) -> bool {
    let schema = serde_json::to_string(&*entry.input).unwrap_or_default();
    schema.contains("\"x-mcp-header\"")
}

/// What `tools/list` answers where every tool is listed. What depends on the caller is `private`, as is
/// every list with a tool in it that is not for everybody: only such a tool can be left out.
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
