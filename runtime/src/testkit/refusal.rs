//! What a client is told when it is refused: an OAuth error code, its status and a fixed sentence.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An OAuth error. Its text never holds anything from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

impl Refusal {
    /// A refusal with status 400, which is nearly all of them (RFC 6749 §5.2).
    pub(super) const fn new(error: &'static str, description: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description,
        }
    }

    pub(super) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) const fn invalid_target(description: &'static str) -> Self {
        Self::new("invalid_target", description)
    }

    pub(super) const fn invalid_scope(description: &'static str) -> Self {
        Self::new("invalid_scope", description)
    }

    pub(super) const fn invalid_metadata(description: &'static str) -> Self {
        Self::new("invalid_client_metadata", description)
    }

    pub(super) const fn invalid_client(description: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            error: "invalid_client",
            description,
        }
    }

    /// Memory is bounded: a loop that has gone wrong ends here, not in the machine's swap.
    pub(super) const fn full() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: "temporarily_unavailable",
            description: "this development server holds as much as it may; restart it",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        (self.status, no_store, Json(body)).into_response()
    }
}
