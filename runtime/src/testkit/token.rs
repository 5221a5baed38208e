//! The token endpoint (OAuth 2.1 §3.2): codes and refresh tokens become access tokens.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    client::Client,
    client_auth,
    grants::{Grant, Redemption},
    issuer::{Issuer, parse_scopes, spaced, unix_now},
    params::Params,
    refusal::Refusal,
};
use crate::verify::dpop::proof::{ProofError, Proving};

pub(super) async fn token(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match grant(&issuer, &headers, &body).await {
        Ok(answer) => ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(refusal) => {
            let mut response = refusal.into_response();
            // RFC 6749 §5.2: whoever authenticated by header is challenged by header.
            if refusal.status == StatusCode::UNAUTHORIZED
                && headers.contains_key(header::AUTHORIZATION)
            {
                let challenge =
                    HeaderValue::from_static("Basic realm=\"token\", charset=\"UTF-8\"");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

async fn grant(issuer: &Issuer, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    if !is_form(headers) {
        return Err(Refusal::invalid_request(
            "send the parameters as `application/x-www-form-urlencoded`",
        ));
    }
    let params = Params::parse(body);
    params.refuse_repeated()?;
    let client = client_auth::authenticate(issuer, headers, &params).await?;
    let key = proven_key(issuer, headers).await?;
    let key = key.as_deref();
    if key.is_none() && client.metadata.dpop_bound_access_tokens == Some(true) {
        return Err(Refusal::invalid_request(
            "the client registered to use DPoP, and the request has no proof",
        ));
    }
    let (grant, refresh_token) = match params.required("grant_type", "`grant_type` is missing")? {
        "authorization_code" => by_code(issuer, &client, &params, key)?,
        "refresh_token" => by_refresh_token(issuer, &client, &params, key)?,
        _ => {
            return Err(Refusal::new(
                "unsupported_grant_type",
                "`grant_type` must be `authorization_code` or `refresh_token`",
            ));
        }
    };
    answer(issuer, grant, refresh_token, key)
}

/// The thumbprint of the key that a DPoP proof shows, if the request carries one (RFC 9449 §5).
async fn proven_key(issuer: &Issuer, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let proofs: Vec<_> = headers
        .get_all("dpop")
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if proofs.is_empty() {
        return Ok(None);
    }
    let proving = Proving {
        method: "POST",
        token: None,
        jkt: None,
    };
    match issuer.proofs.check(&proofs, proving).await {
        Ok(thumbprint) => Ok(Some(thumbprint)),
        Err(ProofError::Undecided(_)) => Err(Refusal::full()),
        Err(_) => Err(Refusal::new(
            "invalid_dpop_proof",
            "the DPoP proof is not one for this request",
        )),
    }
}

fn by_code(
    issuer: &Issuer,
    client: &Client,
    params: &Params,
    key: Option<&str>,
) -> Result<(Grant, Option<String>), Refusal> {
    let verifier = params.required("code_verifier", "`code_verifier` is missing")?;
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return Err(Refusal::invalid_request(
            "`code_verifier` must have 43 to 128 unreserved characters",
        ));
    }
    let redemption = Redemption {
        code: params.required("code", "`code` is missing")?,
        client,
        redirect_uri: params.get("redirect_uri")?,
        verifier,
        resource: params.get("resource")?,
        key,
    };
    issuer.store().grants.redeem(&redemption, Instant::now())
}

fn by_refresh_token(
    issuer: &Issuer,
    client: &Client,
    params: &Params,
    key: Option<&str>,
) -> Result<(Grant, Option<String>), Refusal> {
    let token = params.required("refresh_token", "`refresh_token` is missing")?;
    let scopes = params.get("scope")?.map(parse_scopes).transpose()?;
    let resource = params.get("resource")?;
    let (grant, next) =
        issuer
            .store()
            .grants
            .refresh(token, client, scopes, resource, key, Instant::now())?;
    Ok((grant, Some(next)))
}

fn answer(
    issuer: &Issuer,
    mut grant: Grant,
    refresh_token: Option<String>,
    key: Option<&str>,
) -> Result<Value, Refusal> {
    // `offline_access` is said to this server; the resource server has no use for it.
    grant
        .scopes
        .retain(|scope| scope.as_str() != "offline_access");
    let Grant {
        client_id,
        subject,
        scopes,
        resource,
    } = grant;
    let lifetime = issuer.token_lifetime.as_secs();
    let now = unix_now();
    let mut claims = issuer.claims(
        &subject,
        &client_id,
        &scopes,
        Some(&resource),
        now,
        now + lifetime,
    );
    if let Some(key) = key {
        claims.insert("cnf".to_owned(), json!({"jkt": key}));
    }
    let access_token = if issuer.opaque_tokens {
        issuer.opaque(claims)?
    } else {
        issuer.signing_key().sign(&Value::Object(claims))
    };
    let mut answer = json!({
        "access_token": access_token,
        "token_type": if key.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": lifetime,
        "scope": spaced(&scopes),
    });
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = json!(refresh_token);
    }
    Ok(answer)
}

pub(super) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| {
            essence
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}
