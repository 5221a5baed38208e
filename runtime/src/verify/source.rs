//! Where the keys of one issuer come from.

use std::{future::Future, path::Path, pin::Pin, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    algorithm::SignatureAlgorithm,
    keys::{InvalidKeySet, KeySet, PublicKey},
    token::{InvalidToken, VerifyError},
};

/// The future of [`KeySource::key`].
pub type KeyLookup<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<PublicKey>, KeyError>> + Send + 'a>>;

/// The future of [`KeySource::ready`].
pub type KeysReady<'a> = Pin<Box<dyn Future<Output = Result<(), KeyError>> + Send + 'a>>;

/// The keys of one issuer: [`StaticKeys`], [`RemoteKeys`](crate::RemoteKeys), or your own.
///
/// A source belongs to one issuer. `kid` comes from a token that nobody has verified: use it to compare,
/// never as a path, a query or the key of a cache that grows.
pub trait KeySource: Send + Sync + 'static {
    /// The one key that a token with this header may be verified with. Implementations keep a [`KeySet`]
    /// and answer with [`KeySet::key`].
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`] when the issuer is known to have no such key, [`KeyError::Unavailable`] when
    /// nothing can be known right now.
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a>;

    /// The key that [`key`](Self::key) would give at this moment, where that is known without waiting.
    ///
    /// Never a key that `key` would not give: this decides whether a token that was verified earlier is still
    /// good. Without it tokens are verified with every request.
    fn current(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        let _ = (kid, algorithm);
        None
    }

    /// Completes when keys are at hand. For start-up and health checks.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unavailable`] when they are not and cannot be had now.
    fn ready(&self) -> KeysReady<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl<T: KeySource + ?Sized> KeySource for Arc<T> {
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a> {
        (**self).key(kid, algorithm)
    }

    fn current(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        (**self).current(kid, algorithm)
    }

    fn ready(&self) -> KeysReady<'_> {
        (**self).ready()
    }
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The issuer has no key of that name for that algorithm, or more than one.
    #[error("no fitting key")]
    Unknown,
    /// The issuer's keys cannot be had.
    #[error("keys unavailable: {reason}")]
    Unavailable {
        /// What is missing, for logs. Never holds anything from a token.
        reason: &'static str,
        /// When it makes sense to try again.
        retry_after: Duration,
    },
}

impl From<KeyError> for VerifyError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown => Self::Invalid(InvalidToken::Key),
            KeyError::Unavailable {
                reason,
                retry_after,
            } => Self::Unavailable {
                reason,
                retry_after,
            },
        }
    }
}

/// Keys that never change while the program runs: from a JWK Set given inline or as a file.
///
/// They pass the same admission as fetched ones.
#[derive(Debug, Clone)]
pub struct StaticKeys(KeySet);

impl StaticKeys {
    /// The keys of a JWK Set document.
    ///
    /// # Errors
    ///
    /// [`InvalidKeySet`] when `document` is no key set, or has no key that can be used.
    pub fn parse(document: &[u8]) -> Result<Self, InvalidKeySet> {
        Self::checked(KeySet::parse(document)?)
    }

    /// The keys of a JWK Set, `{"keys": [..]}`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_value(set: &Value) -> Result<Self, InvalidKeySet> {
        Self::checked(KeySet::from_members(
            set.as_object().ok_or(InvalidKeySet::Malformed)?,
        )?)
    }

    /// The keys of a JWK Set in a file, read once.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> std::io::Result<Self> {
        Self::parse(&std::fs::read(path)?).map_err(std::io::Error::other)
    }

    fn checked(keys: KeySet) -> Result<Self, InvalidKeySet> {
        // An issuer may withdraw all its keys; somebody who configures none has made a mistake.
        if keys.is_empty() {
            return Err(InvalidKeySet::NoUsableKey);
        }
        if keys.skipped() > 0 {
            tracing::warn!(
                skipped = keys.skipped(),
                "some configured keys cannot be used"
            );
        }
        Ok(Self(keys))
    }
}

impl KeySource for StaticKeys {
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a> {
        let found = self.current(kid, algorithm).ok_or(KeyError::Unknown);
        Box::pin(std::future::ready(found))
    }

    fn current(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        self.0.key(kid, algorithm)
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::SigningKey;

    #[tokio::test]
    async fn configured_keys_are_found_and_never_empty() {
        let key = SigningKey::generate(jsonwebtoken::Algorithm::ES256);
        let set = json!({"keys": [key.public_jwk(), {"kty": "oct", "k": "AA"}]});
        let file = std::env::temp_dir().join(format!("toolgate-keys-{}.json", std::process::id()));
        std::fs::write(&file, set.to_string()).unwrap();
        for keys in [
            StaticKeys::from_value(&set).unwrap(),
            StaticKeys::read(&file).unwrap(),
        ] {
            let found = keys
                .key(Some(key.kid()), SignatureAlgorithm::ES256)
                .await
                .unwrap();
            assert_eq!(found.kid(), Some(key.kid()));
            assert_eq!(
                keys.key(Some("other"), SignatureAlgorithm::ES256)
                    .await
                    .err(),
                Some(KeyError::Unknown)
            );
            assert_eq!(keys.ready().await, Ok(()));
        }
        std::fs::remove_file(&file).unwrap();
        assert!(StaticKeys::read(&file).is_err());
        for bad in [
            json!({"keys": []}),
            json!({"keys": [{}]}),
            json!([]),
            json!({}),
        ] {
            assert!(StaticKeys::from_value(&bad).is_err());
        }
    }
}
