//! What resource servers may ask, and what clients may take back.

use std::time::Duration;

use super::*;
use crate::{Introspection, IntrospectionBuilder, InvalidToken, Verifier, VerifyError};

const SECRET: &str = "rs-s3cret:%";

fn settings() -> AuthorizationServer {
    AuthorizationServer::new()
        .auto_consent("alice")
        .resource_server("notes", SECRET)
}

/// An introspection of `token` by the resource server that may ask.
fn question(auth: &RunningAuthorizationServer, token: &str) -> reqwest::RequestBuilder {
    let form = Form::new(&[("token", token), ("token_type_hint", "access_token")]);
    let url = format!("{}/introspect", auth.issuer());
    // `url` encodes what RFC 6749 §2.3.1 wants encoded.
    form.request(&url)
        .basic_auth("notes", Some("rs-s3cret%3A%25"))
}

async fn introspect(auth: &RunningAuthorizationServer, token: &str) -> Value {
    let reply = send(question(auth, token)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    reply.json()
}

fn verifier(auth: &RunningAuthorizationServer) -> IntrospectionBuilder {
    Introspection::new(auth.issuer(), RESOURCE).client_secret_basic("notes", SECRET)
}

async fn granted(auth: &RunningAuthorizationServer, client: &str) -> Value {
    let code = code(auth, &authorization(client).and("x", "y")).await;
    token(auth, &redemption(client, &code)).await.json()
}

#[tokio::test]
async fn an_opaque_token_of_the_flow_means_what_the_user_agreed_to_until_it_is_given_back() {
    let auth = settings().opaque_tokens().start().await.unwrap();
    let client = public_client(&auth).await;
    let grant = granted(&auth, &client).await;
    let access = grant["access_token"].as_str().unwrap();
    assert!(!access.contains('.'), "it says nothing: {access}");
    let answer = introspect(&auth, access).await;
    for (name, expected) in [
        ("active", json!(true)),
        ("iss", json!(auth.issuer())),
        ("aud", json!(RESOURCE)),
        ("sub", json!("alice")),
        ("client_id", json!(client)),
        ("scope", json!("notes:read notes:write")),
        ("token_type", json!("Bearer")),
    ] {
        assert_eq!(answer[name], expected, "{name}");
    }
    let uncached = verifier(&auth)
        .remember_accepted(Duration::ZERO)
        .build()
        .unwrap();
    assert!(uncached.verify(access).await.is_ok());

    let revoke = |client: &str, token: &str| {
        let form = Form::new(&[("client_id", client), ("token", token)]);
        let url = format!("{}/revoke", auth.issuer());
        async move { form.post(&url).await }
    };
    let stranger = public_client(&auth).await;
    for (who, what) in [(&stranger, access), (&client, "unknown"), (&client, "a.b")] {
        assert_eq!(revoke(who, what).await.status, StatusCode::OK);
    }
    assert!(
        uncached.verify(access).await.is_ok(),
        "nobody else can take it back"
    );
    assert_eq!(revoke(&client, access).await.status, StatusCode::OK);
    assert_eq!(introspect(&auth, access).await, json!({"active": false}));
    let refused = uncached.verify(access).await.err();
    assert_eq!(refused, Some(InvalidToken::Inactive.into()));

    let refresh = grant["refresh_token"].as_str().unwrap();
    assert_eq!(introspect(&auth, refresh).await, json!({"active": false}));
    revoke(&stranger, refresh).await;
    let again = |token: &str| {
        Form::new(&[
            ("grant_type", "refresh_token"),
            ("client_id", &client),
            ("refresh_token", token),
        ])
    };
    let next = token(&auth, &again(refresh)).await.json();
    let next = next["refresh_token"].as_str().unwrap().to_owned();
    revoke(&client, &next).await;
    let refused = token(&auth, &again(&next)).await.refusal();
    assert_eq!(refused, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn jwts_can_be_introspected_and_revoked_too() {
    let auth = settings().start().await.unwrap();
    let mint = || auth.mint("alice").audience(RESOURCE).scopes(["a"]);
    let good = mint().sign();
    assert_eq!(introspect(&auth, &good).await["active"], true);
    let stranger = crate::testkit::SigningKey::generate(jsonwebtoken::Algorithm::ES256);
    for bad in [
        mint().expired().sign(),
        mint().key(stranger).sign(),
        format!("{good}x"),
        "x".into(),
    ] {
        assert_eq!(introspect(&auth, &bad).await, json!({"active": false}));
    }
    auth.revoke(&good);
    assert_eq!(introspect(&auth, &good).await, json!({"active": false}));
    let opaque = mint().opaque();
    assert_eq!(introspect(&auth, &opaque).await["scope"], "a");
    auth.revoke(&opaque);
    assert_eq!(introspect(&auth, &opaque).await, json!({"active": false}));
    let short = mint().expires_in(Duration::from_secs(0)).opaque();
    assert_eq!(introspect(&auth, &short).await, json!({"active": false}));
}

#[tokio::test]
async fn only_resource_servers_that_were_named_may_ask() {
    let auth = settings().start().await.unwrap();
    let token = auth.mint("alice").sign();
    let url = format!("{}/introspect", auth.issuer());
    let form = Form::new(&[("token", &token)]);
    let client = public_client(&auth).await;
    for request in [
        form.request(&url),
        form.request(&url).basic_auth("notes", Some("wrong")),
        form.request(&url).basic_auth("notes", None::<&str>),
        form.request(&url)
            .basic_auth("other", Some("rs-s3cret%3A%25")),
        form.request(&url).bearer_auth(SECRET),
        form.clone().and("client_id", &client).request(&url),
        form.clone().and("client_id", "notes").request(&url),
    ] {
        let reply = send(request).await;
        assert_eq!(reply.refusal(), (401, "invalid_client".to_owned()));
        assert!(reply.header(header::WWW_AUTHENTICATE).starts_with("Basic"));
    }
    let posted = form
        .clone()
        .and("client_id", "notes")
        .and("client_secret", SECRET);
    assert_eq!(posted.post(&url).await.json()["active"], true);
    for bad in [posted.clone().without("token"), posted.and("token", &token)] {
        assert_eq!(
            bad.post(&url).await.refusal(),
            (400, "invalid_request".to_owned())
        );
    }
    let metadata = format!("{}/.well-known/oauth-authorization-server", auth.issuer());
    assert_eq!(get(&metadata).await.json()["introspection_endpoint"], url);

    let closed = agreeing().await;
    let reply = send(question(&closed, "x")).await;
    assert_eq!(reply.refusal(), (401, "invalid_client".to_owned()));
    let wrong = Introspection::new(auth.issuer(), RESOURCE).client_secret_basic("notes", "wrong");
    let outcome = wrong.build().unwrap().verify(&token).await;
    assert!(
        matches!(outcome, Err(VerifyError::Unavailable { .. })),
        "a wrong secret says nothing about the token"
    );
}

#[tokio::test]
async fn signed_answers_are_signed_by_the_issuer_for_who_asked() {
    let auth = settings().opaque_tokens().start().await.unwrap();
    let token = auth.mint("alice").audience(RESOURCE).opaque();
    let request = question(&auth, &token).header("accept", "application/token-introspection+jwt");
    let reply = send(request).await;
    let (header, claims) = parts(&reply.body);
    assert_eq!(header["typ"], "token-introspection+jwt");
    assert_eq!(claims["aud"], "notes");
    assert_eq!(claims["token_introspection"]["sub"], "alice");
    assert!(verifies(&reply.body, &auth.jwks()));
    let verifier = verifier(&auth).signed_answers().build().unwrap();
    assert!(verifier.verify(&token).await.is_ok());
    auth.rotate_keys();
    auth.withdraw_old_keys();
    let another = auth.mint("bob").audience(RESOURCE).opaque();
    // Unknown keys are not fetched more often than that, and an answer that cannot be checked is none.
    let outcome = verifier.verify(&another).await;
    assert!(
        matches!(outcome, Err(VerifyError::Unavailable { .. })),
        "{outcome:?}"
    );
}
