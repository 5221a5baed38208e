//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    client::{Client, ClientMetadata},
    issuer::{Issuer, unix_now},
    random,
    refusal::Refusal,
};

/// Registers a client.
///
/// Its `scope` is recorded and given back, never enforced: MCP clients put the first challenge's scopes
/// into their registration, and a cap made of them would refuse every later step-up.
pub(super) async fn register(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    if !is_json(&headers) {
        return Err(Refusal::invalid_metadata(
            "registration is a JSON object, sent as `application/json`",
        ));
    }
    let metadata: ClientMetadata = serde_json::from_slice(&body).map_err(|_| {
        Refusal::invalid_metadata(
            "the metadata is not a JSON object with members of the right types",
        )
    })?;
    let mut metadata = metadata.check()?;
    let method = metadata
        .token_endpoint_auth_method
        .get_or_insert_with(|| "client_secret_basic".to_owned());
    let secret = match method.as_str() {
        "none" => None,
        "client_secret_basic" | "client_secret_post" => Some(random::token()),
        _ => {
            return Err(Refusal::invalid_metadata(
                "`token_endpoint_auth_method` must be `none`, `client_secret_basic` or `client_secret_post`",
            ));
        }
    };
    let client = Client {
        id: random::token(),
        metadata,
        secret,
        from_document: false,
    };
    let client = issuer.store().register(client)?;
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, Json(answer(&client))).into_response())
}

fn answer(client: &Client) -> Value {
    let metadata = &client.metadata;
    let mut answer = json!({
        "client_id": client.id,
        "client_id_issued_at": unix_now(),
        "redirect_uris": metadata.redirect_uris,
        "grant_types": metadata.grant_types,
        "response_types": metadata.response_types,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
    });
    if let Some(name) = &metadata.client_name {
        answer["client_name"] = json!(name);
    }
    if let Some(scope) = &metadata.scope {
        answer["scope"] = json!(scope);
    }
    if let Some(bound) = metadata.dpop_bound_access_tokens {
        answer["dpop_bound_access_tokens"] = json!(bound);
    }
    if let Some(secret) = &client.secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    answer
}

/// Whether the content type says JSON, also as in `application/example+json`.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase())
        .is_some_and(|essence| {
            essence == "application/json"
                || (essence.starts_with("application/") && essence.ends_with("+json"))
        })
}
