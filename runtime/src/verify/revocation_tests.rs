//! What a list of revoked tokens means, remembers and forgets.

use proptest::prelude::{ProptestConfig, any, prop, proptest};
use serde_json::json;

use super::*;
use crate::declare::{principal::VerifiedToken, scope::ScopeTable};

const NOW: u64 = 1_700_000_000;
const A: &str = "https://a.example";
const B: &str = "https://b.example";

/// A principal of `issuer` whose token was issued at `issued` and lives for `lifetime`.
fn principal(issuer: &str, subject: &str, id: &str, issued: u64, lifetime: u64) -> Principal {
    let claims = json!({ "iat": issued });
    let token = VerifiedToken::new(issuer, subject)
        .client_id("app")
        .token_id(id)
        .expires_at(issued + lifetime)
        .claims(claims.as_object().unwrap().clone());
    Principal::new(token, &std::sync::Arc::new(ScopeTable::default()))
}

fn list() -> (RevocationList, Clock) {
    let clock = Clock::manual(NOW);
    let list = RevocationList::new(Duration::from_secs(1000)).clock(clock.clone());
    (list, clock)
}

async fn revoked(list: &RevocationList, principal: &Principal) -> bool {
    list.is_revoked(principal).await.unwrap()
}

#[tokio::test]
async fn an_entry_means_what_it_names_of_its_issuer_and_nothing_else() {
    let alice = principal(A, "alice", "1", NOW, 500);
    let strangers = [
        principal(B, "alice", "1", NOW, 500),
        principal(A, "Alice", "2", NOW, 500),
    ];
    for (what, others_too) in [
        (Revoke::token(A, "1"), false),
        (Revoke::subject(A, "alice"), false),
        (Revoke::client(A, "app"), true),
        (Revoke::issuer(A), true),
    ] {
        let (list, _) = list();
        assert!(!revoked(&list, &alice).await);
        list.revoke(what).unwrap();
        assert!(revoked(&list, &alice).await);
        assert!(!revoked(&list, &strangers[0]).await);
        assert_eq!(revoked(&list, &strangers[1]).await, others_too);
    }
}

#[tokio::test]
async fn what_is_issued_later_is_good() {
    let (list, clock) = list();
    let at = |issued| principal(A, "alice", "1", issued, 500);
    list.revoke(Revoke::subject(A, "alice")).unwrap();
    assert!(revoked(&list, &at(NOW)).await);
    assert!(!revoked(&list, &at(NOW + 1)).await);
    list.revoke(Revoke::subject(A, "alice").issued_before(NOW - 50))
        .unwrap();
    assert!(
        revoked(&list, &at(NOW)).await,
        "an older entry takes nothing back"
    );
    clock.advance(Duration::from_secs(10));
    list.revoke(Revoke::subject(A, "alice")).unwrap();
    assert!(revoked(&list, &at(NOW + 10)).await);
    list.revoke(Revoke::token(A, "1")).unwrap();
    assert!(revoked(&list, &at(NOW + 100)).await);
    assert_eq!(list.len(), 2);
}

#[tokio::test]
async fn a_token_that_may_outlive_its_entry_cannot_be_judged() {
    let (list, _) = list();
    assert!(!revoked(&list, &principal(A, "alice", "1", NOW, 1000)).await);
    let long = principal(A, "alice", "1", NOW, 1001);
    assert!(list.is_revoked(&long).await.is_err());
    let bare = VerifiedToken::new(A, "alice");
    let until = bare.clone().expires_at(NOW + 10);
    for token in [bare, until] {
        let principal = Principal::new(token, &std::sync::Arc::new(ScopeTable::default()));
        assert!(list.is_revoked(&principal).await.is_err());
    }
}

#[tokio::test]
async fn entries_are_kept_as_long_as_they_can_mean_a_valid_token_and_no_longer() {
    let (list, clock) = list();
    list.revoke(Revoke::token(A, "short").expires_at(NOW + 100))
        .unwrap();
    list.revoke(Revoke::subject(A, "alice")).unwrap();
    let sweep = || list.revoke(Revoke::issuer(B)).unwrap();
    clock.advance(Duration::from_secs(100 + 599));
    sweep();
    assert_eq!(list.len(), 3);
    clock.advance(Duration::from_secs(60));
    sweep();
    assert_eq!(list.len(), 2);
    // Neither clock alone makes it forget.
    clock.jump_to(NOW + 1_000_000);
    clock.advance(Duration::from_secs(60));
    sweep();
    clock.jump_to(NOW + 900);
    assert!(revoked(&list, &principal(A, "alice", "1", NOW, 1000)).await);
    clock.advance(Duration::from_secs(1000));
    sweep();
    assert_eq!(list.len(), 1);
}

#[test]
fn a_full_list_refuses_instead_of_forgetting() {
    let (list, clock) = list();
    let list = list.max_entries(2);
    list.revoke(Revoke::token(A, "1")).unwrap();
    list.revoke(Revoke::token(A, "2")).unwrap();
    assert_eq!(list.revoke(Revoke::token(A, "3")), Err(RevocationListFull));
    assert_eq!(list.revoke(Revoke::issuer(B)), Err(RevocationListFull));
    // What is there may be extended.
    list.revoke(Revoke::token(A, "2")).unwrap();
    assert_eq!(list.len(), 2);
    clock.advance(Duration::from_secs(1600));
    list.revoke(Revoke::token(A, "3")).unwrap();
    assert_eq!(list.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Against the plain meaning: somebody said so, and the token was issued before that.
    #[test]
    fn a_token_is_revoked_exactly_when_somebody_said_so_as_long_as_it_is_valid(
        steps in prop::collection::vec((0..3_u8, 0..4_usize, 0..200_u64, any::<bool>()), 1..40),
    ) {
        let (list, clock) = list();
        let names = ["a", "b", "c", "d"];
        let mut said: Vec<(u8, &str, u64)> = Vec::new();
        let mut now = NOW;
        for (kind, name, wait, issued_long_ago) in steps {
            let name = names[name];
            clock.advance(Duration::from_secs(wait));
            now += wait;
            match kind {
                0 => list.revoke(Revoke::token(A, name)).unwrap(),
                1 => list.revoke(Revoke::subject(A, name)).unwrap(),
                _ => {
                    let issued = if issued_long_ago { now - 900 } else { now };
                    for id in names {
                        let who = principal(A, name, id, issued, 1000);
                        let expected = said.iter().any(|&(kind, what, when)| match kind {
                            // An identifier is never used twice: whatever bears it was issued before.
                            0 => what == id && when + 1000 >= now,
                            _ => what == name && issued <= when,
                        });
                        let answer = futures_util::FutureExt::now_or_never(list.is_revoked(&who));
                        let answer = answer.unwrap().unwrap();
                        // Entries for one token stay a little longer than they must.
                        let by_id = said.iter().any(|&(kind, what, _)| kind == 0 && what == id);
                        assert!(answer == expected || (answer && by_id));
                    }
                    continue;
                }
            }
            said.push((kind, name, now));
        }
    }
}
