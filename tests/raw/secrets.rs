//! No part of a token reaches a log (T40).

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use tracing_subscriber::filter::LevelFilter;

use crate::fixture::{Listening, call};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_part_of_a_token_is_in_any_event_at_any_level() {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(|| Log)
        .init();
    let server = Listening::new().await;
    let mint = || server.auth.mint("alice").audience(crate::fixture::RESOURCE);
    let good = mint().sign();
    let mut forged = good.clone();
    forged.replace_range(forged.len() - 20.., "AAAAAAAAAAAAAAAAAAAA");
    let tokens = [
        good.clone(),
        forged,
        mint().expired().sign(),
        mint().audience("https://other.example").sign(),
        mint().claim("iss", "https://other.example").sign(),
        mint().header("kid", "unknown").sign(),
        "opaque-but-quite-secret-token".to_owned(),
    ];
    let mut heard = String::new();
    for token in &tokens {
        for tool in ["hello", "admin", "nope"] {
            for header in [
                "authorization: Bearer",
                "authorization: DPoP",
                "proxy-authorization: Bearer",
                "dpop:",
                "cookie: t=",
            ] {
                let good = if header.starts_with("auth") {
                    String::new()
                } else {
                    format!("authorization: Bearer {good}\r\n")
                };
                let headers = format!("{good}{header} {token}\r\nconnection: close\r\n");
                heard += &server.say(call(tool, &headers)).await;
            }
            let twice = format!(
                "authorization: Bearer {token}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n"
            );
            heard += &server.say(call(tool, &twice)).await;
        }
    }
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8(log).unwrap();
    assert!(
        log.contains("received request"),
        "the events are captured: {log}"
    );
    assert!(log.contains("refused"));
    for token in &tokens {
        for part in token.split('.').skip(1).filter(|part| part.len() >= 12) {
            assert!(!heard.contains(part));
            for at in (0..=part.len() - 12).step_by(4) {
                let window = &part[at..at + 12];
                assert!(!log.contains(window), "{}", context(&log, window));
            }
        }
        assert!(!log.contains(token.as_str()) && !heard.contains(token.as_str()));
    }
}

/// The line of `log` that holds `window`.
fn context<'l>(log: &'l str, window: &str) -> &'l str {
    log.lines()
        .find(|line| line.contains(window))
        .unwrap_or(log)
}
