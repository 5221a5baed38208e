//! A whole introspection against an endpoint on loopback that says what the test wants.

use std::sync::{Mutex as StdMutex, atomic::AtomicUsize};

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::Algorithm as Jwa;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use url::form_urlencoded;

use super::{super::builder::VerifierConfigError, *};
use crate::{ClaimMapping, ScopeClaim, testkit::SigningKey};

const NOW: u64 = 1_700_000_000;
const AUDIENCE: &str = "https://api.example/mcp";
const TOKEN: &str = "opaque-token-QX7f93kLmN+/==";
const SECRET: &str = "s3cr:t %&=+/ü";

#[derive(Clone)]
enum Mode {
    Says(Value),
    Raw(&'static str, &'static str, String),
    Huge,
    Drip,
    Redirect,
    Down,
}

struct Endpoint {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    url: String,
    mode: StdMutex<Mode>,
    metadata: StdMutex<Option<Value>>,
    /// Whole requests to the endpoint, and how many there were of any kind.
    posts: StdMutex<Vec<String>>,
    others: AtomicUsize,
    keys: StdMutex<Vec<Value>>,
    hold: watch::Sender<bool>,
}

impl Endpoint {
    async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            url: url.clone(),
            mode: StdMutex::new(mode),
            metadata: StdMutex::new(Some(json!({
                "issuer": url, "introspection_endpoint": format!("{url}/introspect"),
                "jwks_uri": format!("{url}/keys"),
            }))),
            posts: StdMutex::default(),
            others: AtomicUsize::new(0),
            keys: StdMutex::default(),
            hold: watch::channel(false).0,
        });
        let serve = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&serve)));
            }
        });
        Self { url, shared, task }
    }

    async fn saying(answer: Value) -> Self {
        Self::start(Mode::Says(answer)).await
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    fn posts(&self) -> usize {
        self.shared.posts.lock().unwrap().len()
    }

    fn last(&self) -> String {
        self.shared.posts.lock().unwrap().last().unwrap().clone()
    }

    fn builder(&self) -> IntrospectionBuilder {
        Introspection::new(&self.url, AUDIENCE)
            .client_secret_basic("notes:1", SECRET)
            .clock(Clock::manual(NOW))
    }

    fn verifier(&self) -> Introspection {
        self.builder().build().unwrap()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(request).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    if path != "/introspect" {
        shared.others.fetch_add(1, Ordering::SeqCst);
        let found = match path.as_str() {
            "/keys" => Some(json!({"keys": *shared.keys.lock().unwrap()})),
            path if path.starts_with("/.well-known/oauth") => {
                shared.metadata.lock().unwrap().clone()
            }
            _ => None,
        };
        return match found {
            Some(body) => send(&mut stream, "200 OK", "application/json", &body.to_string()).await,
            None => send(&mut stream, "404 Not Found", "text/plain", "").await,
        };
    }
    let length = head.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1)?;
    let length = length.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let whole = format!("{head}{}", String::from_utf8(body).ok()?);
    shared.posts.lock().unwrap().push(whole);
    let mut held = shared.hold.subscribe();
    held.wait_for(|held| !held).await.ok()?;
    let mode = shared.mode.lock().unwrap().clone();
    let stream = &mut stream;
    match mode {
        Mode::Says(answer) => send(stream, "200 OK", "application/json", &answer.to_string()).await,
        Mode::Raw(status, kind, body) => send(stream, status, kind, &body).await,
        Mode::Huge => send(stream, "200 OK", "application/json", &" ".repeat(20 << 20)).await,
        Mode::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
            loop {
                stream.write_all(b" ").await.ok()?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Mode::Redirect => {
            let kind = format!("text/plain\r\nLocation: {}/elsewhere", shared.url);
            send(stream, "307 Temporary Redirect", &kind, "").await
        }
        Mode::Down => None,
    }
}

async fn send(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

fn active() -> Value {
    json!({
        "active": true, "aud": AUDIENCE, "sub": "alice", "exp": NOW + 300, "iat": NOW,
        "client_id": "app", "scope": "a b", "token_type": "Bearer",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut answer = active();
    answer[name] = value;
    answer
}

fn without(name: &str) -> Value {
    let mut answer = active();
    answer.as_object_mut().unwrap().remove(name);
    answer
}

/// What one question with nothing remembered comes to.
async fn verdict(endpoint: &Endpoint, answer: Value) -> Result<String, VerifyError> {
    endpoint.set(Mode::Says(answer));
    let verified = endpoint.verifier().verify(TOKEN).await;
    verified.map(|token| format!("{token:?}"))
}

fn is_unavailable<T>(outcome: &Result<T, VerifyError>) -> bool {
    matches!(outcome, Err(VerifyError::Unavailable { .. }))
}

#[tokio::test]
async fn an_active_token_is_accepted_with_what_the_answer_says() {
    let endpoint = Endpoint::saying(active()).await;
    let verifier = endpoint.verifier();
    verifier.ready().await.unwrap();
    let text = format!("{:?}", verifier.verify(TOKEN).await.unwrap());
    for part in [&*endpoint.url, "alice", "app", "\"a\", \"b\"", "1700000300"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(verifier.issuers(), [&*endpoint.url]);
}

#[tokio::test]
async fn the_token_is_in_the_body_and_nowhere_else() {
    let endpoint = Endpoint::saying(active()).await;
    endpoint.verifier().verify(TOKEN).await.unwrap();
    let request = endpoint.last();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let (head, form) = (head.to_owned(), form_urlencoded::parse(body.as_bytes()));
    let form: Vec<(String, String)> = form.into_owned().collect();
    let expected = [("token", TOKEN), ("token_type_hint", "access_token")];
    assert_eq!(form, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert!(head.starts_with("POST /introspect HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains(&TOKEN[..12]));
    // RFC 6749 §2.3.1: form-encoded, then base64.
    let basic = STANDARD.encode("notes%3A1:s3cr%3At+%25%26%3D%2B%2F%C3%BC");
    assert!(
        head.contains(&format!("authorization: Basic {basic}")),
        "{head}"
    );

    let post = endpoint.builder().client_secret_post("notes:1", SECRET);
    post.build().unwrap().verify(TOKEN).await.unwrap();
    let request = endpoint.last();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    assert!(form.contains(&("client_secret".to_owned(), SECRET.to_owned())));
    assert!(
        !head.to_lowercase().contains("authorization:"),
        "one method at a time"
    );
}

#[tokio::test]
async fn what_is_no_answer_says_nothing_about_the_token() {
    let endpoint = Endpoint::start(Mode::Down).await;
    let raw = |status, kind, body: &str| Mode::Raw(status, kind, body.to_owned());
    let json = "application/json";
    let good = active().to_string();
    for (name, mode) in [
        ("down", Mode::Down),
        ("500", raw("500 Internal Server Error", json, &good)),
        (
            "503",
            raw("503 Service Unavailable", json, "{\"active\":false}"),
        ),
        ("400", raw("400 Bad Request", json, "{\"active\":false}")),
        (
            "401",
            raw("401 Unauthorized", json, "{\"error\":\"invalid_client\"}"),
        ),
        ("404", raw("404 Not Found", json, &good)),
        ("201", raw("201 Created", json, &good)),
        ("204", raw("204 No Content", json, "")),
        (
            "HTML with 200",
            raw("200 OK", "text/html", "<html>active</html>"),
        ),
        ("empty", raw("200 OK", json, "")),
        ("cut off", raw("200 OK", json, &good[..good.len() - 1])),
        (
            "something after it",
            raw("200 OK", json, &format!("{good}{{}}")),
        ),
        ("array", raw("200 OK", json, "[true]")),
        ("true", raw("200 OK", json, "true")),
        ("no member active", raw("200 OK", json, "{}")),
        (
            "active: \"true\"",
            Mode::Says(with("active", json!("true"))),
        ),
        ("active: 1", Mode::Says(with("active", json!(1)))),
        ("active: null", Mode::Says(with("active", json!(null)))),
        ("active: [true]", Mode::Says(with("active", json!([true])))),
        (
            "active twice",
            raw("200 OK", json, "{\"active\":false,\"active\":true}"),
        ),
        (
            "aud twice",
            raw(
                "200 OK",
                json,
                &good.replace("{", "{\"aud\":\"https://evil.example\","),
            ),
        ),
        ("huge", Mode::Huge),
        ("redirect", Mode::Redirect),
        (
            "a JWT that nobody asked for",
            raw(
                "200 OK",
                "application/token-introspection+jwt",
                "e30.e30.c2ln",
            ),
        ),
    ] {
        endpoint.set(mode);
        let before = endpoint.shared.others.load(Ordering::SeqCst);
        let verifier = endpoint.verifier();
        let outcome = verifier.verify(TOKEN).await;
        assert!(is_unavailable(&outcome), "{name}: {outcome:?}");
        let metadata = endpoint.shared.others.load(Ordering::SeqCst) - before;
        assert_eq!(metadata, 1, "{name}: a redirect is not followed");
        // Nothing of it is remembered.
        endpoint.set(Mode::Says(active()));
        assert!(verifier.verify(TOKEN).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn one_deadline_holds_for_everything() {
    let endpoint = Endpoint::start(Mode::Drip).await;
    let verifier = endpoint.builder().timeout(Duration::from_millis(200));
    let start = std::time::Instant::now();
    let outcome = verifier.build().unwrap().verify(TOKEN).await;
    assert!(is_unavailable(&outcome));
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn what_is_in_the_answer_is_checked_as_in_a_jwt() {
    use InvalidToken::{Audience, Claim, Expired, Inactive, Issuer, NotYetValid, TokenType};
    let endpoint = Endpoint::saying(active()).await;
    let url = json!(endpoint.url);
    for (answer, expected) in [
        (active(), None),
        (json!({"active": false}), Some(Inactive)),
        (with("active", json!(false)), Some(Inactive)),
        (without("aud"), Some(Claim("aud"))),
        (
            with("aud", json!(["https://other.example", AUDIENCE])),
            None,
        ),
        (with("aud", json!("https://other.example")), Some(Audience)),
        (with("aud", json!([])), Some(Claim("aud"))),
        (with("aud", json!(null)), Some(Claim("aud"))),
        (with("iss", url), None),
        (with("iss", json!("https://evil.example")), Some(Issuer)),
        (with("iss", json!(null)), Some(Claim("iss"))),
        (without("exp"), Some(Claim("exp"))),
        (with("exp", json!("9999999999")), Some(Claim("exp"))),
        (with("exp", json!(NOW - 60)), Some(Expired)),
        (with("exp", json!(1e300)), Some(Claim("exp"))),
        (with("nbf", json!(NOW + 61)), Some(NotYetValid)),
        (with("nbf", json!("x")), Some(Claim("nbf"))),
        (with("iat", json!(NOW + 61)), Some(NotYetValid)),
        (without("sub"), Some(Claim("sub"))),
        (with("sub", json!("")), Some(Claim("sub"))),
        (with("sub", json!(1)), Some(Claim("sub"))),
        (with("client_id", json!([])), Some(Claim("client_id"))),
        (with("scope", json!(["a"])), Some(Claim("scope"))),
        (without("scope"), None),
        (with("cnf", json!({"jkt": "x"})), Some(Claim("cnf"))),
        (with("cnf", json!({"jkt": "A".repeat(43)})), None),
        (without("token_type"), None),
        (with("token_type", json!("bearer")), None),
        (with("token_type", json!("refresh_token")), Some(TokenType)),
        (with("token_type", json!("N_A")), Some(TokenType)),
        (with("token_type", json!("DPoP")), Some(TokenType)),
        (with("token_type", json!(1)), Some(Claim("token_type"))),
        (with("token_use", json!("access_token")), None),
        (with("token_use", json!("refresh_token")), Some(TokenType)),
        (with("token_use", json!(true)), Some(Claim("token_use"))),
    ] {
        let outcome = verdict(&endpoint, answer.clone()).await;
        let refusal = match outcome {
            Ok(_) => None,
            Err(VerifyError::Invalid(reason)) => Some(reason),
            Err(error) => panic!("{answer}: {error}"),
        };
        assert_eq!(refusal, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_missing_audience_or_subject_is_made_up_for_only_where_that_is_configured() {
    let endpoint = Endpoint::saying(without("aud")).await;
    let restricting = || {
        endpoint
            .builder()
            .endpoint_restricts_audience()
            .build()
            .unwrap()
    };
    assert!(restricting().verify(TOKEN).await.is_ok());
    endpoint.set(Mode::Says(with("aud", json!("https://other.example"))));
    let refused = restricting().verify(TOKEN).await.err();
    assert_eq!(
        refused,
        Some(InvalidToken::Audience.into()),
        "one that is there still counts"
    );

    endpoint.set(Mode::Says(without("sub")));
    let verifier = endpoint.builder().client_id_as_subject().build().unwrap();
    let text = format!("{:?}", verifier.verify(TOKEN).await.unwrap());
    assert!(text.contains("subject: \"app\""), "{text}");
}

#[tokio::test]
async fn a_bound_token_is_bound_however_it_was_verified() {
    let endpoint = Endpoint::saying(active()).await;
    let mut answer = with("cnf", json!({"jkt": "A".repeat(43)}));
    answer["token_type"] = json!("DPoP");
    endpoint.set(Mode::Says(answer));
    let verifier = endpoint.verifier();
    for _first_and_remembered in 0..2 {
        let text = format!("{:?}", verifier.verify(TOKEN).await.unwrap());
        assert!(text.contains("cnf"), "{text}");
    }
    assert_eq!(endpoint.posts(), 1);
}

#[tokio::test]
async fn claims_are_read_as_the_mapping_says() {
    let endpoint = Endpoint::saying(with("scope", json!(["a", "b"]))).await;
    let mapping = ClaimMapping::new().scopes_from([ScopeClaim::ScopeOrArray]);
    let verifier = endpoint.builder().claims(mapping).build().unwrap();
    let text = format!("{:?}", verifier.verify(TOKEN).await.unwrap());
    assert!(text.contains("\"a\", \"b\""), "{text}");
}

#[tokio::test]
async fn an_acceptance_is_remembered_for_a_minute_at_most_and_never_beyond_exp() {
    let endpoint = Endpoint::saying(with("exp", json!(NOW + 300))).await;
    let clock = Clock::manual(NOW);
    let verifier = endpoint.builder().clock(clock.clone()).build().unwrap();
    for (seconds, posts) in [(0, 1), (0, 1), (59, 1), (1, 2), (59, 2), (1, 3)] {
        clock.advance(Duration::from_secs(seconds));
        verifier.verify(TOKEN).await.unwrap();
        assert_eq!(endpoint.posts(), posts);
    }
    // Another token is another question.
    verifier.verify("opaque-token-2").await.unwrap();
    assert_eq!(endpoint.posts(), 4);

    // The end of the token comes first, whatever the leeway says.
    endpoint.set(Mode::Says(with("exp", json!(NOW + 125))));
    verifier.verify("short").await.unwrap();
    clock.advance(Duration::from_secs(4));
    verifier.verify("short").await.unwrap();
    assert_eq!(endpoint.posts(), 5);
    clock.advance(Duration::from_secs(1));
    endpoint.set(Mode::Says(json!({"active": false})));
    let refused = verifier.verify("short").await.err();
    assert_eq!(refused, Some(InvalidToken::Inactive.into()));
    assert_eq!(endpoint.posts(), 6);

    // A wall clock that jumps ahead ends it too; one that jumps back does not prolong it.
    let jumping = async |exp: u64, jump: u64, seconds: u64| {
        let clock = Clock::manual(NOW);
        let verifier = endpoint.builder().clock(clock.clone()).build().unwrap();
        endpoint.set(Mode::Says(with("exp", json!(exp))));
        verifier.verify(TOKEN).await.unwrap();
        clock.jump_to(jump);
        clock.advance(Duration::from_secs(seconds));
        endpoint.set(Mode::Says(json!({"active": false})));
        verifier.verify(TOKEN).await.is_ok()
    };
    assert!(jumping(NOW + 300, NOW + 299, 0).await);
    assert!(!jumping(NOW + 300, NOW + 300, 0).await);
    assert!(jumping(NOW + 5, NOW - 10_000, 4).await);
    assert!(!jumping(NOW + 5, NOW - 10_000, 5).await);
    assert!(!jumping(NOW + 300, NOW - 10_000, 60).await);
}

#[tokio::test]
async fn a_refusal_is_remembered_for_ten_seconds_at_most() {
    let endpoint = Endpoint::saying(json!({"active": false})).await;
    let clock = Clock::manual(NOW);
    let long = Duration::from_secs(3600);
    let verifier = endpoint
        .builder()
        .clock(clock.clone())
        .remember_refused(long);
    let verifier = verifier.build().unwrap();
    for (seconds, posts) in [(0, 1), (9, 1), (1, 2)] {
        clock.advance(Duration::from_secs(seconds));
        assert!(verifier.verify(TOKEN).await.is_err());
        assert_eq!(endpoint.posts(), posts);
    }
    endpoint.set(Mode::Says(with("nbf", json!(NOW + 100))));
    for posts in [3, 4] {
        assert!(verifier.verify("soon").await.is_err());
        assert_eq!(endpoint.posts(), posts, "time alone makes it valid");
    }
    let forgetful = endpoint
        .builder()
        .remember_refused(Duration::ZERO)
        .remember_accepted(Duration::ZERO)
        .build()
        .unwrap();
    for (mode, posts) in [(active(), 5), (active(), 6), (json!({"active": false}), 7)] {
        endpoint.set(Mode::Says(mode));
        let _ = forgetful.verify(TOKEN).await;
        assert_eq!(endpoint.posts(), posts);
    }
}

#[tokio::test]
async fn garbage_evicts_no_acceptance() {
    let endpoint = Endpoint::saying(active()).await;
    let verifier = endpoint.verifier();
    verifier.verify(TOKEN).await.unwrap();
    let answers = &verifier.server.answers;
    for n in 0..100_000_u32 {
        let name = answers.name(&n.to_string());
        let refused = Err(InvalidToken::Inactive.into());
        answers.keep(&name, None, &refused, &verifier.server.clock);
    }
    verifier.verify(TOKEN).await.unwrap();
    assert_eq!(endpoint.posts(), 1);
}

#[tokio::test]
async fn a_token_is_asked_about_once_at_a_time() {
    let endpoint = Endpoint::saying(active()).await;
    endpoint.shared.hold.send_replace(true);
    let verifier = Arc::new(endpoint.verifier());
    let ask = |token: &'static str| {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { verifier.verify(token).await.is_ok() })
    };
    let mut waiting: Vec<_> = (0..20).map(|_| ask(TOKEN)).collect();
    let other = ask("another");
    while endpoint.posts() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Whoever goes away does not take the answer along.
    waiting.swap_remove(0).abort();
    tokio::time::sleep(Duration::from_millis(20)).await;
    endpoint.shared.hold.send_replace(false);
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert!(other.await.unwrap());
    assert_eq!(endpoint.posts(), 2);
}

#[tokio::test]
async fn a_question_that_everybody_left_is_asked_again() {
    let endpoint = Endpoint::saying(active()).await;
    endpoint.shared.hold.send_replace(true);
    let verifier = endpoint.verifier();
    let left = tokio::time::timeout(Duration::from_millis(100), verifier.verify(TOKEN));
    assert!(left.await.is_err());
    endpoint.shared.hold.send_replace(false);
    assert!(verifier.verify(TOKEN).await.is_ok());
}

#[tokio::test]
async fn a_jwt_of_another_issuer_and_a_token_of_another_kind_are_not_sent() {
    let endpoint = Endpoint::saying(active()).await;
    let key = SigningKey::generate(Jwa::ES256);
    let verifier = endpoint.verifier();
    for foreign in [
        key.sign(&json!({"iss": "https://other.example", "sub": "alice"})),
        key.sign(&json!({"sub": "alice"})),
        key.sign(&json!({"iss": [endpoint.url]})),
    ] {
        let refused = verifier.verify(&foreign).await.err();
        assert_eq!(refused, Some(InvalidToken::Issuer.into()));
    }
    let prefixed = endpoint.builder().token_prefix("ory_at_").build().unwrap();
    let refused = prefixed.verify(TOKEN).await.err();
    assert_eq!(refused, Some(InvalidToken::Unknown.into()));
    let long = endpoint.builder().max_token_bytes(10).build().unwrap();
    let refused = long.verify(TOKEN).await.err();
    assert_eq!(refused, Some(InvalidToken::TooLarge.into()));
    assert_eq!(endpoint.posts(), 0);

    assert!(
        verifier
            .verify(&key.sign(&json!({"iss": endpoint.url})))
            .await
            .is_ok()
    );
    assert!(prefixed.verify("ory_at_x").await.is_ok());
    assert_eq!(endpoint.posts(), 2);
}

#[tokio::test]
async fn the_endpoint_comes_from_the_metadata_of_this_issuer_or_from_the_configuration() {
    let endpoint = Endpoint::saying(active()).await;
    let others = || endpoint.shared.others.load(Ordering::SeqCst);
    let configured = Introspection::new("https://as.example", AUDIENCE)
        .client_secret_basic("notes", SECRET)
        .clock(Clock::manual(NOW))
        .endpoint(format!("{}/introspect", endpoint.url))
        .build()
        .unwrap();
    configured.verify(TOKEN).await.unwrap();
    assert_eq!(others(), 0);

    for metadata in [
        None,
        Some(
            json!({"issuer": "https://as.example", "introspection_endpoint": format!("{}/introspect", endpoint.url)}),
        ),
        Some(json!({"issuer": endpoint.url})),
        Some(
            json!({"issuer": endpoint.url, "introspection_endpoint": "http://10.0.0.1/introspect"}),
        ),
    ] {
        *endpoint.shared.metadata.lock().unwrap() = metadata;
        let verifier = endpoint.verifier();
        assert!(is_unavailable(&verifier.verify(TOKEN).await));
        let asked = others();
        assert!(is_unavailable(&verifier.verify(TOKEN).await));
        assert_eq!(others(), asked, "there is a pause after a failure");
    }
    assert_eq!(endpoint.posts(), 1);
}

/// A signed answer, with changes to its header and claims.
fn signed(key: &SigningKey, issuer: &str, header: &Value, claims: &Value) -> Mode {
    let mut all = json!({"typ": "token-introspection+jwt", "alg": "ES256", "kid": key.kid()});
    let mut payload = json!({
        "iss": issuer, "aud": "notes:1", "iat": NOW, "token_introspection": active(),
    });
    for (into, from) in [(&mut all, header), (&mut payload, claims)] {
        for (name, value) in from.as_object().unwrap() {
            into[name] = value.clone();
        }
    }
    let jwt = key.sign_parts(all.to_string().as_bytes(), payload.to_string().as_bytes());
    Mode::Raw(
        "200 OK",
        "application/token-introspection+jwt; charset=utf-8",
        jwt,
    )
}

#[tokio::test]
async fn a_signed_answer_is_from_this_issuer_for_this_server_and_fresh() {
    let endpoint = Endpoint::saying(active()).await;
    let (key, stranger) = (
        SigningKey::generate(Jwa::ES256),
        SigningKey::generate(Jwa::ES256),
    );
    endpoint
        .shared
        .keys
        .lock()
        .unwrap()
        .push(key.public_jwk().clone());
    let none = json!({});
    let ask = async |mode: Mode| {
        endpoint.set(mode);
        let verifier = endpoint.builder().signed_answers().build().unwrap();
        verifier.ready().await.unwrap();
        verifier.verify(TOKEN).await
    };
    let of = |header: Value, claims: Value| signed(&key, &endpoint.url, &header, &claims);
    for good in [
        of(json!({}), json!({})),
        of(
            json!({"typ": "application/token-introspection+jwt"}),
            json!({}),
        ),
        of(json!({}), json!({"aud": AUDIENCE})),
        of(json!({}), json!({"aud": ["x", "notes:1"]})),
        of(json!({}), json!({"iat": NOW - 120})),
    ] {
        assert!(ask(good).await.is_ok());
    }
    assert!(
        endpoint
            .last()
            .contains("accept: application/token-introspection+jwt\r\n")
    );
    let inactive = of(json!({}), json!({"token_introspection": {"active": false}}));
    assert_eq!(
        ask(inactive).await.err(),
        Some(InvalidToken::Inactive.into())
    );
    let Mode::Raw(_, _, good) = of(json!({}), json!({})) else {
        unreachable!()
    };
    for (name, bad) in [
        ("unsigned", Mode::Says(active())),
        (
            "type of content",
            Mode::Raw("200 OK", "application/json", good.clone()),
        ),
        (
            "broken",
            Mode::Raw("200 OK", "application/token-introspection+jwt", good + "A"),
        ),
        ("typ", of(json!({"typ": "JWT"}), json!({}))),
        (
            "typ of access tokens",
            of(json!({"typ": "at+jwt"}), json!({})),
        ),
        ("alg", of(json!({"alg": "none"}), json!({}))),
        ("kid", of(json!({"kid": "x"}), json!({}))),
        (
            "key",
            signed(&stranger, &endpoint.url, &json!({"kid": key.kid()}), &none),
        ),
        ("iss", signed(&key, "https://as.example", &none, &none)),
        ("aud", of(json!({}), json!({"aud": "other"}))),
        ("no aud", of(json!({}), json!({"aud": null}))),
        ("old", of(json!({}), json!({"iat": NOW - 121}))),
        ("from the future", of(json!({}), json!({"iat": NOW + 61}))),
        ("no iat", of(json!({}), json!({"iat": null}))),
        (
            "no answer",
            of(json!({}), json!({"token_introspection": "x"})),
        ),
        (
            "no active",
            of(json!({}), json!({"token_introspection": {}})),
        ),
    ] {
        let outcome = ask(bad).await;
        assert!(is_unavailable(&outcome), "{name}: {outcome:?}");
    }
}

#[test]
fn mistakes_of_configuration_are_found_before_the_first_token() {
    let issuer = "https://as.example";
    let of = || Introspection::new(issuer, AUDIENCE).client_secret_basic("notes", SECRET);
    let error = |builder: IntrospectionBuilder| builder.build().err();
    assert_eq!(error(of()), None);
    let without = Introspection::new(issuer, AUDIENCE);
    assert_eq!(error(without), Some(VerifierConfigError::NoCredentials));
    for (id, secret) in [("", SECRET), ("notes", "")] {
        let empty = of().client_secret_post(id, secret);
        assert_eq!(error(empty), Some(VerifierConfigError::NoCredentials));
    }
    for url in [
        "",
        "/introspect",
        "http://as.example/x",
        "https://u:p@as.example/x",
        "ftp://a/x",
    ] {
        assert_eq!(
            error(of().endpoint(url)),
            Some(VerifierConfigError::Endpoint),
            "{url}"
        );
    }
    let http = Introspection::new("http://as.example", AUDIENCE).client_secret_basic("n", "s");
    assert!(matches!(
        error(http),
        Some(VerifierConfigError::InsecureIssuer { .. })
    ));
    let audience = Introspection::new(issuer, "notes").client_secret_basic("n", "s");
    assert!(matches!(
        error(audience),
        Some(VerifierConfigError::Audience { .. })
    ));
    let leeway = of().leeway(Duration::from_secs(301));
    assert_eq!(error(leeway), Some(VerifierConfigError::Leeway));
    assert_eq!(
        error(of().timeout(Duration::ZERO)),
        Some(VerifierConfigError::ZeroLimit)
    );
    assert_eq!(
        error(of().max_token_bytes(0)),
        Some(VerifierConfigError::ZeroLimit)
    );
    let unsigned = of().signed_answers().algorithms([]);
    assert_eq!(error(unsigned), Some(VerifierConfigError::NoAlgorithms));
    let verifier = of().build().unwrap();
    let text = format!(
        "{verifier:?} {:?} {:?}",
        of(),
        verifier.server.credentials.header()
    );
    assert!(
        !text.contains("s3cr") && !text.contains(&STANDARD.encode("notes")[..6]),
        "{text}"
    );
}
