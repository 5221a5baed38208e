//! Whole tokens, signed with a good key, so that only what the test names is wrong.

use std::{sync::Mutex, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm as Jwa, EncodingKey, crypto::aws_lc::DEFAULT_PROVIDER, signature::Signer,
};
use serde_json::{Value, json};

use super::{
    super::{
        builder::JwtVerifierBuilder,
        clock::Clock,
        issuer::Issuers,
        jose::TokenType,
        source::{KeyLookup, StaticKeys},
        test_issuer::{Mode, TestIssuer},
    },
    *,
};
use crate::testkit::SigningKey;

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example/mcp";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 300, "iat": NOW,
        "client_id": "app", "jti": "1", "scope": "a b",
    })
}

fn key(algorithm: Jwa) -> SigningKey {
    SigningKey::generate(algorithm)
}

fn builder(keys: &[Value]) -> JwtVerifierBuilder {
    JwtVerifier::new(ISSUER, AUDIENCE)
        .keys(StaticKeys::from_value(&json!({ "keys": keys })).unwrap())
        .clock(Clock::manual(NOW))
}

fn verifier(keys: &[&SigningKey]) -> JwtVerifier {
    let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk().clone()).collect();
    builder(&keys).build().unwrap()
}

async fn refusal(verifier: &impl Verifier, token: &str) -> Option<InvalidToken> {
    match verifier.verify(token).await {
        Ok(_) => None,
        Err(VerifyError::Invalid(reason)) => Some(reason),
        Err(other) => panic!("{other}"),
    }
}

/// A token of `key` whose header has further members.
fn with_header(key: &SigningKey, members: &Value) -> String {
    let mut header =
        json!({"typ": "at+jwt", "alg": format!("{:?}", key.algorithm()), "kid": key.kid()});
    for (name, value) in members.as_object().unwrap() {
        header[name] = value.clone();
    }
    key.sign_parts(
        header.to_string().as_bytes(),
        claims().to_string().as_bytes(),
    )
}

#[tokio::test]
async fn a_good_token_of_every_default_algorithm_is_accepted() {
    for algorithm in [Jwa::RS256, Jwa::ES256, Jwa::EdDSA] {
        let key = key(algorithm);
        let token = verifier(&[&key])
            .verify(&key.sign(&claims()))
            .await
            .unwrap();
        assert!(format!("{token:?}").contains("alice"));
    }
}

#[tokio::test]
async fn a_signed_token_with_a_deviating_structure_is_refused() {
    use InvalidToken::*;
    let key = key(Jwa::ES256);
    let verifier = verifier(&[&key]);
    let good = claims().to_string();
    let kid = key.kid();
    let header = format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#);
    assert_eq!(
        refusal(
            &verifier,
            &key.sign_parts(header.as_bytes(), good.as_bytes())
        )
        .await,
        None
    );
    for (header, expected) in [
        (
            format!(r#"{{"alg":{{"ES256":null}},"kid":"{kid}"}}"#),
            Algorithm,
        ),
        (format!(r#"{{"alg":"none","kid":"{kid}"}}"#), Algorithm),
        (format!(r#"{{"alg":"nOnE","kid":"{kid}"}}"#), Algorithm),
        (format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), Algorithm),
        (format!(r#"{{"alg":"RS384","kid":"{kid}"}}"#), Algorithm),
        (format!(r#"{{"alg":"ES384","kid":"{kid}"}}"#), Key),
        (format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#), Key),
        (format!(r#"["ES256","{kid}"]"#), Malformed),
        (format!(r#"{header} "#).replace('}', "},"), Malformed),
        (format!("\u{feff}{header}"), Malformed),
        (format!("{header}{header}"), Malformed),
        (
            header.replace("\"kid\"", r#""\u0061lg":"ES256","kid""#),
            DuplicateMember,
        ),
        (header.replace(kid, "other"), Key),
        (header.replace(kid, &kid.to_uppercase()), Key),
        (header.replace(kid, "../../etc/passwd"), Key),
    ] {
        let token = key.sign_parts(header.as_bytes(), good.as_bytes());
        assert_eq!(refusal(&verifier, &token).await, Some(expected), "{header}");
    }
    for (payload, expected) in [
        (format!("[{good}]"), Malformed),
        (format!("{good}{good}"), Malformed),
        (format!("\u{feff}{good}"), Malformed),
        (
            good.replace("\"sub\"", r#""s\u0075b":"bob","sub""#),
            DuplicateMember,
        ),
        (
            good.replace("\"sub\"", r#""x":{"y":1,"y":2},"sub""#),
            DuplicateMember,
        ),
        (good.replace("alice", r"\ud800"), Malformed),
        (
            good.replace("\"exp\":", "\"exp\":1e400,\"was\":"),
            Malformed,
        ),
    ] {
        let token = key.sign_parts(header.as_bytes(), payload.as_bytes());
        assert_eq!(
            refusal(&verifier, &token).await,
            Some(expected),
            "{payload}"
        );
    }
}

#[tokio::test]
async fn a_signed_token_with_a_header_that_is_not_understood_is_refused() {
    use InvalidToken::{CriticalHeader, Malformed, TokenType};
    let key = key(Jwa::ES256);
    let verifier = verifier(&[&key]);
    for (members, expected) in [
        (json!({"crit": ["exp"], "exp": 1}), CriticalHeader),
        (json!({"crit": []}), CriticalHeader),
        (json!({"crit": ["b64"], "b64": false}), CriticalHeader),
        (json!({"b64": true}), CriticalHeader),
        (json!({"zip": "DEF"}), Malformed),
        (json!({"enc": "A128GCM"}), Malformed),
        (json!({"cty": "JWT"}), TokenType),
        (json!({"typ": "dpop+jwt"}), TokenType),
        (json!({"typ": "logout+jwt"}), TokenType),
        (json!({"typ": 1}), Malformed),
    ] {
        let token = with_header(&key, &members);
        assert_eq!(
            refusal(&verifier, &token).await,
            Some(expected),
            "{members}"
        );
    }
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_never_used_or_fetched() {
    let issuer = TestIssuer::start(Mode::Down).await;
    let (ours, theirs) = (key(Jwa::ES256), key(Jwa::ES256));
    let verifier = verifier(&[&ours]);
    let url = issuer.keys_url();
    for members in [
        json!({"jwk": theirs.public_jwk()}),
        json!({"jku": url}),
        json!({"x5u": url}),
        json!({"x5c": ["AA=="]}),
    ] {
        assert_eq!(
            refusal(&verifier, &with_header(&theirs, &members)).await,
            Some(InvalidToken::Key)
        );
        let mut named = members.clone();
        named["kid"] = json!(ours.kid());
        assert_eq!(
            refusal(&verifier, &with_header(&theirs, &named)).await,
            Some(InvalidToken::Signature)
        );
        assert_eq!(
            refusal(&verifier, &with_header(&ours, &members)).await,
            None
        );
    }
    assert_eq!(issuer.key_fetches(), 0);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let rsa = key(Jwa::RS256);
    let jwk = rsa.public_jwk();
    let verifier = verifier(&[&rsa]);
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": rsa.kid()}).to_string());
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims().to_string()));
    for secret in [
        part("n"),
        part("e"),
        jwk.to_string().into_bytes(),
        jwk["n"].as_str().unwrap().into(),
    ] {
        let secret = EncodingKey::from_secret(&secret);
        let signer = (DEFAULT_PROVIDER.signer_factory)(&Jwa::HS256, &secret).unwrap();
        let signature = Signer::try_sign(&*signer, message.as_bytes()).unwrap();
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(
            refusal(&verifier, &token).await,
            Some(InvalidToken::Algorithm)
        );
    }
}

#[tokio::test]
async fn another_spelling_of_a_good_token_is_refused() {
    let key = key(Jwa::ES256);
    let verifier = verifier(&[&key]);
    let token = key.sign(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    // 64 bytes leave four unused bits in the last character; A becomes B.
    let (rest, last) = signature.split_at(signature.len() - 1);
    let stray = char::from(last.as_bytes()[0] + 1);
    for other in [
        format!("{token}="),
        format!("{token}=="),
        format!("{token}\n"),
        format!("{token} "),
        format!(" {token}"),
        format!("{message}.{rest}{stray}"),
        format!("{message}."),
        message.to_owned(),
        format!("{header}==.{payload}.{signature}"),
        format!("{header}.{payload}\u{0}.{signature}"),
        format!("{message}.{}\n{}", &signature[..40], &signature[40..]),
        format!("{token}.{signature}"),
        format!("{token}.e30.e30"),
    ] {
        assert_eq!(
            refusal(&verifier, &other).await,
            Some(InvalidToken::Malformed),
            "{other}"
        );
    }
}

#[tokio::test]
async fn a_wrong_signature_is_refused_before_the_claims_mean_anything() {
    let (ours, theirs) = (key(Jwa::ES256), key(Jwa::ES256));
    let verifier = verifier(&[&ours]);
    let mut forged = claims();
    forged["exp"] = json!(1);
    forged["aud"] = json!("https://other.example");
    let header = json!({"alg": "ES256", "kid": ours.kid()}).to_string();
    let token = theirs.sign_parts(header.as_bytes(), forged.to_string().as_bytes());
    assert_eq!(
        refusal(&verifier, &token).await,
        Some(InvalidToken::Signature)
    );
    let token = ours.sign(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut der = vec![0x30, 68, 2, 32];
    der.extend_from_slice(&raw[..32]);
    der.extend_from_slice(&[2, 32]);
    der.extend_from_slice(&raw[32..]);
    for bytes in [
        vec![0; 64],
        raw[..63].to_vec(),
        [&raw[..], &[0]].concat(),
        der,
        vec![1],
        vec![0xff; 64],
    ] {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(
            refusal(&verifier, &token).await,
            Some(InvalidToken::Signature)
        );
    }
    let (header, _) = message.split_once('.').unwrap();
    forged["exp"] = json!(NOW + 300);
    let swapped = format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(forged.to_string())
    );
    assert_eq!(
        refusal(&verifier, &swapped).await,
        Some(InvalidToken::Signature)
    );
}

#[tokio::test]
async fn the_claims_of_a_signed_token_are_checked() {
    use InvalidToken::*;
    let key = key(Jwa::EdDSA);
    let verifier = verifier(&[&key]);
    for (claim, value, expected) in [
        ("iss", json!("https://as.example/"), Issuer),
        ("iss", json!([ISSUER]), Claim("iss")),
        ("aud", json!("https://other.example"), Audience),
        ("aud", json!(1), Claim("aud")),
        ("exp", json!(NOW - 60), Expired),
        ("exp", json!("9999999999"), Claim("exp")),
        ("nbf", json!(NOW + 61), NotYetValid),
        ("nbf", json!("x"), Claim("nbf")),
        ("iat", json!(NOW + 61), NotYetValid),
        ("sub", json!(""), Claim("sub")),
        ("scope", json!(["a"]), Claim("scope")),
        ("cnf", json!({"jkt": "x"}), Claim("cnf")),
        ("cnf", json!({"jwk": {}}), Unproven),
    ] {
        let mut claims = claims();
        claims[claim] = value.clone();
        assert_eq!(
            refusal(&verifier, &key.sign(&claims)).await,
            Some(expected),
            "{claim} {value}"
        );
    }
}

#[tokio::test]
async fn settings_of_the_builder_take_effect() {
    let key = key(Jwa::EdDSA);
    let jwk = [key.public_jwk().clone()];
    let token = key.sign(&claims());
    let only = |algorithm| builder(&jwk).algorithms([algorithm]).build().unwrap();
    assert_eq!(
        refusal(&only(SignatureAlgorithm::EdDSA), &token).await,
        None
    );
    assert_eq!(
        refusal(&only(SignatureAlgorithm::ES256), &token).await,
        Some(InvalidToken::Algorithm)
    );
    let strict = builder(&jwk)
        .token_type(TokenType::Rfc9068)
        .build()
        .unwrap();
    assert_eq!(refusal(&strict, &token).await, None);
    assert_eq!(
        refusal(&strict, &with_header(&key, &json!({"typ": "JWT"}))).await,
        Some(InvalidToken::TokenType)
    );
    let short = builder(&jwk)
        .max_token_lifetime(Duration::from_secs(299))
        .build()
        .unwrap();
    assert_eq!(refusal(&short, &token).await, Some(InvalidToken::Lifetime));
    let small = builder(&jwk)
        .max_token_bytes(token.len() - 1)
        .build()
        .unwrap();
    assert_eq!(refusal(&small, &token).await, Some(InvalidToken::TooLarge));
    let mut other = claims();
    other["aud"] = json!("api://notes");
    let alias = builder(&jwk).audience_alias("api://notes").build().unwrap();
    assert_eq!(refusal(&alias, &key.sign(&other)).await, None);
    assert_eq!(refusal(&alias, &token).await, None);
    let clock = Clock::manual(NOW);
    let exact = builder(&jwk)
        .leeway(Duration::ZERO)
        .clock(clock.clone())
        .build()
        .unwrap();
    clock.advance(Duration::from_secs(299));
    assert_eq!(refusal(&exact, &token).await, None);
    clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(&exact, &token).await, Some(InvalidToken::Expired));
}

#[tokio::test]
async fn each_of_several_issuers_keeps_its_own_limit() {
    let key = key(Jwa::EdDSA);
    let jwk = [key.public_jwk().clone()];
    let small = builder(&jwk).max_token_bytes(100).build().unwrap();
    let large = JwtVerifier::new("https://b.example", AUDIENCE)
        .build()
        .unwrap();
    let issuers = Issuers::new([small, large]).unwrap();
    for token in [key.sign(&claims()), "x".repeat(16 * 1024 + 1)] {
        let refusal = refusal(&issuers, &token).await;
        assert_eq!(refusal, Some(InvalidToken::TooLarge));
    }
}

/// Counts look-ups.
struct Counting(StaticKeys, Mutex<usize>);

impl KeySource for Counting {
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a> {
        *self.1.lock().unwrap() += 1;
        self.0.key(kid, algorithm)
    }
}

#[tokio::test]
async fn an_issuer_is_verified_with_its_own_keys_only_and_an_unknown_one_with_none() {
    let (a, b) = (key(Jwa::ES256), key(Jwa::ES256));
    let set = |key: &SigningKey| {
        let mut jwk = key.public_jwk().clone();
        jwk["kid"] = json!("same");
        let keys = StaticKeys::from_value(&json!({"keys": [jwk]})).unwrap();
        std::sync::Arc::new(Counting(keys, Mutex::new(0)))
    };
    let (keys_a, keys_b) = (set(&a), set(&b));
    let of = |issuer: &str, keys: &std::sync::Arc<Counting>| {
        JwtVerifier::new(issuer, AUDIENCE)
            .keys(std::sync::Arc::clone(keys))
            .clock(Clock::manual(NOW))
            .build()
            .unwrap()
    };
    let issuers = Issuers::new([
        of("https://a.example", &keys_a),
        of("https://b.example", &keys_b),
    ])
    .unwrap();
    let token = |key: &SigningKey, issuer: &Value| {
        let mut claims = claims();
        claims["iss"] = issuer.clone();
        key.sign_parts(
            br#"{"alg":"ES256","kid":"same"}"#,
            claims.to_string().as_bytes(),
        )
    };
    for (key, issuer, expected) in [
        (&a, "https://a.example", None),
        (&b, "https://b.example", None),
        (&a, "https://b.example", Some(InvalidToken::Signature)),
        (&b, "https://a.example", Some(InvalidToken::Signature)),
    ] {
        assert_eq!(
            refusal(&issuers, &token(key, &json!(issuer))).await,
            expected
        );
    }
    let looked_up = || (*keys_a.1.lock().unwrap(), *keys_b.1.lock().unwrap());
    assert_eq!(looked_up(), (2, 2));
    for issuer in [
        "https://c.example",
        "https://a.example/",
        "https://A.example",
        "",
    ] {
        assert_eq!(
            refusal(&issuers, &token(&a, &json!(issuer))).await,
            Some(InvalidToken::Issuer)
        );
    }
    for issuer in [json!(["https://a.example"]), json!(null), json!(1)] {
        assert_eq!(
            refusal(&issuers, &token(&a, &issuer)).await,
            Some(InvalidToken::Claim("iss"))
        );
    }
    let alone = of("https://a.example", &keys_a);
    let foreign = token(&a, &json!("https://b.example"));
    assert_eq!(refusal(&alone, &foreign).await, Some(InvalidToken::Issuer));
    assert_eq!(
        looked_up(),
        (2, 2),
        "no key was looked up for an unknown issuer"
    );
    assert!(issuers.ready().await.is_ok());
    assert!(Issuers::new([]).is_err());
    assert!(
        Issuers::new([
            of("https://a.example", &keys_a),
            of("https://a.example", &keys_b)
        ])
        .is_err()
    );
}

#[tokio::test]
async fn a_discovered_issuer_serves_its_keys_and_its_absence_is_not_the_tokens_fault() {
    let key = key(Jwa::ES256);
    let issuer = TestIssuer::start(Mode::Keys(vec![key.public_jwk().clone()], "")).await;
    let clock = Clock::manual(NOW);
    let build = || {
        JwtVerifier::new(&*issuer.url, AUDIENCE)
            .clock(clock.clone())
            .build()
            .unwrap()
    };
    let verifier = build();
    let mut claims = claims();
    claims["iss"] = json!(issuer.url);
    let token = key.sign(&claims);
    assert!(verifier.metadata().is_none());
    assert!(verifier.ready().await.is_ok());
    assert!(verifier.metadata().is_some());
    assert_eq!(refusal(&verifier, &token).await, None);
    issuer.set(Mode::Down);
    let late = build();
    for _ in 0..2 {
        assert!(matches!(
            late.verify(&token).await,
            Err(VerifyError::Unavailable { .. })
        ));
        assert!(matches!(
            late.ready().await,
            Err(VerifyError::Unavailable { .. })
        ));
    }
    // What needs no key is still known to be bad.
    assert_eq!(refusal(&late, "x.y.z").await, Some(InvalidToken::Malformed));
}

#[tokio::test]
async fn nothing_of_a_token_is_in_an_error() {
    let key = key(Jwa::ES256);
    let verifier = verifier(&[&key]);
    let marker = "MARKER\r\nSet-Cookie";
    let mut tokens = vec![marker.to_owned(), format!("{marker}.{marker}.{marker}")];
    for name in ["alg", "kid", "typ", "crit", "zip"] {
        tokens.push(with_header(&key, &json!({name: marker})));
    }
    for claim in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "scope",
        "client_id",
        "jti",
        "cnf",
    ] {
        let mut claims = claims();
        claims[claim] = json!(marker);
        tokens.push(key.sign(&claims));
    }
    for token in tokens {
        let error = verifier.verify(&token).await.unwrap_err();
        let text = format!("{error} {error:?} {verifier:?}");
        assert!(
            !text.contains("MARKER") && !text.contains(&token[..12]),
            "{text}"
        );
    }
}
