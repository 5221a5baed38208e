//! What a verified token says, checked claim by claim ([RFC 7519 §4.1], [RFC 9068 §4]).
//!
//! A registered claim that is present with the wrong type makes the token invalid: "not readable" is never
//! the same as "absent". `exp`, `aud` and `sub` are mandatory. The audience is compared with this server's
//! identifier: scheme and host without case, as URIs are, all the rest byte for byte; no prefix, no other
//! host, no slash more or less.
//!
//! What this does not do: verify the signature or find the issuer, which happened before, and decide what
//! the caller may do, which happens later.
//!
//! [RFC 7519 §4.1]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1
//! [RFC 9068 §4]: https://www.rfc-editor.org/rfc/rfc9068#section-4

use std::{ops::RangeInclusive, time::Duration};

use serde_json::{Map, Value};

use super::{jose::TokenType, mapping::ClaimMapping, token::InvalidToken};
use crate::declare::{actor, confirmation::Confirmation, principal::VerifiedToken};

/// The longest subject, client or token identifier, in characters.
const MAX_NAME: usize = 255;
/// 9999-12-31T23:59:59Z.
const END_OF_TIME: f64 = 253_402_300_799.0;

/// What one server demands of the claims of one issuer.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) token_type: TokenType,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) mapping: ClaimMapping,
    /// The tenant all tokens of this issuer belong to.
    pub(crate) tenant: Option<String>,
}

impl ClaimRules {
    /// Whether the token claims to come from this issuer. Checked before any key is looked up.
    pub(crate) fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), InvalidToken> {
        if issuer(claims)? == self.issuer {
            Ok(())
        } else {
            Err(InvalidToken::Issuer)
        }
    }

    /// Everything else, on claims whose signature has been verified. `now` is in Unix seconds.
    pub(crate) fn check(
        &self,
        claims: Map<String, Value>,
        now: u64,
    ) -> Result<VerifiedToken, InvalidToken> {
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        let window = self.window(&claims)?;
        window.check(now)?;
        // Whether the binding (RFC 7800) holds is a question to each request, not to the token.
        let confirmation = claims
            .get("cnf")
            .map(Confirmation::from_claim)
            .transpose()?;
        let subject = name(&claims, "sub")?.ok_or(InvalidToken::Claim("sub"))?;
        let client = match name(&claims, "client_id")? {
            Some(client) => Some(client),
            None => name(&claims, "azp")?,
        };
        let token_id = name(&claims, "jti")?;
        if self.token_type == TokenType::Rfc9068 {
            for required in ["client_id", "iat", "jti"] {
                if !claims.contains_key(required) {
                    return Err(InvalidToken::Claim(required));
                }
            }
        }
        let mut token = VerifiedToken::new(self.issuer.as_str(), subject)
            .scopes(self.mapping.scopes(&claims)?)
            .roles(self.mapping.roles(&claims)?)
            .actors(actor::chain(&claims).ok_or(InvalidToken::Claim("act"))?)
            .may_act(actor::may_act(&claims).ok_or(InvalidToken::Claim("may_act"))?)
            .expires_at(window.expires());
        if let Some(tenant) = self.tenant(&claims)? {
            token = token.tenant(tenant);
        }
        if let Some(client) = client {
            token = token.client_id(client);
        }
        if let Some(id) = token_id {
            token = token.token_id(id);
        }
        if let Some(confirmation) = confirmation {
            token = token.confirmation(confirmation);
        }
        Ok(token.claims(claims))
    }

    /// The tenant of the issuer, and of the token where that is mapped: they must agree.
    fn tenant(&self, claims: &Map<String, Value>) -> Result<Option<String>, InvalidToken> {
        match (&self.tenant, self.mapping.tenant(claims)?) {
            (Some(ours), Some(named)) if *ours != named => Err(InvalidToken::Claim("tenant")),
            (ours, named) => Ok(ours.clone().or(named)),
        }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), InvalidToken> {
        let ours = |audience: &str| {
            self.audiences
                .iter()
                .any(|our| same_resource(our, audience))
        };
        let found = match claims.get("aud") {
            Some(Value::String(audience)) => ours(audience),
            Some(Value::Array(audiences)) if !audiences.is_empty() => {
                let mut found = false;
                for audience in audiences {
                    found |= ours(audience.as_str().ok_or(InvalidToken::Claim("aud"))?);
                }
                found
            }
            _ => return Err(InvalidToken::Claim("aud")),
        };
        if found {
            Ok(())
        } else {
            Err(InvalidToken::Audience)
        }
    }

    /// When the token is good, as it says itself and as this server tolerates it.
    pub(crate) fn window(&self, claims: &Map<String, Value>) -> Result<Window, InvalidToken> {
        let leeway = self.leeway.as_secs_f64();
        let expires = time(claims, "exp")?.ok_or(InvalidToken::Claim("exp"))?;
        let not_before = time(claims, "nbf")?;
        let issued = time(claims, "iat")?;
        let mut too_old = f64::INFINITY;
        if self.max_lifetime.is_some() || self.max_age.is_some() {
            let issued = issued.ok_or(InvalidToken::Claim("iat"))?;
            let limit = self.max_lifetime.map(|limit| limit.as_secs_f64());
            if limit.is_some_and(|limit| expires - issued > limit) {
                return Err(InvalidToken::Lifetime);
            }
            if let Some(age) = self.max_age {
                too_old = issued + leeway + age.as_secs_f64();
            }
        }
        let start = not_before.unwrap_or(0.0).max(issued.unwrap_or(0.0));
        Ok(Window {
            from: start - leeway,
            expires,
            leeway,
            too_old,
        })
    }
}

/// When a token is good, in Unix seconds.
///
/// As `f64`: whole seconds up to the year 9999 are exact there, and nothing can overflow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    from: f64,
    expires: f64,
    leeway: f64,
    /// From the first moment after this one, whatever `expires` says.
    too_old: f64,
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the year 9999; a clock beyond that expires every token"
)]
impl Window {
    /// Whether the token is good at `now`.
    pub(crate) fn check(&self, now: u64) -> Result<(), InvalidToken> {
        let now = now as f64;
        if now >= self.expires + self.leeway {
            Err(InvalidToken::Expired)
        } else if self.from > now {
            Err(InvalidToken::NotYetValid)
        } else if now > self.too_old {
            Err(InvalidToken::Lifetime)
        } else {
            Ok(())
        }
    }

    fn expires(&self) -> u64 {
        self.expires as u64
    }

    /// The first and the last second for which [`check`](Self::check) says yes.
    pub(crate) fn seconds(&self) -> RangeInclusive<u64> {
        let last = (self.expires + self.leeway).ceil() - 1.0;
        self.from.ceil() as u64..=last.min(self.too_old.floor()) as u64
    }
}

/// Whether two resource identifiers are one (MCP Authorization, Canonical Server URI): scheme and host have
/// no case (RFC 3986 §6.2.2.1), everything else is compared byte for byte.
fn same_resource(ours: &str, other: &str) -> bool {
    let host = ours.find("://").and_then(|at| at.checked_add(3));
    let path = host.and_then(|at| ours.get(at..)?.find('/')?.checked_add(at));
    let case_free = host.and(path.or(Some(ours.len()))).unwrap_or(0);
    match (
        ours.split_at_checked(case_free),
        other.split_at_checked(case_free),
    ) {
        (Some((our_host, our_path)), Some((host, path))) => {
            our_host.eq_ignore_ascii_case(host) && our_path == path
        }
        _ => false,
    }
}

/// The issuer that unverified claims name.
pub(crate) fn issuer(claims: &Map<String, Value>) -> Result<&str, InvalidToken> {
    claims
        .get("iss")
        .and_then(Value::as_str)
        .ok_or(InvalidToken::Claim("iss"))
}

/// A NumericDate (RFC 7519 §2), fractions allowed.
pub(super) fn time(
    claims: &Map<String, Value>,
    claim: &'static str,
) -> Result<Option<f64>, InvalidToken> {
    match claims.get(claim) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(seconds) if (0.0..=END_OF_TIME).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(InvalidToken::Claim(claim)),
        },
    }
}

/// An identifier that ends up in audit records and per-user state.
fn name<'a>(
    claims: &'a Map<String, Value>,
    claim: &'static str,
) -> Result<Option<&'a str>, InvalidToken> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text))
            if !text.is_empty()
                && text.chars().nth(MAX_NAME).is_none()
                && !text.chars().any(char::is_control) =>
        {
            Ok(Some(text))
        }
        Some(_) => Err(InvalidToken::Claim(claim)),
    }
}

#[cfg(test)]
mod tests {
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
}
