//! From an issuer to its metadata ([RFC 8414 §3], OpenID Connect Discovery 1.0 §4), as MCP orders it.
//!
//! The document must name the very issuer that was asked for, byte for byte ([RFC 8414 §3.3]); otherwise
//! one issuer could speak for another. Keys come from that document's `jwks_uri` and from nowhere else.
//!
//! [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
//! [RFC 8414 §3.3]: https://www.rfc-editor.org/rfc/rfc8414#section-3.3

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::fetch::{FetchError, Fetcher};

/// What an authorization server publishes about itself.
#[derive(Debug, Clone)]
pub(crate) struct IssuerMetadata {
    /// The URL that was looked for, `jwks_uri` for example.
    pub(crate) wanted: Url,
    document: Map<String, Value>,
}

impl IssuerMetadata {
    /// Fetches the metadata of `issuer` from the first place that has it and names a URL as `wanted`.
    pub(crate) async fn discover(
        fetcher: &Fetcher,
        issuer: &str,
        wanted: &str,
        timeout: Duration,
    ) -> Result<Self, FetchError> {
        let mut failure = FetchError::Url;
        for url in well_known(issuer).into_iter().flatten() {
            let found = match fetcher.get(&url, timeout).await {
                Ok(document) => Self::accept(document.members, issuer, wanted),
                Err(error) => Err(error),
            };
            match found {
                Ok(metadata) => return Ok(metadata),
                // The other places are on the same host.
                Err(error @ (FetchError::Connect | FetchError::Timeout)) => return Err(error),
                // A server that has the document says more than one that has none.
                Err(FetchError::Status(_)) if failure != FetchError::Url => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    pub(crate) fn accept(
        document: Map<String, Value>,
        issuer: &str,
        wanted: &str,
    ) -> Result<Self, FetchError> {
        let text = |name| document.get(name).and_then(Value::as_str);
        if text("issuer").ok_or(FetchError::Document)? != issuer {
            return Err(FetchError::Issuer);
        }
        let wanted = text(wanted).and_then(|uri| uri.parse().ok());
        Ok(Self {
            wanted: wanted.ok_or(FetchError::Document)?,
            document,
        })
    }

    /// A member of the document that is an array of strings, such as `scopes_supported` or
    /// `code_challenge_methods_supported`. `None` when it is absent or something else.
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "start-up checks ask")
    )]
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.document
            .get(name)?
            .as_array()?
            .iter()
            .map(Value::as_str)
            .collect()
    }

    /// Any other member.
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "start-up checks ask")
    )]
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.document.get(name)
    }
}

/// Where the metadata of `issuer` may be, in the order of the MCP specification: RFC 8414 with the path
/// inserted, OpenID Connect with the path inserted, OpenID Connect with the path appended.
fn well_known(issuer: &str) -> [Option<Url>; 3] {
    let at = |path: String| {
        let mut url = Url::parse(issuer).ok()?;
        url.set_path(&path);
        Some(url)
    };
    let path = Url::parse(issuer).map_or_else(|_| String::new(), |url| url.path().to_owned());
    // RFC 8414 §3.1: a slash that ends the issuer is removed first.
    let path = path.strip_suffix('/').unwrap_or(&path);
    [
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("/.well-known/openid-configuration{path}")),
        (!path.is_empty())
            .then(|| at(format!("{path}/.well-known/openid-configuration")))
            .flatten(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(issuer: &str) -> Vec<String> {
        well_known(issuer)
            .into_iter()
            .flatten()
            .map(String::from)
            .collect()
    }

    #[test]
    fn the_three_places_are_asked_in_the_order_of_mcp() {
        assert_eq!(
            places("https://as.example/tenant/1"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant/1",
                "https://as.example/.well-known/openid-configuration/tenant/1",
                "https://as.example/tenant/1/.well-known/openid-configuration",
            ]
        );
        let root = [
            "https://as.example:8443/.well-known/oauth-authorization-server",
            "https://as.example:8443/.well-known/openid-configuration",
        ];
        assert_eq!(places("https://as.example:8443"), root);
        assert_eq!(places("https://as.example:8443/"), root);
        assert_eq!(
            places("https://as.example/a/")[2],
            "https://as.example/a/.well-known/openid-configuration"
        );
        assert_eq!(places("not a URL"), [""; 0]);
    }

    #[test]
    fn only_a_document_of_this_very_issuer_is_accepted() {
        let accept = |document: &Value| {
            IssuerMetadata::accept(
                document.as_object().unwrap().clone(),
                "https://as.example",
                "jwks_uri",
            )
        };
        let good = json!({
            "issuer": "https://as.example", "jwks_uri": "https://as.example/keys",
            "scopes_supported": ["a", "b"], "code_challenge_methods_supported": "S256",
        });
        let metadata = accept(&good).unwrap();
        assert_eq!(metadata.wanted.as_str(), "https://as.example/keys");
        assert_eq!(metadata.list("scopes_supported"), Some(vec!["a", "b"]));
        assert_eq!(metadata.list("code_challenge_methods_supported"), None);
        for other in [
            "https://as.example/",
            "https://AS.example",
            "http://as.example",
            "",
            "https://evil.example",
        ] {
            let document = json!({"issuer": other, "jwks_uri": "https://as.example/keys"});
            assert_eq!(accept(&document).err(), Some(FetchError::Issuer), "{other}");
        }
        for document in [
            json!({}),
            json!({"issuer": ["https://as.example"], "jwks_uri": "https://as.example/keys"}),
            json!({"issuer": "https://as.example"}),
            json!({"issuer": "https://as.example", "jwks_uri": 1}),
            json!({"issuer": "https://as.example", "jwks_uri": "/keys"}),
        ] {
            assert_eq!(accept(&document).err(), Some(FetchError::Document));
        }
    }
}
