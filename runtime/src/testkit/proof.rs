//! DPoP proofs: good ones, and every kind of bad one.

use serde_json::{Map, Value, json};

use super::{issuer::unix_now, keys::SigningKey, random};
use crate::verify::{
    dpop::digest::{encode, sha256},
    thumbprint::thumbprint,
};

/// A DPoP proof ([RFC 9449 §4.2]) in the making, from [`SigningKey::dpop_proof`].
///
/// Unless told otherwise it is good for one request without an access token, made now: `jti`, `htm`, `htu`
/// and `iat`, under the header `typ: dpop+jwt` with `alg` and `jwk`. Each part can be made wrong, and the
/// signature still fits: a test then knows which check refused the proof.
///
/// [RFC 9449 §4.2]: https://www.rfc-editor.org/rfc/rfc9449#section-4.2
#[derive(Debug, Clone)]
#[must_use = "a proof is made by `sign`"]
pub struct ProofBuilder {
    key: SigningKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl SigningKey {
    /// Begins a proof that whoever sends `method` to `url` holds this key.
    ///
    /// ```
    /// use jsonwebtoken::Algorithm;
    /// use toolgate::testkit::{McpRequest, SigningKey};
    ///
    /// # let token = "token";
    /// let key = SigningKey::generate(Algorithm::ES256);
    /// let proof = key.dpop_proof("POST", "http://127.0.0.1/mcp").access_token(token).sign();
    /// let request = McpRequest::list_tools().dpop(token, proof);
    /// ```
    pub fn dpop_proof(&self, method: &str, url: &str) -> ProofBuilder {
        let mut jwk = self.public_jwk().clone();
        if let Some(members) = jwk.as_object_mut() {
            members.retain(|name, _| !["kid", "alg", "use"].contains(&name.as_str()));
        }
        let header = [
            ("typ", json!("dpop+jwt")),
            ("alg", json!(format!("{:?}", self.algorithm()))),
            ("jwk", jwk),
        ];
        let claims = [
            ("jti", json!(random::token())),
            ("htm", json!(method)),
            ("htu", json!(url)),
            ("iat", json!(unix_now())),
        ];
        let members = |all: &[(&str, Value)]| {
            let owned = all
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            owned.collect()
        };
        ProofBuilder {
            key: self.clone(),
            header: members(&header),
            claims: members(&claims),
        }
    }

    /// The SHA-256 thumbprint of the public half ([RFC 7638]), as `cnf.jkt` names it.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    ///
    /// # Panics
    ///
    /// Never: the key was made here.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let jwk = self.public_jwk().as_object();
        encode(&jwk.and_then(thumbprint).expect("own key"))
    }
}

impl ProofBuilder {
    /// The access token that is sent along (`ath`).
    pub fn access_token(self, token: impl AsRef<str>) -> Self {
        self.claim("ath", encode(&sha256(token.as_ref().as_bytes())))
    }

    /// The nonce that the server gave out last (`nonce`).
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.claim("nonce", nonce.into())
    }

    /// Made at another time (`iat`), in seconds since the Unix epoch.
    pub fn issued_at(self, seconds: u64) -> Self {
        self.claim("iat", seconds)
    }

    /// Any claim, in place of the one there was.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Any header parameter, in place of the one there was. [`Value::Null`] leaves it out.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Signs with `key`, and leaves everything else as it is: the `jwk` of another key, for example.
    pub fn key(mut self, key: SigningKey) -> Self {
        self.key = key;
        self
    }

    /// The proof, for the `DPoP` header.
    #[must_use]
    pub fn sign(mut self) -> String {
        self.header.retain(|_, value| !value.is_null());
        let (header, claims) = (Value::Object(self.header), Value::Object(self.claims));
        self.key
            .sign_parts(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }
}
