//! Which client is asking: none, `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3).

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use super::{client::Client, issuer::Issuer, params::Params, random, refusal::Refusal};

pub(super) const FAILED: Refusal =
    Refusal::invalid_client("the client is unknown or its secret is wrong");

/// The client that sent the request.
///
/// A client with a secret may send it either way, whichever it registered: real clients mix them up.
pub(super) async fn authenticate(
    issuer: &Issuer,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, Refusal> {
    let (id, secret) = credentials(headers, params)?;
    let client = issuer.client(&id).await?;
    match (&client.secret, &secret) {
        (None, None) => Ok(client),
        (Some(expected), Some(given)) if random::same(expected, given) => Ok(client),
        _ => Err(FAILED),
    }
}

/// Id and secret, in whichever of the two ways they were sent.
pub(super) fn credentials(
    headers: &HeaderMap,
    params: &Params,
) -> Result<(String, Option<String>), Refusal> {
    let id = params.get("client_id")?;
    let posted = params.get("client_secret")?;
    Ok(match basic(headers)? {
        None => {
            let id = id.ok_or(Refusal::invalid_client("`client_id` is missing"))?;
            (id.to_owned(), posted.map(str::to_owned))
        }
        Some((name, _)) if posted.is_some() || id.is_some_and(|id| id != name) => {
            return Err(Refusal::invalid_request(
                "the client authenticates in two ways at once",
            ));
        }
        Some((name, secret)) => (name, (!secret.is_empty()).then_some(secret)),
    })
}

/// Id and secret of an `Authorization: Basic` header, each percent-encoded before base64.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::invalid_request(
            "more than one `Authorization` header",
        ));
    }
    let credentials = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim_start()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(FAILED)?;
    let (id, secret) = credentials.split_once(':').ok_or(FAILED)?;
    Ok(Some((form_decoded(id), form_decoded(secret))))
}

fn form_decoded(text: &str) -> String {
    // A name without `=` is a whole pair, so the parser's decoding is what is wanted; `&` cannot be in it.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn header(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn basic_credentials_are_percent_decoded() {
        let encoded = STANDARD.encode("https%3A%2F%2Fapp%2Fc:a%2Bb+c&d=e");
        let (id, secret) = basic(&header(&format!("bAsIc {encoded}")))
            .unwrap()
            .unwrap();
        assert_eq!(id, "https://app/c");
        assert_eq!(secret, "a+b c&d=e");
    }

    #[test]
    fn anything_else_in_the_header_fails_instead_of_being_ignored() {
        assert_eq!(basic(&HeaderMap::new()), Ok(None));
        for bad in ["Bearer abc", "Basic", "Basic !!", "Basic YWJj"] {
            assert_eq!(basic(&header(bad)), Err(FAILED), "{bad}");
        }
    }
}
