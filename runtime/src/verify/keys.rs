//! Key sets: which public keys of an issuer are good enough to trust, decided once, when a set is loaded.
//!
//! A key set ([RFC 7517 §5]) comes from outside. Each member is admitted or skipped, never repaired: weak
//! and malformed keys, keys for encryption, private and symmetric keys are skipped and counted, and do not
//! spoil the rest of the set. What is admitted fits exactly one family of algorithms, so the algorithm in
//! a token's header can choose among those only ([RFC 8725 §3.1]). The signature itself is verified by
//! `jsonwebtoken`.
//!
//! What this does not do: fetch anything, or try keys one after the other. A token names its key, or its
//! issuer has only one that fits.
//!
//! [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
//! [RFC 8725 §3.1]: https://www.rfc-editor.org/rfc/rfc8725#section-3.1

use std::{fmt, sync::Arc};

use jsonwebtoken::{DecodingKey, crypto::aws_lc::DEFAULT_PROVIDER};
use serde_json::{Map, Value};

use super::{
    admission, algorithm::SignatureAlgorithm, jose::Signed, json, thumbprint::thumbprint,
    token::InvalidToken,
};

/// The largest key set that is read, in bytes.
pub(crate) const MAX_KEY_SET: usize = 512 * 1024;
/// The most keys a set may list.
const MAX_KEYS: usize = 100;

/// A public key that was admitted, with the algorithms it may be used for.
pub struct PublicKey {
    kid: Option<String>,
    algorithms: Vec<SignatureAlgorithm>,
    key: DecodingKey,
    thumbprint: [u8; 32],
}

impl PublicKey {
    /// Admits one JSON Web Key. `None` when it is not good enough.
    pub(super) fn admit(jwk: &Value) -> Option<Self> {
        let jwk = jwk.as_object()?;
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        let (algorithms, key) = admission::admit(jwk)?;
        Some(Self {
            kid,
            algorithms,
            key,
            thumbprint: thumbprint(jwk)?,
        })
    }

    /// The name under which the key set lists this key (`kid`).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The SHA-256 thumbprint of the key (RFC 7638).
    pub(crate) fn thumbprint(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether the signature is one over exactly the received text. Goes to the backend directly, not through
    /// `jsonwebtoken`'s process-wide provider, which panics when a program enables both backends.
    pub(crate) fn verify(&self, token: &Signed<'_>) -> Result<(), InvalidToken> {
        if !self.fits(token.algorithm) {
            return Err(InvalidToken::Key);
        }
        let algorithm = token.algorithm.jsonwebtoken();
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &self.key)
            .map_err(|_| InvalidToken::Key)?;
        verifier
            .verify(token.message.as_bytes(), &token.signature)
            .map_err(|_| InvalidToken::Signature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

/// The admitted keys of one issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Arc<PublicKey>>,
    skipped: usize,
}

/// A document that is no key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeySet {
    /// Longer than 512 KiB, or more than 100 keys.
    #[error("key set too large")]
    TooLarge,
    /// Not one JSON object with an array `keys`, or a member name occurs twice.
    #[error("not a JSON Web Key Set")]
    Malformed,
    /// It lists keys, but none that can be used.
    #[error("no usable key in the key set")]
    NoUsableKey,
}

/// What a key set knows about the key a token names.
#[derive(Debug)]
pub(crate) enum Lookup<'a> {
    /// Exactly one key fits.
    Found(&'a Arc<PublicKey>),
    /// The token does not say which of several keys it means, or means one of another kind. A newer key
    /// set would not change that.
    Refused,
    /// No such key; a newer key set may have it.
    Unknown,
}

impl KeySet {
    /// Reads a JWK Set document and admits its keys.
    ///
    /// # Errors
    ///
    /// [`InvalidKeySet`] when `document` is no key set or lists only keys that cannot be used. An empty list
    /// is a key set: its issuer has withdrawn all keys.
    pub fn parse(document: &[u8]) -> Result<Self, InvalidKeySet> {
        if document.len() > MAX_KEY_SET {
            return Err(InvalidKeySet::TooLarge);
        }
        let document = json::object(document).map_err(|_| InvalidKeySet::Malformed)?;
        Self::from_members(&document)
    }

    pub(crate) fn from_members(document: &Map<String, Value>) -> Result<Self, InvalidKeySet> {
        let Some(Value::Array(members)) = document.get("keys") else {
            return Err(InvalidKeySet::Malformed);
        };
        if members.len() > MAX_KEYS {
            return Err(InvalidKeySet::TooLarge);
        }
        let keys: Vec<_> = members
            .iter()
            .filter_map(PublicKey::admit)
            .map(Arc::new)
            .collect();
        if keys.is_empty() && !members.is_empty() {
            return Err(InvalidKeySet::NoUsableKey);
        }
        let skipped = members.len().saturating_sub(keys.len());
        Ok(Self { keys, skipped })
    }

    /// How many keys were admitted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the issuer has withdrawn all keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many members were not good enough.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The one key that a token with this header may be verified with: the only one of that name that is
    /// for that algorithm, or, for a token that names none, the only one for that algorithm at all.
    #[must_use]
    pub fn key(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        match self.find(kid, algorithm) {
            Lookup::Found(key) => Some(Arc::clone(key)),
            Lookup::Refused | Lookup::Unknown => None,
        }
    }

    /// Whether some key is for `algorithm`.
    pub(crate) fn has(&self, algorithm: SignatureAlgorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    pub(crate) fn find(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Lookup<'_> {
        let named = || {
            self.keys
                .iter()
                .filter(|key| kid.is_none() || key.kid() == kid)
        };
        let mut fitting = named().filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Lookup::Found(key),
            (Some(_), Some(_)) => Lookup::Refused,
            (None, _) if kid.is_some() && named().next().is_some() => Lookup::Refused,
            (None, _) => Lookup::Unknown,
        }
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::SigningKey;
    use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, PS384, RS256, RS384};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::Algorithm;
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn jwk(key: &SigningKey, changes: &Value) -> Value {
        let mut jwk = key.public_jwk().clone();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                jwk.as_object_mut().unwrap().remove(name);
            } else {
                jwk[name] = value.clone();
            }
        }
        jwk
    }

    fn verdict(set: &KeySet, kid: Option<&str>, algorithm: SignatureAlgorithm) -> &'static str {
        match set.find(kid, algorithm) {
            Lookup::Found(_) => "found",
            Lookup::Refused => "refused",
            Lookup::Unknown => "unknown",
        }
    }

    #[test]
    fn a_document_that_is_no_key_set_is_refused_as_a_whole() {
        use InvalidKeySet::*;
        let good = SigningKey::generate(Algorithm::EdDSA).public_jwk().clone();
        let twice = format!("{{\"keys\":[{good}],\"keys\":[]}}");
        let inner = format!("{{\"keys\":[{good},{{\"kty\":\"RSA\",\"kty\":\"EC\"}}]}}");
        let many = json!({"keys": vec![json!({}); 101]}).to_string();
        let large = format!("{{\"keys\":[{good}]}}{}", " ".repeat(MAX_KEY_SET));
        let useless = json!({"keys": [{}, 1, "x", null]}).to_string();
        for (document, expected) in [
            ("", Malformed),
            ("[]", Malformed),
            ("{}", Malformed),
            ("<html>", Malformed),
            (r#"{"keys":{}}"#, Malformed),
            (r#"{"keys":null}"#, Malformed),
            (&twice, Malformed),
            (&inner, Malformed),
            (&many, TooLarge),
            (&large, TooLarge),
            (&useless, NoUsableKey),
        ] {
            assert_eq!(
                KeySet::parse(document.as_bytes()).err(),
                Some(expected),
                "{document:.40}"
            );
        }
        assert!(KeySet::parse(br#"{"keys":[]}"#).unwrap().is_empty());
        assert_eq!(set(&vec![good; 100]).len(), 100);
    }

    #[test]
    fn members_that_are_not_good_enough_are_skipped_and_counted() {
        let good = SigningKey::generate(Algorithm::ES256);
        let bad = [
            json!(1),
            json!("x"),
            json!(null),
            json!([]),
            json!({}),
            json!({"kty": "oct", "k": "AAAA"}),
        ];
        let mut keys = bad.to_vec();
        keys.push(good.public_jwk().clone());
        let set = set(&keys);
        assert_eq!((set.len(), set.skipped()), (1, bad.len()));
        assert_eq!(verdict(&set, Some(good.kid()), ES256), "found");
    }

    #[test]
    fn a_key_is_found_by_its_exact_name_only() {
        let key = SigningKey::generate(Algorithm::EdDSA);
        let set = set(&[jwk(&key, &json!({"kid": "key"}))]);
        assert_eq!(verdict(&set, Some("key"), EdDSA), "found");
        for kid in [
            "",
            "Key",
            "KEY",
            "key ",
            "ke",
            "key2",
            "../key",
            "' OR 1=1 --",
            "key\u{0}",
        ] {
            assert_eq!(verdict(&set, Some(kid), EdDSA), "unknown", "{kid:?}");
        }
    }

    #[test]
    fn a_token_that_names_no_key_needs_exactly_one_that_fits() {
        let (a, b) = (
            SigningKey::generate(Algorithm::ES256),
            SigningKey::generate(Algorithm::ES256),
        );
        let nameless = jwk(&b, &json!({"kid": null}));
        assert_eq!(
            verdict(&set(&[a.public_jwk().clone()]), None, ES256),
            "found"
        );
        assert_eq!(
            verdict(&set(std::slice::from_ref(&nameless)), None, ES256),
            "found"
        );
        assert_eq!(
            verdict(&set(std::slice::from_ref(&nameless)), Some("x"), ES256),
            "unknown"
        );
        assert_eq!(
            verdict(&set(&[a.public_jwk().clone(), nameless]), None, ES256),
            "refused"
        );
        assert_eq!(
            verdict(&set(&[a.public_jwk().clone()]), None, EdDSA),
            "unknown"
        );
    }

    #[test]
    fn two_fitting_keys_of_one_name_are_ambiguous_and_of_two_kinds_are_not() {
        let (a, b) = (
            SigningKey::generate(Algorithm::ES256),
            SigningKey::generate(Algorithm::ES256),
        );
        let rsa = SigningKey::generate(Algorithm::RS256);
        let named = |key: &SigningKey| jwk(key, &json!({"kid": "same"}));
        assert_eq!(
            verdict(&set(&[named(&a), named(&b)]), Some("same"), ES256),
            "refused"
        );
        assert_eq!(
            verdict(&set(&[named(&a), named(&a)]), Some("same"), ES256),
            "refused"
        );
        let mixed = set(&[named(&a), named(&rsa)]);
        assert_eq!(verdict(&mixed, Some("same"), ES256), "found");
        assert_eq!(verdict(&mixed, Some("same"), RS256), "found");
        assert_eq!(verdict(&mixed, Some("same"), EdDSA), "refused");
    }

    #[test]
    fn the_algorithm_of_a_token_must_be_one_the_key_is_for() {
        let rsa = SigningKey::generate(Algorithm::RS256);
        let any_rsa = set(&[jwk(&rsa, &json!({"alg": null}))]);
        for algorithm in [RS256, RS384, PS256, PS384] {
            assert_eq!(verdict(&any_rsa, Some(rsa.kid()), algorithm), "found");
        }
        for algorithm in [ES256, ES384, EdDSA] {
            assert_eq!(verdict(&any_rsa, Some(rsa.kid()), algorithm), "refused");
        }
        let only = set(&[rsa.public_jwk().clone()]);
        for algorithm in [RS384, PS256, PS384, ES256, EdDSA] {
            assert_eq!(verdict(&only, Some(rsa.kid()), algorithm), "refused");
        }
        let ec = SigningKey::generate(Algorithm::ES256);
        let ec_set = set(&[jwk(&ec, &json!({"alg": null}))]);
        assert_eq!(verdict(&ec_set, Some(ec.kid()), ES256), "found");
        for algorithm in [ES384, RS256, EdDSA] {
            assert_eq!(verdict(&ec_set, Some(ec.kid()), algorithm), "refused");
        }
    }

    #[test]
    fn only_the_right_signature_over_the_exact_message_verifies() {
        for (algorithm, ours) in [
            (Algorithm::RS256, RS256),
            (Algorithm::ES256, ES256),
            (Algorithm::EdDSA, EdDSA),
        ] {
            let signer = SigningKey::generate(algorithm);
            let key = set(&[signer.public_jwk().clone()])
                .key(Some(signer.kid()), ours)
                .unwrap();
            let token = signer.sign(&json!({"sub": "alice"}));
            let other = signer.sign(&json!({"sub": "bob"}));
            let split = || Signed::split(&token).ok().unwrap();
            assert_eq!(key.verify(&split()), Ok(()));
            let mut wrong = split();
            wrong.algorithm = RS384;
            assert_eq!(key.verify(&wrong), Err(InvalidToken::Key));
            let mut wrong = split();
            wrong.message = other.rsplit_once('.').unwrap().0;
            assert_eq!(key.verify(&wrong), Err(InvalidToken::Signature));
            let good = split().signature;
            let len = good.len();
            let mut signatures = vec![
                vec![],
                vec![0; len],
                good[1..].to_vec(),
                [&good[..], &[0]].concat(),
            ];
            for at in [0, len / 2, len - 1] {
                let mut flipped = good.clone();
                flipped[at] ^= 1;
                signatures.push(flipped);
            }
            for signature in signatures {
                let mut wrong = split();
                wrong.signature = signature;
                assert_eq!(key.verify(&wrong), Err(InvalidToken::Signature));
            }
        }
    }

    /// Members of a key set, mostly plausible and mostly wrong.
    fn member() -> impl Strategy<Value = Value> {
        let names = [
            "kty", "crv", "use", "key_ops", "alg", "kid", "n", "e", "x", "y", "d", "k",
        ];
        let value = prop_oneof![
            prop::sample::select(vec![
                "RSA", "EC", "OKP", "oct", "P-256", "P-384", "Ed25519", "X25519"
            ])
            .prop_map(Value::from),
            prop::sample::select(vec![
                "sig", "enc", "RS256", "ES256", "EdDSA", "HS256", "AQAB", "good"
            ])
            .prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..70)
                .prop_map(|b| json!(URL_SAFE_NO_PAD.encode(b))),
            any::<i64>().prop_map(Value::from),
            Just(Value::Null),
            Just(json!(["verify"])),
            ".{0,8}".prop_map(Value::from),
        ];
        let members = prop::collection::hash_map(prop::sample::select(names.to_vec()), value, 0..8);
        members.prop_map(|members| json!(members))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bad_member_changes_what_a_good_key_is_found_for(bad in prop::collection::vec(member(), 0..6)) {
            let good = json!({"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
            // A member that is admitted is no bad one.
            let bad: Vec<Value> = bad.into_iter().filter(|jwk| PublicKey::admit(jwk).is_none()).collect();
            let set = set(&[&bad[..], &[good], &bad[..]].concat());
            assert_eq!((set.len(), set.skipped()), (1, 2 * bad.len()));
            assert_eq!(verdict(&set, Some("good"), EdDSA), "found");
            assert_eq!(verdict(&set, None, EdDSA), "found");
        }
    }
}
