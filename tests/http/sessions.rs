//! A transport with sessions of rmcp, behind the layer: they open nothing (R17, R87, T42).

use std::{sync::Arc, time::Duration};

use axum::Router;
use http::Method;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use serde_json::{Value, json};
use toolgate::testkit::{McpRequest, McpResponse};
use tower::Layer;

use crate::fixture::{Fixture, VERSIONS};

/// The same server, on a transport that opens a session at each handshake.
fn with_sessions(fixture: &Fixture, json_response: bool) -> Router {
    let guard = fixture.server.guard();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(true)
        .with_json_response(json_response);
    let service = StreamableHttpService::new(
        move || Ok(guard.clone()),
        Arc::<LocalSessionManager>::default(),
        config,
    );
    Router::new().route_service("/mcp", fixture.server.layer().layer(service))
}

/// The answer, which must not be long in coming.
async fn answer(request: McpRequest, app: &Router) -> McpResponse {
    tokio::time::timeout(Duration::from_secs(5), request.send(app))
        .await
        .expect("an answer")
}

fn initialize(version: &str) -> McpRequest {
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    McpRequest::new("initialize", params).version(version)
}

#[tokio::test]
async fn a_session_cannot_be_joined_by_anybody() {
    let fixture = Fixture::new().await;
    for json_response in [false, true] {
        let app = with_sessions(&fixture, json_response);
        for version in ["2025-06-18", "2025-11-25"] {
            assert_eq!(answer(initialize(version), &app).await.status(), 401);
            let opened = answer(initialize(version).bearer(fixture.token("mcp:tools")), &app).await;
            assert_eq!(opened.status(), 200, "{opened:?}");
            let session = opened.header("mcp-session-id").unwrap_or("none").to_owned();
            for scopes in ["mcp:tools", ""] {
                for method in [Method::POST, Method::GET, Method::DELETE] {
                    let call = McpRequest::call("add", json!({"a": 1, "b": 1}))
                        .version(version)
                        .http_method(method.clone())
                        .header("mcp-session-id", &session)
                        .header("last-event-id", "0")
                        .header("accept", "application/json, text/event-stream")
                        .bearer(fixture.token(scopes));
                    let response = answer(call, &app).await;
                    assert!(
                        response.status().is_client_error(),
                        "{version} {method} {scopes}: {response:?}"
                    );
                }
            }
        }
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_handshake_without_the_scopes_of_every_request_opens_no_session() {
    let fixture = Fixture::with(|server| server.require(["base"])).await;
    let app = with_sessions(&fixture, false);
    for version in ["2025-06-18", "2025-11-25"] {
        let response = answer(initialize(version).bearer(fixture.token("")), &app).await;
        assert_eq!(response.status(), 403, "{response:?}");
        assert_eq!(response.challenge().unwrap().scope(), Some("base"));
        assert_eq!(response.header("mcp-session-id"), None);
    }
}

#[tokio::test]
async fn with_sessions_switched_on_every_request_is_answered_and_decided_on() {
    let fixture = Fixture::new().await;
    let app = with_sessions(&fixture, false);
    let params = json!({"name": "add", "arguments": {"a": 1, "b": 1}, "uri": "x", "taskId": "x", "notifications": {}, "level": "info"});
    for version in VERSIONS {
        for method in [
            "tools/call",
            "tools/list",
            "prompts/get",
            "resources/subscribe",
            "subscriptions/listen",
            "tasks/get",
            "logging/setLevel",
            "ping",
            "server/discover",
            "skills/list",
            "tools/nope",
        ] {
            let request = |scopes| {
                McpRequest::new(method, params.clone())
                    .version(version)
                    .header("mcp-method", method)
                    .bearer(fixture.token(scopes))
            };
            let response = answer(request(""), &app).await;
            let error: Value = response.message()["error"].clone();
            assert!(
                !response.status().is_success() || error.is_object() || method != "tools/call",
                "{version} {method}: {response:?}"
            );
        }
    }
    assert_eq!(fixture.runs(), 0);
}
