//! The whole MCP authorization flow, by rmcp's own OAuth client over real sockets: 401, Protected Resource
//! Metadata, authorization server metadata, registration, authorization code with PKCE, a call, 403, step-up.
//!
//! Nothing is taken on trust from the client: what it sent is read from what the two servers saw.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State as Shared},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use http::header;
use http_body_util::BodyExt;
use rmcp::{
    RoleClient,
    model::{CallToolRequestParams, CallToolResult, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt, RunningService, ServiceError},
    transport::{
        AuthClient, AuthorizationManager, StreamableHttpClientTransport,
        auth::{AuthError, AuthorizationCallback, AuthorizationRequest, OAuthState},
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use toolgate::{
    prelude::*,
    testkit::{AuthorizationServer, RunningAuthorizationServer},
};
use url::Url;

const PRM: &str = "/.well-known/oauth-protected-resource/mcp";
const AS_METADATA: &str = "/.well-known/oauth-authorization-server";
/// Nothing listens there: the test reads the redirect instead of following it.
const REDIRECT: &str = "http://127.0.0.1:9/callback";

#[derive(Default)]
struct Notebook(Mutex<HashMap<Identity, Vec<String>>>);

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Notes {
    notes: Vec<String>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct NewNote {
    text: String,
}

/// List your notes.
#[mcp_tool(scopes = "notes:read")]
async fn list_notes(State(notebook): State<Notebook>, caller: Principal) -> Json<Notes> {
    let notebook = notebook.0.lock().unwrap();
    let notes = notebook.get(&caller.identity()).cloned();
    Json(Notes {
        notes: notes.unwrap_or_default(),
    })
}

/// Add a note to yours.
#[mcp_tool(scopes = "notes:write")]
async fn add_note(
    State(notebook): State<Notebook>,
    caller: Principal,
    Args(note): Args<NewNote>,
) -> String {
    let mut notebook = notebook.0.lock().unwrap();
    let notes = notebook.entry(caller.identity()).or_default();
    notes.push(note.text);
    format!("note {} kept", notes.len())
}

/// One request that the protected server answered.
#[derive(Debug, Clone)]
struct Seen {
    path: String,
    /// The JSON-RPC method, with the name of the tool where there is one; empty for metadata.
    what: String,
    with_token: bool,
    status: u16,
    challenge: Option<String>,
}

impl Seen {
    fn is(&self, what: &str, with_token: bool, status: u16) -> bool {
        self.what == what && self.with_token == with_token && self.status == status
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Two authorization servers, of which the first is the one that clients are sent to, and a server that
/// trusts both.
struct World {
    auth: RunningAuthorizationServer,
    other: RunningAuthorizationServer,
    origin: String,
    log: Log,
}

impl World {
    async fn start() -> Self {
        let auth = AuthorizationServer::new().auto_consent("alice");
        let auth = auth
            .scope("notes:read", "Read your notes")
            .scope("notes:write", "Write notes for you")
            .scope("notes:unrelated", "Something no tool here needs")
            .start()
            .await
            .unwrap();
        let other = AuthorizationServer::new().start().await.unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::new(format!("{origin}/mcp"))
            .authorization_server(auth.issuer())
            .authorization_server(other.issuer())
            .step_up(["notes:write"])
            .state(Notebook::default())
            .build()
            .unwrap();
        let log = Log::default();
        let app = server
            .router()
            .layer(middleware::from_fn_with_state(log.clone(), record));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            auth,
            other,
            origin,
            log,
        }
    }

    fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// What the server says whenever somebody needs `scope`.
    fn challenge(&self, error: &str, scope: &str) -> String {
        format!(
            r#"Bearer {error}scope="{scope}", resource_metadata="{}{PRM}""#,
            self.origin
        )
    }

    fn insufficient(&self, scope: &str) -> String {
        let error =
            r#"error="insufficient_scope", error_description="this operation needs more scopes", "#;
        self.challenge(error, scope)
    }

    /// What was seen since the last time.
    fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// A client that holds `token` and knows nothing about OAuth.
    async fn with_token(&self, token: String) -> RunningService<RoleClient, ()> {
        let config =
            StreamableHttpClientTransportConfig::with_uri(self.resource()).auth_header(token);
        let transport = StreamableHttpClientTransport::with_client(http(), config);
        ().serve_with_lifecycle(transport, ClientLifecycleMode::Initialize)
            .await
            .unwrap()
    }
}

async fn record(Shared(log): Shared<Log>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default();
    let tool = message["params"]["name"].as_str().unwrap_or_default();
    let mut seen = Seen {
        path: parts.uri.path().to_owned(),
        what: format!("{method} {tool}").trim().to_owned(),
        with_token: parts.headers.contains_key(header::AUTHORIZATION),
        status: 0,
        challenge: None,
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    seen.status = response.status().as_u16();
    seen.challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap().to_owned());
    log.lock().unwrap().push(seen);
    response
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// What a browser does, when the user agrees: the address it is sent back to.
async fn visit(authorization_url: &str) -> String {
    let response = http().get(authorization_url).send().await.unwrap();
    assert_eq!(response.status(), 303, "{authorization_url}");
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(REDIRECT), "{location}");
    location.to_owned()
}

fn query(url: &str) -> HashMap<String, String> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn scopes(text: &str) -> Vec<&str> {
    let mut scopes: Vec<_> = text.split(' ').collect();
    scopes.sort_unstable();
    scopes
}

/// Checks an authorization request: PKCE, the resource, the scopes and nothing beyond them.
fn check_request(url: &str, world: &World, expected_scopes: &[&str]) {
    let query = query(url);
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["code_challenge"].len(), 43);
    assert_eq!(query["resource"], world.resource());
    assert_eq!(query["redirect_uri"], REDIRECT);
    assert_eq!(scopes(&query["scope"]), expected_scopes);
}

async fn call(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let mut request = CallToolRequestParams::new(tool);
    request.arguments = arguments.as_object().cloned();
    client.call_tool(request).await
}

async fn notes_of(client: &RunningService<RoleClient, ()>) -> Value {
    let result = call(client, "list_notes", json!({})).await.unwrap();
    result.structured_content.unwrap()["notes"].clone()
}

/// How the client comes by its id.
enum Registration {
    Dynamic,
    /// The id is the address of a document about the client.
    Document(String),
}

/// How the client starts, and the first request that it then sends.
fn lifecycle(version: ProtocolVersion) -> (ClientLifecycleMode, &'static str) {
    if version == ProtocolVersion::V_2026_07_28 {
        let discover = ClientLifecycleMode::Discover {
            preferred_versions: vec![version],
        };
        (discover, "server/discover")
    } else {
        (ClientLifecycleMode::Initialize, "initialize")
    }
}

/// The whole flow. Returns when everything that can be seen of it has been checked.
async fn log_in_and_step_up(world: &World, version: ProtocolVersion, registration: Registration) {
    let (lifecycle, first) = lifecycle(version.clone());
    let config = || StreamableHttpClientTransportConfig::with_uri(world.resource());

    // Without a token: 401, and nothing but the challenge.
    let transport = StreamableHttpClientTransport::with_client(http(), config());
    let refused = ().serve_with_lifecycle(transport, lifecycle.clone()).await;
    let refused = refused.unwrap_err();
    let challenge = refused.auth_challenge().unwrap().to_owned();
    assert_eq!(challenge, world.challenge("", "notes:read"));
    let seen = world.seen();
    assert!(seen[0].is(first, false, 401), "{seen:?}");
    assert_eq!(seen[0].challenge, Some(challenge.clone()));
    assert_eq!(world.auth.hits(AS_METADATA), 0);

    // From the challenge to the authorization request.
    let mut state = OAuthState::new(world.resource(), None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT)
        .with_client_name("rmcp")
        .with_challenge(challenge);
    let request = match &registration {
        Registration::Dynamic => request,
        Registration::Document(id) => request.with_preregistered_client(id),
    };
    state.start_authorization(request).await.unwrap();
    let seen = world.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!((seen[0].path.as_str(), seen[0].status), (PRM, 200));
    assert_eq!(world.auth.hits(AS_METADATA), 1);
    assert_eq!(world.other.hits(AS_METADATA), 0);

    let url = state.get_authorization_url().await.unwrap();
    check_request(&url, world, &["notes:read"]);
    match &registration {
        Registration::Dynamic => {
            assert_eq!(world.auth.hits("/register"), 1);
            assert_eq!(world.auth.clients(), [query(&url)["client_id"].clone()]);
        }
        Registration::Document(id) => {
            assert_eq!(world.auth.hits("/register"), 0);
            assert_eq!(&query(&url)["client_id"], id);
        }
    }

    // Through the browser, back with a code, and on to a token.
    let callback = visit(&url).await;
    assert_eq!(query(&callback)["iss"], world.auth.issuer());
    state.handle_callback_url(&callback).await.unwrap();
    assert_eq!(
        (world.auth.hits("/authorize"), world.auth.hits("/token")),
        (1, 1)
    );
    let manager: AuthorizationManager = state.into_authorization_manager().unwrap();
    assert_eq!(manager.get_current_scopes().await, ["notes:read"]);

    // With a token: the tools, and the one that may be called.
    let oauth = AuthClient::new(http(), manager);
    let manager = oauth.auth_manager.clone();
    let transport = StreamableHttpClientTransport::with_client(oauth, config());
    let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    assert_eq!(client.peer().peer_info().unwrap().protocol_version, version);
    let names: Vec<_> = client.list_all_tools().await.unwrap();
    let names: Vec<_> = names.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["add_note", "list_notes"]);
    assert_eq!(notes_of(&client).await, json!([]));
    let seen = world.seen();
    for what in [first, "tools/list", "tools/call list_notes"] {
        assert!(
            seen.iter().any(|s| s.is(what, true, 200)),
            "{what}: {seen:?}"
        );
    }

    // One scope short: 403 with the challenge of that tool.
    let refused = call(&client, "add_note", json!({"text": "milk"})).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.auth_challenge(),
        Some(&*world.insufficient("notes:write")),
        "{refused:?}"
    );
    let seen = world.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].is("tools/call add_note", true, 403), "{seen:?}");
    assert_eq!(seen[0].challenge, Some(world.insufficient("notes:write")));
    // The connection is as good as before.
    assert_eq!(notes_of(&client).await, json!([]));

    // Step up, and the same client goes on with the new token.
    let url = manager
        .lock()
        .await
        .request_scope_upgrade("notes:write")
        .await
        .unwrap();
    check_request(&url, world, &["notes:read", "notes:write"]);
    let callback = AuthorizationCallback::from_redirect_url(&visit(&url).await).unwrap();
    {
        let manager = manager.lock().await;
        let issuer = callback.issuer.as_deref();
        let exchange = manager.exchange_code_for_token_with_issuer(
            &callback.code,
            &callback.csrf_token,
            issuer,
        );
        exchange.await.unwrap();
        assert_eq!(
            scopes(&manager.get_current_scopes().await.join(" ")),
            ["notes:read", "notes:write"]
        );
    }
    assert_eq!(
        (world.auth.hits("/authorize"), world.auth.hits("/token")),
        (2, 2)
    );
    world.seen();
    let added = call(&client, "add_note", json!({"text": "milk"})).await;
    assert_eq!(
        added.unwrap().content[0].as_text().unwrap().text,
        "note 1 kept"
    );
    assert_eq!(notes_of(&client).await, json!(["milk"]));
    let seen = world.seen();
    assert!(seen[0].is("tools/call add_note", true, 200), "{seen:?}");

    // Registration happened once, and keys were fetched once.
    let registrations = usize::from(matches!(registration, Registration::Dynamic));
    assert_eq!(world.auth.hits("/register"), registrations);
    assert_eq!(world.auth.clients().len(), registrations);
    assert_eq!(world.auth.hits("/jwks"), 1);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_registers_logs_in_and_steps_up_with_2025_11_25() {
    let world = World::start().await;
    let version = ProtocolVersion::V_2025_11_25;
    log_in_and_step_up(&world, version, Registration::Dynamic).await;
}

#[tokio::test]
async fn rmcp_registers_logs_in_and_steps_up_with_2026_07_28() {
    let world = World::start().await;
    let version = ProtocolVersion::V_2026_07_28;
    log_in_and_step_up(&world, version, Registration::Dynamic).await;
}

/// A client's metadata document on this machine, and how often it was read.
async fn client_document() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let id = format!("http://{}/client.json", listener.local_addr().unwrap());
    let document = json!({
        "client_id": id,
        "client_name": "rmcp",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    let reads = Arc::new(AtomicUsize::new(0));
    let count = reads.clone();
    let app = Router::new().route(
        "/client.json",
        get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            axum::Json(document)
        }),
    );
    tokio::spawn(async move { axum::serve(listener, app).await });
    (id, reads)
}

/// rmcp takes only an https address for a document of its own accord, as the draft says; there is none on
/// a loopback interface, so the id is given to it as one that was registered before.
#[tokio::test]
async fn rmcp_logs_in_and_steps_up_with_a_client_metadata_document() {
    for version in [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28] {
        let world = World::start().await;
        let (id, reads) = client_document().await;
        log_in_and_step_up(&world, version, Registration::Document(id)).await;
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn rmcp_sees_that_documents_are_supported_and_wants_an_https_address_for_one() {
    let world = World::start().await;
    let mut state = OAuthState::new(world.resource(), None).await.unwrap();
    let request = |url| AuthorizationRequest::new(REDIRECT).with_client_metadata_url(url);
    let refused = state
        .start_authorization(request("http://127.0.0.1:9/client.json"))
        .await;
    assert!(
        matches!(&refused, Err(AuthError::RegistrationFailed(why)) if why.contains("HTTPS")),
        "{refused:?}"
    );
    let id = "https://app.example.com/client.json";
    state.start_authorization(request(id)).await.unwrap();
    let url = state.get_authorization_url().await.unwrap();
    assert_eq!(query(&url)["client_id"], id);
    assert_eq!(world.auth.hits("/register"), 0);
}

#[tokio::test]
async fn rmcp_finds_its_way_without_having_seen_a_challenge() {
    let world = World::start().await;
    let mut state = OAuthState::new(world.resource(), None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT).with_initial_scope_selection();
    state.start_authorization(request).await.unwrap();
    let url = state.get_authorization_url().await.unwrap();
    check_request(&url, &world, &["notes:read"]);
    let seen = world.seen();
    assert!(
        seen.iter().any(|s| s.path == PRM && s.status == 200),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_callback_that_names_another_issuer_gets_no_token() {
    let world = World::start().await;
    let mut state = OAuthState::new(world.resource(), None).await.unwrap();
    state
        .start_authorization(AuthorizationRequest::new(REDIRECT))
        .await
        .unwrap();
    let callback = visit(&state.get_authorization_url().await.unwrap()).await;
    let query = query(&callback);
    let (code, csrf) = (&query["code"], &query["state"]);
    let mixed_up = state
        .handle_callback_with_issuer(code, csrf, Some(world.other.issuer()))
        .await;
    assert!(
        matches!(mixed_up, Err(AuthError::AuthorizationServerMismatch { .. })),
        "{mixed_up:?}"
    );
    let unnamed = state.handle_callback_with_issuer(code, csrf, None).await;
    assert!(
        matches!(
            unnamed,
            Err(AuthError::AuthorizationServerMissingIssuer { .. })
        ),
        "{unnamed:?}"
    );
    assert_eq!(world.auth.hits("/token"), 0);
    state.handle_callback_url(&callback).await.unwrap();
    assert_eq!(world.auth.hits("/token"), 1);
}

#[tokio::test]
async fn neither_another_user_nor_a_namesake_at_another_issuer_sees_the_notes() {
    let world = World::start().await;
    let token = |auth: &RunningAuthorizationServer, user: &str| {
        auth.mint(user)
            .scopes(["notes:read", "notes:write"])
            .audience(world.resource())
            .sign()
    };
    let alice = world.with_token(token(&world.auth, "alice")).await;
    call(&alice, "add_note", json!({"text": "secret"}))
        .await
        .unwrap();
    assert_eq!(notes_of(&alice).await, json!(["secret"]));

    let bob = world.with_token(token(&world.auth, "bob")).await;
    assert_eq!(notes_of(&bob).await, json!([]));
    let namesake = world.with_token(token(&world.other, "alice")).await;
    assert_eq!(notes_of(&namesake).await, json!([]));
    assert_eq!(world.other.hits("/jwks"), 1);

    let again = world.with_token(token(&world.auth, "alice")).await;
    assert_eq!(notes_of(&again).await, json!(["secret"]));
}
