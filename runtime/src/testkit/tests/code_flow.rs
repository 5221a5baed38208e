use super::*;

#[tokio::test]
async fn a_client_registers_asks_and_gets_a_token_for_its_resource() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let reply = authorize(&auth, &authorization(&client)).await;
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let (to, answer) = reply.redirect();
    assert_eq!(to, REDIRECT);
    assert_eq!(answer["state"], "s&1");
    assert_eq!(answer["iss"], auth.issuer());
    assert_eq!(answer.len(), 3);

    let reply = token(&auth, &redemption(&client, &answer["code"])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let body = reply.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "notes:read notes:write");
    assert!(body["refresh_token"].is_string());

    let access = body["access_token"].as_str().unwrap();
    assert!(verifies(access, &auth.jwks()));
    let (header, claims) = parts(access);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "ES256");
    assert_eq!(claims["iss"], auth.issuer());
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["client_id"], client);
    assert_eq!(claims["scope"], "notes:read notes:write");
    assert!(claims["jti"].is_string());
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        600
    );
}

#[tokio::test]
async fn errors_before_the_redirect_uri_is_known_are_pages_and_never_redirects() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let good = authorization(&client);
    for bad in [
        good.clone().set("client_id", "nobody"),
        good.clone().without("client_id"),
        good.clone().and("client_id", &client),
        good.clone().without("redirect_uri"),
        good.clone().set("redirect_uri", "https://evil.example/cb"),
        good.clone()
            .set("redirect_uri", "http://127.0.0.1:7000/other"),
        good.clone().and("redirect_uri", REDIRECT),
    ] {
        let reply = authorize(&auth, &bad).await;
        assert_eq!(reply.status, 400, "{}", bad.encoded());
        assert!(reply.header(header::CONTENT_TYPE).starts_with("text/html"));
        assert!(!reply.headers.contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn errors_after_that_go_to_the_client_with_state_and_issuer() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let good = authorization(&client);
    for (bad, error) in [
        (
            good.clone().set("response_type", "token"),
            "unsupported_response_type",
        ),
        (good.clone().without("response_type"), "invalid_request"),
        (good.clone().without("code_challenge"), "invalid_request"),
        (
            good.clone().without("code_challenge_method"),
            "invalid_request",
        ),
        (
            good.clone().set("code_challenge_method", "plain"),
            "invalid_request",
        ),
        (
            good.clone().set("code_challenge", "short"),
            "invalid_request",
        ),
        (good.clone().and("scope", "notes:read"), "invalid_request"),
        (good.clone().set("scope", "no\"quotes"), "invalid_scope"),
        (good.clone().without("resource"), "invalid_target"),
        (good.clone().set("resource", "relative"), "invalid_target"),
        (
            good.clone().set("resource", "https://a.example/#x"),
            "invalid_target",
        ),
        (
            good.clone().and("resource", "https://b.example"),
            "invalid_target",
        ),
    ] {
        let (to, answer) = authorize(&auth, &bad).await.redirect();
        assert_eq!(to, REDIRECT);
        assert_eq!(answer["error"], error, "{}", bad.encoded());
        assert_eq!(answer["state"], "s&1");
        assert_eq!(answer["iss"], auth.issuer());
        assert!(!answer.contains_key("code"));
    }
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_what_belongs_to_it() {
    let auth = agreeing().await;
    let (client, other) = (public_client(&auth).await, public_client(&auth).await);
    let code = code(&auth, &authorization(&client)).await;
    let good = redemption(&client, &code);
    let wrong_verifier = "x".repeat(43);
    for (bad, refusal) in [
        (
            good.clone().set("code_verifier", &wrong_verifier),
            (400, "invalid_grant"),
        ),
        (
            good.clone().set("code_verifier", "short"),
            (400, "invalid_request"),
        ),
        (
            good.clone().without("code_verifier"),
            (400, "invalid_request"),
        ),
        (
            good.clone().set("redirect_uri", "http://127.0.0.1:7001/cb"),
            (400, "invalid_grant"),
        ),
        (
            good.clone().set("client_id", &other),
            (400, "invalid_grant"),
        ),
        (
            good.clone().set("client_id", "nobody"),
            (401, "invalid_client"),
        ),
        (good.clone().without("client_id"), (401, "invalid_client")),
        (
            good.clone().set("resource", "http://127.0.0.1:3001/mcp"),
            (400, "invalid_target"),
        ),
        (good.clone().set("code", "unknown"), (400, "invalid_grant")),
        (good.clone().without("code"), (400, "invalid_request")),
        (good.clone().and("code", &code), (400, "invalid_request")),
        (
            good.clone().set("grant_type", "password"),
            (400, "unsupported_grant_type"),
        ),
        (good.clone().without("grant_type"), (400, "invalid_request")),
        (
            good.clone().and("client_secret", "guess"),
            (401, "invalid_client"),
        ),
    ] {
        let reply = token(&auth, &bad).await;
        assert_eq!(
            reply.refusal(),
            (refusal.0, refusal.1.to_owned()),
            "{}",
            bad.encoded()
        );
        assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
        assert!(!reply.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    let repeated = good.clone().and("unread", "1").and("unread", "1");
    assert_eq!(token(&auth, &repeated).await.refusal().1, "invalid_request");
    let json = http()
        .post(format!("{}/token", auth.issuer()))
        .header(header::CONTENT_TYPE, "application/json")
        .body("{}");
    assert_eq!(send(json).await.refusal().1, "invalid_request");
    assert_eq!(token(&auth, &good).await.status, 200);
}

#[tokio::test]
async fn a_code_used_twice_revokes_the_refresh_token_it_gave() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let form = redemption(&client, &code(&auth, &authorization(&client)).await);
    let first = token(&auth, &form).await.json();
    assert_eq!(
        token(&auth, &form).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
    let refresh = Form::new(&[
        ("grant_type", "refresh_token"),
        ("client_id", &client),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ]);
    assert_eq!(
        token(&auth, &refresh).await.refusal(),
        (400, "invalid_grant".to_owned())
    );
}

#[tokio::test]
async fn a_loopback_client_may_come_back_at_another_port() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let elsewhere = "http://127.0.0.1:50999/cb";
    let form = authorization(&client).set("redirect_uri", elsewhere);
    let (to, answer) = authorize(&auth, &form).await.redirect();
    assert_eq!(to, elsewhere);
    let form = redemption(&client, &answer["code"]).set("redirect_uri", elsewhere);
    assert_eq!(token(&auth, &form).await.status, 200);
}

#[tokio::test]
async fn without_scopes_and_with_a_default_resource_little_has_to_be_said() {
    let auth = AuthorizationServer::new()
        .auto_consent("bob")
        .default_resource(RESOURCE)
        .start()
        .await
        .unwrap();
    let client = public_client(&auth).await;
    let form = authorization(&client)
        .without("resource")
        .without("scope")
        .without("state");
    let (_, answer) = authorize(&auth, &form).await.redirect();
    assert!(!answer.contains_key("state"));
    let form = redemption(&client, &answer["code"])
        .without("resource")
        .without("redirect_uri");
    let body = token(&auth, &form).await.json();
    let claims = parts(body["access_token"].as_str().unwrap()).1;
    assert_eq!(
        (&claims["sub"], &claims["aud"], &claims["scope"]),
        (&json!("bob"), &json!(RESOURCE), &json!(""))
    );
}

#[tokio::test]
async fn a_client_with_a_secret_may_send_it_either_way_but_must_send_it() {
    let auth = agreeing().await;
    let metadata =
        json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "client_secret_basic"});
    let registered = register(&auth, metadata).await.json();
    let id = registered["client_id"].as_str().unwrap();
    let secret = registered["client_secret"].as_str().unwrap();
    let url = format!("{}/token", auth.issuer());
    let fresh = async || redemption(id, &code(&auth, &authorization(id)).await);

    let silent = token(&auth, &fresh().await).await;
    assert_eq!(silent.refusal(), (401, "invalid_client".to_owned()));
    let wrong = send(fresh().await.request(&url).basic_auth(id, Some("wrong"))).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client".to_owned()));
    assert!(wrong.header(header::WWW_AUTHENTICATE).starts_with("Basic "));
    let both = fresh().await.and("client_secret", secret);
    let both = send(both.request(&url).basic_auth(id, Some(secret))).await;
    assert_eq!(both.refusal(), (400, "invalid_request".to_owned()));

    let posted = token(&auth, &fresh().await.and("client_secret", secret)).await;
    assert_eq!(posted.status, 200);
    // The registration did not ask for refresh tokens.
    assert!(posted.json().get("refresh_token").is_none());
    let basic = fresh().await.without("client_id");
    assert_eq!(
        send(basic.request(&url).basic_auth(id, Some(secret)))
            .await
            .status,
        200
    );
}
