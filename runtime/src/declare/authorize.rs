//! Requirements that depend on the arguments: `authorize = path::to::function`, and shortfalls that a tool
//! finds itself.
//!
//! The function is asked after the [policy](super::policy) has let the caller in, and before the tool runs.
//! What it doesn't allow is denied: an error and a panic as well.

use std::{
    fmt,
    future::{self, Future},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use super::{
    expression::{InvalidExpression, Needed, ScopeExpr},
    extract::Args,
    principal::Principal,
    reply::Rejection,
};

/// What a function under `authorize = ..` answers.
///
/// ```
/// use toolgate::{Authorization, Principal, prelude::*};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Transfer {
///     cents: u64,
/// }
///
/// fn may_transfer(_caller: &Principal, transfer: &Transfer) -> Authorization {
///     match transfer.cents {
///         0..=10_000 => Authorization::Allow,
///         10_001..=1_000_000 => Authorization::needs(["transfer:large"]),
///         _ => Authorization::Deny,
///     }
/// }
///
/// /// Transfer money.
/// #[mcp_tool(scopes = "transfer", authorize = may_transfer)]
/// async fn transfer(Args(_): Args<Transfer>) {}
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an answer that nobody reads allows nothing"]
pub enum Authorization {
    /// The call may run.
    Allow,
    /// It may not, whatever the caller does. It is told nothing but no.
    Deny,
    /// It may run if the caller holds these scopes too. If it doesn't, it is challenged for them, together
    /// with what the tool needs anyway.
    Needs(NeedScopes),
}

impl Authorization {
    /// [`Needs`](Self::Needs) all of `scopes`.
    pub fn needs(scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>) -> Self {
        Self::Needs(NeedScopes::new(scopes))
    }
}

/// Scopes that one call needs beyond those of its tool.
///
/// A tool that returns `Result<T, NeedScopes>` (or `Result<T, Rejection>`) may find out as it runs: as long
/// as nothing was sent to the client, the answer is the same 403 as before it ran. Once a notification is
/// on its way it is a tool execution error: find out first, and report progress then.
///
/// ```
/// use toolgate::{NeedScopes, prelude::*};
///
/// /// Read a note.
/// #[mcp_tool(scopes = "notes:read")]
/// async fn read_note(caller: Principal) -> Result<String, NeedScopes> {
///     let secret = true;
///     if secret {
///         caller.require(["notes:secret"])?;
///     }
///     Ok("the note".to_owned())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedScopes(ScopeExpr);

impl NeedScopes {
    /// All of `scopes`.
    #[must_use]
    pub fn new(scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>) -> Self {
        Self(ScopeExpr::all(scopes))
    }

    pub(crate) fn check(&self) -> Result<Needed, InvalidExpression> {
        self.0.check()
    }

    /// Whether `who` holds them. Nobody holds what is not a scope.
    pub(crate) fn are_held_by(&self, who: &Principal) -> bool {
        self.check()
            .is_ok_and(|needed| needed.is_satisfied(&|scope| who.holds(scope)))
    }
}

impl fmt::Display for NeedScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "insufficient scope: this needs `{}`", self.0)
    }
}

impl std::error::Error for NeedScopes {}

impl From<NeedScopes> for Rejection {
    fn from(needed: NeedScopes) -> Self {
        Self::need_scopes(needed)
    }
}

impl Principal {
    /// `Ok` if the token holds all of `scopes`, or scopes that imply them.
    ///
    /// # Errors
    ///
    /// [`NeedScopes`], which a tool may return.
    pub fn require(
        &self,
        scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>,
    ) -> Result<(), NeedScopes> {
        let needed = NeedScopes::new(scopes);
        if needed.are_held_by(self) {
            Ok(())
        } else {
            Err(needed)
        }
    }
}

/// What a function under `authorize = ..` may return: an [`Authorization`], or a `Result` of one, whose
/// error denies; at once or from a future. `When` tells these apart and is found out by the compiler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer to who may call a tool",
    label = "not an answer",
    note = "let the function return `Authorization` or `Result<Authorization, E>`; if it is async, what it holds across an `.await` must be `Send`"
)]
pub trait IntoAuthorization<When> {
    /// The answer, or why there is none, for the log.
    fn into_authorization(self) -> impl Future<Output = Result<Authorization, String>> + Send;
}

/// Marks answers that are given at once.
#[doc(hidden)]
#[derive(Debug)]
pub enum Now {}
/// Marks answers that may fail.
#[doc(hidden)]
#[derive(Debug)]
pub enum Fallible {}
/// Marks answers that are waited for.
#[doc(hidden)]
#[derive(Debug)]
pub struct Later<When>(When);

impl IntoAuthorization<Now> for Authorization {
    fn into_authorization(self) -> impl Future<Output = Result<Self, String>> + Send {
        future::ready(Ok(self))
    }
}

impl<E: fmt::Display> IntoAuthorization<Fallible> for Result<Authorization, E> {
    fn into_authorization(self) -> impl Future<Output = Result<Authorization, String>> + Send {
        future::ready(self.map_err(|error| error.to_string()))
    }
}

impl<F: Future<Output = Authorization> + Send> IntoAuthorization<Later<Now>> for F {
    async fn into_authorization(self) -> Result<Authorization, String> {
        Ok(self.await)
    }
}

impl<F, E: fmt::Display> IntoAuthorization<Later<Fallible>> for F
where
    F: Future<Output = Result<Authorization, E>> + Send,
{
    async fn into_authorization(self) -> Result<Authorization, String> {
        self.await.map_err(|error| error.to_string())
    }
}

/// Asks `ask` about a call of `who`.
#[doc(hidden)]
pub fn authorize<A: IntoAuthorization<When>, When>(
    who: &Principal,
    ask: impl FnOnce() -> A,
) -> impl Future<Output = Result<(), Rejection>> + Send {
    let asked = catch_unwind(AssertUnwindSafe(ask)).map(A::into_authorization);
    let who = who.clone();
    async move {
        let answer = match asked {
            Ok(answer) => {
                let mut answer = pin!(answer);
                let poll =
                    |cx: &mut std::task::Context<'_>| match catch_unwind(AssertUnwindSafe(|| {
                        answer.as_mut().poll(cx)
                    })) {
                        Ok(poll) => poll,
                        Err(_) => Poll::Ready(Err("it panicked".to_owned())),
                    };
                future::poll_fn(poll).await
            }
            Err(_) => Err("it panicked".to_owned()),
        };
        match answer {
            Ok(Authorization::Allow) => Ok(()),
            Ok(Authorization::Deny) => Err(Rejection::forbidden("`authorize` denied the call")),
            Ok(Authorization::Needs(needed)) if needed.are_held_by(&who) => Ok(()),
            Ok(Authorization::Needs(needed)) => Err(needed.into()),
            Err(error) => Err(Rejection::forbidden(format!("`authorize` failed: {error}"))),
        }
    }
}

/// The arguments among the parameters of a tool, which are given as nested pairs. `At` says where they are
/// and is found out by the compiler. Whoever wants none is given none.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the tool does not take `Args<{T}>`",
    label = "this function sees the arguments as a `{T}`",
    note = "let it take `&Principal` and `&T`, where the tool takes `Args<T>`; or `&()`"
)]
pub trait Arguments<'a, T, At> {
    fn arguments(&self) -> &'a T;
}

/// Marks arguments that come first.
#[doc(hidden)]
#[derive(Debug)]
pub enum Here {}
/// Marks arguments that come later.
#[doc(hidden)]
#[derive(Debug)]
pub struct Further<At>(At);
/// Marks arguments that are not asked for.
#[doc(hidden)]
#[derive(Debug)]
pub enum Nowhere {}

impl<'a, T, Rest> Arguments<'a, T, Here> for (&'a Args<T>, Rest) {
    fn arguments(&self) -> &'a T {
        &self.0.0
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T, At, First, Rest: Arguments<'a, T, At>> Arguments<'a, T, Further<At>> for (First, Rest) {
    fn arguments(&self) -> &'a T {
        self.1.arguments()
    }
}

#[diagnostic::do_not_recommend]
impl<'a> Arguments<'a, (), Nowhere> for () {
    fn arguments(&self) -> &'a () {
        &()
    }
}

/// The arguments among `params`.
#[doc(hidden)]
pub fn arguments<'a, T, At>(params: &impl Arguments<'a, T, At>) -> &'a T {
    params.arguments()
}
