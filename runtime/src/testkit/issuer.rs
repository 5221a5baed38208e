//! The running server's settings and memory, as every endpoint sees them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use super::{
    client::Client, client_document, keys::SigningKey, random, refusal::Refusal, store::Store,
};
use crate::{declare::scope::ScopeName, verify::dpop::proof::ProofVerifier};

/// Settings that do not change while the server runs, and the memory that does.
pub(super) struct Issuer {
    pub(super) url: String,
    /// The described scopes. Others are granted too, and shown by name.
    pub(super) scopes: BTreeMap<ScopeName, String>,
    pub(super) users: Vec<String>,
    pub(super) auto_consent: Option<String>,
    pub(super) token_lifetime: Duration,
    pub(super) default_resource: Option<String>,
    pub(super) opaque_tokens: bool,
    /// Who may introspect tokens: ids and secrets.
    pub(super) resource_servers: Vec<(String, String)>,
    pub(super) store: Mutex<Store>,
    /// For proofs at the token endpoint (RFC 9449 §5).
    pub(super) proofs: ProofVerifier,
}

impl Issuer {
    /// The memory. Every use is short and synchronous, so the lock is never held across an `await`.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of that id: registered here, or described by the document the id is the address of.
    pub(super) async fn client(&self, id: &str) -> Result<Arc<Client>, Refusal> {
        let registered = self
            .store()
            .clients()
            .iter()
            .find(|client| client.id == id)
            .cloned();
        match registered {
            Some(client) => Ok(client),
            None => client_document::client(self, id).await,
        }
    }

    pub(super) fn signing_key(&self) -> SigningKey {
        self.store()
            .keys
            .last()
            .cloned()
            .expect("a key is made at start and the last one stays")
    }

    /// Makes an opaque access token that stands for `claims`.
    pub(super) fn opaque(&self, claims: Map<String, Value>) -> Result<String, Refusal> {
        let expires = claims.get("exp").and_then(Value::as_u64);
        let left = expires.unwrap_or_default().saturating_sub(unix_now());
        let token = random::token();
        let left = Duration::from_secs(left);
        let mut store = self.store();
        store
            .opaque
            .insert(token.clone(), claims, left, Instant::now())?;
        Ok(token)
    }

    /// The published keys (RFC 7517 §5).
    pub(super) fn jwks(&self) -> Value {
        let store = self.store();
        json!({"keys": store.keys.iter().map(SigningKey::public_jwk).collect::<Vec<_>>()})
    }

    /// The claims of an access token (RFC 9068 §2.2).
    pub(super) fn claims(
        &self,
        subject: &str,
        client_id: &str,
        scopes: &[ScopeName],
        audience: Option<&str>,
        issued_at: u64,
        expires_at: u64,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), json!(self.url));
        claims.insert("sub".to_owned(), json!(subject));
        claims.insert("client_id".to_owned(), json!(client_id));
        claims.insert("scope".to_owned(), json!(spaced(scopes)));
        claims.insert("iat".to_owned(), json!(issued_at));
        claims.insert("exp".to_owned(), json!(expires_at));
        claims.insert("jti".to_owned(), json!(random::token()));
        if let Some(audience) = audience {
            claims.insert("aud".to_owned(), json!(audience));
        }
        claims
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Seconds since the Unix epoch.
pub(super) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Scopes as the `scope` parameter spells them.
pub(super) fn spaced(scopes: &[ScopeName]) -> String {
    scopes
        .iter()
        .map(ScopeName::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The scopes of a `scope` parameter, each once.
pub(super) fn parse_scopes(text: &str) -> Result<Vec<ScopeName>, Refusal> {
    const MAX: usize = 256;
    let mut scopes = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let scope = word.parse().map_err(|_| {
            Refusal::invalid_scope("`scope` is a list of scope tokens, one space between them")
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
        if scopes.len() > MAX {
            return Err(Refusal::invalid_scope("`scope` names more than 256 scopes"));
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_list_has_each_scope_once_in_its_order_and_an_end() {
        let scopes = parse_scopes("b a  b").unwrap();
        assert_eq!(spaced(&scopes), "b a");
        assert!(parse_scopes("a\tb").is_err());
        let many: Vec<_> = (0..257).map(|n| n.to_string()).collect();
        assert!(parse_scopes(&many.join(" ")).is_err());
    }
}
