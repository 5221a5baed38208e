//! Which addresses a document may be fetched from.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::client::is_loopback;
use crate::verify::address::is_public;

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

#[cfg(test)]
mod tests {
    use super::*;

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
