//! Assembling a server: every check that needs no request, and everything that is written down once.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

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
        problem::{ConfigError, Problem},
        registry::{Entry, Registry, Terms, is_reserved, reserved},
        scope::ScopeName,
        spelling::nearest,
        tool::registered,
    },
    verify::{
        any_of::AnyOf, builder::VerifierConfigError, issuer::Issuers, jwt::JwtVerifier,
        token::Verifier,
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
                verifier(servers, resource, self.insecure_http, &mut problems)
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
            declared: registry.declared_scopes().into_iter().collect(),
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
        })
    }
}

pub(super) fn scope_names(
    scopes: Vec<Cow<'static, str>>,
    problems: &mut Vec<Problem>,
) -> Vec<ScopeName> {
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

/// The verifier of tokens that any of `issuers` issued for `resource`, if there is any issuer.
fn verifier<'a>(
    servers: impl ExactSizeIterator<Item = (&'a String, Option<Configure>)>,
    resource: &Resource,
    allow_http: bool,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Verifier>> {
    let count = servers.len();
    let mut verifiers = Vec::new();
    for (issuer, configure) in servers {
        let mut verifier = JwtVerifier::new(issuer, resource.identifier());
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
