//! What the layer hands to the guard with each request, and how the guard's verdict comes back.
//!
//! rmcp gives a handler no say in the HTTP status, and reading the body a second time in the layer would
//! invite two parsers to differ. So the guard decides on the very value that is then dispatched, and sends
//! its verdict back along the ticket; the layer waits for it where rmcp answers before it is known.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::RequestId;
use tokio::sync::oneshot;

use super::core::Core;
use crate::declare::{policy::Decision, principal::Principal};

/// A request that the layer of one server has let through.
#[derive(Clone)]
pub(crate) struct Ticket(Arc<Inner>);

struct Inner {
    server: Arc<Core>,
    principal: Option<Principal>,
    verdict: Mutex<Option<oneshot::Sender<Verdict>>>,
}

/// What the guard made of the request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It runs.
    Allowed,
    /// It doesn't.
    Denied(Denial),
}

/// A decision against a request.
#[derive(Debug)]
pub(crate) struct Denial {
    /// The position of the tool, or `None` for what every request needs.
    pub(crate) tool: Option<usize>,
    pub(crate) decision: Decision,
    pub(crate) request: RequestId,
}

impl Ticket {
    /// A ticket for the guard of `server`, and the other end of its verdict. That end also reports when
    /// the request is over without any.
    pub(crate) fn new(
        server: Arc<Core>,
        principal: Option<Principal>,
    ) -> (Self, oneshot::Receiver<Verdict>) {
        let (sender, receiver) = oneshot::channel();
        (
            Self(Arc::new(Inner {
                server,
                principal,
                verdict: Mutex::new(Some(sender)),
            })),
            receiver,
        )
    }

    /// Whether the layer of `server` issued this ticket. Another server's principal means nothing here.
    pub(crate) fn is_from(&self, server: &Arc<Core>) -> bool {
        Arc::ptr_eq(&self.0.server, server)
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        self.0.principal.as_ref()
    }

    /// Tells the layer. The first verdict counts.
    pub(crate) fn decide(&self, verdict: Verdict) {
        let sender = self
            .0
            .verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(sender) = sender {
            // Nobody listens any more when the client has gone.
            let _ = sender.send(verdict);
        }
    }
}
