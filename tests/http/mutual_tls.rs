//! Tokens that are bound to a TLS client certificate (T52, RFC 8705).

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use jsonwebtoken::Algorithm;
use serde_json::json;
use toolgate::{
    ClientCertificate, Dpop, MutualTls,
    testkit::{McpRequest, SigningKey},
};

use crate::fixture::{Fixture, METADATA_URL, RESOURCE};

const OURS: &[u8] = b"certificate of the client";
/// The same in base64.
const HEADER: &str = ":Y2VydGlmaWNhdGUgb2YgdGhlIGNsaWVudA==:";

fn call() -> McpRequest {
    McpRequest::call("add", json!({"a": 1, "b": 2}))
}

fn certificate(der: &[u8]) -> ClientCertificate {
    ClientCertificate(der.to_vec())
}

fn bound(fixture: &Fixture) -> String {
    let token = fixture.auth.mint("alice").scopes(["mcp:tools"]);
    token.audience(RESOURCE).bound_to_certificate(OURS).sign()
}

fn peer(address: &str) -> ConnectInfo<SocketAddr> {
    ConnectInfo(address.parse().unwrap())
}

#[tokio::test]
async fn a_bound_token_needs_the_certificate_of_its_connection() {
    let fixture = Fixture::with(|server| server.mutual_tls(MutualTls::connection())).await;
    let token = bound(&fixture);
    let bearer = || call().bearer(&token);
    let good = bearer().extension(certificate(OURS));
    assert_eq!(good.send(&fixture.app).await.text(), "3");
    for request in [
        bearer(),
        bearer().extension(certificate(b"another")),
        bearer().extension(certificate(b"")),
        bearer().header("client-cert", HEADER),
        bearer()
            .header("client-cert", HEADER)
            .extension(peer("127.0.0.1:1")),
        call().dpop(&token, "x").extension(certificate(OURS)),
    ] {
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 401, "{response:?}");
    }
    let response = bearer().send(&fixture.app).await;
    assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
    assert!(fixture.server.token_cache_stats().hits > 0);
    // Nothing is asked of a token that is bound to nothing.
    let plain = call().bearer(fixture.token("mcp:tools"));
    assert_eq!(plain.send(&fixture.app).await.status(), 200);
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn a_bound_token_is_refused_where_certificates_are_not_asked_for() {
    let fixture = Fixture::new().await;
    let request = call().bearer(bound(&fixture)).extension(certificate(OURS));
    let response = request
        .header("client-cert", HEADER)
        .send(&fixture.app)
        .await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn the_header_of_a_proxy_counts_from_its_address_only_and_reaches_no_tool() {
    let proxy = MutualTls::proxy(["10.0.0.7".parse().unwrap()]);
    let fixture = Fixture::with(|server| server.mutual_tls(proxy)).await;
    let token = bound(&fixture);
    let sent = || call().bearer(&token).header("client-cert", HEADER);
    let good = sent().extension(peer("10.0.0.7:4711"));
    assert_eq!(good.send(&fixture.app).await.text(), "3");
    for request in [
        sent(),
        sent().extension(peer("10.0.0.8:4711")),
        sent().extension(certificate(OURS)),
        sent()
            .header("client-cert", HEADER)
            .extension(peer("10.0.0.7:1")),
        sent().header("x-forwarded-for", "10.0.0.7"),
        call().bearer(&token).extension(peer("10.0.0.7:1")),
        call()
            .bearer(&token)
            .header("client-cert", ":QQ==:")
            .extension(peer("10.0.0.7:1")),
    ] {
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 401, "{response:?}");
    }
    let dump = McpRequest::call("dump", json!({}))
        .bearer(&token)
        .header("client-cert", HEADER)
        .extension(peer("10.0.0.7:1"));
    let dump = dump.send(&fixture.app).await;
    assert_eq!(dump.status(), 200);
    assert!(!dump.text().contains(HEADER));
    assert_eq!(fixture.runs(), 1);
}

#[tokio::test]
async fn a_token_that_is_bound_twice_needs_both() {
    let fixture = Fixture::with(|server| {
        let server = server.dpop(Dpop::new());
        server.mutual_tls(MutualTls::connection())
    })
    .await;
    let key = SigningKey::generate(Algorithm::ES256);
    let alone = bound(&fixture);
    let x5t = thumbprint(&alone);
    let token = fixture.auth.mint("alice").scopes(["mcp:tools"]);
    let token = token
        .audience(RESOURCE)
        .claim("cnf", json!({"jkt": key.thumbprint(), "x5t#S256": x5t}))
        .sign();
    let proof = || {
        let proof = key.dpop_proof("POST", RESOURCE).access_token(&token);
        proof.sign()
    };
    let both = call().dpop(&token, proof()).extension(certificate(OURS));
    assert_eq!(both.send(&fixture.app).await.status(), 200);
    for request in [
        call().dpop(&token, proof()),
        call()
            .dpop(&token, proof())
            .extension(certificate(b"another")),
        call().bearer(&token).extension(certificate(OURS)),
        call().dpop(&token, "x").extension(certificate(OURS)),
    ] {
        assert_eq!(request.send(&fixture.app).await.status(), 401);
    }
    assert_eq!(fixture.runs(), 1);
}

/// The `x5t#S256` of a token that the test kit bound.
fn thumbprint(token: &str) -> String {
    let mut validation = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(token)
        .unwrap()
        .claims;
    validation["cnf"]["x5t#S256"]
        .take()
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn the_metadata_says_so() {
    let path = METADATA_URL.strip_prefix("http://127.0.0.1").unwrap();
    let name = "tls_client_certificate_bound_access_tokens";
    let on = Fixture::with(|server| server.mutual_tls(MutualTls::connection())).await;
    let get = McpRequest::list_tools().http_method(http::Method::GET);
    let get = get.uri(path);
    assert_eq!(get.clone().send(&on.app).await.message()[name], true);
    let off = Fixture::new().await;
    assert_eq!(get.send(&off.app).await.message().get(name), None);
}

#[tokio::test]
async fn a_served_socket_knows_the_address_of_the_proxy() {
    for (address, status) in [("127.0.0.1", 200), ("127.0.0.2", 401)] {
        let proxy = MutualTls::proxy([address.parse().unwrap()]);
        let fixture = Fixture::with(|server| server.mutual_tls(proxy)).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let server = tokio::spawn(fixture.server.clone().serve_on(listener));
        let response = reqwest::Client::new()
            .post(url)
            .bearer_auth(bound(&fixture))
            .header("client-cert", HEADER)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{address}");
        server.abort();
    }
}

#[test]
fn a_proxy_without_address_is_a_start_error() {
    let server = toolgate::Server::new(RESOURCE)
        .authorization_server("https://auth.example.com")
        .shared_state(std::sync::Arc::new(crate::fixture::Runs::default()))
        .mutual_tls(MutualTls::proxy([]));
    let problems = server.build().unwrap_err().to_string();
    assert!(problems.contains("client certificate"), "{problems}");
}
