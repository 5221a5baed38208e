//! Protected Resource Metadata ([RFC 9728]): what a client has to know before it can get a token.
//!
//! Written once from the configuration and the declarations, served to everybody.
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{Method, header};
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

use super::{
    core::Core,
    possession::Possession,
    refusal::Refusal,
    resource::{Resource, WELL_KNOWN},
};
use crate::declare::scope::ScopeName;

/// The document of `resource`. Members without a value are left out (RFC 9728 §3.2).
pub(crate) fn document(
    resource: &Resource,
    name: Option<&str>,
    issuers: &[String],
    scopes_supported: &[ScopeName],
    possession: &Possession,
) -> Bytes {
    let mut document = json!({
        "resource": resource.identifier(),
        "authorization_servers": issuers,
        "bearer_methods_supported": ["header"],
    });
    if !scopes_supported.is_empty() {
        let scopes: Vec<_> = scopes_supported.iter().map(ScopeName::as_str).collect();
        document["scopes_supported"] = json!(scopes);
    }
    if let Some(name) = name {
        document["resource_name"] = json!(name);
    }
    if let Some(algorithms) = possession.dpop_algorithms() {
        document["dpop_signing_alg_values_supported"] = json!(algorithms);
    }
    if possession.dpop_required() {
        document["dpop_bound_access_tokens_required"] = json!(true);
    }
    if possession.mutual_tls() {
        document["tls_client_certificate_bound_access_tokens"] = json!(true);
    }
    document.to_string().into()
}

/// Serves the document at the path-inserted and at the root well-known place.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let Some(document) = core.metadata.clone() else {
        return Router::new();
    };
    // The document is for everybody, scripts in browsers included; the name of the server is not for
    // everybody to choose. Both are said of these places only: layers on the router would also be around
    // what the application does not find.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(Any);
    let serve = get(move || {
        let document = document.clone();
        async move {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "public, max-age=300"),
            ];
            (headers, document)
        }
    })
    .layer(cors)
    .layer(middleware::from_fn_with_state(core.clone(), known_host));
    let path = core.resource.metadata_path();
    let mut router = Router::new()
        .without_v07_checks()
        .route(&path, serve.clone());
    if path != WELL_KNOWN {
        router = router.route(WELL_KNOWN, serve);
    }
    router
}

async fn known_host(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    match core.hosts.check_host(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(foreign) => Refusal::from(foreign)
            .into_response(&core, None)
            .into_response(),
    }
}
