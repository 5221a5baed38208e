//! One `tools/call`, in process: protected with a known token, against the same tool on plain rmcp whose
//! router is built once (goal P1).
//!
//! ```sh
//! cargo bench --bench call
//! benches/instructions call 'toolgate, known token'
//! ```

#[path = "call/tool.rs"]
mod tool;

mod support;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use support::{compare, lane};
use toolgate::TokenCache;
use tower::Service;

/// A copy, without the cost of making one up.
fn copy(request: &Request<()>, body: &bytes::Bytes) -> Request<Body> {
    let mut copy = Request::new(Body::from(body.clone()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

async fn call<S, B>(service: &mut S, request: Request<Body>)
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let response = service.call(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        status == 200 && body.windows(10).any(|text| text == br#""text":"3""#),
        "{status} {body:?}"
    );
}

fn main() {
    let mut plain = tool::plain();
    let (mut known, known_token) = tool::protected(TokenCache::default());
    let (mut unknown, unknown_token) = tool::protected(TokenCache::off());
    let runtime = support::runtime();
    let body = bytes::Bytes::from(tool::body());
    let request = |token: &str| tool::request(token).map(|_| ());
    let (first, second) = (request(&known_token), request(&unknown_token));
    compare(
        &format!(
            "tools/call, in process, token of {} bytes",
            known_token.len()
        ),
        vec![
            lane("rmcp, unprotected, router built once", || {
                runtime.block_on(call(&mut plain, copy(&first, &body)));
            }),
            lane("toolgate, known token", || {
                runtime.block_on(call(&mut known, copy(&first, &body)));
            }),
            lane("toolgate, cache off, RS256", || {
                runtime.block_on(call(&mut unknown, copy(&second, &body)));
            }),
            lane("making the request, for subtraction", || {
                std::hint::black_box(copy(&first, &body));
            }),
        ],
    );
}
