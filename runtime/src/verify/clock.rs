//! The time, as an argument.
//!
//! Two clocks that must not be confused: the wall clock, which tokens speak about and which may jump, and
//! a monotonic one for the age of caches and for cool-downs, which a jump must neither disable nor
//! trigger.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

/// Where a verifier takes the time from.
///
/// ```
/// use std::time::Duration;
/// use toolgate::Clock;
///
/// let clock = Clock::manual(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    unix_seconds: AtomicU64,
    monotonic_millis: AtomicU64,
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock for tests. It stands at `unix_seconds` until it is moved; clones move together.
    #[must_use]
    pub fn manual(unix_seconds: u64) -> Self {
        Self(Source::Manual(Arc::new(Manual {
            unix_seconds: AtomicU64::new(unix_seconds),
            monotonic_millis: AtomicU64::new(0),
        })))
    }

    /// Lets time pass on a [`manual`](Self::manual) clock; does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            add(&manual.unix_seconds, by.as_secs());
            let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            add(&manual.monotonic_millis, millis);
        }
    }

    /// Sets the wall clock of a [`manual`](Self::manual) clock, as an administrator would, without letting
    /// time pass; does nothing to the system's.
    pub fn jump_to(&self, unix_seconds: u64) {
        if let Source::Manual(manual) = &self.0 {
            manual.unix_seconds.store(unix_seconds, Ordering::SeqCst);
        }
    }

    /// Seconds since the Unix epoch. A system that believes to be before 1970 is told the end of time, so
    /// that every token has expired there.
    pub(crate) fn unix_seconds(&self) -> u64 {
        match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(u64::MAX, |since| since.as_secs()),
            Source::Manual(manual) => manual.unix_seconds.load(Ordering::SeqCst),
        }
    }

    /// Time since some fixed moment; never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        match &self.0 {
            Source::System => ORIGIN.get_or_init(Instant::now).elapsed(),
            Source::Manual(manual) => {
                Duration::from_millis(manual.monotonic_millis.load(Ordering::SeqCst))
            }
        }
    }
}

fn add(to: &AtomicU64, amount: u64) {
    let _ = to.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
        Some(now.saturating_add(amount))
    });
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_wall_clock_leaves_the_monotonic_one_alone() {
        let clock = Clock::manual(1000);
        clock.clone().advance(Duration::from_secs(5));
        assert_eq!(clock.unix_seconds(), 1005);
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        clock.jump_to(1);
        assert_eq!(clock.unix_seconds(), 1);
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        clock.advance(Duration::MAX);
        assert_eq!(clock.unix_seconds(), u64::MAX);
    }

    #[test]
    fn the_system_clock_runs_and_ignores_being_moved() {
        let clock = Clock::system();
        clock.jump_to(0);
        assert!(clock.unix_seconds() > 1_700_000_000);
        assert!(clock.monotonic() <= clock.monotonic());
    }
}
