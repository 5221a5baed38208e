//! Verified tokens are remembered, and nothing else changes by that (T32, T33, T35, T43, T50).

use std::{
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use jsonwebtoken::Algorithm;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof, proptest};
use serde_json::{Value, json};
use toolgate::{
    Clock, JwtVerifier, KeyError, KeyLookup, KeySet, KeySource, ProtectedServer, PublicKey,
    RemoteKeys, RevocationCheck, RevocationList, RevocationUnknown, Revocations, Revoke,
    SignatureAlgorithm, TokenCache, Verification, VerifiedToken, Verifier,
    prelude::*,
    testkit::{AuthorizationServer, McpRequest, SigningKey},
};

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://as.example";
const RESOURCE: &str = "http://127.0.0.1/mcp";

/// Read.
#[mcp_tool(scopes = "notes:read")]
async fn read(caller: Principal) -> String {
    caller.subject().to_owned()
}

/// Write.
#[mcp_tool(scopes = "notes:write")]
async fn write() {}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The keys of an issuer, under the control of a test. `None`: they cannot be had.
#[derive(Default)]
struct Keys {
    current: RwLock<Option<KeySet>>,
    asked: AtomicUsize,
}

impl Keys {
    fn of(keys: &[&SigningKey]) -> Arc<Self> {
        let this = Arc::new(Self::default());
        this.publish(keys);
        this
    }

    fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk().clone()).collect();
        self.publish_jwks(&keys);
    }

    fn publish_jwks(&self, keys: &[Value]) {
        let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        *self.current.write().unwrap() = Some(set);
    }

    fn fail(&self) {
        *self.current.write().unwrap() = None;
    }
}

impl KeySource for Keys {
    fn key<'a>(&'a self, kid: Option<&'a str>, algorithm: SignatureAlgorithm) -> KeyLookup<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let found = match &*self.current.read().unwrap() {
            Some(keys) => keys.key(kid, algorithm).ok_or(KeyError::Unknown),
            None => Err(KeyError::Unavailable {
                reason: "test",
                retry_after: seconds(1),
            }),
        };
        Box::pin(std::future::ready(found))
    }

    fn current(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> Option<Arc<PublicKey>> {
        self.current.read().unwrap().as_ref()?.key(kid, algorithm)
    }
}

fn verifier(keys: impl KeySource, clock: &Clock) -> JwtVerifier {
    JwtVerifier::new(ISSUER, RESOURCE)
        .keys(keys)
        .clock(clock.clone())
        .max_token_age(seconds(2000))
        .build()
        .unwrap()
}

/// A server, and its application.
struct Served {
    server: ProtectedServer,
    app: Router,
}

impl Served {
    fn with(verifier: impl Verifier, configure: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::new(RESOURCE)
            .authorization_server(ISSUER)
            .verifier(verifier);
        let server = configure(server).build().unwrap();
        let app = server.router();
        Self { server, app }
    }

    fn new(verifier: impl Verifier) -> Self {
        Self::with(verifier, |server| server)
    }

    /// What `tools/call` answers.
    async fn call(&self, tool: &str, token: &str) -> u16 {
        let request = McpRequest::call(tool, json!({})).bearer(token);
        request.send(&self.app).await.status().as_u16()
    }

    fn hits(&self) -> u64 {
        self.server.token_cache_stats().hits
    }

    fn entries(&self) -> u64 {
        self.server.token_cache_stats().entries
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": RESOURCE, "sub": "alice", "exp": NOW + 250, "iat": NOW,
        "client_id": "app", "jti": "1", "scope": "notes:read",
    })
}

fn changed(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

/// A signing key, its published half, a clock and a server.
fn simple() -> (SigningKey, Arc<Keys>, Clock, Served) {
    let (key, clock) = (key(), Clock::manual(NOW));
    let keys = Keys::of(&[&key]);
    let served = Served::new(verifier(keys.clone(), &clock));
    (key, keys, clock, served)
}

/// Counts how often it verifies, and says nothing about how long that holds.
struct Counting<V>(V, Arc<AtomicUsize>);

impl<V: Verifier> Verifier for Counting<V> {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.verify(token)
    }
}

#[tokio::test]
async fn a_token_is_verified_once_and_its_principal_stays_the_same() {
    let (key, _, _, served) = simple();
    let token = key.sign(&claims());
    for _ in 0..3 {
        let request = McpRequest::call("read", json!({})).bearer(&token);
        assert_eq!(request.send(&served.app).await.text(), "alice");
    }
    let stats = served.server.token_cache_stats();
    assert_eq!((stats.misses, stats.inserts, stats.hits), (1, 1, 2));
    assert_eq!((stats.entries, stats.evictions), (1, 0));
}

#[tokio::test]
async fn a_forged_twin_with_the_same_header_and_payload_is_not_taken_for_the_original() {
    let (good, _, _, served) = simple();
    let token = good.sign(&claims());
    assert_eq!(served.call("read", &token).await, 200);
    let message = token.rsplit_once('.').unwrap().0;
    let other = key().sign(&claims());
    let forged = other.rsplit_once('.').unwrap().1;
    let padded = format!("{token}=");
    for twin in [
        &format!("{message}.{forged}"),
        &format!("{message}.AAAA"),
        &padded,
    ] {
        assert_eq!(served.call("read", twin).await, 401);
    }
    // The same signature under other claims.
    let signature = token.rsplit_once('.').unwrap().1;
    let bob = good.sign(&changed(json!({"sub": "bob"})));
    let bob = bob.rsplit_once('.').unwrap().0;
    assert_eq!(
        served.call("read", &format!("{bob}.{signature}")).await,
        401
    );
    assert_eq!((served.hits(), served.entries()), (0, 1));
}

#[tokio::test]
async fn a_token_expires_ages_and_waits_for_its_start_while_it_is_remembered() {
    let (key, _, clock, served) = simple();
    let token = key.sign(&claims());
    assert_eq!(served.call("read", &token).await, 200);
    clock.jump_to(NOW + 250 + 59);
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(served.hits(), 1);
    clock.jump_to(NOW + 250 + 60);
    assert_eq!(served.call("read", &token).await, 401);
    assert_eq!(served.entries(), 0);

    let old = key.sign(&changed(json!({"exp": NOW + 100_000})));
    clock.jump_to(NOW + 2060);
    assert_eq!(served.call("read", &old).await, 200);
    clock.jump_to(NOW + 2061);
    assert_eq!(served.call("read", &old).await, 401, "max_token_age");

    let later = key.sign(&changed(json!({"nbf": NOW + 200})));
    clock.jump_to(NOW + 200);
    assert_eq!(served.call("read", &later).await, 200);
    clock.jump_to(NOW);
    assert_eq!(served.call("read", &later).await, 401, "nbf");
}

#[tokio::test]
async fn no_entry_is_relied_upon_for_more_than_five_minutes_whatever_the_wall_clock_says() {
    let (key, _, clock, served) = simple();
    let token = key.sign(&changed(json!({"exp": NOW + 100_000})));
    assert_eq!(served.call("read", &token).await, 200);
    clock.advance(seconds(299));
    clock.jump_to(NOW);
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(served.hits(), 1);
    clock.advance(seconds(1));
    clock.jump_to(NOW);
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(
        (served.hits(), served.server.token_cache_stats().inserts),
        (1, 2)
    );
}

#[tokio::test]
async fn a_withdrawn_key_ends_what_it_signed_at_once_and_a_republished_one_does_not() {
    let (old, keys, _, served) = simple();
    let new = key();
    let token = old.sign(&claims());
    assert_eq!(served.call("read", &token).await, 200);
    keys.publish(&[&new, &old]);
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(served.hits(), 1, "the same key is still there");
    keys.publish(&[&new]);
    assert_eq!(served.call("read", &token).await, 401);
    assert_eq!(served.entries(), 0);
    keys.publish(&[&old]);
    assert_eq!(served.call("read", &token).await, 200);
    // Another key under the same name.
    let mut imposter = new.public_jwk().clone();
    imposter["kid"] = json!(old.kid());
    keys.publish_jwks(&[imposter.clone()]);
    assert_eq!(served.call("read", &token).await, 401);
    keys.publish(&[&old]);
    assert_eq!(served.call("read", &token).await, 200);
    // Both: ambiguous.
    keys.publish_jwks(&[imposter, old.public_jwk().clone()]);
    assert_eq!(served.call("read", &token).await, 401);
    // The same key for another purpose.
    keys.publish(&[&old]);
    assert_eq!(served.call("read", &token).await, 200);
    let mut other_use = old.public_jwk().clone();
    other_use["use"] = json!("enc");
    keys.publish_jwks(&[other_use, new.public_jwk().clone()]);
    assert_eq!(served.call("read", &token).await, 401);
}

#[tokio::test]
async fn an_outage_of_the_keys_ends_hits_with_503() {
    let (key, keys, _, served) = simple();
    let token = key.sign(&claims());
    assert_eq!(served.call("read", &token).await, 200);
    keys.fail();
    assert_eq!(served.call("read", &token).await, 503);
    assert_eq!(served.hits(), 0);
    keys.publish(&[&key]);
    assert_eq!(served.call("read", &token).await, 200);
}

#[tokio::test]
async fn fetched_keys_are_refreshed_by_hits_alone_and_not_trusted_beyond_max_stale() {
    let auth = AuthorizationServer::new().start().await.unwrap();
    let clock = Clock::manual(unix_now());
    let keys = RemoteKeys::new(&format!("{}/jwks", auth.issuer()))
        .unwrap()
        .refresh_interval(seconds(60))
        .max_stale(seconds(60))
        .clock(clock.clone());
    let verifier = JwtVerifier::new(auth.issuer(), RESOURCE)
        .keys(keys)
        .clock(clock.clone())
        .build()
        .unwrap();
    let served = Served::new(verifier);
    let mint = || auth.mint("alice").scopes(["notes:read"]).audience(RESOURCE);
    let token = mint().sign();
    assert_eq!(served.call("read", &token).await, 200);
    auth.rotate_keys();
    auth.withdraw_old_keys();
    clock.advance(seconds(59 - 6));
    assert_eq!(served.call("read", &token).await, 200);
    clock.advance(seconds(13));
    // Due: this request is served from what is there, and starts the refresh.
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(served.hits(), 2);
    for _ in 0..2000 {
        if served.call("read", &token).await != 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(served.call("read", &token).await, 401);

    let token = mint().sign();
    assert_eq!(served.call("read", &token).await, 200);
    let hits = served.hits();
    drop(auth);
    clock.advance(seconds(66 + 60));
    assert_eq!(served.call("read", &token).await, 503);
    assert_eq!(served.hits(), hits);
}

fn unix_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs()
}

#[tokio::test]
async fn two_servers_with_different_audiences_share_nothing() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let keys = Keys::of(&[&key]);
    let here = Served::new(verifier(keys.clone(), &clock));
    let elsewhere = JwtVerifier::new(ISSUER, "http://127.0.0.1/other")
        .keys(keys)
        .clock(clock)
        .build()
        .unwrap();
    let elsewhere = Served::new(elsewhere);
    let token = key.sign(&claims());
    for _ in 0..3 {
        assert_eq!(here.call("read", &token).await, 200);
        assert_eq!(elsewhere.call("read", &token).await, 401);
    }
    assert_eq!((here.hits(), elsewhere.hits()), (2, 0));
    assert_eq!(elsewhere.entries(), 0);
}

#[tokio::test]
async fn each_tool_is_decided_anew() {
    let (key, _, _, served) = simple();
    let token = key.sign(&claims());
    for _ in 0..2 {
        assert_eq!(served.call("read", &token).await, 200);
        assert_eq!(served.call("write", &token).await, 403);
    }
    assert_eq!(served.hits(), 3);
}

#[tokio::test]
async fn a_token_that_is_known_proves_nothing_about_who_sends_it() {
    let (key, _, _, served) = simple();
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let bound = key.sign(&changed(json!({"cnf": {"jkt": jkt}})));
    for _ in 0..3 {
        assert_eq!(served.call("read", &bound).await, 401);
    }
    assert_eq!(served.hits(), 2, "the refusals came after the hits");
}

#[tokio::test]
async fn thousands_of_invalid_tokens_leave_the_entries_untouched() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let verifier = verifier(Keys::of(&[&key]), &clock);
    let served = Served::with(verifier, |server| {
        server.token_cache(TokenCache::entries(100))
    });
    let good: Vec<_> = (0..20)
        .map(|n| key.sign(&changed(json!({"sub": n.to_string()}))))
        .collect();
    for token in &good {
        assert_eq!(served.call("read", token).await, 200);
    }
    let flipped = good[0].rsplit_once('.').unwrap().0;
    for n in 0..3000 {
        let bad = match n % 3 {
            0 => format!("garbage{n}"),
            1 => format!("{flipped}.{n:0>86}"),
            _ => key.sign(&changed(json!({"exp": NOW - 100, "jti": n.to_string()}))),
        };
        assert_eq!(served.call("read", &bad).await, 401);
    }
    let stats = served.server.token_cache_stats();
    assert_eq!((stats.entries, stats.inserts, stats.evictions), (20, 20, 0));
    for token in &good {
        assert_eq!(served.call("read", token).await, 200);
    }
    assert_eq!(served.hits(), 20);
}

#[tokio::test]
async fn the_cache_is_bounded_and_what_is_used_survives_a_scan() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let verifier = verifier(Keys::of(&[&key]), &clock);
    let served = Served::with(verifier, |server| {
        server.token_cache(TokenCache::entries(32))
    });
    let used = key.sign(&claims());
    for _ in 0..3 {
        assert_eq!(served.call("read", &used).await, 200);
    }
    let before = served.hits();
    for n in 0..300 {
        let once = key.sign(&changed(json!({"jti": n.to_string()})));
        assert_eq!(served.call("read", &once).await, 200);
        if n % 10 == 0 {
            assert_eq!(served.call("read", &used).await, 200);
        }
    }
    let stats = served.server.token_cache_stats();
    assert!(stats.entries <= 32, "{stats:?}");
    assert_eq!(stats.evictions + stats.entries, stats.inserts);
    assert_eq!(stats.hits - before, 30, "{stats:?}");
}

#[tokio::test]
async fn long_tokens_are_accepted_and_not_remembered() {
    let (key, _, _, served) = simple();
    let filler = |n| key.sign(&changed(json!({"x": "x".repeat(n)})));
    for _ in 0..2 {
        assert_eq!(served.call("read", &filler(4000)).await, 200);
    }
    assert_eq!(served.server.token_cache_stats().entries, 0);
    let mut sizes = (2000..3200).rev().map(filler);
    let longest = sizes.find(|token| token.len() <= 4096);
    assert_eq!(served.call("read", &longest.unwrap()).await, 200);
    assert_eq!(served.server.token_cache_stats().entries, 1);
    let next = (2000..3200).map(filler).find(|token| token.len() > 4096);
    assert_eq!(served.call("read", &next.unwrap()).await, 200);
    assert_eq!(served.server.token_cache_stats().entries, 1);
}

#[tokio::test]
async fn switched_off_every_request_is_verified() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let verifier = verifier(Keys::of(&[&key]), &clock);
    let served = Served::with(verifier, |server| server.token_cache(TokenCache::off()));
    let token = key.sign(&claims());
    for _ in 0..3 {
        assert_eq!(served.call("read", &token).await, 200);
    }
    assert_eq!(served.server.token_cache_stats(), Default::default());
}

#[tokio::test]
async fn a_verifier_that_does_not_say_how_long_it_vouches_is_asked_with_every_request() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let count = Arc::new(AtomicUsize::new(0));
    let served = Served::new(Counting(verifier(Keys::of(&[&key]), &clock), count.clone()));
    let token = key.sign(&claims());
    for _ in 0..3 {
        assert_eq!(served.call("read", &token).await, 200);
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(served.entries(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_first_use_verifies_at_most_once_a_thread_and_every_caller_is_itself() {
    let (key, _, _, served) = simple();
    let tokens: Vec<_> = (0..8)
        .map(|n| key.sign(&changed(json!({"sub": format!("user{n}")}))))
        .collect();
    let (served, tokens) = (Arc::new(served), Arc::new(tokens));
    let calls = (0..256).map(|n| {
        let (served, tokens) = (served.clone(), tokens.clone());
        tokio::spawn(async move {
            let who = n % 8;
            let request = McpRequest::call("read", json!({})).bearer(&tokens[who]);
            let response = request.send(&served.app).await;
            assert_eq!(response.text(), format!("user{who}"));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let stats = served.server.token_cache_stats();
    assert_eq!(stats.entries, 8);
    assert_eq!(stats.hits + stats.misses, 256);
    assert!(stats.misses <= 8 * 4, "{stats:?}");
}

#[tokio::test]
async fn a_token_is_revoked_between_two_calls() {
    for cache in [TokenCache::default(), TokenCache::off()] {
        for revoke in [
            Revoke::token(ISSUER, "1"),
            Revoke::subject(ISSUER, "alice"),
            Revoke::client(ISSUER, "app"),
            Revoke::issuer(ISSUER),
        ] {
            let (key, clock) = (key(), Clock::manual(NOW));
            let list = RevocationList::new(seconds(3600)).clock(clock.clone());
            let served = Served::with(verifier(Keys::of(&[&key]), &clock), |server| {
                server.revocations(list.clone()).token_cache(cache)
            });
            let token = key.sign(&claims());
            assert_eq!(served.call("read", &token).await, 200);
            assert_eq!(served.call("read", &token).await, 200);
            list.revoke(revoke.clone()).unwrap();
            let request = McpRequest::call("read", json!({})).bearer(&token);
            let response = request.send(&served.app).await;
            assert_eq!(response.status(), 401, "{revoke:?}");
            assert_eq!(response.challenge().unwrap().error(), Some("invalid_token"));
            // Somebody else, and a login after that.
            let later = json!({"jti": "2", "sub": "bob", "client_id": "x", "iat": NOW + 1});
            let later = key.sign(&changed(later));
            assert_eq!(served.call("read", &later).await, 200, "{revoke:?}");
        }
    }
}

/// Never answers, or cannot answer.
struct Unhelpful(&'static str);

impl Revocations for Unhelpful {
    fn is_revoked<'a>(&'a self, _: &'a Principal) -> RevocationCheck<'a> {
        match self.0 {
            "slow" => Box::pin(std::future::pending()),
            reason => Box::pin(std::future::ready(Err(RevocationUnknown { reason }))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_about_revocation_in_time_is_503_on_misses_and_on_hits() {
    for kind in ["slow", "database down"] {
        let (key, clock) = (key(), Clock::manual(NOW));
        let verifier = verifier(Keys::of(&[&key]), &clock);
        let served = Served::with(verifier, |server| server.revocations(Unhelpful(kind)));
        let token = key.sign(&claims());
        for _ in 0..2 {
            let request = McpRequest::call("read", json!({})).bearer(&token);
            let response = request.send(&served.app).await;
            assert_eq!(response.status(), 503);
            assert_eq!(response.header("retry-after"), Some("1"));
            assert!(response.challenge().is_none());
        }
        assert_eq!(served.entries(), 0, "only what succeeded is remembered");
    }
}

/// Works until it is broken.
struct Breaking(Arc<Mutex<bool>>);

impl Revocations for Breaking {
    fn is_revoked<'a>(&'a self, _: &'a Principal) -> RevocationCheck<'a> {
        let broken = *self.0.lock().unwrap();
        Box::pin(async move {
            if broken {
                std::future::pending::<()>().await;
            }
            Ok(false)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_stops_answering_stops_hits_too_within_its_deadline() {
    let (key, clock) = (key(), Clock::manual(NOW));
    let broken = Arc::new(Mutex::new(false));
    let hook = Breaking(broken.clone());
    let verifier = verifier(Keys::of(&[&key]), &clock);
    let served = Served::with(verifier, |server| {
        server.revocations(hook).revocation_deadline(seconds(3))
    });
    let token = key.sign(&claims());
    assert_eq!(served.call("read", &token).await, 200);
    *broken.lock().unwrap() = true;
    let started = tokio::time::Instant::now();
    assert_eq!(served.call("read", &token).await, 503);
    // The clock of the runtime is paused: this is exact.
    assert_eq!(started.elapsed().as_secs(), 3);
    *broken.lock().unwrap() = false;
    assert_eq!(served.call("read", &token).await, 200);
    assert_eq!(served.hits(), 2);
}

/// What may happen between the requests of a property test.
#[derive(Debug, Clone)]
enum Event {
    Call(usize, bool),
    Wait(u64),
    Jump(i64),
    /// Which of the two keys is published, and how.
    Publish(u8),
    Revoke(u8),
}

fn event() -> impl Strategy<Value = Event> {
    let wait = prop_oneof![6 => 0..40_u64, 2 => Just(150), 1 => Just(299), 1 => Just(300)];
    prop_oneof![
        20 => (0..TOKENS, prop::bool::ANY).prop_map(|(token, tool)| Event::Call(token, tool)),
        3 => wait.prop_map(Event::Wait),
        1 => (-300..300_i64).prop_map(Event::Jump),
        2 => (0..12_u8).prop_map(Event::Publish),
        1 => (0..4_u8).prop_map(Event::Revoke),
    ]
}

const TOKENS: usize = 9;

fn tokens(a: &SigningKey, b: &SigningKey) -> [String; TOKENS] {
    let long = |jti: &str| changed(json!({"exp": NOW + 3000, "jti": jti}));
    let good = a.sign(&long("good"));
    let nameless = long("nameless").to_string();
    let other = b.sign(&long("good"));
    [
        a.sign(&claims()),
        b.sign(&changed(
            json!({"sub": "bob", "exp": NOW + 3000, "scope": "notes:write"}),
        )),
        b.sign_parts(br#"{"alg":"ES256"}"#, nameless.as_bytes()),
        a.sign(&changed(json!({"nbf": NOW + 200, "exp": NOW + 600}))),
        a.sign(&changed(json!({"aud": "http://127.0.0.1/other"}))),
        format!(
            "{}.{}",
            good.rsplit_once('.').unwrap().0,
            other.rsplit_once('.').unwrap().1
        ),
        good,
        b.sign(&changed(json!({"exp": NOW + 100_000}))),
        "garbage".to_owned(),
    ]
}

static HITS: AtomicUsize = AtomicUsize::new(0);

fn same_with_and_without_cache(events: &[Event]) {
    let clock = Clock::manual(NOW);
    let (a, b) = (key(), key());
    let keys = Keys::of(&[&a, &b]);
    let list = RevocationList::new(seconds(3000)).clock(clock.clone());
    let served = [TokenCache::default(), TokenCache::off()].map(|cache| {
        Served::with(verifier(keys.clone(), &clock), |server| {
            server.token_cache(cache).revocations(list.clone())
        })
    });
    let tokens = tokens(&a, &b);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut now = NOW;
    for (at, event) in events.iter().enumerate() {
        match *event {
            Event::Call(token, write) => {
                let tool = if write { "write" } else { "read" };
                let [with, without] = served
                    .each_ref()
                    .map(|served| runtime.block_on(served.call(tool, &tokens[token])));
                assert_eq!(with, without, "event {at}, {event:?}");
            }
            Event::Wait(by) => {
                now += by;
                clock.advance(seconds(by));
            }
            Event::Jump(by) => {
                now = now.saturating_add_signed(by);
                clock.jump_to(now);
            }
            Event::Publish(how) => match how {
                0 => keys.publish(&[&a]),
                1 => keys.publish(&[&b]),
                2 => keys.publish_jwks(&[]),
                3 => keys.fail(),
                4 => {
                    let mut imposter = b.public_jwk().clone();
                    imposter["kid"] = json!(a.kid());
                    keys.publish_jwks(&[imposter, b.public_jwk().clone()]);
                }
                5 => {
                    let mut unnamed = b.public_jwk().clone();
                    unnamed.as_object_mut().unwrap().remove("kid");
                    keys.publish_jwks(&[unnamed]);
                }
                _ => keys.publish(&[&a, &b]),
            },
            Event::Revoke(what) => {
                let what = match what {
                    0 => Revoke::token(ISSUER, "good"),
                    1 => Revoke::subject(ISSUER, "bob"),
                    2 => Revoke::client(ISSUER, "app").issued_before(NOW),
                    _ => Revoke::subject(ISSUER, "alice").issued_before(NOW + 1),
                };
                list.revoke(what).unwrap();
            }
        }
    }
    let hits = usize::try_from(served[0].hits()).unwrap();
    HITS.fetch_add(hits, Ordering::SeqCst);
}

#[test]
fn no_sequence_of_events_tells_a_server_with_a_cache_from_one_without() {
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in prop::collection::vec(event(), 1..80))| {
        same_with_and_without_cache(&events);
    });
    let hits = HITS.load(Ordering::SeqCst);
    assert!(hits > 100, "the cache was of use {hits} times only");
}

#[tokio::test]
async fn a_verifier_of_ones_own_may_vouch_for_longer() {
    struct Own(Arc<AtomicUsize>);
    struct Until(Arc<AtomicUsize>);
    impl toolgate::Freshness for Until {
        fn is_fresh(&self) -> bool {
            self.0.load(Ordering::SeqCst) < 10
        }
    }
    impl Verifier for Own {
        fn verify<'a>(&'a self, _: &'a str) -> Verification<'a> {
            let alice = VerifiedToken::new(ISSUER, "alice").scopes(["notes:read".parse().unwrap()]);
            Box::pin(std::future::ready(Ok(alice)))
        }
        fn vouch<'a>(&'a self, token: &'a str) -> toolgate::Vouching<'a> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                let token = self.verify(token).await?;
                let until = Until(self.0.clone());
                Ok(toolgate::Vouched::while_fresh(token, until))
            })
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let served = Served::new(Own(count.clone()));
    for _ in 0..3 {
        assert_eq!(served.call("read", "opaque").await, 200);
    }
    assert_eq!(count.swap(10, Ordering::SeqCst), 1);
    for expected in [11, 12] {
        assert_eq!(served.call("read", "opaque").await, 200);
        assert_eq!(count.load(Ordering::SeqCst), expected);
    }
}
