//! `all(..)` and `any(..)` (R36, R37, R38).

use toolgate::{Problem, ScopeExpr, Server, Tool};

use crate::fixture::{Fixture, assert_challenged};

#[tokio::test]
async fn one_alternative_is_enough_and_the_challenge_names_the_first_advertised_one() {
    let fixture = Fixture::new().await;
    for held in ["", "notes:read", "notes:write", "linked:use"] {
        let response = fixture.call("replace", held).await;
        // `notes:delete` comes first, but is left to step-up.
        assert_challenged(&response, "notes:write linked:use");
    }
    for held in ["notes:delete", "notes:write linked:use"] {
        assert_eq!(fixture.call("replace", held).await.status(), 200, "{held}");
    }
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn where_no_alternative_is_advertised_the_challenge_names_the_first() {
    let fixture = Fixture::new().await;
    for held in ["", "notes:read", "notes:write"] {
        let response = fixture.call("delete", held).await;
        assert_challenged(&response, "notes:read notes:admin");
    }
    // `notes:admin` implies the other two.
    for held in ["notes:admin", "notes:read notes:delete"] {
        assert_eq!(fixture.call("delete", held).await.status(), 200, "{held}");
    }
}

#[tokio::test]
async fn whoever_is_granted_what_was_challenged_may_call() {
    let fixture = Fixture::new().await;
    for tool in ["read", "write", "replace", "delete", "hidden"] {
        let refused = fixture.call(tool, "").await;
        let challenge = refused.challenge().unwrap();
        let answered = fixture.call(tool, challenge.scope().unwrap()).await;
        assert_eq!(answered.status(), 200, "{tool}");
    }
}

#[test]
fn expressions_that_cannot_be_decided_on_stop_the_server() {
    async fn nothing() {}
    let problems = |scopes: ScopeExpr| {
        let tool = Tool::new("tool", "Do nothing.", nothing).scopes([scopes]);
        let server = Server::new("https://notes.example/mcp")
            .authorization_server("https://auth.example")
            .without_registered_tools();
        let error = server.tool(tool).build().unwrap_err();
        let problems = error.problems().iter().map(Problem::to_string);
        problems.collect::<Vec<_>>().join("\n")
    };
    let found = problems(ScopeExpr::any(Vec::<String>::new()));
    assert!(found.starts_with("`any` of no scope at all"), "{found}");
    let found = problems(ScopeExpr::all(Vec::<String>::new()));
    assert!(found.contains("does not say who may call it"), "{found}");
    let found = problems(ScopeExpr::any(["a", "b c"]));
    assert!(found.starts_with("`b c` is not a scope"), "{found}");
    let found = problems(ScopeExpr::any(["a", "openid"]));
    assert!(found.starts_with("`openid` cannot be required"), "{found}");
    let pair = |n: usize| ScopeExpr::any([format!("a{n}"), format!("b{n}")]);
    let found = problems(ScopeExpr::all((0..6).map(pair)));
    assert!(found.contains("more than 32 alternatives"), "{found}");
}
