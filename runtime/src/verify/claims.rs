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
#[path = "claims_tests.rs"]
mod tests;
