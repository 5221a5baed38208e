//! The one place where a tool is run: decide, then dispatch the very value that was decided on.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest,
        CustomResult, DiscoverResult, ErrorCode, InitializeRequestParams, InitializeResult,
        ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerConfig, Tool,
    },
    service::RequestContext,
};

use super::{core::Core, stdio::Environment};
use crate::declare::{
    call::Call,
    policy::{Decision, decide},
    principal::Principal,
    registry::Admission,
    reply::{Body, RejectionKind, Reply},
};

/// The protocol revisions that are served.
const VERSIONS: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// Methods that are served. One of them in a custom request is one whose parameters rmcp could not read,
/// which must not pass for an unknown method.
const METHODS: [&str; 3] = ["server/discover", "tools/call", "tools/list"];

/// The same, of revisions before 2026-07-28.
const LEGACY_METHODS: [&str; 2] = ["initialize", "ping"];

/// An rmcp [`ServerHandler`] that runs a tool only for callers who may call it.
///
/// Over HTTP it serves requests that came through its own server's [`GuardLayer`](crate::GuardLayer) and
/// refuses all others, so it cannot be mounted unprotected by accident.
#[derive(Debug, Clone)]
pub struct Guard {
    pub(crate) core: Arc<Core>,
    /// Who is calling on stdio. `None` over HTTP, where each request says it itself.
    pub(crate) environment: Option<Arc<Environment>>,
}

/// Where a request came from, and with that who is calling and how to refuse.
enum Source<'c> {
    #[cfg(feature = "http")]
    Http(&'c super::ticket::Ticket),
    Environment(&'c Environment),
}

impl Guard {
    /// Where the request came from.
    ///
    /// # Errors
    ///
    /// An internal error when it came past the layer: nothing is known about the caller then.
    fn source<'c>(
        &'c self,
        context: &'c RequestContext<RoleServer>,
    ) -> Result<Source<'c>, ErrorData> {
        if let Some(environment) = &self.environment {
            return Ok(Source::Environment(environment));
        }
        #[cfg(feature = "http")]
        if let Some(ticket) = context
            .extensions
            .get::<http::request::Parts>()
            .and_then(|parts| parts.extensions.get::<super::ticket::Ticket>())
            .filter(|ticket| ticket.is_from(&self.core))
        {
            return Ok(Source::Http(ticket));
        }
        let _ = context;
        tracing::error!(
            target: "toolgate",
            "a request reached the guard past its own layer and was refused: mount `service()`, or put `layer()` in front"
        );
        Err(ErrorData::internal_error("internal error", None))
    }

    /// Lets a request through that asks for nothing in particular, if its caller holds what every request
    /// needs.
    fn admit_base(&self, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let source = self.source(context)?;
        // Callers without a token are the layer's business here: it lets them in, or it doesn't.
        let principal = source.principal()?;
        match decide(self.core.registry.base(), principal) {
            Decision::InsufficientScope => {
                Err(self.refuse(&source, None, Decision::InsufficientScope, context))
            }
            Decision::Allow | Decision::Unauthenticated => {
                source.allow();
                Ok(())
            }
        }
    }

    /// Tells the transport about a decision against a request. Over HTTP the layer makes the answer; the
    /// error returned here is what is left of it on stdio.
    fn refuse(
        &self,
        source: &Source<'_>,
        tool: Option<usize>,
        decision: Decision,
        context: &RequestContext<RoleServer>,
    ) -> ErrorData {
        match source {
            #[cfg(feature = "http")]
            Source::Http(ticket) => {
                use super::ticket::{Denial, Verdict};
                ticket.decide(Verdict::Denied(Denial {
                    tool,
                    decision,
                    request: context.id.clone(),
                }));
                ErrorData::new(ErrorCode(403), "refused", None)
            }
            Source::Environment(environment) => {
                let _ = (decision, context);
                let policy = tool
                    .and_then(|at| self.core.registry.entries().get(at))
                    .map_or_else(|| self.core.registry.base(), |entry| entry.policy());
                environment.denial(policy)
            }
        }
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let source = self.source(&context)?;
        let principal = source.principal()?;
        let permit = match self.core.registry.admit(&request.name, principal) {
            Admission::Permitted(permit) => permit,
            Admission::Denied(tool, decision) => {
                return Err(self.refuse(&source, Some(tool), decision, &context));
            }
            Admission::Unknown => {
                return Err(ErrorData::invalid_params("unknown tool", None));
            }
        };
        let principal = principal.cloned();
        source.allow();
        let tool = permit.name();
        let cancelled = context.ct.clone();
        let call = Call {
            principal,
            arguments: request.arguments.unwrap_or_default(),
            state: self.core.state.clone(),
            context,
        };
        // What makes the future may panic as well: a handler is cloned for each call.
        let call = async move { permit.run(call).await };
        let reply = tokio::select! {
            biased;
            reply = AssertUnwindSafe(call).catch_unwind() => reply,
            // Nobody waits for the answer any more. rmcp says so, but lets the call go on.
            () = cancelled.cancelled() => {
                return Err(ErrorData::internal_error("cancelled", None));
            }
        };
        match reply {
            Ok(reply) => result(tool, reply),
            Err(_) => {
                tracing::error!(target: "toolgate", tool, "the tool panicked");
                Err(ErrorData::internal_error("internal error", None))
            }
        }
    }
}

impl<'c> Source<'c> {
    fn principal(&self) -> Result<Option<&'c Principal>, ErrorData> {
        match self {
            #[cfg(feature = "http")]
            Source::Http(ticket) => Ok(ticket.principal()),
            Source::Environment(environment) => environment.principal(),
        }
    }

    fn allow(&self) {
        match self {
            #[cfg(feature = "http")]
            Source::Http(ticket) => ticket.decide(super::ticket::Verdict::Allowed),
            Source::Environment(_) => {}
        }
    }
}

/// What a tool answered, in the terms of the protocol.
fn result(tool: &str, reply: Reply) -> Result<CallToolResult, ErrorData> {
    match reply {
        Ok(body) => Ok(match body.0 {
            Body::Empty => CallToolResult::success(Vec::new()),
            Body::Text(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Body::Structured(value) => CallToolResult::structured(value),
            Body::Error(text) => CallToolResult::error(vec![ContentBlock::text(text)]),
            Body::Native(result) => result,
        }),
        Err(rejection) => match rejection.kind {
            RejectionKind::InvalidArguments => Ok(CallToolResult::error(vec![ContentBlock::text(
                rejection.to_string(),
            )])),
            RejectionKind::Internal => {
                tracing::error!(target: "toolgate", tool, error = %rejection, "the tool could not answer");
                Err(ErrorData::internal_error("internal error", None))
            }
        },
    }
}

impl ServerHandler for Guard {
    fn get_info(&self) -> ServerConfig {
        self.core.info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.admit_base(&context)?;
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        self.admit_base(&context)?;
        Ok(DiscoverResult::from_server_info(
            VERSIONS.to_vec(),
            self.get_info(),
        ))
    }

    async fn ping(&self, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.admit_base(&context)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.admit_base(&context)?;
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("unknown cursor", None));
        }
        Ok(self.core.list.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, context).await.map(Into::into)
    }

    /// Only for rmcp, which asks with every call whether the schema names `Mcp-Param-*` headers to compare.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        if !self.core.header_params {
            return None;
        }
        let at = self.core.registry.position(name)?;
        self.core.list.tools.get(at).cloned()
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.admit_base(&context)?;
        let method = request.method.as_str();
        let legacy = || {
            context
                .protocol_version()
                .is_none_or(|version| version.has_initialize())
        };
        if METHODS.contains(&method) || (LEGACY_METHODS.contains(&method) && legacy()) {
            Err(ErrorData::invalid_params("malformed parameters", None))
        } else {
            Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                "method not found",
                None,
            ))
        }
    }
}
