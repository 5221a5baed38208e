//! One hardened request for one JSON document: the only way out of this module to the network.
//!
//! https, except to loopback; no redirects; no proxy from the environment; one deadline for everything;
//! the size is counted while reading; status 200 only. A URL that was learned from a document may not lead
//! to a private address, unless it stays at the origin the operator configured or that origin is loopback
//! itself. Bodies are never logged.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    redirect,
};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{address::is_public, json, keys::MAX_KEY_SET};

/// Why there is no document. Holds nothing that the other side sent but its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the HTTP client cannot be set up")]
    Client,
    #[error("the URL is not one that may be fetched")]
    Url,
    #[error("no connection")]
    Connect,
    #[error("no answer in time")]
    Timeout,
    #[error("status {0}")]
    Status(u16),
    #[error("the document is too large")]
    TooLarge,
    #[error("the document is not what was asked for")]
    Document,
    #[error("the document names another issuer")]
    Issuer,
}

/// A JSON object, and how long it may be kept (`Cache-Control: max-age`).
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) members: Map<String, Value>,
    pub(crate) max_age: Option<Duration>,
}

/// What is posted. No `Debug`: it holds secrets.
pub(crate) struct Form<'a> {
    pub(crate) body: &'a str,
    /// Marked as sensitive, so that no `Debug` of a header map shows it.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) accept: &'static str,
}

/// What came back, unread. No `Debug`: it may be personal data.
pub(crate) struct Answer {
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Fetches for one configured origin.
pub(crate) struct Fetcher {
    /// The origin the operator configured: the issuer's, or that of a key set.
    base: Url,
    allow_http: bool,
    /// For URLs of that origin.
    configured: Client,
    /// For others: resolves to public addresses only.
    learned: Client,
}

impl Fetcher {
    /// A fetcher for `base` and what its documents name. `allow_http` permits plain http to the host of
    /// `base`.
    pub(crate) fn new(base: Url, allow_http: bool) -> Result<Self, FetchError> {
        Self::with_idle_connections(base, allow_http, 0)
    }

    /// Like [`new`](Self::new), keeping up to `idle` connections open: for what is asked again and again.
    pub(crate) fn with_idle_connections(
        base: Url,
        allow_http: bool,
        idle: usize,
    ) -> Result<Self, FetchError> {
        let client = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .pool_max_idle_per_host(idle)
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("toolgate/", env!("CARGO_PKG_VERSION")))
        };
        let build = |client: reqwest::ClientBuilder| client.build().map_err(|_| FetchError::Client);
        let fetcher = Self {
            configured: build(client())?,
            learned: build(client().dns_resolver(Arc::new(PublicOnly)))?,
            base,
            allow_http,
        };
        fetcher.check(&fetcher.base)?;
        Ok(fetcher)
    }

    /// Gets one JSON object. Tries once more, at once, when there was no connection.
    pub(crate) async fn get(&self, url: &Url, timeout: Duration) -> Result<Document, FetchError> {
        let client = self.check(url)?;
        let get = || {
            client
                .get(url.clone())
                .timeout(timeout)
                .header(ACCEPT, "application/jwk-set+json, application/json")
        };
        let response = match get().send().await {
            Err(error) if error.is_connect() && !error.is_timeout() => get().send().await,
            other => other,
        };
        read(response.map_err(kind)?).await
    }

    /// Posts a form and reads what comes back. What is posted may hold a token: it is in the body and
    /// nowhere else.
    pub(crate) async fn post(
        &self,
        url: &Url,
        form: &Form<'_>,
        timeout: Duration,
    ) -> Result<Answer, FetchError> {
        let client = self.check(url)?;
        let post = || {
            let request = client
                .post(url.clone())
                .timeout(timeout)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ACCEPT, form.accept)
                .body(form.body.to_owned());
            match &form.authorization {
                Some(value) => request.header(AUTHORIZATION, value.clone()),
                None => request,
            }
        };
        let response = match post().send().await {
            Err(error) if error.is_connect() && !error.is_timeout() => post().send().await,
            other => other,
        };
        let response = response.map_err(kind)?;
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        Ok(Answer {
            content_type,
            body: body(response).await?,
        })
    }

    /// Whether `url` may be fetched, and by which client.
    fn check(&self, url: &Url) -> Result<&Client, FetchError> {
        let host = url.host().ok_or(FetchError::Url)?;
        let local = is_loopback(&self.base);
        let same_origin = url.origin() == self.base.origin();
        let scheme = match url.scheme() {
            "https" => true,
            "http" => {
                (local && is_loopback(url)) || (self.allow_http && url.host() == self.base.host())
            }
            _ => false,
        };
        let plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // An address written into the URL is never resolved, so the resolver cannot refuse it.
        let public = match host {
            Host::Domain(_) => true,
            Host::Ipv4(v4) => is_public(v4.into()),
            Host::Ipv6(v6) => is_public(v6.into()),
        };
        match (scheme && plain, local || same_origin, public) {
            (true, true, _) => Ok(&self.configured),
            (true, false, true) => Ok(&self.learned),
            _ => Err(FetchError::Url),
        }
    }
}

/// Whether `url` leads to this machine by its very text.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

async fn read(response: Response) -> Result<Document, FetchError> {
    let max_age = response
        .headers()
        .get(CACHE_CONTROL)
        .and_then(|value| max_age(value.to_str().ok()?));
    let members = json::object(&body(response).await?).map_err(|_| FetchError::Document)?;
    Ok(Document { members, max_age })
}

/// The body of a success, counted while it is read.
async fn body(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(kind)? {
        if body.len().saturating_add(chunk.len()) > MAX_KEY_SET {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn max_age(cache_control: &str) -> Option<Duration> {
    cache_control.split(',').find_map(|directive| {
        let (name, seconds) = directive.trim().split_once('=')?;
        let seconds = seconds.parse().ok()?;
        name.eq_ignore_ascii_case("max-age")
            .then(|| Duration::from_secs(seconds))
    })
}

/// Drops the source, which quotes URLs.
#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn kind(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Connect
    }
}

/// Resolves names to public addresses only, at the moment of connecting, so that a second look-up cannot
/// give another answer.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            public_only(found)
        })
    }
}

fn public_only(addresses: impl Iterator<Item = SocketAddr>) -> <Resolving as Future>::Output {
    let public: Vec<_> = addresses
        .filter(|address| is_public(address.ip()))
        .collect();
    if public.is_empty() {
        return Err("resolves to no public address".into());
    }
    Ok(Box::new(public.into_iter()) as Addrs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetcher(base: &str, allow_http: bool) -> Fetcher {
        Fetcher::new(base.parse().unwrap(), allow_http)
            .ok()
            .unwrap()
    }

    fn client(fetcher: &Fetcher, url: &str) -> &'static str {
        match fetcher.check(&url.parse().unwrap()) {
            Ok(client) if std::ptr::eq(client, &fetcher.configured) => "configured",
            Ok(_) => "learned",
            Err(_) => "refused",
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for base in [
            "http://as.example",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "http://0.0.0.0",
            "ftp://a",
            "file:///etc/x",
        ] {
            assert!(
                Fetcher::new(base.parse().unwrap(), false).is_err(),
                "{base}"
            );
        }
        for base in [
            "http://localhost:1",
            "http://127.0.0.1",
            "http://[::1]:1",
            "https://as.example",
            "https://10.0.0.1",
        ] {
            assert!(Fetcher::new(base.parse().unwrap(), false).is_ok(), "{base}");
        }
    }

    #[test]
    fn a_learned_url_leads_to_public_addresses_only() {
        let public = fetcher("https://as.example", false);
        for (url, expected) in [
            ("https://as.example/keys", "configured"),
            ("https://as.example:443/keys", "configured"),
            ("https://as.example:8443/keys", "learned"),
            ("https://keys.example/keys", "learned"),
            ("https://8.8.8.8/keys", "learned"),
            ("https://127.0.0.1/keys", "refused"),
            ("https://0x7f.1/keys", "refused"),
            ("https://2130706433/keys", "refused"),
            ("https://169.254.169.254/latest", "refused"),
            ("https://[::1]/keys", "refused"),
            ("https://[::ffff:10.0.0.1]/keys", "refused"),
            ("https://[64:ff9b::a00:1]/keys", "refused"),
            ("http://as.example/keys", "refused"),
            ("http://localhost/keys", "refused"),
            ("https://user@as.example/keys", "refused"),
            ("https://:pass@as.example/keys", "refused"),
            ("https://as.example/keys#x", "refused"),
            ("file:///etc/passwd", "refused"),
            ("data:,x", "refused"),
        ] {
            assert_eq!(client(&public, url), expected, "{url}");
        }
        let local = fetcher("http://127.0.0.1:9000", false);
        assert_eq!(client(&local, "http://localhost:9001/keys"), "configured");
        assert_eq!(client(&local, "http://as.example/keys"), "refused");
        let insecure = fetcher("http://as.example", true);
        assert_eq!(client(&insecure, "http://as.example/keys"), "configured");
        assert_eq!(client(&insecure, "http://as.example:8080/keys"), "learned");
        assert_eq!(client(&insecure, "http://other.example/keys"), "refused");
    }

    #[test]
    fn private_addresses_are_dropped_from_what_a_name_resolves_to() {
        let resolve = |addresses: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
            public_only(addresses.into_iter()).map(Iterator::collect::<Vec<_>>)
        };
        let mixed = resolve(&["10.0.0.1:0", "8.8.8.8:0", "[::1]:0"]).unwrap();
        assert_eq!(mixed, ["8.8.8.8:0".parse().unwrap()]);
        assert!(resolve(&["127.0.0.1:0", "[fd00::1]:0"]).is_err());
        assert!(resolve(&[]).is_err());
    }

    #[tokio::test]
    async fn a_learned_name_of_this_machine_is_never_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("https://localhost:{port}/keys").parse().unwrap();
        let answer = fetcher("https://as.example", false)
            .get(&url, Duration::from_secs(5))
            .await;
        assert_eq!(answer.err(), Some(FetchError::Connect));
        tokio::select! {
            biased;
            _ = listener.accept() => panic!("connected"),
            () = std::future::ready(()) => {}
        }
    }

    #[test]
    fn max_age_is_found_among_other_directives() {
        assert_eq!(
            max_age("public, Max-Age=60, immutable"),
            Some(Duration::from_secs(60))
        );
        for none in [
            "",
            "no-store",
            "s-maxage=60",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=x",
            "max-age=99999999999999999999999",
        ] {
            assert_eq!(max_age(none), None, "{none}");
        }
    }
}
