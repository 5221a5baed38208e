//! The signature algorithms a token may use.
//!
//! Only asymmetric ones have a name here. HMAC with a key set is the classic confusion ([RFC 8725 §2.1]:
//! a public key used as a shared secret), and `none` is no algorithm: neither can be configured, because
//! neither can be written down.
//!
//! [RFC 8725 §2.1]: https://www.rfc-editor.org/rfc/rfc8725#section-2.1

use jsonwebtoken::Algorithm;

/// An asymmetric signature algorithm of [RFC 7518 §3.1] or [RFC 8037 §3.1].
///
/// [RFC 7518 §3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037 §3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// EdDSA on Ed25519, also under its newer name `Ed25519` (RFC 9864 §2.2).
    EdDSA,
}

impl SignatureAlgorithm {
    /// What a verifier accepts unless it is told otherwise: RS256, PS256, ES256, ES384 and EdDSA.
    pub const DEFAULT: [Self; 5] = [
        Self::RS256,
        Self::PS256,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The algorithm that `alg` names. Names are case-sensitive (RFC 7515 §4.1.1).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::RS256,
            "RS384" => Self::RS384,
            "RS512" => Self::RS512,
            "PS256" => Self::PS256,
            "PS384" => Self::PS384,
            "PS512" => Self::PS512,
            "ES256" => Self::ES256,
            "ES384" => Self::ES384,
            "EdDSA" | "Ed25519" => Self::EdDSA,
            _ => return None,
        })
    }

    pub(crate) fn jsonwebtoken(self) -> Algorithm {
        match self {
            Self::RS256 => Algorithm::RS256,
            Self::RS384 => Algorithm::RS384,
            Self::RS512 => Algorithm::RS512,
            Self::PS256 => Algorithm::PS256,
            Self::PS384 => Algorithm::PS384,
            Self::PS512 => Algorithm::PS512,
            Self::ES256 => Algorithm::ES256,
            Self::ES384 => Algorithm::ES384,
            Self::EdDSA => Algorithm::EdDSA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_of_asymmetric_algorithms_exist() {
        for name in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ",
            "ES512", "ES256K", "RS1", "EDDSA", "ed25519", "Ed448", "A256KW", "dir",
        ] {
            assert_eq!(SignatureAlgorithm::from_name(name), None, "{name}");
        }
        for algorithm in SignatureAlgorithm::DEFAULT {
            let name = format!("{algorithm:?}");
            assert_eq!(SignatureAlgorithm::from_name(&name), Some(algorithm));
            assert_eq!(format!("{:?}", algorithm.jsonwebtoken()), name);
        }
    }
}
