//! What clients are not told, operators are: under the id that the client was given (R42, T41).

use std::{
    io::Write,
    sync::{Arc, LazyLock, Mutex},
};

use serde_json::json;
use toolgate::{
    Dpop, Server, Tool,
    testkit::{AuthorizationServer, McpRequest, SigningKey},
};

const RESOURCE: &str = "http://127.0.0.1/mcp";

/// A log that can be read back.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What all tests of this file log to, at every level.
    fn of_this_process() -> Self {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let writer = log.clone();
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .init();
            log
        });
        LOG.clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The line that mentions `text`.
    fn line(&self, text: &str) -> String {
        let log = self.text();
        let line = log.lines().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("{text} is not in\n{log}"))
            .to_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn nothing() {}

#[tokio::test]
async fn the_log_knows_why_under_the_id_that_the_client_was_given() {
    let log = Log::of_this_process();
    let auth = AuthorizationServer::new().start().await.unwrap();
    let app = Server::new(RESOURCE)
        .authorization_server(auth.issuer())
        .tool(Tool::new("tool", "Do nothing.", nothing).scopes(["a", "b"]))
        .build()
        .unwrap()
        .router();
    let mint = || auth.mint("alice").audience(RESOURCE).client_id("cli");

    let mut bodies = Vec::new();
    for (token, detail) in [
        (
            mint().audience("https://other.example").sign(),
            "audience is not this server",
        ),
        (
            mint().claim("iss", "https://other.example").sign(),
            "issuer not trusted",
        ),
        (mint().expired().sign(), "expired"),
        (mint().header("kid", "other").sign(), "no fitting key"),
        ("garbage".to_owned(), "malformed"),
    ] {
        let response = McpRequest::call("tool", json!({}))
            .bearer(token)
            .send(&app)
            .await;
        let line = log.line(response.header("x-request-id").unwrap());
        assert!(
            line.contains("invalid_token") && line.contains(detail),
            "{line}"
        );
        bodies.push(response.body().to_vec());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "clients cannot tell one from another");

    let response = McpRequest::call("tool", json!({}))
        .bearer(mint().sign())
        .send(&app)
        .await;
    let line = log.line(response.header("x-request-id").unwrap());
    for known in [
        "insufficient_scope",
        "tool tool",
        "alice",
        "cli",
        auth.issuer(),
    ] {
        assert!(line.contains(known), "{known} is not in {line}");
    }
}

#[tokio::test]
async fn the_log_says_what_is_wrong_with_a_proof_and_holds_nothing_of_proof_or_token() {
    let log = Log::of_this_process();
    let auth = AuthorizationServer::new().start().await.unwrap();
    let app = Server::new(RESOURCE)
        .authorization_server(auth.issuer())
        .tool(Tool::new("tool", "Do nothing.", nothing).authenticated())
        .dpop(Dpop::new())
        .build()
        .unwrap()
        .router();
    let key = SigningKey::generate(jsonwebtoken::Algorithm::ES256);
    let token = auth.mint("alice").audience(RESOURCE).bound_to(&key).sign();
    let proof = || key.dpop_proof("POST", RESOURCE).access_token(&token);
    let mut sent = vec![token.clone()];
    for (proof, detail) in [
        (proof(), None),
        (proof().claim("htm", "MARKER"), Some("another method")),
        (proof().claim("htu", "MARKER"), Some("another address")),
        (proof().claim("ath", "MARKER"), Some("another token")),
        (proof().header("typ", "MARKER"), Some("`typ` is not")),
        (proof().issued_at(1), Some("not made just now")),
    ] {
        let proof = proof.sign();
        let response = McpRequest::call("tool", json!({}))
            .dpop(&token, &proof)
            .send(&app)
            .await;
        if let Some(detail) = detail {
            let line = log.line(response.header("x-request-id").unwrap());
            assert!(
                line.contains("invalid_dpop_proof") && line.contains(detail),
                "{line}"
            );
        } else {
            assert_eq!(response.status(), 200, "{response:?}");
        }
        sent.push(proof);
    }
    let text = log.text();
    assert!(!text.contains("MARKER"), "{text}");
    // The headers of tokens are the same for all; the rest must not be there in any part.
    for part in sent.iter().flat_map(|secret| secret.split('.').skip(1)) {
        for window in part.as_bytes().windows(12) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!text.contains(window), "{window} is in\n{text}");
        }
    }
}
