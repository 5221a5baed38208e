//! Keys fetched from their issuer, kept, refreshed and withdrawn.
//!
//! The rules, and what each is for:
//!
//! - A known key is served from the current snapshot at once; no fetch is ever waited for.
//! - A snapshot that is due is refreshed in the background, so rotation costs no request anything.
//! - A key that is not there starts a fetch, but at most one per cool-down **counted from the start of
//!   every attempt**, whatever came of it: tokens with random names cannot make this server an amplifier.
//! - One fetch at a time, in a task of its own: a waiter that goes away does not cancel it for the others.
//! - A new document replaces the old one completely. A failure replaces nothing: the last good keys serve
//!   until `max_stale`, and then nothing can be decided any more (503, never 401 and never acceptance).
//!
//! There is no memory keyed by anything from a token, and no task between fetches.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;
use url::Url;

use super::{
    algorithm::SignatureAlgorithm,
    builder::VerifierConfigError,
    clock::Clock,
    discovery::IssuerMetadata,
    fetch::{FetchError, Fetcher},
    keys::{Lookup, PublicKey},
    refresh::{HOUR, MINUTE, Place, SECOND, Settings, Snapshot, State},
    source::{KeyError, KeyLookup, KeySource, KeysReady},
};

/// The keys of an issuer, fetched when they are needed and refreshed in the background.
///
/// Verification uses one of these by default. Make one yourself to name the key set's URL instead of
/// discovering it, or to change how long keys are kept.
///
/// ```
/// use std::time::Duration;
/// use toolgate::{JwtVerifier, RemoteKeys};
///
/// let keys = RemoteKeys::new("https://auth.example.com/keys")?.max_stale(Duration::from_secs(600));
/// let verifier = JwtVerifier::new("https://auth.example.com", "https://notes.example.com/mcp")
///     .keys(keys)
///     .build()?;
/// # Ok::<(), toolgate::VerifierConfigError>(())
/// ```
pub struct RemoteKeys {
    state: Arc<State>,
    settings: Settings,
}

impl RemoteKeys {
    /// The key set at `url`, which must be https, or http to this machine.
    ///
    /// # Errors
    ///
    /// [`VerifierConfigError`] when `url` is none that may be fetched.
    pub fn new(url: &str) -> Result<Self, VerifierConfigError> {
        let url: Url = url.parse().map_err(|_| VerifierConfigError::KeySetUrl)?;
        let fetcher = Fetcher::new(url.clone(), false).map_err(|error| match error {
            FetchError::Client => VerifierConfigError::Client,
            _ => VerifierConfigError::KeySetUrl,
        })?;
        Ok(Self::at(Place::KeySet(url), fetcher))
    }

    /// The keys that the metadata of `issuer` leads to. `fetcher` is one for that issuer.
    pub(crate) fn discover(issuer: &str, fetcher: Fetcher) -> Self {
        Self::at(Place::Issuer(issuer.to_owned()), fetcher)
    }

    fn at(place: Place, fetcher: Fetcher) -> Self {
        Self {
            state: Arc::new(State {
                place,
                fetcher,
                snapshot: ArcSwapOption::empty(),
                metadata: ArcSwapOption::empty(),
                attempts: Mutex::default(),
            }),
            settings: Settings {
                refresh: MINUTE.saturating_mul(10),
                max_stale: HOUR,
                cooldown: SECOND.saturating_mul(30),
                timeout: SECOND.saturating_mul(5),
                clock: Clock::system(),
            },
        }
    }

    /// How long keys are used before they are fetched again: 10 minutes unless set, at least one minute and
    /// at most one hour. A `Cache-Control: max-age` of the issuer takes precedence, within the same bounds.
    #[must_use]
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.settings.refresh = interval.clamp(MINUTE, HOUR);
        self
    }

    /// How long keys are used after a refresh was due but failed: one hour unless set, at most 24 hours.
    /// Beyond it nothing can be decided, and callers get 503.
    #[must_use]
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.settings.max_stale = max_stale.min(HOUR.saturating_mul(24));
        self
    }

    /// The least time between the starts of two fetches: 30 seconds unless set, at least one second.
    #[must_use]
    pub fn cooldown(mut self, cooldown: Duration) -> Self {
        self.settings.cooldown = cooldown.max(SECOND);
        self
    }

    /// How long one fetch may take in all: 5 seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// What the issuer publishes about itself: what was fetched with its keys, or asked for now. For checks,
    /// not for requests.
    pub(crate) async fn look_at_issuer(&self) -> Result<IssuerMetadata, FetchError> {
        match &self.state.place {
            Place::KeySet(_) => Err(FetchError::Url),
            Place::Issuer(issuer) => {
                if let Some(known) = self.state.metadata.load_full() {
                    return Ok(known.0.clone());
                }
                let timeout = self.settings.timeout;
                let found =
                    IssuerMetadata::discover(&self.state.fetcher, issuer, "jwks_uri", timeout);
                let found = tokio::time::timeout(timeout, found).await;
                found.unwrap_or(Err(FetchError::Timeout))
            }
        }
    }

    /// Whether some key is for one of `algorithms`; `None` when the keys cannot be had.
    pub(crate) async fn fits_any(&self, algorithms: &[SignatureAlgorithm]) -> Option<bool> {
        self.ready().await.ok()?;
        let current = self.usable(self.settings.clock.monotonic());
        let keys = &(*current).as_ref()?.keys;
        Some(algorithms.iter().any(|algorithm| keys.has(*algorithm)))
    }

    /// What the issuer publishes about itself, once that has been fetched.
    #[cfg(test)]
    pub(crate) fn metadata(&self) -> Option<Arc<(IssuerMetadata, Duration)>> {
        self.state.metadata.load_full()
    }

    async fn find(
        &self,
        kid: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Result<Arc<PublicKey>, KeyError> {
        let now = self.settings.clock.monotonic();
        if let Some(current) = &*self.refreshed(now) {
            match current.keys.find(kid, algorithm) {
                Lookup::Found(key) => return Ok(Arc::clone(key)),
                Lookup::Refused => return Err(KeyError::Unknown),
                Lookup::Unknown => {}
            }
        }
        self.wait_for_fetch(now).await;
        let now = self.settings.clock.monotonic();
        match &*self.usable(now) {
            Some(current) => current.keys.key(kid, algorithm).ok_or(KeyError::Unknown),
            None => Err(self.unavailable(now)),
        }
    }

    /// The snapshot, unless it is too old to be trusted.
    fn usable(&self, now: Duration) -> Guard<Option<Arc<Snapshot>>> {
        let current = self.state.snapshot.load();
        let fresh = current.as_ref().is_some_and(|current| {
            now.saturating_sub(current.fetched_at) < self.settings.limit(current.refresh_after)
        });
        if fresh {
            current
        } else {
            Guard::from_inner(None)
        }
    }

    /// The snapshot, if it can be trusted. When it is due, its refresh starts in the background: stale while
    /// revalidating, nobody waits.
    fn refreshed(&self, now: Duration) -> Guard<Option<Arc<Snapshot>>> {
        let usable = self.usable(now);
        if let Some(current) = &*usable
            && now.saturating_sub(current.fetched_at) >= current.refresh_after
        {
            let _background = self.start_or_join(now);
        }
        usable
    }

    fn unavailable(&self, now: Duration) -> KeyError {
        let attempts = self.state.attempts();
        let wait = attempts.wait(now, self.settings.cooldown, self.state.never_loaded());
        KeyError::Unavailable {
            reason: "the issuer's keys cannot be fetched",
            retry_after: wait.max(SECOND),
        }
    }

    async fn wait_for_fetch(&self, now: Duration) {
        if let Some(mut running) = self.start_or_join(now) {
            // Nothing is ever sent: the sender goes away when the fetch ends.
            let _closed = running.changed().await;
        }
    }

    /// The running fetch, or a new one when the cool-down permits it.
    fn start_or_join(&self, now: Duration) -> Option<watch::Receiver<()>> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let mut attempts = self.state.attempts();
        if let Some((running, _)) = &attempts.running
            && running.has_changed().is_ok()
        {
            return Some(running.clone());
        }
        if !attempts
            .wait(now, self.settings.cooldown, self.state.never_loaded())
            .is_zero()
        {
            return None;
        }
        attempts.started_at = Some(now);
        let (ended, running) = watch::channel(());
        let (state, settings) = (Arc::clone(&self.state), self.settings.clone());
        let task = runtime.spawn(async move {
            state.refresh(&settings, now).await;
            drop(ended);
        });
        attempts.running = Some((running.clone(), task.abort_handle()));
        Some(running)
    }
}

impl KeySource for RemoteKeys {
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a> {
        Box::pin(self.find(kid, algorithm))
    }

    fn current(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        let snapshot = self.refreshed(self.settings.clock.monotonic());
        snapshot.as_ref()?.keys.key(kid, algorithm)
    }

    fn ready(&self) -> KeysReady<'_> {
        Box::pin(async {
            let now = self.settings.clock.monotonic();
            if self.usable(now).is_none() {
                self.wait_for_fetch(now).await;
            }
            match &*self.usable(now) {
                Some(_) => Ok(()),
                None => Err(self.unavailable(now)),
            }
        })
    }
}

/// A server that is gone fetches nothing any more.
impl Drop for RemoteKeys {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.state.attempts().running {
            task.abort();
        }
    }
}

impl std::fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteKeys")
            .field("from", &self.state.name())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "testkit"))]
#[path = "remote_tests.rs"]
mod tests;
