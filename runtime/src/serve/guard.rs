//! The one place where a tool is run: decide, then dispatch the very value that was decided on.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
#[cfg(doc)]
use rmcp::ServerHandler;
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResult, ContentBlock, RequestId},
    service::RequestContext,
};

use super::{core::Core, stdio::Environment};
use crate::declare::{
    call::Call,
    policy::{Decision, decide},
    principal::Principal,
    registry::{Admission, Entry},
    reply::{Body, Rejection, RejectionKind, ReplyBody},
    scope::ScopeName,
};

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
#[derive(Clone)]
pub(super) enum Source {
    #[cfg(feature = "http")]
    Http(super::ticket::Ticket),
    Environment(Arc<Environment>),
}

impl Guard {
    /// Where the request came from.
    ///
    /// # Errors
    ///
    /// An internal error when it came past the layer: nothing is known about the caller then.
    pub(super) fn source(&self, context: &RequestContext<RoleServer>) -> Result<Source, ErrorData> {
        if let Some(environment) = &self.environment {
            return Ok(Source::Environment(environment.clone()));
        }
        #[cfg(feature = "http")]
        if let Some(ticket) = context
            .extensions
            .get::<http::request::Parts>()
            .and_then(|parts| parts.extensions.get::<super::ticket::Ticket>())
            .filter(|ticket| ticket.is_from(&self.core))
        {
            return Ok(Source::Http(ticket.clone()));
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
    pub(super) fn admit_base(&self, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let source = self.source(context)?;
        // Callers without a token are the layer's business here: it lets them in, or it doesn't.
        let principal = source.principal()?;
        match decide(self.core.registry.base(), principal, self.now()) {
            Decision::Allow | Decision::Unauthenticated => {
                source.allow();
                Ok(())
            }
            denied => Err(self
                .refuse(&source, Refused::Base, denied, &context.id)
                .unwrap_or_else(late)),
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.core.clock.unix_seconds()
    }

    /// Tells the transport about a decision against a request. Over HTTP the layer makes the answer; the
    /// error returned here is what is left of it on stdio.
    ///
    /// `None` when it is too late: the client has seen something of the answer.
    fn refuse(
        &self,
        source: &Source,
        what: Refused<'_>,
        decision: Decision,
        request: &RequestId,
    ) -> Option<ErrorData> {
        match source {
            #[cfg(feature = "http")]
            Source::Http(ticket) => {
                use super::ticket::{Denial, Verdict};

                let raised = match what {
                    Refused::Raised(_, scopes) => {
                        Some(Box::new(self.core.challenges.naming(scopes)))
                    }
                    Refused::Base | Refused::Tool(_) => None,
                };
                let denial = Denial {
                    tool: what.tool(),
                    decision,
                    request: request.clone(),
                    raised,
                };
                ticket
                    .decide(Verdict::Denied(denial))
                    .then(|| ErrorData::new(rmcp::model::ErrorCode(403), "refused", None))
            }
            Source::Environment(environment) => {
                let _ = request;
                let registry = &self.core.registry;
                let tool = what.tool().and_then(|at| registry.entries().get(at));
                let scopes = match what {
                    Refused::Raised(_, scopes) => scopes,
                    Refused::Tool(_) | Refused::Base => {
                        tool.map_or(registry.base(), Entry::policy).challenged()
                    }
                };
                let tool = tool.map(|tool| tool.name.as_str());
                Some(environment.denial(tool, scopes, decision))
            }
        }
    }

    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let source = self.source(&context)?;
        let principal = source.principal()?;
        let id = context.id.clone();
        let permit = match self
            .core
            .registry
            .admit(&request.name, principal, self.now())
        {
            Admission::Permitted(permit) => permit,
            Admission::Denied(tool, decision) => {
                let refused = self.refuse(&source, Refused::Tool(tool), decision, &id);
                return Err(refused.unwrap_or_else(late));
            }
            Admission::Unknown => {
                return Err(ErrorData::invalid_params("unknown tool", None));
            }
        };
        let (position, tool) = (permit.position(), permit.name());
        let principal = principal.cloned();
        // The verdict waits for whoever has a say in it.
        let may_refuse = permit.may_refuse();
        let permitted = {
            let source = source.clone();
            move || match may_refuse {
                true => source.defer(),
                false => source.allow(),
            }
        };
        let permitted: Option<Box<dyn FnOnce() + Send>> = if permit.authorizes() {
            Some(Box::new(permitted))
        } else {
            permitted();
            None
        };
        let cancelled = context.ct.clone();
        let call = Call {
            principal,
            arguments: request.arguments.unwrap_or_default(),
            state: self.core.state.clone(),
            permitted,
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
        let Ok(reply) = reply else {
            source.allow();
            tracing::error!(target: "toolgate", tool, "the tool panicked");
            return Err(ErrorData::internal_error("internal error", None));
        };
        let rejection = match reply {
            Ok(body) => {
                source.allow();
                return Ok(result(body));
            }
            Err(rejection) => rejection,
        };
        let refused = match &rejection.kind {
            RejectionKind::InvalidArguments | RejectionKind::Internal => None,
            RejectionKind::Forbidden => {
                tracing::info!(target: "toolgate", tool, reason = %rejection, "the call is forbidden");
                let what = Refused::Tool(position);
                self.refuse(&source, what, Decision::Forbidden, &id)
            }
            RejectionKind::NeedScopes(needed) => {
                match self.core.registry.challenged_with(position, needed) {
                    Ok(scopes) => {
                        let what = Refused::Raised(position, &scopes);
                        self.refuse(&source, what, Decision::InsufficientScope, &id)
                    }
                    // Nobody could grant that.
                    Err(error) => {
                        tracing::error!(target: "toolgate", tool, error, "the call needs what is no scope here");
                        let what = Refused::Tool(position);
                        self.refuse(&source, what, Decision::Forbidden, &id)
                    }
                }
            }
        };
        source.allow();
        refused.map_or_else(|| failure(tool, &rejection), Err)
    }
}

/// What a request was refused.
#[derive(Clone, Copy)]
enum Refused<'s> {
    /// Anything at all.
    Base,
    /// The tool at this position.
    Tool(usize),
    /// The tool at this position, which needs these scopes this time.
    Raised(usize, &'s [ScopeName]),
}

impl Refused<'_> {
    fn tool(self) -> Option<usize> {
        match self {
            Self::Base => None,
            Self::Tool(at) | Self::Raised(at, _) => Some(at),
        }
    }
}

/// What is left to say when nobody is there to be refused.
fn late() -> ErrorData {
    ErrorData::internal_error("internal error", None)
}

impl Source {
    pub(super) fn principal(&self) -> Result<Option<&Principal>, ErrorData> {
        match self {
            #[cfg(feature = "http")]
            Self::Http(ticket) => Ok(ticket.principal()),
            Self::Environment(environment) => environment.principal(),
        }
    }

    /// It runs.
    fn allow(&self) {
        match self {
            #[cfg(feature = "http")]
            Self::Http(ticket) => {
                ticket.decide(super::ticket::Verdict::Allowed);
            }
            Self::Environment(_) => {}
        }
    }

    /// It runs, and may still be refused.
    fn defer(&self) {
        match self {
            #[cfg(feature = "http")]
            Self::Http(ticket) => ticket.defer(),
            Self::Environment(_) => {}
        }
    }
}

/// What a tool answered, in the terms of the protocol.
fn result(body: ReplyBody) -> CallToolResult {
    match body.0 {
        Body::Empty => CallToolResult::success(Vec::new()),
        Body::Text(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        Body::Structured(value) => CallToolResult::structured(value),
        Body::Error(text) => CallToolResult::error(vec![ContentBlock::text(text)]),
        Body::Native(result) => result,
    }
}

/// What a client is told that gets no result, and is not refused or cannot be any more.
fn failure(tool: &str, rejection: &Rejection) -> Result<CallToolResult, ErrorData> {
    let text = match rejection.kind {
        RejectionKind::InvalidArguments | RejectionKind::NeedScopes(_) => rejection.to_string(),
        RejectionKind::Forbidden => "this is not allowed".to_owned(),
        RejectionKind::Internal => {
            tracing::error!(target: "toolgate", tool, error = %rejection, "the tool could not answer");
            return Err(ErrorData::internal_error("internal error", None));
        }
    };
    Ok(CallToolResult::error(vec![ContentBlock::text(text)]))
}
