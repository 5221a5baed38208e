//! The pages: asking the user, and saying what went wrong before there is a client to tell.

use std::{sync::Arc, time::Instant};

use askama::Template;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use url::Url;

use super::{
    authorize,
    client::{Client, is_loopback},
    issuer::Issuer,
    params::Params,
    refusal::Refusal,
    store::Authorization,
};
use crate::declare::scope::ScopeName;

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    client: &'a str,
    initial: char,
    /// The host that vouches for the client, if one does.
    vouched: Option<String>,
    destination: String,
    warning: Option<&'static str>,
    resource: &'a str,
    scopes: Vec<(&'a ScopeName, Option<&'a str>)>,
    users: &'a [String],
    transaction: &'a str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    /// The description, cut at its backticks: every second piece is code.
    pieces: Vec<&'a str>,
}

/// The page that asks whether `authorization` may be granted, and by whom.
pub(super) fn page(issuer: &Issuer, authorization: &Authorization, transaction: &str) -> Response {
    let Authorization {
        client,
        redirect_uri,
        scopes,
        resource,
        ..
    } = authorization;
    let name = client.display_name();
    let (destination, warning) = destination(redirect_uri);
    let page = ConsentPage {
        client: name,
        initial: name.chars().find(|c| c.is_alphanumeric()).unwrap_or('?'),
        vouched: vouched(client),
        destination,
        warning,
        resource,
        scopes: scopes
            .iter()
            .map(|scope| (scope, description(issuer, scope)))
            .collect(),
        users: &issuer.users,
        transaction,
    };
    render(StatusCode::OK, &page)
}

/// The page for a request that cannot be answered to its client.
pub(super) fn error_page(status: StatusCode, description: &str) -> Response {
    render(
        status,
        &ErrorPage {
            pieces: description.split('`').collect(),
        },
    )
}

/// The user's answer. The transaction is the protection against forged answers: only the page knows it,
/// no other origin can read the page, and it can be used once.
pub(super) async fn decide(
    State(issuer): State<Arc<Issuer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    match answer(&issuer, &headers, &params) {
        Ok((pending, Some(user))) => authorize::allowed(&issuer, pending, &user),
        Ok((pending, None)) => {
            let denied = Refusal::new("access_denied", "the user said no");
            authorize::refused(
                &issuer,
                &pending.redirect_uri,
                pending.state.as_deref(),
                &denied,
            )
        }
        Err(refusal) => error_page(refusal.status, refusal.description),
    }
}

fn answer(
    issuer: &Issuer,
    headers: &HeaderMap,
    params: &Params,
) -> Result<(Authorization, Option<String>), Refusal> {
    params.refuse_repeated()?;
    // Browsers say where a form was sent from. (`Origin` would not do: it is `null` under `no-referrer`.)
    if headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin")
    {
        let forged = Refusal::invalid_request("this answer was sent from another site");
        return Err(Refusal {
            status: StatusCode::FORBIDDEN,
            ..forged
        });
    }
    let transaction = params.required("transaction", "this answer belongs to no question")?;
    let pending =
        issuer
            .store()
            .finish(transaction, Instant::now())
            .ok_or(Refusal::invalid_request(
                "this page was already answered or is too old; start again",
            ))?;
    match params.get("decision")? {
        Some("allow") => {
            let user = params.required("user", "the answer does not say who gives it")?;
            let known = issuer.users.iter().find(|known| *known == user).cloned();
            let user = known.ok_or(Refusal::invalid_request("there is no such user"))?;
            Ok((pending, Some(user)))
        }
        Some("deny") => Ok((pending, None)),
        _ => Err(Refusal::invalid_request("the answer is neither yes nor no")),
    }
}

fn description<'a>(issuer: &'a Issuer, scope: &ScopeName) -> Option<&'a str> {
    let described = issuer
        .scopes
        .get(scope)
        .map(String::as_str)
        .filter(|text| !text.is_empty());
    let offline =
        (scope.as_str() == "offline_access").then_some("Stay signed in while you are away");
    described.or(offline)
}

fn vouched(client: &Client) -> Option<String> {
    let address = client
        .from_document
        .then(|| Url::parse(&client.id).ok())
        .flatten()?;
    Some(host_and_port(&address))
}

/// Where the browser goes next, as a person reads it, and a warning where nobody vouches for the program
/// there: a document cannot prove that it speaks for what listens at a loopback port.
fn destination(redirect_uri: &str) -> (String, Option<&'static str>) {
    match Url::parse(redirect_uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let local = is_loopback(&url)
                .then_some("A program on this computer: allow only what you started.");
            (host_and_port(&url), local)
        }
        Ok(url) => {
            let warning = "Whichever application on this computer opens such links.";
            (format!("{}:", url.scheme()), Some(warning))
        }
        Err(_) => (redirect_uri.to_owned(), None),
    }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// No `form-action` in the policy: Chromium applies it to the redirects after a submission too, and where
/// a client sends the browser after its redirect URI is not ours to know.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

fn render(status: StatusCode, page: &impl Template) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    match page.render() {
        Ok(html) => (status, headers, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
