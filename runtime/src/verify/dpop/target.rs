//! `htu`: the address a proof was made for, compared with the one this server has.
//!
//! Normalized as [RFC 3986 §6.2.2.1 and §6.2.3] say: scheme and host without case, no default port, `/` for
//! an empty path; query and fragment do not count ([RFC 9449 §4.3]). Nothing else is repaired: no dot
//! segments, no percent-encoding, no backslashes, because whoever repairs may repair differently.
//!
//! [RFC 3986 §6.2.2.1 and §6.2.3]: https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.1
//! [RFC 9449 §4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3

/// The longest address that is looked at.
const MAX_TARGET: usize = 2048;

/// The one spelling of an http or https `uri` without query and fragment. `None` when it is no such URI.
pub(super) fn canonical(uri: &str) -> Option<String> {
    if uri.len() > MAX_TARGET || !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let (scheme, rest) = uri.get(..end)?.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    };
    if host.is_empty() || host.contains(['@', '\\']) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let path = if path.is_empty() { "/" } else { path };
    Some(if port.is_empty() || port == default_port {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{host}:{port}{path}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (one, other) in [
            ("https://h.example/mcp", "HTTPS://H.Example/mcp"),
            ("https://h.example/mcp", "https://h.example:443/mcp"),
            ("https://h.example/mcp", "https://h.example:/mcp"),
            ("https://h.example/mcp", "https://h.example/mcp?x=/y#z"),
            ("https://h.example/mcp", "https://h.example/mcp#?"),
            ("http://h.example/mcp", "http://h.example:80/mcp"),
            ("https://h.example", "https://h.example/"),
            ("https://h.example", "https://h.example?x"),
            ("http://[::1]/mcp", "http://[::1]:80/mcp"),
            ("http://[::A]:3000/mcp", "http://[::a]:3000/mcp"),
        ] {
            assert!(canonical(one).is_some(), "{one}");
            assert_eq!(canonical(one), canonical(other), "{other}");
        }
    }

    #[test]
    fn another_address_is_never_equal() {
        let ours = canonical("https://h.example/mcp").unwrap();
        for other in [
            "",
            "/mcp",
            "mcp",
            "h.example/mcp",
            "//h.example/mcp",
            "https:h.example/mcp",
            "https:///mcp",
            "http://h.example/mcp",
            "http://h.example:443/mcp",
            "https://h.example:80/mcp",
            "https://h.example:0443/mcp",
            "https://h.example:8443/mcp",
            "https://h.example/MCP",
            "https://h.example/mcp/",
            "https://h.example//mcp",
            "https://h.example/./mcp",
            "https://h.example/x/../mcp",
            "https://h.example/%6dcp",
            "https://h.example/mcp%3f",
            "https://h.example/mcp;x",
            "https://h.example./mcp",
            "https://x.h.example/mcp",
            "https://h.example.evil.example/mcp",
            "https://u@h.example/mcp",
            "https://u:443@h.example/mcp",
            "https://h.example\\/mcp",
            "https:\\\\h.example\\mcp",
            " https://h.example/mcp",
            "https://h.example/mcp\n",
            "https://h.example/m\tcp",
            "https://h.example/mcp\u{0}",
            "https://h\u{e4}.example/mcp",
            "ftp://h.example/mcp",
        ] {
            assert_ne!(canonical(other).as_ref(), Some(&ours), "{other:?}");
        }
        let long = format!("https://h.example/mcp?{}", "x".repeat(MAX_TARGET));
        assert_eq!(canonical(&long), None);
    }
}
