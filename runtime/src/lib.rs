//! Declare MCP tools as plain async functions, say who may call them, and serve them protected.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod declare;
pub mod prelude;
#[cfg(feature = "rmcp")]
mod serve;
#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;
#[cfg(feature = "verify")]
mod verify;

#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use declare::extract::Extension;
pub use declare::{
    call::{Call, CallFuture},
    extract::{Args, FromCall, State},
    principal::{Identity, Principal, VerifiedToken},
    problem::{ConfigError, Problem},
    reply::{IntoReply, Json, Rejection, Reply, ReplyBody},
    scope::{InvalidScope, ScopeName},
    tool::{Handler, Location, Signature, Tool},
};
#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use serve::{
    guard::Guard,
    server::{ServeError, Server},
    stdio::TOKEN_VARIABLE,
};
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use serve::{
    layer::{GuardLayer, GuardService},
    listen::McpService,
    refusal::Refused,
    server::ProtectedServer,
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
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError},
};

/// Declares an MCP tool: an async function that says who may call it.
///
/// ```
/// use toolgate::prelude::*;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Pair {
///     a: i64,
///     b: i64,
/// }
///
/// /// Add two numbers.
/// #[mcp_tool(scopes = "mcp:tools")]
/// async fn add(Args(Pair { a, b }): Args<Pair>) -> String {
///     (a + b).to_string()
/// }
/// ```
pub use toolgate_macros::mcp_tool;

#[doc(hidden)]
pub mod __private;
