//! Tokens that have been verified before.
//!
//! Checking a signature costs more than all the rest of a call, and clients send the same token with every
//! request. So a server remembers which principal a token stood for, under a keyed hash of the complete
//! text of the token, and only as long as the [`Freshness`] that its verifier gave says that verifying again
//! would have the same result.
//!
//! What is remembered is who was issued the token, and nothing else: revocation, proofs of possession and
//! the decision about the tool come with each request, after this. Refusals are never remembered, so only
//! those who hold good tokens can fill the cache, and each server has its own.

use std::{
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::{
    hmac::{self, HMAC_SHA256},
    rand::SystemRandom,
};
use quick_cache::{Lifecycle, OptionsBuilder, UnitWeighter, sync::Cache};

use crate::{
    declare::principal::Principal,
    verify::freshness::{Freshness, Lasting},
};

/// The longest token that is remembered: hashing a longer one is no longer cheap.
const MAX_TOKEN: usize = 4 * 1024;

/// How many verified tokens a server remembers. Given to [`Server::token_cache`](crate::Server::token_cache).
///
/// A token counts as good without another signature check for five minutes at most, never beyond its own
/// expiry, and only while its issuer still publishes the key that signed it. An entry takes about 600 bytes
/// and the claims of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCache {
    entries: usize,
}

impl TokenCache {
    /// Every token is verified with every request.
    #[must_use]
    pub fn off() -> Self {
        Self { entries: 0 }
    }

    /// The tokens that were used last and most, so many at most. 10 000 is the default.
    #[must_use]
    pub fn entries(entries: usize) -> Self {
        Self { entries }
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self { entries: 10_000 }
    }
}

/// What has happened in a token cache since its server was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TokenCacheStats {
    /// Requests whose token did not have to be verified.
    pub hits: u64,
    /// Requests whose token did have to be verified: unknown, or no longer fresh.
    pub misses: u64,
    /// Tokens that were remembered.
    pub inserts: u64,
    /// Tokens that were forgotten to make room.
    pub evictions: u64,
    /// Tokens that are remembered now.
    pub entries: u64,
}

/// The verified tokens of one server.
pub(crate) struct Tokens(Option<Store>);

struct Store {
    secret: hmac::Key,
    known: Cache<Fingerprint, Known, UnitWeighter, ByFingerprint, Evictions>,
    evictions: Evictions,
    hits: AtomicU64,
    misses: AtomicU64,
    inserts: AtomicU64,
}

#[derive(Clone)]
struct Known {
    principal: Principal,
    freshness: Arc<dyn Freshness>,
}

/// 128 bits of a MAC over the complete text of a token, under a key that nobody knows: neither are two tokens
/// taken for one, nor does the time of a look-up tell anything about the tokens that are there.
#[derive(PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 16]);

impl Tokens {
    pub(crate) fn new(configuration: TokenCache) -> Self {
        if configuration.entries == 0 {
            return Self(None);
        }
        let secret = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new());
        let options = OptionsBuilder::new()
            .estimated_items_capacity(configuration.entries)
            .weight_capacity(configuration.entries as u64)
            .build();
        let (Ok(secret), Ok(options)) = (secret, options) else {
            // Without randomness nothing can be remembered safely; verifying still works.
            return Self(None);
        };
        let evictions = Evictions::default();
        Self(Some(Store {
            secret,
            known: Cache::with_options(options, UnitWeighter, ByFingerprint, evictions.clone()),
            evictions,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            inserts: AtomicU64::new(0),
        }))
    }

    /// Under what `token` is or will be remembered, if at all.
    pub(crate) fn fingerprint(&self, token: &str) -> Option<Fingerprint> {
        let store = self.0.as_ref()?;
        if token.len() > MAX_TOKEN {
            return None;
        }
        let tag = hmac::sign(&store.secret, token.as_bytes());
        tag.as_ref().first_chunk().copied().map(Fingerprint)
    }

    /// The principal of a token that was verified and would be verified again.
    pub(crate) fn get(&self, fingerprint: &Fingerprint) -> Option<Principal> {
        let store = self.0.as_ref()?;
        // Asked on a copy: nothing that is not ours runs while the shard is locked.
        let known = store.known.get(fingerprint);
        let fresh = known
            .as_ref()
            .is_some_and(|known| known.freshness.is_fresh());
        let counter = if fresh { &store.hits } else { &store.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        if known.is_some() && !fresh {
            store.known.remove(fingerprint);
        }
        known.filter(|_| fresh).map(|known| known.principal)
    }

    /// Remembers whom a verified token stands for, as long as `freshness` says.
    pub(crate) fn insert(
        &self,
        fingerprint: Fingerprint,
        principal: &Principal,
        freshness: Lasting,
    ) {
        if let (Some(store), Some(freshness)) = (&self.0, freshness)
            && freshness.is_fresh()
        {
            let principal = principal.clone();
            let known = Known {
                principal,
                freshness,
            };
            store.known.insert(fingerprint, known);
            store.inserts.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn stats(&self) -> TokenCacheStats {
        let Some(store) = &self.0 else {
            return TokenCacheStats::default();
        };
        TokenCacheStats {
            hits: store.hits.load(Ordering::Relaxed),
            misses: store.misses.load(Ordering::Relaxed),
            inserts: store.inserts.load(Ordering::Relaxed),
            evictions: store.evictions.0.load(Ordering::Relaxed),
            entries: store.known.len() as u64,
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.stats(), f)
    }
}

/// A fingerprint is a hash already.
#[derive(Clone, Copy)]
struct ByFingerprint;

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl BuildHasher for ByFingerprint {
    type Hasher = FirstBytes;

    fn build_hasher(&self) -> FirstBytes {
        FirstBytes(0)
    }
}

struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .first_chunk()
            .map_or(self.0, |first| u64::from_le_bytes(*first));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Default)]
struct Evictions(Arc<AtomicU64>);

impl Lifecycle<Fingerprint, Known> for Evictions {
    /// Dropped when the shard is no longer locked.
    type RequestState = Vec<Known>;

    fn on_evict(&self, evicted: &mut Vec<Known>, _: Fingerprint, known: Known) {
        self.0.fetch_add(1, Ordering::Relaxed);
        evicted.push(known);
    }
}
