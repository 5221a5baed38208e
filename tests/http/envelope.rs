//! The protocol around the tools: methods, versions, statuses (R82-R93, R95-R109).

use http::Method;
use serde_json::{Value, json};
use toolgate::testkit::McpRequest;

use crate::fixture::{Fixture, VERSIONS};

#[tokio::test]
async fn other_methods_than_post_are_405_and_need_a_token_like_everything_else() {
    let fixture = Fixture::new().await;
    let token = fixture.token("");
    for method in [
        Method::GET,
        Method::DELETE,
        Method::PUT,
        Method::PATCH,
        Method::TRACE,
        Method::HEAD,
    ] {
        let request = || McpRequest::list_tools().http_method(method.clone());
        assert_eq!(request().send(&fixture.app).await.status(), 401, "{method}");
        let response = request().bearer(&token).send(&fixture.app).await;
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.header("allow"), Some("POST"), "{method}");
    }
}

#[tokio::test]
async fn the_handshake_of_older_revisions_works_without_a_session() {
    let fixture = Fixture::new().await;
    for version in ["2025-06-18", "2025-11-25"] {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let initialize = McpRequest::new("initialize", params).version(version);
        assert_eq!(initialize.clone().send(&fixture.app).await.status(), 401);
        let response = initialize
            .bearer(fixture.token(""))
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 200, "{response:?}");
        let result = &response.message()["result"];
        assert_eq!(result["protocolVersion"], version);
        assert!(result["capabilities"]["tools"].is_object());
        assert_eq!(result["serverInfo"]["name"], "127.0.0.1");
        assert_eq!(response.header("mcp-session-id"), None);
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn discovery_names_the_revisions_that_are_served_and_the_tools() {
    let fixture = Fixture::new().await;
    let discover = McpRequest::new("server/discover", json!({}));
    assert_eq!(discover.clone().send(&fixture.app).await.status(), 401);
    let response = discover.bearer(fixture.token("")).send(&fixture.app).await;
    assert_eq!(response.status(), 200, "{response:?}");
    let result = &response.message()["result"];
    assert_eq!(result["supportedVersions"], json!(VERSIONS));
    assert!(result["capabilities"]["tools"].is_object());
    assert!(result["ttlMs"].is_u64());
    assert_eq!(result["cacheScope"], "private");
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn unknown_methods_are_404_and_known_ones_that_are_not_served_too() {
    let fixture = Fixture::new().await;
    let token = fixture.token("");
    for method in [
        "tools/nope",
        "prompts/list",
        "resources/read",
        "tasks/get",
        "completion/complete",
    ] {
        let params = json!({"uri": "x", "taskId": "x", "ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "x", "value": "x"}});
        let response = McpRequest::new(method, params)
            .bearer(&token)
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 404, "{method}: {response:?}");
        let message = response.message();
        assert_eq!(
            (&message["error"]["code"], &message["id"]),
            (&json!(-32601), &json!(1)),
            "{method}"
        );
    }
}

#[tokio::test]
async fn methods_that_a_revision_has_removed_are_404_in_it() {
    let fixture = Fixture::new().await;
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
    ] {
        let request = McpRequest::new(method, json!({})).bearer(fixture.token(""));
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 404, "{method}: {response:?}");
        assert_eq!(response.message()["error"]["code"], -32601, "{method}");
    }
    let malformed = McpRequest::new("initialize", json!({})).version("2025-11-25");
    let response = malformed.bearer(fixture.token("")).send(&fixture.app).await;
    assert_eq!(response.message()["error"]["code"], -32602, "{response:?}");
}

#[tokio::test]
async fn notifications_are_authorized_like_requests_and_never_run_a_tool() {
    let fixture = Fixture::new().await;
    let notification = |method: &str| {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": {"name": "add", "arguments": {"a": 1, "b": 1}}});
        McpRequest::call("add", json!({}))
            .version("2025-11-25")
            .body(body.to_string())
    };
    for method in [
        "notifications/initialized",
        "notifications/cancelled",
        "tools/call",
    ] {
        assert_eq!(notification(method).send(&fixture.app).await.status(), 401);
        let response = notification(method)
            .bearer(fixture.token("mcp:tools"))
            .send(&fixture.app)
            .await;
        assert!(
            response.status() == 202 || response.status().is_client_error(),
            "{method}: {response:?}"
        );
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn missing_metadata_and_unsupported_versions_are_400() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    let raw = |meta: Value| {
        let body =
            json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": meta}});
        McpRequest::list_tools()
            .body(body.to_string())
            .header("mcp-method", "tools/list")
            .bearer(&token)
    };
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    for (meta, code) in [
        (json!({}), -32602),
        (json!({version: "2026-07-28"}), -32602),
        (json!({capabilities: {}}), -32602),
        (json!({version: "2025-11-25", capabilities: {}}), -32020),
    ] {
        let response = raw(meta.clone()).send(&fixture.app).await;
        assert_eq!(response.status(), 400, "{meta}: {response:?}");
        assert_eq!(response.message()["error"]["code"], code, "{meta}");
        assert_eq!(response.message()["id"], 7);
    }
    let unsupported = raw(json!({version: "1900-01-01", capabilities: {}}))
        .header("mcp-protocol-version", "1900-01-01")
        .send(&fixture.app)
        .await;
    assert_eq!(unsupported.status(), 400);
    let error = &unsupported.message()["error"];
    assert_eq!(error["code"], -32022);
    assert_eq!(error["data"]["supported"], json!(VERSIONS));
}

#[tokio::test]
async fn the_standard_headers_are_required_and_must_match() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    let call = || McpRequest::call("add", json!({"a": 1, "b": 2})).bearer(&token);
    for request in [
        call().header("mcp-name", "hello"),
        call().header("mcp-name", "Add"),
        call().header("mcp-method", "tools/list"),
        call().header("mcp-method", "Tools/Call"),
        call().header("mcp-name", "=?base64?!!!?="),
        call().header("mcp-protocol-version", "2025-11-25"),
    ] {
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 400, "{response:?}");
        assert_eq!(response.message()["error"]["code"], -32020);
    }
    assert_eq!(fixture.runs(), 0);
    let encoded = call()
        .header("mcp-name", "=?base64?YWRk?=")
        .send(&fixture.app)
        .await;
    assert_eq!(encoded.text(), "3", "{encoded:?}");
}

#[tokio::test]
async fn all_error_codes_are_ones_that_may_be_used() {
    let fixture = Fixture::new().await;
    let token = fixture.token("");
    for request in [
        McpRequest::list_tools(),
        McpRequest::list_tools().bearer("bad"),
        McpRequest::call("add", json!({})).bearer(&token),
        McpRequest::call("nope", json!({})).bearer(&token),
        McpRequest::call("panic", json!({})).bearer(&token),
        McpRequest::new("tools/nope", json!({})).bearer(&token),
        McpRequest::new("tools/call", json!({})).bearer(&token),
        McpRequest::list_tools()
            .header("mcp-method", "x")
            .bearer(&token),
        McpRequest::list_tools().header("origin", "null"),
    ] {
        let response = request.send(&fixture.app).await;
        let code = response.message()["error"]["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("{response:?}"));
        let reserved = (-32768..=-32000).contains(&code);
        let defined = [
            -32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022,
        ]
        .contains(&code);
        assert!(!reserved || defined, "{code}: {response:?}");
    }
}
