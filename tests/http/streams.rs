//! Event streams: a refusal comes before anything is streamed (R44, R89-R92).

use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::json;
use toolgate::testkit::McpRequest;
use tower::Layer;

use crate::fixture::{Fixture, VERSIONS};

/// The same server, on a transport that answers with event streams wherever it can.
fn streaming(fixture: &Fixture) -> Router {
    let guard = fixture.server.guard();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(false);
    let service =
        StreamableHttpService::new(move || Ok(guard.clone()), Arc::<NeverSessionManager>::default(), config);
    Router::new().route_service("/mcp", fixture.server.layer().layer(service))
}

#[tokio::test]
async fn progress_turns_the_answer_into_a_stream() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "slow", "arguments": {}, "_meta": {
                "progressToken": "p",
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }});
        let request = McpRequest::call("slow", json!({}))
            .version(version)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "slow")
            .body(body.to_string());
        let response = request.clone().bearer(fixture.token("notes:read")).send(&fixture.app).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-type"), Some("text/event-stream"), "{response:?}");
        assert_eq!(response.header("x-accel-buffering"), Some("no"));
        let messages = response.messages();
        assert_eq!(messages.len(), 2, "{response:?}");
        assert_eq!(messages[0]["method"], "notifications/progress");
        assert_eq!(response.text(), "done");

        let refused = request.bearer(fixture.token("")).send(&fixture.app).await;
        assert_eq!(refused.status(), 403, "{version}");
    }
}

#[tokio::test]
async fn on_a_streaming_transport_refusals_are_still_statuses() {
    let fixture = Fixture::new().await;
    let app = streaming(&fixture);
    for version in VERSIONS {
        let call = |held: &str| {
            let call = McpRequest::call("add", json!({"a": 1, "b": 2})).version(version);
            call.bearer(fixture.token(held)).send(&app)
        };
        let refused = call("").await;
        assert_eq!(refused.status(), 403, "{version}: {refused:?}");
        assert_eq!(refused.challenge().unwrap().scope(), Some("mcp:tools"));
        assert_eq!(refused.message()["id"], 1);

        let allowed = call("mcp:tools").await;
        assert_eq!(allowed.status(), 200, "{version}: {allowed:?}");
        assert_eq!(allowed.header("content-type"), Some("text/event-stream"));
        assert_eq!(allowed.text(), "3");
    }
}

#[tokio::test]
async fn on_a_streaming_transport_requests_that_never_reach_the_guard_are_answered_too() {
    let fixture = Fixture::new().await;
    let app = streaming(&fixture);
    for version in VERSIONS {
        for method in ["prompts/list", "resources/list", "tools/nope", "ping"] {
            let request = McpRequest::new(method, json!({})).version(version).bearer(fixture.token(""));
            let response = request.send(&app).await;
            assert_eq!(response.message()["id"], 1, "{version} {method}: {response:?}");
        }
    }
}

#[tokio::test]
async fn the_guard_without_its_layer_runs_nothing() {
    let fixture = Fixture::new().await;
    let other = Fixture::new().await;
    let guard = fixture.server.guard();
    let config =
        StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let service =
        StreamableHttpService::new(move || Ok(guard.clone()), Arc::<NeverSessionManager>::default(), config);
    let bare = Router::new().route_service("/mcp", service.clone());
    let crossed = Router::new().route_service("/mcp", other.server.layer().layer(service));
    for version in VERSIONS {
        for app in [&bare, &crossed] {
            for request in [McpRequest::call("hello", json!({})), McpRequest::list_tools()] {
                for token in [fixture.token("mcp:tools"), other.token("mcp:tools")] {
                    let response = request.clone().version(version).bearer(token).send(app).await;
                    assert!(response.message().get("result").is_none(), "{response:?}");
                }
            }
        }
    }
    assert_eq!(fixture.runs() + other.runs(), 0);
}
