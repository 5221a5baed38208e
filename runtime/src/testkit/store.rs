//! What the authorization server remembers: keys, clients, pending consents.
//!
//! Everything is in memory, bounded, and gone when the server stops.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{
    client::Client, expiring::ExpiringMap, grants::Grants, keys::SigningKey, random,
    refusal::Refusal,
};
use crate::declare::scope::ScopeName;

/// How many entries each kind of memory may hold.
pub(super) const LIMIT: usize = 10_000;
/// How long the consent page may stay open.
const TRANSACTION_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// An authorization request that passed every check and waits for the user.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<ScopeName>,
    pub(super) resource: String,
    pub(super) challenge: String,
    /// The DPoP key that the code is bound to (RFC 9449 §10).
    pub(super) key: Option<String>,
}

pub(super) struct Store {
    /// The last one signs; all are published.
    pub(super) keys: Vec<SigningKey>,
    pub(super) documents: ExpiringMap<Arc<Client>>,
    pub(super) grants: Grants,
    /// What opaque access tokens stand for.
    pub(super) opaque: ExpiringMap<Map<String, Value>>,
    /// JWTs that were revoked before their end.
    pub(super) revoked: ExpiringMap<()>,
    pub(super) hits: BTreeMap<String, usize>,
    clients: Vec<Arc<Client>>,
    transactions: ExpiringMap<Authorization>,
}

impl Store {
    pub(super) fn new(key: SigningKey) -> Self {
        Self {
            keys: vec![key],
            documents: ExpiringMap::new(LIMIT),
            hits: BTreeMap::new(),
            clients: Vec::new(),
            transactions: ExpiringMap::new(LIMIT),
            grants: Grants::new(),
            opaque: ExpiringMap::new(LIMIT),
            revoked: ExpiringMap::new(LIMIT),
        }
    }

    pub(super) fn clients(&self) -> &[Arc<Client>] {
        &self.clients
    }

    pub(super) fn register(&mut self, client: Client) -> Result<Arc<Client>, Refusal> {
        if self.clients.len() >= LIMIT {
            return Err(Refusal::full());
        }
        let client = Arc::new(client);
        self.clients.push(Arc::clone(&client));
        Ok(client)
    }

    /// Remembers a request while its user decides, under a name that only the page knows.
    pub(super) fn begin(
        &mut self,
        pending: Authorization,
        now: Instant,
    ) -> Result<String, Refusal> {
        let transaction = random::token();
        self.transactions
            .insert(transaction.clone(), pending, TRANSACTION_LIFETIME, now)?;
        Ok(transaction)
    }

    /// The request a page was about. A page can be answered once.
    pub(super) fn finish(&mut self, transaction: &str, now: Instant) -> Option<Authorization> {
        self.transactions.remove(transaction, now)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    use super::*;

    fn client(id: usize) -> Client {
        Client {
            id: id.to_string(),
            metadata: serde_json::from_value(json!({})).unwrap(),
            secret: None,
            from_document: false,
        }
    }

    #[test]
    fn clients_are_bounded() {
        let mut store = Store::new(SigningKey::generate(Algorithm::ES256));
        for id in 0..LIMIT {
            store.register(client(id)).unwrap();
        }
        assert_eq!(store.register(client(LIMIT)), Err(Refusal::full()));
    }

    #[test]
    fn a_consent_page_left_open_too_long_cannot_be_answered() {
        let mut store = Store::new(SigningKey::generate(Algorithm::ES256));
        let now = Instant::now();
        let pending = Authorization {
            client: Arc::new(client(1)),
            redirect_uri: String::new(),
            state: None,
            scopes: Vec::new(),
            resource: String::new(),
            challenge: String::new(),
            key: None,
        };
        let transaction = store.begin(pending, now).unwrap();
        assert!(
            store
                .finish(&transaction, now + TRANSACTION_LIFETIME)
                .is_none()
        );
    }
}
