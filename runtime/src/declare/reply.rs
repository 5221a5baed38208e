//! What a tool answers.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    fmt,
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{authorize::NeedScopes, tool::Signature};

/// What comes out of a call: a result for the client, or a reason why there is none.
pub type Reply = Result<ReplyBody, Rejection>;

/// The result of a call, before it is written in the terms of the protocol.
#[derive(Debug)]
pub struct ReplyBody(pub(crate) Body);

#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Text(Cow<'static, str>),
    Structured(Value),
    /// A tool execution error: the client sees the text.
    Error(String),
    #[cfg(feature = "rmcp")]
    Native(rmcp::model::CallToolResult),
}

/// A result type of a tool.
///
/// Implemented for `()`, [`String`], `&'static str`, [`Json<T>`], rmcp's `CallToolResult` and
/// `Result<T, E>`, where an `Err` becomes a tool execution error: a result with `isError` whose text is
/// the error's `Display`. Callers see that text, so keep internals out of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    label = "not a tool result",
    note = "return `String`, `Json<T>`, `CallToolResult`, `()`, or a `Result` of one of them whose error implements `Display`"
)]
pub trait IntoReply {
    /// Adds what clients are told beforehand about this result: its schema.
    fn declare(signature: &mut Signature) {
        let _ = signature;
    }

    /// The result.
    ///
    /// # Errors
    ///
    /// [`Rejection`] when there is no result that a client could be given.
    fn into_reply(self) -> Reply;
}

impl IntoReply for () {
    fn into_reply(self) -> Reply {
        Ok(ReplyBody(Body::Empty))
    }
}

impl IntoReply for String {
    fn into_reply(self) -> Reply {
        Ok(ReplyBody(Body::Text(self.into())))
    }
}

impl IntoReply for &'static str {
    fn into_reply(self) -> Reply {
        Ok(ReplyBody(Body::Text(self.into())))
    }
}

impl IntoReply for Cow<'static, str> {
    fn into_reply(self) -> Reply {
        Ok(ReplyBody(Body::Text(self)))
    }
}

/// A structured result: `structuredContent`, with the output schema of `T`, and the same JSON as text
/// for clients that read only text.
///
/// MCP revisions before 2026-07-28 know objects only: let `T` be a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema + 'static> IntoReply for Json<T> {
    fn declare(signature: &mut Signature) {
        signature.returns::<T>();
    }

    fn into_reply(self) -> Reply {
        match serde_json::to_value(self.0) {
            Ok(value) => Ok(ReplyBody(Body::Structured(value))),
            Err(error) => Err(Rejection::internal(format!(
                "the result cannot be written as JSON: {error}"
            ))),
        }
    }
}

#[cfg(feature = "rmcp")]
impl IntoReply for rmcp::model::CallToolResult {
    fn into_reply(self) -> Reply {
        Ok(ReplyBody(Body::Native(self)))
    }
}

impl<T: IntoReply, E: fmt::Display + 'static> IntoReply for Result<T, E> {
    fn declare(signature: &mut Signature) {
        T::declare(signature);
        let error = TypeId::of::<E>();
        if error == TypeId::of::<Rejection>() || error == TypeId::of::<NeedScopes>() {
            signature.may_refuse();
        }
    }

    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => {
                let text = error.to_string();
                let error: Box<dyn Any> = Box::new(error);
                let error = match error.downcast::<Rejection>() {
                    Ok(rejection) => return Err(*rejection),
                    Err(error) => error,
                };
                match error.downcast::<NeedScopes>() {
                    Ok(needed) => Err((*needed).into()),
                    Err(_) => Ok(ReplyBody(Body::Error(text))),
                }
            }
        }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    pub(crate) kind: RejectionKind,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RejectionKind {
    InvalidArguments,
    Internal,
    Forbidden,
    NeedScopes(NeedScopes),
}

impl Rejection {
    /// The arguments are not what the tool takes. The client sees `message` as a tool execution error, so
    /// that a model can correct itself.
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self {
            kind: RejectionKind::InvalidArguments,
            message: message.into(),
        }
    }

    /// The caller may not do this, and no scope would help. `message` goes to the log; the client sees a 403
    /// without it, or a tool execution error if it has seen something of the call already.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self {
            kind: RejectionKind::Forbidden,
            message: message.into(),
        }
    }

    pub(crate) fn need_scopes(needed: NeedScopes) -> Self {
        Self {
            message: needed.to_string(),
            kind: RejectionKind::NeedScopes(needed),
        }
    }

    /// Something that is not the caller's doing. `message` goes to the log; the client sees an internal
    /// error without it.
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            kind: RejectionKind::Internal,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_tool_execution_error_with_its_text() {
        let reply = Err::<String, _>("no such note").into_reply().unwrap();
        assert!(matches!(reply.0, Body::Error(text) if text == "no such note"));
    }

    #[test]
    fn a_rejection_raised_by_a_tool_stays_one() {
        let rejection = Rejection::internal("disk full");
        assert_eq!(
            Err::<(), _>(rejection.clone()).into_reply().unwrap_err(),
            rejection
        );
    }

    #[test]
    fn a_structured_result_announces_its_schema() {
        let mut signature = Signature::default();
        <Result<Json<Vec<u8>>, String> as IntoReply>::declare(&mut signature);
        assert!(signature.output.is_some());
        assert!(matches!(Json(1).into_reply().unwrap().0, Body::Structured(value) if value == 1));
    }
}
