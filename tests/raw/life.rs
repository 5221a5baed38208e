//! Connections that end (R91).

use tokio::io::AsyncWriteExt;

use crate::fixture::{Listening, call, eventually, hear_until};

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
