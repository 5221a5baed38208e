//! What an authorization server lacks is said once, when the server starts.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::net::TcpListener;
use toolgate::{Server, Tool, testkit::AuthorizationServer};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn nothing() {}

#[tokio::test]
async fn each_finding_is_one_warning_and_serving_goes_on() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let auth = AuthorizationServer::new()
        .scope("a", "A")
        .start()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/mcp", listener.local_addr().unwrap());
    let server = Server::new(&resource)
        .authorization_server(auth.issuer())
        .tool(Tool::new("tool", "Do nothing.", nothing).scopes(["a", "b", "c"]))
        .build()
        .unwrap();
    let serving = tokio::spawn(server.serve_on(listener));
    let text = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    while !text().contains("scope `c`") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let text = text();
    let warnings: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" WARN toolgate: "))
        .collect();
    assert_eq!(warnings.len(), 2, "{text}");
    for (warning, scope) in warnings.iter().zip(["b", "c"]) {
        assert!(warning.contains(auth.issuer()) && warning.contains(&format!("`{scope}`")));
    }
    assert_eq!(auth.hits("/.well-known/oauth-authorization-server"), 1);
    assert_eq!(auth.hits("/jwks"), 1, "nothing is fetched twice for it");
    let answer = reqwest::Client::new().post(resource).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    serving.abort();
}
