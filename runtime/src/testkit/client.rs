//! Clients: what is known about one, and where it may send a browser back to.

use serde::Deserialize;
use url::{Host, Url};

use super::refusal::Refusal;

/// A client that registered itself or that its metadata document describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) metadata: ClientMetadata,
    /// `None` for a public client.
    pub(super) secret: Option<String>,
    /// The client id is the address of a document: its host vouches for it.
    pub(super) from_document: bool,
}

impl Client {
    pub(super) fn display_name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or(&self.id)
    }

    /// Whether refresh tokens were registered for.
    pub(super) fn wants_refresh(&self) -> bool {
        self.metadata
            .grant_types
            .iter()
            .flatten()
            .any(|grant| grant == "refresh_token")
    }

    /// Whether `uri` is a registered redirect URI, character for character; on a loopback interface the
    /// port may be another one, because native clients take the one that is free (RFC 8252 §7.3).
    pub(super) fn allows_redirect(&self, uri: &str) -> bool {
        let registered = self.metadata.redirect_uris.iter().flatten();
        registered.clone().any(|known| known == uri)
            || (is_redirect_uri(uri)
                && without_loopback_port(uri).is_some_and(|portless| {
                    registered
                        .filter_map(|known| without_loopback_port(known))
                        .any(|known| known == portless)
                }))
    }
}

/// What a client says about itself (RFC 7591 §2), as far as this server reads it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ClientMetadata {
    pub(super) redirect_uris: Option<Vec<String>>,
    pub(super) grant_types: Option<Vec<String>>,
    pub(super) response_types: Option<Vec<String>>,
    pub(super) token_endpoint_auth_method: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) scope: Option<String>,
    /// Whether the client always uses DPoP (RFC 9449 §5.2).
    pub(super) dpop_bound_access_tokens: Option<bool>,
}

const MAX_REDIRECT_URIS: usize = 20;
const MAX_NAME: usize = 80;

impl ClientMetadata {
    /// Refuses what this server cannot serve; replaces what it may replace (RFC 7591 §3.2.1).
    pub(super) fn check(mut self) -> Result<Self, Refusal> {
        let redirects = self.redirect_uris.as_deref().unwrap_or_default();
        if redirects.is_empty() || redirects.len() > MAX_REDIRECT_URIS {
            return Err(invalid_redirect(
                "`redirect_uris` must hold 1 to 20 addresses",
            ));
        }
        if !redirects.iter().all(|uri| is_redirect_uri(uri)) {
            return Err(invalid_redirect(
                "a redirect URI must be https, http on a loopback host or of a private-use scheme, without fragment",
            ));
        }
        // VS Code asks for the device grant too: grants that are not offered here are dropped, not refused.
        let grants = self
            .grant_types
            .get_or_insert_with(|| vec!["authorization_code".to_owned()]);
        grants.retain(|grant| grant == "authorization_code" || grant == "refresh_token");
        if !grants.iter().any(|grant| grant == "authorization_code") {
            return Err(Refusal::invalid_metadata(
                "`grant_types` must hold `authorization_code`",
            ));
        }
        let responses = self
            .response_types
            .get_or_insert_with(|| vec!["code".to_owned()]);
        responses.retain(|response| response == "code");
        if responses.is_empty() {
            return Err(Refusal::invalid_metadata(
                "`response_types` must hold `code`",
            ));
        }
        self.client_name = self
            .client_name
            .map(|name| displayable(&name))
            .filter(|name| !name.is_empty());
        Ok(self)
    }
}

const fn invalid_redirect(description: &'static str) -> Refusal {
    Refusal::new("invalid_redirect_uri", description)
}

/// Schemes that a browser itself acts on: no application can own one.
const BROWSER_SCHEMES: [&str; 16] = [
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "javascript",
    "mailto",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Whether a client may register `text` as a redirect URI.
pub(super) fn is_redirect_uri(text: &str) -> bool {
    // The URL parser drops tabs and line breaks; what is compared and sent is the text itself.
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.len() > 2000 {
        return false;
    }
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    plain
        && match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            other => !BROWSER_SCHEMES.contains(&other),
        }
}

/// Whether the host of `url` is this machine, by its name or address.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn without_loopback_port(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let portless = url.scheme() == "http" && is_loopback(&url) && url.set_port(None).is_ok();
    portless.then_some(url)
}

/// A name as it may stand on a page: no control characters, nothing that turns the direction of text.
fn displayable(name: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.trim()
        .chars()
        .filter(|&c| !c.is_control() && !turns(c))
        .take(MAX_NAME)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(redirects: &[&str]) -> Client {
        Client {
            id: "c".to_owned(),
            metadata: serde_json::from_value(serde_json::json!({"redirect_uris": redirects}))
                .unwrap(),
            secret: None,
            from_document: false,
        }
    }

    #[test]
    fn redirect_uris_are_https_loopback_or_private_use_without_fragment() {
        for good in [
            "https://app.example.com/cb",
            "https://app.example.com/cb?x=1",
            "http://localhost/cb",
            "http://127.0.0.1:7777/cb",
            "http://[::1]/cb",
            "com.example.app:/oauth2redirect",
            "cursor://anysphere.cursor-retrieval/oauth/callback",
        ] {
            assert!(is_redirect_uri(good), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "http://app.example.com/cb",
            "http://localhost.example.com/cb",
            "http://127.0.0.1.example.com/cb",
            "https://app.example.com/cb#x",
            "https://user@app.example.com/cb",
            "https://app.example.com/\ncb",
            "https://app.example.com/a b",
            "javascript:alert(1)",
            "JavaScript://%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }

    #[test]
    fn redirect_uris_match_exactly_but_for_the_port_of_a_loopback_host() {
        let client = client(&[
            "https://app.example.com/cb",
            "http://127.0.0.1/cb",
            "http://localhost:9/cb",
        ]);
        for good in [
            "https://app.example.com/cb",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:50123/cb",
            "http://localhost:50123/cb",
        ] {
            assert!(client.allows_redirect(good), "{good}");
        }
        for bad in [
            "https://app.example.com/cb/",
            "https://app.example.com:8443/cb",
            "https://app.example.com/cb?x=1",
            "https://APP.example.com/cb",
            "http://127.0.0.1:50123/other",
            "http://127.0.0.1:50123/cb?x=1",
            "http://127.0.0.2:50123/cb",
            "http://127.0.0.1:50123/cb#x",
            "http://user@127.0.0.1:50123/cb",
            "https://127.0.0.1/cb",
        ] {
            assert!(!client.allows_redirect(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_cannot_turn_the_text_around_it() {
        assert_eq!(displayable(" Good\u{202e}live\u{7}\n "), "Goodlive");
        assert_eq!(displayable(&"x".repeat(500)).len(), MAX_NAME);
    }
}
