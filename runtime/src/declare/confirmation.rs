//! Confirmation methods: what a token is bound to, beside whoever holds it ([RFC 7800 §3.1]).
//!
//! Two methods are understood: the thumbprint of a DPoP key and that of a TLS client certificate. A token
//! with any other one is refused: a binding that nobody enforces protects nobody.
//!
//! [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1

use serde_json::Value;

/// What the bearer of a token must prove to possess: the value of its `cnf` claim.
///
/// Either the private key of DPoP proofs (`jkt`, [RFC 9449 §6]) or that of a TLS client certificate
/// (`x5t#S256`, [RFC 8705 §3.1]), or both: then both must be proven.
///
/// [RFC 9449 §6]: https://www.rfc-editor.org/rfc/rfc9449#section-6
/// [RFC 8705 §3.1]: https://www.rfc-editor.org/rfc/rfc8705#section-3.1
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    jkt: Option<String>,
    x5t_s256: Option<String>,
}

/// Why a `cnf` claim cannot be enforced. A token with such a claim must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfirmation {
    /// Not an object, or a thumbprint that is not a SHA-256 digest in base64url.
    #[error("the confirmation is malformed")]
    Malformed,
    /// No method, or another one than `jkt` and `x5t#S256`.
    #[error("the confirmation method is not supported")]
    Method,
    /// [`VerifiedToken::confirmation`](crate::VerifiedToken::confirmation) and the claims disagree.
    #[error("the token is bound in two different ways")]
    Contradiction,
}

impl Confirmation {
    /// The confirmation that the `cnf` claim of a token, or of an introspection answer, stands for.
    ///
    /// ```
    /// use serde_json::json;
    /// use toolgate::Confirmation;
    ///
    /// let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    /// assert!(Confirmation::from_claim(&json!({"jkt": jkt})).is_ok());
    /// assert!(Confirmation::from_claim(&json!({"jkt": jkt, "kid": "1"})).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidConfirmation`] when the token must be refused.
    pub fn from_claim(cnf: &Value) -> Result<Self, InvalidConfirmation> {
        let methods = cnf.as_object().ok_or(InvalidConfirmation::Malformed)?;
        let mut confirmation = Self {
            jkt: None,
            x5t_s256: None,
        };
        for (method, value) in methods {
            let place = match method.as_str() {
                "jkt" => &mut confirmation.jkt,
                "x5t#S256" => &mut confirmation.x5t_s256,
                _ => return Err(InvalidConfirmation::Method),
            };
            let thumbprint = value.as_str().filter(|text| is_sha256(text));
            *place = Some(thumbprint.ok_or(InvalidConfirmation::Malformed)?.to_owned());
        }
        if methods.is_empty() {
            return Err(InvalidConfirmation::Method);
        }
        Ok(confirmation)
    }

    /// The thumbprint (RFC 7638) of the key that signs DPoP proofs, in base64url.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "for the layer"))]
    pub(crate) fn jkt(&self) -> Option<&str> {
        self.jkt.as_deref()
    }

    /// The SHA-256 digest of the client certificate, in base64url.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "for the layer"))]
    pub(crate) fn x5t_s256(&self) -> Option<&str> {
        self.x5t_s256.as_deref()
    }
}

/// Whether `text` is 256 bits in the one base64url spelling they have: 43 characters without padding, the
/// last of which stands for four bits and two zeros. Equal digests have equal texts then.
fn is_sha256(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && text.ends_with(|last| "AEIMQUYcgkosw048".contains(last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    #[test]
    fn both_methods_are_understood_alone_and_together() {
        let of = |cnf: Value| Confirmation::from_claim(&cnf).unwrap();
        let key = of(json!({"jkt": DIGEST}));
        assert_eq!((key.jkt(), key.x5t_s256()), (Some(DIGEST), None));
        let certificate = of(json!({"x5t#S256": DIGEST}));
        assert_eq!(
            (certificate.jkt(), certificate.x5t_s256()),
            (None, Some(DIGEST))
        );
        let both = of(json!({"x5t#S256": DIGEST, "jkt": DIGEST}));
        assert_eq!((both.jkt(), both.x5t_s256()), (Some(DIGEST), Some(DIGEST)));
    }

    #[test]
    fn whatever_else_a_token_may_be_bound_to_refuses_it() {
        use InvalidConfirmation::{Malformed, Method};
        for (cnf, expected) in [
            (json!(null), Malformed),
            (json!(DIGEST), Malformed),
            (json!([{"jkt": DIGEST}]), Malformed),
            (json!(true), Malformed),
            (json!({}), Method),
            (json!({"jwk": {"kty": "OKP"}}), Method),
            (json!({"kid": "1"}), Method),
            (json!({"JKT": DIGEST}), Method),
            (json!({"x5t": DIGEST}), Method),
            (json!({"jkt": DIGEST, "jku": "https://x"}), Method),
            (json!({"jkt": null}), Malformed),
            (json!({"jkt": [DIGEST]}), Malformed),
            (json!({"jkt": 1}), Malformed),
            (json!({"jkt": ""}), Malformed),
            (json!({"jkt": "x"}), Malformed),
            (json!({"jkt": format!("{DIGEST}=")}), Malformed),
            (json!({"jkt": format!("{DIGEST}A")}), Malformed),
            (json!({"jkt": DIGEST.replace('-', "+")}), Malformed),
            (json!({"jkt": DIGEST.replace("4I", "4J")}), Malformed),
            (json!({"x5t#S256": {"jkt": DIGEST}}), Malformed),
            (json!({"jkt": DIGEST, "x5t#S256": "x"}), Malformed),
        ] {
            assert_eq!(Confirmation::from_claim(&cnf), Err(expected), "{cnf}");
        }
    }
}
