//! `WWW-Authenticate` values, written once when the server is built.
//!
//! [RFC 6750 §3], [RFC 9449 §7.1], [RFC 9470 §3] and [RFC 9728 §5.1] say what they hold. Nothing of a request or a token is ever copied
//! into one. Which scopes a challenge names is a matter of what is asked for, never of the caller: the same
//! operation is challenged with the same bytes every time.
//!
//! [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3
//! [RFC 9449 §7.1]: https://www.rfc-editor.org/rfc/rfc9449#section-7.1
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

/// The challenges of one answer, one of each scheme: the values of its `WWW-Authenticate` headers.
pub(crate) type Challenge = Vec<HeaderValue>;

/// Which schemes are challenged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schemes {
    /// The algorithms of DPoP proofs, where they are accepted (RFC 9449 §7.1).
    pub(crate) dpop: Option<Vec<String>>,
    /// Whether bearer tokens are not.
    pub(crate) dpop_only: bool,
}

/// What all challenges of one server have in common.
struct Writer<'w> {
    schemes: &'w Schemes,
    metadata_url: &'w str,
}

impl Writer<'_> {
    /// Each scheme with the same words: what is wrong is the token, or that there is none. Bearer comes
    /// first, because there are clients that read one challenge only.
    fn all(&self, error: &[(&str, &str)], scopes: &[ScopeName]) -> Challenge {
        let bearer = (!self.schemes.dpop_only).then(|| self.bearer(error, scopes));
        bearer.into_iter().chain(self.dpop(error, scopes)).collect()
    }

    /// What is wrong is the proof: DPoP first, and Bearer without an error.
    fn proof(&self, error: &[(&str, &str)], scopes: &[ScopeName]) -> Challenge {
        let bearer = (!self.schemes.dpop_only).then(|| self.bearer(&[], scopes));
        self.dpop(error, scopes).into_iter().chain(bearer).collect()
    }

    fn bearer(&self, error: &[(&str, &str)], scopes: &[ScopeName]) -> HeaderValue {
        challenge("Bearer", error, scopes, self.metadata_url, None)
    }

    fn dpop(&self, error: &[(&str, &str)], scopes: &[ScopeName]) -> Option<HeaderValue> {
        let algorithms = self.schemes.dpop.as_ref()?.join(" ");
        let algorithms = Some(algorithms.as_str());
        Some(challenge(
            "DPoP",
            error,
            scopes,
            self.metadata_url,
            algorithms,
        ))
    }
}

/// The challenges of one operation.
#[derive(Debug)]
pub(crate) struct OperationChallenges {
    unauthenticated: Challenge,
    insufficient_scope: Challenge,
    /// Another login is needed; and another login and more scopes.
    insufficient_authentication: [Challenge; 2],
    /// What the 403 says to clients that show its body.
    pub(crate) message: String,
}

impl OperationChallenges {
    fn new(writer: &Writer<'_>, policy: &Policy) -> Self {
        Self::naming(policy.challenged(), writer, policy.authentication())
    }

    /// The challenges of an operation that needs `scopes`, after a login that is as `asked`.
    fn naming(scopes: &[ScopeName], writer: &Writer<'_>, asked: &Authentication) -> Self {
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
            unauthenticated: writer.all(&[], scopes),
            insufficient_scope: writer.all(&insufficient, scopes),
            insufficient_authentication: [
                writer.all(&authenticate, &[]),
                writer.all(&authenticate, scopes),
            ],
            message: format!(
                "insufficient scope: this operation needs `{}`",
                join(scopes)
            ),
        }
    }

    /// The challenge that goes with `decision`.
    pub(crate) fn of(&self, decision: Decision) -> &[HeaderValue] {
        let [login, login_and_scopes] = &self.insufficient_authentication;
        match decision {
            Decision::Allow | Decision::Forbidden => &[],
            Decision::Unauthenticated => &self.unauthenticated,
            Decision::InsufficientAuthentication { scoped: true } => login,
            Decision::InsufficientAuthentication { scoped: false } => login_and_scopes,
            Decision::InsufficientScope => &self.insufficient_scope,
        }
    }
}

/// The challenges of one server.
pub(crate) struct Challenges {
    /// There was no token.
    pub(crate) no_credentials: Challenge,
    /// There was one, and it is not valid here.
    pub(crate) invalid_token: Challenge,
    /// The token's key was not proven (RFC 9449 §7.1).
    pub(crate) invalid_dpop_proof: Challenge,
    /// It was, but without a current nonce (RFC 9449 §9).
    pub(crate) use_dpop_nonce: Challenge,
    /// For what every request needs.
    pub(crate) base: OperationChallenges,
    /// For each tool, in the order of the registry.
    pub(crate) tools: Vec<OperationChallenges>,
    schemes: Schemes,
    metadata_url: String,
}

impl Challenges {
    /// The challenges of a call that turned out to need `scopes`.
    pub(crate) fn naming(&self, scopes: &[ScopeName]) -> OperationChallenges {
        let writer = Writer {
            schemes: &self.schemes,
            metadata_url: &self.metadata_url,
        };
        OperationChallenges::naming(scopes, &writer, &Authentication::default())
    }

    pub(crate) fn new(
        resource: &Resource,
        registry: &Registry,
        advertised: &[ScopeName],
        schemes: &Schemes,
    ) -> Self {
        let writer = &Writer {
            schemes,
            metadata_url: &resource.metadata_url(),
        };
        let error = |code, words| [("error", code), ("error_description", words)];
        let invalid_token = error("invalid_token", "the access token is not valid here");
        let invalid_proof = error("invalid_dpop_proof", "the DPoP proof is not valid here");
        let nonce = error(
            "use_dpop_nonce",
            "put the nonce of this response into the proof",
        );
        Self {
            no_credentials: writer.all(&[], advertised),
            invalid_token: writer.all(&invalid_token, advertised),
            invalid_dpop_proof: writer.proof(&invalid_proof, advertised),
            use_dpop_nonce: writer.proof(&nonce, advertised),
            base: OperationChallenges::new(writer, registry.base()),
            tools: registry
                .entries()
                .iter()
                .map(|entry| OperationChallenges::new(writer, entry.policy()))
                .collect(),
            schemes: schemes.clone(),
            metadata_url: resource.metadata_url(),
        }
    }
}

/// One challenge. Every value is from a grammar that needs no escaping inside a quoted string: scopes by
/// [`ScopeName`], `acr` values by the same rule, the URL by [`Resource`], the rest are numbers and constants.
fn challenge(
    scheme: &str,
    parameters: &[(&str, &str)],
    scopes: &[ScopeName],
    metadata_url: &str,
    algorithms: Option<&str>,
) -> HeaderValue {
    let scopes = join(scopes);
    let mut all = parameters.to_vec();
    if !scopes.is_empty() {
        all.push(("scope", &scopes));
    }
    all.push(("resource_metadata", metadata_url));
    all.extend(algorithms.map(|names| ("algs", names)));
    let all: Vec<_> = all
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    HeaderValue::try_from(format!("{scheme} {}", all.join(", ")))
        .expect("scopes, URL and constants are visible ASCII")
}
