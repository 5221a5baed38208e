//! The server under test, its tools, and tokens for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use toolgate::{
    prelude::*,
    testkit::{AuthorizationServer, RunningAuthorizationServer},
};

pub const RESOURCE: &str = "http://127.0.0.1/mcp";
pub const METADATA_URL: &str = "http://127.0.0.1/.well-known/oauth-protected-resource/mcp";

/// How many tools have run.
#[derive(Default)]
pub struct Runs(AtomicUsize);

impl Runs {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Pair {
    a: i64,
    b: i64,
}

/// Add two numbers.
#[mcp_tool(scopes = "mcp:tools")]
async fn add(runs: State<Runs>, Args(Pair { a, b }): Args<Pair>) -> String {
    runs.count();
    (a + b).to_string()
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Dice {
    #[schemars(range(min = 1, max = 6))]
    count: u8,
    #[schemars(regex(pattern = "^[a-z]+$"), length(max = 8))]
    name: Option<String>,
}

/// Roll dice.
#[mcp_tool(authenticated)]
async fn roll(runs: State<Runs>, Args(dice): Args<Dice>) -> String {
    runs.count();
    format!("{} {}", dice.count, dice.name.unwrap_or_default())
}

#[derive(serde::Serialize, schemars::JsonSchema)]
pub struct Notes {
    owner: String,
    notes: Vec<String>,
}

/// Read your notes.
#[mcp_tool(scopes = "notes:read", title = "Read notes")]
async fn read_notes(runs: State<Runs>, caller: Principal) -> Json<Notes> {
    runs.count();
    Json(Notes {
        owner: caller.subject().to_owned(),
        notes: vec!["milk".into()],
    })
}

/// Write a note.
#[mcp_tool(scopes("notes:write", "notes:read"))]
async fn write_note(runs: State<Runs>) {
    runs.count();
}

/// Delete all notes.
#[mcp_tool(scopes = "notes:delete", name = "delete-notes")]
async fn delete_notes(runs: State<Runs>) -> &'static str {
    runs.count();
    "gone"
}

/// Say who is calling.
#[mcp_tool(authenticated)]
async fn whoami(runs: State<Runs>, caller: Principal) -> String {
    runs.count();
    format!(
        "{} of {} through {:?}",
        caller.subject(),
        caller.issuer(),
        caller.client_id()
    )
}

/// Say hello to anybody.
#[mcp_tool(public)]
async fn hello(runs: State<Runs>, caller: Option<Principal>) -> String {
    runs.count();
    format!(
        "hello {}",
        caller.as_ref().map_or("stranger", Principal::subject)
    )
}

/// Fail.
#[mcp_tool(authenticated)]
async fn fail() -> Result<String, String> {
    Err("the cat ate it".into())
}

/// Panic.
#[mcp_tool(authenticated)]
async fn panic() {
    panic!("secret detail");
}

/// Tell everything a tool can reach.
#[mcp_tool(authenticated)]
async fn dump(
    context: RequestContext<RoleServer>,
    parts: Extension<http::request::Parts>,
) -> String {
    format!("{context:?} {parts:?}")
}

/// Report progress, then finish.
#[mcp_tool(scopes = "notes:read")]
async fn slow(runs: State<Runs>, context: RequestContext<RoleServer>) -> &'static str {
    runs.count();
    if let Some(token) = context.meta.get_progress_token() {
        let progress = ProgressNotificationParam::new(token, 0.5);
        context.peer.notify_progress(progress).await.unwrap();
    }
    "done"
}

/// A server with an authorization server of its own.
pub struct Fixture {
    pub auth: RunningAuthorizationServer,
    pub app: Router,
    pub server: toolgate::ProtectedServer,
    runs: std::sync::Arc<Runs>,
}

impl Fixture {
    /// The server that most tests use.
    pub async fn new() -> Self {
        Self::with(|server| server.step_up(["notes:delete"])).await
    }

    /// A server with a configuration of its own.
    pub async fn with(configure: impl FnOnce(Server) -> Server) -> Self {
        let auth = AuthorizationServer::new().start().await.unwrap();
        let runs = std::sync::Arc::new(Runs::default());
        let server = Server::new(RESOURCE)
            .authorization_server(auth.issuer())
            .shared_state(runs.clone());
        let server = configure(server).build().unwrap();
        Self {
            auth,
            app: server.router(),
            server,
            runs,
        }
    }

    /// A token of alice for this server that holds `scopes`, separated by spaces.
    pub fn token(&self, scopes: &str) -> String {
        self.auth
            .mint("alice")
            .scopes(scopes.split_whitespace())
            .audience(RESOURCE)
            .sign()
    }

    /// How many tools have run at this server.
    pub fn runs(&self) -> usize {
        self.runs.0.load(Ordering::SeqCst)
    }
}

/// Every protocol revision that is served.
pub const VERSIONS: [&str; 3] = ["2025-06-18", "2025-11-25", "2026-07-28"];
