//! An embedded authorization server for development and tests. **Never in production.**
//!
//! [`AuthorizationServer`] is a small but complete OAuth 2.1 authorization server in one process with the
//! server it protects: authorization code with PKCE, refresh tokens with rotation, dynamic client
//! registration (RFC 7591), client ID metadata documents, resource indicators (RFC 8707), issuer
//! identification (RFC 9207), DPoP-bound tokens (RFC 9449), introspection (RFC 7662, RFC 9701) and
//! revocation (RFC 7009), a consent page, key rotation. MCP clients log in against it unchanged, so
//! that a protected server can be tried with nothing else installed.
//!
//! **It asks nobody for a password.** Whoever can reach it signs in as whomever they like. It therefore
//! listens on loopback addresses only and refuses any other, answers no foreign `Host`, logs a warning
//! when it starts, and has a [`banner`](RunningAuthorizationServer::banner) to print.
//!
//! ```
//! use toolgate::testkit::AuthorizationServer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), toolgate::testkit::StartError> {
//! let auth = AuthorizationServer::new()
//!     .scope("notes:read", "Read your notes")
//!     .start()
//!     .await?;
//! eprintln!("{}", auth.banner());
//!
//! // Tests skip the flow, and make any token they need: good, expired, for another server.
//! let token = auth
//!     .mint("alice")
//!     .scopes(["notes:read"])
//!     .audience("http://127.0.0.1:3000/mcp")
//!     .sign();
//! # assert_eq!(token.split('.').count(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! # What this does not do
//!
//! Authenticate users, keep anything across a restart, issue ID tokens, authenticate clients by key. Access
//! tokens stay active until they expire or are revoked themselves, also when the refresh tokens of their grant
//! are revoked; whoever verifies a JWT without asking here does not notice its revocation.

mod address;
mod authorization_server;
mod authorize;
mod client;
mod client_auth;
mod client_document;
mod consent;
mod expiring;
mod grants;
mod introspect;
mod issuer;
mod keys;
mod metadata;
mod mint;
mod params;
mod proof;
mod random;
mod refusal;
mod register;
mod request;
mod revoke;
mod routes;
mod running;
mod store;
#[cfg(test)]
mod tests;
mod token;

pub use authorization_server::{AuthorizationServer, StartError};
pub use keys::SigningKey;
pub use mint::TokenBuilder;
pub use proof::ProofBuilder;
pub use request::{Challenge, McpRequest, McpResponse};
pub use running::RunningAuthorizationServer;
