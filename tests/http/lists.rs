//! `tools/list` (R58-R61, R76-R79, T26).

use serde_json::{Value, json};
use toolgate::testkit::McpRequest;

use crate::fixture::{Fixture, VERSIONS};

async fn list(fixture: &Fixture, version: &str, scopes: &str) -> Value {
    let request = McpRequest::list_tools()
        .version(version)
        .bearer(fixture.token(scopes));
    request.send(&fixture.app).await.message()["result"].clone()
}

#[tokio::test]
async fn tools_are_sorted_and_described_with_their_schemas() {
    let fixture = Fixture::new().await;
    let result = list(&fixture, "2026-07-28", "").await;
    let tools = result["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let expected = [
        "add",
        "delete-notes",
        "dump",
        "fail",
        "hello",
        "linked.answer",
        "panic",
        "read_notes",
        "roll",
        "slow",
        "whoami",
        "write_note",
    ];
    assert_eq!(names, expected);

    assert_eq!(tools[0]["description"], "Add two numbers.");
    assert_eq!(tools[0]["inputSchema"]["type"], "object");
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["a", "b"]));
    assert_eq!(tools[0].get("outputSchema"), None);

    let read = &tools[7];
    assert_eq!(read["title"], "Read notes");
    assert_eq!(
        read["inputSchema"],
        json!({"type": "object", "properties": {}})
    );
    assert_eq!(read["outputSchema"]["required"], json!(["owner", "notes"]));
}

#[tokio::test]
async fn the_list_is_the_same_for_every_caller_before_and_after_calls() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let first = list(&fixture, version, "").await;
        assert!(!first["tools"].as_array().unwrap().is_empty());
        let call = McpRequest::call("read_notes", json!({})).bearer(fixture.token("notes:read"));
        assert_eq!(call.send(&fixture.app).await.status(), 200);
        for _ in 0..20 {
            assert_eq!(list(&fixture, version, "notes:read mcp:tools").await, first);
        }
        let other = Fixture::new().await;
        assert_eq!(list(&other, version, "").await, first);
    }
}

#[tokio::test]
async fn a_list_with_protected_tools_is_private() {
    let fixture = Fixture::new().await;
    let result = list(&fixture, "2026-07-28", "").await;
    assert_eq!(result["cacheScope"], "private");
    assert_eq!(result["ttlMs"], 60_000);
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn a_list_of_public_tools_that_anybody_may_see_is_public() {
    async fn ping() {}
    let tool = toolgate::Tool::new("ping", "Answer.", ping).public();
    let fixture = Fixture::with(|server| {
        server
            .without_registered_tools()
            .allow_anonymous()
            .tool(tool)
    })
    .await;
    let result = McpRequest::list_tools().send(&fixture.app).await.message()["result"].clone();
    assert_eq!(result["cacheScope"], "public");
}

#[tokio::test]
async fn a_cursor_that_nobody_gave_out_is_refused() {
    let fixture = Fixture::new().await;
    let request = McpRequest::new("tools/list", json!({"cursor": "x"})).bearer(fixture.token(""));
    assert_eq!(
        request.send(&fixture.app).await.message()["error"]["code"],
        -32602
    );
}
