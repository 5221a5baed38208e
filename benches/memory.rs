//! What a server needs to remember 100 000 verified tokens (goal P8: at most 320 bytes each beyond the claims
//! of the token).
//!
//! ```sh
//! cargo bench --bench memory
//! ```

use std::convert::Infallible;

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value, json};
use toolgate::{JwtVerifier, Server, StaticKeys, TokenCache, mcp_tool, testkit::SigningKey};
use tower::{Layer, Service, service_fn};

const ISSUER: &str = "https://auth.example.com";
const RESOURCE: &str = "https://notes.example.com/mcp";
const TOKENS: usize = 100_000;

/// Do nothing.
#[mcp_tool(scopes = "notes:read")]
async fn nothing() {}

fn claims(n: usize, now: u64) -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": format!("auth0|65f1c0a1b2c3d4e5f{n:09}"), "iat": now,
        "exp": now + 86_400, "client_id": "client-4fa8c3d2", "scope": "notes:read notes:write mcp:tools",
        "jti": format!("0d3f7c6e-51b2-4c5f-9a52-{n:012}"), "name": "Alice Example",
        "email": "alice@example.com", "tenant": "acme",
    });
    // From text, as a verifier has them.
    serde_json::from_str(&claims.to_string()).unwrap()
}

/// Resident memory of this process, in bytes. Linux only.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

fn main() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let key = SigningKey::generate(Algorithm::EdDSA);
    let keys = StaticKeys::from_value(&json!({"keys": [key.public_jwk()]})).unwrap();
    let verifier = JwtVerifier::new(ISSUER, RESOURCE)
        .keys(keys)
        .build()
        .unwrap();
    let server = Server::new(RESOURCE)
        .authorization_server(ISSUER)
        .verifier(verifier)
        .token_cache(TokenCache::entries(TOKENS * 2))
        .build()
        .unwrap();
    let mut service = server
        .layer()
        .layer(service_fn(|_: http::Request<()>| async {
            Ok::<_, Infallible>(http::Response::new(String::new()))
        }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut send = |n: usize| {
        let token = key.sign(&Value::Object(claims(n, now)));
        let mut request = http::Request::new(());
        let headers = request.headers_mut();
        headers.insert("host", "notes.example.com".parse().unwrap());
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let Ok(response) = runtime.block_on(service.call(request));
        assert_eq!(response.status(), 200);
    };
    send(0);

    let before = resident();
    let heap = allocation_counter::measure(|| (1..=TOKENS).for_each(&mut send));
    let grown = resident() - before;
    let stats = server.token_cache_stats();
    assert_eq!(stats.entries as usize, TOKENS + 1, "{stats:?}");

    let mut kept = Vec::with_capacity(TOKENS);
    let own = allocation_counter::measure(|| kept.extend((1..=TOKENS).map(|n| claims(n, now))));
    let each = |bytes: f64| bytes / TOKENS as f64;
    let (heap, own) = (
        each(heap.bytes_current as f64),
        each(own.bytes_current as f64),
    );
    println!("\n{TOKENS} verified tokens are remembered, bytes each");
    println!("  resident memory                     {:>8.0}", each(grown));
    println!("  heap, as asked for                  {heap:>8.0}");
    println!("  of which the claims of the token    {own:>8.0}");
    println!("  beyond the claims                   {:>8.0}", heap - own);
}
