use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Value, json};

use super::*;
use crate::{
    testkit::{ProofBuilder, SigningKey},
    verify::dpop::{Dpop, replay::MemoryReplayStore},
};

const URL: &str = "https://notes.example.com/mcp";
const TOKEN: &str = "header.payload.signature";
const NOW: u64 = 1_700_000_000;

fn dpop() -> Dpop {
    Dpop::new().clock(Clock::manual(NOW))
}

fn verifier() -> ProofVerifier {
    dpop().build(URL).unwrap()
}

fn proof(key: &SigningKey) -> ProofBuilder {
    key.dpop_proof("POST", URL)
        .access_token(TOKEN)
        .issued_at(NOW)
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

async fn check(verifier: &ProofVerifier, jkt: &str, proof: &str) -> Result<(), ProofError> {
    let proving = Proving {
        method: "POST",
        token: Some(TOKEN),
        jkt: Some(jkt),
    };
    let thumbprint = verifier.check(&[proof.as_bytes()], proving).await?;
    assert_eq!(thumbprint, jkt);
    Ok(())
}

/// What refused a proof that `key` signed, at a verifier that has seen nothing yet.
async fn refusal(key: &SigningKey, proof: &str) -> Option<InvalidProof> {
    match check(&verifier(), &key.thumbprint(), proof).await {
        Ok(()) => None,
        Err(ProofError::Invalid(invalid)) => Some(invalid),
        Err(other) => panic!("{other}"),
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signed by `key`, with exactly this header and payload.
fn raw(key: &SigningKey, header: &str, payload: &str) -> String {
    key.sign_parts(header.as_bytes(), payload.as_bytes())
}

fn parts(proof: &str) -> (String, String) {
    let decoded = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let mut parts = proof.split('.');
    (
        decoded(parts.next().unwrap()),
        decoded(parts.next().unwrap()),
    )
}

#[tokio::test]
async fn a_good_proof_is_accepted_with_each_algorithm_that_is_configured() {
    use SignatureAlgorithm::{ES256, EdDSA, RS256};
    for (algorithm, ours) in [
        (Algorithm::ES256, ES256),
        (Algorithm::EdDSA, EdDSA),
        (Algorithm::RS256, RS256),
    ] {
        let key = SigningKey::generate(algorithm);
        let only = dpop().algorithms([ours]).build(URL).unwrap();
        let jkt = key.thumbprint();
        assert_eq!(check(&only, &jkt, &proof(&key).sign()).await, Ok(()));
        let others = [ES256, EdDSA, RS256].into_iter().filter(|a| *a != ours);
        let without = dpop().algorithms(others).build(URL).unwrap();
        assert_eq!(
            check(&without, &jkt, &proof(&key).sign()).await,
            Err(InvalidProof::Algorithm.into())
        );
    }
    let rsa = SigningKey::generate(Algorithm::RS256);
    assert_eq!(
        refusal(&rsa, &proof(&rsa).sign()).await,
        Some(InvalidProof::Algorithm),
        "RSA is not among the defaults"
    );
}

#[tokio::test]
async fn there_is_exactly_one_proof() {
    let key = key();
    let (one, two) = (proof(&key).sign(), proof(&key).sign());
    let verifier = verifier();
    let proving = Proving {
        method: "POST",
        token: Some(TOKEN),
        jkt: None,
    };
    for (headers, expected) in [
        (vec![], InvalidProof::Missing),
        (vec![one.as_bytes(), two.as_bytes()], InvalidProof::Repeated),
        (vec![one.as_bytes(), one.as_bytes()], InvalidProof::Repeated),
        (vec![one.as_bytes(), b""], InvalidProof::Repeated),
        (vec![b""], InvalidToken::Malformed.into()),
        (vec![b"\xff"], InvalidToken::Malformed.into()),
    ] {
        assert_eq!(
            verifier.check(&headers, proving).await,
            Err(expected.into())
        );
    }
    let joined = format!("{one},{two}");
    assert_eq!(
        refusal(&key, &joined).await,
        Some(InvalidToken::Malformed.into())
    );
}

#[tokio::test]
async fn a_proof_is_one_well_formed_token() {
    use InvalidToken::{Algorithm, CriticalHeader, DuplicateMember, Malformed, TooLarge};
    let key = key();
    let good = proof(&key).sign();
    let (header, payload) = parts(&good);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let twice = header.replacen('{', r#"{"typ":"dpop+jwt","#, 1);
    let escaped = header.replacen('{', r#"{"\u0074yp":"dpop+jwt","#, 1);
    let inner = header.replacen(r#""kty""#, r#""kty":"EC","kty""#, 1);
    let claims = payload.replacen('{', r#"{"htm":"POST","#, 1);
    for (proof, expected) in [
        (raw(&key, &twice, &payload), DuplicateMember),
        (raw(&key, &escaped, &payload), DuplicateMember),
        (raw(&key, &inner, &payload), DuplicateMember),
        (raw(&key, &header, &claims), DuplicateMember),
        (raw(&key, &header, &format!("{payload}x")), Malformed),
        (raw(&key, &header, &format!("[{payload}]")), Malformed),
        (raw(&key, &format!("[{header}]"), &payload), Malformed),
        (
            raw(&key, &header, &format!("\u{feff}{payload}")),
            Malformed,
        ),
        (proof(&key).header("crit", json!(["x"])).sign(), CriticalHeader),
        (proof(&key).header("b64", false).sign(), CriticalHeader),
        (proof(&key).header("zip", "DEF").sign(), Malformed),
        (proof(&key).header("enc", "A128GCM").sign(), Malformed),
        (proof(&key).header("cty", "JWT").sign(), InvalidToken::TokenType),
        (proof(&key).header("alg", "none").sign(), Algorithm),
        (proof(&key).header("alg", "HS256").sign(), Algorithm),
        (proof(&key).header("alg", json!({"ES256": null})).sign(), Algorithm),
        (proof(&key).header("alg", Value::Null).sign(), Algorithm),
        (proof(&key).header("x", "x".repeat(5000)).sign(), TooLarge),
        (proof(&key).claim("x", "x".repeat(9000)).sign(), TooLarge),
        (format!("{message}."), Malformed),
        (message.to_owned(), Malformed),
        (format!("{good}="), Malformed),
        (format!("{good} "), Malformed),
        (format!("{good}.x"), Malformed),
        (
            json!({"protected": encode(&header), "payload": encode(&payload), "signature": signature})
                .to_string(),
            Malformed,
        ),
    ] {
        assert_eq!(refusal(&key, &proof).await, Some(expected.into()), "{proof}");
    }
    assert_eq!(refusal(&key, &good).await, None);
}

#[tokio::test]
async fn the_type_is_dpop_jwt_and_nothing_else() {
    let key = key();
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("DPoP+JWT"),
        json!("application/dpop+jwt"),
        json!("dpop+jwt "),
        json!(""),
        json!(null),
    ] {
        let proof = proof(&key).header("typ", typ.clone()).sign();
        assert_eq!(refusal(&key, &proof).await, Some(InvalidProof::Type));
    }
    let list = proof(&key).header("typ", json!(["dpop+jwt"])).sign();
    assert_eq!(
        refusal(&key, &list).await,
        Some(InvalidToken::Malformed.into())
    );
}

#[tokio::test]
async fn the_key_is_in_the_proof_public_and_admissible() {
    let key = key();
    let jwk = key.public_jwk().clone();
    let changed = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    for bad in [
        json!(null),
        json!("x"),
        json!([jwk]),
        json!({}),
        json!({"keys": [jwk]}),
        changed("d", json!(encode([7; 32]))),
        changed("k", json!("AA")),
        changed("use", json!("enc")),
        changed("key_ops", json!(["sign"])),
        changed("alg", json!("RS256")),
        changed("alg", json!("EdDSA")),
        changed("kty", json!("oct")),
        changed("kty", json!("OKP")),
        changed("crv", json!("P-384")),
        changed("y", jwk["x"].clone()),
        changed("x", json!(encode([&[0][..], &x].concat()))),
        changed("x", json!(format!("{}=", encode(&x)))),
        changed("kid", json!(1)),
    ] {
        let proof = proof(&key).header("jwk", bad.clone()).sign();
        assert_eq!(
            refusal(&key, &proof).await,
            Some(InvalidProof::Key),
            "{bad}"
        );
    }
    // A point of small order, with which any signature verifies.
    let okp = SigningKey::generate(Algorithm::EdDSA);
    let mut small = okp.public_jwk().clone();
    small["x"] = json!(encode([0; 32]));
    let small = proof(&okp).header("jwk", small).sign();
    assert_eq!(refusal(&okp, &small).await, Some(InvalidProof::Key));
    // Names of keys elsewhere are not looked at.
    for name in ["jku", "x5u", "x5c", "kid"] {
        let proof = proof(&key)
            .header(name, "https://evil.example")
            .header("jwk", Value::Null)
            .sign();
        assert_eq!(refusal(&key, &proof).await, Some(InvalidProof::Key));
    }
}

#[tokio::test]
async fn the_signature_is_that_of_the_key_in_the_proof() {
    let (key, other) = (key(), key());
    let borrowed = proof(&key).key(other.clone()).sign();
    assert_eq!(
        refusal(&key, &borrowed).await,
        Some(InvalidToken::Signature.into())
    );
    let good = proof(&key).sign();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bytes[10] ^= 1;
    for forged in [
        encode(&bytes),
        encode([0; 64]),
        encode(&bytes[1..]),
        encode("x"),
    ] {
        let forged = format!("{message}.{forged}");
        assert_eq!(
            refusal(&key, &forged).await,
            Some(InvalidToken::Signature.into())
        );
    }
    // A good proof of a key that the token is not bound to.
    assert_eq!(
        check(&verifier(), &key.thumbprint(), &proof(&other).sign()).await,
        Err(ProofError::OtherKey)
    );
    assert_eq!(refusal(&key, &good).await, None);
}

#[tokio::test]
async fn each_claim_is_there_and_says_what_was_asked() {
    let key = key();
    let missing = |name| Some(InvalidToken::Claim(name).into());
    for name in ["htm", "htu", "ath", "jti", "iat"] {
        let proof_without = proof(&key).without(name).sign();
        assert_eq!(refusal(&key, &proof_without).await, missing(name));
        for value in [json!(null), json!([]), json!({}), json!(true)] {
            let proof = proof(&key).claim(name, value.clone()).sign();
            assert_eq!(refusal(&key, &proof).await, missing(name), "{name} {value}");
        }
    }
    use InvalidProof::{Method, Target, Token};
    for (name, value, expected) in [
        ("htm", json!(1), missing("htm")),
        ("htm", json!(""), Some(Method)),
        ("htm", json!("post"), Some(Method)),
        ("htm", json!("GET"), Some(Method)),
        ("htm", json!("POST "), Some(Method)),
        ("htu", json!(1), missing("htu")),
        ("htu", json!(""), Some(Target)),
        ("htu", json!("/mcp"), Some(Target)),
        ("htu", json!("http://notes.example.com/mcp"), Some(Target)),
        ("htu", json!("https://notes.example.com/"), Some(Target)),
        ("htu", json!("https://notes.example.com/mcp/"), Some(Target)),
        ("htu", json!("https://notes.example.com/MCP"), Some(Target)),
        ("htu", json!("https://evil.example/mcp"), Some(Target)),
        (
            "htu",
            json!("https://notes.example.com:8443/mcp"),
            Some(Target),
        ),
        (
            "htu",
            json!("HTTPS://Notes.Example.com:443/mcp?a=b#c"),
            None,
        ),
        ("ath", json!(""), Some(Token)),
        ("ath", json!(TOKEN), Some(Token)),
        ("ath", json!(encode(sha256(b"other"))), Some(Token)),
        (
            "ath",
            json!(encode(sha256(TOKEN.as_bytes())) + "="),
            Some(Token),
        ),
        ("jti", json!(1), missing("jti")),
        ("jti", json!(""), missing("jti")),
        ("jti", json!("j".repeat(257)), missing("jti")),
        ("jti", json!("j".repeat(256)), None),
        ("iat", json!(NOW.to_string()), missing("iat")),
        ("iat", json!(-1), missing("iat")),
        ("iat", json!(1e300), missing("iat")),
        ("nonce", json!(1), missing("nonce")),
        ("nonce", json!(null), missing("nonce")),
        ("nonce", json!("not asked for"), None),
    ] {
        let proof = proof(&key).claim(name, value.clone()).sign();
        assert_eq!(refusal(&key, &proof).await, expected, "{name} {value}");
    }
}

#[tokio::test]
async fn the_window_holds_to_the_second_in_both_directions() {
    let key = key();
    let now = NOW as f64;
    for window in [1, 60, 300] {
        let edge = window as f64;
        for (iat, accepted) in [
            (now, true),
            (now - edge, true),
            (now - edge - 0.5, false),
            (now - edge - 1.0, false),
            (now + edge, true),
            (now + edge + 0.5, false),
            (now + edge + 1.0, false),
            (0.0, false),
            (253_402_300_799.0, false),
        ] {
            let verifier = dpop().window(Duration::from_secs(window));
            let verifier = verifier.build(URL).unwrap();
            let proof = proof(&key).claim("iat", iat).sign();
            let found = check(&verifier, &key.thumbprint(), &proof).await;
            let expected = if accepted {
                Ok(())
            } else {
                Err(InvalidProof::Time.into())
            };
            assert_eq!(found, expected, "{window} {iat}");
        }
    }
    let far = dpop().clock(Clock::manual(u64::MAX)).build(URL).unwrap();
    assert_eq!(
        check(&far, &key.thumbprint(), &proof(&key).sign()).await,
        Err(InvalidProof::Time.into())
    );
}

#[tokio::test]
async fn a_proof_is_used_once_for_as_long_as_it_could_be_used_again() {
    let key = key();
    let jkt = key.thumbprint();
    for ahead in [0, 30, 60] {
        let clock = Clock::manual(NOW);
        let verifier = Dpop::new().clock(clock.clone()).build(URL).unwrap();
        let proof = proof(&key).issued_at(NOW + ahead).sign();
        assert_eq!(check(&verifier, &jkt, &proof).await, Ok(()));
        for _ in 0..=60 + ahead {
            assert_eq!(
                check(&verifier, &jkt, &proof).await,
                Err(InvalidProof::Replayed.into())
            );
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(
            check(&verifier, &jkt, &proof).await,
            Err(InvalidProof::Time.into())
        );
    }
}

#[tokio::test]
async fn a_proof_is_named_by_its_key_and_jti_whatever_else_it_says() {
    let (key, other) = (key(), key());
    let verifier = verifier();
    let same = |key: &SigningKey| proof(key).claim("jti", "same");
    let jkt = key.thumbprint();
    assert_eq!(check(&verifier, &jkt, &same(&key).sign()).await, Ok(()));
    assert_eq!(
        check(&verifier, &jkt, &same(&key).issued_at(NOW + 1).sign()).await,
        Err(InvalidProof::Replayed.into())
    );
    let elsewhere = check(&verifier, &other.thumbprint(), &same(&other).sign()).await;
    assert_eq!(elsewhere, Ok(()), "names are each key's own");
}

#[tokio::test]
async fn a_refused_proof_takes_no_place_and_a_full_store_refuses() {
    let key = key();
    let jkt = key.thumbprint();
    let store = MemoryReplayStore::new().limits(1, 1);
    let verifier = dpop().replay_store(store).build(URL).unwrap();
    let bad = proof(&key).claim("jti", "x").claim("htm", "GET").sign();
    assert!(check(&verifier, &jkt, &bad).await.is_err());
    let strange = proof(&self::key()).sign();
    assert!(check(&verifier, &jkt, &strange).await.is_err());
    let good = proof(&key).claim("jti", "x").sign();
    assert_eq!(check(&verifier, &jkt, &good).await, Ok(()));
    assert_eq!(
        check(&verifier, &jkt, &proof(&key).sign()).await,
        Err(ReplayStoreError::Full.into())
    );
    assert_eq!(
        check(&verifier, &jkt, &good).await,
        Err(InvalidProof::Replayed.into()),
        "what is remembered stays"
    );
}

#[tokio::test]
async fn a_nonce_replaces_the_clock_of_the_client() {
    let key = key();
    let jkt = key.thumbprint();
    let clock = Clock::manual(NOW - NOW % 60);
    let verifier = Dpop::new().nonces().clock(clock.clone()).build(URL);
    let verifier = verifier.unwrap();
    let nonce = verifier.nonce().unwrap();
    let with = |nonce: &str| proof(&key).nonce(nonce).issued_at(1);
    for bad in [
        proof(&key).sign(),
        with("").sign(),
        with("x").sign(),
        with(&nonce.to_uppercase()).sign(),
        with(&format!("{nonce}A")).sign(),
        with(&Dpop::new().nonces().build(URL).unwrap().nonce().unwrap()).sign(),
    ] {
        assert_eq!(check(&verifier, &jkt, &bad).await, Err(ProofError::Nonce));
    }
    let good = with(&nonce).sign();
    assert_eq!(check(&verifier, &jkt, &good).await, Ok(()));
    for _ in 0..120 {
        assert_eq!(
            check(&verifier, &jkt, &good).await,
            Err(InvalidProof::Replayed.into())
        );
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(
        check(&verifier, &jkt, &good).await,
        Err(ProofError::Nonce),
        "two steps later the nonce is old"
    );
    // A nonce is no excuse for the rest.
    let nonce = verifier.nonce().unwrap();
    let no_time = with(&nonce).without("iat").sign();
    assert_eq!(
        check(&verifier, &jkt, &no_time).await,
        Err(InvalidProof::from(InvalidToken::Claim("iat")).into())
    );
}

#[tokio::test]
async fn at_a_token_endpoint_a_proof_names_no_token() {
    let key = key();
    let proving = Proving {
        method: "POST",
        token: None,
        jkt: None,
    };
    let proof = key.dpop_proof("POST", URL).issued_at(NOW).sign();
    let found = verifier().check(&[proof.as_bytes()], proving).await;
    assert_eq!(found, Ok(key.thumbprint()));
}

#[test]
fn settings_that_switch_a_check_off_are_refused() {
    assert!(dpop().algorithms([]).build(URL).is_err());
    for (millis, good) in [
        (0, false),
        (999, false),
        (1000, true),
        (300_000, true),
        (300_001, false),
    ] {
        let built = dpop().window(Duration::from_millis(millis)).build(URL);
        assert_eq!(built.is_ok(), good, "{millis}");
    }
    assert!(dpop().build("urn:x").is_err());
}

#[tokio::test]
async fn nothing_of_a_proof_is_in_an_error() {
    let key = key();
    for name in ["htm", "htu", "ath", "jti", "iat"] {
        let proof = proof(&key).claim(name, json!(["MARKER"])).sign();
        let error = check(&verifier(), &key.thumbprint(), &proof).await;
        let text = format!("{error:?} {}", error.clone().unwrap_err());
        assert!(!text.contains("MARKER"), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "(GET|POST|post|https://[a-z.]{0,20}/mcp|POST )".prop_map(Value::from),
        prop::collection::vec(any::<u8>().prop_map(Value::from), 0..3).prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_with_any_claim_changed_is_refused(
        name in prop::sample::select(vec!["htm", "htu", "ath", "jti", "iat"]),
        value in value(),
    ) {
        let key = SigningKey::generate(Algorithm::EdDSA);
        let good = match name {
            // Any name will do, and any time within the window.
            "jti" => value.as_str().is_some_and(|jti| !jti.is_empty() && jti.len() <= 256),
            "iat" => value.as_f64().is_some_and(|iat| (iat - NOW as f64).abs() <= 60.0),
            "htm" => value == "POST",
            _ => false,
        };
        let proof = proof(&key).claim(name, value).sign();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(check(&verifier(), &key.thumbprint(), &proof));
        assert_eq!(found.is_ok(), good, "{found:?}");
    }

    #[test]
    fn a_proof_with_any_byte_changed_is_refused_without_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let key = SigningKey::generate(Algorithm::EdDSA);
        let good = proof(&key).sign().into_bytes();
        let mut bad = good.clone();
        bad[at.index(good.len())] = byte;
        let proving = Proving { method: "POST", token: Some(TOKEN), jkt: None };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(verifier().check(&[&bad], proving));
        assert_eq!(found.is_ok(), bad == good);
    }
}
