//! An orderly end (T56), and where a server may listen (R84).

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{net::TcpListener, sync::Notify};
use toolgate::{Server, State, Tool, testkit::AuthorizationServer};

/// Lets a test see that a call is running, and decide when it ends.
#[derive(Default)]
struct Gate {
    entered: Notify,
    leave: Notify,
}

async fn wait(gate: State<Gate>) -> &'static str {
    gate.entered.notify_one();
    gate.leave.notified().await;
    "finished"
}

#[tokio::test]
async fn calls_that_run_finish_and_nothing_new_is_accepted() {
    let auth = AuthorizationServer::new().start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
    let gate = Arc::new(Gate::default());
    let server = Server::new(&resource)
        .authorization_server(auth.issuer())
        .without_registered_tools()
        .tool(Tool::new("wait", "Wait.", wait).authenticated())
        .shared_state(gate.clone())
        .build()
        .unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let serving =
        tokio::spawn(server.serve_until(listener, async move { stopped.notified().await }));

    let token = auth.mint("alice").audience(&resource).sign();
    let call = reqwest::Client::new()
        .post(&resource)
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream")
        .json(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait"}}),
        )
        .send();
    let call = tokio::spawn(call);
    gate.entered.notified().await;
    stop.notify_one();

    // The listener is closed before the call is over.
    let mut tries = 0;
    while reqwest::Client::new().get(&resource).send().await.is_ok() {
        tries += 1;
        assert!(tries < 1000, "still accepting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.leave.notify_one();
    let answer: serde_json::Value = call.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["result"]["content"][0]["text"], "finished");
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_loopback_resource_is_not_served_to_the_network() {
    let server = Server::new("http://127.0.0.1/mcp")
        .authorization_server("http://127.0.0.1:1")
        .without_registered_tools()
        .tool(Tool::new("wait", "Wait.", wait).authenticated())
        .state(Gate::default())
        .build()
        .unwrap();
    let error = server.serve("0.0.0.0:0").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("listen on 127.0.0.1"), "{error}");
}
