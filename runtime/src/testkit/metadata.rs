//! The documents a client reads first: metadata (RFC 8414) and keys.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::issuer::Issuer;

/// The metadata document. OpenID Connect Discovery gets the same one, for clients that look only there;
/// this server issues no ID tokens.
pub(super) async fn document(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let url = &issuer.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "registration_endpoint": format!("{url}/register"),
        "jwks_uri": format!("{url}/jwks"),
        "revocation_endpoint": format!("{url}/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "dpop_signing_alg_values_supported": issuer.proofs.algorithms(),
    });
    if !issuer.resource_servers.is_empty() {
        document["introspection_endpoint"] = json!(format!("{url}/introspect"));
        document["introspection_endpoint_auth_methods_supported"] =
            json!(["client_secret_basic", "client_secret_post"]);
        document["introspection_signing_alg_values_supported"] =
            json!([format!("{:?}", issuer.signing_key().algorithm())]);
    }
    if !issuer.scopes.is_empty() {
        let names: Vec<_> = issuer.scopes.keys().map(|scope| scope.as_str()).collect();
        document["scopes_supported"] = json!(names);
    }
    Json(document)
}

pub(super) async fn jwks(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    Json(issuer.jwks())
}
