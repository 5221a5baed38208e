//! The tool that is decided on is the tool that runs (R96, R100, T25, T27).

use serde_json::json;
use toolgate::testkit::McpRequest;

use crate::fixture::{Fixture, VERSIONS};

/// A request whose headers name the public tool, with a body of its own, by a caller without scopes.
fn smuggle(fixture: &Fixture, version: &str, body: &str) -> McpRequest {
    McpRequest::call("hello", json!({}))
        .version(version)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "hello")
        .bearer(fixture.token(""))
        .body(body)
}

#[tokio::test]
async fn a_lying_name_header_never_runs_the_tool_in_the_body() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "add", "arguments": {"a": 1, "b": 1},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }});
        let mut body = body;
        if version < "2026-07-28" {
            body["params"].as_object_mut().unwrap().remove("_meta");
        }
        let response = smuggle(&fixture, version, &body.to_string()).send(&fixture.app).await;
        let expected = if version < "2026-07-28" { 403 } else { 400 };
        assert_eq!(response.status(), expected, "{version}: {response:?}");
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn malformed_calls_run_nothing() {
    let fixture = Fixture::new().await;
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    for params in [
        r#"{"name":"hello","name":"add","arguments":{"a":1,"b":1}}"#,
        r#"{"name":"add","name":"hello","arguments":{"a":1,"b":1}}"#,
        r#"{"name":"hello","n\u0061me":"add","arguments":{"a":1,"b":1}}"#,
        r#"{"Name":"add","arguments":{}}"#,
        r#"{"arguments":{}}"#,
        r#"{"name":1}"#,
        r#"{"name":null}"#,
        r#"{"name":["hello"]}"#,
        r#"{"name":{"name":"hello"}}"#,
        r#"["hello"]"#,
        r#""hello""#,
        "null",
        r#"{"name":"hello\u0000"}"#,
        r#"{"name":" hello"}"#,
        r#"{"name":"Hello"}"#,
        r#"{"name":"h\u0435llo"}"#,
        r#"{"name":"=?base64?aGVsbG8=?="}"#,
        r#"{"name":""}"#,
        r#"{"name":"hello","arguments":[]}"#,
        r#"{"name":"hello","arguments":{},"arguments":{"a":1}}"#,
    ] {
        for version in VERSIONS {
            let params = match params.strip_prefix('{') {
                Some(rest) if version == "2026-07-28" => format!("{{{meta},{rest}"),
                _ => params.to_owned(),
            };
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            let response = smuggle(&fixture, version, &body).send(&fixture.app).await;
            assert!(
                response.status().is_client_error() || response.message()["error"].is_object(),
                "{version} {params}: {response:?}"
            );
            assert_eq!(fixture.runs(), 0, "{version} {params}: {response:?}");
        }
    }
}

#[tokio::test]
async fn malformed_envelopes_run_nothing() {
    let fixture = Fixture::new().await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hello","arguments":{}}}"#;
    for body in [
        format!("[{call}]"),
        format!("[{call},{call}]"),
        "[]".to_owned(),
        format!("{call}{call}"),
        format!("{call}]"),
        format!("\u{feff}{call}"),
        call.replace(r#""id":1,"#, r#""id":1,"method":"tools/list","#),
        call.replace("tools/call", "Tools/Call"),
        call.replace("tools/call", "tools/call "),
        call.replace("tools/call", "tools\\u002fcall\\u0000"),
        call.replace(r#""id":1"#, r#""id":{}"#),
        call.replace("2.0", "1.0"),
        String::new(),
        "{".to_owned(),
    ] {
        for version in ["2025-06-18", "2025-11-25"] {
            let response = smuggle(&fixture, version, &body).send(&fixture.app).await;
            assert!(
                response.status().is_client_error() || response.message()["error"].is_object(),
                "{version} {body}: {response:?}"
            );
            assert_eq!(fixture.runs(), 0, "{version} {body}: {response:?}");
        }
    }
    let utf16: Vec<u8> = call.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let request = smuggle(&fixture, "2025-11-25", "").body(utf16);
    assert!(request.send(&fixture.app).await.status().is_client_error());
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_malformed_call_is_known_as_such_and_not_as_an_unknown_method() {
    let fixture = Fixture::new().await;
    for params in [json!({}), json!({"name": 1})] {
        let response = McpRequest::new("tools/call", params).bearer(fixture.token("")).send(&fixture.app).await;
        assert!(response.status() == 200 || response.status() == 400, "{response:?}");
        assert!([-32602, -32020].contains(&response.message()["error"]["code"].as_i64().unwrap()), "{response:?}");
    }
}

#[tokio::test]
async fn headers_that_may_occur_once_are_refused_when_repeated() {
    let fixture = Fixture::new().await;
    for (name, value) in [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "hello"),
        ("mcp-session-id", "x"),
    ] {
        for other in [value, "other"] {
            let response = McpRequest::call("hello", json!({}))
                .header(name, value)
                .header(name, other)
                .bearer(fixture.token(""))
                .send(&fixture.app)
                .await;
            assert_eq!(response.status(), 400, "{name}: {response:?}");
        }
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn twins_of_the_path_reach_nothing() {
    let fixture = Fixture::new().await;
    for path in ["/mcp/", "//mcp", "/%6dcp", "/MCP", "/mcp/x", "/./mcp", "/", "/mcp%00", "/x/../mcp"] {
        let request = McpRequest::call("hello", json!({})).bearer(fixture.token("")).uri(path);
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 404, "{path}: {response:?}");
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn oversized_bodies_are_refused_whatever_their_length_header_says() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    let call = |size: usize| {
        let padding = " ".repeat(size);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"hello","arguments":{{}}}}{padding}}}"#
        );
        McpRequest::call("hello", json!({})).version("2025-11-25").bearer(&token).body(body)
    };
    assert_eq!(call(0).send(&fixture.app).await.status(), 200);
    let lying = call(5 * 1024 * 1024).header("content-length", "10");
    assert_eq!(lying.send(&fixture.app).await.status(), 413);
    assert_eq!(call(5 * 1024 * 1024).send(&fixture.app).await.status(), 413);
    assert_eq!(fixture.runs(), 1);
}
