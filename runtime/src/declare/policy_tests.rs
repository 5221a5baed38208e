use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::declare::{
    catalogue::{Catalogue, ScopeDeclaration},
    principal::VerifiedToken,
    tool::Location,
};

const NOW: u64 = 1_700_000_000;

fn scope(name: &str) -> ScopeName {
    name.parse().unwrap()
}

fn scopes(text: &str) -> Vec<ScopeName> {
    text.split_whitespace().map(scope).collect()
}

fn all(text: &str) -> Needed {
    Needed::All(scopes(text).into_iter().map(Needed::Scope).collect())
}

fn any(text: &str) -> Needed {
    Needed::Any(scopes(text).into_iter().map(Needed::Scope).collect())
}

fn requirements(scopes: Needed) -> Requirements {
    Requirements {
        public: false,
        scopes,
        authentication: Authentication::default(),
        condition: None,
    }
}

fn policy(needed: Needed, table: &mut ScopeTable) -> Policy {
    Policy::new(requirements(needed), false, &|_| true, table).unwrap()
}

fn principal(held: &str, table: ScopeTable) -> Principal {
    let token = VerifiedToken::new("https://issuer.example", "alice").scopes(scopes(held));
    Principal::new(token, &Arc::new(table))
}

/// The decision for a caller with `held` scopes (`None`: no token).
fn decision(needed: Requirements, allow_anonymous: bool, held: Option<&str>) -> Decision {
    let mut table = ScopeTable::default();
    let policy = Policy::new(needed, allow_anonymous, &|_| true, &mut table).unwrap();
    let who = held.map(|held| principal(held, table));
    decide(&policy, who.as_ref(), NOW)
}

#[test]
fn every_row_of_access_and_held_scopes() {
    use Decision::{Allow, InsufficientScope, Unauthenticated};
    let public = |scopes| Requirements {
        public: true,
        ..requirements(scopes)
    };
    let ab = || requirements(all("a b"));
    let rows = [
        (public(all("")), false, None, Unauthenticated),
        (public(all("")), false, Some(""), Allow),
        (public(all("")), true, None, Allow),
        (public(all("")), true, Some(""), Allow),
        (public(all("base")), false, Some(""), InsufficientScope),
        (public(all("base")), false, Some("base"), Allow),
        (public(all("base")), true, None, Unauthenticated),
        (requirements(all("")), false, None, Unauthenticated),
        (requirements(all("")), true, None, Unauthenticated),
        (requirements(all("")), true, Some(""), Allow),
        (ab(), false, None, Unauthenticated),
        (ab(), true, None, Unauthenticated),
        (ab(), false, Some(""), InsufficientScope),
        (ab(), false, Some("a"), InsufficientScope),
        (ab(), false, Some("b"), InsufficientScope),
        (ab(), false, Some("b a"), Allow),
        (ab(), false, Some("a b c"), Allow),
        (ab(), false, Some("A B"), InsufficientScope),
        (ab(), false, Some("a:b ab"), InsufficientScope),
    ];
    for (needed, anonymous, held, expected) in rows {
        let shown = format!("{needed:?}, anonymous {anonymous}, held {held:?}");
        assert_eq!(decision(needed, anonymous, held), expected, "{shown}");
    }
}

#[test]
fn every_row_of_alternatives() {
    let nested = || Needed::All(vec![all("r"), Needed::Any(vec![all("a b"), all("c")])]);
    let rows = [
        (any("a b"), "", false),
        (any("a b"), "a", true),
        (any("a b"), "b", true),
        (any("a b"), "c", false),
        (nested(), "r", false),
        (nested(), "r a", false),
        (nested(), "a b c", false),
        (nested(), "r a b", true),
        (nested(), "c r", true),
    ];
    for (needed, held, allowed) in rows {
        let shown = format!("{needed:?}, held {held}");
        let decision = decision(requirements(needed), false, Some(held));
        assert_eq!(decision == Decision::Allow, allowed, "{shown}");
    }
}

#[test]
fn what_no_scope_opens_is_said_first_and_the_login_before_the_scopes() {
    let needed = |scopes| Requirements {
        authentication: Authentication {
            acr: vec!["gold".into()],
            max_age: None,
        },
        condition: Some(Condition::claim("/role").is("admin")),
        ..requirements(scopes)
    };
    let mut table = ScopeTable::default();
    let policy = Policy::new(needed(all("a")), true, &|_| true, &mut table).unwrap();
    let table = Arc::new(table);
    let decide = |held: &str, claims: serde_json::Value| {
        let token = VerifiedToken::new("i", "s")
            .scopes(scopes(held))
            .claims(claims.as_object().unwrap().clone());
        super::decide(&policy, Some(&Principal::new(token, &table)), NOW)
    };
    let (admin, gold) = (
        json!({"role": "admin"}),
        json!({"role": "admin", "acr": "gold"}),
    );
    use Decision::*;
    assert_eq!(decide("", json!({})), Forbidden);
    assert_eq!(decide("a", json!({"acr": "gold"})), Forbidden);
    assert_eq!(
        decide("", admin.clone()),
        InsufficientAuthentication { scoped: false }
    );
    assert_eq!(
        decide("a", admin),
        InsufficientAuthentication { scoped: true }
    );
    assert_eq!(decide("", gold.clone()), InsufficientScope);
    assert_eq!(decide("a", gold), Allow);
    assert_eq!(super::decide(&policy, None, NOW), Unauthenticated);
}

#[test]
fn many_scopes_do_not_share_a_bit() {
    let names: Vec<_> = (0..200).map(|n| scope(&format!("s{n}"))).collect();
    let mut table = ScopeTable::default();
    let policies: Vec<_> = names
        .iter()
        .map(|name| policy(Needed::Scope(name.clone()), &mut table))
        .collect();
    let table = Arc::new(table);
    for (at, name) in names.iter().enumerate() {
        let token = VerifiedToken::new("i", "s").scopes([name.clone()]);
        let who = Principal::new(token, &table);
        for (other, policy) in policies.iter().enumerate() {
            let allowed = decide(policy, Some(&who), NOW) == Decision::Allow;
            assert_eq!(allowed, at == other, "scope {at}, policy {other}");
        }
    }
}

#[test]
fn the_challenge_names_each_scope_once_in_the_order_of_declaration() {
    let mut table = ScopeTable::default();
    let needed = Needed::All(vec![all("base"), all("z base a")]);
    assert_eq!(policy(needed, &mut table).challenged(), scopes("base z a"));
}

#[test]
fn the_challenge_of_any_names_its_first_advertised_alternative_or_else_its_first() {
    let advertised = |name: &ScopeName| !name.as_str().starts_with('!');
    let rows = [
        (any("a b"), "a"),
        (any("!a b"), "b"),
        (any("!a !b"), "!a"),
        (Needed::Any(vec![all("a !b"), all("c d")]), "c d"),
        (Needed::All(vec![any("!a !b"), any("!c d")]), "!a d"),
        (
            Needed::Any(vec![Needed::All(vec![any("!a b"), all("c")]), all("d")]),
            "b c",
        ),
    ];
    for (needed, expected) in rows {
        assert_eq!(
            needed.challenged(&advertised),
            scopes(expected),
            "{needed:?}"
        );
    }
}

#[test]
fn too_many_alternatives_are_refused_and_those_that_add_nothing_do_not_count() {
    let pairs = |n: usize| {
        let pair = |n| any(&format!("a{n} b{n}"));
        requirements(Needed::All((0..n).map(pair).collect()))
    };
    let build = |needed| Policy::new(needed, false, &|_| true, &mut ScopeTable::default());
    assert!(build(pairs(5)).is_ok());
    assert_eq!(
        build(pairs(6)).unwrap_err(),
        InvalidExpression::TooManyAlternatives
    );
    let same = Needed::All((0..20).map(|_| any("a b")).collect());
    assert_eq!(build(requirements(same)).unwrap().alternatives.len(), 2);
}

/// Who holds 0 holds 1 and 2; who holds 3 holds 0. No other scope implies any.
fn hierarchy() -> ScopeTable {
    const AT: Location = Location {
        file: "",
        line: 0,
        column: 0,
    };
    const fn declared(name: &'static str, implies: &'static [&'static str]) -> ScopeDeclaration {
        ScopeDeclaration {
            name,
            description: "",
            implies,
            step_up: false,
            location: AT,
        }
    }
    static CATALOGUE: [ScopeDeclaration; 4] = [
        declared("s0", &["s1", "s2"]),
        declared("s1", &[]),
        declared("s2", &[]),
        declared("s3", &["s0"]),
    ];
    ScopeTable::new(&Catalogue::combine(&CATALOGUE, &mut Vec::new()))
}

#[test]
fn a_broader_scope_is_enough_and_a_narrower_one_is_not() {
    let decision = |needed: &str, held: &str| {
        let mut table = hierarchy();
        let policy = policy(all(needed), &mut table);
        assert_eq!(
            policy.challenged(),
            scopes(needed),
            "the hierarchy is not challenged"
        );
        decide(&policy, Some(&principal(held, table)), NOW) == Decision::Allow
    };
    for (needed, held, allowed) in [
        ("s1", "s0", true),
        ("s1", "s3", true),
        ("s1 s2", "s3", true),
        ("s0", "s1 s2", false),
        ("s3", "s0 s1 s2", false),
        ("s1 other", "s3", false),
        ("s1 other", "s3 other", true),
    ] {
        assert_eq!(decision(needed, held), allowed, "{needed} held {held}");
    }
}

fn name() -> impl Strategy<Value = ScopeName> {
    (0..6_u8).prop_map(|n| scope(&format!("s{n}")))
}

fn needed() -> impl Strategy<Value = Needed> {
    name()
        .prop_map(Needed::Scope)
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Needed::All),
                prop::collection::vec(inner, 1..3).prop_map(Needed::Any),
            ]
        })
}

proptest! {
    #[test]
    fn the_decision_is_what_the_expression_says(needed in needed(), held in prop::collection::vec(name(), 0..6)) {
        let mut table = hierarchy();
        let policy = policy(needed.clone(), &mut table);
        let who = Principal::new(VerifiedToken::new("i", "s").scopes(held.clone()), &Arc::new(table));
        let holds = |name: &ScopeName| {
            let broader: &[&str] = match name.as_str() {
                "s1" | "s2" => &["s0", "s3"],
                "s0" => &["s3"],
                _ => &[],
            };
            held.iter().any(|held| held == name || broader.contains(&held.as_str()))
        };
        let allowed = decide(&policy, Some(&who), NOW) == Decision::Allow;
        prop_assert_eq!(allowed, needed.is_satisfied(&holds));
        for name in needed.names() {
            prop_assert_eq!(who.holds(&name), holds(&name));
        }
    }

    #[test]
    fn more_scopes_never_refuse_more(
        needed in needed(),
        held in prop::collection::vec(name(), 0..6),
        more in prop::collection::vec(name(), 0..3),
    ) {
        let mut table = hierarchy();
        let policy = policy(needed, &mut table);
        let table = Arc::new(table);
        let decide = |held: Vec<ScopeName>| {
            let token = VerifiedToken::new("i", "s").scopes(held);
            decide(&policy, Some(&Principal::new(token, &table)), NOW)
        };
        let before = decide(held.clone());
        let after = decide([held, more].concat());
        prop_assert!(before != Decision::Allow || after == Decision::Allow);
    }

    #[test]
    fn whoever_is_granted_what_was_challenged_is_let_in(
        needed in needed(),
        step_up in prop::collection::vec(name(), 0..6),
    ) {
        let mut table = hierarchy();
        let advertised = |name: &ScopeName| !step_up.contains(name);
        let policy = Policy::new(requirements(needed), false, &advertised, &mut table).unwrap();
        let token = VerifiedToken::new("i", "s").scopes(policy.challenged().to_vec());
        let who = Principal::new(token, &Arc::new(table));
        prop_assert_eq!(decide(&policy, Some(&who), NOW), Decision::Allow);
    }
}
