//! One proof, checked as [RFC 9449 §4.3] lists it.
//!
//! A proof is a signed token of its own, so it is taken apart by the same strict code as an access token,
//! and its key passes the same admission as the keys of an issuer. The order of the checks is the order in
//! which a proof earns work: what it says about itself, its signature, and at last a place in the replay
//! store, which nobody can fill without a token and the key it is bound to.
//!
//! [RFC 9449 §4.3]: https://www.rfc-editor.org/rfc/rfc9449#section-4.3

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{
    digest::{encode, sha256},
    nonce::Nonces,
    replay::{ProofId, ProofUse, ReplayStore, ReplayStoreError},
    target,
};
use crate::verify::{
    algorithm::SignatureAlgorithm, claims, clock::Clock, jose::Jws, keys::PublicKey,
    token::InvalidToken,
};

/// The longest proof that is looked at: room for an RSA key of 8192 bits and its signature.
const MAX_PROOF: usize = 8 * 1024;
/// The longest `jti`.
const MAX_JTI: usize = 256;

/// Checks the proofs that are sent to one address.
pub(crate) struct ProofVerifier {
    pub(super) algorithms: Vec<SignatureAlgorithm>,
    pub(super) window: Duration,
    pub(super) target: String,
    pub(super) nonces: Option<Nonces>,
    pub(super) replay: Arc<dyn ReplayStore>,
    pub(super) clock: Clock,
}

/// The request that a proof is for.
#[derive(Clone, Copy)]
pub(crate) struct Proving<'r> {
    pub(crate) method: &'r str,
    /// The access token beside the proof; none at a token endpoint.
    pub(crate) token: Option<&'r str>,
    /// The thumbprint of the key that must have signed, where it is known beforehand.
    pub(crate) jkt: Option<&'r str>,
}

/// Why possession of the key counts as not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("DPoP proof: {0}")]
    Invalid(#[from] InvalidProof),
    /// A good proof, but of another key than the one the token is bound to.
    #[error("DPoP proof of another key")]
    OtherKey,
    /// A good proof, but without a nonce that is current.
    #[error("DPoP proof without a current nonce")]
    Nonce,
    #[error(transparent)]
    Undecided(#[from] ReplayStoreError),
}

/// The check that a proof failed. For logs and tests only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidProof {
    #[error("missing")]
    Missing,
    #[error("more than one")]
    Repeated,
    #[error("{0}")]
    Structure(#[from] InvalidToken),
    #[error("`typ` is not `dpop+jwt`")]
    Type,
    #[error("algorithm not allowed")]
    Algorithm,
    #[error("`jwk` is missing or not admissible")]
    Key,
    #[error("made for another method")]
    Method,
    #[error("made for another address")]
    Target,
    #[error("not made just now")]
    Time,
    #[error("made for another token")]
    Token,
    #[error("used before")]
    Replayed,
}

/// A proof that is good but for having been used before.
struct Good {
    id: ProofId,
    lifetime: Duration,
}

impl ProofVerifier {
    /// Checks the proof among `headers`, the values of all `DPoP` headers of one request, and gives the
    /// thumbprint of its key.
    pub(crate) async fn check(
        &self,
        headers: &[&[u8]],
        proving: Proving<'_>,
    ) -> Result<String, ProofError> {
        let proof = match headers {
            [] => return Err(InvalidProof::Missing.into()),
            [proof] => std::str::from_utf8(proof).map_err(|_| InvalidToken::Malformed),
            _ => return Err(InvalidProof::Repeated.into()),
        };
        let good = self.inspect(proof.map_err(InvalidProof::from)?, proving)?;
        match self.replay.use_once(&good.id, good.lifetime).await? {
            ProofUse::First => Ok(encode(&good.id.key)),
            ProofUse::Again => Err(InvalidProof::Replayed.into()),
        }
    }

    /// The nonce to hand out, where nonces are asked for.
    pub(crate) fn nonce(&self) -> Option<String> {
        let nonces = self.nonces.as_ref()?;
        Some(nonces.current(self.clock.unix_seconds()))
    }

    /// The names of the algorithms that proofs may use.
    pub(crate) fn algorithms(&self) -> Vec<String> {
        let names = self.algorithms.iter().map(|name| format!("{name:?}"));
        names.collect()
    }

    /// How long it makes sense to wait when the replay store is full.
    pub(crate) fn window(&self) -> Duration {
        self.window
    }

    fn inspect(&self, proof: &str, proving: Proving<'_>) -> Result<Good, ProofError> {
        let (Jws { signed, claims }, jwk) =
            Jws::decode_proof(proof, MAX_PROOF).map_err(InvalidProof::from)?;
        if signed.typ.as_deref() != Some("dpop+jwt") {
            return Err(InvalidProof::Type.into());
        }
        if !self.algorithms.contains(&signed.algorithm) {
            return Err(InvalidProof::Algorithm.into());
        }
        if text(&claims, "htm")? != proving.method {
            return Err(InvalidProof::Method.into());
        }
        if target::canonical(text(&claims, "htu")?).as_ref() != Some(&self.target) {
            return Err(InvalidProof::Target.into());
        }
        if let Some(token) = proving.token
            && text(&claims, "ath")? != encode(&sha256(token.as_bytes()))
        {
            return Err(InvalidProof::Token.into());
        }
        let jti = text(&claims, "jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI {
            return Err(claim("jti").into());
        }
        let now = self.clock.unix_seconds();
        let age = age(&claims, now)?;
        let nonce = match claims.contains_key("nonce") {
            true => Some(text(&claims, "nonce")?),
            false => None,
        };

        let jwk = jwk.ok_or(InvalidProof::Key)?;
        let key = PublicKey::admit(&jwk).ok_or(InvalidProof::Key)?;
        key.verify(&signed).map_err(InvalidProof::from)?;
        let thumbprint = *key.thumbprint();
        if proving.jkt.is_some_and(|jkt| jkt != encode(&thumbprint)) {
            return Err(ProofError::OtherKey);
        }

        let lifetime = match (&self.nonces, nonce) {
            // What is left of its step, and the next one. The client's clock does not matter then.
            (Some(nonces), Some(nonce)) if nonces.accepts(nonce, now) => {
                self.window.saturating_mul(2)
            }
            (Some(_), _) => return Err(ProofError::Nonce),
            // A proof from the future can be used for longer.
            (None, _) => {
                let left = self.window.as_secs_f64() - age;
                if age.abs() > self.window.as_secs_f64() {
                    return Err(InvalidProof::Time.into());
                }
                Duration::try_from_secs_f64(left).unwrap_or(self.window)
            }
        };
        Ok(Good {
            id: ProofId {
                key: thumbprint,
                jti: sha256(jti.as_bytes()),
            },
            // `now` was rounded down.
            lifetime: lifetime.saturating_add(Duration::from_secs(1)),
        })
    }
}

/// How many seconds ago `iat` was; less than nothing when it is still to come.
#[allow(
    clippy::cast_precision_loss,
    reason = "exact up to the year 9999; a clock beyond that expires every proof"
)]
fn age(claims: &Map<String, Value>, now: u64) -> Result<f64, InvalidProof> {
    Ok(now as f64 - claims::time(claims, "iat")?.ok_or(claim("iat"))?)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, InvalidProof> {
    claims.get(name).and_then(Value::as_str).ok_or(claim(name))
}

fn claim(name: &'static str) -> InvalidProof {
    InvalidProof::Structure(InvalidToken::Claim(name))
}

#[cfg(all(test, feature = "testkit"))]
#[path = "proof_tests.rs"]
mod tests;
