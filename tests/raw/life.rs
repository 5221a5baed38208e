//! Connections that end, and servers that stop (R91, T56).

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::fixture::{KIND, Listening, call, eventually, hear, hear_until, statuses};

fn good(server: &Listening) -> String {
    format!("authorization: Bearer {}\r\n", server.token())
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_call_with_it() {
    let server = Listening::new().await;
    let mut socket = server.connect().await;
    let request = call("wait", &good(&server));
    socket.write_all(request.as_bytes()).await.unwrap();
    eventually(|| server.started() == 1).await;
    drop(socket);
    eventually(|| server.ended() == 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_takes_its_call_with_it() {
    let server = Listening::new().await;
    let mut socket = server.connect().await;
    let request = call("stream", &good(&server));
    socket.write_all(request.as_bytes()).await.unwrap();
    hear_until(&mut socket, "notifications/progress").await;
    assert_eq!((server.started(), server.ended()), (1, 0));
    drop(socket);
    eventually(|| server.ended() == 1).await;
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_is_running() {
    let mut server = Listening::new().await;
    let mut socket = server.connect().await;
    let request = call("slow", &good(&server));
    socket.write_all(request.as_bytes()).await.unwrap();
    eventually(|| server.started() == 1).await;
    server.stop();
    let heard = hear(&mut socket).await;
    assert_eq!(statuses(&heard), [200], "{heard}");
    assert!(heard.contains("done"), "{heard}");
    server.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_stops_ends_streams_and_waits_for_nobody_forever() {
    let mut server = Listening::new().await;
    let good = good(&server);
    let mut stream = server.connect().await;
    stream
        .write_all(call("stream", &good).as_bytes())
        .await
        .unwrap();
    hear_until(&mut stream, "notifications/progress").await;
    let mut call = server.connect().await;
    call.write_all(crate::fixture::call("wait", &good).as_bytes())
        .await
        .unwrap();
    eventually(|| server.started() == 2).await;
    let mut half_a_body = server.connect().await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{KIND}{good}content-length: 100\r\n\r\n{{"
    );
    half_a_body.write_all(head.as_bytes()).await.unwrap();
    let mut half_a_head = server.connect().await;
    half_a_head
        .write_all(b"POST /mcp HTTP/1.1\r\nhost: 127")
        .await
        .unwrap();
    let _idle = server.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop();
    let stopped = tokio::time::timeout(Duration::from_secs(15), &mut server.server).await;
    stopped.expect("it stops").unwrap().unwrap();
    eventually(|| server.ended() == 2).await;
}

#[tokio::test]
async fn no_task_is_left_of_any_request() {
    let server = Listening::new().await;
    let good = good(&server);
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    // The first request fetches the keys.
    let last = format!("{good}connection: close\r\n");
    server.say(call("hello", &last)).await;
    let before = tasks();
    for _ in 0..20 {
        for tool in ["hello", "admin", "nope"] {
            server.say(call(tool, &last)).await;
        }
        server.say(call("hello", "connection: close\r\n")).await;
        let mut waiting = server.connect().await;
        let request = call("wait", &good);
        waiting.write_all(request.as_bytes()).await.unwrap();
        let mut streaming = server.connect().await;
        let request = call("stream", &good);
        streaming.write_all(request.as_bytes()).await.unwrap();
        hear_until(&mut streaming, "notifications/progress").await;
    }
    // rmcp allows calls that were cancelled two seconds for their last words.
    eventually(|| tasks() <= before).await;
    eventually(|| server.started() == server.ended()).await;
}
