//! A tool: its declaration, before a server makes an entry of its registry from it.

use std::{
    any::{TypeId, type_name},
    borrow::Cow,
    fmt,
    future::Future,
    panic,
    sync::Arc,
    time::Duration,
};

use schemars::JsonSchema;

use super::{
    authentication::Authentication,
    call::{Call, CallFuture},
    catalogue::ScopeDeclaration,
    condition::{Condition, IntoCondition},
    expression::{DeclaredExpr, ScopeExpr},
    extract::FromCall,
    reply::IntoReply,
    schema::{self, Schema},
};

/// Who may call a tool, as its declaration says it.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// Whoever the server lets in: anybody where it allows anonymous callers, else any valid token.
    Public,
    /// Any valid token.
    Authenticated,
    /// A valid token that holds these scopes.
    Scopes(ScopeExpr),
}

/// A place in somebody's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl Location {
    /// Where the function was called that calls this.
    #[track_caller]
    pub(crate) fn caller() -> Self {
        let caller = panic::Location::caller();
        Self {
            file: caller.file(),
            line: caller.line(),
            column: caller.column(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What `#[mcp_tool]` writes: data and function pointers, nothing that needs to run before a server asks.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ToolDeclaration {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub access: DeclaredAccess,
    pub options: DeclaredOptions,
    pub signature: fn(&mut Signature),
    pub call: fn(Call) -> CallFuture,
    pub location: Location,
}

inventory::collect!(ToolDeclaration);

/// Who may call.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum DeclaredAccess {
    Public,
    Authenticated,
    Scopes(DeclaredExpr),
}

/// What most tools don't say.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct DeclaredOptions {
    pub acr: &'static [&'static str],
    pub max_age: Option<u64>,
    pub policy: Option<fn() -> Condition>,
    pub authorize: bool,
    pub list: Option<ListMode>,
}

impl DeclaredOptions {
    pub const NONE: Self = Self {
        acr: &[],
        max_age: None,
        policy: None,
        authorize: false,
        list: None,
    };
}

/// What a caller who may not call a tool gets to see of it.
///
/// A call is decided on in the same way whatever the list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListMode {
    /// The tool is listed for everybody who could call it with more scopes or another login: a client that
    /// knows of it can call it, be challenged, and step up. It is not listed for callers whom its policy
    /// excludes.
    #[default]
    Show,
    /// The tool is listed only for those who may call it. Others who know its name are challenged.
    Hide,
    /// For those who may not call it the tool does not exist: it is not listed, and a call is answered byte
    /// for byte like that of an unknown tool. Nobody is ever challenged for it.
    Conceal,
}

/// What a tool's parameters and result say about it before it is ever called.
///
/// [`FromCall::declare`] and [`IntoReply::declare`] fill it in.
#[derive(Default)]
pub struct Signature {
    pub(crate) input: Option<fn() -> Schema>,
    pub(crate) output: Option<fn() -> Schema>,
    pub(crate) state: Vec<(TypeId, &'static str)>,
    pub(crate) principal: bool,
    pub(crate) may_refuse: bool,
}

impl Signature {
    /// The tool takes its arguments as a `T`.
    pub fn takes<T: JsonSchema + 'static>(&mut self) {
        self.input = Some(schema::input::<T>);
    }

    /// The tool answers with a `T`, as structured content.
    pub fn returns<T: JsonSchema + 'static>(&mut self) {
        self.output = Some(schema::output::<T>);
    }

    /// The tool takes application state of type `T`: a server without it is not built.
    pub fn needs_state<T: Send + Sync + 'static>(&mut self) {
        self.state.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// The tool has to know who is calling: it cannot serve anonymous callers.
    pub fn needs_principal(&mut self) {
        self.principal = true;
    }

    /// The tool may still refuse the call as it runs: whether it is allowed is not known before.
    pub(crate) fn may_refuse(&mut self) {
        self.may_refuse = true;
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A tool that is given to a server by hand, beside those that `#[mcp_tool]` registers.
///
/// For tools that are only known when the program runs, and for people who don't want link-time
/// registration. The function takes the same parameters as one with the attribute.
///
/// ```
/// use toolgate::{Principal, Tool};
///
/// async fn whoami(caller: Principal) -> String {
///     caller.subject().to_owned()
/// }
///
/// let tool = Tool::new("whoami", "Say who is calling.", whoami).scopes(["profile:read"]);
/// ```
#[derive(Clone)]
pub struct Tool {
    pub(crate) name: Cow<'static, str>,
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) access: Option<Access>,
    pub(crate) authentication: Authentication,
    pub(crate) condition: Option<Condition>,
    pub(crate) authorize: bool,
    pub(crate) list: Option<ListMode>,
    pub(crate) signature: fn(&mut Signature),
    pub(crate) call: CallFn,
    pub(crate) location: Location,
}

pub(crate) type CallFn = Arc<dyn Fn(Call) -> CallFuture + Send + Sync>;

impl Tool {
    /// A tool called `name` that runs `handler`: an async function of up to eight parameters, each of
    /// which implements [`FromCall`].
    ///
    /// Say who may call it with [`scopes`](Self::scopes), [`authenticated`](Self::authenticated) or
    /// [`public`](Self::public); a server refuses to be built with a tool that doesn't.
    #[track_caller]
    #[must_use]
    pub fn new<P, H: Handler<P>>(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        handler: H,
    ) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            access: None,
            authentication: Authentication::default(),
            condition: None,
            authorize: false,
            list: None,
            signature: H::declare,
            call: Arc::new(move |call| handler.clone().call(call)),
            location: Location::caller(),
        }
    }

    /// Only callers that hold all of `scopes`: names, variants of a [`Scopes`](crate::Scopes) enum, or
    /// [expressions](ScopeExpr).
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<ScopeExpr>>) -> Self {
        let scopes = ScopeExpr::all(scopes);
        self.access = (!scopes.is_nothing()).then_some(Access::Scopes(scopes));
        self
    }

    /// Every caller with a valid token, whatever its scopes.
    #[must_use]
    pub fn authenticated(mut self) -> Self {
        self.access = Some(Access::Authenticated);
        self
    }

    /// Whoever the server lets in: anybody where it allows anonymous callers, else any valid token.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.access = Some(Access::Public);
        self
    }

    /// Only after a login in one of these authentication contexts, best first: the token's `acr` ([RFC
    /// 9470]).
    ///
    /// [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470
    #[must_use]
    pub fn acr(mut self, values: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.authentication.acr = values.into_iter().map(Into::into).collect();
        self
    }

    /// Only while the login is no older than this: the token's `auth_time` ([RFC 9470]).
    ///
    /// [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.authentication.max_age = Some(age.as_secs());
        self
    }

    /// Only callers of whose token `condition` holds. Others are told nothing but no.
    #[must_use]
    pub fn policy(mut self, condition: impl IntoCondition) -> Self {
        self.condition = Some(condition.into_condition());
        self
    }

    /// What callers who may not call the tool see of it. Default: what the server says.
    #[must_use]
    pub fn list(mut self, mode: ListMode) -> Self {
        self.list = Some(mode);
        self
    }

    /// A name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }
}

impl Tool {
    /// The catalogues of the variants it names.
    pub(crate) fn catalogues(&self) -> Vec<&'static ScopeDeclaration> {
        match &self.access {
            Some(Access::Scopes(scopes)) => scopes.catalogues(),
            Some(Access::Public | Access::Authenticated) | None => Vec::new(),
        }
    }
}

impl From<&ToolDeclaration> for Tool {
    fn from(declared: &ToolDeclaration) -> Self {
        let options = &declared.options;
        let access = match &declared.access {
            DeclaredAccess::Public => Access::Public,
            DeclaredAccess::Authenticated => Access::Authenticated,
            DeclaredAccess::Scopes(scopes) => Access::Scopes(scopes.into()),
        };
        Self {
            name: declared.name.into(),
            title: declared.title.map(Into::into),
            description: declared.description.into(),
            access: Some(access),
            authentication: Authentication {
                acr: options.acr.iter().map(|&acr| acr.into()).collect(),
                max_age: options.max_age,
            },
            condition: options.policy.map(|policy| policy()),
            authorize: options.authorize,
            list: options.list,
            signature: declared.signature,
            call: Arc::new(declared.call),
            location: declared.location,
        }
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .field("access", &self.access)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// Every tool that `#[mcp_tool]` registered in the crates that were linked.
pub(crate) fn registered() -> impl Iterator<Item = Tool> {
    inventory::iter::<ToolDeclaration>
        .into_iter()
        .map(Tool::from)
}

/// An async function whose parameters all implement [`FromCall`] and whose result implements
/// [`IntoReply`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tool",
    note = "give an async function of up to eight parameters that each implement `FromCall`, whose result implements `IntoReply`"
)]
pub trait Handler<P>: Clone + Send + Sync + 'static {
    /// Adds what the parameters and the result say about the tool.
    fn declare(signature: &mut Signature);

    /// Runs the function.
    fn call(self, call: Call) -> CallFuture;
}

macro_rules! handler {
    ($($parameter:ident)*) => {
        impl<F, Fut, R, $($parameter,)*> Handler<($($parameter,)*)> for F
        where
            F: Fn($($parameter),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send,
            R: IntoReply,
            $($parameter: FromCall + Send,)*
        {
            fn declare(signature: &mut Signature) {
                $(<$parameter as FromCall>::declare(signature);)*
                R::declare(signature);
            }

            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one body for every number of parameters")]
            fn call(self, mut call: Call) -> CallFuture {
                Box::pin(async move {
                    $(let $parameter = <$parameter as FromCall>::from_call(&mut call)?;)*
                    self($($parameter),*).await.into_reply()
                })
            }
        }
    };
}

handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);
handler!(A B C D E);
handler!(A B C D E G);
handler!(A B C D E G H);
handler!(A B C D E G H I);
