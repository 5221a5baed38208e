//! What callers see of tools that they may not call (R58-R60, R67, R77-R79, T26).

use proptest::prelude::*;
use serde_json::{Value, json};
use toolgate::{ListMode, Server, testkit::McpRequest};

use crate::fixture::{Fixture, assert_challenged};

async fn list(fixture: &Fixture, scopes: &str, claims: &Value) -> Vec<String> {
    let request = McpRequest::list_tools().bearer(fixture.token(scopes, claims));
    let response = request.send(&fixture.app).await;
    let result = response.message()["result"].clone();
    assert_eq!(result["cacheScope"], "private");
    let tools = result["tools"].as_array().unwrap();
    let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
    tools.iter().map(name).collect()
}

const ALL: [&str; 15] = [
    "be_alice",
    "concealed",
    "delete",
    "find",
    "hello",
    "hidden",
    "look",
    "open",
    "pay",
    "read",
    "replace",
    "search",
    "tenant",
    "till",
    "users",
];

fn all_but(left_out: &[&str]) -> Vec<&'static str> {
    let mut all = [&ALL[..], &["write"]].concat();
    all.retain(|tool| !left_out.contains(tool));
    all
}

#[tokio::test]
async fn tools_are_shown_unless_they_say_otherwise_or_no_scope_would_help() {
    let fixture = Fixture::new().await;
    let admin = json!({"realm_access": {"roles": ["admin"]}});
    for (scopes, claims, left_out) in [
        (
            "",
            json!({}),
            &["concealed", "hidden", "tenant", "users"][..],
        ),
        ("notes:delete", json!({}), &["concealed", "tenant", "users"]),
        ("notes:admin", json!({}), &["tenant", "users"]),
        ("", admin, &["concealed", "hidden", "tenant"]),
    ] {
        assert_eq!(
            list(&fixture, scopes, &claims).await,
            all_but(left_out),
            "{scopes}"
        );
    }
}

#[tokio::test]
async fn a_hidden_tool_is_challenged_and_a_concealed_one_does_not_exist() {
    let fixture = Fixture::new().await;
    assert_challenged(&fixture.call("hidden", "").await, "notes:delete");
    for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        let call = |tool: &str, scopes: &str| {
            let call = McpRequest::call(tool, json!({})).version(version);
            call.bearer(fixture.token(scopes, &json!({})))
                .send(&fixture.app)
        };
        for scopes in ["", "notes:read", "notes:delete notes:write"] {
            let (concealed, unknown) = (
                call("concealed", scopes).await,
                call("no_such_tool", scopes).await,
            );
            assert_eq!(concealed.status(), unknown.status());
            assert_eq!(concealed.body(), unknown.body());
            assert_eq!(concealed.headers(), unknown.headers());
        }
        assert_eq!(call("concealed", "notes:admin").await.status(), 200);
    }
    assert_eq!(fixture.runs(), 3);
}

#[tokio::test]
async fn to_callers_without_a_token_a_concealed_tool_does_not_exist_either() {
    let fixture = Fixture::with(Server::allow_anonymous).await;
    let call = |tool| McpRequest::call(tool, json!({})).send(&fixture.app);
    let (concealed, unknown) = (call("concealed").await, call("no_such_tool").await);
    assert_eq!(concealed.status(), unknown.status());
    assert_eq!(concealed.body(), unknown.body());
    assert_eq!(concealed.headers(), unknown.headers());
    assert_eq!(call("hidden").await.status(), 401);
}

#[tokio::test]
async fn a_server_says_for_all_of_its_tools_how_they_are_listed() {
    let fixture = Fixture::with(|server| server.list(ListMode::Hide)).await;
    let listed = list(&fixture, "notes:read", &json!({})).await;
    assert_eq!(
        listed,
        [
            "be_alice", "find", "hello", "look", "open", "read", "search"
        ]
    );
    assert_challenged(&fixture.call("write", "").await, "notes:write");

    let fixture = Fixture::with(|server| server.list(ListMode::Conceal)).await;
    let refused = fixture.call("write", "notes:read").await;
    assert_eq!(refused.message()["error"]["code"], -32602);
    // A tool that says otherwise.
    assert_challenged(&fixture.call("hidden", "").await, "notes:delete");
}

const SCOPES: [&str; 6] = [
    "notes:read",
    "notes:write",
    "notes:delete",
    "notes:admin",
    "notes:secret",
    "linked:use",
];

/// What a tool is, as far as a caller can tell, who sees exactly what they may call.
fn agree(mode: ListMode, held: &[&str], admin: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let fixture = Fixture::with(|server| server.list(mode)).await;
        let role = if admin { "admin" } else { "user" };
        let claims = json!({"realm_access": {"roles": [role]}, "acr": "gold", "auth_time": 1});
        let scopes = held.join(" ");
        let listed = list(&fixture, &scopes, &claims).await;
        for tool in all_but(&[]) {
            let response = fixture.call_with(tool, json!({}), &scopes, &claims).await;
            let refused = response.status() != 200 || response.message()["error"]["code"] == -32602;
            assert_eq!(
                refused,
                !listed.iter().any(|listed| listed == tool),
                "{tool} for {scopes}: {response:?}"
            );
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whoever_sees_a_tool_may_call_it_and_nobody_else(
        held in prop::sample::subsequence(&SCOPES[..], 0..6),
        admin: bool,
        conceal: bool,
    ) {
        let mode = if conceal { ListMode::Conceal } else { ListMode::Hide };
        agree(mode, &held, admin);
    }
}
