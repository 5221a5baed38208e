//! Tools of a crate that is named once and then forgotten (T45).

use linked_tools as _;
use serde_json::json;
use toolgate::testkit::McpRequest;

use crate::fixture::Fixture;

#[tokio::test]
async fn tools_of_a_linked_crate_are_served_with_their_requirements() {
    let fixture = Fixture::new().await;
    let call = McpRequest::call("linked.answer", json!({}));
    let refused = call
        .clone()
        .bearer(fixture.token(""))
        .send(&fixture.app)
        .await;
    assert_eq!(refused.challenge().unwrap().scope(), Some("linked:use"));
    let answered = call
        .bearer(fixture.token("linked:use"))
        .send(&fixture.app)
        .await;
    assert_eq!(answered.text(), "from afar, alice");
}
