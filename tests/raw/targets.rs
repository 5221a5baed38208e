//! Methods, request targets, hosts and versions of HTTP (R82, R84, T27, T28).

use crate::fixture::{KIND, Listening, body, call, statuses};

/// A call of `hello` with a request line and a host line of its own.
fn to(line: &str, host: &str, token: &str) -> String {
    let body = body("hello");
    format!(
        "{line}\r\n{host}{KIND}content-length: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_call_over_a_socket_is_answered() {
    let server = Listening::new().await;
    let token = server.token();
    let heard = server
        .say(call(
            "hello",
            &format!("authorization: Bearer {token}\r\nconnection: close\r\n"),
        ))
        .await;
    assert_eq!(statuses(&heard), [200], "{heard}");
    assert!(heard.contains("no-store"));
    assert_eq!(server.started(), 1);
}

#[tokio::test]
async fn a_request_without_a_host_is_refused_in_every_version_of_http() {
    let server = Listening::new().await;
    let token = server.token();
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let heard = server
            .say(to(&format!("POST /mcp {version}"), "", &token))
            .await;
        assert!(matches!(statuses(&heard)[..], [400 | 403]), "{heard}");
    }
    assert_eq!(server.started(), 0);
    let heard = server
        .say(to("POST /mcp HTTP/1.0", "host: localhost\r\n", &token))
        .await;
    assert_eq!(statuses(&heard), [200], "{heard}");
}

#[tokio::test]
async fn a_target_and_a_host_header_that_name_two_hosts_are_refused() {
    let server = Listening::new().await;
    let token = server.token();
    for (target, host) in [
        ("http://evil.example/mcp", "127.0.0.1"),
        ("http://127.0.0.1/mcp", "evil.example"),
        ("http://evil.example/mcp", "evil.example"),
    ] {
        let line = format!("POST {target} HTTP/1.1");
        let heard = server
            .say(to(&line, &format!("host: {host}\r\n"), &token))
            .await;
        assert_eq!(statuses(&heard), [403], "{target} {host}: {heard}");
    }
    assert_eq!(server.started(), 0);
    let line = "POST http://127.0.0.1/mcp HTTP/1.1";
    let heard = server.say(to(line, "host: 127.0.0.1\r\n", &token)).await;
    assert_eq!(statuses(&heard), [200], "{heard}");
}

#[tokio::test]
async fn hosts_that_are_no_hosts_are_refused() {
    let server = Listening::new().await;
    let token = server.token();
    for host in [
        "host: 127.0.0.1\r\nhost: 127.0.0.1\r\n",
        "host: 127.0.0.1\r\nhost: evil.example\r\n",
        "host:\r\n",
        "host: alice@127.0.0.1\r\n",
        "host: evil.example@127.0.0.1\r\n",
        "host: 127.0.0.1, evil.example\r\n",
        "host: 127.0.0.1/x\r\n",
        "host: http://127.0.0.1\r\n",
        "host: \u{ff}127.0.0.1\r\n",
    ] {
        let heard = server.say(to("POST /mcp HTTP/1.1", host, &token)).await;
        assert!(
            matches!(statuses(&heard)[..], [400 | 403]),
            "{host}: {heard}"
        );
    }
    assert_eq!(server.started(), 0);
}

#[tokio::test]
async fn strange_methods_and_targets_run_nothing() {
    let server = Listening::new().await;
    let token = server.token();
    for line in [
        "TRACE /mcp HTTP/1.1",
        "OPTIONS /mcp HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT 127.0.0.1:80 HTTP/1.1",
        "CONNECT /mcp HTTP/1.1",
        "PROPFIND /mcp HTTP/1.1",
        "post /mcp HTTP/1.1",
        "POST /mcp",
        "POST  /mcp HTTP/1.1",
        "POST /mcp HTTP/1.2",
        "POST /mcp HTTP/2.0",
        "POST /mcp/../mcp HTTP/1.1",
        "POST /%6dcp HTTP/1.1",
        "POST /mcp; HTTP/1.1",
        "POST mcp HTTP/1.1",
        "PRI * HTTP/2.0",
    ] {
        let heard = server.say(to(line, "host: 127.0.0.1\r\n", &token)).await;
        let statuses = statuses(&heard);
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{line}: {heard}"
        );
        assert!(!heard.contains(&token), "{line}: {heard}");
    }
    assert_eq!(server.started(), 0);
    assert!(!server.server.is_finished());
    // A query changes nothing, and neither does a fragment, which no client sends.
    let heard = server
        .say(to("POST /mcp?x=1 HTTP/1.1", "host: 127.0.0.1\r\n", &token))
        .await;
    assert_eq!(statuses(&heard), [200], "{heard}");
}
