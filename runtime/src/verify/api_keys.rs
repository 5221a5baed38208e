//! API keys beside OAuth: for scripts that cannot log in, at servers that decide to have them.
//!
//! A key is a random text with a prefix by which people and secret scanners know it. The server keeps its
//! SHA-256 only, and finds it by that: nothing to compare byte by byte, and nothing to steal from a file. A
//! slow hash is for passwords; nobody guesses 256 random bits. Keys come in the `Authorization` header as
//! any token does, never in a query.
//!
//! What this does not do: OAuth. Clients cannot find out how to get a key, and no key can be stepped up.

use std::{
    collections::{BTreeSet, HashMap},
    fmt, io,
    path::Path,
    sync::Arc,
};

use arc_swap::ArcSwap;
use aws_lc_rs::{constant_time, digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    clock::Clock,
    hint::{Recognition, TokenHint},
    json,
    token::{InvalidToken, Verification, Verifier, VerifyError},
};
use crate::declare::{principal::VerifiedToken, scope::ScopeName};

/// The longest key that is hashed.
const MAX_KEY: usize = 256;
/// The longest id or owner, in characters.
const MAX_NAME: usize = 255;

/// The SHA-256 of an API key: what is kept in its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// The hash of `key`.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let mut hash = [0; 32];
        let digest = digest::digest(&digest::SHA256, key.as_bytes());
        for (byte, of_digest) in hash.iter_mut().zip(digest.as_ref()) {
            *byte = *of_digest;
        }
        Self(hash)
    }

    /// The hash that 64 hexadecimal digits write.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
            .collect();
        let digits = digits.filter(|digits| digits.len() == 64)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |sum, digit| (sum << 4) | digit);
        }
        Some(Self(hash))
    }
}

/// As 64 hexadecimal digits.
impl fmt::Display for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyHash(..)")
    }
}

/// What is known about one API key, but not the key.
#[derive(Debug, Clone)]
#[must_use]
pub struct ApiKey {
    id: String,
    owner: String,
    hash: ApiKeyHash,
    scopes: Vec<ScopeName>,
    expires_at: Option<u64>,
}

impl ApiKey {
    /// The key whose hash is `hash`. `id` is its name in logs; `owner` is the subject that calls with it.
    pub fn new(id: impl Into<String>, owner: impl Into<String>, hash: ApiKeyHash) -> Self {
        Self {
            id: id.into(),
            owner: owner.into(),
            hash,
            scopes: Vec::new(),
            expires_at: None,
        }
    }

    /// The scopes of the key. Without this call it has none.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = ScopeName>) -> Self {
        self.scopes = scopes.into_iter().collect();
        self
    }

    /// When the key ends, in seconds since the Unix epoch. Without this call it does not.
    pub fn expires_at(mut self, seconds: u64) -> Self {
        self.expires_at = Some(seconds);
        self
    }
}

/// Accepts API keys of this server's own.
///
/// ```
/// use toolgate::{ApiKey, ApiKeys};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = ApiKeys::new("urn:example:notes:api-keys", "ntk_")?;
/// // Once, for example in a command of your own: the key goes to its owner, the hash into the file.
/// let (key, hash) = keys.generate()?;
/// # assert!(key.starts_with("ntk_"));
/// keys.replace([ApiKey::new("ci-2026", "ci@example.com", hash).scopes(["notes:read".parse()?])])?;
/// # Ok(())
/// # }
/// ```
///
/// The principal of a key has the given issuer (no authorization server can have a `urn:` as its
/// identifier), the key's owner as its subject and the key's id as its token id.
///
/// # Keys in a file
///
/// [`read`](Self::read) takes a JSON object:
///
/// ```json
/// {
///   "issuer": "urn:example:notes:api-keys",
///   "prefix": "ntk_",
///   "keys": [{
///     "id": "ci-2026",
///     "owner": "ci@example.com",
///     "sha256": "64 hexadecimal digits",
///     "scopes": ["notes:read"],
///     "expires_at": 1798761600
///   }]
/// }
/// ```
///
/// `scopes` and `expires_at` may be left out; a member that is not known is a mistake.
pub struct ApiKeys {
    issuer: String,
    prefix: String,
    clock: Clock,
    keys: ArcSwap<HashMap<ApiKeyHash, ApiKey>>,
}

impl ApiKeys {
    /// No keys yet. `issuer` is who vouches for their owners: a `urn:`. `prefix` is how every key begins:
    /// 3 to 16 letters, digits and `_`, and `_` at the end.
    ///
    /// # Errors
    ///
    /// [`ApiKeysError`] when one of them cannot be used.
    pub fn new(issuer: impl Into<String>, prefix: impl Into<String>) -> Result<Self, ApiKeysError> {
        let (issuer, prefix): (String, String) = (issuer.into(), prefix.into());
        let graphic = issuer.bytes().all(|byte| byte.is_ascii_graphic());
        if !issuer.starts_with("urn:") || issuer.len() > MAX_NAME || !graphic {
            return Err(ApiKeysError::Issuer { issuer });
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(3..=16).contains(&prefix.len()) || !prefix.bytes().all(plain) || !prefix.ends_with('_')
        {
            return Err(ApiKeysError::Prefix { prefix });
        }
        Ok(Self {
            issuer,
            prefix,
            clock: Clock::system(),
            keys: ArcSwap::default(),
        })
    }

    /// The keys that `document`, a JSON object, lists.
    ///
    /// # Errors
    ///
    /// [`ApiKeysError`] names the first mistake.
    pub fn parse(document: &[u8]) -> Result<Self, ApiKeysError> {
        let document = json::object(document).map_err(|_| ApiKeysError::Document)?;
        only(&document, &["issuer", "prefix", "keys"])?;
        let text = |name| {
            let text = document.get(name).and_then(Value::as_str);
            text.ok_or(ApiKeysError::Document)
        };
        let keys = Self::new(text("issuer")?, text("prefix")?)?;
        let list = document.get("keys").and_then(Value::as_array);
        let list = list.ok_or(ApiKeysError::Document)?;
        let list: Result<Vec<ApiKey>, ApiKeysError> = list.iter().map(read_key).collect();
        keys.replace(list?)?;
        Ok(keys)
    }

    /// The keys in a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::parse(&std::fs::read(path)?).map_err(io::Error::other)
    }

    /// Accepts `keys` from now on and no others: new ones begin, and those that are gone end at once. Give the
    /// server an `Arc` of this to be able to call it while the server runs.
    ///
    /// # Errors
    ///
    /// [`ApiKeysError`] names the first mistake; nothing has changed then.
    pub fn replace(&self, keys: impl IntoIterator<Item = ApiKey>) -> Result<(), ApiKeysError> {
        let mut ids = BTreeSet::new();
        let mut by_hash = HashMap::new();
        for key in keys {
            for name in [&key.id, &key.owner] {
                let printable = !name.chars().any(char::is_control);
                if name.is_empty() || name.chars().nth(MAX_NAME).is_some() || !printable {
                    return Err(ApiKeysError::Name);
                }
            }
            let id = key.id.clone();
            if !ids.insert(id.clone()) || by_hash.insert(key.hash, key).is_some() {
                return Err(ApiKeysError::Duplicate { id });
            }
        }
        self.keys.store(Arc::new(by_hash));
        Ok(())
    }

    /// A new key, for its owner and for nobody else, and its hash, for [`ApiKey::new`]. The key is the prefix
    /// and 256 random bits.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub fn generate(&self) -> io::Result<(String, ApiKeyHash)> {
        let mut random = Zeroizing::new([0_u8; 32]);
        rand::fill(&mut *random).map_err(|_| io::Error::other("no randomness"))?;
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(*random));
        let key = format!("{}{}", self.prefix, *encoded);
        let hash = ApiKeyHash::of(&key);
        Ok((key, hash))
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn check(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        if !token.starts_with(&self.prefix) {
            return Err(InvalidToken::Unknown.into());
        }
        if token.len() > MAX_KEY {
            return Err(InvalidToken::TooLarge.into());
        }
        let hash = ApiKeyHash::of(token);
        let keys = self.keys.load();
        let key = keys
            .get(&hash)
            .filter(|key| constant_time::verify_slices_are_equal(&key.hash.0, &hash.0).is_ok())
            .ok_or(InvalidToken::Unknown)?;
        if key
            .expires_at
            .is_some_and(|end| self.clock.unix_seconds() >= end)
        {
            return Err(InvalidToken::Expired.into());
        }
        let token = VerifiedToken::new(&self.issuer, &key.owner)
            .scopes(key.scopes.iter().cloned())
            .token_id(&key.id);
        Ok(match key.expires_at {
            Some(end) => token.expires_at(end),
            None => token,
        })
    }
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), ApiKeysError> {
    if object.keys().all(|name| known.contains(&name.as_str())) {
        Ok(())
    } else {
        Err(ApiKeysError::Document)
    }
}

fn read_key(value: &Value) -> Result<ApiKey, ApiKeysError> {
    const BAD: ApiKeysError = ApiKeysError::Document;
    let key = value.as_object().ok_or(BAD)?;
    only(key, &["id", "owner", "sha256", "scopes", "expires_at"])?;
    let text = |name| key.get(name).and_then(Value::as_str).ok_or(BAD);
    let hash = ApiKeyHash::from_hex(text("sha256")?).ok_or(ApiKeysError::Hash)?;
    let mut scopes = Vec::new();
    match key.get("scopes") {
        None => {}
        Some(Value::Array(list)) => {
            for scope in list {
                let scope = scope.as_str().ok_or(BAD)?.to_owned();
                scopes.push(ScopeName::new(scope).map_err(|_| ApiKeysError::Scope)?);
            }
        }
        Some(_) => return Err(BAD),
    }
    let read = ApiKey::new(text("id")?, text("owner")?, hash).scopes(scopes);
    match key.get("expires_at") {
        None => Ok(read),
        Some(end) => Ok(read.expires_at(end.as_u64().ok_or(BAD)?)),
    }
}

impl Verifier for ApiKeys {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(std::future::ready(self.check(token)))
    }

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        if token.has_prefix(&self.prefix) {
            Recognition::Yes
        } else {
            Recognition::No
        }
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("issuer", &self.issuer)
            .field("prefix", &self.prefix)
            .field("keys", &self.keys.load().len())
            .finish_non_exhaustive()
    }
}

/// Why API keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeysError {
    /// The issuer could be that of an authorization server, or is no text for a log.
    #[error("`{issuer}` cannot be the issuer of API keys: write a `urn:`")]
    Issuer {
        /// The issuer as configured.
        issuer: String,
    },
    /// Keys could not be told from other tokens.
    #[error("`{prefix}` is no prefix: use 3 to 16 letters, digits and `_`, and `_` at the end")]
    Prefix {
        /// The prefix as configured.
        prefix: String,
    },
    /// The document is not what [`ApiKeys`] describes.
    #[error("not a JSON object of API keys: see the documentation of `ApiKeys`")]
    Document,
    /// A hash that is none. It might be a key: it is not shown.
    #[error("`sha256` of an API key is not 64 hexadecimal digits")]
    Hash,
    /// A scope that the grammar does not allow.
    #[error("an API key has a scope that is none (RFC 6749 §3.3)")]
    Scope,
    /// An id or owner that is empty, too long or has control characters.
    #[error("an API key has an id or owner that is empty, too long or not printable")]
    Name,
    /// Two keys share an id, or are the same key.
    #[error("API key `{id}` is there twice, by its id or by its hash")]
    Duplicate {
        /// The id.
        id: String,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_700_000_000;
    const URN: &str = "urn:example:keys";

    fn keys() -> ApiKeys {
        ApiKeys::new(URN, "ntk_").unwrap().clock(Clock::manual(NOW))
    }

    fn refusal(keys: &ApiKeys, token: &str) -> Option<VerifyError> {
        keys.check(token).err()
    }

    #[test]
    fn a_key_is_its_owner_with_its_scopes_until_it_ends() {
        let keys = keys();
        let (key, hash) = keys.generate().unwrap();
        let (ended, ended_hash) = keys.generate().unwrap();
        assert_eq!(key.len(), 4 + 43);
        assert_ne!(key, ended);
        keys.replace([
            ApiKey::new("1", "ci", hash)
                .scopes([ScopeName::new("a").unwrap()])
                .expires_at(NOW + 1),
            ApiKey::new("2", "ci", ended_hash).expires_at(NOW),
        ])
        .unwrap();
        let text = format!("{:?}", keys.check(&key).unwrap());
        for part in [URN, "\"ci\"", "\"a\"", "1700000001"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(refusal(&keys, &ended), Some(InvalidToken::Expired.into()));
        keys.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(
            refusal(&keys, &key),
            Some(InvalidToken::Expired.into()),
            "to the second"
        );
        keys.replace([]).unwrap();
        assert_eq!(refusal(&keys, &key), Some(InvalidToken::Unknown.into()));
    }

    #[test]
    fn only_the_whole_key_is_the_key() {
        let keys = keys();
        let (key, hash) = keys.generate().unwrap();
        let bare = ApiKeyHash::of("without-a-prefix");
        keys.replace([ApiKey::new("1", "ci", hash), ApiKey::new("2", "ci", bare)])
            .unwrap();
        let mut others = vec![
            "without-a-prefix".into(),
            String::new(),
            "ntk_".into(),
            key[..key.len() - 1].to_owned(),
            format!("{key}x"),
            key[4..].to_owned(),
            key.to_uppercase(),
            format!("xtk_{}", &key[4..]),
            hash.to_string(),
            format!("ntk_{hash}"),
        ];
        others.push(format!("ntk_{}", "a".repeat(MAX_KEY)));
        for other in others {
            assert!(refusal(&keys, &other).is_some(), "{other}");
        }
        assert!(refusal(&keys, &key).is_none());
    }

    #[test]
    fn keys_come_from_a_file_in_one_form() {
        let hash = ApiKeyHash::of("ntk_x");
        assert_eq!(ApiKeyHash::from_hex(&hash.to_string()), Some(hash));
        let good = || {
            json!({"issuer": URN, "prefix": "ntk_", "keys": [{
                "id": "1", "owner": "ci", "sha256": hash.to_string(), "scopes": ["a", "b"],
                "expires_at": 4_000_000_000_u64,
            }]})
        };
        let file = std::env::temp_dir().join(format!("toolgate-api-{}.json", std::process::id()));
        std::fs::write(&file, good().to_string()).unwrap();
        let keys = ApiKeys::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(keys.check("ntk_x").is_ok());
        let parse = |document: &Value| ApiKeys::parse(document.to_string().as_bytes()).err();
        for (name, value, expected) in [
            ("id", json!(1), ApiKeysError::Document),
            ("id", json!(""), ApiKeysError::Name),
            ("owner", json!("a\nb"), ApiKeysError::Name),
            ("owner", json!(null), ApiKeysError::Document),
            ("sha256", json!("ntk_x"), ApiKeysError::Hash),
            ("sha256", json!("0".repeat(63)), ApiKeysError::Hash),
            (
                "sha256",
                json!(format!("+{}", "0".repeat(63))),
                ApiKeysError::Hash,
            ),
            ("scopes", json!("a b"), ApiKeysError::Document),
            ("scopes", json!(["a b"]), ApiKeysError::Scope),
            ("expires_at", json!("never"), ApiKeysError::Document),
            ("expires_at", json!(-1), ApiKeysError::Document),
            ("expires", json!(1), ApiKeysError::Document),
        ] {
            let mut bad = good();
            bad["keys"][0][name] = value;
            assert_eq!(parse(&bad), Some(expected), "{bad}");
        }
        let mut twice = good();
        let mut again = twice["keys"][0].clone();
        again["id"] = json!("2");
        twice["keys"].as_array_mut().unwrap().push(again);
        assert_eq!(
            parse(&twice),
            Some(ApiKeysError::Duplicate { id: "2".into() })
        );
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"issuer":"urn:a","issuer":"urn:b","prefix":"a_","keys":[]}"#,
        ] {
            assert_eq!(
                ApiKeys::parse(bad.as_bytes()).err(),
                Some(ApiKeysError::Document)
            );
        }
        for bad in ["https://as.example", "", "urn:a b", "URN"] {
            assert!(ApiKeys::new(bad, "ntk_").is_err(), "{bad}");
        }
        for bad in [
            "",
            "_",
            "a_",
            "ntk",
            "n.k_",
            "n-k_",
            "ntk_ ",
            "aaaaaaaaaaaaaaaa_",
        ] {
            assert!(ApiKeys::new(URN, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn neither_keys_nor_hashes_are_printed() {
        let keys = keys();
        let (key, hash) = keys.generate().unwrap();
        let entry = ApiKey::new("1", "ci", hash);
        let text = format!("{entry:?} {keys:?} {:?}", ApiKeysError::Hash);
        assert!(
            !text.contains(&hash.to_string()) && !text.contains(&key[4..16]),
            "{text}"
        );
    }
}
