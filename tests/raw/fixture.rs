//! A listening server, and sockets to say anything to it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use toolgate::{
    Tool,
    prelude::*,
    testkit::{AuthorizationServer, RunningAuthorizationServer},
};

pub const RESOURCE: &str = "http://127.0.0.1/mcp";

/// Longer than anything here takes, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What has happened in the tools.
#[derive(Default)]
pub struct Events {
    started: AtomicUsize,
    ended: AtomicUsize,
}

impl Events {
    /// Counts a start now, and an end when the guard is dropped.
    fn start(self: &Arc<Self>) -> Running {
        self.started.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }
}

struct Running(Arc<Events>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

async fn hello(events: State<Events>) -> &'static str {
    let _running = events.0.start();
    "hello"
}

/// Takes a while.
async fn slow(events: State<Events>) -> &'static str {
    let _running = events.0.start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    "done"
}

/// Never ends by itself.
async fn wait(events: State<Events>) {
    let _running = events.0.start();
    std::future::pending().await
}

/// Reports progress, then never ends by itself.
async fn stream(events: State<Events>, context: RequestContext<RoleServer>) {
    let _running = events.0.start();
    if let Some(token) = context.meta.get_progress_token() {
        let progress = ProgressNotificationParam::new(token, 0.5);
        context.peer.notify_progress(progress).await.unwrap();
    }
    std::future::pending().await
}

/// A server that listens.
pub struct Listening {
    pub auth: RunningAuthorizationServer,
    pub address: SocketAddr,
    pub server: JoinHandle<io::Result<()>>,
    events: Arc<Events>,
    stop: Option<oneshot::Sender<()>>,
}

impl Listening {
    pub async fn new() -> Self {
        Self::with(|server| server).await
    }

    pub async fn with(configure: impl FnOnce(Server) -> Server) -> Self {
        let auth = AuthorizationServer::new().start().await.unwrap();
        let events = Arc::new(Events::default());
        let server = Server::new(RESOURCE)
            .authorization_server(auth.issuer())
            .shared_state(events.clone())
            .without_registered_tools()
            .tool(Tool::new("hello", "Say hello.", hello).authenticated())
            .tool(Tool::new("admin", "Do more.", hello).scopes(["admin"]))
            .tool(Tool::new("slow", "Take a while.", slow).authenticated())
            .tool(Tool::new("wait", "Wait.", wait).authenticated())
            .tool(Tool::new("stream", "Report progress.", stream).authenticated());
        let server = configure(server).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        Self {
            auth,
            address,
            server: tokio::spawn(server.serve_until(listener, stopped)),
            events,
            stop: Some(stop),
        }
    }

    /// A token of alice without scopes.
    pub fn token(&self) -> String {
        self.auth.mint("alice").audience(RESOURCE).sign()
    }

    /// How many tools have started.
    pub fn started(&self) -> usize {
        self.events.started.load(Ordering::SeqCst)
    }

    /// How many tools have ended, or were dropped.
    pub fn ended(&self) -> usize {
        self.events.ended.load(Ordering::SeqCst)
    }

    /// Tells the server to stop.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Says `bytes` and hears everything until the server closes the connection.
    pub async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes.as_ref()).await.unwrap();
        hear(&mut socket).await
    }
}

/// Everything until the server closes the connection.
pub async fn hear(socket: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    match tokio::time::timeout(PATIENCE, socket.read_to_end(&mut heard)).await {
        Ok(Ok(_)) => {}
        // A reset after the answer: the server did not want the rest of the request.
        Ok(Err(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        Err(_) => panic!("still open: {}", String::from_utf8_lossy(&heard)),
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Everything until `needle` was heard.
pub async fn hear_until(socket: &mut TcpStream, needle: &str) -> String {
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(needle) {
        let read = tokio::time::timeout(PATIENCE, socket.read_buf(&mut heard)).await;
        let read = read.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&heard)));
        assert_ne!(read.unwrap(), 0, "{}", String::from_utf8_lossy(&heard));
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Waits until `condition` holds.
pub async fn eventually(condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "it never happens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The status of each response in `heard`.
pub fn statuses(heard: &str) -> Vec<u16> {
    heard
        .split("HTTP/1.")
        .skip(1)
        .map(|response| response[2..5].parse().unwrap())
        .collect()
}

/// The body of a call of `tool`.
pub fn body(tool: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}},"_meta":{{"progressToken":"p"}}}}}}"#
    )
}

/// What a call says about its body.
pub const KIND: &str = "content-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n";

/// A whole request that calls `tool`, with additional header lines.
pub fn call(tool: &str, headers: &str) -> String {
    let body = body(tool);
    format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{KIND}content-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}
