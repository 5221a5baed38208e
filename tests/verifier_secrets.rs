//! No part of a token or a secret reaches a log, an error or a `Debug` text (T40), whoever decides about it.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use toolgate::{
    ApiKey, ApiKeys, Introspection, Secret, Server, Tool, Verifier,
    testkit::{AuthorizationServer, McpRequest},
};
use tracing_subscriber::filter::LevelFilter;

const RESOURCE: &str = "http://127.0.0.1/mcp";
const SECRET: &str = "rs-s3cret:% of the resource server";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn nothing() {}

#[tokio::test]
async fn neither_tokens_nor_secrets_are_in_any_event_error_or_debug_text() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let auth = AuthorizationServer::new()
        .default_resource(RESOURCE)
        .opaque_tokens()
        .resource_server("notes", SECRET);
    let mut texts = format!("{auth:?}");
    let auth = auth.start().await.unwrap();
    let builder = || Introspection::new(auth.issuer(), RESOURCE);
    let basic = builder()
        .client_secret_basic("notes", SECRET)
        .build()
        .unwrap();
    let post = builder()
        .client_secret_post("notes", SECRET)
        .build()
        .unwrap();
    let wrong_secret = "another secret that is wrong";
    let wrong = builder()
        .client_secret_basic("notes", wrong_secret)
        .build()
        .unwrap();
    let keys = Arc::new(ApiKeys::new("urn:example:keys", "ntk_").unwrap());
    let (key, hash) = keys.generate().unwrap();
    keys.replace([ApiKey::new("1", "ci", hash)]).unwrap();
    let (unknown_key, _) = keys.generate().unwrap();

    let mint = || auth.mint("alice");
    let revoked = mint().opaque();
    auth.revoke(&revoked);
    let tokens = [
        mint().opaque(),
        mint().audience("https://other.example").opaque(),
        mint().sign(),
        mint().expired().sign(),
        mint().claim("iss", "https://other.example").sign(),
        "an-opaque-token-that-nobody-knows".to_owned(),
        revoked,
        key,
        unknown_key,
    ];
    let app = |verifier: Introspection| {
        Server::new(RESOURCE)
            .verifier(toolgate::AnyOf::new(verifier).or(keys.clone()))
            .tool(Tool::new("tool", "Do nothing.", nothing).scopes(["a"]))
            .build()
            .unwrap()
            .router()
    };
    texts += &format!("{basic:?} {post:?} {keys:?} {:?}", Secret::new(SECRET));
    for token in &tokens {
        for verifier in [&basic, &post, &wrong] {
            match verifier.verify(token).await {
                Ok(verified) => texts += &format!("{verified:?}"),
                Err(error) => texts += &format!("{error:?} {error}"),
            }
        }
    }
    for app in [app(basic), app(post), app(wrong)] {
        for token in &tokens {
            let request = McpRequest::call("tool", json!({})).bearer(token);
            texts += &format!("{:?}", request.send(&app).await);
        }
    }
    auth.shutdown().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("tokens cannot be introspected"),
        "the events are captured"
    );
    assert!(log.contains("TRACE"), "at every level");
    // As the header has it.
    let encoded = |secret: &str| {
        let request = reqwest::Client::new().get("http://127.0.0.1/");
        let request = request.basic_auth("notes", Some(secret)).build().unwrap();
        let header = request.headers()["authorization"].to_str().unwrap();
        header["Basic ".len()..].to_owned()
    };
    let mut secrets: Vec<String> = Vec::new();
    for token in &tokens {
        // The header of a JWT is no secret: every token of an issuer has it.
        secrets.extend(
            token
                .split('.')
                .skip(usize::from(token.contains('.')))
                .map(str::to_owned),
        );
    }
    for secret in [SECRET, wrong_secret] {
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        // Not the name in front of it.
        secrets.extend([
            secret.to_owned(),
            form.clone(),
            encoded(&form)[8..].to_owned(),
        ]);
    }
    secrets.push(hash.to_string());
    for secret in secrets {
        for window in secret.as_bytes().windows(12) {
            let window = std::str::from_utf8(window).unwrap();
            for text in [&log, &texts] {
                let line = || text.lines().find(|line| line.contains(window));
                assert!(!text.contains(window), "{window}: {:?}", line());
            }
        }
    }
}
