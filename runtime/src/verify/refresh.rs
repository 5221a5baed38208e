//! One attempt to fetch keys: what it may replace, and when the next one may start.
//!
//! The state that all look-ups of one issuer share, and the rules of its change. When an attempt is worth
//! making is decided in `remote`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{sync::watch, task::AbortHandle};
use url::Url;

use super::{
    clock::Clock,
    discovery::IssuerMetadata,
    fetch::{Document, FetchError, Fetcher},
    keys::KeySet,
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) refresh: Duration,
    pub(super) max_stale: Duration,
    pub(super) cooldown: Duration,
    pub(super) timeout: Duration,
    pub(super) clock: Clock,
}

impl Settings {
    /// The age beyond which something that was due after `due` is no longer used.
    pub(super) fn limit(&self, due: Duration) -> Duration {
        due.saturating_add(self.max_stale)
    }
}

pub(super) enum Place {
    KeySet(Url),
    Issuer(String),
}

pub(super) struct State {
    pub(super) place: Place,
    pub(super) fetcher: Fetcher,
    pub(super) snapshot: ArcSwapOption<Snapshot>,
    pub(super) metadata: ArcSwapOption<(IssuerMetadata, Duration)>,
    pub(super) attempts: Mutex<Attempts>,
}

/// Admitted keys, with monotonic times.
pub(super) struct Snapshot {
    pub(super) keys: KeySet,
    pub(super) fetched_at: Duration,
    /// When, after `fetched_at`, the next fetch is due.
    pub(super) refresh_after: Duration,
}

#[derive(Default)]
pub(super) struct Attempts {
    pub(super) started_at: Option<Duration>,
    /// Failures since the last success.
    failures: u32,
    /// Closed when the fetch ends, however it ends.
    pub(super) running: Option<(watch::Receiver<()>, AbortHandle)>,
}

impl Attempts {
    /// How long until the next attempt may start. Until something was loaded for the first time, 1, 2, 4 ..
    /// seconds up to the cool-down, so that a server started before its issuer recovers quickly.
    pub(super) fn wait(&self, now: Duration, cooldown: Duration, never_loaded: bool) -> Duration {
        let Some(started_at) = self.started_at else {
            return Duration::ZERO;
        };
        let pause = if never_loaded {
            let doublings = self.failures.saturating_sub(1).min(16);
            SECOND
                .saturating_mul(2_u32.saturating_pow(doublings))
                .min(cooldown)
        } else {
            cooldown
        };
        pause.saturating_sub(now.saturating_sub(started_at))
    }
}

impl State {
    pub(super) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn never_loaded(&self) -> bool {
        self.snapshot.load().is_none()
    }

    /// One attempt: replaces the snapshot, or leaves everything as it is.
    pub(super) async fn refresh(&self, settings: &Settings, now: Duration) {
        let fetched = tokio::time::timeout(settings.timeout, self.fetch(settings, now)).await;
        let outcome = fetched
            .unwrap_or(Err(FetchError::Timeout))
            .and_then(|document| {
                let keys =
                    KeySet::from_members(&document.members).map_err(|_| FetchError::Document)?;
                Ok((keys, document.max_age))
            });
        match outcome {
            Ok((keys, max_age)) => {
                let interval = max_age.map_or(settings.refresh, |age| age.clamp(MINUTE, HOUR));
                self.replace(Snapshot {
                    keys,
                    fetched_at: now,
                    refresh_after: jittered(interval),
                });
            }
            Err(error) => {
                let failures = self.failed();
                if failures == 1 {
                    tracing::warn!(from = self.name(), %error, "keys cannot be fetched");
                } else {
                    tracing::debug!(from = self.name(), %error, failures, "keys cannot be fetched");
                }
            }
        }
    }

    fn failed(&self) -> u32 {
        let mut attempts = self.attempts();
        attempts.failures = attempts.failures.saturating_add(1);
        attempts.failures
    }

    fn replace(&self, new: Snapshot) {
        let (keys, skipped) = (new.keys.len(), new.keys.skipped());
        let old = self.snapshot.swap(Some(Arc::new(new)));
        let before = old.map_or(0, |old| old.keys.skipped());
        if skipped != before {
            tracing::warn!(
                from = self.name(),
                keys,
                skipped,
                "some keys cannot be used"
            );
        }
        let failures = std::mem::take(&mut self.attempts().failures);
        if failures > 0 {
            tracing::info!(
                from = self.name(),
                keys,
                failures,
                "keys can be fetched again"
            );
        } else {
            tracing::debug!(from = self.name(), keys, "keys fetched");
        }
    }

    async fn fetch(&self, settings: &Settings, now: Duration) -> Result<Document, FetchError> {
        let issuer = match &self.place {
            Place::KeySet(url) => return self.fetcher.get(url, settings.timeout).await,
            Place::Issuer(issuer) => issuer,
        };
        let known = self.metadata.load_full();
        let age = known.as_ref().map(|known| now.saturating_sub(known.1));
        let metadata = match known {
            Some(known) if age < Some(settings.refresh) => known,
            known => match (
                self.discover(issuer, known.is_some(), settings).await,
                known,
            ) {
                (Ok(found), _) => {
                    let found = Arc::new((found, now));
                    self.metadata.store(Some(Arc::clone(&found)));
                    found
                }
                // As with keys: the last good one stays in use, but not for ever.
                (Err(_), Some(known)) if age < Some(settings.limit(settings.refresh)) => known,
                (Err(error), _) => return Err(error),
            },
        };
        self.fetcher.get(&metadata.0.wanted, settings.timeout).await
    }

    /// When there is metadata to fall back on, leaves time to fetch the keys.
    async fn discover(
        &self,
        issuer: &str,
        known: bool,
        settings: &Settings,
    ) -> Result<IssuerMetadata, FetchError> {
        let share = if known { 2 } else { 1 };
        let timeout = settings
            .timeout
            .checked_div(share)
            .unwrap_or(settings.timeout);
        let discovered = IssuerMetadata::discover(&self.fetcher, issuer, "jwks_uri", timeout);
        tokio::time::timeout(timeout, discovered)
            .await
            .unwrap_or(Err(FetchError::Timeout))
    }

    /// For logs: configured text, without a query.
    pub(super) fn name(&self) -> &str {
        match &self.place {
            Place::KeySet(url) => url.host_str().unwrap_or_default(),
            Place::Issuer(issuer) => issuer,
        }
    }
}

/// ±10 %, so that many instances do not fetch at the same moment.
pub(super) fn jittered(interval: Duration) -> Duration {
    let mut random = [0_u8; 1];
    // Without randomness: no jitter.
    let percent = match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => random.iter().map(|&byte| u32::from(byte) % 21).sum(),
        Err(_) => 10_u32,
    };
    let percent = percent.saturating_add(90);
    interval
        .checked_div(100)
        .map_or(interval, |hundredth| hundredth.saturating_mul(percent))
}
