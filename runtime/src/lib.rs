//! Declare MCP tools as plain async functions, say who may call them, and serve them protected.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod declare;
#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;
#[cfg(feature = "verify")]
mod verify;

pub use declare::{
    principal::{Principal, VerifiedToken},
    scope::{InvalidScope, ScopeName},
};
#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
pub use verify::{
    algorithm::SignatureAlgorithm,
    builder::{JwtVerifierBuilder, VerifierConfigError},
    clock::Clock,
    issuer::Issuers,
    jose::TokenType,
    jwt::JwtVerifier,
    keys::{InvalidKeySet, KeySet, PublicKey},
    remote::RemoteKeys,
    source::{KeyError, KeyLookup, KeySource, KeysReady, StaticKeys},
    token::{InvalidToken, Verification, Verifier, VerifyError},
};
