//! Signing keys made on the spot: what the embedded authorization server signs with.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::random;

/// A private key, with the public half as a JSON Web Key (RFC 7517).
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    kid: String,
    private: EncodingKey,
    public: Value,
}

impl SigningKey {
    /// A fresh key for `algorithm`: ES256, RS256 (2048 bits) or EdDSA (Ed25519).
    ///
    /// # Panics
    ///
    /// When `algorithm` is another one, or the system has no randomness.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        // Random, not counted: a server that has cached the keys would otherwise take the first key of a
        // restarted authorization server for the one it knows.
        let kid = random::token();
        let rng = SystemRandom::new();
        let (private, mut public) = match algorithm {
            Algorithm::ES256 => {
                let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng)
                    .expect("randomness");
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref())
                    .expect("own key");
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(32);
                let public = json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)});
                (EncodingKey::from_ec_der(der.as_ref()), public)
            }
            Algorithm::EdDSA => {
                let der = Ed25519KeyPair::generate_pkcs8(&rng).expect("randomness");
                let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).expect("own key");
                let public = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())});
                (EncodingKey::from_ed_der(der.as_ref()), public)
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness");
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("own key");
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let public = json!({"kty": "RSA", "n": encode(&parts.n), "e": encode(&parts.e)});
                // An RSA private key in PKCS#8 is the PKCS#1 key inside a 26-byte wrapper.
                (EncodingKey::from_rsa_der(&der.as_ref()[26..]), public)
            }
            other => panic!("no key generation for {other:?}"),
        };
        public["kid"] = json!(kid);
        public["alg"] = json!(format!("{algorithm:?}"));
        public["use"] = json!("sig");
        Self {
            algorithm,
            kid,
            private,
            public,
        }
    }

    /// The algorithm this key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name under which the key set lists this key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as it stands in a JWK set.
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.public
    }

    /// A JWT of `claims` under the header an RFC 9068 access token has.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header =
            json!({"typ": "at+jwt", "alg": format!("{:?}", self.algorithm), "kid": self.kid});
        self.sign_parts(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A JWT of exactly these header and payload bytes, however wrong they are: signed correctly, so that
    /// a test knows which check refused it.
    ///
    /// # Panics
    ///
    /// When the cryptographic library refuses its own key.
    #[must_use]
    pub fn sign_parts(&self, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = (jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.signer_factory)(
            &self.algorithm,
            &self.private,
        )
        .and_then(|signer| {
            Ok(jsonwebtoken::signature::Signer::try_sign(
                &*signer,
                message.as_bytes(),
            )?)
        })
        .expect("own key signs");
        format!("{message}.{}", encode(&signature))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, crypto};

    use super::*;

    #[test]
    fn every_algorithm_signs_what_its_public_key_verifies() {
        for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA] {
            let key = SigningKey::generate(algorithm);
            let token = key.sign(&json!({"sub": "alice"}));
            let (message, signature) = token.rsplit_once('.').unwrap();
            let jwk = serde_json::from_value(key.public_jwk().clone()).unwrap();
            let public = DecodingKey::from_jwk(&jwk).unwrap();
            assert!(crypto::verify(signature, message.as_bytes(), &public, algorithm).unwrap());
            assert!(!crypto::verify(signature, b"other", &public, algorithm).unwrap_or(false));
        }
    }
}
