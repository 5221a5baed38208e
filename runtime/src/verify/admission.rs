//! One JSON Web Key: good enough or not?
//!
//! Everything a cryptographic library may leave unchecked is checked here, before a token can choose the
//! key: modulus and exponent of RSA keys, coordinates on the curve, points of small order (with which any
//! signature verifies), and that the key is a public one for signatures ([RFC 7517 §4], [RFC 7518 §6]).
//!
//! What this does not do: explain itself. A key is admitted or it is not; the set counts.
//!
//! [RFC 7517 §4]: https://www.rfc-editor.org/rfc/rfc7517#section-4
//! [RFC 7518 §6]: https://www.rfc-editor.org/rfc/rfc7518#section-6

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::algorithm::SignatureAlgorithm::{
    self, ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512,
};

type Jwk = Map<String, Value>;

/// Members of private (RFC 7518 §6.2.2, §6.3.2) and symmetric keys (§6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The algorithms `jwk` may be used for, and the key as the verifying library wants it.
pub(super) fn admit(jwk: &Jwk) -> Option<(Vec<SignatureAlgorithm>, DecodingKey)> {
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) || !is_for_signatures(jwk) {
        return None;
    }
    let (family, key): (&[SignatureAlgorithm], _) = match text(jwk, "kty")? {
        "RSA" => (&[RS256, RS384, RS512, PS256, PS384, PS512], rsa(jwk)?),
        "EC" => match text(jwk, "crv")? {
            "P-256" => (&[ES256], ec(jwk, 32, &ECDSA_P256_SHA256_FIXED)?),
            "P-384" => (&[ES384], ec(jwk, 48, &ECDSA_P384_SHA384_FIXED)?),
            _ => return None,
        },
        "OKP" if text(jwk, "crv")? == "Ed25519" => (&[EdDSA], ed25519(jwk)?),
        _ => return None,
    };
    let algorithms = match jwk.get("alg") {
        None => family.to_vec(),
        Some(alg) => {
            let only = SignatureAlgorithm::from_name(alg.as_str()?)?;
            family.contains(&only).then(|| vec![only])?
        }
    };
    Some((algorithms, key))
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    let used = jwk.get("use").is_none_or(|usage| usage == "sig");
    let operates = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => {
            operations.iter().all(Value::is_string) && operations.iter().any(|op| op == "verify")
        }
        Some(_) => false,
    };
    used && operates
}

/// 2048 to 8192 bits, an odd exponent from 3 to 2^32 + 1, minimal encodings (RFC 7518 §6.3.1).
fn rsa(jwk: &Jwk) -> Option<DecodingKey> {
    let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
    let (&top, &low) = (n.first()?, n.last()?);
    let bits = n
        .len()
        .checked_mul(8)?
        .checked_sub(usize::try_from(top.leading_zeros()).ok()?)?;
    let well_formed = top != 0 && low & 1 == 1 && (2048..=8192).contains(&bits);
    if e.len() > 5 || *e.first()? == 0 {
        return None;
    }
    let exponent = e
        .iter()
        .fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte));
    let fits = exponent & 1 == 1 && (3..=0x1_0000_0001).contains(&exponent);
    (well_formed && fits && !has_roca_fingerprint(&n))
        .then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

/// Whether a modulus was made by the generator of CVE-2017-15361, whose private keys can be computed.
/// Its primes are powers of 65537 modulo every small prime, hence so is the modulus; for a sound key the
/// chance of that is below 2^-27.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    const SMALL_PRIMES: [u64; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    let times = |a: u64, b: u64, p: u64| a.wrapping_mul(b).checked_rem(p).unwrap_or(0);
    SMALL_PRIMES.iter().all(|&p| {
        let remainder = modulus.iter().fold(0, |sum, &byte| {
            times(sum, 256, p)
                .wrapping_add(u64::from(byte))
                .checked_rem(p)
                .unwrap_or(0)
        });
        let powers = std::iter::successors(Some(1), |&power| Some(times(power, 65_537, p)));
        // The powers repeat after at most p - 1 steps.
        powers.take(167).any(|power| power == remainder)
    })
}

/// Coordinates of exactly the curve's length (RFC 7518 §6.2.1.2) that name a point on it.
fn ec(jwk: &Jwk, length: usize, curve: &'static EcdsaVerificationAlgorithm) -> Option<DecodingKey> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return None;
    }
    // Uncompressed point (SEC 1 §2.3.3). Parsing checks that it is on the curve; merely constructing a
    // `DecodingKey` would not.
    let point = [&[4_u8][..], &x, &y].concat();
    ParsedPublicKey::new(curve, &point).ok()?;
    Some(DecodingKey::from_ec_der(&point))
}

/// 32 bytes, canonical, not of small order.
fn ed25519(jwk: &Jwk) -> Option<DecodingKey> {
    let x = bytes(jwk, "x")?;
    let mut y: [u8; 32] = x.as_slice().try_into().ok()?;
    // The top bit is the sign of the other coordinate; what remains is y, little end first.
    *y.last_mut()? &= 0x7f;
    let [low, middle @ .., top] = &y;
    let not_reduced = *low >= 0xed && middle.iter().all(|&byte| byte == 0xff) && *top == 0x7f;
    (!not_reduced && !SMALL_ORDER.contains(&y)).then(|| DecodingKey::from_ed_der(&x))
}

/// The y coordinates of the eight points of small order: 1, -1, 0, and those of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

fn text<'a>(jwk: &'a Jwk, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Jwk, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::*;
    use crate::testkit::SigningKey;

    fn admitted(jwk: &Value) -> bool {
        admit(jwk.as_object().unwrap()).is_some()
    }

    fn encode(bytes: impl AsRef<[u8]>) -> Value {
        json!(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn changed(jwk: &Value, name: &str, value: Value) -> Value {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    }

    fn part(jwk: &Value, name: &str) -> Vec<u8> {
        bytes(jwk.as_object().unwrap(), name).unwrap()
    }

    fn keys() -> [Value; 3] {
        [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
            .map(|algorithm| SigningKey::generate(algorithm).public_jwk().clone())
    }

    #[test]
    fn good_keys_are_admitted_whatever_else_they_say() {
        for key in keys() {
            assert!(admitted(&key));
            let bare: Map<_, _> = key
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| !["use", "alg", "kid"].contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            assert!(admit(&bare).is_some());
            assert!(admitted(&changed(&key, "key_ops", json!(["verify"]))));
            assert!(admitted(&changed(&key, "x5t", json!(1))));
        }
    }

    #[test]
    fn keys_for_another_purpose_are_not() {
        for key in keys() {
            for (name, value) in [
                ("use", json!("enc")),
                ("use", json!("SIG")),
                ("use", json!(["sig"])),
                ("use", json!(null)),
                ("key_ops", json!([])),
                ("key_ops", json!(["sign"])),
                ("key_ops", json!("verify")),
                ("key_ops", json!(["verify", 1])),
                ("key_ops", json!(["encrypt"])),
                ("alg", json!("none")),
                ("alg", json!("HS256")),
                ("alg", json!("RSA-OAEP")),
                ("alg", json!("ES512")),
                ("alg", json!(null)),
                ("alg", json!(["RS256"])),
                ("kty", json!("oct")),
                ("kty", json!("rsa")),
                ("kty", json!(1)),
                ("kty", json!(null)),
                ("crv", json!(1)),
                ("d", json!("AA")),
                ("k", json!("AA")),
                ("p", json!("AA")),
                ("oth", json!([])),
            ] {
                if name == "crv" && key["kty"] == "RSA" {
                    continue;
                }
                assert!(
                    !admitted(&changed(&key, name, value.clone())),
                    "{name} {value}"
                );
            }
        }
    }

    #[test]
    fn an_algorithm_of_another_family_is_not() {
        let [rsa, ec, ed] = keys();
        for (key, others) in [
            (&rsa, ["ES256", "ES384", "EdDSA"]),
            (&ec, ["RS256", "ES384", "EdDSA"]),
            (&ed, ["ES256", "PS256", "RS512"]),
        ] {
            for other in others {
                assert!(!admitted(&changed(key, "alg", json!(other))), "{other}");
            }
        }
        assert!(admitted(&changed(&rsa, "alg", json!("PS512"))));
        assert!(admitted(&changed(&ed, "alg", json!("Ed25519"))));
    }

    #[test]
    fn rsa_keys_have_2048_to_8192_bits_and_an_odd_exponent() {
        let [rsa, ..] = keys();
        let n = |bytes: usize, first: u8, last: u8| {
            let mut n = vec![0x55_u8; bytes];
            n[0] = first;
            n[bytes - 1] = last;
            changed(&rsa, "n", encode(n))
        };
        assert!(admitted(&n(256, 0x80, 1)));
        assert!(admitted(&n(1024, 0xff, 1)));
        for bad in [
            n(256, 0x7f, 1),
            n(255, 0xff, 1),
            n(128, 0xff, 1),
            n(1025, 1, 1),
            n(256, 0x80, 2),
            n(257, 0, 1),
        ] {
            assert!(!admitted(&bad));
        }
        let e = |e: &[u8]| changed(&rsa, "e", encode(e));
        for good in [
            &[3][..],
            &[17],
            &[1, 0, 1],
            &[255, 255, 255, 255],
            &[1, 0, 0, 0, 1],
        ] {
            assert!(admitted(&e(good)), "{good:?}");
        }
        for bad in [
            &[][..],
            &[0],
            &[1],
            &[2],
            &[4],
            &[0, 3],
            &[1, 0, 0],
            &[1, 0, 0, 0, 2],
            &[1, 0, 0, 0, 3],
            &[1, 0, 0, 0, 0, 1],
        ] {
            assert!(!admitted(&e(bad)), "{bad:?}");
        }
        for (name, value) in [
            ("n", json!(1)),
            ("n", json!("")),
            ("e", json!(65537)),
            ("e", json!("AQAB=")),
            ("e", json!("AQ+B")),
        ] {
            assert!(!admitted(&changed(&rsa, name, value)));
        }
    }

    #[test]
    fn a_product_of_powers_of_65537_has_the_roca_fingerprint() {
        // 65537 to the 128th has 2049 bits and only residues the broken generator produces.
        let mut digits = vec![1_u8];
        for _ in 0..128 {
            let mut carry = 0_u32;
            for digit in &mut digits {
                let product = u32::from(*digit) * 65_537 + carry;
                *digit = product as u8;
                carry = product >> 8;
            }
            while carry > 0 {
                digits.push(carry as u8);
                carry >>= 8;
            }
        }
        digits.reverse();
        assert_eq!(digits.len(), 257);
        assert!(has_roca_fingerprint(&digits));
        let [rsa, ..] = keys();
        assert!(!has_roca_fingerprint(&part(&rsa, "n")));
        assert!(!admitted(&changed(&rsa, "n", encode(digits))));
    }

    #[test]
    fn ec_keys_are_points_on_their_curve_with_coordinates_of_full_length() {
        let [_, ec, _] = keys();
        let (x, y) = (part(&ec, "x"), part(&ec, "y"));
        let point = |x: &[u8], y: &[u8]| changed(&changed(&ec, "x", encode(x)), "y", encode(y));
        assert!(admitted(&point(&x, &y)));
        let mut off = y.clone();
        off[31] ^= 1;
        let joined = [&x[..], &y].concat();
        let padded = [&[0][..], &x].concat();
        for bad in [
            point(&x, &off),
            point(&y, &x),
            point(&x, &y[1..]),
            point(&x[1..], &y),
            point(&padded, &y),
            point(&joined, &[]),
            point(&joined[..33], &joined[33..]),
            point(&[0; 32], &[0; 32]),
            point(&[0xff; 32], &y),
            changed(&ec, "crv", json!("P-384")),
            changed(&ec, "crv", json!("P-521")),
            changed(&ec, "crv", json!("secp256k1")),
            changed(&ec, "x", json!(null)),
            changed(&ec, "kty", json!("OKP")),
        ] {
            assert!(!admitted(&bad), "{bad}");
        }
    }

    #[test]
    fn ed25519_keys_have_32_bytes_and_no_small_order() {
        let [_, _, ed] = keys();
        let x = |x: &[u8]| changed(&ed, "x", encode(x));
        let good = part(&ed, "x");
        for bad in [&good[..31], &[&good[..], &[0]].concat(), &[]] {
            assert!(!admitted(&x(bad)));
        }
        for point in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut point = point;
                point[31] |= sign;
                assert!(!admitted(&x(&point)), "{point:x?}");
            }
        }
        for low in 0xed..=0xff {
            let mut not_reduced = [0xff; 32];
            not_reduced[0] = low;
            not_reduced[31] = 0x7f;
            assert!(!admitted(&x(&not_reduced)));
        }
        for curve in ["X25519", "Ed448", "ed25519"] {
            assert!(!admitted(&changed(&ed, "crv", json!(curve))));
        }
    }
}
