//! What a server offers and who may use it: plain data, decided by one pure function.
//!
//! Nothing in this module does I/O, knows HTTP or touches cryptography. A crate that only declares
//! tools builds with `default-features = false` and gets exactly this module.

#![cfg_attr(
    not(feature = "rmcp"),
    allow(
        dead_code,
        reason = "without a server to decide for, a crate only declares"
    )
)]

pub(crate) mod actor;
pub(crate) mod authentication;
pub(crate) mod authorize;
pub(crate) mod call;
pub(crate) mod catalogue;
pub(crate) mod condition;
pub(crate) mod confirmation;
pub(crate) mod expression;
pub(crate) mod extract;
pub(crate) mod policy;
pub(crate) mod principal;
pub(crate) mod problem;
pub(crate) mod registry;
pub(crate) mod reply;
pub(crate) mod schema;
pub(crate) mod scope;
pub(crate) mod spelling;
pub(crate) mod state;
pub(crate) mod tool;
#[cfg(feature = "validate")]
pub(crate) mod validate;
