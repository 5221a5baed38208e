//! How, and how long ago, the user must have logged in: step-up authentication ([RFC 9470]).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use std::borrow::Cow;

use serde_json::Value;

use super::principal::Principal;

/// How far the clocks of the authorization server and of this one may be apart, in seconds.
const LEEWAY: u64 = 60;

/// What a tool asks of the user's login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Authentication {
    /// The authentication contexts one of which is needed, best first. Empty: any will do.
    pub(crate) acr: Vec<Cow<'static, str>>,
    /// The most seconds since the user logged in.
    pub(crate) max_age: Option<u64>,
}

impl Authentication {
    /// Whether any login will do.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the login of `who` is good enough at `now`, in seconds since the Unix epoch. A claim that
    /// is absent or cannot be read is not good enough.
    pub(crate) fn is_satisfied_by(&self, who: &Principal, now: u64) -> bool {
        let context = || who.claim("acr").and_then(Value::as_str);
        let right_context =
            self.acr.is_empty() || context().is_some_and(|acr| self.acr.iter().any(|ok| ok == acr));
        let recent = self.max_age.is_none_or(|max_age| {
            who.claim("auth_time")
                .and_then(Value::as_f64)
                .is_some_and(|at| is_recent(at, max_age, now))
        });
        right_context && recent
    }
}

/// Compares as `f64`: whole seconds are exact there far beyond any date, and nothing can overflow.
#[allow(clippy::cast_precision_loss, reason = "exact below 2^53")]
fn is_recent(at: f64, max_age: u64, now: u64) -> bool {
    let (now, leeway) = (now as f64, LEEWAY as f64);
    at >= 0.0 && at <= now + leeway && now - at <= max_age as f64 + leeway
}

/// Whether `acr` may be one of the space-separated, quoted values of a challenge.
pub(crate) fn is_acr(acr: &str) -> bool {
    super::scope::is_scope_token(acr)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::declare::{principal::VerifiedToken, scope::ScopeTable};

    const NOW: u64 = 1_700_000_000;

    fn satisfied(acr: &[&'static str], max_age: Option<u64>, claims: &Value) -> bool {
        let claims: Map<_, _> = claims.as_object().unwrap().clone();
        let token = VerifiedToken::new("i", "s").claims(claims);
        let who = Principal::new(token, &ScopeTable::default().into());
        let asked = Authentication {
            acr: acr.iter().map(|&acr| acr.into()).collect(),
            max_age,
        };
        asked.is_satisfied_by(&who, NOW)
    }

    #[test]
    fn every_row_of_contexts() {
        for (claims, expected) in [
            (json!({"acr": "gold"}), true),
            (json!({"acr": "silver"}), true),
            (json!({"acr": "Gold"}), false),
            (json!({"acr": "gold silver"}), false),
            (json!({"acr": ["gold"]}), false),
            (json!({"acr": null}), false),
            (json!({}), false),
        ] {
            assert_eq!(
                satisfied(&["gold", "silver"], None, &claims),
                expected,
                "{claims}"
            );
            assert!(satisfied(&[], None, &claims));
        }
    }

    #[test]
    fn every_row_of_ages() {
        for (at, expected) in [
            (json!(NOW), true),
            (json!(NOW - 300), true),
            (json!(NOW - 300 - LEEWAY), true),
            (json!(NOW - 301 - LEEWAY), false),
            (json!(NOW + LEEWAY), true),
            (json!(NOW + LEEWAY + 1), false),
            (json!(NOW as f64 - 0.5), true),
            (json!(0), false),
            (json!(-1), false),
            (json!(1e300), false),
            (json!(NOW.to_string()), false),
            (json!(null), false),
        ] {
            let claims = json!({"auth_time": at});
            assert_eq!(satisfied(&[], Some(300), &claims), expected, "{at}");
        }
        assert!(!satisfied(&[], Some(300), &json!({})));
        assert!(!satisfied(&[], Some(u64::MAX), &json!({})));
        assert!(satisfied(&[], Some(u64::MAX), &json!({"auth_time": 0})));
    }
}
