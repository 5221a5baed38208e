//! The introspection endpoint (RFC 7662): what a token means, for the resource servers that were named.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    client_auth,
    issuer::{Issuer, unix_now},
    params::Params,
    random,
    refusal::Refusal,
    token::is_form,
};
use crate::verify::{
    jose::{Jws, MAX_TOKEN},
    keys::KeySet,
};

const SIGNED: &str = "application/token-introspection+jwt";

pub(super) async fn introspect(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&issuer, &headers, &body) {
        Ok(response) => response,
        Err(refusal) => {
            let mut response = refusal.into_response();
            if refusal.status == StatusCode::UNAUTHORIZED {
                let challenge = header::HeaderValue::from_static("Basic realm=\"introspect\"");
                let headers = response.headers_mut();
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

fn answer(issuer: &Issuer, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
    if !is_form(headers) {
        return Err(Refusal::invalid_request(
            "send the parameters as `application/x-www-form-urlencoded`",
        ));
    }
    let params = Params::parse(body);
    params.refuse_repeated()?;
    let caller = resource_server(issuer, headers, &params)?;
    let token = params.required("token", "`token` is missing")?;
    let answer = match issuer.active_claims(token) {
        Some(mut claims) => {
            claims.insert("active".to_owned(), json!(true));
            claims.insert("token_type".to_owned(), json!("Bearer"));
            Value::Object(claims)
        }
        None => json!({"active": false}),
    };
    let no_store = (header::CACHE_CONTROL, "no-store");
    let accepts = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains(SIGNED)) {
        let key = issuer.signing_key();
        let header = json!({
            "typ": "token-introspection+jwt", "alg": format!("{:?}", key.algorithm()), "kid": key.kid(),
        });
        let claims = json!({
            "iss": issuer.url, "aud": caller, "iat": unix_now(), "token_introspection": answer,
        });
        let jwt = key.sign_parts(header.to_string().as_bytes(), claims.to_string().as_bytes());
        return Ok(([no_store, (header::CONTENT_TYPE, SIGNED)], jwt).into_response());
    }
    Ok(([no_store], Json(answer)).into_response())
}

/// The resource server that is asking. Clients of users may not ask.
fn resource_server(
    issuer: &Issuer,
    headers: &HeaderMap,
    params: &Params,
) -> Result<String, Refusal> {
    let (id, secret) = client_auth::credentials(headers, params)?;
    let known = issuer.resource_servers.iter().any(|(known, its_secret)| {
        *known == id && random::same(its_secret, secret.as_deref().unwrap_or_default())
    });
    if known {
        Ok(id)
    } else {
        Err(client_auth::FAILED)
    }
}

impl Issuer {
    /// The claims of an access token of this server that is neither expired nor revoked.
    pub(super) fn active_claims(&self, token: &str) -> Option<Map<String, Value>> {
        let mut store = self.store();
        let now = Instant::now();
        let opaque = store
            .opaque
            .get_mut(token, now)
            .map(|claims| claims.clone());
        let claims = match opaque {
            Some(claims) => claims,
            None if store.revoked.get_mut(token, now).is_some() => return None,
            None => {
                drop(store);
                let jws = Jws::decode(token, MAX_TOKEN).ok()?;
                let keys = KeySet::from_members(self.jwks().as_object()?).ok()?;
                let key = keys.key(jws.signed.kid.as_deref(), jws.signed.algorithm)?;
                key.verify(&jws.signed).ok()?;
                jws.claims
            }
        };
        (claims.get("exp")?.as_u64()? > unix_now()).then_some(claims)
    }
}
