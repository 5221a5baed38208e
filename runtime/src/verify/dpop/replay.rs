//! Which proofs have been used: each is good for one request ([RFC 9449 §11.1]).
//!
//! A store must never forget a proof that could still be used: whoever can make it forget can replay. So a
//! full store refuses, and each key may fill only its share of it.
//!
//! [RFC 9449 §11.1]: https://www.rfc-editor.org/rfc/rfc9449#section-11.1

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::verify::clock::Clock;

/// The name of one proof: the key that signed it, and its `jti`, both as SHA-256 digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProofId {
    pub(super) key: [u8; 32],
    pub(super) jti: [u8; 32],
}

impl ProofId {
    /// The thumbprint ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)) of the key.
    #[must_use]
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The SHA-256 digest of the proof's `jti`.
    #[must_use]
    pub fn jti(&self) -> &[u8; 32] {
        &self.jti
    }
}

/// Whether a proof was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofUse {
    /// It is remembered from now on.
    First,
    /// It must be refused.
    Again,
}

/// Why a store cannot say. The request is answered with 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayStoreError {
    /// There is no room, and what is remembered is still needed.
    #[error("too many proofs within the acceptance window")]
    Full,
    /// The store cannot be reached.
    #[error("the replay store cannot be reached")]
    Unavailable,
}

/// The future of [`ReplayStore::use_once`].
pub type Recording<'a> =
    Pin<Box<dyn Future<Output = Result<ProofUse, ReplayStoreError>> + Send + 'a>>;

/// Remembers which DPoP proofs were used ([RFC 9449 §11.1]).
///
/// A server that runs as several processes needs one that they share; the default,
/// [`MemoryReplayStore`], knows its own process only.
///
/// [RFC 9449 §11.1]: https://www.rfc-editor.org/rfc/rfc9449#section-11.1
pub trait ReplayStore: Send + Sync + 'static {
    /// Records `proof`, in one step with the question whether it is there already, and keeps it for at
    /// least `lifetime`. It must not drop what is younger than that, whatever else it has to hold.
    ///
    /// # Errors
    ///
    /// [`ReplayStoreError`] when it cannot be recorded.
    fn use_once<'a>(&'a self, proof: &'a ProofId, lifetime: Duration) -> Recording<'a>;
}

/// A [`ReplayStore`] in the memory of this process.
///
/// It holds at most 131 072 proofs (about 30 MB), 4096 of one key, unless told otherwise, and refuses more.
pub struct MemoryReplayStore {
    per_key: usize,
    total: usize,
    clock: Clock,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    proofs: HashSet<ProofId>,
    /// The same, by the time at which they may be forgotten.
    ends: BTreeSet<(Duration, ProofId)>,
    of_key: HashMap<[u8; 32], usize>,
}

impl MemoryReplayStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            per_key: 4096,
            total: 131_072,
            clock: Clock::system(),
            seen: Mutex::default(),
        }
    }

    /// At most `total` proofs, `per_key` of each key.
    #[must_use]
    pub fn limits(mut self, per_key: usize, total: usize) -> Self {
        self.per_key = per_key;
        self.total = total;
        self
    }

    /// Another clock, for tests. Its monotonic time counts: the wall clock may jump.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn record(&self, proof: ProofId, lifetime: Duration) -> Result<ProofUse, ReplayStoreError> {
        let now = self.clock.monotonic();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget_until(now);
        if seen.proofs.contains(&proof) {
            return Ok(ProofUse::Again);
        }
        let of_key = seen.of_key.get(&proof.key).copied().unwrap_or_default();
        if seen.proofs.len() >= self.total || of_key >= self.per_key {
            return Err(ReplayStoreError::Full);
        }
        seen.proofs.insert(proof);
        seen.ends.insert((now.saturating_add(lifetime), proof));
        seen.of_key.insert(proof.key, of_key.saturating_add(1));
        Ok(ProofUse::First)
    }
}

impl Seen {
    fn forget_until(&mut self, now: Duration) {
        while let Some(&(end, proof)) = self.ends.first()
            && end <= now
        {
            self.ends.pop_first();
            self.proofs.remove(&proof);
            let left = self.of_key.get_mut(&proof.key).map(|count| {
                *count = count.saturating_sub(1);
                *count
            });
            if left == Some(0) {
                self.of_key.remove(&proof.key);
            }
        }
    }
}

impl ReplayStore for MemoryReplayStore {
    fn use_once<'a>(&'a self, proof: &'a ProofId, lifetime: Duration) -> Recording<'a> {
        Box::pin(std::future::ready(self.record(*proof, lifetime)))
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("per_key", &self.per_key)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProofUse::{Again, First};

    const MINUTE: Duration = Duration::from_secs(60);

    fn proof(key: u8, jti: u8) -> ProofId {
        ProofId {
            key: [key; 32],
            jti: [jti; 32],
        }
    }

    #[test]
    fn a_proof_is_good_once_while_it_is_remembered() {
        let clock = Clock::manual(1000);
        let store = MemoryReplayStore::new().clock(clock.clone());
        assert_eq!(store.record(proof(1, 1), MINUTE), Ok(First));
        assert_eq!(store.record(proof(1, 1), MINUTE), Ok(Again));
        assert_eq!(store.record(proof(2, 1), MINUTE), Ok(First), "another key");
        assert_eq!(store.record(proof(1, 2), MINUTE), Ok(First));
        // A second use does not prolong the memory of the first.
        clock.advance(Duration::from_millis(59_999));
        assert_eq!(store.record(proof(1, 1), MINUTE), Ok(Again));
        clock.jump_to(0);
        clock.jump_to(1_000_000);
        assert_eq!(
            store.record(proof(1, 1), MINUTE),
            Ok(Again),
            "the wall clock"
        );
        clock.advance(Duration::from_millis(1));
        assert_eq!(store.record(proof(1, 1), MINUTE), Ok(First));
    }

    #[test]
    fn a_full_store_refuses_and_forgets_nothing() {
        let clock = Clock::manual(1000);
        let store = MemoryReplayStore::new().limits(2, 3).clock(clock.clone());
        let full = Err(ReplayStoreError::Full);
        assert_eq!(store.record(proof(1, 1), MINUTE), Ok(First));
        assert_eq!(store.record(proof(1, 2), MINUTE * 2), Ok(First));
        assert_eq!(store.record(proof(1, 3), MINUTE), full, "one key's share");
        assert_eq!(store.record(proof(2, 1), MINUTE), Ok(First));
        assert_eq!(store.record(proof(3, 1), MINUTE), full, "all of it");
        for seen in [proof(1, 1), proof(1, 2), proof(2, 1)] {
            assert_eq!(store.record(seen, MINUTE), Ok(Again));
        }
        clock.advance(MINUTE);
        assert_eq!(store.record(proof(1, 3), MINUTE), Ok(First));
        assert_eq!(
            store.record(proof(1, 4), MINUTE),
            full,
            "one is still remembered"
        );
        clock.advance(MINUTE);
        assert_eq!(store.record(proof(3, 1), MINUTE), Ok(First));
        let seen = store.seen.lock().unwrap();
        assert_eq!(
            (seen.proofs.len(), seen.ends.len(), seen.of_key.len()),
            (1, 1, 1),
            "nothing is left of what has ended"
        );
    }
}
