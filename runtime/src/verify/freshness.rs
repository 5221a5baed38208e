//! For how long the answer of a verifier may be relied upon.
//!
//! A server remembers principals of tokens it has seen, so that a signature is checked once and not with
//! every request. What made the token acceptable then is asked again each time: the clock, and whether the
//! key that signed it is still the one that would be looked up. Anything else than a clear yes means that
//! the token is verified from the start, with whatever result that has.
//!
//! What this does not do: remember anything. That is the server's.

use std::{fmt, sync::Arc};

use super::{
    algorithm::SignatureAlgorithm, claims::Window, clock::Clock, jwt::Keys, keys::PublicKey,
};
use crate::declare::principal::VerifiedToken;

/// How long a token is taken to be good without looking at its signature again: five minutes.
const MAX_TRUST_MILLIS: u64 = 300_000;

/// Whether the verification of one token would still have the same result.
///
/// Asked with every request that presents the token again, so it must be quick. It must say `false` whenever
/// it is not sure.
pub trait Freshness: Send + Sync + 'static {
    /// Whether it would, as of now.
    fn is_fresh(&self) -> bool;
}

/// What a [`Verifier`](crate::Verifier) vouches for, and for how long.
#[derive(Debug)]
pub struct Vouched {
    pub(crate) token: VerifiedToken,
    pub(crate) freshness: Lasting,
}

/// For one request only, or for as long as the freshness says so.
pub(crate) type Lasting = Option<Arc<dyn Freshness>>;

impl Vouched {
    /// Vouches for one request: the next one with the same token is verified again.
    #[must_use]
    pub fn once(token: VerifiedToken) -> Self {
        Self {
            token,
            freshness: None,
        }
    }

    /// Vouches for every request that presents the same token, as long as it is fresh.
    #[must_use]
    pub fn while_fresh(token: VerifiedToken, freshness: impl Freshness) -> Self {
        Self {
            token,
            freshness: Some(Arc::new(freshness)),
        }
    }
}

impl fmt::Debug for dyn Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_fresh() { "fresh" } else { "stale" })
    }
}

/// The freshness of a JWT: everything about its verification that time can change.
///
/// There is one for each token that is remembered, so it is kept small.
struct JwtFreshness {
    trust: Arc<Trust>,
    key: Arc<PublicKey>,
    /// Whether the token named its key, which then is the name of `key`.
    named: bool,
    algorithm: SignatureAlgorithm,
    /// The first and the last second it is good.
    from: u64,
    until: u64,
    /// Monotonic, in milliseconds.
    verified_at: u64,
}

/// What freshness asks: the same for all tokens of a verifier.
pub(super) struct Trust {
    pub(super) keys: Keys,
    pub(super) clock: Clock,
}

impl Trust {
    fn monotonic_millis(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX)
    }

    /// The freshness of a token that was verified just now.
    pub(super) fn freshness(
        self: &Arc<Self>,
        key: Arc<PublicKey>,
        named: bool,
        algorithm: SignatureAlgorithm,
        window: &Window,
    ) -> impl Freshness + use<> {
        let (from, until) = window.seconds().into_inner();
        JwtFreshness {
            trust: Arc::clone(self),
            key,
            named,
            algorithm,
            from,
            until,
            verified_at: self.monotonic_millis(),
        }
    }
}

impl Freshness for JwtFreshness {
    fn is_fresh(&self) -> bool {
        let age = self
            .trust
            .monotonic_millis()
            .saturating_sub(self.verified_at);
        let now = self.trust.clock.unix_seconds();
        age < MAX_TRUST_MILLIS && (self.from..=self.until).contains(&now) && self.key_is_current()
    }
}

impl JwtFreshness {
    /// Whether the same look-up finds the same key. This also is what refreshes keys in time when all tokens
    /// are remembered, and what stops when keys have become too old.
    fn key_is_current(&self) -> bool {
        let kid = if self.named { self.key.kid() } else { None };
        let current = self.trust.keys.source().current(kid, self.algorithm);
        current.is_some_and(|current| {
            Arc::ptr_eq(&current, &self.key) || current.thumbprint() == self.key.thumbprint()
        })
    }
}
