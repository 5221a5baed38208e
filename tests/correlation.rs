//! What clients are not told, operators are: under the id that the client was given (R42, T41).

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use toolgate::{
    Server, Tool,
    testkit::{AuthorizationServer, McpRequest},
};

const RESOURCE: &str = "http://127.0.0.1/mcp";

/// A log that can be read back.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The line that mentions `text`.
    fn line(&self, text: &str) -> String {
        let log = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
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
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
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
