//! Answering: from a verified caller to a decision, and from a decision to what clients see.
//!
//! [`guard`] decides; it is the only place where a tool is run. Over HTTP, [`layer`] stands in front: it
//! verifies the token and that its sender holds what it is bound to ([`possession`]), hands the caller to the guard through a [`ticket`], and turns the guard's refusal
//! into a status and a challenge. The layer never reads the body, and the guard never sees a token.

#![cfg_attr(
    not(feature = "http"),
    allow(
        dead_code,
        reason = "on stdio there is nobody to challenge and nothing to publish"
    )
)]

mod assemble;
pub(crate) mod core;
pub(crate) mod guard;
mod handler;
mod identify;
pub(crate) mod resource;
pub(crate) mod server;
pub(crate) mod stdio;
pub(crate) mod tokens;

#[cfg(feature = "http")]
pub(crate) mod certificate;
#[cfg(feature = "http")]
pub(crate) mod challenge;
#[cfg(feature = "http")]
pub(crate) mod check;
#[cfg(feature = "http")]
pub(crate) mod hosts;
#[cfg(feature = "http")]
pub(crate) mod layer;
#[cfg(feature = "http")]
pub(crate) mod listen;
#[cfg(feature = "http")]
pub(crate) mod metadata;
#[cfg(feature = "http")]
pub(crate) mod possession;
#[cfg(feature = "http")]
pub(crate) mod refusal;
#[cfg(feature = "http")]
pub(crate) mod ticket;
