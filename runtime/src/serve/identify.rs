//! From a token to the principal it stands for at this server: verified now or before, and not revoked.

use std::{fmt, sync::Arc, time::Duration};

use super::core::Core;
use crate::{
    declare::principal::Principal,
    verify::{
        revocation::Revocations,
        token::{InvalidToken, Verifier, VerifyError},
    },
};

/// When it makes sense to ask again whether a token was revoked.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Core {
    /// The principal that `token` stands for.
    ///
    /// Whatever depends on more than the token, a proof that its holder is its owner for example, comes after
    /// this, with every request.
    pub(crate) async fn identify(
        &self,
        verifier: &dyn Verifier,
        token: &str,
    ) -> Result<Principal, VerifyError> {
        let fingerprint = self.tokens.fingerprint(token);
        let known = fingerprint.as_ref().and_then(|it| self.tokens.get(it));
        if let Some(principal) = known {
            self.revocation.check(&principal).await?;
            return Ok(principal);
        }
        let vouched = verifier.vouch(token).await?;
        let principal = Principal::new(vouched.token, self.registry.scopes());
        self.revocation.check(&principal).await?;
        if let Some(fingerprint) = fingerprint {
            self.tokens
                .insert(fingerprint, &principal, vouched.freshness);
        }
        Ok(principal)
    }
}

/// Whom to ask about revoked tokens, if anybody, and how long to wait for the answer.
#[derive(Clone)]
pub(crate) struct Revocation {
    pub(crate) list: Option<Arc<dyn Revocations>>,
    pub(crate) deadline: Duration,
}

impl Revocation {
    /// Fails closed: who does not answer in time has not said that the token is good.
    async fn check(&self, principal: &Principal) -> Result<(), VerifyError> {
        let Some(list) = &self.list else {
            return Ok(());
        };
        let answer = tokio::time::timeout(self.deadline, list.is_revoked(principal)).await;
        let reason = match answer {
            Ok(Ok(false)) => return Ok(()),
            Ok(Ok(true)) => return Err(InvalidToken::Revoked.into()),
            Ok(Err(unknown)) => unknown.reason,
            Err(_) => "nobody said in time whether the token was revoked",
        };
        Err(VerifyError::Unavailable {
            reason,
            retry_after: RETRY_AFTER,
        })
    }
}

impl Default for Revocation {
    fn default() -> Self {
        Self {
            list: None,
            deadline: Duration::from_secs(1),
        }
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
