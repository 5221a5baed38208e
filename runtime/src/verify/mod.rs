//! Who is calling? From the `Authorization` header to a verified token.
//!
//! Read in this order, this is the whole way of a token:
//!
//! | file | question |
//! |---|---|
//! | `bearer` | is there exactly one well-formed credential? |
//! | `jose`, `json` | is it one signed object, written in the one permitted way? |
//! | `issuer`, `jwt` | which configured issuer is meant, and in which order is it checked? |
//! | `source`, `keys`, `admission`, `algorithm` | which admitted key of that issuer fits? |
//! | `claims`, `mapping`, `clock` | was it issued for us, is it an access token, is it valid now? |
//! | `introspection`, `introspection_*`, `answers` | what does the authorization server say about a token that says nothing? |
//! | `api_keys` | is it a key of this server's own? |
//! | `any_of`, `hint` | which of several verifiers is it for? |
//! | `freshness` | would the answer still be the same? |
//! | `revocation` | is it still wanted? |
//! | `builder` | what may be configured, and what must not? |
//! | `dpop` | does whoever sends a bound token hold its key? |
//! | `remote`, `refresh`, `discovery`, `fetch`, `address` | where the keys come from, and what is never fetched |
//!
//! Nothing from a token reaches an error, a log line or a `Debug` text. No input reaches a panic: the
//! lints below hold for everything but tests.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub(crate) mod address;
mod admission;
pub(crate) mod algorithm;
mod answers;
pub(crate) mod any_of;
pub(crate) mod api_keys;
#[cfg(any(feature = "http", test))]
pub(crate) mod bearer;
pub(crate) mod builder;
pub(crate) mod check;
mod claims;
pub(crate) mod clock;
pub(crate) mod discovery;
#[cfg(feature = "http")]
pub(crate) mod dpop;
pub(crate) mod fetch;
pub(crate) mod freshness;
pub(crate) mod hint;
pub(crate) mod introspection;
mod introspection_builder;
mod introspection_client;
mod introspection_jwt;
pub(crate) mod issuer;
pub(crate) mod jose;
mod json;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod mapping;
mod refresh;
pub(crate) mod remote;
pub(crate) mod revocation;
pub(crate) mod secret;
pub(crate) mod source;
#[cfg(all(test, feature = "testkit"))]
mod test_issuer;
pub(crate) mod thumbprint;
pub(crate) mod token;
#[cfg(test)]
mod vectors;
