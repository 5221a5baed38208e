//! An embedded authorization server for development and tests.

mod keys;
mod random;

pub use keys::SigningKey;
