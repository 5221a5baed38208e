//! Refusals: what a client is told when its request goes no further.
//!
//! One table says for each refusal its status, its words and its name in the log. The words are fixed;
//! nothing in them tells one bad token from another, and nothing comes from the request. What really
//! happened goes to the log, under the id that the client is given in `X-Request-Id`.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use rmcp::model::RequestId;
use serde_json::json;

use super::{challenge::Challenges, hosts::Foreign, ticket::Denial};
use crate::{
    declare::policy::Decision,
    verify::token::{InvalidToken, VerifyError},
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) enum Refusal {
    ForeignHost,
    ForeignOrigin,
    /// The named header occurs more than once.
    RepeatedHeader(&'static str),
    MalformedCredentials,
    NoCredentials,
    InvalidToken(InvalidToken),
    Unavailable {
        reason: &'static str,
        retry_after: Duration,
    },
    Denied(Denial),
}

impl From<Foreign> for Refusal {
    fn from(foreign: Foreign) -> Self {
        match foreign {
            Foreign::Host => Self::ForeignHost,
            Foreign::Origin => Self::ForeignOrigin,
        }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Invalid(reason) => Self::InvalidToken(reason),
            VerifyError::Unavailable {
                reason,
                retry_after,
            } => Self::Unavailable {
                reason,
                retry_after,
            },
        }
    }
}

/// A refusal, as layers further out may want to know it. It is in the extensions of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// What kind of refusal it is: the same words for the same kind, for logs and metrics.
    pub reason: &'static str,
    /// The id under which the log knows more.
    pub request_id: String,
}

impl Refusal {
    /// Status, name in the log, and words for the client.
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::ForeignHost => (S::FORBIDDEN, "foreign_host", "this host is not served here"),
            Self::ForeignOrigin => (S::FORBIDDEN, "foreign_origin", "this origin is not allowed"),
            Self::RepeatedHeader(_) => (
                S::BAD_REQUEST,
                "repeated_header",
                "a header that may occur once is repeated",
            ),
            Self::MalformedCredentials => (
                S::BAD_REQUEST,
                "malformed_credentials",
                "send one `Authorization: Bearer <token>` header and nothing else as a credential",
            ),
            Self::NoCredentials => (S::UNAUTHORIZED, "no_credentials", "authorization required"),
            Self::InvalidToken(_) => (
                S::UNAUTHORIZED,
                "invalid_token",
                "the access token is not valid here",
            ),
            Self::Unavailable { .. } => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "access tokens cannot be checked at the moment, try again later",
            ),
            Self::Denied(denial) => match denial.decision {
                Decision::Unauthenticated => {
                    (S::UNAUTHORIZED, "no_credentials", "authorization required")
                }
                Decision::InsufficientScope | Decision::Allow => (
                    S::FORBIDDEN,
                    "insufficient_scope",
                    "insufficient scope: this operation needs scopes that the access token does not hold",
                ),
            },
        }
    }

    fn challenge<'c>(&self, challenges: &'c Challenges) -> Option<&'c HeaderValue> {
        match self {
            Self::NoCredentials => Some(&challenges.no_credentials),
            Self::InvalidToken(_) => Some(&challenges.invalid_token),
            Self::Denied(denial) => match denial.tool {
                Some(tool) => challenges.tools.get(tool)?.of(denial.decision),
                None => challenges.base.of(denial.decision),
            },
            Self::ForeignHost
            | Self::ForeignOrigin
            | Self::RepeatedHeader(_)
            | Self::MalformedCredentials
            | Self::Unavailable { .. } => None,
        }
    }

    /// The JSON-RPC id of the request, where it is known.
    fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Denied(denial) => Some(&denial.request),
            _ => None,
        }
    }

    fn log(&self, name: &str, request_id: &str) {
        match self {
            Self::InvalidToken(detail) => {
                tracing::info!(target: "toolgate", refused = name, request_id, %detail);
            }
            Self::Unavailable { reason, .. } => {
                tracing::warn!(target: "toolgate", refused = name, request_id, detail = reason);
            }
            Self::RepeatedHeader(header) => {
                tracing::info!(target: "toolgate", refused = name, request_id, detail = header);
            }
            _ => tracing::info!(target: "toolgate", refused = name, request_id),
        }
    }

    /// The response: a status, perhaps a challenge, and a JSON-RPC error.
    ///
    /// The error's code is the HTTP status: own codes lie outside of the range that JSON-RPC reserves.
    pub(crate) fn into_response(self, challenges: &Challenges) -> Response<Full<Bytes>> {
        let (status, name, message) = self.row();
        let request_id = request_id();
        self.log(name, &request_id);

        let mut body = json!({
            "jsonrpc": "2.0",
            "error": { "code": status.as_u16(), "message": message },
        });
        if let Some(id) = self.request() {
            body["id"] = json!(id);
        }
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge(challenges) {
            headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
        }
        if let Self::Unavailable { retry_after, .. } = self {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(retry_after.as_secs().max(1)),
            );
        }
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert(X_REQUEST_ID, value);
        }
        response.extensions_mut().insert(Refused {
            reason: name,
            request_id,
        });
        response
    }
}

/// An id that is not guessed and not repeated, and says nothing.
fn request_id() -> String {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:016x}",
        KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
    )
}
