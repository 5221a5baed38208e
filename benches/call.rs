//! One `tools/call`, in process: protected with a known token, against the same tool on plain rmcp whose
//! router is built once (goal P1).
//!
//! ```sh
//! cargo bench --bench call
//! benches/instructions call 'toolgate, known token'
//! ```

mod support;

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use jsonwebtoken::Algorithm;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::{router::tool::ToolRouter, tool::ToolCallContext, wrapper::Parameters},
    model::{CallToolRequestParams, CallToolResponse, ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde_json::{Value, json};
use support::{compare, lane};
use toolgate::{Args, JwtVerifier, Server, StaticKeys, TokenCache, mcp_tool, testkit::SigningKey};
use tower::Service;

const ISSUER: &str = "https://auth.example.com";
const RESOURCE: &str = "https://notes.example.com/mcp";

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Pair {
    a: i64,
    b: i64,
}

/// Add two numbers.
#[mcp_tool(scopes = "mcp:tools")]
async fn add(Args(Pair { a, b }): Args<Pair>) -> String {
    (a + b).to_string()
}

#[derive(Clone)]
struct Plain {
    router: Arc<ToolRouter<Self>>,
}

#[tool_router]
impl Plain {
    #[tool(description = "Add two numbers.")]
    async fn add(&self, Parameters(Pair { a, b }): Parameters<Pair>) -> String {
        (a + b).to_string()
    }
}

impl ServerHandler for Plain {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = ToolCallContext::new(self, request, context);
        self.router.call(call).await
    }
}

fn plain() -> StreamableHttpService<Plain, NeverSessionManager> {
    let plain = Plain {
        router: Arc::new(Plain::tool_router()),
    };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(plain.clone()), Arc::default(), config)
}

fn request(token: &str) -> Request<Body> {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {
            "name": "add", "arguments": {"a": 1, "b": 2},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    Request::post("/mcp")
        .header("host", "notes.example.com")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "add")
        .body(Body::from(body.to_string()))
        .unwrap()
}

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
    let key = SigningKey::generate(Algorithm::RS256);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let claims: Value = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "auth0|65f1c0a1b2c3d4e5f6071829", "iat": now,
        "exp": now + 86_400, "client_id": "client-4fa8c3d2", "scope": "notes:read notes:write mcp:tools",
        "jti": "0d3f7c6e-51b2-4c5f-9a52-4b8f9f0c7d11", "name": "Alice Example",
        "email": "alice@example.com", "tenant": "acme",
    });
    let token = key.sign(&claims);
    let server = |cache| {
        let keys = StaticKeys::from_value(&json!({"keys": [key.public_jwk()]})).unwrap();
        let verifier = JwtVerifier::new(ISSUER, RESOURCE).keys(keys);
        Server::new(RESOURCE)
            .authorization_server(ISSUER)
            .verifier(verifier.build().unwrap())
            .token_cache(cache)
            .build()
            .unwrap()
            .service()
    };

    let runtime = support::runtime();
    let (parts, body) = request(&token).into_parts();
    let body = runtime.block_on(body.collect()).unwrap().to_bytes();
    let request = Request::from_parts(parts, ());
    let (mut plain, mut known, mut unknown) = (
        plain(),
        server(TokenCache::default()),
        server(TokenCache::off()),
    );
    compare(
        &format!("tools/call, in process, token of {} bytes", token.len()),
        vec![
            lane("rmcp, unprotected, router built once", || {
                runtime.block_on(call(&mut plain, copy(&request, &body)));
            }),
            lane("toolgate, known token", || {
                runtime.block_on(call(&mut known, copy(&request, &body)));
            }),
            lane("toolgate, unknown token, RS256", || {
                runtime.block_on(call(&mut unknown, copy(&request, &body)));
            }),
            lane("making the request, for subtraction", || {
                std::hint::black_box(copy(&request, &body));
            }),
        ],
    );
}
