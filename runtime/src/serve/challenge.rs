//! `WWW-Authenticate` values, written once when the server is built.
//!
//! [RFC 6750 §3], [RFC 9728 §5.1] and [RFC 9470 §3] say what they hold. Nothing of a request or a token is ever copied
//! into one. Which scopes a challenge names is a matter of what is asked for, never of the caller: the same
//! operation is challenged with the same bytes every time.
//!
//! [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
//! [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
//! [RFC 9728 §5.1]: https://www.rfc-editor.org/rfc/rfc9728#section-5.1

use http::HeaderValue;

use super::resource::Resource;
use crate::declare::{
    authentication::Authentication,
    policy::{Decision, Policy},
    registry::Registry,
    scope::{ScopeName, join},
};

/// The challenges of one operation.
#[derive(Debug)]
pub(crate) struct OperationChallenges {
    unauthenticated: HeaderValue,
    insufficient_scope: HeaderValue,
    /// Another login is needed; and another login and more scopes.
    insufficient_authentication: [HeaderValue; 2],
    /// What the 403 says to clients that show its body.
    pub(crate) message: String,
}

impl OperationChallenges {
    fn new(metadata_url: &str, policy: &Policy) -> Self {
        Self::naming(policy.challenged(), metadata_url, policy.authentication())
    }

    /// The challenges of an operation that needs `scopes`, after a login that is as `asked`.
    pub(crate) fn naming(scopes: &[ScopeName], metadata_url: &str, asked: &Authentication) -> Self {
        let insufficient = [
            ("error", "insufficient_scope"),
            ("error_description", "this operation needs more scopes"),
        ];
        let mut authenticate = vec![
            ("error", "insufficient_user_authentication"),
            ("error_description", "this operation needs another login"),
        ];
        let acr_values = asked.acr.join(" ");
        if !acr_values.is_empty() {
            authenticate.push(("acr_values", &acr_values));
        }
        let max_age = asked.max_age.map(|seconds| seconds.to_string());
        if let Some(max_age) = &max_age {
            authenticate.push(("max_age", max_age));
        }
        Self {
            unauthenticated: challenge(&[], scopes, metadata_url),
            insufficient_scope: challenge(&insufficient, scopes, metadata_url),
            insufficient_authentication: [
                challenge(&authenticate, &[], metadata_url),
                challenge(&authenticate, scopes, metadata_url),
            ],
            message: format!(
                "insufficient scope: this operation needs `{}`",
                join(scopes)
            ),
        }
    }

    /// The challenge that goes with `decision`.
    pub(crate) fn of(&self, decision: Decision) -> Option<&HeaderValue> {
        let [login, login_and_scopes] = &self.insufficient_authentication;
        match decision {
            Decision::Allow | Decision::Forbidden => None,
            Decision::Unauthenticated => Some(&self.unauthenticated),
            Decision::InsufficientAuthentication { scoped: true } => Some(login),
            Decision::InsufficientAuthentication { scoped: false } => Some(login_and_scopes),
            Decision::InsufficientScope => Some(&self.insufficient_scope),
        }
    }
}

/// The challenges of one server.
pub(crate) struct Challenges {
    /// There was no token.
    pub(crate) no_credentials: HeaderValue,
    /// There was one, and it is not valid here.
    pub(crate) invalid_token: HeaderValue,
    /// For what every request needs.
    pub(crate) base: OperationChallenges,
    /// For each tool, in the order of the registry.
    pub(crate) tools: Vec<OperationChallenges>,
}

impl Challenges {
    pub(crate) fn new(resource: &Resource, registry: &Registry, advertised: &[ScopeName]) -> Self {
        let url = &resource.metadata_url();
        let invalid = [
            ("error", "invalid_token"),
            ("error_description", "the access token is not valid here"),
        ];
        Self {
            no_credentials: challenge(&[], advertised, url),
            invalid_token: challenge(&invalid, advertised, url),
            base: OperationChallenges::new(url, registry.base()),
            tools: registry
                .entries()
                .iter()
                .map(|entry| OperationChallenges::new(url, entry.policy()))
                .collect(),
        }
    }
}

/// A Bearer challenge. Every value is from a grammar that needs no escaping inside a quoted string: scopes
/// by [`ScopeName`], `acr` values by the same rule, the URL by [`Resource`], the rest are numbers and constants.
fn challenge(parameters: &[(&str, &str)], scopes: &[ScopeName], metadata_url: &str) -> HeaderValue {
    let scopes = join(scopes);
    let mut all = parameters.to_vec();
    if !scopes.is_empty() {
        all.push(("scope", &scopes));
    }
    all.push(("resource_metadata", metadata_url));
    let all: Vec<_> = all
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    HeaderValue::try_from(format!("Bearer {}", all.join(", ")))
        .expect("scopes, URL and constants are visible ASCII")
}
