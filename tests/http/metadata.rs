//! Protected Resource Metadata (R4-R16, T29).

use http::Method;
use serde_json::{Value, json};
use toolgate::testkit::{McpRequest, McpResponse};

use crate::fixture::{Fixture, METADATA_URL, RESOURCE};

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const ROOT: &str = "/.well-known/oauth-protected-resource";

async fn get(fixture: &Fixture, path: &str) -> McpResponse {
    McpRequest::list_tools()
        .http_method(Method::GET)
        .uri(path)
        .body("")
        .send(&fixture.app)
        .await
}

#[tokio::test]
async fn the_document_is_generated_from_the_declarations_byte_for_byte() {
    let fixture = Fixture::new().await;
    for path in [PATH, ROOT] {
        let response = get(&fixture, path).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(
            response.header("cache-control"),
            Some("public, max-age=300")
        );
        assert_eq!(
            response.message(),
            json!({
                "resource": RESOURCE,
                "resource_name": "127.0.0.1",
                "authorization_servers": [fixture.auth.issuer()],
                "bearer_methods_supported": ["header"],
                "scopes_supported": ["linked:use", "mcp:tools", "notes:read", "notes:write"],
            })
        );
        assert_eq!(response.body(), get(&fixture, path).await.body());
    }
}

#[tokio::test]
async fn the_challenge_names_the_url_at_which_the_document_is_served() {
    let fixture = Fixture::new().await;
    let challenge = McpRequest::list_tools()
        .send(&fixture.app)
        .await
        .challenge()
        .unwrap();
    let url = challenge.resource_metadata().unwrap();
    assert_eq!(url, METADATA_URL);
    let document = get(&fixture, url.strip_prefix("http://127.0.0.1").unwrap())
        .await
        .message();
    let resource = document["resource"].as_str().unwrap();
    let (origin, path) = resource.split_at(resource.rfind('/').unwrap());
    assert_eq!(
        url,
        format!("{origin}/.well-known/oauth-protected-resource{path}")
    );
}

#[tokio::test]
async fn other_places_below_the_well_known_prefix_are_404() {
    let fixture = Fixture::new().await;
    for path in [
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/mcp/x",
        "/mcp/.well-known/oauth-protected-resource",
        "/.well-known/oauth-authorization-server",
    ] {
        assert_eq!(get(&fixture, path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn what_a_request_says_about_the_server_is_ignored() {
    let fixture = Fixture::new().await;
    let plain = get(&fixture, PATH).await;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("x-original-url", "/evil"),
        ("host", "localhost:9999"),
    ] {
        let request = McpRequest::list_tools()
            .http_method(Method::GET)
            .uri(PATH)
            .header(name, value);
        assert_eq!(request.send(&fixture.app).await.body(), plain.body());
        let refused = McpRequest::list_tools()
            .header(name, value)
            .send(&fixture.app)
            .await;
        assert_eq!(
            refused.challenge().unwrap().resource_metadata(),
            Some(METADATA_URL)
        );
    }
}

#[tokio::test]
async fn browsers_may_read_it_from_anywhere_and_without_a_token() {
    let fixture = Fixture::new().await;
    let request = |method: Method| {
        McpRequest::list_tools()
            .http_method(method)
            .uri(PATH)
            .header("origin", "https://app.example")
            .body("")
    };
    let response = request(Method::GET).send(&fixture.app).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));

    let preflight = request(Method::OPTIONS)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version")
        .send(&fixture.app)
        .await;
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert!(preflight.header("access-control-allow-headers").is_some());

    let head = request(Method::HEAD).send(&fixture.app).await;
    assert_eq!((head.status().as_u16(), head.body()), (200, &b""[..]));
    assert_eq!(request(Method::POST).send(&fixture.app).await.status(), 405);
}

#[tokio::test]
async fn a_server_without_scopes_has_no_scopes_supported() {
    async fn ping() {}
    let fixture = Fixture::with(|server| {
        server
            .without_registered_tools()
            .tool(toolgate::Tool::new("ping", "Answer.", ping).authenticated())
    })
    .await;
    let document = get(&fixture, PATH).await.message();
    assert_eq!(document.get("scopes_supported"), None);
    let challenge = McpRequest::list_tools()
        .send(&fixture.app)
        .await
        .challenge()
        .unwrap();
    assert_eq!(challenge.scope(), None);
}

#[tokio::test]
async fn the_identifier_is_published_in_canonical_form() {
    for (configured, published, path) in [
        ("https://H.example/", "https://h.example", ROOT),
        (
            "https://h.example:8443/a/mcp",
            "https://h.example:8443/a/mcp",
            "/.well-known/oauth-protected-resource/a/mcp",
        ),
    ] {
        async fn ping() {}
        let server = toolgate::Server::new(configured)
            .authorization_server("https://auth.example")
            .without_registered_tools()
            .tool(toolgate::Tool::new("ping", "Answer.", ping).authenticated())
            .build()
            .unwrap();
        assert_eq!(server.resource(), published);
        let request = McpRequest::list_tools().http_method(Method::GET).uri(path);
        let document: Value = request.send(&server.router()).await.message();
        assert_eq!(document["resource"], published);
    }
}

#[tokio::test]
async fn a_server_on_which_nothing_is_protected_needs_no_authorization_and_publishes_none() {
    async fn ping() -> &'static str {
        "pong"
    }
    let app = toolgate::Server::new("http://127.0.0.1/mcp")
        .allow_anonymous()
        .without_registered_tools()
        .tool(toolgate::Tool::new("ping", "Answer.", ping).public())
        .build()
        .unwrap()
        .router();
    assert_eq!(
        McpRequest::call("ping", json!({})).send(&app).await.text(),
        "pong"
    );
    let document = McpRequest::list_tools()
        .http_method(Method::GET)
        .uri(PATH)
        .send(&app)
        .await;
    assert_eq!(document.status(), 404);
}

#[tokio::test]
async fn the_metadata_opens_no_other_place_to_scripts() {
    let fixture = Fixture::with(|server| server.allow_origin("https://app.example.com")).await;
    let metadata = fixture.server.metadata_router();
    for app in [&fixture.app, &metadata] {
        for method in [Method::OPTIONS, Method::GET] {
            let request = McpRequest::list_tools()
                .http_method(method.clone())
                .uri("/of-the-application")
                .header("origin", "https://app.example.com")
                .header("access-control-request-method", "GET");
            let response = request.send(app).await;
            assert_eq!(response.status(), 404, "{method}: {response:?}");
            assert_eq!(response.header("access-control-allow-origin"), None);
        }
    }
}
