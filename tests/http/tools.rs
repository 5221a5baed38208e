//! What tools take and answer (R54, R62, R66).

use std::time::Duration;

use serde_json::json;
use toolgate::testkit::McpRequest;

use crate::fixture::{Fixture, VERSIONS};

#[tokio::test]
async fn a_permitted_call_runs_once_and_answers_with_its_result() {
    let fixture = Fixture::new().await;
    for (n, version) in VERSIONS.into_iter().enumerate() {
        let call = McpRequest::call("add", json!({"a": 40, "b": 2})).version(version);
        let response = call
            .bearer(fixture.token("mcp:tools"))
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("set-cookie"), None);
        assert_eq!(response.text(), "42");
        assert_eq!(response.message()["id"], 1);
        let result_type = &response.message()["result"]["resultType"];
        assert_eq!(result_type == "complete", version == "2026-07-28");
        assert_eq!(fixture.runs(), n + 1);
    }
}

#[tokio::test]
async fn a_structured_result_is_given_as_json_and_as_text() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("read_notes", json!({})).bearer(fixture.token("notes:read"));
    let response = call.send(&fixture.app).await;
    let expected = json!({"owner": "alice", "notes": ["milk"]});
    assert_eq!(response.message()["result"]["structuredContent"], expected);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&response.text()).unwrap(),
        expected
    );
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_a_tool_error_and_never_reach_the_tool() {
    let fixture = Fixture::new().await;
    for arguments in [
        json!({}),
        json!({"a": 1}),
        json!({"a": "1", "b": 2}),
        json!({"a": 1.5, "b": 2}),
        json!({"a": null, "b": 1}),
    ] {
        let call = McpRequest::call("add", arguments.clone()).bearer(fixture.token("mcp:tools"));
        let response = call.send(&fixture.app).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.message()["result"]["isError"], true, "{arguments}");
        assert!(
            response.text().starts_with("invalid arguments: "),
            "{}",
            response.text()
        );
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn what_only_the_schema_says_is_checked_too() {
    let fixture = Fixture::new().await;
    let roll = |arguments: serde_json::Value| {
        McpRequest::call("roll", arguments)
            .bearer(fixture.token(""))
            .send(&fixture.app)
    };
    for arguments in [
        json!({"count": 0}),
        json!({"count": 7}),
        json!({"count": 2, "name": "Bob"}),
        json!({"count": 2, "name": "waytoolong"}),
    ] {
        let response = roll(arguments.clone()).await;
        assert_eq!(response.message()["result"]["isError"], true, "{arguments}");
        assert!(
            response.text().starts_with("invalid arguments: "),
            "{}",
            response.text()
        );
    }
    assert_eq!(fixture.runs(), 0);
    assert_eq!(
        roll(json!({"count": 6, "name": "bob"})).await.text(),
        "6 bob"
    );
}

#[tokio::test]
async fn who_may_not_call_learns_nothing_about_the_arguments() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("add", json!({"a": "wrong"})).bearer(fixture.token("notes:read"));
    assert_eq!(call.send(&fixture.app).await.status(), 403);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let call = McpRequest::call("nope", json!({}))
            .version(version)
            .bearer(fixture.token(""));
        let response = call.send(&fixture.app).await;
        assert_eq!(response.message()["error"]["code"], -32602);
        assert_eq!(response.message()["id"], 1);
        assert!(!String::from_utf8_lossy(response.body()).contains("nope"));
    }
}

#[tokio::test]
async fn an_error_of_a_tool_is_a_result_and_a_panic_is_not_told() {
    let fixture = Fixture::new().await;
    let failed = McpRequest::call("fail", json!({}))
        .bearer(fixture.token(""))
        .send(&fixture.app)
        .await;
    assert_eq!(failed.message()["result"]["isError"], true);
    assert_eq!(failed.text(), "the cat ate it");

    let panicked = McpRequest::call("panic", json!({}))
        .bearer(fixture.token(""))
        .send(&fixture.app)
        .await;
    assert_eq!(panicked.message()["error"]["code"], -32603);
    assert_eq!(panicked.message()["id"], 1);
    assert!(!format!("{panicked:?}").contains("secret detail"));
}

#[tokio::test]
async fn a_tool_sees_its_own_caller_however_many_there_are() {
    let fixture = Fixture::new().await;
    let calls = (0..64).map(|n| {
        let name = format!("user-{n}");
        let token = fixture
            .auth
            .mint(&name)
            .audience(crate::fixture::RESOURCE)
            .client_id("cli")
            .sign();
        let app = fixture.app.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                let call = McpRequest::call("whoami", json!({})).bearer(&token);
                let text = call.send(&app).await.text();
                assert!(text.starts_with(&format!("{name} of ")), "{text}");
                tokio::task::yield_now().await;
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(fixture.runs(), 640);
}

#[tokio::test]
async fn the_subject_of_another_issuer_is_another_user() {
    let other = toolgate::testkit::AuthorizationServer::new()
        .start()
        .await
        .unwrap();
    let issuer = other.issuer().to_owned();
    let fixture = Fixture::with(move |server| server.authorization_server(issuer)).await;
    let mut answers = Vec::new();
    for auth in [&fixture.auth, &other] {
        let token = auth.mint("alice").audience(crate::fixture::RESOURCE).sign();
        let response = McpRequest::call("whoami", json!({}))
            .bearer(token)
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 200, "{response:?}");
        answers.push(response.text());
    }
    assert_ne!(answers[0], answers[1]);
    let crossed = other
        .mint("alice")
        .audience(crate::fixture::RESOURCE)
        .claim("iss", fixture.auth.issuer());
    let response = McpRequest::call("whoami", json!({}))
        .bearer(crossed.sign())
        .send(&fixture.app)
        .await;
    assert_eq!(
        response.status(),
        401,
        "a key of one issuer speaks for no other"
    );
}

#[tokio::test]
async fn a_panic_before_a_tool_has_begun_is_answered_too() {
    struct NoTwin;
    impl Clone for NoTwin {
        fn clone(&self) -> Self {
            panic!("secret detail")
        }
    }
    let twin = NoTwin;
    let handler = move || {
        let _ = &twin;
        async {}
    };
    let tool = toolgate::Tool::new("twin", "Be cloned.", handler).authenticated();
    let fixture = Fixture::with(|server| server.tool(tool)).await;
    for version in VERSIONS {
        let call = McpRequest::call("twin", json!({})).version(version);
        let call = call.bearer(fixture.token(""));
        let answer = tokio::time::timeout(Duration::from_secs(5), call.send(&fixture.app));
        let response = answer.await.expect("an answer");
        assert_eq!(response.message()["error"]["code"], -32603, "{response:?}");
        assert!(!format!("{response:?}").contains("secret detail"));
    }
}
