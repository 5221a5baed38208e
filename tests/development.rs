//! A development principal: an identity that is named in the code, for stdio and for nothing else (R125).

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex, split};
use toolgate::{Principal, Server, Tool, testkit::McpRequest};

async fn whoami(caller: Principal) -> String {
    format!("{} of {}", caller.subject(), caller.issuer())
}

async fn nothing() {}

fn server() -> Server {
    Server::new("http://127.0.0.1/mcp")
        .authorization_server("http://127.0.0.1:1")
        .tool(Tool::new("whoami", "Say who is calling.", whoami).scopes(["profile"]))
        .tool(Tool::new("delete", "Delete everything.", nothing).scopes(["admin"]))
}

/// The answers of `server` to calls of `tools`, on a pair of streams.
async fn call_on_streams(server: Server, tools: &[&str]) -> Vec<Value> {
    let (near, far) = duplex(64 * 1024);
    let (input, output) = split(far);
    let serving = tokio::spawn(server.stdio_on(input, output));
    let (answers, mut requests) = split(near);
    for (id, tool) in tools.iter().enumerate() {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": tool, "arguments": {}, "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }});
        requests
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }
    let mut lines = BufReader::new(answers).lines();
    let mut answers = Vec::new();
    while answers.len() < tools.len() {
        let line = lines
            .next_line()
            .await
            .unwrap()
            .expect("an answer to each call");
        answers.push(serde_json::from_str(&line).unwrap());
    }
    drop((requests, lines));
    serving.await.unwrap().unwrap();
    answers.sort_by_key(|answer: &Value| answer["id"].as_u64());
    answers
}

#[tokio::test]
async fn it_calls_with_the_scopes_that_were_named_and_no_others() {
    let server = server().insecure_development_principal("dev", ["profile"]);
    let answers = call_on_streams(server, &["whoami", "delete"]).await;
    assert_eq!(
        answers[0]["result"]["content"][0]["text"],
        "dev of urn:toolgate:development"
    );
    assert_eq!(answers[1]["error"]["code"], 403, "{answers:?}");
}

#[tokio::test]
async fn without_it_there_is_no_caller() {
    let answers = call_on_streams(server(), &["whoami"]).await;
    assert_eq!(answers[0]["error"]["code"], 401, "{answers:?}");
    let words = answers[0]["error"]["message"].as_str().unwrap();
    assert!(
        words.contains("TOOLGATE_TOKEN") && words.contains("`profile`"),
        "{words}"
    );
}

#[tokio::test]
async fn over_http_it_means_nothing() {
    let app = server()
        .insecure_development_principal("dev", ["profile"])
        .build()
        .unwrap()
        .router();
    let response = McpRequest::call("whoami", json!({})).send(&app).await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn its_scopes_are_checked_like_all_others() {
    let server = server().insecure_development_principal("dev", ["not a scope"]);
    let (input, output) = split(duplex(64).0);
    let error = server.stdio_on(input, output).await.unwrap_err();
    assert!(
        error.to_string().contains("`not a scope` is not a scope"),
        "{error}"
    );
}
