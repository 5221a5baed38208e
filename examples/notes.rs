//! Notes, kept per user: reading needs one scope, writing another, and anybody who is logged in may ask
//! for the time.
//!
//! `cargo run --example notes` serves it with an embedded authorization server and says what to type next.
//! `-- --address 127.0.0.1:0` picks another address, `-- --auto-consent` answers every login for alice.

use std::{collections::HashMap, sync::Mutex};

use tokio::net::TcpListener;
use toolgate::{prelude::*, testkit::AuthorizationServer};

/// The notes of every user.
#[derive(Default)]
struct Notebook(Mutex<HashMap<Identity, Vec<String>>>);

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Notes {
    notes: Vec<String>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct NewNote {
    /// What to remember.
    text: String,
}

/// List your notes.
#[mcp_tool(scopes = "notes:read")]
async fn list_notes(State(notebook): State<Notebook>, caller: Principal) -> Json<Notes> {
    let notebook = notebook.0.lock().unwrap();
    Json(Notes {
        notes: notebook
            .get(&caller.identity())
            .cloned()
            .unwrap_or_default(),
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

/// Say how many people keep notes here.
#[mcp_tool(public)]
async fn count_people(State(notebook): State<Notebook>) -> String {
    notebook.0.lock().unwrap().len().to_string()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::from_args();
    tracing_subscriber::fmt()
        .with_env_filter("toolgate=info")
        .with_writer(std::io::stderr)
        .init();

    let mut auth = AuthorizationServer::new()
        .scope("notes:read", "Read your notes")
        .scope("notes:write", "Write notes for you");
    if options.auto_consent {
        auth = auth.auto_consent("alice");
    }
    let auth = auth.start().await?;

    let listener = TcpListener::bind(options.address).await?;
    let resource = format!("http://{}/mcp", listener.local_addr()?);
    let server = Server::new(&resource)
        .name("Notes")
        .authorization_server(auth.issuer())
        .step_up(["notes:write"])
        .state(Notebook::default())
        .build()?;

    let token = |scopes: &[&str]| auth.mint("alice").scopes(scopes).audience(&resource).sign();
    let (read, write) = (
        token(&["notes:read"]),
        token(&["notes:read", "notes:write"]),
    );
    eprintln!(
        "{}\n{}",
        auth.banner(),
        next_steps(&resource, &read, &write)
    );
    server.serve_on(listener).await?;
    Ok(())
}

/// What the README shows, ready to be pasted.
fn next_steps(resource: &str, read: &str, write: &str) -> String {
    let call = format!(
        r#"curl -i {resource} -H 'accept: application/json, text/event-stream' -H 'content-type: application/json' \
  -d '{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"add_note","arguments":{{"text":"milk"}}}}}}'"#
    );
    format!(
        r#"
Serving {resource}

Without a token, 401 says where to get one:

{call}

With one that may only read, 403 says what is missing:

READ={read}
{call} \
  -H "authorization: Bearer $READ"

With one that may write, 200:

WRITE={write}
{call} \
  -H "authorization: Bearer $WRITE"

Or let a client do all that, for example:

npx @modelcontextprotocol/inspector            (transport: Streamable HTTP, URL: {resource})
claude mcp add --transport http notes {resource}
"#
    )
}

struct Options {
    address: String,
    auto_consent: bool,
}

impl Options {
    fn from_args() -> Self {
        let mut options = Self {
            address: "127.0.0.1:3000".into(),
            auto_consent: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--address" => options.address = args.next().expect("an address after --address"),
                "--auto-consent" => options.auto_consent = true,
                other => {
                    panic!("unknown argument `{other}`: use --address <address> or --auto-consent")
                }
            }
        }
        options
    }
}
