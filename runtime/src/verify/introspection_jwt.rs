//! Signed answers to introspection ([RFC 9701]): opened, or no answer at all.
//!
//! [RFC 9701]: https://www.rfc-editor.org/rfc/rfc9701

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    algorithm::SignatureAlgorithm,
    fetch::{Answer, FetchError},
    introspection::Server,
    jose::Jws,
    keys::MAX_KEY_SET,
    remote::RemoteKeys,
    source::KeySource,
    token::InvalidToken,
};

/// The media type, and with or without `application/` the `typ`.
pub(super) const SIGNED: &str = "application/token-introspection+jwt";
/// How old a signed answer may be, beside the leeway.
const MAX_ANSWER_AGE: Duration = Duration::from_secs(60);

pub(super) struct SignedAnswers {
    pub(super) keys: RemoteKeys,
    pub(super) algorithms: Vec<SignatureAlgorithm>,
}

impl Server {
    /// The answer in a signed one (RFC 9701 §5). One that is not good is no answer.
    pub(super) async fn open(
        &self,
        signed: &SignedAnswers,
        answer: &Answer,
    ) -> Result<Map<String, Value>, FetchError> {
        let bad = |_: InvalidToken| FetchError::Document;
        let essence = answer.content_type.split(';').next().unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case(SIGNED) {
            return Err(FetchError::Document);
        }
        let text = std::str::from_utf8(&answer.body).map_err(|_| FetchError::Document)?;
        let Jws {
            signed: jws,
            mut claims,
        } = Jws::decode(text.trim_ascii(), MAX_KEY_SET).map_err(bad)?;
        let typ = jws.typ.as_deref().unwrap_or_default();
        let names = [SIGNED, SIGNED.trim_start_matches("application/")];
        let typ_fits = names.iter().any(|name| typ.eq_ignore_ascii_case(name));
        if !typ_fits || !signed.algorithms.contains(&jws.algorithm) {
            return Err(FetchError::Document);
        }
        self.rules
            .check_issuer(&claims)
            .map_err(|_| FetchError::Issuer)?;
        if !self.is_addressee(claims.get("aud")) || !self.is_fresh(claims.get("iat")) {
            return Err(FetchError::Document);
        }
        let key = signed.keys.key(jws.kid.as_deref(), jws.algorithm).await;
        let key = key.map_err(|_| FetchError::Document)?;
        key.verify(&jws).map_err(bad)?;
        match claims.remove("token_introspection") {
            Some(Value::Object(members)) => Ok(members),
            _ => Err(FetchError::Document),
        }
    }

    /// Whether `aud` of a signed answer names this server: as a client, or as a resource.
    fn is_addressee(&self, aud: Option<&Value>) -> bool {
        let ours = |aud: &Value| {
            aud.as_str().is_some_and(|aud| {
                aud == self.credentials.id || self.rules.audiences.iter().any(|our| our == aud)
            })
        };
        match aud {
            Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        }
    }

    fn is_fresh(&self, iat: Option<&Value>) -> bool {
        let Some(issued) = iat.and_then(whole_seconds) else {
            return false;
        };
        let now = self.clock.unix_seconds();
        let leeway = self.rules.leeway.as_secs();
        let oldest = now.saturating_sub(leeway.saturating_add(MAX_ANSWER_AGE.as_secs()));
        (oldest..=now.saturating_add(leeway)).contains(&issued)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that does not fit becomes the nearest that does"
)]
pub(super) fn whole_seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| Some(value.as_f64()? as u64))
}
