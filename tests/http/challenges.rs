//! 401 and 403: which status, which challenge, which words (R31-R46, T30).

use serde_json::json;
use toolgate::{Server, testkit::McpRequest};

use crate::fixture::{Fixture, METADATA_URL, VERSIONS};

#[tokio::test]
async fn without_a_token_the_first_challenge_has_no_error_and_names_the_advertised_scopes() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        let response = McpRequest::call("add", json!({}))
            .version(version)
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 401, "{response:?}");
        let challenge = response.challenge().unwrap();
        assert_eq!(challenge.error(), None);
        assert_eq!(
            challenge.scope(),
            Some("linked:use mcp:tools notes:read notes:write")
        );
        assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_bad_token_is_401_invalid_token() {
    let fixture = Fixture::new().await;
    let response = McpRequest::call("add", json!({}))
        .bearer("garbage")
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 401);
    let challenge = response.challenge().unwrap();
    assert_eq!(challenge.error(), Some("invalid_token"));
    assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_token_without_the_scopes_is_403_and_the_challenge_names_all_of_them() {
    let fixture = Fixture::new().await;
    for version in VERSIONS {
        for held in [
            "",
            "mcp:tools",
            "notes:read",
            "notes:write",
            "NOTES:READ NOTES:WRITE",
        ] {
            let response = McpRequest::call("write_note", json!({}))
                .version(version)
                .bearer(fixture.token(held))
                .send(&fixture.app)
                .await;
            assert_eq!(response.status(), 403, "{version} {held}: {response:?}");
            let challenge = response.challenge().unwrap();
            assert_eq!(challenge.error(), Some("insufficient_scope"));
            assert_eq!(challenge.scope(), Some("notes:write notes:read"));
            assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
            let message = response.message();
            assert_eq!(message["id"], 1);
            assert_eq!(message["error"]["code"], 403);
            let words = message["error"]["message"].as_str().unwrap();
            assert!(words.starts_with("insufficient scope"), "{words}");
        }
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_token_with_exactly_the_challenged_scopes_succeeds() {
    let fixture = Fixture::new().await;
    for (tool, arguments) in [
        ("write_note", json!({})),
        ("add", json!({"a": 1, "b": 2})),
        ("delete-notes", json!({})),
    ] {
        let call = McpRequest::call(tool, arguments);
        let refused = call
            .clone()
            .bearer(fixture.token(""))
            .send(&fixture.app)
            .await;
        let challenge = refused.challenge().unwrap();
        let token = fixture.token(challenge.scope().unwrap());
        assert_eq!(
            call.bearer(token).send(&fixture.app).await.status(),
            200,
            "{tool}"
        );
    }
    assert_eq!(fixture.runs(), 3);
}

#[tokio::test]
async fn a_step_up_scope_is_challenged_though_it_is_not_advertised() {
    let fixture = Fixture::new().await;
    let response = McpRequest::call("delete-notes", json!({}))
        .bearer(fixture.token("mcp:tools notes:read notes:write"))
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.challenge().unwrap().scope(), Some("notes:delete"));
}

#[tokio::test]
async fn the_same_operation_is_challenged_with_the_same_bytes_every_time() {
    let fixture = Fixture::new().await;
    let mut seen = std::collections::BTreeSet::new();
    for held in ["", "notes:read", "other", "mcp:tools notes:delete"] {
        for _ in 0..3 {
            let call = McpRequest::call("write_note", json!({})).bearer(fixture.token(held));
            let response = call.send(&fixture.app).await;
            seen.insert((
                response.header("www-authenticate").unwrap().to_owned(),
                response.body().to_vec(),
            ));
        }
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn expired_beats_under_scoped() {
    let fixture = Fixture::new().await;
    let token = fixture
        .auth
        .mint("alice")
        .audience(crate::fixture::RESOURCE)
        .expired()
        .sign();
    let response = McpRequest::call("add", json!({}))
        .bearer(token)
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
}

#[tokio::test]
async fn an_authenticated_tool_needs_a_token_and_no_scope() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("whoami", json!({}));
    assert_eq!(call.clone().send(&fixture.app).await.status(), 401);
    let response = call.bearer(fixture.token("")).send(&fixture.app).await;
    assert_eq!(response.status(), 200);
    assert!(
        response.text().starts_with("alice of http://127.0.0.1:"),
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn a_public_tool_needs_a_token_unless_the_server_allows_anonymous_callers() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("hello", json!({}));
    assert_eq!(call.clone().send(&fixture.app).await.status(), 401);
    assert_eq!(
        call.bearer(fixture.token(""))
            .send(&fixture.app)
            .await
            .text(),
        "hello alice"
    );
}

#[tokio::test]
async fn an_anonymous_server_serves_public_tools_and_challenges_for_each_other_tool() {
    let fixture = Fixture::with(Server::allow_anonymous).await;
    for version in VERSIONS {
        let call = |tool| McpRequest::call(tool, json!({})).version(version);
        assert_eq!(
            call("hello").send(&fixture.app).await.text(),
            "hello stranger"
        );
        for (tool, scope) in [
            ("write_note", Some("notes:write notes:read")),
            ("add", Some("mcp:tools")),
            ("whoami", None),
        ] {
            let response = call(tool).send(&fixture.app).await;
            assert_eq!(response.status(), 401, "{tool}: {response:?}");
            let challenge = response.challenge().unwrap();
            assert_eq!(challenge.error(), None);
            assert_eq!(challenge.scope(), scope);
            assert_eq!(response.message()["id"], 1);
        }
        let bad = call("hello").bearer("garbage").send(&fixture.app).await;
        assert_eq!(bad.status(), 401, "a bad token is never taken for none");
        let good = call("hello")
            .bearer(fixture.token(""))
            .send(&fixture.app)
            .await;
        assert_eq!(good.text(), "hello alice");
    }
}

#[tokio::test]
async fn scopes_that_every_request_needs_are_in_each_403() {
    let fixture = Fixture::with(|server| server.require(["base"])).await;
    for version in VERSIONS {
        let send = |request: McpRequest, held: &str| {
            request
                .version(version)
                .bearer(fixture.token(held))
                .send(&fixture.app)
        };
        let call = McpRequest::call("add", json!({"a": 1, "b": 1}));
        for held in ["", "base", "mcp:tools"] {
            let response = send(call.clone(), held).await;
            assert_eq!(response.status(), 403, "{held}");
            assert_eq!(
                response.challenge().unwrap().scope(),
                Some("base mcp:tools")
            );
        }
        assert_eq!(send(call, "mcp:tools base").await.text(), "2");

        let response = send(McpRequest::list_tools(), "mcp:tools").await;
        assert_eq!(response.status(), 403, "{response:?}");
        assert_eq!(response.challenge().unwrap().scope(), Some("base"));
        assert_eq!(response.message()["id"], 1);
        assert_eq!(send(McpRequest::list_tools(), "base").await.status(), 200);

        assert_eq!(
            send(McpRequest::call("hello", json!({})), "")
                .await
                .status(),
            403
        );
        assert_eq!(
            send(McpRequest::call("hello", json!({})), "base")
                .await
                .text(),
            "hello alice"
        );
    }
    let discover = McpRequest::new("server/discover", json!({})).bearer(fixture.token(""));
    assert_eq!(discover.send(&fixture.app).await.status(), 403);
}

#[tokio::test]
async fn nothing_in_an_answer_tells_one_bad_token_from_another_and_nothing_is_reflected() {
    let fixture = Fixture::new().await;
    let mint = || {
        fixture
            .auth
            .mint("alice")
            .audience(crate::fixture::RESOURCE)
    };
    let stranger = toolgate::testkit::SigningKey::generate(jsonwebtoken::Algorithm::ES256);
    let mut bodies = std::collections::BTreeSet::new();
    for token in [
        "MARKER.MARKER.MARKER".to_owned(),
        mint().audience("https://MARKER.example").sign(),
        mint().without("aud").sign(),
        mint().claim("iss", "https://MARKER.example").sign(),
        mint().expired().sign(),
        mint().header("kid", "MARKER").sign(),
        mint().header("alg", "MARKER").sign(),
        mint().header("typ", "MARKER").sign(),
        mint().key(stranger).sign(),
    ] {
        let response = McpRequest::call("MARKER", json!({}))
            .bearer(&token)
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 401, "{response:?}");
        assert!(!format!("{response:?}").contains("MARKER"), "{response:?}");
        assert!(response.header("x-request-id").is_some());
        bodies.insert((
            response.header("www-authenticate").unwrap().to_owned(),
            response.body().to_vec(),
        ));
    }
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn refusals_carry_an_allow_list_of_headers_and_are_never_stored() {
    let fixture = Fixture::new().await;
    for request in [
        McpRequest::list_tools(),
        McpRequest::list_tools().bearer("garbage"),
        McpRequest::call("add", json!({})).bearer(fixture.token("")),
        McpRequest::list_tools().header("origin", "https://evil.example"),
    ] {
        let response = request.send(&fixture.app).await;
        assert!(response.status().is_client_error());
        let allowed = [
            "cache-control",
            "content-length",
            "content-type",
            "www-authenticate",
            "x-request-id",
        ];
        for name in response.headers().keys() {
            assert!(allowed.contains(&name.as_str()), "{name}");
        }
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn when_keys_cannot_be_had_the_answer_is_503_and_no_challenge() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    let app = fixture.app.clone();
    fixture.auth.shutdown().await;
    let response = McpRequest::call("add", json!({"a": 1, "b": 1}))
        .bearer(token)
        .send(&app)
        .await;
    assert_eq!(response.status(), 503, "{response:?}");
    assert!(response.challenge().is_none());
    assert!(response.header("retry-after").is_some());
}

#[tokio::test]
async fn whatever_is_answered_needs_the_scopes_that_every_request_needs() {
    let fixture = Fixture::with(|server| server.require(["base"])).await;
    let handshake = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    for (version, method, params) in [
        ("2025-11-25", "initialize", handshake),
        ("2025-11-25", "initialize", json!({})),
        ("2025-11-25", "ping", json!({})),
        ("2025-11-25", "tools/list", json!({})),
        ("2025-11-25", "tools/call", json!({})),
        ("2025-11-25", "tools/nope", json!({})),
        ("2026-07-28", "server/discover", json!({})),
        ("2026-07-28", "tools/list", json!({})),
        ("2026-07-28", "tools/nope", json!({})),
    ] {
        let request = McpRequest::new(method, params).version(version);
        let response = request.bearer(fixture.token("")).send(&fixture.app).await;
        assert_eq!(response.status(), 403, "{version} {method}: {response:?}");
        assert_eq!(response.challenge().unwrap().scope(), Some("base"));
    }
}
