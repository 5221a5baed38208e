//! Where a request begins and ends, and what it says twice (T2, T4, T5, T27).

use tokio::io::AsyncWriteExt;

use crate::fixture::{KIND, Listening, body, call, hear, hear_until, statuses};

#[tokio::test]
async fn a_header_that_is_said_twice_is_refused_in_either_order() {
    let server = Listening::new().await;
    let good = format!("authorization: Bearer {}\r\n", server.token());
    let bad = "Authorization: Bearer bad\r\n";
    for headers in [
        format!("{good}{bad}"),
        format!("{bad}{good}"),
        format!("{good}{good}"),
        format!("{good}AUTHORIZATION: Basic x\r\n"),
        format!("{good}mcp-protocol-version: 2025-11-25\r\n"),
        format!("{good}mcp-method: a\r\nMcp-Method: a\r\n"),
        format!("{good}mcp-name: hello\r\nMCP-NAME: admin\r\n"),
        format!("{good}mcp-session-id: a\r\nmcp-session-id: b\r\n"),
    ] {
        let heard = server
            .say(call("hello", &format!("{headers}connection: close\r\n")))
            .await;
        assert_eq!(statuses(&heard), [400], "{headers}: {heard}");
        assert!(!heard.to_lowercase().contains("www-authenticate"));
    }
    assert_eq!(server.started(), 0);
}

#[tokio::test]
async fn folded_and_malformed_headers_are_refused() {
    let server = Listening::new().await;
    let token = server.token();
    for headers in [
        format!("authorization: Bearer\r\n {token}\r\n"),
        format!("authorization:\r\n Bearer {token}\r\n"),
        format!("authorization : Bearer {token}\r\n"),
        format!("x: y\nauthorization: Bearer {token}\x00\r\n"),
        format!("x: \0\r\nauthorization: Bearer {token}\r\n"),
        format!("x: y\rauthorization: Bearer {token}\r\n"),
    ] {
        let heard = server
            .say(call("hello", &format!("{headers}connection: close\r\n")))
            .await;
        assert!(
            matches!(statuses(&heard)[..], [400 | 401]),
            "{headers:?}: {heard}"
        );
    }
    assert_eq!(server.started(), 0);
}

#[tokio::test]
async fn a_credential_in_a_trailer_is_none() {
    let server = Listening::new().await;
    let token = server.token();
    let body = body("hello");
    for (header, expected) in [
        (String::new(), 401),
        (format!("authorization: Bearer {token}\r\n"), 200),
    ] {
        let heard = server
            .say(format!(
                "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{KIND}{header}connection: close\r\ntrailer: authorization\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\nauthorization: Bearer {token}\r\nmcp-name: admin\r\n\r\n",
                body.len()
            ))
            .await;
        assert_eq!(statuses(&heard), [expected], "{heard}");
    }
    assert_eq!(server.started(), 1);
}

#[tokio::test]
async fn a_length_that_can_be_read_in_two_ways_ends_the_connection() {
    let server = Listening::new().await;
    let good = format!("authorization: Bearer {}\r\n", server.token());
    let body = body("hello");
    let hidden = call("hello", &good);
    for framing in [
        format!("content-length: {}\r\ncontent-length: 5\r\n", body.len()),
        format!("content-length: {}, 5\r\n", body.len()),
        format!("content-length: +{}\r\n", body.len()),
        "content-length: -1\r\n".to_owned(),
        "transfer-encoding: gzip\r\n".to_owned(),
        "transfer-encoding: chunked, gzip\r\n".to_owned(),
    ] {
        let head = format!("POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{KIND}{good}{framing}\r\n");
        let heard = server.say(format!("{head}{body}{hidden}")).await;
        assert_eq!(statuses(&heard), [400], "{framing}: {heard}");
    }
    assert_eq!(server.started(), 0);
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_never_taken_for_the_next_request() {
    let server = Listening::new().await;
    let hidden = call(
        "hello",
        &format!("authorization: Bearer {}\r\n", server.token()),
    );
    for credential in [
        "",
        "authorization: Bearer bad\r\n",
        "origin: https://evil.example\r\n",
    ] {
        let heard = server
            .say(format!(
                "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{credential}{KIND}content-length: {}\r\nconnection: close\r\n\r\n{hidden}",
                hidden.len()
            ))
            .await;
        assert!(matches!(statuses(&heard)[..], [401 | 403]), "{heard}");
        let heard = server
            .say(format!(
                "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{credential}{KIND}transfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
                hidden.len()
            ))
            .await;
        assert!(matches!(statuses(&heard)[..], [401 | 403]), "{heard}");
    }
    assert_eq!(server.started(), 0);
}

#[tokio::test]
async fn each_request_on_a_connection_is_authorized_on_its_own() {
    let server = Listening::new().await;
    let good = format!("authorization: Bearer {}\r\n", server.token());
    let heard = server
        .say(format!(
            "{}{}{}{}",
            call("hello", &good),
            call("hello", ""),
            call("admin", &good),
            call(
                "hello",
                "authorization: Bearer bad\r\nconnection: close\r\n"
            ),
        ))
        .await;
    assert_eq!(statuses(&heard), [200, 401, 403, 401], "{heard}");
    assert_eq!(server.started(), 1);
}

#[tokio::test]
async fn who_has_no_token_is_not_asked_for_the_body() {
    let server = Listening::new().await;
    let head = |credential: &str| {
        format!(
            "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{credential}{KIND}expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body("hello").len()
        )
    };
    for credential in ["", "authorization: Bearer bad\r\n"] {
        let heard = server.say(head(credential)).await;
        assert_eq!(statuses(&heard), [401], "{heard}");
    }
    let mut socket = server.connect().await;
    let good = format!(
        "authorization: Bearer {}\r\nconnection: close\r\n",
        server.token()
    );
    socket.write_all(head(&good).as_bytes()).await.unwrap();
    hear_until(&mut socket, "100 Continue").await;
    assert_eq!(server.started(), 0);
    socket.write_all(body("hello").as_bytes()).await.unwrap();
    let heard = hear(&mut socket).await;
    assert_eq!(statuses(&heard), [200], "{heard}");
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off() {
    let server = Listening::new().await;
    let mut socket = server.connect().await;
    let good = format!("authorization: Bearer {}\r\n", server.token());
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{KIND}{good}transfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..100 {
        if socket.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut heard = String::new();
    if let Ok(text) =
        tokio::time::timeout(crate::fixture::PATIENCE, async { hear(&mut socket).await }).await
    {
        heard = text;
    }
    assert!(heard.is_empty() || statuses(&heard) == [413], "{heard}");
    assert_eq!(server.started(), 0);
}
