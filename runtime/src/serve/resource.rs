//! The resource identifier: the server's identity, and the audience of its tokens.
//!
//! It is configured, never read from a request, and everything a client is told about where things are
//! is derived from it ([RFC 9728 §3.1], MCP Authorization, Canonical Server URI).
//!
//! [RFC 9728 §3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1

use std::net::IpAddr;

use url::{Host, Url};

/// The well-known segment of [RFC 9728 §3](https://www.rfc-editor.org/rfc/rfc9728#section-3).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The names by which a machine calls itself.
pub(crate) const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The canonical identifier of a protected resource: `https`, or `http` on loopback; no user information,
/// query or fragment; scheme and host in lower case; no slash after a bare host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    origin: String,
    path: String,
    host: String,
    loopback: bool,
}

impl Resource {
    /// Checks `text`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, &'static str> {
        let url = Url::parse(text)
            .map_err(|_| "write an absolute URL, as in `https://notes.example.com/mcp`")?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("the scheme must be https");
        }
        if text.contains('#') {
            return Err("leave out the fragment");
        }
        if text.contains('?') {
            return Err("leave out the query");
        }
        let (_, rest) = text
            .split_once("://")
            .ok_or("write `//` after the scheme")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err("leave out the user information");
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%:@!$&'()*+,;=[]".contains(&b);
        if !rest.bytes().all(legal)
            || url.path()
                != path
                    .strip_prefix("")
                    .filter(|p| !p.is_empty())
                    .unwrap_or("/")
        {
            return Err(
                "write the host in ASCII and the path percent-encoded and without dot segments",
            );
        }
        let loopback = url.host().is_some_and(|host| is_loopback(&host));
        if url.scheme() == "http" && !loopback && !allow_http {
            return Err("http is for loopback only: use https");
        }
        let authority = authority.to_ascii_lowercase();
        Ok(Self {
            origin: format!("{}://{authority}", url.scheme()),
            path: if path == "/" {
                String::new()
            } else {
                path.to_owned()
            },
            host: url.host_str().unwrap_or_default().to_owned(),
            loopback,
        })
    }

    /// The identifier: the `resource` of the metadata, and the audience that tokens must name.
    pub(crate) fn identifier(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// Where the MCP endpoint is on this host. Never empty.
    pub(crate) fn endpoint(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }

    /// The path of the metadata document: the well-known segment before the path of the resource.
    pub(crate) fn metadata_path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.path)
    }

    /// The URL of the metadata document, as challenges name it.
    pub(crate) fn metadata_url(&self) -> String {
        format!("{}{}", self.origin, self.metadata_path())
    }

    /// The origins under which browsers know this host: its own, and on loopback all of its names.
    pub(crate) fn origins(&self) -> Vec<String> {
        if !self.loopback {
            return vec![self.origin.clone()];
        }
        let (scheme, authority) = self.origin.split_once("://").unwrap_or_default();
        let port = authority
            .strip_prefix(self.host.as_str())
            .unwrap_or_default();
        LOOPBACK_NAMES
            .map(|name| format!("{scheme}://{name}{port}"))
            .into()
    }

    /// The host, without port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is a resource on the machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Resource, &'static str> {
        Resource::parse(text, false)
    }

    #[test]
    fn the_metadata_path_is_inserted_between_host_and_path() {
        for (resource, identifier, metadata) in [
            (
                "https://h:8443/a/mcp",
                "https://h:8443/a/mcp",
                "https://h:8443/.well-known/oauth-protected-resource/a/mcp",
            ),
            (
                "https://h",
                "https://h",
                "https://h/.well-known/oauth-protected-resource",
            ),
            (
                "https://H.example/",
                "https://h.example",
                "https://h.example/.well-known/oauth-protected-resource",
            ),
            (
                "HTTPS://H.example/Mcp",
                "https://h.example/Mcp",
                "https://h.example/.well-known/oauth-protected-resource/Mcp",
            ),
            (
                "http://127.0.0.1:3000/mcp",
                "http://127.0.0.1:3000/mcp",
                "http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "http://[::1]:3000/mcp",
                "http://[::1]:3000/mcp",
                "http://[::1]:3000/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            let parsed = parse(resource).unwrap();
            assert_eq!(parsed.identifier(), identifier);
            assert_eq!(parsed.metadata_url(), metadata);
        }
    }

    #[test]
    fn what_cannot_be_an_identifier_is_refused() {
        for text in [
            "h.example",
            "",
            "/mcp",
            "https://",
            "https:h.example/mcp",
            "ftp://h.example/mcp",
            "https://h.example#x",
            "https://h.example/mcp#",
            "https://h.example/mcp?x=1",
            "https://u:p@h.example/mcp",
            "https://h.example/a/../mcp",
            "https://größe.example/mcp",
            "https://h.example/a b",
            "https://h.example/{id}",
            "https://h.example/\"",
            "http://h.example/mcp",
            "http://localhost.example/mcp",
            "http://10.0.0.1/mcp",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_on_loopback_has_the_origins_of_all_its_names() {
        assert_eq!(
            parse("https://H.example:8443/a").unwrap().origins(),
            ["https://h.example:8443"]
        );
        let loopback = [
            "http://localhost:80",
            "http://127.0.0.1:80",
            "http://[::1]:80",
        ];
        assert_eq!(
            parse("http://127.0.0.1:80/mcp").unwrap().origins(),
            loopback
        );
        assert_eq!(parse("http://[::1]:80/mcp").unwrap().origins(), loopback);
        let without_port = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
        assert_eq!(parse("http://localhost").unwrap().origins(), without_port);
    }

    #[test]
    fn plain_http_beyond_loopback_needs_to_be_asked_for() {
        assert!(Resource::parse("http://h.example/mcp", true).is_ok());
        assert!(parse("http://localhost:1/mcp").is_ok());
        assert!(parse("http://127.8.8.8/mcp").is_ok());
    }
}
