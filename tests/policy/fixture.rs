//! A server whose scopes are in two catalogues, one of them of a linked crate, and tokens for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use linked_scopes::LinkedScope;
use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use serde_json::{Value, json};
use toolgate::{
    Authorization, Clock, Condition, NeedScopes, ProtectedServer, Rejection,
    prelude::*,
    testkit::{AuthorizationServer, McpRequest, McpResponse, RunningAuthorizationServer},
};

pub const RESOURCE: &str = "http://127.0.0.1/mcp";
pub const METADATA_URL: &str = "http://127.0.0.1/.well-known/oauth-protected-resource/mcp";

/// What there is to do with notes.
#[derive(Debug, Clone, Copy, Scopes)]
pub enum Scope {
    /// Read your notes.
    #[scope("notes:read")]
    Read,
    /// Write notes for you.
    #[scope("notes:write", implies(Read))]
    Write,
    /// Delete your notes.
    #[scope("notes:delete", step_up)]
    Delete,
    /// Everything there is to do with notes.
    #[scope("notes:admin", implies(Write, Delete), step_up)]
    Admin,
    /// Read notes that are kept secret.
    #[scope("notes:secret", step_up)]
    Secret,
}

/// How many tools have run.
#[derive(Default)]
pub struct Runs(AtomicUsize);

impl Runs {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Read.
#[mcp_tool(scopes = Scope::Read)]
async fn read(runs: State<Runs>) -> &'static str {
    runs.count();
    "read"
}

/// Write.
#[mcp_tool(scopes("notes:write"))]
async fn write(runs: State<Runs>) {
    runs.count();
}

/// Delete or write over.
#[mcp_tool(scopes = any(Scope::Delete, all(Scope::Write, LinkedScope::Use)))]
async fn replace(runs: State<Runs>) {
    runs.count();
}

/// Delete.
#[mcp_tool(scopes(Scope::Read, any(Scope::Admin, "notes:delete")))]
async fn delete(runs: State<Runs>) {
    runs.count();
}

/// Pay.
#[mcp_tool(scopes = Scope::Write, acr("gold", "urn:example:silver"), max_age = 300)]
async fn pay(runs: State<Runs>) {
    runs.count();
}

/// Look at the till.
#[mcp_tool(authenticated, max_age = 300)]
async fn till(runs: State<Runs>) {
    runs.count();
}

const ADMIN: Condition = Condition::claim("/realm_access/roles").contains("admin");

fn admin_of_contoso() -> Condition {
    ADMIN.and(Condition::claim("/tid").is("contoso"))
}

/// Look after users.
#[mcp_tool(scopes = Scope::Read, policy = ADMIN)]
async fn users(runs: State<Runs>) {
    runs.count();
}

/// Look after the tenant.
#[mcp_tool(authenticated, policy = admin_of_contoso)]
async fn tenant(runs: State<Runs>) {
    runs.count();
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Which {
    note: String,
}

fn may_open(caller: &Principal, which: &Which) -> Authorization {
    match which.note.as_str() {
        "mine" => Authorization::Allow,
        "secret" => Authorization::needs([Scope::Secret]),
        "either" => Authorization::Needs(NeedScopes::new([toolgate::ScopeExpr::any([
            Scope::Secret,
            Scope::Write,
        ])])),
        "undeclared" => Authorization::needs(["notes:sceret"]),
        "panic" => panic!("secret detail"),
        _ => {
            assert_eq!(caller.subject(), "alice");
            Authorization::Deny
        }
    }
}

/// Open a note.
#[mcp_tool(scopes = Scope::Read, authorize = may_open)]
async fn open(
    runs: State<Runs>,
    Args(which): Args<Which>,
    context: RequestContext<RoleServer>,
) -> String {
    runs.count();
    drop(context);
    which.note
}

async fn may_look(_: &Principal, which: &Which) -> Result<Authorization, std::num::ParseIntError> {
    tokio::task::yield_now().await;
    if which.note == "panic" {
        panic!("secret detail");
    }
    let number: u8 = which.note.parse()?;
    Ok(match number {
        0 => Authorization::Allow,
        _ => Authorization::needs(["notes:write"]),
    })
}

/// Look at a note by its number.
#[mcp_tool(scopes = Scope::Read, authorize = may_look)]
async fn look(
    Args(which): Args<Which>,
    runs: State<Runs>,
    context: RequestContext<RoleServer>,
) -> String {
    runs.count();
    notify(&context).await;
    which.note
}

fn is_alice(caller: &Principal, (): &()) -> Authorization {
    match caller.subject() {
        "alice" => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

/// Be alice.
#[mcp_tool(authenticated, authorize = is_alice)]
async fn be_alice(runs: State<Runs>) {
    runs.count();
}

/// Find out.
#[mcp_tool(scopes = Scope::Read)]
async fn find(caller: Principal, Args(which): Args<Which>) -> Result<String, NeedScopes> {
    if which.note == "secret" {
        caller.require([Scope::Secret])?;
    }
    Ok(which.note)
}

/// Find out after some progress.
#[mcp_tool(scopes = Scope::Read)]
async fn search(
    caller: Principal,
    Args(which): Args<Which>,
    context: RequestContext<RoleServer>,
) -> Result<String, Rejection> {
    if which.note == "early" {
        caller.require([Scope::Secret])?;
    }
    notify(&context).await;
    // What is sent has to be on its way before it is too late to refuse.
    tokio::time::sleep(Duration::from_millis(50)).await;
    match which.note.as_str() {
        "late" => Err(NeedScopes::new([Scope::Secret]).into()),
        "forbidden" => Err(Rejection::forbidden("secret detail")),
        _ => Ok(which.note),
    }
}

/// Be there for admins only.
#[mcp_tool(scopes = Scope::Admin, list = "conceal")]
async fn concealed(runs: State<Runs>) {
    runs.count();
}

/// Be seen by those who may delete.
#[mcp_tool(scopes = Scope::Delete, list = "hide")]
async fn hidden(runs: State<Runs>) {
    runs.count();
}

/// Say hello to anybody.
#[mcp_tool(public)]
async fn hello() -> &'static str {
    "hello"
}

async fn notify(context: &RequestContext<RoleServer>) {
    if let Some(token) = context.meta.get_progress_token() {
        let progress = ProgressNotificationParam::new(token, 0.5);
        context.peer.notify_progress(progress).await.unwrap();
    }
}

pub struct Fixture {
    pub auth: RunningAuthorizationServer,
    pub app: Router,
    pub server: ProtectedServer,
    pub clock: Clock,
    /// What the clock says until it is moved.
    pub now: u64,
    runs: Arc<Runs>,
}

fn now() -> u64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    now.as_secs()
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(|server| server).await
    }

    pub async fn with(configure: impl FnOnce(Server) -> Server) -> Self {
        let auth = AuthorizationServer::new().start().await.unwrap();
        let (runs, now) = (Arc::new(Runs::default()), now());
        let clock = Clock::manual(now);
        let server = Server::new(RESOURCE)
            .authorization_server(auth.issuer())
            .clock(clock.clone())
            .shared_state(runs.clone());
        let server = configure(server).build().unwrap();
        Self {
            auth,
            app: server.router(),
            server,
            clock,
            now,
            runs,
        }
    }

    /// A token of alice that holds `scopes` and says `claims` as well.
    pub fn token(&self, scopes: &str, claims: &Value) -> String {
        let mut token = self
            .auth
            .mint("alice")
            .scopes(scopes.split_whitespace())
            .audience(RESOURCE);
        for (name, value) in claims.as_object().unwrap() {
            token = token.claim(name, value.clone());
        }
        token.sign()
    }

    /// What alice is answered who calls `tool` with a token for `scopes`.
    pub async fn call(&self, tool: &str, scopes: &str) -> McpResponse {
        self.call_with(tool, json!({}), scopes, &json!({})).await
    }

    /// The same with arguments, and claims in the token.
    pub async fn call_with(
        &self,
        tool: &str,
        arguments: Value,
        scopes: &str,
        claims: &Value,
    ) -> McpResponse {
        let call = McpRequest::call(tool, arguments).bearer(self.token(scopes, claims));
        call.send(&self.app).await
    }

    /// How many tools have run.
    pub fn runs(&self) -> usize {
        self.runs.0.load(Ordering::SeqCst)
    }
}

/// Asserts that a call was answered by a challenge for exactly `scopes`.
#[track_caller]
pub fn assert_challenged(response: &McpResponse, scopes: &str) {
    assert_eq!(response.status(), 403, "{response:?}");
    let challenge = response.challenge().unwrap();
    assert_eq!(challenge.error(), Some("insufficient_scope"));
    assert_eq!(challenge.scope(), Some(scopes));
    assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    assert_eq!(response.message()["id"], 1);
}

/// Asserts that a call was answered by no, and by nothing else.
#[track_caller]
pub fn assert_forbidden(response: &McpResponse) {
    assert_eq!(response.status(), 403, "{response:?}");
    assert_eq!(response.header("www-authenticate"), None);
    let expected = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 403, "message": "this is not allowed"}});
    assert_eq!(response.message(), expected);
}
