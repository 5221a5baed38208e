//! Where credentials are looked for, and where not (R17-R22, R26, T1-T5, T39).

use serde_json::json;
use toolgate::testkit::McpRequest;

use crate::fixture::{Fixture, RESOURCE};

fn call() -> McpRequest {
    McpRequest::call("add", json!({"a": 1, "b": 2}))
}

#[tokio::test]
async fn the_scheme_is_matched_without_case_and_everything_else_exactly() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    for (value, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (format!("BEARER  {token}"), 200),
        (format!("Bearer\t{token}"), 400),
        (format!("Bearer {token} x"), 400),
        (format!("Bearer {token}, x=\"y\""), 400),
        (format!("Bearer {token},Bearer {token}"), 400),
        ("Bearer".to_owned(), 400),
        ("Bearer ".to_owned(), 400),
        (format!("Bearer={token}"), 400),
        (token.clone(), 400),
        (format!("Token {token}"), 401),
        ("Basic YWxpY2U6cHc=".to_owned(), 401),
    ] {
        let response = call()
            .header("authorization", &value)
            .send(&fixture.app)
            .await;
        let shape = value.replace(&token, "<token>");
        // A token alone reads as a scheme of that name.
        let accepted =
            response.status() == status || (shape == "<token>" && response.status() == 401);
        assert!(accepted, "{shape:?}: {response:?}");
        if response.status() == 401 {
            assert_eq!(response.challenge().unwrap().error(), None, "{shape:?}");
        }
    }
    assert_eq!(fixture.runs(), 3);
}

#[tokio::test]
async fn two_authorization_headers_are_refused_in_either_order_and_when_equal() {
    let fixture = Fixture::new().await;
    let good = fixture.token("mcp:tools");
    for (first, second) in [(good.as_str(), "bad"), ("bad", &good), (&good, &good)] {
        let response = call().bearer(first).bearer(second).send(&fixture.app).await;
        assert_eq!(response.status(), 400, "{response:?}");
        assert!(response.challenge().is_none());
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn a_token_anywhere_else_than_in_the_header_is_not_seen() {
    let fixture = Fixture::new().await;
    let token = fixture.token("mcp:tools");
    for request in [
        call().uri(format!("/mcp?access_token={token}")),
        call().header("cookie", format!("access_token={token}")),
        call().header("x-access-token", &token),
        call().header("x-forwarded-user", "alice"),
        call().header("proxy-authorization", format!("Bearer {token}")),
        McpRequest::call("add", json!({"a": 1, "b": 2, "access_token": token})),
        McpRequest::new(
            "tools/call",
            json!({"name": "add", "arguments": {}, "access_token": token}),
        ),
    ] {
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 401, "{response:?}");
        assert_eq!(response.challenge().unwrap().error(), None);
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn every_request_is_authorized_on_its_own() {
    let fixture = Fixture::new().await;
    assert_eq!(
        call()
            .bearer(fixture.token("mcp:tools"))
            .send(&fixture.app)
            .await
            .status(),
        200
    );
    assert_eq!(call().send(&fixture.app).await.status(), 401);
    assert_eq!(
        call()
            .bearer(fixture.token(""))
            .send(&fixture.app)
            .await
            .status(),
        403
    );
    let session = call().header("mcp-session-id", "of-somebody-else");
    assert_eq!(session.clone().send(&fixture.app).await.status(), 401);
    let response = session
        .bearer(fixture.token("mcp:tools"))
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 200, "a session id changes nothing");
    assert_eq!(response.header("mcp-session-id"), None);
}

#[tokio::test]
async fn tokens_for_other_audiences_are_refused() {
    let fixture = Fixture::new().await;
    let with = |audience: serde_json::Value| {
        let token = fixture
            .auth
            .mint("alice")
            .scopes(["mcp:tools"])
            .claim("aud", audience)
            .sign();
        call().bearer(token).send(&fixture.app)
    };
    assert_eq!(with(json!(RESOURCE)).await.status(), 200);
    assert_eq!(
        with(json!(["https://other.example", RESOURCE]))
            .await
            .status(),
        200
    );
    assert_eq!(
        with(json!("HTTP://127.0.0.1/mcp")).await.status(),
        200,
        "scheme and host have no case"
    );
    for audience in [
        json!("https://other.example/mcp"),
        json!("http://127.0.0.1"),
        json!("http://127.0.0.1/"),
        json!("http://127.0.0.1/mcp/"),
        json!("http://127.0.0.1/mcp2"),
        json!("http://127.0.0.1/MCP"),
        json!("http://127.0.0.1/mcp/other"),
        json!("127.0.0.1"),
        json!("*"),
        json!([]),
        json!(["https://other.example"]),
        json!(1),
        json!(null),
        json!({"aud": RESOURCE}),
    ] {
        assert_eq!(with(audience.clone()).await.status(), 401, "{audience}");
    }
    let token = fixture
        .auth
        .mint("alice")
        .scopes(["mcp:tools"])
        .audience(RESOURCE)
        .without("aud")
        .sign();
    assert_eq!(call().bearer(token).send(&fixture.app).await.status(), 401);
    assert_eq!(fixture.runs(), 3);
}

#[tokio::test]
async fn tampered_unsigned_and_foreign_tokens_never_reach_a_tool() {
    let fixture = Fixture::new().await;
    let good = fixture.token("mcp:tools");
    let mint = || {
        fixture
            .auth
            .mint("alice")
            .scopes(["mcp:tools"])
            .audience(RESOURCE)
    };
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let stranger = toolgate::testkit::SigningKey::generate(jsonwebtoken::Algorithm::ES256);
    for token in [
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", "A".repeat(signature.len())),
        format!("{header}x.{payload}.{signature}"),
        format!(
            "{header}.{}.{signature}",
            mint().sign().split('.').nth(1).unwrap()
        ),
        format!("eyJhbGciOiJub25lIn0.{payload}."),
        format!("eyJhbGciOiJub25lIn0.{payload}.{signature}"),
        mint().key(stranger).sign(),
        mint().claim("nbf", 99_999_999_999_u64).sign(),
        mint().without("exp").sign(),
        mint().without("sub").sign(),
        mint().without("iss").sign(),
        mint().claim("iss", "http://127.0.0.1:1").sign(),
        mint().header("typ", "id_token").sign(),
        mint().header("typ", "oauth-id-jag+jwt").sign(),
        mint().header("crit", json!(["b64"])).sign(),
        mint().claim("cnf", json!({"jkt": "x"})).sign(),
    ] {
        let response = call().bearer(&token).send(&fixture.app).await;
        assert_eq!(response.status(), 401, "{token}: {response:?}");
        assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn scopes_may_come_as_scope_or_as_scp() {
    let fixture = Fixture::new().await;
    let mint = || {
        fixture
            .auth
            .mint("alice")
            .audience(RESOURCE)
            .without("scope")
    };
    for claim in [json!("other mcp:tools"), json!(["other", "mcp:tools"])] {
        let response = call()
            .bearer(mint().claim("scp", claim).sign())
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 200, "{response:?}");
    }
    for token in [
        mint().sign(),
        mint().claim("scp", json!("mcp:tool")).sign(),
        mint()
            .claim("scope", "mcp:toolsx xmcp:tools mcp tools")
            .sign(),
        mint().claim("permissions", json!(["mcp:tools"])).sign(),
        mint().claim("roles", json!(["mcp:tools"])).sign(),
    ] {
        assert_eq!(call().bearer(token).send(&fixture.app).await.status(), 403);
    }
}

#[tokio::test]
async fn without_a_token_the_body_is_not_read() {
    let fixture = Fixture::new().await;
    for body in ["", "{", "[]", "null", "\u{0}"] {
        assert_eq!(call().body(body).send(&fixture.app).await.status(), 401);
        assert_eq!(
            call()
                .body(body)
                .bearer("bad")
                .send(&fixture.app)
                .await
                .status(),
            401
        );
    }
    let endless = axum::body::Body::from_stream(endless());
    let request = http::Request::post("/mcp")
        .header("host", "127.0.0.1")
        .body(endless)
        .unwrap();
    let response = tower::ServiceExt::oneshot(fixture.app.clone(), request)
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
}

fn endless() -> impl futures_util::Stream<Item = Result<&'static [u8], std::io::Error>> {
    futures_util::stream::poll_fn(|_| panic!("the body was read"))
}

#[tokio::test]
async fn a_tool_cannot_reach_the_token() {
    let fixture = Fixture::new().await;
    let token = fixture.token("");
    let response = McpRequest::call("dump", json!({}))
        .bearer(&token)
        .header("cookie", "session=c00kie")
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 200);
    let text = response.text();
    assert!(
        text.contains("mcp-name"),
        "the tool sees the request: {text}"
    );
    for part in token.split('.').chain(["c00kie"]) {
        assert!(!text.contains(part));
    }
    assert!(!text.to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn a_tool_sees_no_credential_session_or_stream_of_any_kind() {
    let fixture = Fixture::new().await;
    let token = fixture.token("");
    let headers = [
        ("dpop", "pr00f"),
        ("cookie", "s=pr00f"),
        ("proxy-authorization", "Basic pr00f"),
        ("mcp-session-id", "pr00f"),
        ("last-event-id", "pr00f"),
    ];
    let mut call = McpRequest::call("dump", json!({})).bearer(&token);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let text = call.send(&fixture.app).await.text();
    assert!(text.contains("mcp-name"), "the tool sees the request");
    assert!(!text.contains("pr00f"), "{text}");
    for (name, _) in headers {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

#[tokio::test]
async fn changing_what_a_client_says_about_itself_changes_no_decision() {
    let fixture = Fixture::new().await;
    let meta = |client: &str| json!({"name": "add", "arguments": {}, "user_id": "root", "_meta": {"clientInfo": {"name": client}}});
    for client in ["inspector", "admin"] {
        let request = McpRequest::new("tools/call", meta(client)).version("2025-11-25");
        let response = request
            .bearer(fixture.token("notes:read"))
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 403);
    }
}
