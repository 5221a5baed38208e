//! The handle of a running authorization server.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{issuer::Issuer, keys::SigningKey, mint::TokenBuilder, routes};

/// A running [`AuthorizationServer`](super::AuthorizationServer).
///
/// Clones are handles of the same server. It stops when the last one is dropped, or by
/// [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct RunningAuthorizationServer(Arc<Running>);

struct Running {
    issuer: Arc<Issuer>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl RunningAuthorizationServer {
    pub(super) fn serve(issuer: Issuer, listener: TcpListener) -> Self {
        let issuer = Arc::new(issuer);
        let stop = CancellationToken::new();
        let server = axum::serve(listener, routes::router(Arc::clone(&issuer)))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        tracing::warn!(
            issuer = issuer.url,
            "DEVELOPMENT authorization server: anybody on this machine can sign in as anybody"
        );
        let task = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the development authorization server stopped");
            }
        });
        Self(Arc::new(Running {
            issuer,
            stop,
            task: Mutex::new(Some(task)),
        }))
    }

    /// The issuer identifier, which is also the server's address: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer.url
    }

    /// What a program that starts this server should print, in letters nobody overlooks.
    #[must_use]
    pub fn banner(&self) -> String {
        format!(
            "\n  ############################################################\n  \
             ##   DEVELOPMENT AUTHORIZATION SERVER - NO PASSWORDS      ##\n  \
             ##   Anybody on this machine can sign in as anybody.      ##\n  \
             ##   NEVER use it for anything but development.           ##\n  \
             ############################################################\n  \
             {}\n",
            self.issuer()
        )
    }

    /// The published keys, as `/jwks` answers them.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.0.issuer.jwks()
    }

    /// Signs with a new key from now on. The old ones stay published, so that their tokens stay valid.
    pub fn rotate_keys(&self) {
        let fresh = SigningKey::generate(self.0.issuer.signing_key().algorithm());
        self.0.issuer.store().keys.push(fresh);
    }

    /// Publishes nothing but the key that signs now: tokens of older ones cannot be verified any more.
    pub fn withdraw_old_keys(&self) {
        let mut store = self.0.issuer.store();
        let old = store.keys.len() - 1;
        store.keys.drain(..old);
    }

    /// An access token for `subject`, without any of the flow. See [`TokenBuilder`].
    pub fn mint(&self, subject: impl Into<String>) -> TokenBuilder {
        TokenBuilder::new(&self.0.issuer, &subject.into())
    }

    /// Revokes an access token: introspection says from now on that it is not active.
    ///
    /// # Panics
    ///
    /// When the server remembers as many revocations as it may.
    pub fn revoke(&self, token: &str) {
        if let Err(refusal) = self.0.issuer.revoke(token) {
            panic!("{}", refusal.description);
        }
    }

    /// The ids of the clients that registered themselves, in that order.
    #[must_use]
    pub fn clients(&self) -> Vec<String> {
        self.0
            .issuer
            .store()
            .clients()
            .iter()
            .map(|client| client.id.clone())
            .collect()
    }

    /// How many requests came for `path`, for example `/jwks`: tests count key fetches by it.
    #[must_use]
    pub fn hits(&self, path: &str) -> usize {
        self.0.issuer.store().hits.get(path).copied().unwrap_or(0)
    }

    /// Stops the server, also for all other handles, and waits until its port is free again.
    pub async fn shutdown(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let task = self
            .0
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.0.stop.cancel();
        if let Some(mut task) = task
            && tokio::time::timeout(PATIENCE, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl fmt::Debug for RunningAuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningAuthorizationServer")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}
