//! Every claim, of every type, at its boundaries.

use serde_json::json;

use super::*;

const NOW: u64 = 1_700_000_000;

fn rules() -> ClaimRules {
    ClaimRules {
        issuer: "https://as.example".into(),
        audiences: vec!["https://api.example/mcp".into()],
        token_type: TokenType::Compatible,
        leeway: Duration::from_secs(60),
        max_lifetime: None,
        max_age: None,
        mapping: ClaimMapping::new(),
        tenant: None,
    }
}

/// Good claims with one of them replaced.
fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = good();
    claims.insert(name.into(), value);
    claims
}

fn without(name: &str) -> Map<String, Value> {
    let mut claims = good();
    claims.remove(name);
    claims
}

fn good() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://as.example", "aud": "https://api.example/mcp", "sub": "alice",
        "exp": NOW + 300, "iat": NOW, "client_id": "app", "jti": "1", "scope": "a b",
    });
    claims.as_object().unwrap().clone()
}

fn refusal(claims: Map<String, Value>) -> Option<InvalidToken> {
    rules().check(claims, NOW).err()
}

#[test]
fn the_seconds_of_a_window_are_those_it_says_yes_to() {
    let with_fractions = [
        json!({}),
        json!({"exp": NOW as f64 + 300.5, "nbf": NOW as f64 + 7.25}),
        json!({"iat": NOW as f64 - 0.75}),
        json!({"exp": 0.25, "iat": 0}),
    ];
    for changes in with_fractions {
        let mut claims = good();
        claims.extend(changes.as_object().unwrap().clone());
        for max_age in [None, Some(Duration::from_millis(100_500))] {
            for leeway in [Duration::ZERO, Duration::from_millis(1500)] {
                let rules = ClaimRules {
                    leeway,
                    max_age,
                    ..rules()
                };
                let window = rules.window(&claims).unwrap();
                let seconds = window.seconds();
                for now in (NOW - 10..NOW + 400).chain(0..5) {
                    let good = window.check(now).is_ok();
                    assert_eq!(seconds.contains(&now), good, "{changes} {rules:?} {now}");
                }
            }
        }
    }
}

#[test]
fn good_claims_become_a_verified_token() {
    let token = rules().check(good(), NOW).unwrap();
    let text = format!("{token:?}");
    for part in [
        "https://as.example",
        "alice",
        "app",
        "\"a\", \"b\"",
        "1700000300",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_claim_of_the_wrong_type_is_never_taken_for_an_absent_one() {
    let values = [
        json!("9999999999"),
        json!(""),
        json!(1),
        json!(true),
        json!(null),
        json!([]),
        json!([1]),
        json!({}),
        json!(["https://as.example"]),
        json!(-1),
        json!(1e300),
    ];
    let fits = |claim: &str, value: &Value| match claim {
        "exp" => false, // 1 is a number, and long past
        "nbf" | "iat" => value == &json!(1),
        "sub" | "client_id" | "jti" => value == &json!("9999999999"),
        "scope" => value.is_string(),
        "scp" => {
            value.is_string() || value == &json!([]) || value == &json!(["https://as.example"])
        }
        _ => false,
    };
    for claim in [
        "exp",
        "nbf",
        "iat",
        "iss",
        "aud",
        "sub",
        "client_id",
        "jti",
        "scope",
        "scp",
    ] {
        for value in &values {
            let refusal = refusal(with(claim, value.clone()));
            assert_eq!(
                refusal.is_none(),
                fits(claim, value),
                "{claim}: {value} {refusal:?}"
            );
        }
    }
    assert_eq!(
        refusal(with("aud", json!(["https://api.example/mcp", 1]))),
        Some(InvalidToken::Claim("aud"))
    );
    for claim in ["exp", "iss", "aud", "sub"] {
        assert_eq!(refusal(without(claim)), Some(InvalidToken::Claim(claim)));
    }
    let mut azp = without("client_id");
    azp.insert("azp".into(), json!(["app"]));
    assert_eq!(refusal(azp), Some(InvalidToken::Claim("azp")));
}

#[test]
fn times_are_compared_to_the_second_with_the_leeway() {
    use InvalidToken::{Expired, NotYetValid};
    let now = NOW as f64;
    for (claim, value, expected) in [
        ("exp", now - 61.0, Some(Expired)),
        ("exp", now - 60.0, Some(Expired)),
        ("exp", now - 59.0, None),
        ("exp", now - 59.5, None),
        ("nbf", now + 59.0, None),
        ("nbf", now + 60.0, None),
        ("nbf", now + 60.5, Some(NotYetValid)),
        ("nbf", now + 61.0, Some(NotYetValid)),
        ("iat", now + 60.0, None),
        ("iat", now + 61.0, Some(NotYetValid)),
        ("exp", 253_402_300_799.0, None),
        ("exp", 253_402_300_800.0, Some(InvalidToken::Claim("exp"))),
        ("exp", 1e18, Some(InvalidToken::Claim("exp"))),
    ] {
        assert_eq!(
            refusal(with(claim, json!(value))),
            expected,
            "{claim} {value}"
        );
    }
    assert_eq!(
        refusal(with("exp", json!(u64::MAX))),
        Some(InvalidToken::Claim("exp"))
    );
    assert_eq!(
        refusal(with("exp", json!(i64::MIN))),
        Some(InvalidToken::Claim("exp"))
    );
    let strict = ClaimRules {
        leeway: Duration::ZERO,
        ..rules()
    };
    assert_eq!(
        strict.check(with("exp", json!(NOW)), NOW).err(),
        Some(Expired)
    );
    assert!(strict.check(with("exp", json!(NOW + 1)), NOW).is_ok());
    assert_eq!(strict.check(good(), u64::MAX).err(), Some(Expired));
}

#[test]
fn a_ceiling_on_lifetime_or_age_needs_iat_and_holds_to_the_second() {
    let lifetime = |seconds| ClaimRules {
        max_lifetime: Some(Duration::from_secs(seconds)),
        ..rules()
    };
    assert!(lifetime(300).check(good(), NOW).is_ok());
    assert_eq!(
        lifetime(299).check(good(), NOW).err(),
        Some(InvalidToken::Lifetime)
    );
    assert_eq!(
        lifetime(300).check(without("iat"), NOW).err(),
        Some(InvalidToken::Claim("iat"))
    );
    let age = ClaimRules {
        max_age: Some(Duration::from_secs(10)),
        ..rules()
    };
    assert!(age.check(good(), NOW + 70).is_ok());
    assert_eq!(
        age.check(good(), NOW + 71).err(),
        Some(InvalidToken::Lifetime)
    );
}

#[test]
fn only_this_very_audience_is_this_server() {
    for other in [
        "https://api.example",
        "https://api.example/",
        "https://api.example/mcp/",
        "https://api.example/mcp/x",
        "https://api.example/MCP",
        "http://api.example/mcp",
        "https://api.example:443/mcp",
        " https://api.example/mcp",
        "*",
        "",
    ] {
        assert_eq!(
            refusal(with("aud", json!(other))),
            Some(InvalidToken::Audience),
            "{other}"
        );
        assert_eq!(
            refusal(with("aud", json!([other]))),
            Some(InvalidToken::Audience),
            "{other}"
        );
        for mixed in [
            json!([other, "https://api.example/mcp"]),
            json!(["https://api.example/mcp", other]),
        ] {
            assert_eq!(refusal(with("aud", mixed)), None);
        }
    }
    assert_eq!(refusal(with("aud", json!("HTTPS://API.example/mcp"))), None);
}

#[test]
fn only_this_very_issuer_is_trusted() {
    for other in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example/a",
        "http://as.example",
    ] {
        assert_eq!(
            refusal(with("iss", json!(other))),
            Some(InvalidToken::Issuer),
            "{other}"
        );
    }
}

#[test]
fn names_are_short_and_free_of_control_characters() {
    for claim in ["sub", "client_id", "jti"] {
        assert_eq!(refusal(with(claim, json!("é".repeat(255)))), None);
        for bad in [
            "x".repeat(256),
            "a\nb".into(),
            "a\u{0}".into(),
            "\u{85}".into(),
            "\u{7f}".into(),
        ] {
            assert_eq!(
                refusal(with(claim, json!(bad))),
                Some(InvalidToken::Claim(claim))
            );
        }
    }
}

#[test]
fn scopes_are_split_at_spaces_only() {
    let held = |claims| {
        ClaimMapping::new()
            .scopes(&claims)
            .map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(held(with("scope", json!(" a  b "))).unwrap(), ["a", "b"]);
    assert_eq!(held(with("scope", json!(""))).unwrap(), [""; 0]);
    for bad in [
        "a\tb",
        "a\nb",
        "a\u{a0}b",
        "a\u{2003}b",
        "a\"b",
        "a\\b",
        "é",
        "a\u{0}",
    ] {
        assert_eq!(
            held(with("scope", json!(bad))),
            Err(InvalidToken::Claim("scope")),
            "{bad:?}"
        );
    }
    let many = |n| vec!["s"; n].join(" ");
    assert_eq!(held(with("scope", json!(many(256)))).unwrap().len(), 256);
    assert_eq!(
        held(with("scope", json!(many(257)))),
        Err(InvalidToken::Claim("scope"))
    );
}

#[test]
fn scp_counts_only_when_scope_is_absent() {
    let held = |claims| {
        ClaimMapping::new()
            .scopes(&claims)
            .map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(held(with("scp", json!("x y"))).unwrap(), ["a", "b"]);
    let mut claims = without("scope");
    assert!(held(claims.clone()).unwrap().is_empty());
    claims.insert("scp".into(), json!("x y"));
    assert_eq!(held(claims.clone()).unwrap(), ["x", "y"]);
    claims.insert("scp".into(), json!(["x", "y"]));
    assert_eq!(held(claims.clone()).unwrap(), ["x", "y"]);
    claims.insert("scp".into(), json!(["x y"]));
    assert_eq!(held(claims), Err(InvalidToken::Claim("scp")));
}

#[test]
fn a_binding_is_kept_with_the_token_and_one_that_nobody_can_enforce_refuses_it() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let token = rules().check(with("cnf", json!({"jkt": jkt})), NOW);
    let binding = token.unwrap().binding().unwrap().unwrap();
    assert_eq!(binding.jkt(), Some(jkt));
    assert_eq!(rules().check(good(), NOW).unwrap().binding(), Ok(None));
    for (cnf, expected) in [
        (json!({"jkt": "x"}), InvalidToken::Claim("cnf")),
        (json!({"x5t#S256": "x"}), InvalidToken::Claim("cnf")),
        (json!(null), InvalidToken::Claim("cnf")),
        (json!({}), InvalidToken::Unproven),
        (json!({"kid": "1"}), InvalidToken::Unproven),
        (json!({"jkt": jkt, "kid": "1"}), InvalidToken::Unproven),
    ] {
        assert_eq!(refusal(with("cnf", cnf)), Some(expected));
    }
}

#[test]
fn rfc_9068_asks_for_more_claims() {
    let strict = ClaimRules {
        token_type: TokenType::Rfc9068,
        ..rules()
    };
    assert!(strict.check(good(), NOW).is_ok());
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert_eq!(
            strict.check(without(claim), NOW).err(),
            Some(InvalidToken::Claim(claim))
        );
    }
    for claim in ["client_id", "iat", "jti", "scope"] {
        assert_eq!(refusal(without(claim)), None, "{claim}");
    }
}

#[test]
fn the_client_is_client_id_and_otherwise_azp() {
    let client = |claims| {
        let text = format!("{:?}", rules().check(claims, NOW).unwrap());
        ["app", "other"]
            .into_iter()
            .find(|name| text.contains(name))
    };
    assert_eq!(client(with("azp", json!("other"))), Some("app"));
    let mut azp = without("client_id");
    assert_eq!(client(azp.clone()), None);
    azp.insert("azp".into(), json!("other"));
    assert_eq!(client(azp), Some("other"));
}
