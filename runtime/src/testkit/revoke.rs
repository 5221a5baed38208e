//! The revocation endpoint (RFC 7009): a client gives back what it was given.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    client_auth,
    issuer::{Issuer, unix_now},
    params::Params,
    refusal::Refusal,
    token::is_form,
};

/// A token that is unknown, or somebody else's, is answered like one that was revoked (RFC 7009 §2.2):
/// nobody finds out whose tokens there are.
pub(super) async fn revoke(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match take_back(&issuer, &headers, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn take_back(issuer: &Issuer, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    if !is_form(headers) {
        return Err(Refusal::invalid_request(
            "send the parameters as `application/x-www-form-urlencoded`",
        ));
    }
    let params = Params::parse(body);
    params.refuse_repeated()?;
    let client = client_auth::authenticate(issuer, headers, &params).await?;
    let token = params.required("token", "`token` is missing")?;
    let theirs = issuer
        .active_claims(token)
        .is_some_and(|claims| claims.get("client_id").is_some_and(|id| *id == client.id));
    if theirs {
        return issuer.revoke(token);
    }
    let now = Instant::now();
    issuer.store().grants.revoke(token, &client.id, now);
    Ok(())
}

impl Issuer {
    /// Ends an access token: introspection says from now on that it is not active.
    pub(super) fn revoke(&self, token: &str) -> Result<(), Refusal> {
        let Some(claims) = self.active_claims(token) else {
            return Ok(());
        };
        let expires = claims.get("exp").and_then(serde_json::Value::as_u64);
        let left = expires.unwrap_or_default().saturating_sub(unix_now());
        let now = Instant::now();
        let mut store = self.store();
        if store.opaque.remove(token, now).is_none() {
            let left = Duration::from_secs(left);
            store.revoked.insert(token.to_owned(), (), left, now)?;
        }
        Ok(())
    }
}
