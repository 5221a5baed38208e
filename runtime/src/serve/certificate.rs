//! The client certificate of a connection, for tokens that are bound to it ([RFC 8705 §3]).
//!
//! TLS ends in the application or in a proxy, not here, so the certificate is handed over: in the extensions
//! of the request, or in a header that a proxy of a known address sets ([RFC 9440]). The certificate is not
//! validated again, nor need it be: the token names its digest ([RFC 8705 §4.2]). That the client holds its
//! key is what the TLS handshake has shown.
//!
//! [RFC 8705 §3]: https://www.rfc-editor.org/rfc/rfc8705#section-3
//! [RFC 8705 §4.2]: https://www.rfc-editor.org/rfc/rfc8705#section-4.2
//! [RFC 9440]: https://www.rfc-editor.org/rfc/rfc9440

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use axum::extract::ConnectInfo;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::request::Parts;

use crate::verify::dpop::digest::{encode, sha256};

/// The header in which a proxy passes the certificate on (RFC 9440 §2.2).
pub(crate) const CLIENT_CERT: &str = "client-cert";
/// The longest certificate that a header may hold.
const MAX_CERTIFICATE: usize = 16 * 1024;

/// The TLS client certificate of the connection that a request came over, in DER.
///
/// The application's TLS layer puts it into the extensions of each request, after the handshake has shown
/// that the client holds the key:
///
/// ```no_run
/// # fn peer_certificates() -> Option<Vec<Vec<u8>>> { None }
/// use toolgate::ClientCertificate;
///
/// # let mut request = http::Request::new(());
/// // With rustls: `connection.peer_certificates()`, the first of which is the client's own.
/// if let Some(certificate) = peer_certificates().and_then(|chain| chain.into_iter().next()) {
///     request.extensions_mut().insert(ClientCertificate(certificate));
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Vec<u8>);

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({} bytes)", self.0.len())
    }
}

/// Where the client certificates of a server come from, for
/// [`Server::mutual_tls`](crate::Server::mutual_tls).
///
/// ```
/// use toolgate::{MutualTls, Server};
///
/// let server = Server::new("https://notes.example.com/mcp")
///     .authorization_server("https://auth.example.com")
///     .mutual_tls(MutualTls::proxy(["10.0.0.7".parse()?]));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct MutualTls(Source);

#[derive(Debug, Clone)]
enum Source {
    Connection,
    Proxy(Vec<IpAddr>),
}

impl MutualTls {
    /// From the application's own TLS layer, as a [`ClientCertificate`] in the extensions of the request.
    pub fn connection() -> Self {
        Self(Source::Connection)
    }

    /// From the header `Client-Cert` ([RFC 9440]) of requests that come from one of these addresses, and from
    /// no others.
    ///
    /// The proxy must remove that header from what clients send. The address is that of the connection:
    /// [`Server::serve`](crate::Server::serve) knows it, an application of your own provides it with
    /// [`into_make_service_with_connect_info::<SocketAddr>`](axum::Router::into_make_service_with_connect_info).
    ///
    /// [RFC 9440]: https://www.rfc-editor.org/rfc/rfc9440
    pub fn proxy(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let canonical = addresses.into_iter().map(|address| address.to_canonical());
        Self(Source::Proxy(canonical.collect()))
    }

    /// Whether nobody could ever present a certificate.
    pub(crate) fn is_impossible(&self) -> bool {
        matches!(&self.0, Source::Proxy(addresses) if addresses.is_empty())
    }

    /// The SHA-256 digest of the certificate of this request's connection, as `x5t#S256` spells it.
    pub(crate) fn thumbprint(&self, request: &Parts) -> Option<String> {
        let digest = match &self.0 {
            Source::Connection => {
                let ClientCertificate(der) = request.extensions.get()?;
                sha256(der)
            }
            Source::Proxy(addresses) => {
                let ConnectInfo(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
                if !addresses.contains(&peer.ip().to_canonical()) {
                    return None;
                }
                let mut values = request.headers.get_all(CLIENT_CERT).iter();
                let value = values.next().filter(|_| values.next().is_none())?;
                sha256(&byte_sequence(value.as_bytes())?)
            }
        };
        Some(encode(&digest))
    }
}

/// The content of a byte sequence (RFC 9651 §3.3.5), as RFC 9440 §2.1 writes it: padded, no parameters.
fn byte_sequence(value: &[u8]) -> Option<Vec<u8>> {
    let inner = value.strip_prefix(b":")?.strip_suffix(b":")?;
    let der = STANDARD.decode(inner).ok()?;
    (!der.is_empty() && der.len() <= MAX_CERTIFICATE).then_some(der)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const DER: &[u8] = b"not really a certificate";

    fn header() -> String {
        format!(":{}:", STANDARD.encode(DER))
    }

    fn thumbprint(mutual_tls: &MutualTls, peer: Option<&str>, headers: &[&str]) -> Option<String> {
        let mut request = Request::new(());
        for value in headers {
            request
                .headers_mut()
                .append(CLIENT_CERT, value.parse().unwrap());
        }
        if let Some(peer) = peer {
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        mutual_tls.thumbprint(&request.into_parts().0)
    }

    #[test]
    fn a_header_counts_from_the_configured_addresses_only() {
        let proxy = MutualTls::proxy(["10.0.0.7".parse().unwrap(), "::1".parse().unwrap()]);
        let expected = encode(&sha256(DER));
        for peer in ["10.0.0.7:1", "[::1]:2", "[::ffff:10.0.0.7]:3"] {
            let found = thumbprint(&proxy, Some(peer), &[&header()]);
            assert_eq!(found.as_ref(), Some(&expected), "{peer}");
        }
        for peer in [None, Some("10.0.0.8:1"), Some("127.0.0.1:1")] {
            assert_eq!(thumbprint(&proxy, peer, &[&header()]), None, "{peer:?}");
        }
        let connection = MutualTls::connection();
        assert_eq!(
            thumbprint(&connection, Some("10.0.0.7:1"), &[&header()]),
            None,
            "no header counts where TLS ends in the application"
        );
    }

    #[test]
    fn only_one_byte_sequence_is_a_certificate() {
        let proxy = MutualTls::proxy(["10.0.0.7".parse().unwrap()]);
        let find = |headers: &[&str]| thumbprint(&proxy, Some("10.0.0.7:1"), headers);
        let good = header();
        let inner = good.trim_matches(':');
        assert!(find(&[&good]).is_some());
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[&good, &good]), None);
        for bad in [
            "",
            ":",
            "::",
            inner,
            &format!(":{inner}"),
            &format!("{good}, {good}"),
            &format!("{good};x=1"),
            &format!(":{inner} :"),
            &format!("\"{inner}\""),
            &format!(":{}:", inner.trim_end_matches('=').to_owned() + "!"),
            &format!(":{}:", STANDARD.encode([0; MAX_CERTIFICATE + 1])),
        ] {
            assert_eq!(find(&[bad]), None, "{bad}");
        }
    }

    #[test]
    fn the_extension_counts_where_tls_ends_in_the_application_only() {
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(ClientCertificate(DER.to_vec()));
        let (parts, ()) = request.into_parts();
        let found = MutualTls::connection().thumbprint(&parts);
        assert_eq!(found, Some(encode(&sha256(DER))));
        let proxy = MutualTls::proxy(["10.0.0.7".parse().unwrap()]);
        assert_eq!(proxy.thumbprint(&parts), None);
    }
}
