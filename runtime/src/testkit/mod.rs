//! An embedded authorization server for development and tests.

mod keys;

pub use keys::SigningKey;
