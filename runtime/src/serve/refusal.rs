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
use serde::Serialize;

use super::{
    challenge::{Challenges, OperationChallenges},
    core::Core,
    hosts::Foreign,
    ticket::Denial,
};
use crate::{
    declare::{policy::Decision, principal::Principal},
    verify::{
        dpop::proof::ProofError,
        token::{InvalidToken, VerifyError},
    },
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The nonce for the next proof (RFC 9449 §8.1).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

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
    /// The token may be good, but its sender has not proven to hold its key.
    InvalidProof(ProofError),
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
    fn row<'c>(&'c self, challenges: &'c Challenges) -> (StatusCode, &'static str, &'c str) {
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
            Self::InvalidProof(ProofError::Nonce) => (
                S::UNAUTHORIZED,
                "use_dpop_nonce",
                "put the nonce of this response into the DPoP proof",
            ),
            Self::InvalidProof(_) => (
                S::UNAUTHORIZED,
                "invalid_dpop_proof",
                "the DPoP proof is not valid here",
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
                Decision::Forbidden => (S::FORBIDDEN, "forbidden", "this is not allowed"),
                Decision::InsufficientAuthentication { .. } => (
                    S::UNAUTHORIZED,
                    "insufficient_user_authentication",
                    "log in again: this operation needs another login",
                ),
                Decision::InsufficientScope | Decision::Allow => (
                    S::FORBIDDEN,
                    "insufficient_scope",
                    &operation(denial, challenges).message,
                ),
            },
        }
    }

    fn challenge<'c>(&'c self, challenges: &'c Challenges) -> &'c [HeaderValue] {
        match self {
            Self::NoCredentials => &challenges.no_credentials,
            Self::InvalidToken(_) => &challenges.invalid_token,
            Self::InvalidProof(ProofError::Nonce) => &challenges.use_dpop_nonce,
            Self::InvalidProof(_) => &challenges.invalid_dpop_proof,
            Self::Denied(denial) => operation(denial, challenges).of(denial.decision),
            Self::ForeignHost
            | Self::ForeignOrigin
            | Self::RepeatedHeader(_)
            | Self::MalformedCredentials
            | Self::Unavailable { .. } => &[],
        }
    }

    /// What operators want to know beyond the name of the refusal.
    fn detail(&self, core: &Core) -> String {
        match self {
            Self::InvalidToken(reason) => reason.to_string(),
            Self::InvalidProof(reason) => reason.to_string(),
            Self::Unavailable { reason, .. } => (*reason).to_owned(),
            Self::RepeatedHeader(header) => (*header).to_owned(),
            Self::Denied(Denial {
                tool: Some(tool), ..
            }) => core
                .registry
                .entries()
                .get(*tool)
                .map(|entry| format!("tool {}", entry.name))
                .unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The response to a request of `who`: a status, perhaps a challenge, and a JSON-RPC error.
    ///
    /// The error's code is the HTTP status: own codes lie outside of the range that JSON-RPC reserves.
    pub(crate) fn into_response(
        self,
        core: &Core,
        who: Option<&Principal>,
    ) -> Response<Full<Bytes>> {
        let (status, reason, message) = self.row(&core.challenges);
        let request_id = request_id();
        tracing::info!(
            target: "toolgate",
            reason,
            request_id,
            detail = self.detail(core),
            issuer = who.map(Principal::issuer),
            subject = who.map(Principal::subject),
            client = who.and_then(Principal::client_id),
            "refused"
        );

        let id = match &self {
            Self::Denied(denial) => Some(&denial.request),
            _ => None,
        };
        let body = Body {
            jsonrpc: "2.0",
            id,
            error: BodyError {
                code: status.as_u16(),
                message,
            },
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let challenge = self.challenge(&core.challenges);
        for scheme in challenge {
            headers.append(header::WWW_AUTHENTICATE, scheme.clone());
        }
        if !challenge.is_empty()
            && let Some(nonce) = core.possession.nonce()
        {
            headers.insert(DPOP_NONCE, nonce);
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
        response
            .extensions_mut()
            .insert(Refused { reason, request_id });
        response
    }
}

/// The challenges of what was denied.
fn operation<'c>(denial: &'c Denial, challenges: &'c Challenges) -> &'c OperationChallenges {
    let tool = || challenges.tools.get(denial.tool?);
    denial
        .raised
        .as_deref()
        .or_else(tool)
        .unwrap_or(&challenges.base)
}

#[derive(Serialize)]
struct Body<'b> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'b RequestId>,
    error: BodyError<'b>,
}

#[derive(Serialize)]
struct BodyError<'b> {
    code: u16,
    message: &'b str,
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
