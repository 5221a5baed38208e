//! Host, Origin and CORS (R83, R84, R94, T28).

use http::Method;
use serde_json::json;
use toolgate::testkit::McpRequest;

use crate::fixture::Fixture;

#[tokio::test]
async fn a_foreign_origin_is_403_before_authentication_and_without_a_challenge() {
    let fixture = Fixture::new().await;
    let good = fixture.token("mcp:tools");
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:81",
        "https://localhost",
    ] {
        for request in [
            McpRequest::list_tools(),
            McpRequest::call("add", json!({"a": 1, "b": 1})).bearer(&good),
        ] {
            let response = request.header("origin", origin).send(&fixture.app).await;
            assert_eq!(response.status(), 403, "{origin}");
            assert!(response.challenge().is_none());
        }
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn pages_of_the_server_itself_may_use_it() {
    let fixture = Fixture::new().await;
    for origin in ["http://127.0.0.1", "http://localhost", "http://[::1]"] {
        let request = McpRequest::list_tools()
            .bearer(fixture.token(""))
            .header("origin", origin);
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 200, "{origin}");
        assert_eq!(response.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_every_path() {
    let fixture = Fixture::new().await;
    let good = fixture.token("");
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "169.254.169.254",
    ] {
        let response = McpRequest::list_tools()
            .bearer(&good)
            .header("host", host)
            .send(&fixture.app)
            .await;
        assert_eq!(response.status(), 403, "{host}");
        assert!(response.challenge().is_none());
        let metadata = McpRequest::list_tools()
            .http_method(Method::GET)
            .uri("/.well-known/oauth-protected-resource")
            .header("host", host);
        assert_eq!(metadata.send(&fixture.app).await.status(), 403, "{host}");
    }
}

#[tokio::test]
async fn an_allowed_origin_gets_cors_also_on_refusals() {
    let fixture = Fixture::with(|server| server.allow_origin("https://app.example.com")).await;
    let from = |origin| McpRequest::list_tools().header("origin", origin);

    let refused = from("https://app.example.com").send(&fixture.app).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    let exposed = refused
        .header("access-control-expose-headers")
        .unwrap()
        .to_lowercase();
    assert!(exposed.contains("www-authenticate"));

    let under_scoped = McpRequest::call("add", json!({}))
        .bearer(fixture.token(""))
        .header("origin", "https://app.example.com")
        .send(&fixture.app)
        .await;
    assert_eq!(under_scoped.status(), 403);
    assert_eq!(
        under_scoped.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );

    let preflight = from("https://app.example.com")
        .http_method(Method::OPTIONS)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,mcp-method,mcp-param-region",
        )
        .send(&fixture.app)
        .await;
    assert_eq!(preflight.status(), 200);
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    assert!(
        allowed.contains("authorization") && allowed.contains("mcp-param-region"),
        "{allowed}"
    );
    assert_eq!(preflight.header("access-control-allow-credentials"), None);

    let foreign = from("https://evil.example")
        .bearer(fixture.token(""))
        .send(&fixture.app)
        .await;
    assert_eq!(foreign.status(), 403);
    assert_ne!(
        foreign.header("access-control-allow-origin"),
        Some("https://evil.example")
    );
}

#[tokio::test]
async fn without_allowed_origins_there_is_no_cors() {
    let fixture = Fixture::new().await;
    let response = McpRequest::list_tools().send(&fixture.app).await;
    assert_eq!(response.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn only_json_is_taken() {
    let fixture = Fixture::new().await;
    let good = fixture.token("mcp:tools");
    let call = |kind: &str| {
        let call = McpRequest::call("add", json!({"a": 1, "b": 1})).bearer(&good);
        call.header("content-type", kind).send(&fixture.app)
    };
    assert_eq!(call("application/json; charset=utf-8").await.status(), 200);
    assert_eq!(call("Application/JSON").await.status(), 200);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "",
    ] {
        assert_eq!(call(kind).await.status(), 415, "{kind}");
    }
    assert_eq!(fixture.runs(), 2);
}
