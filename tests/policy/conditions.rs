//! Roles, tenants and other claims: what no scope helps against (R43).

use std::time::Duration;

use serde_json::{Value, json};
use toolgate::{Condition, Problem, Server, Tool};

use crate::fixture::{Fixture, assert_challenged, assert_forbidden};

#[tokio::test]
async fn a_denial_that_no_scope_would_change_is_a_plain_403() {
    let fixture = Fixture::new().await;
    let call = |tool, scopes, claims: Value| {
        let fixture = &fixture;
        async move { fixture.call_with(tool, json!({}), scopes, &claims).await }
    };
    let admin = json!({"realm_access": {"roles": ["user", "admin"]}});
    let contoso = json!({"realm_access": {"roles": ["admin"]}, "tid": "contoso"});
    for claims in [
        json!({}),
        json!({"realm_access": {"roles": "admin"}}),
        json!({"realm_access": {"roles": ["Admin"]}}),
        json!({"realm_access.roles": ["admin"]}),
    ] {
        for scopes in ["", "notes:read", "notes:admin"] {
            assert_forbidden(&call("users", scopes, claims.clone()).await);
        }
    }
    assert_eq!(fixture.runs(), 0);
    assert_challenged(&call("users", "", admin.clone()).await, "notes:read");
    assert_eq!(
        call("users", "notes:read", admin.clone()).await.status(),
        200
    );

    assert_forbidden(&call("tenant", "", admin).await);
    assert_eq!(call("tenant", "", contoso).await.status(), 200);
    assert_eq!(fixture.runs(), 2);
}

async fn nothing() {}

fn problems(tool: Tool) -> Vec<String> {
    let server = Server::new("https://notes.example/mcp")
        .authorization_server("https://auth.example")
        .without_registered_tools();
    match server.tool(tool).build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(Problem::to_string).collect(),
    }
}

#[test]
fn conditions_that_mean_nothing_stop_the_server() {
    let tool = || Tool::new("tool", "Do nothing.", nothing).authenticated();
    assert_eq!(
        problems(tool().policy(Condition::claim("/a").exists())),
        [""; 0]
    );
    for (pointer, words) in [
        ("realm.roles", "`realm.roles` is not a JSON pointer"),
        ("", "`` is not a JSON pointer"),
        ("/scope", "scopes are not for conditions"),
    ] {
        let found = problems(tool().policy(Condition::claim(pointer).exists()));
        assert!(
            found[0].starts_with("the policy of tool `tool` (tests/policy/conditions.rs:"),
            "{found:?}"
        );
        assert!(found[0].contains(words), "{found:?}");
    }
    for acr in ["", "a b", "a\"b", "a\r\nb"] {
        let found = problems(tool().acr([acr]));
        assert!(found[0].contains("is not an `acr` value"), "{found:?}");
        assert!(!found[0].contains('\r'), "{found:?}");
    }
}

#[test]
fn nothing_can_be_asked_of_the_callers_of_a_public_tool() {
    let tool = || Tool::new("tool", "Do nothing.", nothing).public();
    assert_eq!(problems(tool()), [""; 0]);
    for tool in [
        tool().acr(["gold"]),
        tool().max_age(Duration::from_secs(1)),
        tool().policy(Condition::claim("/a").exists()),
    ] {
        let found = problems(tool);
        assert!(
            found[0].contains("is public, so nothing can be asked"),
            "{found:?}"
        );
    }
}
