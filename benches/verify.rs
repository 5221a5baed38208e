//! Who is calling: verifying a token for the first time (P3), knowing it again (P1), refusing it (P7).
//!
//! ```sh
//! cargo bench --bench verify
//! ```

mod support;

use std::convert::Infallible;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use serde_json::{Map, Value, json};
use support::{compare, lane};
use tokio::runtime::Runtime;
use toolgate::{
    JwtVerifier, Server, StaticKeys, TokenCache, Verifier, mcp_tool, testkit::SigningKey,
};
use tower::{Layer, Service, service_fn};

const ISSUER: &str = "https://auth.example.com";
const RESOURCE: &str = "https://notes.example.com/mcp";

/// Do nothing.
#[mcp_tool(scopes = "notes:read")]
async fn nothing() {}

/// As widespread issuers write it: some 860 bytes with an RSA signature.
fn claims() -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "auth0|65f1c0a1b2c3d4e5f6071829", "iat": now,
        "exp": now + 86_400, "client_id": "client-4fa8c3d2", "scope": "notes:read notes:write mcp:tools",
        "jti": "0d3f7c6e-51b2-4c5f-9a52-4b8f9f0c7d11", "name": "Alice Example",
        "email": "alice@example.com", "tenant": "acme",
    })
}

fn part(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

/// The key, parsed as far as the cryptographic library can.
fn parsed(jwk: &Value, algorithm: Algorithm) -> ParsedPublicKey {
    match algorithm {
        Algorithm::RS256 => {
            // RFC 8017 §A.1.1, for 2048 bits and the usual exponent.
            let (n, e) = (part(jwk, "n"), part(jwk, "e"));
            assert_eq!((n.len(), &e[..]), (256, &[1, 0, 1][..]));
            let head = [0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0];
            let der = [&head[..], &n, &[2, 3], &e].concat();
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).unwrap()
        }
        Algorithm::ES256 => {
            let point = [&[4][..], &part(jwk, "x"), &part(jwk, "y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
        }
        _ => ParsedPublicKey::new(&ED25519, part(jwk, "x")).unwrap(),
    }
}

fn verifier(key: &SigningKey) -> JwtVerifier {
    let keys = StaticKeys::from_value(&json!({"keys": [key.public_jwk()]})).unwrap();
    let verifier = JwtVerifier::new(ISSUER, RESOURCE).keys(keys);
    verifier.build().unwrap()
}

fn cold(algorithm: Algorithm) {
    let key = SigningKey::generate(algorithm);
    let token = key.sign(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let floor = parsed(key.public_jwk(), algorithm);

    let jwk: Jwk = serde_json::from_value(key.public_jwk().clone()).unwrap();
    let theirs = DecodingKey::from_jwk(&jwk).unwrap();
    let raw =
        (jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, &theirs);
    let raw = raw.unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[RESOURCE]);
    validation.set_issuer(&[ISSUER]);
    let ours = verifier(&key);

    compare(
        &format!("{algorithm:?}, {} bytes, never seen before", token.len()),
        vec![
            lane("signature only, key parsed once (floor)", || {
                floor.verify_sig(message.as_bytes(), &signature).unwrap();
            }),
            lane("signature only, by jsonwebtoken", || {
                raw.verify(message.as_bytes(), &signature).unwrap();
            }),
            lane("toolgate: verify", || {
                ours.verify(&token).now_or_never().unwrap().unwrap();
            }),
            lane("toolgate: vouch", || {
                ours.vouch(&token).now_or_never().unwrap().unwrap();
            }),
            lane("jsonwebtoken::decode", || {
                let claims =
                    jsonwebtoken::decode::<Map<String, Value>>(&token, &theirs, &validation);
                claims.unwrap();
            }),
        ],
    );
}

/// The layer in front of a service that does nothing.
fn in_the_layer() {
    let key = SigningKey::generate(Algorithm::ES256);
    let stranger = SigningKey::generate(Algorithm::ES256);
    let token = key.sign(&claims());
    let mut other = claims();
    other["iss"] = json!("https://other.example.com");
    let wrong_issuer = key.sign(&other);
    let unknown_key = stranger.sign(&claims());
    let forged = format!(
        "{}.{}",
        token.rsplit_once('.').unwrap().0,
        unknown_key.rsplit_once('.').unwrap().1
    );

    let inner = service_fn(|_: http::Request<()>| async {
        Ok::<_, Infallible>(http::Response::new(String::new()))
    });
    let service = |cache| {
        let server = Server::new(RESOURCE)
            .authorization_server(ISSUER)
            .verifier(verifier(&key))
            .token_cache(cache)
            .build()
            .unwrap();
        server.layer().layer(inner)
    };
    let runtime = support::runtime();
    let [mut warm, mut cold] = [TokenCache::default(), TokenCache::off()].map(service);
    let mut refusing = warm.clone();
    let mut without = inner;
    compare(
        "the layer in front of nothing",
        vec![
            lane("no layer", || {
                send(&runtime, &mut without, Some(&token), 200)
            }),
            lane("known token", || {
                send(&runtime, &mut warm, Some(&token), 200)
            }),
            lane("unknown token, ES256", || {
                send(&runtime, &mut cold, Some(&token), 200)
            }),
        ],
    );
    compare(
        "refusals",
        vec![
            lane("forged signature, ES256", || {
                send(&runtime, &mut refusing.clone(), Some(&forged), 401);
            }),
            lane("no token", || {
                send(&runtime, &mut refusing.clone(), None, 401)
            }),
            lane("garbage", || {
                send(&runtime, &mut refusing.clone(), Some("garbage"), 401)
            }),
            lane("wrong issuer", || {
                send(&runtime, &mut refusing.clone(), Some(&wrong_issuer), 401);
            }),
            lane("unknown key", || {
                send(&runtime, &mut refusing.clone(), Some(&unknown_key), 401);
            }),
        ],
    );
    send(&runtime, &mut refusing, Some(&token), 200);
}

fn send<S, R>(runtime: &Runtime, service: &mut S, authorization: Option<&str>, status: u16)
where
    S: Service<http::Request<()>, Response = http::Response<R>, Error = Infallible>,
{
    let mut request = http::Request::new(());
    let headers = request.headers_mut();
    headers.insert("host", "notes.example.com".parse().unwrap());
    if let Some(token) = authorization {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let Ok(response) = runtime.block_on(service.call(request));
    assert_eq!(response.status(), status);
}

fn main() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        cold(algorithm);
    }
    in_the_layer();
}
