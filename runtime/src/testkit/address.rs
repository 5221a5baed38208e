//! Which addresses a document may be fetched from.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::client::is_loopback;

/// Whether the host of `url` may be connected to, as far as its text tells; [`Guarded`] looks at what a
/// name resolves to.
pub(super) fn may_connect(url: &Url) -> bool {
    is_loopback(url)
        || match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            None => false,
        }
}

/// A resolver that knows `localhost` as this machine and any other name by its public addresses only: a
/// client id is a stranger's text, and must not make this machine knock at doors behind its firewall.
pub(super) struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let local = name.as_str() == "localhost";
            Ok(Box::new(permitted(local, found)?.into_iter()) as Addrs)
        })
    }
}

/// All of `found`, or an error when one of them is not what such a name may stand for.
fn permitted(local: bool, found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = found.collect();
    let fits = |address: &SocketAddr| match local {
        true => address.ip().is_loopback(),
        false => is_public(address.ip()),
    };
    if found.iter().all(fits) {
        Ok(found)
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "resolves to an address that is not public",
        ))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Everything but the special-purpose blocks of IANA's registry.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

/// Global unicast (2000::/3) without the blocks that embed IPv4 addresses or are for documentation. What
/// maps or translates IPv4 otherwise (::ffff:0:0/96, 64:ff9b::/96) lies outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let special =
        (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    (0x2000..0x4000).contains(&a) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2001::1",
            "2002:a00:1::",
            "2001:db8::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860::8888",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn one_private_answer_among_public_ones_refuses_the_name() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let public = addresses(&["1.1.1.1:0", "[2606:4700::1111]:0"]);
        assert_eq!(
            permitted(false, public.clone().into_iter()).unwrap(),
            public
        );
        let mixed = addresses(&["1.1.1.1:0", "10.0.0.1:0"]);
        assert!(permitted(false, mixed.into_iter()).is_err());
        let rebound = addresses(&["127.0.0.1:0"]);
        assert!(permitted(false, rebound.clone().into_iter()).is_err());
        assert!(permitted(true, rebound.into_iter()).is_ok());
        assert!(permitted(true, public.into_iter()).is_err());
    }
}
