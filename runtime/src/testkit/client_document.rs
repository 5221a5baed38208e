//! Client ID Metadata Documents: clients whose id is the address of a document about them
//! (draft-ietf-oauth-client-id-metadata-document).

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};
use reqwest::redirect;
use serde::Deserialize;
use url::Url;

use super::{
    address,
    client::{Client, ClientMetadata, is_loopback},
    issuer::Issuer,
    refusal::Refusal,
    register::is_json,
};

/// For the whole exchange, body included.
const DEADLINE: Duration = Duration::from_secs(5);
const SIZE_LIMIT: usize = 64 * 1024;
/// How long a document is remembered that does not say it itself, and at most.
const FRESH: Duration = Duration::from_secs(5 * 60);

#[derive(Deserialize)]
struct Document {
    client_id: String,
    #[serde(flatten)]
    metadata: ClientMetadata,
}

/// The client that the document at `id` describes.
pub(super) async fn client(issuer: &Issuer, id: &str) -> Result<Arc<Client>, Refusal> {
    let url = address_of(id).ok_or(UNKNOWN)?;
    if let Some(known) = issuer.store().documents.get_mut(id, Instant::now()) {
        return Ok(Arc::clone(known));
    }
    let (headers, body) = fetch(url).await?;
    let client = Arc::new(parse(id, &body)?);
    if let Some(lifetime) = freshness(&headers) {
        let mut store = issuer.store();
        store
            .documents
            .insert(id.to_owned(), Arc::clone(&client), lifetime, Instant::now())?;
    }
    Ok(client)
}

const UNKNOWN: Refusal = Refusal::invalid_client("the client is not registered here");
const UNREACHABLE: Refusal =
    Refusal::invalid_client("the client's metadata document could not be fetched");

/// The URL that `id` is: https (or http on this machine), with a path, spelled as the parser would.
fn address_of(id: &str) -> Option<Url> {
    let url = Url::parse(id).ok()?;
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    // Equality also refuses dot segments, which the parser resolves.
    (secure && plain && url.path() != "/" && url.as_str() == id).then_some(url)
}

async fn fetch(url: Url) -> Result<(HeaderMap, Vec<u8>), Refusal> {
    if !address::may_connect(&url) {
        return Err(Refusal::invalid_client(
            "the client's metadata document is at an address that is not public",
        ));
    }
    let mut response = http_client()?
        .get(url)
        .send()
        .await
        .map_err(|_| UNREACHABLE)?;
    if response.status() != 200 || !is_json(response.headers()) {
        return Err(Refusal::invalid_client(
            "the client's metadata document is not a JSON document answered with 200",
        ));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| UNREACHABLE)? {
        if body.len() + chunk.len() > SIZE_LIMIT {
            return Err(Refusal::invalid_client(
                "the client's metadata document is larger than 64 KiB",
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.headers().clone(), body))
}

/// Made at the first use: most runs need no trust store.
fn http_client() -> Result<&'static reqwest::Client, Refusal> {
    static CLIENT: OnceLock<Option<reqwest::Client>> = OnceLock::new();
    CLIENT
        .get_or_init(|| {
            reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(DEADLINE)
                .dns_resolver(Arc::new(address::Guarded))
                // Connections belong to the runtime that made them, and tests have one each.
                .pool_max_idle_per_host(0)
                .build()
                .ok()
        })
        .as_ref()
        .ok_or(UNREACHABLE)
}

fn parse(id: &str, body: &[u8]) -> Result<Client, Refusal> {
    let Document {
        client_id,
        metadata,
    } = serde_json::from_slice(body).map_err(|_| {
        Refusal::invalid_client(
            "the client's metadata document is not a JSON object with `client_id`",
        )
    })?;
    if client_id != id {
        return Err(Refusal::invalid_client(
            "the `client_id` in the metadata document is not its address",
        ));
    }
    let metadata = metadata
        .check()
        .map_err(|refusal| Refusal::invalid_client(refusal.description))?;
    if metadata.client_name.is_none() {
        return Err(Refusal::invalid_client(
            "the client's metadata document has no `client_name`",
        ));
    }
    // A document is public, so it cannot hold a secret; client assertions are not offered here.
    if metadata
        .token_endpoint_auth_method
        .as_deref()
        .unwrap_or("none")
        != "none"
    {
        return Err(Refusal::invalid_client(
            "clients with a metadata document must use `none` to authenticate here",
        ));
    }
    Ok(Client {
        id: client_id,
        metadata,
        secret: None,
        from_document: true,
    })
}

/// How long the answer may be remembered, if at all.
fn freshness(headers: &HeaderMap) -> Option<Duration> {
    let control = headers
        .get(header::CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut lifetime = FRESH;
    for directive in control
        .split(',')
        .map(|part| part.trim().to_ascii_lowercase())
    {
        match directive.split_once('=') {
            Some(("max-age", seconds)) => {
                lifetime = lifetime.min(Duration::from_secs(seconds.parse().ok()?))
            }
            None if directive == "no-store" || directive == "no-cache" => return None,
            _ => {}
        }
    }
    Some(lifetime)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_id_is_an_address_only_when_it_is_https_with_a_path_in_normal_form() {
        for good in [
            "https://app.example.com/client.json",
            "https://app.example.com/a?b=c",
            "http://127.0.0.1:9/c",
        ] {
            assert!(address_of(good).is_some(), "{good}");
        }
        for bad in [
            "client",
            "https://app.example.com",
            "https://app.example.com/",
            "http://app.example.com/c",
            "https://app.example.com/c#x",
            "https://u@app.example.com/c",
            "https://app.example.com/a/../c",
            "https://APP.example.com/c",
            "https://app.example.com/c d",
            "ftp://app.example.com/c",
        ] {
            assert!(address_of(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn freshness_follows_the_cache_headers_up_to_a_limit() {
        let of = |text| {
            freshness(&HeaderMap::from_iter([(
                header::CACHE_CONTROL,
                HeaderValue::from_static(text),
            )]))
        };
        assert_eq!(freshness(&HeaderMap::new()), Some(FRESH));
        assert_eq!(of("public, max-age=60"), Some(Duration::from_secs(60)));
        assert_eq!(of("max-age=99999999"), Some(FRESH));
        assert_eq!(of("No-Store"), None);
        assert_eq!(of("max-age=x"), None);
    }
}
