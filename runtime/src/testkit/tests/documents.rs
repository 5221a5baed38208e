use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, response::IntoResponse, routing::get as route};

use super::*;

/// A web site with the documents of some clients, and the number of requests it had.
async fn site() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let document = |path: &str, change: &dyn Fn(&mut Value)| {
        let mut document = json!({
            "client_id": format!("{base}{path}"),
            "client_name": "Document client",
            "redirect_uris": [REDIRECT],
        });
        change(&mut document);
        let body = document.to_string();
        let json = [(header::CONTENT_TYPE, "application/json")];
        route(move || async move { (json, body).into_response() })
    };
    let elsewhere = [(header::LOCATION, format!("{base}/good"))];
    let app = Router::new()
        .route("/good", document("/good", &|_| {}))
        .route("/other", document("/good", &|_| {}))
        .route(
            "/nameless",
            document("/nameless", &|d| d["client_name"] = Value::Null),
        )
        .route(
            "/homeless",
            document("/homeless", &|d| d["redirect_uris"] = json!([])),
        )
        .route(
            "/secret",
            document("/secret", &|d| {
                d["token_endpoint_auth_method"] = json!("client_secret_basic");
            }),
        )
        .route(
            "/large",
            document("/large", &|d| d["padding"] = json!("x".repeat(70_000))),
        )
        .route(
            "/moved",
            route(move || async move { (StatusCode::FOUND, elsewhere) }),
        )
        .route("/text", route(|| async { "hello" }))
        .layer(axum::middleware::map_request(
            move |request: axum::extract::Request| {
                counter.fetch_add(1, Ordering::Relaxed);
                async move { request }
            },
        ));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, requests)
}

#[tokio::test]
async fn a_client_is_what_the_document_at_its_id_says() {
    let auth = agreeing().await;
    let (site, requests) = site().await;
    let client = format!("{site}/good");
    let code = code(&auth, &authorization(&client)).await;
    let reply = token(&auth, &redemption(&client, &code)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        parts(reply.json()["access_token"].as_str().unwrap()).1["client_id"],
        client
    );
    assert_eq!(
        requests.load(Ordering::Relaxed),
        1,
        "the document is remembered"
    );
    let foreign = authorization(&client).set("redirect_uri", "https://evil.example/cb");
    assert_eq!(authorize(&auth, &foreign).await.status, 400);
    assert!(auth.clients().is_empty());
}

#[tokio::test]
async fn a_document_that_is_not_right_is_no_client() {
    let auth = agreeing().await;
    let (site, _) = site().await;
    for (path, reason) in [
        ("/other", "is not its address"),
        ("/nameless", "has no <code>client_name</code>"),
        ("/homeless", "redirect_uris"),
        ("/secret", "must use <code>none</code>"),
        ("/large", "larger than 64 KiB"),
        ("/moved", "answered with 200"),
        ("/text", "not a JSON document"),
        ("/missing", "answered with 200"),
    ] {
        let reply = authorize(&auth, &authorization(&format!("{site}{path}"))).await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.body.contains(reason), "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_document_at_a_private_address_is_never_fetched() {
    let auth = agreeing().await;
    for client in [
        "https://10.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/client.json",
        "https://[::ffff:192.168.0.1]/client.json",
        "https://0x0a000001/client.json",
    ] {
        let reply = authorize(&auth, &authorization(client)).await;
        assert_eq!(reply.status, 400, "{client}");
    }
    let reply = authorize(&auth, &authorization("https://10.0.0.1/client.json")).await;
    assert!(reply.body.contains("not public"), "{}", reply.body);
    let (site, requests) = site().await;
    let plain = site.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    assert_eq!(
        authorize(&auth, &authorization(&format!("{plain}/good")))
            .await
            .status,
        400
    );
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}
