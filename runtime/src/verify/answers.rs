//! What an introspection endpoint said, kept for a short while ([RFC 7662 §4]).
//!
//! The name of an entry is a keyed hash of the complete token, so that neither the memory nor the time of a
//! look-up tells anything about tokens. Acceptances and refusals are kept apart: garbage, of which there is
//! as much as anybody likes to send, never evicts a good token. An acceptance ends with the token; no entry
//! outlives `exp`, whatever the leeway. A failure to ask is never kept.
//!
//! One token is asked about once at a time: others that bring it meanwhile wait for the same answer.
//!
//! [RFC 7662 §4]: https://www.rfc-editor.org/rfc/rfc7662#section-4

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::{hmac, rand};
use futures_util::{FutureExt, future::Shared, future::WeakShared};

use super::{
    clock::Clock,
    token::{InvalidToken, VerifyError},
};
use crate::declare::principal::VerifiedToken;

/// The most acceptances, and the most refusals, that are remembered.
const MAX_ACCEPTED: usize = 10_000;
const MAX_REFUSED: usize = 1_000;

pub(super) type Outcome = Result<VerifiedToken, VerifyError>;
type Flight = Pin<Box<dyn Future<Output = Outcome> + Send>>;
pub(super) type Name = [u8; 32];

pub(super) struct Answers {
    key: hmac::Key,
    pub(super) accepted_for: Duration,
    pub(super) refused_for: Duration,
    state: Mutex<State>,
}

struct State {
    accepted: Bounded<(VerifiedToken, u64)>,
    refused: Bounded<InvalidToken>,
    flights: HashMap<Name, WeakShared<Flight>>,
}

pub(super) enum Found {
    Answer(Box<Outcome>),
    Asking(Shared<Flight>),
}

impl Answers {
    /// `None` when the system has no randomness.
    pub(super) fn new(accepted_for: Duration, refused_for: Duration) -> Option<Self> {
        let mut secret = [0; 32];
        rand::fill(&mut secret).ok()?;
        Some(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            accepted_for,
            refused_for,
            state: Mutex::new(State {
                accepted: Bounded::new(MAX_ACCEPTED),
                refused: Bounded::new(MAX_REFUSED),
                flights: HashMap::new(),
            }),
        })
    }

    pub(super) fn name(&self, token: &str) -> Name {
        let tag = hmac::sign(&self.key, token.as_bytes());
        let mut name = Name::default();
        for (byte, tag) in name.iter_mut().zip(tag.as_ref()) {
            *byte = *tag;
        }
        name
    }

    /// What is known about a token, or the question that is under way, begun by `ask` unless it was before.
    pub(super) fn find(&self, name: &Name, clock: &Clock, ask: impl FnOnce() -> Flight) -> Found {
        let now = clock.monotonic();
        let mut state = self.state();
        if let Some((token, expires)) = state.accepted.get(name, now) {
            if clock.unix_seconds() < *expires {
                return Found::Answer(Box::new(Ok(token.clone())));
            }
            state.accepted.remove(name);
        }
        if let Some(refusal) = state.refused.get(name, now) {
            return Found::Answer(Box::new(Err((*refusal).into())));
        }
        if let Some(flight) = state.flights.get(name).and_then(WeakShared::upgrade) {
            return Found::Asking(flight);
        }
        // Those whose callers all went away.
        state.flights.retain(|_, flight| flight.upgrade().is_some());
        let flight = ask().shared();
        if let Some(weak) = flight.downgrade() {
            state.flights.insert(*name, weak);
        }
        Found::Asking(flight)
    }

    /// Keeps what came of asking, as long as it may be kept.
    pub(super) fn keep(&self, name: &Name, expires: Option<u64>, outcome: &Outcome, clock: &Clock) {
        let now = clock.monotonic();
        let mut state = self.state();
        state.flights.remove(name);
        match outcome {
            Ok(token) => {
                let Some(expires) = expires else { return };
                let left = expires.saturating_sub(clock.unix_seconds());
                let lifetime = self.accepted_for.min(Duration::from_secs(left));
                let until = now.saturating_add(lifetime);
                if !lifetime.is_zero() {
                    state
                        .accepted
                        .insert(*name, (token.clone(), expires), until);
                }
            }
            // Time alone makes it valid.
            Err(VerifyError::Invalid(InvalidToken::NotYetValid)) => {}
            Err(VerifyError::Invalid(refusal)) => {
                let until = now.saturating_add(self.refused_for);
                if !self.refused_for.is_zero() {
                    state.refused.insert(*name, *refusal, until);
                }
            }
            Err(VerifyError::Unavailable { .. }) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A map whose entries end by themselves, and of which the oldest goes when there are too many.
struct Bounded<V> {
    entries: HashMap<Name, (Duration, V)>,
    order: VecDeque<(Name, Duration)>,
    limit: usize,
}

impl<V> Bounded<V> {
    fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            limit,
        }
    }

    fn get(&self, name: &Name, now: Duration) -> Option<&V> {
        let (until, value) = self.entries.get(name)?;
        (now < *until).then_some(value)
    }

    fn remove(&mut self, name: &Name) {
        self.entries.remove(name);
    }

    fn insert(&mut self, name: Name, value: V, until: Duration) {
        while self.order.len() >= self.limit {
            let Some((oldest, its_end)) = self.order.pop_front() else {
                break;
            };
            // It may have been replaced by a later answer, which has its own place in the order.
            if self.entries.get(&oldest).is_some_and(|e| e.0 == its_end) {
                self.entries.remove(&oldest);
            }
        }
        self.entries.insert(name, (until, value));
        self.order.push_back((name, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_memory_forgets_the_oldest_and_stays_as_small() {
        let mut map = Bounded::new(3);
        let end = Duration::from_secs;
        for n in 0..=9_u8 {
            map.insert([n; 32], n, end(60 + u64::from(n)));
            assert!(map.entries.len() <= 3 && map.order.len() <= 3);
        }
        assert_eq!(map.get(&[6; 32], end(0)), None);
        assert_eq!(map.get(&[7; 32], end(0)), Some(&7));
        assert_eq!(map.get(&[9; 32], end(68)), Some(&9));
        assert_eq!(map.get(&[9; 32], end(69)), None, "its time is over");
    }

    #[test]
    fn an_entry_that_was_replaced_is_not_forgotten_with_its_predecessor() {
        let mut map = Bounded::new(2);
        map.insert([1; 32], 1, Duration::from_secs(1));
        map.insert([1; 32], 2, Duration::from_secs(2));
        map.insert([2; 32], 3, Duration::from_secs(3));
        assert_eq!(map.get(&[1; 32], Duration::ZERO), Some(&2));
    }

    #[test]
    fn names_are_those_of_the_whole_token_and_of_one_process() {
        let new = || Answers::new(Duration::ZERO, Duration::ZERO).unwrap();
        let (one, other) = (new(), new());
        assert_eq!(one.name("abc"), one.name("abc"));
        assert_ne!(one.name("abc"), one.name("abd"));
        assert_ne!(one.name("abc"), other.name("abc"));
    }
}
