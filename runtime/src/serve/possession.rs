//! Whether the sender of a token holds what the token is bound to, asked anew for each request.
//!
//! This stands behind every verifier, and behind whatever remembers verified tokens: a token that is bound
//! ([RFC 7800]) counts for nothing until the binding is proven, also where proofs are not switched on.
//!
//! | token | `Bearer` | `DPoP` |
//! |---|---|---|
//! | bound to nothing | accepted, unless DPoP is required | refused |
//! | `cnf.jkt` | refused | needs a proof |
//! | `cnf.x5t#S256` | needs the certificate | refused |
//! | both | refused | needs proof and certificate |
//!
//! [RFC 7800]: https://www.rfc-editor.org/rfc/rfc7800

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{HeaderValue, request::Parts};

use super::{certificate::MutualTls, challenge::Schemes, refusal::Refusal};
use crate::{
    declare::principal::VerifiedToken,
    verify::{
        bearer::{Credential, Scheme},
        dpop::{
            Dpop,
            proof::{ProofError, ProofVerifier, Proving},
        },
        token::InvalidToken,
    },
};

/// What one server accepts as proof.
#[derive(Default)]
pub(crate) struct Possession {
    dpop: Option<ProofVerifier>,
    dpop_required: bool,
    mutual_tls: Option<MutualTls>,
}

impl Possession {
    /// # Errors
    ///
    /// What is wrong with the settings, in words.
    pub(crate) fn new(
        dpop: Option<Dpop>,
        mutual_tls: Option<MutualTls>,
        resource: &str,
    ) -> Result<Self, &'static str> {
        if mutual_tls.as_ref().is_some_and(MutualTls::is_impossible) {
            return Err("no proxy may present a client certificate: name its address");
        }
        Ok(Self {
            dpop_required: dpop.as_ref().is_some_and(|dpop| dpop.required),
            dpop: dpop.map(|dpop| dpop.build(resource)).transpose()?,
            mutual_tls,
        })
    }

    /// The algorithms of proofs, where proofs are accepted.
    pub(crate) fn dpop_algorithms(&self) -> Option<Vec<String>> {
        self.dpop.as_ref().map(ProofVerifier::algorithms)
    }

    pub(crate) fn schemes(&self) -> Schemes {
        Schemes {
            dpop: self.dpop_algorithms(),
            dpop_only: self.dpop_required,
        }
    }

    pub(crate) fn dpop_required(&self) -> bool {
        self.dpop_required
    }

    pub(crate) fn mutual_tls(&self) -> bool {
        self.mutual_tls.is_some()
    }

    /// The value of `DPoP-Nonce`, where nonces are asked for.
    pub(crate) fn nonce(&self) -> Option<HeaderValue> {
        let nonce = self.dpop.as_ref()?.nonce()?;
        HeaderValue::try_from(nonce).ok()
    }

    /// Whether tokens may be presented like this at all. Asked before anybody looks at the token.
    pub(crate) fn check_scheme(&self, scheme: Scheme) -> Result<(), Refusal> {
        match scheme {
            // A scheme that is not spoken here. Never taken for an anonymous caller.
            Scheme::Dpop if self.dpop.is_none() => Err(Refusal::NoCredentials),
            Scheme::Bearer if self.dpop_required => Err(unproven()),
            Scheme::Bearer | Scheme::Dpop => Ok(()),
        }
    }

    /// Whether the sender of `request` holds everything `token` is bound to.
    pub(crate) async fn check(
        &self,
        token: &VerifiedToken,
        credential: Credential<'_>,
        request: &Parts,
    ) -> Result<(), Refusal> {
        let binding = token
            .binding()
            .map_err(|error| Refusal::InvalidToken(error.into()))?;
        let jkt = binding.as_ref().and_then(|binding| binding.jkt());
        let certificate = binding.as_ref().and_then(|binding| binding.x5t_s256());
        if let Some(expected) = certificate {
            let given = self
                .mutual_tls
                .as_ref()
                .and_then(|mutual_tls| mutual_tls.thumbprint(request));
            let same = |given: String| {
                verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).is_ok()
            };
            if !given.is_some_and(same) {
                return Err(unproven());
            }
        }
        match (credential.scheme, jkt, &self.dpop) {
            (Scheme::Bearer, None, _) => Ok(()),
            (Scheme::Dpop, Some(jkt), Some(dpop)) => {
                let headers: Vec<&[u8]> = request
                    .headers
                    .get_all("dpop")
                    .iter()
                    .map(HeaderValue::as_bytes)
                    .collect();
                let proving = Proving {
                    method: request.method.as_str(),
                    token: Some(credential.token),
                    jkt: Some(jkt),
                };
                match dpop.check(&headers, proving).await {
                    Ok(_) => Ok(()),
                    Err(ProofError::Undecided(error)) => {
                        tracing::warn!(target: "toolgate", %error, "cannot tell whether a DPoP proof is used again");
                        Err(Refusal::Unavailable {
                            reason: "the replay store is full or cannot be reached",
                            retry_after: dpop.window(),
                        })
                    }
                    Err(ProofError::OtherKey) => Err(unproven()),
                    Err(error) => Err(Refusal::InvalidProof(error)),
                }
            }
            (Scheme::Bearer, Some(_), _) | (Scheme::Dpop, _, _) => Err(unproven()),
        }
    }
}

fn unproven() -> Refusal {
    Refusal::InvalidToken(InvalidToken::Unproven)
}
