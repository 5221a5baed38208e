use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::*;
use crate::testkit::SigningKey;

#[tokio::test]
async fn both_metadata_documents_are_this_one() {
    let auth = AuthorizationServer::new()
        .scope("notes:write", "Write")
        .scope("notes:read", "Read")
        .start()
        .await
        .unwrap();
    let issuer = auth.issuer();
    assert!(issuer.starts_with("http://127.0.0.1:"));
    let expected = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "scopes_supported": ["notes:read", "notes:write"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256", "PS256", "ES384"],
    });
    for name in ["oauth-authorization-server", "openid-configuration"] {
        let reply = get(&format!("{issuer}/.well-known/{name}")).await;
        assert_eq!(reply.header(header::CONTENT_TYPE), "application/json");
        assert_eq!(reply.json(), expected, "{name}");
    }
}

#[tokio::test]
async fn without_described_scopes_the_list_is_absent() {
    let auth = agreeing().await;
    let document = get(&format!(
        "{}/.well-known/oauth-authorization-server",
        auth.issuer()
    ))
    .await;
    assert!(document.json().get("scopes_supported").is_none());
}

#[tokio::test]
async fn rotated_keys_stay_published_until_they_are_withdrawn() {
    let auth = agreeing().await;
    let published = async || get(&format!("{}/jwks", auth.issuer())).await.json();
    let old = auth.mint("alice").sign();
    auth.rotate_keys();
    let new = auth.mint("alice").sign();
    assert_eq!(published().await, auth.jwks());
    assert!(verifies(&old, &published().await) && verifies(&new, &published().await));
    auth.withdraw_old_keys();
    assert!(!verifies(&old, &published().await) && verifies(&new, &published().await));
    assert_eq!(auth.hits("/jwks"), 5);
    assert_eq!(auth.hits("/token"), 0);
}

#[tokio::test]
async fn tokens_are_signed_with_the_algorithm_that_was_chosen() {
    for algorithm in [Algorithm::RS256, Algorithm::EdDSA] {
        let auth = AuthorizationServer::new()
            .algorithm(algorithm)
            .start()
            .await
            .unwrap();
        auth.rotate_keys();
        let token = auth.mint("alice").sign();
        assert_eq!(parts(&token).0["alg"], format!("{algorithm:?}"));
        assert!(verifies(&token, &auth.jwks()));
    }
}

#[tokio::test]
async fn minted_tokens_are_like_issued_ones_until_they_are_made_wrong() {
    let auth = AuthorizationServer::new()
        .token_lifetime(Duration::from_secs(90))
        .default_resource(RESOURCE)
        .start()
        .await
        .unwrap();
    let (header, claims) = parts(
        &auth
            .mint("alice")
            .scopes(["a", "b"])
            .client_id("cli")
            .sign(),
    );
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["iss"], auth.issuer());
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["scope"], "a b");
    assert_eq!(claims["client_id"], "cli");
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        90
    );
    let names: Vec<_> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "aud",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "scope",
            "sub"
        ]
    );

    let token = auth
        .mint("bob")
        .audience("https://a.example")
        .claim("tenant", json!({"id": 7}))
        .without("jti")
        .header("typ", json!("JWT"))
        .header("kid", Value::Null)
        .expired()
        .sign();
    let (header, claims) = parts(&token);
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT"}));
    assert_eq!(claims["aud"], "https://a.example");
    assert_eq!(claims["tenant"]["id"], 7);
    assert!(claims.get("jti").is_none());
    assert!(claims["exp"].as_u64().unwrap() < crate::testkit::issuer::unix_now());

    let stranger = SigningKey::generate(Algorithm::ES256);
    let token = auth.mint("alice").key(stranger.clone()).sign();
    assert!(!verifies(&token, &auth.jwks()));
    assert!(verifies(&token, &json!({"keys": [stranger.public_jwk()]})));
}

#[tokio::test]
async fn browser_clients_may_call_what_is_for_them_and_nothing_else() {
    let auth = agreeing().await;
    for (path, open) in [
        ("/register", true),
        ("/token", true),
        ("/jwks", true),
        ("/authorize", false),
        ("/consent", false),
    ] {
        let preflight = http()
            .request(reqwest::Method::OPTIONS, format!("{}{path}", auth.issuer()))
            .header(header::ORIGIN, "https://inspector.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(
                header::ACCESS_CONTROL_REQUEST_HEADERS,
                "content-type,authorization",
            );
        let allowed = send(preflight)
            .await
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed, open, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_foreign_host_is_403() {
    let auth = agreeing().await;
    let unknown = get(&format!("{}/userinfo", auth.issuer())).await;
    assert_eq!(unknown.refusal(), (404, "not_found".to_owned()));
    for (host, status) in [
        ("evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("localhost:1234", 200),
    ] {
        let rebound = http()
            .get(format!("{}/jwks", auth.issuer()))
            .header(header::HOST, host);
        assert_eq!(send(rebound).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn the_server_ends_with_its_last_handle_or_at_shutdown() {
    let auth = agreeing().await;
    let address = auth.issuer().strip_prefix("http://").unwrap().to_owned();
    let other = auth.clone();
    drop(auth);
    assert_eq!(get(&format!("{}/jwks", other.issuer())).await.status, 200);
    other.shutdown().await;
    let again = AuthorizationServer::new().start_on(&address).await.unwrap();
    assert_eq!(again.issuer(), format!("http://{address}"));
    drop(again);
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("still listening");
}

#[tokio::test]
async fn the_banner_and_the_debug_text_name_the_server_and_no_secret() {
    let auth = agreeing().await;
    assert!(auth.banner().contains("NEVER") && auth.banner().contains(auth.issuer()));
    let kid = auth.jwks()["keys"][0]["kid"].as_str().unwrap().to_owned();
    assert!(!format!("{auth:?}").contains(&kid));
}
