//! A protected server as a part of somebody else's axum application.

use axum::{Router, routing::get};
use http::Method;
use serde_json::json;
use toolgate::{Extension, Tool, testkit::McpRequest};

use crate::fixture::{Fixture, METADATA_URL};

/// What the application knows about a request, and its tools may want to know.
#[derive(Clone)]
struct Tenant(&'static str);

async fn tenant(Extension(Tenant(name)): Extension<Tenant>) -> &'static str {
    name
}

/// An application with routes of its own, its own layers, and the MCP endpoint beside them.
fn application(fixture: &Fixture) -> Router {
    Router::new()
        .route("/health", get(|| async { "fine" }))
        .route_service("/mcp", fixture.server.service())
        .merge(fixture.server.metadata_router())
        .layer(axum::Extension(Tenant("acme")))
}

#[tokio::test]
async fn the_parts_work_in_an_existing_application() {
    let tool = Tool::new("tenant", "Name the tenant.", tenant).authenticated();
    let fixture = Fixture::with(|server| server.tool(tool)).await;
    let app = application(&fixture);
    let health = McpRequest::list_tools()
        .http_method(Method::GET)
        .uri("/health")
        .send(&app)
        .await;
    assert_eq!(health.body(), b"fine");

    let refused = McpRequest::call("add", json!({})).send(&app).await;
    assert_eq!(refused.status(), 401);
    let challenge = refused.challenge().unwrap();
    assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    let metadata = McpRequest::list_tools()
        .http_method(Method::GET)
        .uri("/.well-known/oauth-protected-resource/mcp")
        .send(&app)
        .await;
    assert_eq!(metadata.status(), 200);

    let call = McpRequest::call("add", json!({"a": 1, "b": 2}));
    assert_eq!(
        call.clone()
            .bearer(fixture.token(""))
            .send(&app)
            .await
            .status(),
        403
    );
    assert_eq!(
        call.bearer(fixture.token("mcp:tools"))
            .send(&app)
            .await
            .text(),
        "3"
    );
}

#[tokio::test]
async fn a_nested_service_that_loses_its_prefix_is_as_protected() {
    let fixture = Fixture::new().await;
    let app = Router::new().nest_service("/nested", fixture.server.service());
    for path in ["/nested", "/nested/", "/nested/mcp", "/nested/anything"] {
        let call = McpRequest::call("add", json!({"a": 1, "b": 2})).uri(path);
        assert_eq!(call.clone().send(&app).await.status(), 401, "{path}");
        assert_eq!(
            call.bearer(fixture.token("")).send(&app).await.status(),
            403,
            "{path}"
        );
    }
    assert_eq!(fixture.runs(), 0);
}
