//! An embedded authorization server for development and tests.

mod keys;
mod request;

pub use keys::SigningKey;
pub use request::{Challenge, McpRequest, McpResponse};
