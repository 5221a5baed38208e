//! Requirements that depend on the arguments (R36, R44, R47, R48).

use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::json;
use toolgate::testkit::{McpRequest, McpResponse};
use tower::Layer;

use crate::fixture::{Fixture, assert_challenged, assert_forbidden};

const VERSIONS: [&str; 3] = ["2025-06-18", "2025-11-25", "2026-07-28"];

async fn open(fixture: &Fixture, tool: &str, note: &str, scopes: &str) -> McpResponse {
    let arguments = json!({"note": note});
    fixture.call_with(tool, arguments, scopes, &json!({})).await
}

#[tokio::test]
async fn the_arguments_decide_which_scopes_are_needed() {
    let fixture = Fixture::new().await;
    assert_eq!(
        open(&fixture, "open", "mine", "notes:read").await.text(),
        "mine"
    );
    assert_challenged(&open(&fixture, "open", "mine", "").await, "notes:read");
    let secret = open(&fixture, "open", "secret", "notes:read").await;
    assert_challenged(&secret, "notes:read notes:secret");
    let both = open(&fixture, "open", "secret", "notes:read notes:secret").await;
    assert_eq!(both.text(), "secret");
    let either = open(&fixture, "open", "either", "notes:read").await;
    assert_challenged(&either, "notes:read notes:write");
    let implied = open(&fixture, "open", "either", "notes:admin").await;
    assert_eq!(implied.text(), "either");
    assert_eq!(fixture.runs(), 3);
}

#[tokio::test]
async fn a_denial_an_error_a_panic_and_what_nobody_could_grant_are_a_plain_403() {
    let fixture = Fixture::new().await;
    for note in ["theirs", "panic", "undeclared"] {
        assert_forbidden(&open(&fixture, "open", note, "notes:read").await);
    }
    for note in ["no number", "panic", "256"] {
        assert_forbidden(&open(&fixture, "look", note, "notes:read").await);
    }
    let call = McpRequest::call("be_alice", json!({}));
    let bob = fixture
        .auth
        .mint("bob")
        .audience(crate::fixture::RESOURCE)
        .sign();
    assert_forbidden(&call.clone().bearer(bob).send(&fixture.app).await);
    assert_eq!(fixture.runs(), 0);
    assert_eq!(fixture.call("be_alice", "").await.status(), 200);
}

#[tokio::test]
async fn a_function_that_waits_is_waited_for() {
    let fixture = Fixture::new().await;
    assert_eq!(open(&fixture, "look", "0", "notes:read").await.text(), "0");
    let more = open(&fixture, "look", "1", "notes:read").await;
    assert_challenged(&more, "notes:read notes:write");
    assert_eq!(open(&fixture, "look", "1", "notes:write").await.text(), "1");
}

#[tokio::test]
async fn arguments_that_do_not_fit_reach_nobody() {
    let fixture = Fixture::new().await;
    let response = fixture
        .call_with("open", json!({"note": 1}), "notes:read", &json!({}))
        .await;
    assert_eq!(
        response.message()["result"]["isError"],
        true,
        "{response:?}"
    );
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_tool_finds_a_shortfall_itself() {
    let fixture = Fixture::new().await;
    for tool in ["find", "search"] {
        let note = if tool == "find" { "secret" } else { "early" };
        assert_eq!(
            open(&fixture, tool, "mine", "notes:read").await.text(),
            "mine"
        );
        let refused = open(&fixture, tool, note, "notes:read").await;
        assert_challenged(&refused, "notes:read notes:secret");
        let scopes = refused.challenge().unwrap().scope().unwrap().to_owned();
        assert_eq!(open(&fixture, tool, note, &scopes).await.text(), note);
    }
    assert_forbidden(&open(&fixture, "search", "forbidden", "notes:read").await);
}

/// A call with a progress token.
fn progressing(version: &str, tool: &str, note: &str) -> McpRequest {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": tool, "arguments": {"note": note}, "_meta": {
            "progressToken": "p",
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    McpRequest::call(tool, json!({}))
        .version(version)
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .body(body.to_string())
}

#[tokio::test]
async fn before_the_first_notification_a_refusal_is_a_status_and_after_it_a_tool_error() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let send = |note, scopes| {
            let call = progressing(version, "search", note);
            call.bearer(fixture.token(scopes, &json!({})))
                .send(&fixture.app)
        };
        assert_challenged(
            &send("early", "notes:read").await,
            "notes:read notes:secret",
        );
        for (note, words) in [
            ("late", "insufficient scope: this needs `notes:secret`"),
            ("forbidden", "this is not allowed"),
        ] {
            let response = send(note, "notes:read").await;
            assert_eq!(response.status(), 200, "{version} {response:?}");
            let messages = response.messages();
            assert_eq!(messages.len(), 2, "{response:?}");
            assert_eq!(messages[0]["method"], "notifications/progress");
            assert_eq!(messages[1]["result"]["isError"], true);
            assert_eq!(response.text(), words);
        }
        // What runs after `authorize` streams as ever.
        let call = progressing(version, "look", "0");
        let token = fixture.token("notes:read", &json!({}));
        let response = call.bearer(&token).send(&fixture.app).await;
        assert_eq!(response.messages().len(), 2, "{response:?}");
        let refused = progressing(version, "look", "x").bearer(token);
        assert_forbidden(&refused.send(&fixture.app).await);
    }
}

#[tokio::test]
async fn on_a_streaming_transport_authorize_is_still_a_status() {
    let fixture = Fixture::new().await;
    let guard = fixture.server.guard();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(false);
    let service = StreamableHttpService::new(
        move || Ok(guard.clone()),
        Arc::<NeverSessionManager>::default(),
        config,
    );
    let app = Router::new().route_service("/mcp", fixture.server.layer().layer(service));
    for version in VERSIONS {
        let send = |tool, note| {
            let call = McpRequest::call(tool, json!({"note": note})).version(version);
            call.bearer(fixture.token("notes:read", &json!({})))
                .send(&app)
        };
        assert_challenged(&send("open", "secret").await, "notes:read notes:secret");
        assert_forbidden(&send("open", "theirs").await);
        assert_eq!(send("open", "mine").await.text(), "mine");
        assert_eq!(send("search", "mine").await.text(), "mine");
        // What a tool finds itself comes too late where the stream begins before the tool.
        let found = send("search", "early").await;
        if found.status() == 200 {
            assert_eq!(
                found.message()["result"]["isError"],
                true,
                "{version}: {found:?}"
            );
            assert_ne!(version, "2026-07-28");
        } else {
            assert_challenged(&found, "notes:read notes:secret");
        }
    }
}
