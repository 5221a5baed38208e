//! One tool, on plain rmcp and on toolgate, and the request that calls it.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::Request;
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
use toolgate::{
    Args, JwtVerifier, McpService, Server, StaticKeys, TokenCache, mcp_tool, testkit::SigningKey,
};

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
pub struct Plain {
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

pub fn plain() -> StreamableHttpService<Plain, NeverSessionManager> {
    let plain = Plain {
        router: Arc::new(Plain::tool_router()),
    };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(plain.clone()), Arc::default(), config)
}

pub fn request(token: &str) -> Request<Body> {
    Request::post("/mcp")
        .header("host", "notes.example.com")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "add")
        .body(Body::from(body()))
        .unwrap()
}

pub fn body() -> String {
    let body: Value = json!({
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
    body.to_string()
}

/// A key and a token of it, as widespread issuers write it.
fn key_and_token() -> (SigningKey, String) {
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
    (key, token)
}

/// The tool behind toolgate, and a token that may call it.
pub fn protected(cache: TokenCache) -> (McpService, String) {
    let (key, token) = key_and_token();
    let keys = StaticKeys::from_value(&json!({"keys": [key.public_jwk()]})).unwrap();
    let verifier = JwtVerifier::new(ISSUER, RESOURCE).keys(keys);
    let server = Server::new(RESOURCE)
        .authorization_server(ISSUER)
        .verifier(verifier.build().unwrap())
        .token_cache(cache)
        .build()
        .unwrap();
    (server.service(), token)
}

/// The server of that name, to be served, and a token it accepts.
#[allow(dead_code, reason = "for the bench over HTTP")]
pub fn router(name: &str) -> (Router, String) {
    let router = Router::new();
    match name {
        "rmcp, unprotected" => {
            let (_, token) = key_and_token();
            (router.route_service("/mcp", plain()), token)
        }
        "toolgate, known token" | "toolgate, cache off" => {
            let cache = match name {
                "toolgate, known token" => TokenCache::default(),
                _ => TokenCache::off(),
            };
            let (service, token) = protected(cache);
            (router.route_service("/mcp", service), token)
        }
        other => panic!("no server is called {other}"),
    }
}
