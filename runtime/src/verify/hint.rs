//! Whose token is this? Read before anything is verified, only to choose who is asked.
//!
//! A token goes to the verifier it names, and to no other: a JWT of one issuer is never sent to the
//! introspection endpoint of another, which would learn a token that is good elsewhere.

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{claims, jose::MAX_TOKEN, json};

/// Generous, unlike verification: what any other reader might take for a JWT is none that is opaque.
const GENEROUS: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a token says about itself. **Nothing in it is verified.** No `Debug`: it holds the token.
pub struct TokenHint<'a> {
    token: &'a str,
    jwt: bool,
    issuer: Option<String>,
}

/// Whether a token is for a verifier, as far as that can be told without checking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recognition {
    /// It is for somebody else.
    No,
    /// It does not say whose it is.
    Maybe,
    /// It says that it is for this verifier, which alone decides about it.
    Yes,
}

impl<'a> TokenHint<'a> {
    pub(crate) fn read(token: &'a str) -> Self {
        let mut parts = token.split('.');
        let object = |part: &str| {
            let text = GENEROUS.decode(part).ok()?;
            text.trim_ascii_start().starts_with(b"{").then_some(text)
        };
        let header = parts.next().and_then(object);
        let payload = parts.next();
        let jwt = header.is_some() && payload.is_some();
        let issuer = match payload {
            Some(payload) if jwt && token.len() <= MAX_TOKEN => object(payload)
                .and_then(|text| json::object(&text).ok())
                .and_then(|claims| Some(claims::issuer(&claims).ok()?.to_owned())),
            _ => None,
        };
        Self { token, jwt, issuer }
    }

    /// Whether the token looks like a JWT, whatever is in it.
    #[must_use]
    pub fn is_jwt(&self) -> bool {
        self.jwt
    }

    /// The issuer that a JWT names.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the token begins with `prefix`.
    #[must_use]
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.token.starts_with(prefix)
    }

    /// For verifiers of the JWTs of one issuer.
    pub(crate) fn names(&self, issuer: &str) -> Recognition {
        if self.issuer() == Some(issuer) {
            Recognition::Yes
        } else {
            Recognition::No
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn jwt(header: &str, payload: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(header), encode(payload))
    }

    #[test]
    fn what_looks_like_a_jwt_to_anybody_is_not_opaque() {
        let good = jwt(r#"{"alg":"ES256"}"#, r#"{"iss":"https://as.example"}"#);
        let hint = TokenHint::read(&good);
        assert!(hint.is_jwt());
        assert_eq!(hint.issuer(), Some("https://as.example"));
        assert_eq!(hint.names("https://as.example"), Recognition::Yes);
        assert_eq!(hint.names("https://as.example/"), Recognition::No);
        for odd in [
            jwt(" {\"alg\":1", "{}"),
            jwt("{}", "not JSON"),
            jwt("{}", r#"{"iss":"a","iss":"https://as.example"}"#),
            jwt("{}", r#"{"iss":["https://as.example"]}"#),
            jwt(r#"{"alg":"dir","enc":"A128GCM"}"#, "") + ".a.b",
            format!("{good}."),
            good.rsplit_once('.').unwrap().0.to_owned(),
            format!("{}=.e30.x", URL_SAFE_NO_PAD.encode("{}")),
            format!("{good}{}", "x".repeat(MAX_TOKEN)),
        ] {
            let hint = TokenHint::read(&odd);
            assert!(hint.is_jwt(), "{odd}");
            if odd != format!("{good}.") && !good.starts_with(&odd) {
                assert_eq!(hint.issuer(), None, "{odd}");
            }
        }
        for opaque in ["", "abc", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "....", "ntk_x"] {
            let hint = TokenHint::read(opaque);
            assert!(!hint.is_jwt(), "{opaque}");
            assert_eq!(hint.names(""), Recognition::No);
        }
        assert!(TokenHint::read("ntk_x").has_prefix("ntk_"));
    }
}
