//! What can be seen of an authorization server before the first token comes.

use std::{future::Future, pin::Pin};

use super::{algorithm::SignatureAlgorithm, discovery::IssuerMetadata, fetch::FetchError};

/// The future of [`Verifier::examine`](crate::Verifier::examine).
pub type Examination<'a> = Pin<Box<dyn Future<Output = Vec<IssuerReport>> + Send + 'a>>;

/// What a verifier finds out about an authorization server it trusts. Only the verifiers of this crate make
/// one; others pass it on.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "start-up checks ask")
)]
pub struct IssuerReport {
    pub(crate) issuer: String,
    pub(crate) metadata: Result<IssuerMetadata, FetchError>,
    /// The algorithms that are allowed, where no key of the issuer fits any of them.
    pub(crate) without_key: Option<Vec<SignatureAlgorithm>>,
}
