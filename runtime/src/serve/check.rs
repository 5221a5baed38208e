//! Do the authorization servers offer what clients of this server need?
//!
//! A client learns of this server's authorization servers from its metadata and gives up, with a text that
//! names neither, when they lack something. That is cheaper to find when the server starts. Nothing here
//! changes a decision.

use serde_json::Value;

use super::server::ProtectedServer;
use crate::{
    declare::scope::ScopeName,
    verify::{algorithm::SignatureAlgorithm, check::IssuerReport, fetch::FetchError},
};

/// Something about an authorization server that will keep clients from calling this server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Its metadata cannot be had.
    #[error("the metadata of authorization server `{issuer}` cannot be had: {reason}")]
    Unavailable {
        /// The issuer identifier.
        issuer: String,
        /// Why not.
        reason: String,
    },
    /// Its metadata is that of another issuer (RFC 8414 §3.3): no client will use it, and no token of it will
    /// be accepted here.
    #[error(
        "the metadata of authorization server `{issuer}` names another issuer: write the identifier exactly as it is there (RFC 8414 §3.3)"
    )]
    IssuerMismatch {
        /// The issuer identifier.
        issuer: String,
    },
    /// No key fits an algorithm that is allowed.
    #[error("no key of authorization server `{issuer}` is for an allowed algorithm ({})", names(.algorithms))]
    NoUsableKey {
        /// The issuer identifier.
        issuer: String,
        /// What is allowed.
        algorithms: Vec<SignatureAlgorithm>,
    },
    /// It has a list of scopes, and one that tools need is not in it.
    #[error(
        "authorization server `{issuer}` does not list the scope `{scope}` in `scopes_supported`, so that clients may not get it"
    )]
    UnknownScope {
        /// The issuer identifier.
        issuer: String,
        /// The declared scope.
        scope: ScopeName,
    },
    /// It does not say that it supports PKCE with S256, without which MCP clients must not log in.
    #[error(
        "authorization server `{issuer}` does not list `S256` in `code_challenge_methods_supported`: MCP clients must refuse to log in"
    )]
    NoPkce {
        /// The issuer identifier.
        issuer: String,
    },
    /// Clients that it does not know cannot make themselves known.
    #[error(
        "authorization server `{issuer}` offers neither dynamic client registration (RFC 7591) nor client ID metadata documents: each client has to be registered by hand"
    )]
    NoRegistration {
        /// The issuer identifier.
        issuer: String,
    },
    /// It lists the resources that it issues tokens for (RFC 9728 §4), and this is none of them.
    #[error(
        "authorization server `{issuer}` does not list `{resource}` in `protected_resources` (RFC 9728 §4)"
    )]
    UnknownResource {
        /// The issuer identifier.
        issuer: String,
        /// This server.
        resource: String,
    },
}

fn names(algorithms: &[SignatureAlgorithm]) -> String {
    let names: Vec<_> = algorithms.iter().map(|a| format!("{a:?}")).collect();
    names.join(", ")
}

impl ProtectedServer {
    /// Asks the authorization servers what they offer, and compares it with what clients of this server need.
    /// Empty when nothing was found.
    ///
    /// [`serve`](Self::serve) does this in the background and logs what it finds;
    /// [`Server::strict`](crate::Server::strict) makes it an error. Applications that mount the
    /// [`service`](Self::service) themselves call it where they see fit. An authorization server whose keys or
    /// endpoint were given is not asked, nor one that only a verifier of your own knows.
    pub async fn check(&self) -> Vec<Warning> {
        let Some(verifier) = &self.core.verifier else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for report in verifier.examine().await {
            for finding in compare(&report, &self.core.declared, &self.resource()) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings
    }
}

fn compare(report: &IssuerReport, declared: &[ScopeName], resource: &str) -> Vec<Warning> {
    let issuer = || report.issuer.clone();
    let metadata = match &report.metadata {
        Ok(metadata) => metadata,
        Err(FetchError::Issuer) => return vec![Warning::IssuerMismatch { issuer: issuer() }],
        Err(error) => {
            let reason = error.to_string();
            return vec![Warning::Unavailable {
                issuer: issuer(),
                reason,
            }];
        }
    };
    let mut findings = Vec::new();
    if let Some(algorithms) = &report.without_key {
        let algorithms = algorithms.clone();
        findings.push(Warning::NoUsableKey {
            issuer: issuer(),
            algorithms,
        });
    }
    if let Some(supported) = metadata.list("scopes_supported") {
        let missing = declared
            .iter()
            .filter(|scope| !supported.contains(&scope.as_str()));
        findings.extend(missing.map(|scope| Warning::UnknownScope {
            issuer: issuer(),
            scope: scope.clone(),
        }));
    }
    let methods = metadata.list("code_challenge_methods_supported");
    if !methods.is_some_and(|methods| methods.contains(&"S256")) {
        findings.push(Warning::NoPkce { issuer: issuer() });
    }
    let documents = metadata.member("client_id_metadata_document_supported");
    let registers = metadata
        .member("registration_endpoint")
        .is_some_and(Value::is_string);
    if !registers && documents != Some(&Value::Bool(true)) {
        findings.push(Warning::NoRegistration { issuer: issuer() });
    }
    if let Some(resources) = metadata.list("protected_resources")
        && !resources.contains(&resource)
    {
        let resource = resource.to_owned();
        findings.push(Warning::UnknownResource {
            issuer: issuer(),
            resource,
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::discovery::IssuerMetadata;

    const ISSUER: &str = "https://as.example";
    const RESOURCE: &str = "https://notes.example/mcp";

    fn findings(metadata: Result<Value, FetchError>) -> Vec<Warning> {
        let metadata = metadata.map(|members| {
            let mut all = json!({"issuer": ISSUER, "jwks_uri": "https://as.example/keys"});
            for (name, value) in members.as_object().unwrap() {
                all[name] = value.clone();
            }
            let all = all.as_object().unwrap().clone();
            IssuerMetadata::accept(all, ISSUER, "jwks_uri").unwrap()
        });
        let report = IssuerReport {
            issuer: ISSUER.into(),
            metadata,
            without_key: None,
        };
        let declared = ["a", "b"].map(|scope| ScopeName::new(scope).unwrap());
        compare(&report, &declared, RESOURCE)
    }

    fn good() -> Value {
        json!({
            "code_challenge_methods_supported": ["plain", "S256"],
            "registration_endpoint": "https://as.example/register",
        })
    }

    fn with(name: &str, value: Value) -> Result<Value, FetchError> {
        let mut metadata = good();
        metadata[name] = value;
        Ok(metadata)
    }

    #[test]
    fn what_clients_will_miss_is_found_and_nothing_else() {
        let issuer = || ISSUER.to_owned();
        let scope = |scope| Warning::UnknownScope {
            issuer: issuer(),
            scope: ScopeName::new(scope).unwrap(),
        };
        let no_pkce = || vec![Warning::NoPkce { issuer: issuer() }];
        let no_registration = || vec![Warning::NoRegistration { issuer: issuer() }];
        let unknown = Warning::UnknownResource {
            issuer: issuer(),
            resource: RESOURCE.into(),
        };
        let unavailable = Warning::Unavailable {
            issuer: issuer(),
            reason: "status 404".into(),
        };
        for (metadata, expected) in [
            (Ok(good()), vec![]),
            (with("scopes_supported", json!(["b", "a", "c"])), vec![]),
            (with("scopes_supported", json!(["b"])), vec![scope("a")]),
            (
                with("scopes_supported", json!([])),
                vec![scope("a"), scope("b")],
            ),
            (
                with("code_challenge_methods_supported", json!(["plain"])),
                no_pkce(),
            ),
            (
                with("code_challenge_methods_supported", json!(null)),
                no_pkce(),
            ),
            (
                with("code_challenge_methods_supported", json!("S256")),
                no_pkce(),
            ),
            (
                with("registration_endpoint", json!(null)),
                no_registration(),
            ),
            (
                Ok(json!({
                    "code_challenge_methods_supported": ["S256"],
                    "client_id_metadata_document_supported": true,
                })),
                vec![],
            ),
            (
                Ok(json!({
                    "code_challenge_methods_supported": ["S256"],
                    "client_id_metadata_document_supported": "true",
                })),
                no_registration(),
            ),
            (with("protected_resources", json!([RESOURCE])), vec![]),
            (
                with("protected_resources", json!(["https://notes.example/"])),
                vec![unknown],
            ),
            (
                Err(FetchError::Issuer),
                vec![Warning::IssuerMismatch { issuer: issuer() }],
            ),
            (Err(FetchError::Status(404)), vec![unavailable]),
        ] {
            let text = format!("{metadata:?}");
            assert_eq!(findings(metadata), expected, "{text}");
        }
    }
}
