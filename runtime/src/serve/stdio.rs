//! Standard input and output: the caller is whoever the environment names.
//!
//! There is no OAuth flow on stdio (MCP Authorization, Protocol Requirements): a client starts the server
//! as a child process and puts credentials into its environment. The decision is the same as over HTTP;
//! only the way to say no differs.

use std::time::{SystemTime, UNIX_EPOCH};

use rmcp::{ErrorData, model::ErrorCode};

use crate::declare::{
    policy::Decision,
    principal::Principal,
    scope::{ScopeName, join},
};

/// The environment variable that holds the access token on stdio.
pub const TOKEN_VARIABLE: &str = "TOOLGATE_TOKEN";

/// Who the environment says is calling.
#[derive(Debug)]
pub(crate) struct Environment {
    principal: Option<Principal>,
}

impl Environment {
    pub(crate) fn new(principal: Option<Principal>) -> Self {
        Self { principal }
    }

    /// The caller, as long as its token is valid.
    pub(crate) fn principal(&self) -> Result<Option<&Principal>, ErrorData> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(u64::MAX, |since| since.as_secs());
        match &self.principal {
            Some(principal) if principal.expires_at().is_some_and(|expiry| now >= expiry) => {
                Err(ErrorData::new(
                    ErrorCode(401),
                    format!(
                        "the access token in {TOKEN_VARIABLE} has expired: start the server with a fresh one"
                    ),
                    None,
                ))
            }
            principal => Ok(principal.as_ref()),
        }
    }

    /// What to tell the caller about `decision` against something that needs `scopes`. The log is told as well.
    pub(crate) fn denial(
        &self,
        tool: Option<&str>,
        scopes: &[ScopeName],
        decision: Decision,
    ) -> ErrorData {
        let scopes = join(scopes);
        let with_scopes = match scopes.as_str() {
            "" => String::new(),
            scopes => format!(" with scope `{scopes}`"),
        };
        let (code, reason, message) = match decision {
            Decision::Forbidden => (403, "forbidden", "this is not allowed".to_owned()),
            Decision::Unauthenticated => (
                401,
                "no_credentials",
                format!(
                    "this needs a caller: set {TOKEN_VARIABLE} to an access token{with_scopes}"
                ),
            ),
            Decision::InsufficientAuthentication { .. } => (
                401,
                "insufficient_user_authentication",
                format!(
                    "this needs another login: set {TOKEN_VARIABLE} to an access token from a stronger or more recent one"
                ),
            ),
            Decision::InsufficientScope | Decision::Allow => (
                403,
                "insufficient_scope",
                format!(
                    "insufficient scope: this needs `{scopes}`; set {TOKEN_VARIABLE} to an access token that holds it"
                ),
            ),
        };
        let who = self.principal.as_ref();
        tracing::info!(
            target: "toolgate",
            reason,
            tool,
            issuer = who.map(Principal::issuer),
            subject = who.map(Principal::subject),
            client = who.and_then(Principal::client_id),
            "refused"
        );
        ErrorData::new(ErrorCode(code), message, None)
    }
}
