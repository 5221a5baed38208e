//! Tokens that are good and no longer wanted.
//!
//! A signed token is good until it expires, whatever has happened since it was issued. Who wants to end it
//! earlier answers the one question of [`Revocations`]. It is asked with every request, after the token was
//! verified or found among those verified before, and has to answer in time: no answer is "cannot decide"
//! (503), never acceptance.
//!
//! [`RevocationList`] answers it from memory. It forgets an entry when no token it can mean is still valid,
//! and refuses a new one rather than forgetting an old one.
//!
//! What this does not do: tell other instances of the server, or survive a restart.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use serde_json::Value;

use super::{builder::MAX_LEEWAY, clock::Clock};
use crate::declare::principal::Principal;

/// The future of [`Revocations::is_revoked`].
pub type RevocationCheck<'a> =
    Pin<Box<dyn Future<Output = Result<bool, RevocationUnknown>> + Send + 'a>>;

/// Knows which tokens have been revoked. Given to [`Server::revocations`](crate::Server::revocations).
pub trait Revocations: Send + Sync + 'static {
    /// Whether the token that `principal` was made from has been revoked. See [`Principal::token_id`],
    /// [`Principal::identity`], [`Principal::client_id`].
    ///
    /// # Errors
    ///
    /// [`RevocationUnknown`] when that cannot be said now. The caller gets 503.
    fn is_revoked<'a>(&'a self, principal: &'a Principal) -> RevocationCheck<'a>;
}

/// Nobody can say now whether a token has been revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("revocation unknown: {reason}")]
pub struct RevocationUnknown {
    /// Why, for logs. Never holds anything from a token.
    pub reason: &'static str,
}

/// A [`RevocationList`] has no room for another entry. What was to be revoked has **not** been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the revocation list is full; nothing was revoked")]
pub struct RevocationListFull;

/// What to revoke: the argument of [`RevocationList::revoke`].
///
/// Each name is one of an issuer. But for [`token`](Self::token), everything is meant that was issued up to
/// now, by the issuer's clock, so that a new login works (from the next second on).
#[derive(Debug, Clone)]
#[must_use = "it has to be given to a revocation list"]
pub struct Revoke<'a> {
    issuer: &'a str,
    whose: Whose<'a>,
    issued_before: Option<u64>,
    expires_at: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Whose<'a> {
    Token(&'a str),
    Subject(&'a str),
    Client(&'a str),
    Everybody,
}

impl<'a> Revoke<'a> {
    fn of(issuer: &'a str, whose: Whose<'a>) -> Self {
        Self {
            issuer,
            whose,
            issued_before: None,
            expires_at: None,
        }
    }

    /// One token, by its identifier (`jti`).
    pub fn token(issuer: &'a str, token_id: &'a str) -> Self {
        Self::of(issuer, Whose::Token(token_id))
    }

    /// The tokens of a user or workload (`sub`).
    pub fn subject(issuer: &'a str, subject: &'a str) -> Self {
        Self::of(issuer, Whose::Subject(subject))
    }

    /// The tokens issued to an OAuth client (`client_id`), whoever it acts for.
    pub fn client(issuer: &'a str, client_id: &'a str) -> Self {
        Self::of(issuer, Whose::Client(client_id))
    }

    /// All tokens of an issuer.
    pub fn issuer(issuer: &'a str) -> Self {
        Self::of(issuer, Whose::Everybody)
    }

    /// Only what was issued before this time, in Unix seconds. Means nothing for one token.
    pub fn issued_before(mut self, seconds: u64) -> Self {
        self.issued_before = Some(seconds);
        self
    }

    /// When what is revoked expires anyway, in Unix seconds, if that is known: the entry need not be kept
    /// longer.
    pub fn expires_at(mut self, seconds: u64) -> Self {
        self.expires_at = Some(seconds);
        self
    }
}

/// Revoked tokens, in memory. Clones are one list: give one to the server and keep another.
///
/// ```
/// use std::time::Duration;
/// use toolgate::{RevocationList, Revoke, Server};
///
/// let revoked = RevocationList::new(Duration::from_secs(3600));
/// let server = Server::new("https://notes.example.com/mcp").revocations(revoked.clone());
///
/// revoked.revoke(Revoke::subject("https://auth.example.com", "alice"))?;
/// # Ok::<(), toolgate::RevocationListFull>(())
/// ```
#[derive(Clone)]
pub struct RevocationList {
    entries: Arc<RwLock<Entries>>,
    max_lifetime: Duration,
    max_entries: usize,
    clock: Clock,
}

#[derive(Default)]
struct Entries {
    issuers: HashMap<String, OfIssuer>,
    len: usize,
    /// Monotonic.
    swept_at: Duration,
}

#[derive(Default)]
struct OfIssuer {
    everybody: Option<Entry>,
    tokens: HashMap<String, Entry>,
    subjects: HashMap<String, Entry>,
    clients: HashMap<String, Entry>,
}

/// What was issued before a moment is revoked. Kept until both clocks say that it has expired: one of them
/// may jump.
#[derive(Clone, Copy)]
struct Entry {
    issued_before: u64,
    until_unix: u64,
    until_monotonic: Duration,
}

impl Entry {
    fn over(&self, unix: u64, monotonic: Duration) -> bool {
        unix >= self.until_unix && monotonic >= self.until_monotonic
    }

    /// Two entries for one name: whatever either of them means.
    fn or(self, other: Self) -> Self {
        Self {
            issued_before: self.issued_before.max(other.issued_before),
            until_unix: self.until_unix.max(other.until_unix),
            until_monotonic: self.until_monotonic.max(other.until_monotonic),
        }
    }
}

/// How often what is over is looked for, at most.
const SWEEP: Duration = Duration::from_secs(60);

impl RevocationList {
    /// An empty list for issuers whose tokens live no longer than `max_token_lifetime` (`exp` - `iat`): so
    /// long, and the time that clocks may differ, an entry is kept.
    ///
    /// About a token that lives longer, or does not say when it was issued and when it expires, the list
    /// cannot answer, and its caller gets 503.
    #[must_use]
    pub fn new(max_token_lifetime: Duration) -> Self {
        Self {
            entries: Arc::default(),
            max_lifetime: max_token_lifetime,
            max_entries: 100_000,
            clock: Clock::system(),
        }
    }

    /// The most entries there may be: 100 000 unless set.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many entries there are. Some may be over and not yet forgotten.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Revokes, from now on: a request that comes after this has returned is refused.
    ///
    /// # Errors
    ///
    /// [`RevocationListFull`] when there is no room, and nothing was revoked.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "`revoke(Revoke::token(..))` reads as it is meant"
    )]
    pub fn revoke(&self, what: Revoke<'_>) -> Result<(), RevocationListFull> {
        let (unix, monotonic) = (self.clock.unix_seconds(), self.clock.monotonic());
        let issued_before = match what.whose {
            Whose::Token(_) => u64::MAX,
            // A NumericDate has whole seconds mostly: this one is over with the next.
            _ => what.issued_before.unwrap_or(unix.saturating_add(1)),
        };
        let last_issue = match what.whose {
            Whose::Token(_) => unix,
            _ => issued_before.max(unix),
        };
        let expiry = last_issue.saturating_add(self.max_lifetime.as_secs());
        let expiry = what.expires_at.map_or(expiry, |known| known.min(expiry));
        // Once for the clock of the issuer, once for the leeway of the verifier.
        let slack = MAX_LEEWAY.saturating_mul(2);
        let until_unix = expiry.saturating_add(slack.as_secs());
        let keep = Duration::from_secs(until_unix.saturating_sub(unix));
        let entry = Entry {
            issued_before,
            until_unix,
            until_monotonic: monotonic.saturating_add(keep),
        };

        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len >= self.max_entries || monotonic.saturating_sub(entries.swept_at) >= SWEEP {
            entries.sweep(unix, monotonic);
        }
        let room = entries.len < self.max_entries;
        entries.add(&what, entry, room)
    }
}

impl Entries {
    fn add(
        &mut self,
        what: &Revoke<'_>,
        entry: Entry,
        room: bool,
    ) -> Result<(), RevocationListFull> {
        let known = self.issuers.get_mut(what.issuer);
        let existing = known.and_then(|issuer| match what.whose {
            Whose::Token(name) => issuer.tokens.get_mut(name),
            Whose::Subject(name) => issuer.subjects.get_mut(name),
            Whose::Client(name) => issuer.clients.get_mut(name),
            Whose::Everybody => issuer.everybody.as_mut(),
        });
        if let Some(existing) = existing {
            *existing = existing.or(entry);
            return Ok(());
        }
        if !room {
            return Err(RevocationListFull);
        }
        let issuer = self.issuers.entry(what.issuer.to_owned()).or_default();
        match what.whose {
            Whose::Token(name) => issuer.tokens.insert(name.to_owned(), entry),
            Whose::Subject(name) => issuer.subjects.insert(name.to_owned(), entry),
            Whose::Client(name) => issuer.clients.insert(name.to_owned(), entry),
            Whose::Everybody => issuer.everybody.replace(entry),
        };
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn sweep(&mut self, unix: u64, monotonic: Duration) {
        let mut len = 0_usize;
        self.issuers.retain(|_, issuer| {
            issuer.everybody = issuer.everybody.filter(|e| !e.over(unix, monotonic));
            let mut left = usize::from(issuer.everybody.is_some());
            for map in [
                &mut issuer.tokens,
                &mut issuer.subjects,
                &mut issuer.clients,
            ] {
                map.retain(|_, entry| !entry.over(unix, monotonic));
                left = left.saturating_add(map.len());
            }
            len = len.saturating_add(left);
            left > 0
        });
        self.len = len;
        self.swept_at = monotonic;
    }

    fn revoked(&self, principal: &Principal, issued: f64) -> bool {
        let Some(issuer) = self.issuers.get(principal.issuer()) else {
            return false;
        };
        let found = [
            issuer.everybody.as_ref(),
            principal.token_id().and_then(|id| issuer.tokens.get(id)),
            issuer.subjects.get(principal.subject()),
            principal.client_id().and_then(|id| issuer.clients.get(id)),
        ];
        #[allow(
            clippy::cast_precision_loss,
            reason = "seconds until far beyond the year 9999"
        )]
        let revoked = found
            .into_iter()
            .flatten()
            .any(|entry| issued < entry.issued_before as f64);
        revoked
    }
}

impl Revocations for RevocationList {
    fn is_revoked<'a>(&'a self, principal: &'a Principal) -> RevocationCheck<'a> {
        let issued = principal.claim("iat").and_then(Value::as_f64);
        #[allow(
            clippy::cast_precision_loss,
            reason = "seconds until far beyond the year 9999"
        )]
        let answer = match (issued, principal.expires_at()) {
            // Anything longer may outlive the entry that revokes it.
            (Some(issued), Some(expires))
                if expires as f64 - issued <= self.max_lifetime.as_secs_f64() =>
            {
                let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
                Ok(entries.revoked(principal, issued))
            }
            (Some(_), Some(_)) => Err(RevocationUnknown {
                reason: "the token lives longer than the revocation list remembers",
            }),
            _ => Err(RevocationUnknown {
                reason: "the token does not say when it was issued and when it expires",
            }),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
