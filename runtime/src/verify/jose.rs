//! A token, taken apart: JWS Compact Serialization ([RFC 7515 §7.1]) in exactly one spelling.
//!
//! Sizes are checked before anything is decoded. Each part is unpadded, canonical base64url, so one token
//! has one text. The header says nothing this verifier does not understand: `crit`, `b64`, `zip`, `enc`
//! and nested tokens are refused ([RFC 8725 §3.8, §3.11]). Keys that a token brings along (`jwk`, `jku`,
//! `x5u`, `x5c`) are never looked at; only a DPoP proof is asked for its `jwk`.
//!
//! What this does not do: trust anything. A [`Jws`] is unverified until its signature has been checked.
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
//! [RFC 8725 §3.8, §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    algorithm::SignatureAlgorithm,
    json::{self, InvalidJson},
    token::InvalidToken,
};

/// The longest token that is looked at, unless configured otherwise.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
/// The longest JOSE header, decoded.
const MAX_HEADER: usize = 4 * 1024;
/// The longest `kid`.
const MAX_KID: usize = 256;

/// Which kind of token is an access token. See [RFC 9068 §2.1] and [RFC 8725 §3.11].
///
/// [RFC 9068 §2.1]: https://www.rfc-editor.org/rfc/rfc9068#section-2.1
/// [RFC 8725 §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenType {
    /// `typ` is `at+jwt`, `JWT` or absent, because widespread issuers send the latter two. Any other
    /// `typ` (a logout token, a DPoP proof, a security event) is refused.
    #[default]
    Compatible,
    /// [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068) to the letter: `typ` is `at+jwt`, and `client_id`,
    /// `iat` and `jti` are present. Choose it when the authorization server issues such tokens: nothing
    /// else tells an access token from an ID token.
    Rfc9068,
}

impl TokenType {
    /// `typ` compares without case (RFC 7515 §4.1.9).
    pub(crate) fn check(self, typ: Option<&str>) -> Result<(), InvalidToken> {
        let is = |name: &str| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(name));
        let access_token = is("at+jwt") || is("application/at+jwt");
        let fits = match self {
            Self::Compatible => access_token || is("JWT") || typ.is_none(),
            Self::Rfc9068 => access_token,
        };
        if fits {
            Ok(())
        } else {
            Err(InvalidToken::TokenType)
        }
    }
}

/// A token whose structure is sound. Nothing in it is verified. No `Debug`: it holds the token.
pub(crate) struct Jws<'a> {
    pub(crate) signed: Signed<'a>,
    pub(crate) claims: Map<String, Value>,
}

/// The parts of a token, with the header read and the payload not.
pub(crate) struct Signed<'a> {
    /// What was signed: header and payload as received.
    pub(crate) message: &'a str,
    pub(crate) signature: Vec<u8>,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    payload: &'a str,
}

impl<'a> Jws<'a> {
    /// Takes `token` apart. One header parse, one claims parse.
    pub(crate) fn decode(token: &'a str, max_token: usize) -> Result<Self, InvalidToken> {
        if token.len() > max_token {
            return Err(InvalidToken::TooLarge);
        }
        let signed = Signed::split(token)?;
        let claims = json::object(&decode(signed.payload)?)?;
        Ok(Self { signed, claims })
    }

    /// The same for a DPoP proof (RFC 9449 §4.2), with the `jwk` that it is signed with.
    #[cfg(feature = "http")]
    pub(crate) fn decode_proof(
        proof: &'a str,
        max_proof: usize,
    ) -> Result<(Self, Option<Value>), InvalidToken> {
        if proof.len() > max_proof {
            return Err(InvalidToken::TooLarge);
        }
        let (signed, mut header) = Signed::split_with_header(proof)?;
        let claims = json::object(&decode(signed.payload)?)?;
        Ok((Self { signed, claims }, header.remove("jwk")))
    }
}

impl<'a> Signed<'a> {
    pub(crate) fn split(token: &'a str) -> Result<Self, InvalidToken> {
        Ok(Self::split_with_header(token)?.0)
    }

    /// Also gives what is left of the header.
    fn split_with_header(token: &'a str) -> Result<(Self, Map<String, Value>), InvalidToken> {
        let (message, signature) = token.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(InvalidToken::Malformed)?;
        if payload.contains('.') || signature.is_empty() {
            return Err(InvalidToken::Malformed);
        }
        if decoded_len(header) > MAX_HEADER {
            return Err(InvalidToken::TooLarge);
        }
        let mut header = json::object(&decode(header)?)?;
        let algorithm = algorithm(&header)?;
        refuse_what_is_not_understood(&header)?;
        let kid = string(&mut header, "kid")?;
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(InvalidToken::TooLarge);
        }
        let signed = Self {
            message,
            signature: decode(signature)?,
            algorithm,
            kid,
            typ: string(&mut header, "typ")?,
            payload,
        };
        Ok((signed, header))
    }
}

/// The exact number of bytes that unpadded base64 of this length holds.
fn decoded_len(text: &str) -> usize {
    text.len().saturating_mul(3).checked_div(4).unwrap_or(0)
}

/// Unpadded and canonical: the engine refuses padding, whitespace and stray trailing bits.
fn decode(part: &str) -> Result<Vec<u8>, InvalidToken> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidToken::Malformed)
}

fn algorithm(header: &Map<String, Value>) -> Result<SignatureAlgorithm, InvalidToken> {
    header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(SignatureAlgorithm::from_name)
        .ok_or(InvalidToken::Algorithm)
}

fn refuse_what_is_not_understood(header: &Map<String, Value>) -> Result<(), InvalidToken> {
    // No extension is understood here, so whatever `crit` holds, the token must be refused
    // (RFC 7515 §4.1.11). `b64` must be listed in `crit` (RFC 7797 §6), but some signers forget.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(InvalidToken::CriticalHeader);
    }
    if header.contains_key("zip") || header.contains_key("enc") {
        return Err(InvalidToken::Malformed);
    }
    match header.get("cty") {
        None => Ok(()),
        Some(Value::String(cty))
            if !cty.eq_ignore_ascii_case("JWT") && !cty.eq_ignore_ascii_case("application/jwt") =>
        {
            Ok(())
        }
        Some(_) => Err(InvalidToken::TokenType),
    }
}

fn string(header: &mut Map<String, Value>, name: &str) -> Result<Option<String>, InvalidToken> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(InvalidToken::Malformed),
    }
}

impl From<InvalidJson> for InvalidToken {
    fn from(error: InvalidJson) -> Self {
        match error {
            InvalidJson::Malformed => Self::Malformed,
            InvalidJson::Duplicate => Self::DuplicateMember,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.{}", encode(header), encode(payload), encode("sig"))
    }

    fn refusal(token: &str) -> Option<InvalidToken> {
        Jws::decode(token, MAX_TOKEN).err()
    }

    const HEADER: &str = r#"{"alg":"ES256"}"#;

    #[test]
    fn a_plain_token_is_taken_apart() {
        let token = token(
            r#"{"typ":"JWT","kid":"k","alg":"RS256","x":1}"#,
            r#"{"a":1}"#,
        );
        let Jws {
            signed: jws,
            claims,
        } = Jws::decode(&token, MAX_TOKEN).ok().unwrap();
        assert_eq!(jws.algorithm, SignatureAlgorithm::RS256);
        assert_eq!(jws.kid.as_deref(), Some("k"));
        assert_eq!(jws.typ.as_deref(), Some("JWT"));
        assert_eq!(claims["a"], 1);
        assert_eq!(jws.signature, b"sig");
        assert_eq!(jws.message, token.rsplit_once('.').unwrap().0);
    }

    #[test]
    fn every_deviation_of_the_header_is_refused() {
        use InvalidToken::*;
        let long = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(257));
        for (header, expected) in [
            ("[]", Malformed),
            (r#""ES256""#, Malformed),
            (r#"["ES256","JWT"]"#, Malformed),
            (r#"{"alg":"ES256"}x"#, Malformed),
            (r#"{"alg":"ES256"}{}"#, Malformed),
            ("\u{feff}{\"alg\":\"ES256\"}", Malformed),
            (r#"{"alg":"ES256","kid":"\ud800"}"#, Malformed),
            (r#"{"alg":"ES256","alg":"ES256"}"#, DuplicateMember),
            (r#"{"alg":"ES256","\u0061lg":"none"}"#, DuplicateMember),
            (r#"{"alg":"ES256","x":{"y":1,"y":1}}"#, DuplicateMember),
            ("{}", Algorithm),
            (r#"{"alg":null}"#, Algorithm),
            (r#"{"alg":"none"}"#, Algorithm),
            (r#"{"alg":"NONE"}"#, Algorithm),
            (r#"{"alg":""}"#, Algorithm),
            (r#"{"alg":"HS256"}"#, Algorithm),
            (r#"{"alg":{"ES256":null}}"#, Algorithm),
            (r#"{"alg":["ES256"]}"#, Algorithm),
            (r#"{"alg":1}"#, Algorithm),
            (r#"{"ALG":"ES256"}"#, Algorithm),
            (r#"{"alg":"ES256","crit":[]}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":null}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":"exp"}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":["x"],"x":1}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":["x"]}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":["x","x"],"x":1}"#, CriticalHeader),
            (r#"{"alg":"ES256","crit":["alg"]}"#, CriticalHeader),
            (
                r#"{"alg":"ES256","crit":["b64"],"b64":true}"#,
                CriticalHeader,
            ),
            (r#"{"alg":"ES256","b64":false}"#, CriticalHeader),
            (r#"{"alg":"ES256","b64":true}"#, CriticalHeader),
            (r#"{"alg":"ES256","zip":"DEF"}"#, Malformed),
            (r#"{"alg":"ES256","enc":"A128GCM"}"#, Malformed),
            (r#"{"alg":"ES256","cty":"JWT"}"#, TokenType),
            (r#"{"alg":"ES256","cty":"application/jwt"}"#, TokenType),
            (r#"{"alg":"ES256","cty":1}"#, TokenType),
            (r#"{"alg":"ES256","kid":1}"#, Malformed),
            (r#"{"alg":"ES256","kid":null}"#, Malformed),
            (r#"{"alg":"ES256","typ":["at+jwt"]}"#, Malformed),
            (&long, TooLarge),
        ] {
            assert_eq!(refusal(&token(header, "{}")), Some(expected), "{header}");
        }
        let not_utf8 = format!("{}.{}.c2ln", encode(b"{\"alg\":\"\xff\"}"), encode("{}"));
        assert_eq!(refusal(&not_utf8), Some(Malformed));
    }

    #[test]
    fn every_deviation_of_the_payload_is_refused() {
        use InvalidToken::*;
        for (payload, expected) in [
            ("", Malformed),
            (r#"["https://as.example","alice"]"#, Malformed),
            ("{}{}", Malformed),
            (r#"{"scope":"a","scope":"b"}"#, DuplicateMember),
            (r#"{"sub":"a","s\u0075b":"a"}"#, DuplicateMember),
            (r#"{"cnf":{"jkt":"a","jkt":"b"}}"#, DuplicateMember),
        ] {
            assert_eq!(
                refusal(&token(HEADER, payload)),
                Some(expected),
                "{payload}"
            );
        }
    }

    #[test]
    fn only_three_parts_of_canonical_base64url_are_a_token() {
        let (h, p) = (encode(HEADER), encode("{}"));
        for text in [
            "".to_owned(),
            ".".to_owned(),
            "..".to_owned(),
            h.clone(),
            format!("{h}.{p}"),
            format!("{h}.{p}."),
            format!("{h}..c2ln"),
            format!(".{p}.c2ln"),
            format!("{h}.{p}.c2ln."),
            format!("{h}.{p}.c2ln.c2ln.c2ln"),
            format!("{h}.{p}.c2ln\n"),
            format!(" {h}.{p}.c2ln"),
            format!("{h}.{p}.c2ln="),
            format!("{h}.{p}.c2k="),
            format!("{h}.{p}.c2l"), // "si" with stray trailing bits; canonical is c2k
            format!("{h}.{p}.c"),
            format!("{h}.{p}.+/+/"),
            format!("{h}.{p}=.c2ln"),
            format!("{h}\u{e9}.{p}.c2ln"),
            r#"{"payload":"e30","protected":"e30","signature":"c2ln"}"#.to_owned(),
        ] {
            assert_eq!(refusal(&text), Some(InvalidToken::Malformed), "{text}");
        }
        assert_eq!(refusal(&format!("{h}.{p}.c2k")), None);
    }

    #[test]
    fn limits_hold_at_exactly_their_value() {
        let sized = |n: usize| format!(r#"{{"alg":"ES256","x":"{}"}}"#, "x".repeat(n - 22));
        for extra in 0..4 {
            assert_eq!(sized(4096 + extra).len(), 4096 + extra);
            let expected = (extra > 0).then_some(InvalidToken::TooLarge);
            assert_eq!(refusal(&token(&sized(4096 + extra), "{}")), expected);
        }
        let kid = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(256));
        assert_eq!(refusal(&token(&kid, "{}")), None);
        let short = token(HEADER, "{}");
        assert!(Jws::decode(&short, short.len()).is_ok());
        assert_eq!(
            Jws::decode(&short, short.len() - 1).err(),
            Some(InvalidToken::TooLarge)
        );
        assert_eq!(
            refusal(&"x".repeat(MAX_TOKEN + 1)),
            Some(InvalidToken::TooLarge)
        );
    }

    #[test]
    fn only_access_tokens_pass_for_access_tokens() {
        use TokenType::{Compatible, Rfc9068};
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert_eq!(Compatible.check(Some(typ)), Ok(()));
            assert_eq!(Rfc9068.check(Some(typ)), Ok(()));
        }
        for typ in [Some("JWT"), Some("jwt"), None] {
            assert_eq!(Compatible.check(typ), Ok(()));
            assert_eq!(Rfc9068.check(typ), Err(InvalidToken::TokenType));
        }
        for typ in [
            "",
            "id_token+jwt",
            "logout+jwt",
            "secevent+jwt",
            "dpop+jwt",
            "client-authentication+jwt",
            "oauth-authz-req+jwt",
            "oauth-id-jag+jwt",
            "token-introspection+jwt",
            "jose",
            "at+jwt ",
            "xat+jwt",
            "application/jwt",
            "text/at+jwt",
            "vc+sd-jwt",
        ] {
            for mode in [Compatible, Rfc9068] {
                assert_eq!(mode.check(Some(typ)), Err(InvalidToken::TokenType), "{typ}");
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_text_makes_the_parser_panic_or_accept_two_spellings(
            header in "\\{\"alg\":\"(ES256|none|x)\"(,\"[a-z]{1,4}\":[0-9\\[{\"]{0,3})?\\}?",
            payload in ".{0,20}",
            noise in "[A-Za-z0-9._=+/ -]{0,60}",
        ) {
            let _ = refusal(&noise);
            let token = token(&header, &payload);
            if Jws::decode(&token, MAX_TOKEN).is_ok() {
                for other in [format!("{token}="), format!("{token}\n"), format!(" {token}"), token.replace('.', "..")] {
                    assert_eq!(refusal(&other), Some(InvalidToken::Malformed));
                }
            }
        }
    }
}
