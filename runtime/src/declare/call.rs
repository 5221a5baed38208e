//! One call of a tool: what its parameters are taken from.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use super::{
    principal::Principal,
    reply::{Rejection, Reply},
    state::StateMap,
};

/// One permitted call: the source of a tool's parameters.
///
/// A `Call` is made by the server after it has decided that the call may run, and by nothing else. That
/// is what keeps a registered tool from being run around the decision.
pub struct Call {
    pub(crate) principal: Option<Principal>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) state: Arc<StateMap>,
    /// Tells the server that the tool is about to run. Set where that is not known from the policy alone.
    pub(crate) permitted: Option<Box<dyn FnOnce() + Send>>,
    #[cfg(feature = "rmcp")]
    pub(crate) context: rmcp::service::RequestContext<rmcp::RoleServer>,
}

impl Call {
    /// Who is calling. `None` only for a public tool of a server that allows anonymous callers.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The arguments, which are left empty.
    #[must_use]
    pub fn take_arguments(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.arguments)
    }

    /// Who is calling a tool with `authorize`.
    #[doc(hidden)]
    pub fn caller(&self) -> Result<Principal, Rejection> {
        let nobody = || Rejection::forbidden("`authorize` needs a caller");
        self.principal.clone().ok_or_else(nobody)
    }

    /// The tool is about to run.
    #[doc(hidden)]
    pub fn permit(&mut self) {
        if let Some(permitted) = self.permitted.take() {
            permitted();
        }
    }

    /// The application state of type `T`, if the server was given one.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.state.get()
    }

    /// The SDK's view of the request: its id, metadata, cancellation and the peer.
    #[cfg(feature = "rmcp")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
    #[must_use]
    pub fn context(&self) -> &rmcp::service::RequestContext<rmcp::RoleServer> {
        &self.context
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// The future of a call.
pub type CallFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;
