//! The seam between "some text in a header" and "a token we vouch for".

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use super::{
    check::Examination,
    freshness::Vouched,
    hint::{Recognition, TokenHint},
};
use crate::declare::{confirmation::InvalidConfirmation, principal::VerifiedToken};

/// The future of [`Verifier::verify`].
pub type Verification<'a> =
    Pin<Box<dyn Future<Output = Result<VerifiedToken, VerifyError>> + Send + 'a>>;

/// Decides whether a bearer token is one this server accepts.
///
/// A verifier answers for the whole of [OAuth 2.1 §5.2]: integrity, issuer, audience and lifetime. It
/// never decides what the caller may do; scopes are compared later, in one place. Nor does it ask for the
/// proof that a bound token needs ([`VerifiedToken::confirmation`]): the server does, for every verifier.
///
/// [OAuth 2.1 §5.2]: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1#section-5.2
pub trait Verifier: Send + Sync + 'static {
    /// Checks `token`, the text after `Bearer` (already known to be `token68`).
    ///
    /// # Errors
    ///
    /// [`VerifyError::Invalid`] when the token is known to be bad, [`VerifyError::Unavailable`] when
    /// nothing can be known about it right now.
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a>;

    /// Like [`verify`](Self::verify), and says for how long the answer holds, so that a server need not ask
    /// with every request. This is what servers call.
    ///
    /// By default an answer holds for one request. A verifier that wraps another one and adds checks of its
    /// own is right to leave it at that: while an answer holds, nothing but its freshness is asked.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    fn vouch<'a>(&'a self, token: &'a str) -> Vouching<'a> {
        Box::pin(async move { self.verify(token).await.map(Vouched::once) })
    }

    /// Gets ready for the first token: fetches keys, for example. Servers call it when they start, and
    /// serve meanwhile. Does nothing by default.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Unavailable`] when something is missing that may come later.
    fn ready(&self) -> Readiness<'_> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether `token` is for this verifier, where there are [several](crate::AnyOf): by default it may be.
    /// Says nothing about whether it is good.
    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        let _ = token;
        Recognition::Maybe
    }

    /// The authorization servers whose tokens this accepts, by issuer identifier: they are listed in the
    /// metadata of the server. None by default.
    fn issuers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Looks at the authorization servers, for the check at start-up. A verifier that wraps another passes
    /// on what that one finds; by default nothing is found.
    fn examine(&self) -> Examination<'_> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

impl<T: Verifier + ?Sized> Verifier for Arc<T> {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        (**self).verify(token)
    }

    fn vouch<'a>(&'a self, token: &'a str) -> Vouching<'a> {
        (**self).vouch(token)
    }

    fn ready(&self) -> Readiness<'_> {
        (**self).ready()
    }

    fn recognizes(&self, token: &TokenHint<'_>) -> Recognition {
        (**self).recognizes(token)
    }

    fn issuers(&self) -> Vec<String> {
        (**self).issuers()
    }

    fn examine(&self) -> Examination<'_> {
        (**self).examine()
    }
}

/// The future of [`Verifier::vouch`].
pub type Vouching<'a> = Pin<Box<dyn Future<Output = Result<Vouched, VerifyError>> + Send + 'a>>;

/// The future of [`Verifier::ready`].
pub type Readiness<'a> = Pin<Box<dyn Future<Output = Result<(), VerifyError>> + Send + 'a>>;

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token is bad. Clients see `invalid_token` and nothing else; the reason is for logs.
    #[error("invalid token: {0}")]
    Invalid(#[from] InvalidToken),
    /// Validity cannot be determined: keys or introspection cannot be reached. Clients see 503.
    #[error("validity cannot be determined: {reason}")]
    Unavailable {
        /// What is missing, for logs. Never holds anything from a token.
        reason: &'static str,
        /// When it makes sense to try again.
        retry_after: Duration,
    },
}

/// The check that a token failed. For logs and tests only: clients are told nothing that tells one from
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Longer than the configured limit.
    #[error("too large")]
    TooLarge,
    /// Not three base64url parts that hold two JSON objects and a signature.
    #[error("malformed")]
    Malformed,
    /// A member name occurs twice in the header or the claims.
    #[error("duplicate member")]
    DuplicateMember,
    /// `alg` is missing, unknown, not allowed here or not what the key is for.
    #[error("algorithm not allowed")]
    Algorithm,
    /// `crit` names an extension that is not understood here.
    #[error("critical header parameter not understood")]
    CriticalHeader,
    /// `typ` or `cty` says that this is not an access token.
    #[error("not an access token")]
    TokenType,
    /// `iss` names no configured issuer.
    #[error("issuer not trusted")]
    Issuer,
    /// No key of the issuer fits.
    #[error("no fitting key")]
    Key,
    /// The signature does not belong to the token.
    #[error("signature does not verify")]
    Signature,
    /// `aud` does not name this server.
    #[error("audience is not this server")]
    Audience,
    /// `exp` has passed.
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("not yet valid")]
    NotYetValid,
    /// The token lives longer than this server tolerates.
    #[error("lifetime too long")]
    Lifetime,
    /// A claim is missing or of the wrong type.
    #[error("claim `{0}` is missing or of the wrong type")]
    Claim(&'static str),
    /// The token is bound to a key or certificate (`cnf`) that was not proven.
    #[error("sender-constrained token without proof")]
    Unproven,
    /// The token was good, but has been revoked.
    #[error("revoked")]
    Revoked,
    /// The authorization server says that the token is not active: expired, revoked, never issued.
    #[error("not active")]
    Inactive,
    /// The token is not known to a verifier that knows its tokens by name.
    #[error("unknown token")]
    Unknown,
}

impl From<InvalidConfirmation> for InvalidToken {
    fn from(error: InvalidConfirmation) -> Self {
        match error {
            InvalidConfirmation::Malformed => Self::Claim("cnf"),
            InvalidConfirmation::Method | InvalidConfirmation::Contradiction => Self::Unproven,
        }
    }
}
