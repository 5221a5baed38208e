//! Which endpoint answers what, and what holds for all of them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use url::Url;

use super::{
    authorize, client::is_loopback, consent, introspect, issuer::Issuer, metadata,
    refusal::Refusal, register, revoke, token,
};

const BODY_LIMIT: usize = 64 * 1024;

pub(super) fn router(issuer: Arc<Issuer>) -> Router {
    // Browser clients read these from their own origin. The pages are for no script to read.
    let open = Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata::document),
        )
        .route("/.well-known/openid-configuration", get(metadata::document))
        .route("/jwks", get(metadata::jwks))
        .route("/register", post(register::register))
        .route("/token", post(token::token))
        .route("/revoke", post(revoke::revoke))
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::GET, Method::POST])
                .allow_headers(AllowHeaders::mirror_request()),
        );
    Router::new()
        .merge(open)
        .route("/authorize", get(authorize::authorize))
        .route("/consent", post(consent::decide))
        .route("/introspect", post(introspect::introspect))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::clone(&issuer), admit))
        .with_state(issuer)
}

async fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": "not_found"}))).into_response()
}

/// Counts the request, and refuses it when its `Host` is not this machine: a web site whose name suddenly
/// resolves to 127.0.0.1 (DNS rebinding) could otherwise read the consent page and answer it.
async fn admit(State(issuer): State<Arc<Issuer>>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let local = host
        .and_then(|host| Url::parse(&format!("http://{host}/")).ok())
        .is_some_and(|url| is_loopback(&url) && url.username().is_empty());
    if !local {
        let foreign =
            Refusal::invalid_request("this server answers under its loopback address only");
        return Refusal {
            status: StatusCode::FORBIDDEN,
            ..foreign
        }
        .into_response();
    }
    count(&issuer, request.uri());
    next.run(request).await
}

fn count(issuer: &Issuer, uri: &Uri) {
    const PATHS: usize = 100;
    let mut store = issuer.store();
    if let Some(hits) = store.hits.get_mut(uri.path()) {
        *hits += 1;
    } else if store.hits.len() < PATHS {
        store.hits.insert(uri.path().to_owned(), 1);
    }
}
