//! The authorization endpoint: authorization code with PKCE (OAuth 2.1 §4.1.1), resource indicators
//! (RFC 8707), issuer identification (RFC 9207).

use std::{sync::Arc, time::Instant};

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use url::Url;

use super::{
    client::Client,
    consent,
    issuer::{Issuer, parse_scopes},
    params::Params,
    refusal::Refusal,
    store::Authorization,
};

/// Checks the request and asks the user.
///
/// Until client and redirect URI are known to belong together, an error is a page: redirecting there
/// would make this server an open redirector. From then on errors go back to the client.
pub(super) async fn authorize(State(issuer): State<Arc<Issuer>>, uri: Uri) -> Response {
    let params = Params::parse(uri.query().unwrap_or_default().as_bytes());
    let (client, redirect_uri) = match destination(&issuer, &params).await {
        Ok(known) => known,
        Err(refusal) => return consent::error_page(refusal.status, refusal.description),
    };
    // A `state` given twice is not echoed: it is nobody's to choose.
    let state = params.get("state").ok().flatten().map(str::to_owned);
    let refuse = |refusal: &Refusal| refused(&issuer, &redirect_uri, state.as_deref(), refusal);
    let authorization = match requested(&issuer, &params, client, &redirect_uri, state.clone()) {
        Ok(authorization) => authorization,
        Err(refusal) => return refuse(&refusal),
    };
    if let Some(user) = &issuer.auto_consent {
        return allowed(&issuer, authorization, user);
    }
    match issuer.store().begin(authorization.clone(), Instant::now()) {
        Ok(transaction) => consent::page(&issuer, &authorization, &transaction),
        Err(refusal) => refuse(&refusal),
    }
}

async fn destination(issuer: &Issuer, params: &Params) -> Result<(Arc<Client>, String), Refusal> {
    let client_id = params.required("client_id", "`client_id` is missing")?;
    let redirect_uri = params.required("redirect_uri", "`redirect_uri` is missing")?;
    // What is wrong is the request: the status is 400, also where the token endpoint says 401.
    let client = issuer.client(client_id).await.map_err(|refusal| Refusal {
        status: StatusCode::BAD_REQUEST,
        ..refusal
    })?;
    if !client.allows_redirect(redirect_uri) {
        return Err(Refusal::invalid_request(
            "the redirect URI is not one that the client registered",
        ));
    }
    Ok((client, redirect_uri.to_owned()))
}

fn requested(
    issuer: &Issuer,
    params: &Params,
    client: Arc<Client>,
    redirect_uri: &str,
    state: Option<String>,
) -> Result<Authorization, Refusal> {
    params.refuse_repeated()?;
    if params.required("response_type", "`response_type` is missing")? != "code" {
        return Err(Refusal::new(
            "unsupported_response_type",
            "`response_type` must be `code`",
        ));
    }
    let challenge = params.required(
        "code_challenge",
        "`code_challenge` is missing: PKCE is required",
    )?;
    // Without a method the client means `plain` (RFC 7636 §4.3).
    if params.get("code_challenge_method")? != Some("S256") {
        return Err(Refusal::invalid_request(
            "`code_challenge_method` must be `S256`",
        ));
    }
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(Refusal::invalid_request(
            "`code_challenge` is not a SHA-256 digest in base64url",
        ));
    }
    let resource = match (params.get("resource")?, &issuer.default_resource) {
        (Some(resource), _) if is_resource(resource) => resource,
        (Some(_), _) => {
            return Err(Refusal::invalid_target(
                "`resource` must be an absolute URI without fragment",
            ));
        }
        (None, Some(default)) => default,
        (None, None) => {
            return Err(Refusal::invalid_target(
                "`resource` is missing: say which server the token is for",
            ));
        }
    };
    Ok(Authorization {
        client,
        redirect_uri: redirect_uri.to_owned(),
        state,
        scopes: parse_scopes(params.get("scope")?.unwrap_or_default())?,
        resource: resource.to_owned(),
        challenge: challenge.to_owned(),
        key: params.get("dpop_jkt")?.map(str::to_owned),
    })
}

fn is_resource(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic())
        && Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

/// The user agreed: back to the client, with a code.
pub(super) fn allowed(issuer: &Issuer, authorization: Authorization, user: &str) -> Response {
    let Authorization {
        redirect_uri,
        state,
        ..
    } = authorization.clone();
    let code = issuer
        .store()
        .grants
        .issue_code(authorization, user, Instant::now());
    match code {
        Ok(code) => redirect(issuer, &redirect_uri, state.as_deref(), &[("code", &code)]),
        Err(refusal) => refused(issuer, &redirect_uri, state.as_deref(), &refusal),
    }
}

/// Back to the client, with an error.
pub(super) fn refused(
    issuer: &Issuer,
    to: &str,
    state: Option<&str>,
    refusal: &Refusal,
) -> Response {
    let answer = [
        ("error", refusal.error),
        ("error_description", refusal.description),
    ];
    redirect(issuer, to, state, &answer)
}

/// Every answer carries `iss`, errors too: a client that talks to several servers can tell whose it is.
fn redirect(issuer: &Issuer, to: &str, state: Option<&str>, answer: &[(&str, &str)]) -> Response {
    let location = Url::parse(to).ok().and_then(|mut url| {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        query.extend_pairs(state.map(|state| ("state", state)));
        query.append_pair("iss", &issuer.url);
        drop(query);
        HeaderValue::from_str(url.as_str()).ok()
    });
    let Some(location) = location else {
        return consent::error_page(
            StatusCode::BAD_REQUEST,
            "the redirect URI cannot be redirected to",
        );
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    // 303 and not 307: the consent form's fields are not for the client (RFC 9700 §4.12).
    (StatusCode::SEE_OTHER, headers).into_response()
}
