//! DPoP: does whoever sends a bound token hold the key that it is bound to ([RFC 9449])?
//!
//! | file | question |
//! |---|---|
//! | `proof` | is this one good proof, made for this request and this token, just now? |
//! | `target` | is its address ours? |
//! | `nonce` | was it made after we last looked at the clock? |
//! | `replay` | was it used before? |
//!
//! Here is what may be configured. What a proof must look like is not: [RFC 9449 §4.3] says it.
//!
//! [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
//! [RFC 9449 §4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3

pub(crate) mod digest;
mod nonce;
pub(crate) mod proof;
pub(crate) mod replay;
mod target;

use std::{fmt, sync::Arc, time::Duration};

use self::{
    nonce::Nonces,
    proof::ProofVerifier,
    replay::{MemoryReplayStore, ReplayStore},
};
use super::{algorithm::SignatureAlgorithm, clock::Clock};

/// The widest acceptance window: what the MCP profile of DPoP (SEP-1932, a draft) allows.
const MAX_WINDOW: Duration = Duration::from_secs(300);

/// How a server asks for DPoP proofs ([RFC 9449]), for [`Server::dpop`](crate::Server::dpop).
///
/// ```
/// use toolgate::{Dpop, Server};
///
/// let server = Server::new("https://notes.example.com/mcp")
///     .authorization_server("https://auth.example.com")
///     .dpop(Dpop::new());
/// ```
///
/// | setting | default |
/// |---|---|
/// | [`algorithms`](Self::algorithms) | ES256 and EdDSA |
/// | [`window`](Self::window) | 60 seconds |
/// | [`required`](Self::required) | bearer tokens that are bound to nothing are accepted too |
/// | [`nonces`](Self::nonces) | none are asked for |
/// | [`replay_store`](Self::replay_store) | [`MemoryReplayStore`]: this process |
///
/// A proof names the URL it is for (`htu`). It is compared with the server's resource identifier, never with
/// what a request says about its host, so clients must use exactly that URL.
///
/// # What this does not do
///
/// Look at the body: a proof covers method, URL and token, not what is asked for. TLS does the rest.
///
/// [RFC 9449]: https://www.rfc-editor.org/rfc/rfc9449
#[must_use]
#[derive(Clone)]
pub struct Dpop {
    algorithms: Vec<SignatureAlgorithm>,
    window: Duration,
    pub(crate) required: bool,
    nonces: bool,
    nonce_key: Option<[u8; 32]>,
    replay: Option<Arc<dyn ReplayStore>>,
    clock: Clock,
}

impl Dpop {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            algorithms: vec![SignatureAlgorithm::ES256, SignatureAlgorithm::EdDSA],
            window: Duration::from_secs(60),
            required: false,
            nonces: false,
            nonce_key: None,
            replay: None,
            clock: Clock::system(),
        }
    }

    /// The algorithms that proofs may be signed with. They are published as
    /// `dpop_signing_alg_values_supported` ([RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2)).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far a proof's `iat` may be from now, in either direction: at most five minutes. With
    /// [`nonces`](Self::nonces), how long one nonce is handed out; it is good for twice as long.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Refuses every token that is not bound to a DPoP key, and says so in the metadata
    /// (`dpop_bound_access_tokens_required`).
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Asks for a nonce in each proof ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)): a
    /// client without a current one is answered `use_dpop_nonce` and tries again. A thief cannot make proofs
    /// for the future then, and the clocks of clients do not matter.
    pub fn nonces(mut self) -> Self {
        self.nonces = true;
        self
    }

    /// [`nonces`](Self::nonces) made with this secret, for a server that runs as several processes: each
    /// accepts the nonces of the others. Without it, the secret is random.
    pub fn nonce_key(mut self, key: [u8; 32]) -> Self {
        self.nonces = true;
        self.nonce_key = Some(key);
        self
    }

    /// Where used proofs are remembered. Needed when the server runs as several processes: otherwise a
    /// proof can be used once at each of them.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Some(Arc::new(store));
        self
    }

    /// Another clock, for tests. It also serves the default replay store.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The verifier of proofs for `uri`.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings, in words.
    pub(crate) fn build(self, uri: &str) -> Result<ProofVerifier, &'static str> {
        if self.algorithms.is_empty() {
            return Err("no signature algorithm is allowed");
        }
        if self.window > MAX_WINDOW || self.window < Duration::from_secs(1) {
            return Err("the acceptance window must be between one second and five minutes");
        }
        let nonces = self
            .nonces
            .then(|| Nonces::new(self.nonce_key.as_ref(), self.window))
            .transpose()
            .map_err(|_| "the system has no randomness")?;
        let clock = self.clock.clone();
        let replay = self
            .replay
            .unwrap_or_else(|| Arc::new(MemoryReplayStore::new().clock(clock)));
        Ok(ProofVerifier {
            algorithms: self.algorithms,
            window: self.window,
            target: target::canonical(uri).ok_or("the resource has no http address")?,
            nonces,
            replay,
            clock: self.clock,
        })
    }
}

impl Default for Dpop {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("algorithms", &self.algorithms)
            .field("window", &self.window)
            .field("required", &self.required)
            .field("nonces", &self.nonces)
            .finish_non_exhaustive()
    }
}
