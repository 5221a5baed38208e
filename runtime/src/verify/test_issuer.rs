//! A tiny issuer on loopback that counts its visitors and can misbehave.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What the issuer answers when its keys are asked for.
#[derive(Clone)]
pub(super) enum Mode {
    /// These keys, with these further header lines.
    Keys(Vec<Value>, &'static str),
    Status(&'static str),
    Html,
    Broken,
    Huge,
    Drip,
    Redirect,
    /// Closes the connection without a word.
    Down,
    /// Answers as the last mode once `release` is called.
    Hang,
}

pub(super) struct TestIssuer {
    pub(super) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    url: String,
    mode: Mutex<Mode>,
    metadata: Mutex<Option<Value>>,
    key_fetches: AtomicUsize,
    metadata_fetches: AtomicUsize,
    others: AtomicUsize,
    release: watch::Sender<usize>,
}

impl TestIssuer {
    pub(super) async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let shared = Arc::new(Shared {
            url: url.clone(),
            mode: Mutex::new(mode),
            metadata: Mutex::new(Some(metadata)),
            key_fetches: AtomicUsize::new(0),
            metadata_fetches: AtomicUsize::new(0),
            others: AtomicUsize::new(0),
            release: watch::channel(0).0,
        });
        let serve = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&serve)));
            }
        });
        Self { url, shared, task }
    }

    pub(super) fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    pub(super) fn set_metadata(&self, metadata: Option<Value>) {
        *self.shared.metadata.lock().unwrap() = metadata;
    }

    pub(super) fn keys_url(&self) -> String {
        format!("{}/keys", self.url)
    }

    pub(super) fn key_fetches(&self) -> usize {
        self.shared.key_fetches.load(Ordering::SeqCst)
    }

    pub(super) fn metadata_fetches(&self) -> usize {
        self.shared.metadata_fetches.load(Ordering::SeqCst)
    }

    pub(super) fn other_fetches(&self) -> usize {
        self.shared.others.load(Ordering::SeqCst)
    }

    pub(super) fn release(&self) {
        self.shared.release.send_modify(|n| *n += 1);
    }

    /// Completes when the keys have been asked for `n` times.
    pub(super) async fn asked(&self, n: usize) {
        while self.key_fetches() < n {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    if path.contains("/.well-known/") {
        shared.metadata_fetches.fetch_add(1, Ordering::SeqCst);
        let metadata = shared.metadata.lock().unwrap().clone();
        let (status, body) = match metadata {
            Some(metadata) => ("200 OK", metadata.to_string()),
            None => ("404 Not Found", String::new()),
        };
        return send(&mut stream, status, "", &body).await;
    }
    if path != "/keys" {
        shared.others.fetch_add(1, Ordering::SeqCst);
        return send(&mut stream, "404 Not Found", "", "").await;
    }
    shared.key_fetches.fetch_add(1, Ordering::SeqCst);
    let mut mode = shared.mode.lock().unwrap().clone();
    if matches!(mode, Mode::Hang) {
        let mut release = shared.release.subscribe();
        release.changed().await.ok()?;
        mode = shared.mode.lock().unwrap().clone();
    }
    let stream = &mut stream;
    match mode {
        Mode::Keys(keys, headers) => {
            send(
                stream,
                "200 OK",
                headers,
                &json!({ "keys": keys }).to_string(),
            )
            .await
        }
        Mode::Status(status) => send(stream, status, "", "{\"keys\":[]}").await,
        Mode::Html => send(stream, "200 OK", "", "<html></html>").await,
        Mode::Broken => send(stream, "200 OK", "", "{\"keys\":[{}]}").await,
        Mode::Huge => send(stream, "200 OK", "", &" ".repeat(20 << 20)).await,
        Mode::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
            loop {
                stream.write_all(b" ").await.ok()?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Mode::Redirect => {
            let location = format!("Location: {}/elsewhere\r\n", shared.url);
            send(stream, "302 Found", &location, "").await
        }
        Mode::Down | Mode::Hang => None,
    }
}

/// Without a length: the end of the body is the end of the connection.
async fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
