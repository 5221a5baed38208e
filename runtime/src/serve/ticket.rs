//! What the layer hands to the guard with each request, and how the guard's verdict comes back.
//!
//! rmcp gives a handler no say in the HTTP status, and reading the body a second time in the layer would
//! invite two parsers to differ. So the guard decides on the very value that is then dispatched, and sends
//! its verdict back along the ticket; the layer waits for it where rmcp answers before it is known.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use tokio::sync::oneshot;

use super::{challenge::OperationChallenges, core::Core};
use crate::declare::{policy::Decision, principal::Principal};

/// A request that the layer of one server has let through.
#[derive(Clone)]
pub(crate) struct Ticket(Arc<Inner>);

struct Inner {
    server: Arc<Core>,
    principal: Option<Principal>,
    state: Mutex<State>,
}

struct State {
    /// Gone once there is a verdict.
    verdict: Option<oneshot::Sender<Verdict>>,
    /// The tool runs, and may still refuse.
    deferred: bool,
    /// The layer holds the first part of a stream in its hands.
    streaming: bool,
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
    /// The challenges, where they are not those of the tool.
    pub(crate) raised: Option<Box<OperationChallenges>>,
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
                state: Mutex::new(State {
                    verdict: Some(sender),
                    deferred: false,
                    streaming: false,
                }),
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

    /// Tells the layer. The first verdict counts; `false` says that this is not the one.
    pub(crate) fn decide(&self, verdict: Verdict) -> bool {
        self.state().decide(verdict)
    }

    /// The tool runs now, and may still refuse: the verdict is left open as long as it can be.
    pub(crate) fn defer(&self) {
        let mut state = self.state();
        state.deferred = true;
        state.settle();
    }

    /// There is something to stream to the client: a tool that runs can refuse no more.
    ///
    /// The layer gives its ticket away with this: the other end is to learn when the last one is gone.
    pub(crate) fn stream(self) {
        let mut state = self.state();
        state.streaming = true;
        state.settle();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn decide(&mut self, verdict: Verdict) -> bool {
        // Nobody listens any more when the client has gone.
        self.verdict
            .take()
            .is_some_and(|sender| sender.send(verdict).is_ok())
    }

    fn settle(&mut self) {
        if self.deferred && self.streaming {
            self.decide(Verdict::Allowed);
        }
    }
}
