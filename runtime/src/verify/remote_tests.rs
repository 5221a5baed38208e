//! Appendix A of the threat model, against a counting issuer and a clock that is moved by hand.

use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{
    super::{
        refresh::jittered,
        test_issuer::{Mode, TestIssuer},
    },
    *,
};
use crate::testkit::SigningKey;

const ALG: SignatureAlgorithm = SignatureAlgorithm::EdDSA;
const COOLDOWN: Duration = Duration::from_secs(30);

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA)
}

fn serving(keys: &[&SigningKey]) -> Mode {
    Mode::Keys(
        keys.iter().map(|key| key.public_jwk().clone()).collect(),
        "",
    )
}

fn remote(issuer: &TestIssuer, clock: &Clock) -> RemoteKeys {
    RemoteKeys::new(&issuer.keys_url())
        .unwrap()
        .clock(clock.clone())
}

fn discovered(issuer: &TestIssuer, clock: &Clock) -> RemoteKeys {
    let fetcher = Fetcher::new(issuer.url.parse().unwrap(), false)
        .ok()
        .unwrap();
    RemoteKeys::discover(&issuer.url, fetcher).clock(clock.clone())
}

async fn ask(keys: &RemoteKeys, kid: &str) -> &'static str {
    match keys.key(Some(kid), ALG).await {
        Ok(_) => "found",
        Err(KeyError::Unknown) => "unknown",
        Err(KeyError::Unavailable { .. }) => "unavailable",
    }
}

/// Waits for the fetch that is running, if any.
async fn settled(keys: &RemoteKeys) {
    let running = keys
        .state
        .attempts()
        .running
        .as_ref()
        .map(|(running, _)| running.clone());
    if let Some(mut running) = running {
        let _ = running.changed().await;
    }
}

async fn flood(keys: &RemoteKeys) {
    for n in 0..150 {
        ask(keys, &format!("serial-{n}")).await;
    }
    let parallel: Vec<String> = (0..150).map(|n| format!("parallel-{n}")).collect();
    join_all(parallel.iter().map(|kid| ask(keys, kid))).await;
}

#[tokio::test]
async fn a_flood_of_unknown_names_is_one_fetch_per_cooldown_whatever_the_issuer_answers() {
    let good = key();
    for mode in [
        serving(&[&good]),
        Mode::Keys(vec![], ""),
        Mode::Status("500 Oops"),
        Mode::Html,
        Mode::Broken,
        Mode::Down,
    ] {
        let issuer = TestIssuer::start(mode).await;
        let clock = Clock::manual(0);
        // With the longest pause from the first failure on, back-off counts as cool-down.
        let keys = remote(&issuer, &clock).cooldown(SECOND);
        for window in 1..=3 {
            flood(&keys).await;
            assert_eq!(issuer.key_fetches(), window);
            clock.advance(Duration::from_millis(999));
            flood(&keys).await;
            assert_eq!(issuer.key_fetches(), window);
            clock.advance(Duration::from_millis(1));
        }
    }
}

#[tokio::test]
async fn the_cooldown_survives_jumps_of_the_wall_clock() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(1_000_000);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    for jump in [1_086_400, 0, u64::MAX] {
        clock.jump_to(jump);
        flood(&keys).await;
        assert_eq!(ask(&keys, good.kid()).await, "found");
        assert_eq!(issuer.key_fetches(), 1);
    }
}

#[tokio::test]
async fn known_keys_are_served_while_a_fetch_hangs() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(0);
    let keys = Arc::new(remote(&issuer, &clock));
    assert_eq!(ask(&keys, good.kid()).await, "found");
    issuer.set(Mode::Hang);
    clock.advance(COOLDOWN);
    let flood = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { flood(&keys).await }
    });
    issuer.asked(2).await;
    for _ in 0..300 {
        assert_eq!(ask(&keys, good.kid()).await, "found");
    }
    assert!(!flood.is_finished());
    issuer.set(serving(&[&good]));
    issuer.release();
    flood.await.unwrap();
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_accepted_at_the_first_token_after_the_cooldown() {
    let (old, new) = (key(), key());
    let issuer = TestIssuer::start(serving(&[&old])).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, old.kid()).await, "found");
    issuer.set(serving(&[&old, &new]));
    clock.advance(COOLDOWN - SECOND);
    assert_eq!(ask(&keys, new.kid()).await, "unknown");
    clock.advance(SECOND);
    assert_eq!(ask(&keys, new.kid()).await, "found");
    assert_eq!(ask(&keys, old.kid()).await, "found");
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_after_the_refresh_and_can_come_back() {
    let (bad, good) = (key(), key());
    let issuer = TestIssuer::start(serving(&[&bad, &good])).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, bad.kid()).await, "found");
    issuer.set(serving(&[&good]));
    clock.advance(MINUTE * 8);
    assert_eq!(ask(&keys, bad.kid()).await, "found");
    assert_eq!(issuer.key_fetches(), 1);
    clock.advance(MINUTE * 3);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    settled(&keys).await;
    assert_eq!(ask(&keys, bad.kid()).await, "unknown");
    assert_eq!(issuer.key_fetches(), 2);
    issuer.set(serving(&[&bad]));
    clock.advance(COOLDOWN);
    assert_eq!(ask(&keys, bad.kid()).await, "found");
    assert_eq!(ask(&keys, good.kid()).await, "unknown");
}

#[tokio::test]
async fn an_issuer_that_lists_no_keys_has_withdrawn_them_all() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    issuer.set(Mode::Keys(vec![], ""));
    clock.advance(COOLDOWN);
    assert_eq!(ask(&keys, "other").await, "unknown");
    assert_eq!(ask(&keys, good.kid()).await, "unknown");
    assert_eq!(keys.ready().await, Ok(()));
    assert_eq!(issuer.key_fetches(), 2);
}

#[tokio::test]
async fn in_an_outage_the_last_good_keys_serve_until_they_are_too_old() {
    let good = key();
    for failure in [
        Mode::Status("500 Oops"),
        Mode::Status("204 No Content"),
        Mode::Html,
        Mode::Broken,
        Mode::Huge,
        Mode::Drip,
        Mode::Redirect,
        Mode::Down,
    ] {
        let issuer = TestIssuer::start(serving(&[&good])).await;
        let clock = Clock::manual(0);
        let keys = remote(&issuer, &clock).timeout(Duration::from_millis(300));
        assert_eq!(ask(&keys, good.kid()).await, "found");
        issuer.set(failure);
        for _ in 0..6 {
            clock.advance(MINUTE * 11);
            assert_eq!(ask(&keys, good.kid()).await, "found");
            settled(&keys).await;
        }
        assert_eq!(issuer.other_fetches(), 0, "redirects are not followed");
        assert_eq!(ask(&keys, good.kid()).await, "found");
        clock.advance(MINUTE * 6);
        assert_eq!(ask(&keys, good.kid()).await, "unavailable");
        assert!(keys.ready().await.is_err());
        issuer.set(serving(&[&good]));
        assert_eq!(
            ask(&keys, good.kid()).await,
            "unavailable",
            "the cool-down holds"
        );
        clock.advance(COOLDOWN);
        assert_eq!(ask(&keys, good.kid()).await, "found");
    }
}

#[tokio::test]
async fn an_unknown_name_in_an_outage_is_unknown_while_the_keys_are_good() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    issuer.set(Mode::Down);
    clock.advance(COOLDOWN);
    assert_eq!(ask(&keys, "other").await, "unknown");
}

#[tokio::test]
async fn a_server_started_before_its_issuer_backs_off_up_to_the_cooldown() {
    let good = key();
    let issuer = TestIssuer::start(Mode::Status("503 Starting")).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "unavailable");
    for (attempt, pause) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
        clock.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        assert_eq!(ask(&keys, good.kid()).await, "unavailable");
        assert_eq!(issuer.key_fetches(), attempt + 1);
        let Err(KeyError::Unavailable { retry_after, .. }) = keys.ready().await else {
            panic!()
        };
        assert_eq!(retry_after, SECOND);
        clock.advance(Duration::from_millis(1));
        assert_eq!(ask(&keys, good.kid()).await, "unavailable");
        assert_eq!(issuer.key_fetches(), attempt + 2);
    }
    issuer.set(serving(&[&good]));
    clock.advance(COOLDOWN);
    assert_eq!(keys.ready().await, Ok(()));
    assert_eq!(ask(&keys, good.kid()).await, "found");
}

#[tokio::test]
async fn a_leader_that_goes_away_does_not_fail_those_who_wait() {
    let good = key();
    let issuer = TestIssuer::start(Mode::Hang).await;
    let keys = Arc::new(remote(&issuer, &Clock::manual(0)));
    let lookup = || {
        let (keys, kid) = (Arc::clone(&keys), good.kid().to_owned());
        tokio::spawn(async move { ask(&keys, &kid).await })
    };
    let leader = lookup();
    issuer.asked(1).await;
    let waiters: Vec<_> = (0..100).map(|_| lookup()).collect();
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.is_err());
    issuer.set(serving(&[&good]));
    issuer.release();
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), "found");
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn the_age_of_keys_counts_from_the_start_of_their_fetch() {
    let good = key();
    let issuer = TestIssuer::start(Mode::Hang).await;
    let clock = Clock::manual(0);
    let keys = remote(&issuer, &clock);
    let mut running = keys.start_or_join(Duration::ZERO).unwrap();
    issuer.asked(1).await;
    clock.advance(MINUTE * 11);
    issuer.set(serving(&[&good]));
    issuer.release();
    let _ = running.changed().await;
    assert_eq!(ask(&keys, good.kid()).await, "found");
    settled(&keys).await;
    assert_eq!(issuer.key_fetches(), 2, "due already");
}

#[tokio::test]
async fn dropping_the_keys_ends_the_fetch() {
    let issuer = TestIssuer::start(Mode::Hang).await;
    let keys = remote(&issuer, &Clock::manual(0)).timeout(HOUR);
    let state = Arc::downgrade(&keys.state);
    let mut running = keys.start_or_join(Duration::ZERO).unwrap();
    issuer.asked(1).await;
    drop(keys);
    assert!(running.changed().await.is_err());
    while state.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_issuer_says_how_long_keys_are_good_within_bounds() {
    let good = key();
    for (header, kept, due) in [
        ("Cache-Control: max-age=0\r\n", 50, 70),
        ("Cache-Control: public, max-age=120\r\n", 100, 140),
        ("Cache-Control: max-age=999999\r\n", 3200, 4000),
        ("Cache-Control: no-store\r\n", 530, 670),
    ] {
        let issuer = TestIssuer::start(Mode::Keys(vec![good.public_jwk().clone()], header)).await;
        let clock = Clock::manual(0);
        let keys = remote(&issuer, &clock);
        assert_eq!(ask(&keys, good.kid()).await, "found");
        clock.advance(Duration::from_secs(kept));
        assert_eq!(ask(&keys, good.kid()).await, "found");
        settled(&keys).await;
        assert_eq!(issuer.key_fetches(), 1, "{header}");
        clock.advance(Duration::from_secs(due - kept));
        assert_eq!(ask(&keys, good.kid()).await, "found");
        settled(&keys).await;
        assert_eq!(issuer.key_fetches(), 2, "{header}");
    }
}

#[tokio::test]
async fn jitter_stays_within_a_tenth() {
    for _ in 0..200 {
        let interval = jittered(Duration::from_secs(600));
        assert!((540..=660).contains(&interval.as_secs()), "{interval:?}");
    }
}

#[tokio::test]
async fn an_issuer_is_discovered_once_per_refresh_and_not_per_unknown_name() {
    let (good, new) = (key(), key());
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(0);
    let keys = discovered(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    assert_eq!((issuer.metadata_fetches(), issuer.key_fetches()), (1, 1));
    assert_eq!(
        keys.metadata().unwrap().0.wanted.as_str(),
        issuer.keys_url()
    );
    clock.advance(COOLDOWN);
    assert_eq!(ask(&keys, "other").await, "unknown");
    assert_eq!((issuer.metadata_fetches(), issuer.key_fetches()), (1, 2));
    // Metadata that is gone is no reason to forget where the keys are.
    issuer.set_metadata(None);
    issuer.set(serving(&[&good, &new]));
    clock.advance(MINUTE * 10);
    assert_eq!(ask(&keys, new.kid()).await, "found");
    assert_eq!((issuer.metadata_fetches(), issuer.key_fetches()), (3, 3));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_overlooked_for_ever() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let clock = Clock::manual(0);
    let keys = discovered(&issuer, &clock);
    assert_eq!(ask(&keys, good.kid()).await, "found");
    issuer.set_metadata(Some(
        json!({"issuer": "https://as.example", "jwks_uri": issuer.keys_url()}),
    ));
    for _ in 0..6 {
        clock.advance(MINUTE * 11);
        assert_eq!(ask(&keys, good.kid()).await, "found");
        settled(&keys).await;
    }
    assert_eq!(issuer.key_fetches(), 7);
    for _ in 0..7 {
        clock.advance(MINUTE * 11);
        ask(&keys, good.kid()).await;
        settled(&keys).await;
    }
    assert_eq!(ask(&keys, good.kid()).await, "unavailable");
    assert_eq!(issuer.key_fetches(), 7);
}

#[tokio::test]
async fn metadata_that_cannot_be_trusted_leads_to_no_keys() {
    let good = key();
    let issuer = TestIssuer::start(serving(&[&good])).await;
    let url = issuer.url.clone();
    for metadata in [
        None,
        Some(json!({})),
        Some(json!({"issuer": url})),
        Some(json!({"issuer": format!("{url}/"), "jwks_uri": format!("{url}/keys")})),
        Some(json!({"issuer": "https://as.example", "jwks_uri": format!("{url}/keys")})),
        Some(json!({"issuer": url, "jwks_uri": "http://192.0.2.1/keys"})),
        Some(json!({"issuer": url, "jwks_uri": "file:///etc/passwd"})),
        Some(json!({"issuer": url, "jwks_uri": format!("{url}/keys"), "x": " ".repeat(600_000)})),
        Some(json!([])),
    ] {
        issuer.set_metadata(metadata.clone());
        let keys = discovered(&issuer, &Clock::manual(0));
        assert_eq!(
            ask(&keys, good.kid()).await,
            "unavailable",
            "{metadata:.80?}"
        );
        assert_eq!(issuer.key_fetches(), 0);
        assert!(issuer.metadata_fetches() <= 18);
    }
}

#[tokio::test]
async fn a_bad_member_never_changes_the_verdict_on_a_good_key() {
    let good = key();
    let bad: [Value; 6] = [
        json!({"kty": "oct", "k": "AAAA", "kid": good.kid()}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": good.kid()}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQ", "kid": good.kid()}),
        json!({"kty": "OKP", "crv": "X25519", "x": good.public_jwk()["x"], "kid": good.kid()}),
        json!({"kid": 1}),
        json!("text"),
    ];
    for member in bad {
        for keys in [
            [member.clone(), good.public_jwk().clone()],
            [good.public_jwk().clone(), member.clone()],
        ] {
            let issuer = TestIssuer::start(Mode::Keys(keys.to_vec(), "")).await;
            let keys = remote(&issuer, &Clock::manual(0));
            assert_eq!(ask(&keys, good.kid()).await, "found", "{member}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Ask(usize),
    /// A bit for each key the issuer lists from now on.
    Serve(u8),
    Fail,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u64..60).prop_map(Step::Wait),
        (0_u64..4000).prop_map(Step::Wait),
        (0_usize..4).prop_map(Step::Ask),
        (0_u8..8).prop_map(Step::Serve),
        Just(Step::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fetches are bounded by the cool-down; a key of the newest document is served while that is not too
    /// old; a key that is not in it is never served. Names 0 to 2 exist, name 3 never does.
    #[test]
    fn any_sequence_of_events_keeps_the_promises(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let all = [key(), key(), key()];
            let subset = |bits: u8| {
                let listed: Vec<_> = (0..3).filter(|n| bits & (1 << n) != 0).map(|n| &all[n]).collect();
                serving(&listed)
            };
            let issuer = TestIssuer::start(subset(7)).await;
            let clock = Clock::manual(0);
            let keys = remote(&issuer, &clock);
            keys.ready().await.unwrap();
            let (mut offered, mut newest, mut fetched_at, mut now) = (Some(7_u8), 7_u8, 0, 0);
            for step in steps {
                match step {
                    Step::Wait(seconds) => {
                        clock.advance(Duration::from_secs(seconds));
                        now += seconds;
                    }
                    Step::Serve(bits) => {
                        issuer.set(subset(bits));
                        offered = Some(bits);
                    }
                    Step::Fail => {
                        issuer.set(Mode::Status("500 Oops"));
                        offered = None;
                    }
                    Step::Ask(n) => {
                        let fetches = issuer.key_fetches();
                        let before = newest;
                        let answer = ask(&keys, all.get(n).map_or("never", SigningKey::kid)).await;
                        settled(&keys).await;
                        let fetched = issuer.key_fetches() > fetches;
                        let (listed, age) = (before & (1 << n) != 0, now - fetched_at);
                        if let (true, Some(bits)) = (fetched, offered) {
                            (newest, fetched_at) = (bits, now);
                        }
                        if listed && age < 540 + 3600 {
                            assert_eq!(answer, "found");
                        } else if answer == "found" {
                            let current = newest & (1 << n) != 0;
                            assert!(current || (listed && age < 660 + 3600));
                        }
                    }
                }
                assert!(issuer.key_fetches() as u64 <= 1 + now / COOLDOWN.as_secs());
            }
        });
    }
}
