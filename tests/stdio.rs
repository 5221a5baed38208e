//! The `hello` example on standard input and output, by rmcp's client and by hand.
//!
//! There is no OAuth on stdio: the caller is whoever the token in the environment names, so a refusal says
//! how to set that and challenges nobody.

mod support;

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

use rmcp::{
    RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt, RunningService},
    transport::TokioChildProcess,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};
use toolgate::testkit::{AuthorizationServer, RunningAuthorizationServer, SigningKey};

const RESOURCE: &str = "https://hello.example.com/mcp";
const VERSIONS: [&str; 3] = ["2025-06-18", "2025-11-25", "2026-07-28"];
/// For anything that should happen at once: only a server that hangs takes that long.
const PATIENCE: Duration = Duration::from_secs(30);

fn hello(variables: &[(&str, &str)]) -> Command {
    static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| support::example("hello"));
    let mut command = Command::new(&*EXAMPLE);
    command
        .env_remove("TOOLGATE_TOKEN")
        .env_remove("ISSUER")
        .envs(variables.iter().copied())
        .kill_on_drop(true);
    command
}

/// A conversation in raw lines. Every line that the server writes must be a JSON-RPC message.
struct Conversation {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    version: &'static str,
    last_id: u64,
}

/// How a server ended.
struct End {
    status: ExitStatus,
    /// What it still had to say.
    messages: Vec<Value>,
    log: String,
}

impl Conversation {
    fn start(version: &'static str, variables: &[(&str, &str)]) -> Self {
        let mut process = hello(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: process.stdin.take(),
            output: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
            version,
            last_id: 0,
        }
    }

    /// Says hello the way `version` does.
    async fn open(version: &'static str, variables: &[(&str, &str)]) -> Self {
        let mut conversation = Self::start(version, variables);
        if version == "2026-07-28" {
            let answer = conversation.ask("server/discover", json!({})).await;
            let supported = answer["result"]["supportedVersions"].as_array().unwrap();
            assert!(supported.contains(&json!(version)), "{answer}");
        } else {
            let info = json!({"name": "raw", "version": "0"});
            let hello = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": info});
            let answer = conversation.ask("initialize", hello).await;
            assert_eq!(answer["result"]["protocolVersion"], version);
            let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
            conversation.say(initialized).await;
        }
        conversation
    }

    async fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).await.unwrap();
        input.write_all(b"\n").await.unwrap();
        input.flush().await.unwrap();
    }

    async fn hear(&mut self) -> Option<Value> {
        let line = timeout(PATIENCE, self.output.next_line()).await;
        let line = line.expect("an answer in time").unwrap()?;
        let message: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("not a message on standard output: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        Some(message)
    }

    /// The answer to the request with `id`.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.hear().await.expect("an answer");
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Sends `members` as the parameters of a request, without a look at what they are.
    async fn ask_raw(&mut self, method: &str, members: &str) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let meta = match self.version {
            "2026-07-28" => {
                r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"raw","version":"0"}}"#
            }
            _ => "",
        };
        let comma = if members.is_empty() || meta.is_empty() {
            ""
        } else {
            ","
        };
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{members}{comma}{meta}}}}}"#
        );
        self.say(&line).await;
        self.answer(id).await
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        let params = params.to_string();
        self.ask_raw(method, &params[1..params.len() - 1]).await
    }

    async fn call(&mut self, tool: &str) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": {}}))
            .await
    }

    /// Closes the server's input and waits until it has gone.
    async fn end(mut self) -> End {
        drop(self.input.take());
        let mut messages = Vec::new();
        while let Some(message) = self.hear().await {
            messages.push(message);
        }
        let mut log = String::new();
        let mut stderr = self.process.stderr.take().unwrap();
        let reading = timeout(PATIENCE, stderr.read_to_string(&mut log)).await;
        reading.unwrap().unwrap();
        let status = timeout(PATIENCE, self.process.wait()).await;
        End {
            status: status.unwrap().unwrap(),
            messages,
            log,
        }
    }
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("not a result: {answer}"))
}

/// The message of an error that runs nothing and challenges nobody.
fn denial(answer: &Value, code: i64) -> &str {
    assert_eq!(answer["error"]["code"], code, "{answer}");
    assert!(answer.get("result").is_none(), "{answer}");
    let whole = answer.to_string();
    for challenge in [
        "WWW-Authenticate",
        "www_authenticate",
        "Bearer",
        "resource_metadata",
        "insufficient_scope",
        ".well-known",
    ] {
        assert!(!whole.contains(challenge), "{whole}");
    }
    answer["error"]["message"].as_str().unwrap()
}

async fn issuer() -> RunningAuthorizationServer {
    AuthorizationServer::new().start().await.unwrap()
}

fn token(auth: &RunningAuthorizationServer, scopes: &str) -> String {
    auth.mint("alice")
        .scopes(scopes.split_whitespace())
        .audience(RESOURCE)
        .sign()
}

#[tokio::test]
async fn without_a_token_public_tools_work_and_others_say_what_to_set() {
    for version in VERSIONS {
        let mut server = Conversation::open(version, &[]).await;
        let list = server.ask("tools/list", json!({})).await;
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 2);
        assert_eq!(text(&server.call("hello").await), "hello");
        let denied = server.call("secret").await;
        assert_eq!(
            denial(&denied, 401),
            "this needs a caller: set TOOLGATE_TOKEN to an access token with scope `secrets:read`"
        );
        assert_eq!(text(&server.call("hello").await), "hello");
        let end = server.end().await;
        assert!(end.status.success());
        assert!(end.messages.is_empty());
    }
}

#[tokio::test]
async fn with_a_token_the_caller_is_who_it_names() {
    let auth = issuer().await;
    let token = token(&auth, "secrets:read");
    let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
    for version in VERSIONS {
        let mut server = Conversation::open(version, &variables).await;
        let answer = server.call("secret").await;
        assert_eq!(text(&answer), "alice may know: it is 42");
        assert_eq!(text(&server.call("hello").await), "hello");
        let end = server.end().await;
        assert!(end.status.success());
        assert!(end.messages.is_empty());
        // Logs are where they belong, and say who is served, but not by which token.
        assert!(end.log.contains("serving"), "{}", end.log);
        assert!(end.log.contains("alice"), "{}", end.log);
        assert_secret(&end.log, &token);
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_denied_and_told_which_one_is_missing() {
    let auth = issuer().await;
    for (held, version) in ["", "secrets:write", "secrets:read2"].iter().zip(VERSIONS) {
        let token = token(&auth, held);
        let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
        let mut server = Conversation::open(version, &variables).await;
        let denied = server.call("secret").await;
        assert_eq!(
            denial(&denied, 403),
            "insufficient scope: this needs `secrets:read`; set TOOLGATE_TOKEN to an access token that holds it"
        );
        assert_eq!(text(&server.call("hello").await), "hello");
        let end = server.end().await;
        assert!(end.status.success());
        let refused = end
            .log
            .lines()
            .find(|line| line.contains("refused"))
            .expect(&end.log);
        for known in ["insufficient_scope", "secret", "alice", auth.issuer()] {
            assert!(refused.contains(known), "{known} is not in {refused}");
        }
        assert_secret(&end.log, &token);
    }
}

/// Asserts that `log` gives away neither `token` nor one of its parts.
fn assert_secret(log: &str, token: &str) {
    for part in token.split('.').chain([token]) {
        assert!(part.len() < 8 || !log.contains(part), "{part} in {log}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_keeps_the_server_from_starting_and_is_not_repeated() {
    let auth = issuer().await;
    let other = issuer().await;
    let good = || {
        auth.mint("alice")
            .scopes(["secrets:read"])
            .audience(RESOURCE)
    };
    let stranger = SigningKey::generate(jsonwebtoken::Algorithm::ES256);
    let bad = [
        ("expired", good().expired().sign()),
        (
            "for another server",
            good().audience("https://x.example/mcp").sign(),
        ),
        ("of another issuer", token(&other, "secrets:read")),
        ("of another key", good().key(stranger).sign()),
        (
            "bound to a DPoP key",
            good()
                .bound_to(&SigningKey::generate(jsonwebtoken::Algorithm::ES256))
                .sign(),
        ),
        (
            "bound to a certificate",
            good().bound_to_certificate(b"der").sign(),
        ),
        ("bound to something", good().claim("cnf", true).sign()),
        ("without expiry", good().without("exp").sign()),
        ("cut off", good().sign()[..60].to_owned()),
        ("not a token", "correct-horse-battery-staple".to_owned()),
        ("empty", String::new()),
        ("with a scheme", format!("Bearer {}", good().sign())),
    ];
    for (what, token) in bad {
        let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
        let end = Conversation::start("2025-11-25", &variables).end().await;
        assert!(!end.status.success(), "{what}");
        assert!(end.messages.is_empty(), "{what}: {:?}", end.messages);
        let says = "the access token in TOOLGATE_TOKEN: invalid token: ";
        assert!(end.log.contains(says), "{what}: {}", end.log);
        assert_secret(&end.log, &token);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_token_that_is_not_text_is_a_bad_token_and_not_none() {
    use std::os::unix::ffi::OsStrExt;
    let output = hello(&[])
        .env("TOOLGATE_TOKEN", std::ffi::OsStr::from_bytes(b"\xff\xfe"))
        .stdin(Stdio::null())
        .output();
    let output = timeout(PATIENCE, output).await.unwrap().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(log.contains("TOOLGATE_TOKEN: invalid token"), "{log}");
}

#[tokio::test]
async fn a_token_that_nobody_can_check_keeps_the_server_from_starting_and_says_so() {
    let auth = issuer().await;
    let token = token(&auth, "secrets:read");
    let issuer = auth.issuer().to_owned();
    auth.shutdown().await;
    let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", &*issuer)];
    let end = Conversation::start("2025-11-25", &variables).end().await;
    assert!(!end.status.success());
    assert!(end.messages.is_empty());
    let says = "the access token in TOOLGATE_TOKEN: validity cannot be determined";
    assert!(end.log.contains(says), "{}", end.log);
    assert_secret(&end.log, &token);
}

#[tokio::test]
async fn a_token_that_expires_while_the_server_runs_stops_working() {
    let auth = issuer().await;
    // The first lifetime that is long enough for the server to start in: how fast this machine is does not
    // matter.
    for lifetime in [2, 4, 8, 16, 32] {
        let token = auth
            .mint("alice")
            .scopes(["secrets:read"])
            .audience(RESOURCE)
            .expires_in(Duration::from_secs(lifetime))
            .sign();
        let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
        let mut server = Conversation::open("2025-11-25", &variables).await;
        if server.call("secret").await.get("result").is_none() {
            continue;
        }
        for _ in 0..10 * lifetime {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let answer = server.call("secret").await;
            if answer.get("result").is_none() {
                let message = "the access token in TOOLGATE_TOKEN has expired: start the server with a fresh one";
                assert_eq!(denial(&answer, 401), message);
                // It is not taken for no token at all, and stays expired.
                assert_eq!(denial(&server.call("hello").await, 401), message);
                let list = server.ask("tools/list", json!({})).await;
                assert_eq!(denial(&list, 401), message);
                assert!(server.end().await.status.success());
                return;
            }
        }
        panic!("the token never expired");
    }
    panic!("the server never started in time");
}

#[tokio::test]
async fn unknown_tools_and_malformed_calls_run_nothing_and_end_nothing() {
    let auth = issuer().await;
    let token = token(&auth, "secrets:read");
    let variables = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
    for version in VERSIONS {
        let mut server = Conversation::open(version, &variables).await;
        let unknown = server.call("nothing").await;
        assert_eq!(denial(&unknown, -32602), "unknown tool");
        for malformed in [
            "",
            r#""arguments":{}"#,
            r#""name":"hello","name":"secret""#,
            r#""name":"secret","name":"secret""#,
            r#""name":["hello"]"#,
            r#""name":null"#,
            r#""name":"hello","arguments":[]"#,
            r#""Name":"hello""#,
        ] {
            let answer = server.ask_raw("tools/call", malformed).await;
            assert_eq!(
                denial(&answer, -32602),
                "malformed parameters",
                "{malformed}"
            );
        }
        for near in ["Secret", "secret ", "", "secret\u{0}", "tools/secret"] {
            assert_eq!(denial(&server.call(near).await, -32602), "unknown tool");
        }
        let answer = server.ask("tools/run", json!({"name": "secret"})).await;
        denial(&answer, -32601);
        assert_eq!(
            text(&server.call("secret").await),
            "alice may know: it is 42"
        );
        assert!(server.end().await.status.success());
    }
}

#[tokio::test]
async fn lines_that_are_no_messages_do_not_reach_a_tool_or_end_the_server() {
    let mut server = Conversation::open("2025-11-25", &[]).await;
    for line in [
        "garbage",
        "",
        "{}",
        r#"[{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"hello"}}]"#,
        r#"{"jsonrpc":"1.0","id":98,"method":"tools/call","params":{"name":"hello"}}"#,
        r#"{"id":97,"method":"tools/call","params":{"name":"hello"}}"#,
    ] {
        server.say(line).await;
    }
    assert_eq!(text(&server.call("hello").await), "hello");
    let end = server.end().await;
    assert!(end.status.success());
    let results = end.messages.iter().filter(|m| m.get("result").is_some());
    assert_eq!(results.count(), 0, "{:?}", end.messages);
}

#[tokio::test]
async fn a_call_before_any_greeting_is_decided_like_any_other() {
    let mut server = Conversation::start("2025-11-25", &[]);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"secret"}}"#;
    server.say(call).await;
    let end = server.end().await;
    let results = end.messages.iter().filter(|m| m.get("result").is_some());
    assert_eq!(results.count(), 0, "{:?}", end.messages);
}

#[tokio::test]
async fn a_client_that_goes_without_a_word_is_no_failure() {
    let end = Conversation::start("2025-11-25", &[]).end().await;
    assert!(end.status.success(), "{}", end.log);
    assert!(end.messages.is_empty());
}

async fn rmcp_client(
    version: ProtocolVersion,
    variables: &[(&str, &str)],
) -> RunningService<RoleClient, ClientConfig> {
    let config = ClientConfig::default().with_protocol_version(version.clone());
    let lifecycle = if version == ProtocolVersion::V_2026_07_28 {
        ClientLifecycleMode::Discover {
            preferred_versions: vec![version],
        }
    } else {
        ClientLifecycleMode::Initialize
    };
    let (transport, _) = TokioChildProcess::builder(hello(variables))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    config
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .unwrap()
}

async fn rmcp_call(
    client: &RunningService<RoleClient, ClientConfig>,
    tool: &'static str,
) -> Result<CallToolResult, ServiceError> {
    client.call_tool(CallToolRequestParams::new(tool)).await
}

#[tokio::test]
async fn rmcp_is_served_in_every_version_with_and_without_a_token() {
    let auth = issuer().await;
    let token = token(&auth, "secrets:read");
    let with_token = [("TOOLGATE_TOKEN", &*token), ("ISSUER", auth.issuer())];
    for version in [
        ProtocolVersion::V_2025_06_18,
        ProtocolVersion::V_2025_11_25,
        ProtocolVersion::V_2026_07_28,
    ] {
        let client = rmcp_client(version.clone(), &[]).await;
        let server = client.peer().peer_info().unwrap().protocol_version.clone();
        assert_eq!(server, version);
        let hello = rmcp_call(&client, "hello").await.unwrap();
        assert_eq!(hello.content[0].as_text().unwrap().text, "hello");
        let denied = rmcp_call(&client, "secret").await.unwrap_err();
        let ServiceError::McpError(denied) = &denied else {
            panic!("{denied:?}");
        };
        assert_eq!(denied.code.0, 401);
        assert!(denied.message.contains("TOOLGATE_TOKEN"), "{denied:?}");
        client.cancel().await.unwrap();

        let client = rmcp_client(version, &with_token).await;
        let names: Vec<_> = client.list_all_tools().await.unwrap();
        let names: Vec<_> = names.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["hello", "secret"]);
        let secret = rmcp_call(&client, "secret").await.unwrap();
        let secret = &secret.content[0].as_text().unwrap().text;
        assert_eq!(secret, "alice may know: it is 42");
        client.cancel().await.unwrap();
    }
}
