//! DPoP: tokens that are bound to a key, as clients see it (R129, T36, RFC 9449).

use std::{
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use toolgate::{
    Clock, Confirmation, Dpop, MemoryReplayStore, ProofId, Recording, ReplayStore,
    ReplayStoreError, ScopeName, Server, SignatureAlgorithm, Verification, VerifiedToken, Verifier,
    testkit::{McpRequest, McpResponse, ProofBuilder, SigningKey, TokenBuilder},
};

use crate::fixture::{Fixture, METADATA_URL, RESOURCE, VERSIONS};

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256)
}

fn call() -> McpRequest {
    McpRequest::call("add", json!({"a": 1, "b": 2}))
}

fn mint(fixture: &Fixture) -> TokenBuilder {
    let token = fixture.auth.mint("alice").scopes(["mcp:tools"]);
    token.audience(RESOURCE)
}

fn proof(key: &SigningKey, token: &str) -> ProofBuilder {
    key.dpop_proof("POST", RESOURCE).access_token(token)
}

async fn with(dpop: Dpop) -> Fixture {
    Fixture::with(|server| server.dpop(dpop)).await
}

/// 401 with that error in the DPoP challenge, and a Bearer challenge beside it.
fn refused(response: &McpResponse, error: &str) {
    assert_eq!(response.status(), 401, "{response:?}");
    let challenge = response.dpop_challenge().unwrap();
    assert_eq!(challenge.error(), Some(error), "{response:?}");
    assert_eq!(challenge.algs(), Some("ES256 EdDSA"));
    assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    let bearer = response.challenge().unwrap();
    assert_eq!(bearer.resource_metadata(), Some(METADATA_URL));
    let of_the_token = error == "invalid_token";
    assert_eq!(bearer.error(), of_the_token.then_some(error));
    assert_eq!(response.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_bound_token_with_a_fresh_proof_is_served_in_every_revision() {
    let fixture = with(Dpop::new()).await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm);
        let token = mint(&fixture).bound_to(&key).sign();
        for version in VERSIONS {
            let request = call().version(version);
            let response = request
                .dpop(&token, proof(&key, &token).sign())
                .send(&fixture.app)
                .await;
            assert_eq!(response.text(), "3", "{response:?}");
            assert_eq!(response.header("dpop-nonce"), None);
        }
    }
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let request = call()
        .header("authorization", format!("dpop   {token}"))
        .header("DPOP", proof(&key, &token).sign());
    assert_eq!(request.send(&fixture.app).await.status(), 200);
}

#[tokio::test]
async fn a_token_that_is_bound_to_nothing_is_still_a_bearer_token() {
    let fixture = with(Dpop::new()).await;
    let token = fixture.token("mcp:tools");
    let plain = call().bearer(&token);
    assert_eq!(plain.send(&fixture.app).await.status(), 200);
    let beside = call().bearer(&token).header("dpop", "garbage");
    assert_eq!(beside.send(&fixture.app).await.status(), 200);
    let key = key();
    let under_dpop = call().dpop(&token, proof(&key, &token).sign());
    refused(&under_dpop.send(&fixture.app).await, "invalid_token");
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn a_bound_token_as_plain_bearer_is_refused_with_dpop_on_and_off() {
    let key = key();
    let (on, off) = (with(Dpop::new()).await, Fixture::new().await);
    for fixture in [&on, &off] {
        let token = mint(fixture).bound_to(&key).sign();
        let proof = proof(&key, &token).sign();
        for request in [
            call().bearer(&token),
            call().bearer(&token).header("dpop", &proof),
        ] {
            let response = request.send(&fixture.app).await;
            assert_eq!(response.status(), 401, "{response:?}");
            let challenge = response.challenge().unwrap();
            assert_eq!(challenge.error(), Some("invalid_token"));
        }
        assert_eq!(fixture.runs(), 0);
    }
    // Where DPoP is off, nobody is told of it, and its scheme is none.
    let token = mint(&off).bound_to(&key).sign();
    let response = call()
        .dpop(&token, proof(&key, &token).sign())
        .send(&off.app)
        .await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.challenge().unwrap().error(), None);
    assert_eq!(response.dpop_challenge(), None);
    let open = Fixture::with(Server::allow_anonymous).await;
    let token = mint(&open).bound_to(&key).sign();
    let hello = McpRequest::call("hello", json!({})).dpop(&token, "x");
    assert_eq!(
        hello.send(&open.app).await.status(),
        401,
        "never taken for nobody"
    );
    assert_eq!(off.runs() + open.runs(), 0);
}

#[tokio::test]
async fn a_token_that_is_bound_in_an_unknown_way_is_refused_under_either_scheme() {
    let fixture = with(Dpop::new()).await;
    let key = key();
    let jkt = key.thumbprint();
    for cnf in [
        json!(null),
        json!({}),
        json!([]),
        json!(jkt),
        json!({"jkt": "x"}),
        json!({"jkt": [jkt]}),
        json!({"jwk": key.public_jwk()}),
        json!({"jkt": jkt, "jwk": key.public_jwk()}),
        json!({"jkt": jkt, "kid": "1"}),
        json!({"JKT": jkt}),
    ] {
        let token = mint(&fixture).claim("cnf", cnf.clone()).sign();
        let bearer = call().bearer(&token).send(&fixture.app).await;
        assert_eq!(bearer.status(), 401, "{cnf}");
        let request = call().dpop(&token, proof(&key, &token).sign());
        refused(&request.send(&fixture.app).await, "invalid_token");
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn each_rule_has_a_proof_that_breaks_it_alone() {
    let fixture = with(Dpop::new()).await;
    let (key, other) = (key(), key());
    let token = mint(&fixture).bound_to(&key).sign();
    let good = || proof(&key, &token);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_secs();
    let rsa = SigningKey::generate(Algorithm::RS256);
    let mut private = key.public_jwk().clone();
    private["d"] = json!("AA");
    let unsigned = good().sign();
    let unsigned = unsigned.rsplit_once('.').unwrap().0;
    for (what, proof) in [
        ("no token", String::new()),
        ("an access token", token.clone()),
        ("no signature", format!("{unsigned}.")),
        ("typ", good().header("typ", "JWT").sign()),
        ("alg none", good().header("alg", "none").sign()),
        ("alg HS256", good().header("alg", "HS256").sign()),
        ("crit", good().header("crit", json!(["x"])).sign()),
        ("no jwk", good().header("jwk", Value::Null).sign()),
        ("private jwk", good().header("jwk", private).sign()),
        ("signature", good().key(other.clone()).sign()),
        ("RSA", proof(&rsa, &token).sign()),
        ("htm", good().claim("htm", "GET").sign()),
        (
            "htu",
            good().claim("htu", "https://evil.example/mcp").sign(),
        ),
        ("htu path", good().claim("htu", "http://127.0.0.1/").sign()),
        (
            "htu port",
            good().claim("htu", "http://127.0.0.1:81/mcp").sign(),
        ),
        ("old", good().issued_at(now - 62).sign()),
        ("future", good().issued_at(now + 65).sign()),
        ("no iat", good().without("iat").sign()),
        ("no jti", good().without("jti").sign()),
        ("empty jti", good().claim("jti", "").sign()),
        ("no ath", good().without("ath").sign()),
        ("ath", good().access_token("another").sign()),
    ] {
        let response = call().dpop(&token, &proof).send(&fixture.app).await;
        assert_eq!(response.status(), 401, "{what}: {response:?}");
        refused(&response, "invalid_dpop_proof");
    }
    let none = call().header("authorization", format!("DPoP {token}"));
    refused(&none.send(&fixture.app).await, "invalid_dpop_proof");
    let two = call().dpop(&token, good().sign());
    let two = two.header("dpop", good().sign());
    refused(&two.send(&fixture.app).await, "invalid_dpop_proof");
    let thief = call().dpop(&token, proof(&other, &token).sign());
    refused(&thief.send(&fixture.app).await, "invalid_token");
    assert_eq!(fixture.runs(), 0);

    let spelled = good().claim("htu", "HTTP://127.0.0.1:80/mcp?x#y").sign();
    let request = call().dpop(&token, spelled);
    assert_eq!(request.send(&fixture.app).await.status(), 200);
}

#[tokio::test]
async fn what_makes_a_token_bad_makes_it_bad_with_a_proof_too() {
    let fixture = with(Dpop::new()).await;
    let key = key();
    for token in [
        mint(&fixture).bound_to(&key).expired().sign(),
        mint(&fixture)
            .bound_to(&key)
            .audience("https://other.example")
            .sign(),
        mint(&fixture).bound_to(&key).key(key.clone()).sign(),
        "garbage".to_owned(),
    ] {
        let request = call().dpop(&token, proof(&key, &token).sign());
        refused(&request.send(&fixture.app).await, "invalid_token");
    }
    let token = mint(&fixture).bound_to(&key).scopes(["other"]).sign();
    let request = call().dpop(&token, proof(&key, &token).sign());
    let response = request.send(&fixture.app).await;
    assert_eq!(response.status(), 403);
    for challenge in [response.dpop_challenge(), response.challenge()] {
        let challenge = challenge.unwrap();
        assert_eq!(challenge.error(), Some("insufficient_scope"));
        assert_eq!(challenge.scope(), Some("mcp:tools"));
    }
    assert_eq!(fixture.runs(), 0);
}

#[tokio::test]
async fn every_request_needs_a_proof_of_its_own() {
    let fixture = with(Dpop::new()).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let first = proof(&key, &token).sign();
    let send = |proof: &str| call().dpop(&token, proof).send(&fixture.app);
    assert_eq!(send(&first).await.status(), 200);
    let hits = fixture.server.token_cache_stats().hits;
    refused(&send(&first).await, "invalid_dpop_proof");
    let remembered = fixture.server.token_cache_stats().hits > hits;
    assert!(remembered, "also for a token that is not verified again");
    let bare = call().bearer(&token).send(&fixture.app).await;
    refused(&bare, "invalid_token");
    let none = call().header("authorization", format!("DPoP {token}"));
    refused(&none.send(&fixture.app).await, "invalid_dpop_proof");
    assert_eq!(send(&proof(&key, &token).sign()).await.status(), 200);
    // A proof that was refused for its token's scopes is used up as well.
    let narrow = mint(&fixture).bound_to(&key).scopes(["other"]).sign();
    let used = proof(&key, &narrow).sign();
    let request = call().dpop(&narrow, &used);
    assert_eq!(request.clone().send(&fixture.app).await.status(), 403);
    refused(&request.send(&fixture.app).await, "invalid_dpop_proof");
    assert_eq!(fixture.runs(), 2);
}

#[tokio::test]
async fn one_proof_sent_many_times_at_once_is_served_once() {
    let fixture = with(Dpop::new()).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let request = call().dpop(&token, proof(&key, &token).sign());
    let all = (0..16).map(|_| {
        let (request, app) = (request.clone(), fixture.app.clone());
        tokio::spawn(async move { request.send(&app).await.status().as_u16() })
    });
    let mut served = 0;
    for task in all.collect::<Vec<_>>() {
        served += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!((served, fixture.runs()), (1, 1));
}

#[tokio::test]
async fn where_dpop_is_required_nothing_else_is_accepted_or_challenged() {
    let fixture = with(Dpop::new().required()).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let request = call().dpop(&token, proof(&key, &token).sign());
    assert_eq!(request.send(&fixture.app).await.status(), 200);
    for (request, error) in [
        (call(), None),
        (call().bearer(&token), Some("invalid_token")),
        (
            call().bearer(fixture.token("mcp:tools")),
            Some("invalid_token"),
        ),
        (call().dpop(&token, "x"), Some("invalid_dpop_proof")),
    ] {
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.challenge(), None, "no Bearer challenge");
        let challenge = response.dpop_challenge().unwrap();
        assert_eq!(challenge.error(), error);
        assert_eq!(challenge.algs(), Some("ES256 EdDSA"));
        assert_eq!(challenge.resource_metadata(), Some(METADATA_URL));
    }
    assert_eq!(fixture.runs(), 1);
}

#[tokio::test]
async fn the_first_challenge_names_both_schemes_bearer_first() {
    let fixture = with(Dpop::new()).await;
    let response = call().send(&fixture.app).await;
    assert_eq!(response.status(), 401);
    let values: Vec<_> = response
        .headers()
        .get_all("www-authenticate")
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    let scope = "linked:use mcp:tools notes:delete notes:read notes:write";
    assert_eq!(
        values,
        [
            format!(r#"Bearer scope="{scope}", resource_metadata="{METADATA_URL}""#),
            format!(
                r#"DPoP scope="{scope}", resource_metadata="{METADATA_URL}", algs="ES256 EdDSA""#
            ),
        ]
    );
}

#[tokio::test]
async fn the_metadata_says_what_is_supported_and_what_is_required() {
    let document = async |fixture: &Fixture| {
        let path = METADATA_URL.strip_prefix("http://127.0.0.1").unwrap();
        let request = McpRequest::list_tools().http_method(http::Method::GET);
        request.uri(path).send(&fixture.app).await.message()
    };
    let (algs, required) = (
        "dpop_signing_alg_values_supported",
        "dpop_bound_access_tokens_required",
    );
    let off = document(&Fixture::new().await).await;
    assert_eq!((off.get(algs), off.get(required)), (None, None));
    let on = document(&with(Dpop::new()).await).await;
    assert_eq!(on[algs], json!(["ES256", "EdDSA"]));
    assert_eq!(on.get(required), None);
    let only = Dpop::new()
        .algorithms([SignatureAlgorithm::PS256])
        .required();
    let only = document(&with(only).await).await;
    assert_eq!(only[algs], json!(["PS256"]));
    assert_eq!(only[required], true);
}

#[tokio::test]
async fn a_nonce_is_asked_for_given_out_and_grows_old() {
    let clock = Clock::manual(1_700_000_040);
    let fixture = with(Dpop::new().nonces().clock(clock.clone())).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let send = |proof: ProofBuilder| call().dpop(&token, proof.sign()).send(&fixture.app);

    let asked = send(proof(&key, &token)).await;
    refused(&asked, "use_dpop_nonce");
    let nonce = asked.header("dpop-nonce").unwrap().to_owned();
    let served = send(proof(&key, &token).nonce(&nonce)).await;
    assert_eq!(served.text(), "3", "{served:?}");
    assert_eq!(served.header("dpop-nonce"), Some(nonce.as_str()));
    let forged = send(proof(&key, &token).nonce("made-up")).await;
    refused(&forged, "use_dpop_nonce");

    clock.advance(Duration::from_secs(60));
    let served = send(proof(&key, &token).nonce(&nonce)).await;
    let next = served.header("dpop-nonce").unwrap().to_owned();
    assert_eq!(served.status(), 200);
    assert_ne!(next, nonce, "the next one comes with the answer");
    clock.advance(Duration::from_secs(60));
    let old = send(proof(&key, &token).nonce(&nonce)).await;
    refused(&old, "use_dpop_nonce");
    let served = send(proof(&key, &token).nonce(&next)).await;
    assert_eq!(served.status(), 200);
    // Whatever else is wrong is said as before.
    let wrong = proof(&key, &token).nonce(&next).claim("htm", "GET");
    refused(&send(wrong).await, "invalid_dpop_proof");
    let bearer = call().bearer(fixture.token("mcp:tools"));
    assert_eq!(bearer.send(&fixture.app).await.status(), 200);
    assert_eq!(fixture.runs(), 4);
}

#[tokio::test]
async fn the_window_is_that_of_the_configured_clock() {
    let clock = Clock::manual(1_700_000_000);
    let window = Duration::from_secs(300);
    let fixture = with(Dpop::new().clock(clock.clone()).window(window)).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let send = |iat: u64| {
        let proof = proof(&key, &token).issued_at(iat).sign();
        call().dpop(&token, proof).send(&fixture.app)
    };
    for (iat, status) in [
        (1_699_999_699, 401),
        (1_699_999_700, 200),
        (1_700_000_300, 200),
        (1_700_000_301, 401),
    ] {
        assert_eq!(send(iat).await.status(), status, "{iat}");
    }
}

/// Records nothing.
struct Broken;

impl ReplayStore for Broken {
    fn use_once<'a>(&'a self, _: &'a ProofId, _: Duration) -> Recording<'a> {
        Box::pin(async { Err(ReplayStoreError::Unavailable) })
    }
}

#[tokio::test]
async fn a_replay_store_that_cannot_say_is_503_and_never_acceptance() {
    let full = Dpop::new().replay_store(MemoryReplayStore::new().limits(0, 0));
    for dpop in [full, Dpop::new().replay_store(Broken)] {
        let fixture = with(dpop).await;
        let key = key();
        let token = mint(&fixture).bound_to(&key).sign();
        let request = call().dpop(&token, proof(&key, &token).sign());
        let response = request.send(&fixture.app).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.header("retry-after"), Some("60"));
        assert!(response.header("www-authenticate").is_none());
        assert_eq!(fixture.runs(), 0);
    }
}

#[tokio::test]
async fn the_proof_stops_at_the_layer_and_is_reflected_nowhere() {
    let fixture = with(Dpop::new()).await;
    let key = key();
    let token = mint(&fixture).bound_to(&key).sign();
    let good = proof(&key, &token).sign();
    let request = McpRequest::call("dump", json!({})).dpop(&token, &good);
    let response = request.send(&fixture.app).await;
    let text = response.text();
    assert!(text.contains("mcp-name"), "{text}");
    for part in good.split('.').chain(token.split('.')) {
        assert!(!text.contains(part));
    }
    for name in ["typ", "jti", "htu", "htm", "ath", "nonce"] {
        let bad = proof(&key, &token)
            .claim(name, json!(["MARKER"]))
            .header("typ", "MARKER");
        let response = call().dpop(&token, bad.sign()).send(&fixture.app).await;
        assert!(!format!("{response:?}").contains("MARKER"));
    }
}

#[tokio::test]
async fn browsers_may_send_the_proof_and_read_the_nonce() {
    let fixture = Fixture::with(|server| {
        let server = server.dpop(Dpop::new().nonces());
        server.allow_origin("https://app.example.com")
    })
    .await;
    let preflight = McpRequest::list_tools()
        .http_method(http::Method::OPTIONS)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,dpop")
        .send(&fixture.app)
        .await;
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains("dpop"), "{allowed}");
    let response = McpRequest::list_tools()
        .header("origin", "https://app.example.com")
        .send(&fixture.app)
        .await;
    let exposed = response.header("access-control-expose-headers").unwrap();
    for name in ["dpop-nonce", "www-authenticate"] {
        assert!(exposed.to_lowercase().contains(name), "{exposed}");
    }
}

/// Vouches for everything, and says about the binding what it was made with.
struct Careless(Box<dyn Fn(VerifiedToken) -> VerifiedToken + Send + Sync>);

impl Verifier for Careless {
    fn verify<'a>(&'a self, _: &'a str) -> Verification<'a> {
        let scope = ScopeName::new("mcp:tools").unwrap();
        let token = (self.0)(VerifiedToken::new("urn:x", "alice").scopes([scope]));
        Box::pin(async move { Ok(token) }) as Pin<Box<_>>
    }
}

#[tokio::test]
async fn the_binding_holds_for_tokens_of_every_verifier() {
    let (key, other) = (key(), key());
    let cnf = json!({"jkt": key.thumbprint()});
    let claims = |cnf: &Value| json!({ "cnf": cnf }).as_object().unwrap().clone();
    let confirmation = Confirmation::from_claim(&cnf).unwrap();
    let strange = Confirmation::from_claim(&json!({"jkt": other.thumbprint()})).unwrap();
    type Bind = Box<dyn Fn(VerifiedToken) -> VerifiedToken + Send + Sync>;
    let (c, s) = (claims(&cnf), claims(&json!({"kid": "1"})));
    let (said, contradicted, one) = (c.clone(), c.clone(), confirmation.clone());
    let cases: [(Bind, u16); 5] = [
        (Box::new(move |token| token.confirmation(one.clone())), 200),
        // A verifier that forgets to say so.
        (Box::new(move |token| token.claims(c.clone())), 200),
        (
            Box::new(move |token| {
                let token = token.claims(said.clone());
                token.confirmation(confirmation.clone())
            }),
            200,
        ),
        (
            Box::new(move |token| {
                let token = token.claims(contradicted.clone());
                token.confirmation(strange.clone())
            }),
            401,
        ),
        (Box::new(move |token| token.claims(s.clone())), 401),
    ];
    for (number, (bind, status)) in cases.into_iter().enumerate() {
        let fixture =
            Fixture::with(|server| server.verifier(Careless(bind)).dpop(Dpop::new())).await;
        let bearer = call().bearer("opaque").send(&fixture.app).await;
        assert_eq!(bearer.status(), 401, "{number}");
        let proven = call().dpop("opaque", proof(&key, "opaque").sign());
        let proven = proven.send(&fixture.app).await;
        assert_eq!(proven.status(), status, "{number}: {proven:?}");
    }
}

#[test]
fn settings_that_cannot_work_are_start_errors() {
    for dpop in [
        Dpop::new().algorithms([]),
        Dpop::new().window(Duration::from_secs(301)),
        Dpop::new().window(Duration::ZERO),
    ] {
        let server = Server::new(RESOURCE)
            .authorization_server("https://auth.example.com")
            .shared_state(std::sync::Arc::new(crate::fixture::Runs::default()))
            .dpop(dpop);
        let problems = server.build().unwrap_err().to_string();
        assert!(problems.contains("proof of possession"), "{problems}");
    }
}

#[tokio::test]
async fn a_token_from_a_whole_flow_is_served_with_the_key_it_was_asked_with() {
    let auth = toolgate::testkit::AuthorizationServer::new();
    let auth = auth.auto_consent("alice").start().await.unwrap();
    let app = Server::new(RESOURCE)
        .authorization_server(auth.issuer())
        .shared_state(std::sync::Arc::new(crate::fixture::Runs::default()))
        .dpop(Dpop::new().required())
        .build()
        .unwrap()
        .router();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let at = |path: &str| format!("{}{path}", auth.issuer());
    let (redirect, key) = ("http://127.0.0.1:9/cb", key());

    let client = json!({"redirect_uris": [redirect], "token_endpoint_auth_method": "none"});
    let client = http.post(at("/register")).json(&client).send().await;
    let client: Value = client.unwrap().json().await.unwrap();
    let client = client["client_id"].as_str().unwrap();
    let asked = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect),
        // RFC 7636, Appendix B.
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
        ("scope", "mcp:tools"),
    ];
    let agreed = http.get(at("/authorize")).query(&asked).send().await;
    let location = agreed.unwrap().headers()["location"].clone();
    let location = url::Url::parse(location.to_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code");
    let redeemed = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", &*code.unwrap().1),
        ("redirect_uri", redirect),
        (
            "code_verifier",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
    ];
    let answer = http
        .post(at("/token"))
        .header("dpop", key.dpop_proof("POST", &at("/token")).sign())
        .form(&redeemed)
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
    let token = answer["access_token"].as_str().unwrap();

    let proven = call().dpop(token, proof(&key, token).sign());
    assert_eq!(proven.send(&app).await.text(), "3");
    let stolen = call().dpop(token, proof(&self::key(), token).sign());
    assert_eq!(stolen.send(&app).await.status(), 401);
    assert_eq!(call().bearer(token).send(&app).await.status(), 401);
}
