//! Which `Host` and `Origin` headers are let in.
//!
//! Against DNS rebinding and cross-site requests (MCP Streamable HTTP, Security & Endpoint): a browser that
//! was talked into resolving a foreign name to this server says so in `Host`, and a page that is not meant
//! to use it says so in `Origin`. Checked before anything else looks at the request.

use http::{HeaderMap, Uri, header, uri::Authority};

use super::resource::{LOOPBACK_NAMES, Resource};
use crate::declare::problem::Problem;

/// The host names and origins of one server.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: Vec<String>,
    /// Its own, which need no CORS.
    own_origins: Vec<String>,
    origins: Vec<String>,
}

/// Which header was foreign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    Host,
    Origin,
}

impl Hosts {
    /// The host of `resource`, the loopback names, and what was configured beside them.
    pub(crate) fn new(
        resource: &Resource,
        hosts: &[String],
        origins: &[String],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let own = std::iter::once(resource.host()).chain(LOOPBACK_NAMES);
        let mut known: Vec<String> = own.map(str::to_owned).collect();
        for host in hosts {
            match host.parse::<Authority>() {
                Ok(authority) if authority.host() == host => known.push(host.to_ascii_lowercase()),
                _ => problems.push(Problem::InvalidHost(host.clone())),
            }
        }
        for origin in origins {
            let is_origin = url::Url::parse(origin).is_ok_and(|url| {
                url.origin().is_tuple() && url.origin().ascii_serialization() == *origin
            });
            if !is_origin {
                problems.push(Problem::InvalidOrigin(origin.clone()));
            }
        }
        Self {
            hosts: known,
            own_origins: resource.origins(),
            origins: origins.to_vec(),
        }
    }

    /// The other origins that browsers may call from.
    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Whether the request names this server and comes from a page that may use it, or from no page.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
        self.check_host(uri, headers)?;
        self.check_origin(headers)
    }

    pub(crate) fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
        let header = single(headers, &header::HOST)
            .ok_or(Foreign::Host)?
            .map(|text| text.parse::<Authority>().map_err(|_| Foreign::Host))
            .transpose()?;
        // HTTP/2 carries the host in the request target, and HTTP/1.1 may. Where there are two, somebody
        // else may go by the other one.
        let target = uri.authority();
        if header.is_none() && target.is_none() {
            return Err(Foreign::Host);
        }
        if header.iter().chain(target).all(|named| self.knows(named)) {
            Ok(())
        } else {
            Err(Foreign::Host)
        }
    }

    fn knows(&self, named: &Authority) -> bool {
        !named.as_str().contains('@')
            && self
                .hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(named.host()))
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Foreign> {
        match single(headers, &header::ORIGIN).ok_or(Foreign::Origin)? {
            None => Ok(()),
            Some(origin) => {
                let mut known = self.own_origins.iter().chain(&self.origins);
                known
                    .any(|known| known == origin)
                    .then_some(())
                    .ok_or(Foreign::Origin)
            }
        }
    }
}

/// The text of a header that may occur once: `Some(None)` when it is absent, `None` when it is repeated or
/// no text.
fn single<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return None;
    }
    first.map_or(Some(None), |value| value.to_str().ok().map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)]) -> Result<(), Foreign> {
        let resource = Resource::parse("https://notes.example.com/mcp", false).unwrap();
        let mut problems = Vec::new();
        let hosts = ["proxy.internal".to_owned()];
        let origins = [
            "https://app.example.com".to_owned(),
            "http://localhost:6274".to_owned(),
        ];
        let hosts = Hosts::new(&resource, &hosts, &origins, &mut problems);
        assert_eq!(problems, []);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        hosts.check(&Uri::from_static("/mcp"), &map)
    }

    #[test]
    fn hosts_are_compared_whole_and_without_port() {
        for host in [
            "notes.example.com",
            "notes.example.com:443",
            "NOTES.example.com",
            "localhost:3000",
            "127.0.0.1:1",
            "[::1]:1",
            "proxy.internal",
        ] {
            assert_eq!(check(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "notes.example.com.evil.example",
            "evilnotes.example.com",
            "example.com",
            "",
            "user@notes.example.com",
            "notes.example.com/x",
        ] {
            assert_eq!(check(&[("host", host)]), Err(Foreign::Host), "{host}");
        }
        assert_eq!(check(&[]), Err(Foreign::Host));
        assert_eq!(
            check(&[("host", "localhost"), ("host", "localhost")]),
            Err(Foreign::Host)
        );
    }

    #[test]
    fn origins_are_compared_byte_for_byte() {
        let check = |origin| check(&[("host", "localhost"), ("origin", origin)]);
        assert_eq!(check("https://app.example.com"), Ok(()));
        assert_eq!(check("http://localhost:6274"), Ok(()));
        assert_eq!(check("https://notes.example.com"), Ok(()), "its own");
        for origin in [
            "https://evil.example",
            "null",
            "",
            "https://app.example.com:8443",
            "http://app.example.com",
            "https://app.example.com.evil.example",
            "http://localhost",
            "http://localhost:6275",
        ] {
            assert_eq!(check(origin), Err(Foreign::Origin), "{origin}");
        }
    }

    #[test]
    fn a_repeated_origin_is_foreign_even_when_both_are_known() {
        let origin = ("origin", "https://app.example.com");
        assert_eq!(
            check(&[("host", "localhost"), origin, origin]),
            Err(Foreign::Origin)
        );
    }

    #[test]
    fn what_no_browser_would_send_cannot_be_configured() {
        let resource = Resource::parse("https://h.example", false).unwrap();
        for origin in [
            "app.example.com",
            "https://app.example.com/",
            "*",
            "null",
            "https://app.example.com:443",
        ] {
            let mut problems = Vec::new();
            let _ = Hosts::new(&resource, &[], &[origin.to_owned()], &mut problems);
            assert_eq!(problems, [Problem::InvalidOrigin(origin.to_owned())]);
        }
        for host in ["https://h", "h:80", "h/x", ""] {
            let mut problems = Vec::new();
            let _ = Hosts::new(&resource, &[host.to_owned()], &[], &mut problems);
            assert_eq!(problems, [Problem::InvalidHost(host.to_owned())]);
        }
    }
}
