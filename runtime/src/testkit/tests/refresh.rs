use super::*;

async fn first(auth: &RunningAuthorizationServer, client: &str) -> String {
    let form = redemption(client, &code(auth, &authorization(client)).await);
    refresh_token(&token(auth, &form).await)
}

fn refresh_token(reply: &Reply) -> String {
    reply.json()["refresh_token"].as_str().unwrap().to_owned()
}

fn refresh(client: &str, token: &str) -> Form {
    Form::new(&[
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", token),
    ])
}

#[tokio::test]
async fn a_refresh_gives_a_new_access_token_and_a_new_refresh_token() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let old = first(&auth, &client).await;
    let reply = token(&auth, &refresh(&client, &old).and("resource", RESOURCE)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_ne!(refresh_token(&reply), old);
    let claims = parts(reply.json()["access_token"].as_str().unwrap()).1;
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["scope"], "notes:read notes:write");
}

#[tokio::test]
async fn an_old_refresh_token_kills_the_whole_family() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let old = first(&auth, &client).await;
    let new = refresh_token(&token(&auth, &refresh(&client, &old)).await);
    let replayed = token(&auth, &refresh(&client, &old)).await;
    assert_eq!(replayed.refusal(), (400, "invalid_grant".to_owned()));
    let innocent = token(&auth, &refresh(&client, &new)).await;
    assert_eq!(innocent.refusal(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_refresh_narrows_but_never_widens() {
    let auth = agreeing().await;
    let client = public_client(&auth).await;
    let held = first(&auth, &client).await;
    let wide = token(
        &auth,
        &refresh(&client, &held).and("scope", "notes:read admin"),
    )
    .await;
    assert_eq!(wide.refusal(), (400, "invalid_scope".to_owned()));
    let narrow = token(&auth, &refresh(&client, &held).and("scope", "notes:read")).await;
    assert_eq!(narrow.json()["scope"], "notes:read");
}

#[tokio::test]
async fn a_refresh_token_is_of_its_client_and_its_resource_only() {
    let auth = agreeing().await;
    let (client, other) = (public_client(&auth).await, public_client(&auth).await);
    let held = first(&auth, &client).await;
    let stolen = token(&auth, &refresh(&other, &held)).await;
    assert_eq!(stolen.refusal(), (400, "invalid_grant".to_owned()));
    let foreign = refresh(&client, &held).and("resource", "http://127.0.0.1:3001/mcp");
    assert_eq!(
        token(&auth, &foreign).await.refusal(),
        (400, "invalid_target".to_owned())
    );
    let unknown = token(&auth, &refresh(&client, "a.b")).await;
    assert_eq!(unknown.refusal(), (400, "invalid_grant".to_owned()));
    assert_eq!(token(&auth, &refresh(&client, &held)).await.status, 200);
}

#[tokio::test]
async fn offline_access_gets_a_refresh_token_and_stays_out_of_the_access_token() {
    let auth = agreeing().await;
    let metadata = json!({"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"});
    let registered = register(&auth, metadata).await.json();
    let client = registered["client_id"].as_str().unwrap();
    let plain = redemption(client, &code(&auth, &authorization(client)).await);
    assert!(
        token(&auth, &plain)
            .await
            .json()
            .get("refresh_token")
            .is_none()
    );
    let offline = authorization(client).set("scope", "notes:read offline_access");
    let reply = token(&auth, &redemption(client, &code(&auth, &offline).await)).await;
    assert_eq!(reply.json()["scope"], "notes:read");
    let next = refresh(client, &refresh_token(&reply)).and("scope", "notes:read offline_access");
    assert_eq!(token(&auth, &next).await.status, 200);
}
