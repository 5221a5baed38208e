//! In front of the MCP endpoint: who is calling?
//!
//! The layer looks at headers only. It refuses what comes from a foreign host or origin, what repeats a
//! header that may occur once, what carries no valid token (unless the server allows anonymous callers),
//! and hands everybody else to the guard. Headers can only deny here: what may run is decided by the
//! guard, on the parsed request.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::{Either, Full};
use tower::{Layer, Service};

use super::{
    certificate::CLIENT_CERT,
    core::Core,
    refusal::{DPOP_NONCE, Refusal},
    ticket::{Ticket, Verdict},
};
use crate::{declare::principal::Principal, verify::bearer::credential};

/// Headers that may occur once: two of them could mean one thing to a proxy and another here.
static SINGLE: [HeaderName; 5] = [
    header::AUTHORIZATION,
    HeaderName::from_static("mcp-protocol-version"),
    HeaderName::from_static("mcp-method"),
    HeaderName::from_static("mcp-name"),
    HeaderName::from_static("mcp-session-id"),
];

/// Headers that stop here. Credentials are for the verifier alone, and there are neither sessions to join
/// nor streams to resume.
static STRIPPED: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("dpop"),
    HeaderName::from_static(CLIENT_CERT),
    header::COOKIE,
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("last-event-id"),
];

/// Puts a server's verification of callers in front of an MCP service whose handler is the same server's
/// [`Guard`](crate::Guard).
#[derive(Debug, Clone)]
pub struct GuardLayer {
    pub(crate) core: Arc<Core>,
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService {
            inner,
            core: self.core.clone(),
        }
    }
}

/// An MCP service behind a [`GuardLayer`].
#[derive(Debug, Clone)]
pub struct GuardService<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Send,
{
    type Response = Response<Either<Full<Bytes>, R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone is for the next request.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let core = self.core.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let principal = match admit(&core, &parts).await {
                Ok(principal) => principal,
                Err(refusal) => return Ok(refusal.into_response(&core, None).map(Either::Left)),
            };
            for name in &STRIPPED {
                parts.headers.remove(name);
            }
            let (ticket, mut verdict) = Ticket::new(core.clone(), principal.clone());
            parts.extensions.insert(ticket.clone());

            let mut response = inner.call(Request::from_parts(parts, body)).await?;
            let verdict = if is_event_stream(response.headers()) {
                // A stream may be answered before the guard has seen the request. It cannot be
                // refused any more once it is passed on.
                ticket.stream();
                verdict.await.ok()
            } else {
                verdict.try_recv().ok()
            };
            if let Some(Verdict::Denied(denial)) = verdict {
                let refusal = Refusal::Denied(denial);
                let response = refusal.into_response(&core, principal.as_ref());
                return Ok(response.map(Either::Left));
            }
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
            if let Some(nonce) = core.possession.nonce() {
                response.headers_mut().insert(DPOP_NONCE, nonce);
            }
            Ok(response.map(Either::Right))
        })
    }
}

/// Who is calling, from the headers alone. `None` is a caller without a token at a server that allows it.
async fn admit(core: &Core, request: &Parts) -> Result<Option<Principal>, Refusal> {
    let headers = &request.headers;
    core.hosts.check(&request.uri, headers)?;
    // As many values as names: nothing is repeated, and no name has to be looked up.
    let repeats = headers.len() > headers.keys_len();
    for name in SINGLE.iter().filter(|_| repeats) {
        if headers.get_all(name).iter().nth(1).is_some() {
            return Err(Refusal::RepeatedHeader(name.as_str()));
        }
    }
    let values = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let credential = credential(values).map_err(|_| Refusal::MalformedCredentials)?;
    match (credential, &core.verifier) {
        (Some(credential), Some(verifier)) => {
            core.possession.check_scheme(credential.scheme)?;
            let principal = core.identify(&**verifier, credential.token).await?;
            // With every request, whatever is remembered about its token.
            let proven = core
                .possession
                .check(principal.token(), credential, request);
            proven.await?;
            Ok(Some(principal))
        }
        // Nobody can say anything about the token, and nothing here needs one.
        (_, None) => Ok(None),
        (None, Some(_)) if core.allow_anonymous => Ok(None),
        (None, Some(_)) => Err(Refusal::NoCredentials),
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}
