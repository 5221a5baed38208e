//! Step-up authentication (RFC 9470, T37 and appendix D).

use std::time::Duration;

use serde_json::{Value, json};
use toolgate::testkit::{McpRequest, McpResponse};

use crate::fixture::{Fixture, METADATA_URL, assert_challenged};

/// Asserts that a call was answered by a request to log in again.
#[track_caller]
fn assert_login(response: &McpResponse, parameters: &str) {
    assert_eq!(response.status(), 401, "{response:?}");
    let expected = format!(
        "Bearer error=\"insufficient_user_authentication\", error_description=\"this operation needs another login\", {parameters}, resource_metadata=\"{METADATA_URL}\""
    );
    assert_eq!(response.header("www-authenticate"), Some(&*expected));
    assert_eq!(response.message()["id"], 1);
}

const PAY: &str = "acr_values=\"gold urn:example:silver\", max_age=\"300\"";

#[tokio::test]
async fn every_row_of_contexts_ages_and_scopes() {
    let fixture = Fixture::new().await;
    let now = fixture.now;
    let login = |acr: &str, age: u64| json!({"acr": acr, "auth_time": now - age});
    let with_scope = format!("{PAY}, scope=\"notes:write\"");
    let pay = |scopes, claims: Value| {
        let fixture = &fixture;
        async move { fixture.call_with("pay", json!({}), scopes, &claims).await }
    };
    for claims in [login("gold", 10), login("urn:example:silver", 300)] {
        assert_eq!(pay("notes:write", claims.clone()).await.status(), 200);
        assert_challenged(&pay("notes:read", claims).await, "notes:write");
    }
    assert_eq!(fixture.runs(), 2);
    for claims in [
        json!({}),
        json!({"acr": "gold"}),
        json!({"auth_time": now}),
        json!({"acr": ["gold"], "auth_time": now}),
        json!({"acr": "gold", "auth_time": now.to_string()}),
        json!({"acr": "gold", "auth_time": now + 3600}),
        login("bronze", 10),
        login("gold", 361),
    ] {
        assert_login(&pay("notes:write", claims.clone()).await, PAY);
        assert_login(&pay("notes:read", claims).await, &with_scope);
    }
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn a_login_ages_while_its_token_is_used() {
    let fixture = Fixture::new().await;
    let token = fixture.token("", &json!({"auth_time": fixture.now}));
    let call = || {
        McpRequest::call("till", json!({}))
            .bearer(&token)
            .send(&fixture.app)
    };
    assert_eq!(call().await.status(), 200);
    fixture.clock.advance(Duration::from_secs(359));
    assert_eq!(call().await.status(), 200);
    fixture.clock.advance(Duration::from_secs(2));
    assert_login(&call().await, "max_age=\"300\"");
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn without_a_token_and_with_a_bad_one_the_challenge_is_the_usual_one() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("till", json!({}));
    let response = call.clone().send(&fixture.app).await;
    assert_eq!(response.challenge().unwrap().error(), None);
    let response = call.bearer("garbage").send(&fixture.app).await;
    assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
}
