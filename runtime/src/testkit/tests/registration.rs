use super::*;

#[tokio::test]
async fn a_registration_is_answered_with_what_was_registered() {
    let auth = agreeing().await;
    let reply = register(
        &auth,
        json!({
            "client_name": "Notes CLI",
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "notes:read",
            "software_id": "ignored",
        }),
    )
    .await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let body = reply.json();
    assert_eq!(body["client_name"], "Notes CLI");
    assert_eq!(body["redirect_uris"], json!([REDIRECT]));
    assert_eq!(
        body["grant_types"],
        json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(body["scope"], "notes:read");
    assert!(body["client_id_issued_at"].is_u64());
    assert!(body.get("client_secret").is_none());
    assert_eq!(auth.clients(), [body["client_id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret_that_does_not_expire() {
    let auth = agreeing().await;
    let body = register(&auth, json!({"redirect_uris": [REDIRECT]}))
        .await
        .json();
    assert_eq!(body["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(body["grant_types"], json!(["authorization_code"]));
    assert_eq!(body["client_secret"].as_str().unwrap().len(), 32);
    assert_eq!(body["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn what_cannot_be_served_is_not_registered() {
    let auth = agreeing().await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (
            json!({"redirect_uris": ["http://app.example.com/cb"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": [REDIRECT, "javascript:alert(1)"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": ["https://app.example.com/cb#x"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": REDIRECT}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "grant_types": ["password"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "response_types": ["token"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "private_key_jwt"}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": [REDIRECT], "client_name": 7}),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
    ] {
        let reply = register(&auth, metadata.clone()).await;
        assert_eq!(reply.refusal(), (400, error.to_owned()), "{metadata}");
    }
    assert!(auth.clients().is_empty());
}

#[tokio::test]
async fn the_registered_scope_does_not_cap_a_later_step_up() {
    let auth = agreeing().await;
    let metadata = json!({
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "scope": "notes:read",
    });
    let registered = register(&auth, metadata).await.json();
    let client = registered["client_id"].as_str().unwrap();
    let form = authorization(client).set("scope", "notes:read notes:delete");
    let reply = token(&auth, &redemption(client, &code(&auth, &form).await)).await;
    assert_eq!(reply.json()["scope"], "notes:read notes:delete");
}
