//! Declare MCP tools as plain async functions, say who may call them, and serve them protected.
//!
//! ```
//! use toolgate::prelude::*;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Pair {
//!     a: i64,
//!     b: i64,
//! }
//!
//! /// Add two numbers.
//! #[mcp_tool(scopes = "mcp:tools")]
//! async fn add(Args(Pair { a, b }): Args<Pair>) -> String {
//!     (a + b).to_string()
//! }
//!
//! # #[cfg(feature = "http")]
//! # async fn serve() -> Result<(), toolgate::ServeError> {
//! Server::new("https://tools.example.com/mcp")
//!     .authorization_server("https://auth.example.com")
//!     .serve("127.0.0.1:3000")
//!     .await
//! # }
//! ```
//!
//! # What happens
//!
//! | when | what |
//! |---|---|
//! | compile time | [`mcp_tool`] checks the attribute and the signature, leaves the function as it is, and registers it: name, description, who may call it, schemas |
//! | start | [`Server`] collects what was linked, sorts and checks it, and writes down once what it will say: `scopes_supported`, challenges, the list of tools |
//! | a request | [`GuardLayer`] looks at the headers: known host and origin, one well-formed credential, a token that its [`Verifier`] accepts, proof of whatever the token is bound to ([`Dpop`], [`MutualTls`]). [`Guard`] decides on the parsed call, and runs the very tool it decided on |
//! | a refusal | the layer turns the guard's verdict into 401 or 403 with a challenge, and a JSON-RPC error |
//!
//! On standard input and output ([`Server::stdio`]) the guard and the decision are the same; the caller is
//! named by the environment.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | declaring: for crates that offer tools to a server elsewhere; no HTTP, cryptography or async runtime |
//! | `verify` | checking tokens: [`JwtVerifier`], discovery, key sets, [`Introspection`], [`ApiKeys`] |
//! | `rmcp` | serving on standard input and output with [rmcp](https://docs.rs/rmcp), the official SDK |
//! | `http` (default) | serving over Streamable HTTP |
//! | `validate` | checking arguments against what only their schema says, `#[schemars(range(..))]` for example; without it a server with such a tool is not built |
//! | `testkit` | an embedded authorization server, tokens and requests for development and tests |
//!
//! # Tools in other crates
//!
//! A crate that nobody names is not linked, and its tools are not there: write `use my_tools as _;` once.
//! The server logs at start how many tools it serves. Who wants no link-time registration gives tools to the
//! server by hand: [`Tool`], [`Server::without_registered_tools`].
//!
//! # What this does not do
//!
//! It is a resource server: it checks tokens, it does not issue them (but for [`testkit`]). Terminating TLS,
//! limiting connections and serving other routes are the application's; [`ProtectedServer::service`] and
//! [`ProtectedServer::metadata_router`] are the parts to mount there.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "testkit"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::unwrap_used))]

mod declare;
pub mod prelude;
#[cfg(feature = "rmcp")]
mod serve;
#[cfg(feature = "testkit")]
#[cfg_attr(docsrs, doc(cfg(feature = "testkit")))]
pub mod testkit;
#[cfg(feature = "verify")]
mod verify;

#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use declare::extract::Extension;
pub use declare::{
    actor::Actor,
    authorize::{Authorization, IntoAuthorization, NeedScopes},
    call::{Call, CallFuture},
    catalogue::Scopes,
    condition::{Claim, Condition, IntoCondition},
    confirmation::{Confirmation, InvalidConfirmation},
    expression::{InvalidExpression, ScopeExpr},
    extract::{Args, FromCall, State},
    principal::{Identity, Principal, VerifiedToken},
    problem::{ConfigError, Place, Problem},
    reply::{IntoReply, Json, Rejection, Reply, ReplyBody},
    scope::{InvalidScope, ScopeName},
    tool::{Handler, ListMode, Location, Signature, Tool},
};
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use serve::{
    certificate::{ClientCertificate, MutualTls},
    check::Warning,
    layer::{GuardLayer, GuardService},
    listen::McpService,
    refusal::Refused,
    server::ProtectedServer,
};
#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use serve::{
    guard::Guard,
    server::{ServeError, Server},
    stdio::TOKEN_VARIABLE,
    tokens::{TokenCache, TokenCacheStats},
};
#[cfg(feature = "http")]
#[cfg_attr(docsrs, doc(cfg(feature = "http")))]
pub use verify::dpop::{
    Dpop,
    replay::{MemoryReplayStore, ProofId, ProofUse, Recording, ReplayStore, ReplayStoreError},
};
#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
pub use verify::{
    algorithm::SignatureAlgorithm,
    any_of::AnyOf,
    api_keys::{ApiKey, ApiKeyHash, ApiKeys, ApiKeysError},
    builder::{JwtVerifierBuilder, VerifierConfigError},
    check::{Examination, IssuerReport},
    clock::Clock,
    freshness::{Freshness, Vouched},
    hint::{Recognition, TokenHint},
    introspection::{Introspection, IntrospectionBuilder},
    issuer::Issuers,
    jose::TokenType,
    jwt::JwtVerifier,
    keys::{InvalidKeySet, KeySet, PublicKey},
    mapping::{ClaimMapping, ScopeClaim},
    remote::RemoteKeys,
    revocation::{
        RevocationCheck, RevocationList, RevocationListFull, RevocationUnknown, Revocations, Revoke,
    },
    secret::Secret,
    source::{KeyError, KeyLookup, KeySource, KeysReady, StaticKeys},
    token::{InvalidToken, Readiness, Verification, Verifier, VerifyError, Vouching},
};

/// Declares an MCP tool: an async function that says who may call it.
///
/// ```
/// use toolgate::prelude::*;
///
/// /// Say hello.
/// #[mcp_tool(public)]
/// async fn hello() -> &'static str {
///     "hello"
/// }
/// ```
///
/// # Keys
///
/// Exactly one of `scopes`, `authenticated` and `public` says who may call.
///
/// | key | value | default |
/// |---|---|---|
/// | `scopes = ".."` | scopes that a caller must hold, all of them, separated by single spaces ([RFC 6749 §3.3]) | |
/// | `scopes("..", "..")` | the same, one by one | |
/// | `scopes = Scope::Read` | a variant of a [`Scopes`](derive@Scopes) enum, wherever a literal may stand | |
/// | `scopes = any("..", all(..))` | one of several is enough; nested as need be | |
/// | `authenticated` | any valid token will do | |
/// | `public` | whoever the server lets in: any valid token, or nobody in particular with [`Server::allow_anonymous`] | |
/// | `name = ".."` | the tool's name: 1 to 128 of `A-Z a-z 0-9 _ - .` | the function's name |
/// | `title = ".."` | a name for people | |
/// | `acr = ".."`, `acr("..", "..")` | the login's authentication context: one of these, best first ([RFC 9470]) | any |
/// | `max_age = 300` | the most seconds since the login ([RFC 9470]) | any age |
/// | `policy = path` | a [`Condition`] on the token's claims, or a function that makes one | none |
/// | `authorize = path` | a function, async or not, of `&Principal` and `&T`, where the tool takes [`Args<T>`] (or `&()`): see [`Authorization`] | none |
/// | `list = ".."` | `"show"`, `"hide"` or `"conceal"`: see [`ListMode`] | what [`Server::list`] says |
/// | `crate = path` | this crate, where it has another name | `::toolgate` |
///
/// All that is said must be true of a caller. A shortage of scopes is challenged (403), so is an unfit login
/// (401, step-up authentication); who fails the `policy` or is denied by `authorize` is told nothing but no.
/// Where any linked crate declares scopes with [`Scopes`](derive@Scopes), a literal that is none of them
/// stops the server at start.
///
/// The doc comment is the description that models read. A tool without one does not compile.
///
/// # Parameters
///
/// Any number, in any order. Each type says by the trait [`FromCall`] what it is:
///
/// | type | what it is |
/// |---|---|
/// | [`Args<T>`] | the arguments; `T` implements `Deserialize` and `JsonSchema`; once at most |
/// | [`Principal`] | the caller |
/// | `Option<Principal>` | the caller, where a public tool may be called by nobody in particular |
/// | [`State<T>`] | what was given to [`Server::state`] |
/// | [`Extension<T>`] | what a layer left in the extensions of the HTTP request |
/// | `RequestContext<RoleServer>` | rmcp's view of the request: id, metadata, cancellation, peer |
///
/// # Results
///
/// `String`, `&'static str`, `()`, [`Json<T>`] (structured, with an output schema), rmcp's `CallToolResult`,
/// or a `Result` of one of them: see [`IntoReply`].
///
/// # What it generates
///
/// The function itself, token for token: it can be called and tested like any other. Beside it one
/// anonymous constant that registers name, description, access and a function pointer. Nothing is added to
/// the module.
///
/// # A full example
///
/// ```
/// use toolgate::prelude::*;
///
/// struct Rates(Vec<(String, f64)>);
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Currency {
///     /// ISO 4217 code, for example `CHF`.
///     code: String,
/// }
///
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Rate {
///     /// Euros for one unit.
///     euros: f64,
/// }
///
/// /// Look up what a currency is worth.
/// #[mcp_tool(scopes("rates:read", "market:data"), name = "exchange-rate", title = "Exchange rate")]
/// async fn exchange_rate(
///     State(rates): State<Rates>,
///     caller: Principal,
///     Args(currency): Args<Currency>,
/// ) -> Result<Json<Rate>, String> {
///     let found = rates.0.iter().find(|(code, _)| *code == currency.code);
///     match found {
///         Some(&(_, euros)) => Ok(Json(Rate { euros })),
///         None => Err(format!("{}: no rate for {}", caller.subject(), currency.code)),
///     }
/// }
/// ```
///
/// # Limits
///
/// Free functions only, without generics. What a scope may look like is checked here:
///
/// ```compile_fail
/// use toolgate::prelude::*;
///
/// /// Read.
/// #[mcp_tool(scopes = "notes read\\")]
/// async fn read() {}
/// ```
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
/// [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470
pub use toolgate_macros::mcp_tool;

/// Declares scopes: each variant of an enum is one, with its name, its meaning and what it implies.
///
/// ```
/// use toolgate::prelude::*;
///
/// #[derive(Scopes)]
/// enum Scope {
///     /// Read your notes.
///     #[scope("notes:read")]
///     Read,
///     /// Write notes for you.
///     #[scope("notes:write", implies(Read))]
///     Write,
///     /// Delete your notes.
///     #[scope("notes:delete", step_up)]
///     Delete,
/// }
///
/// /// Replace a note.
/// #[mcp_tool(scopes = any(Scope::Write, Scope::Delete))]
/// async fn replace() {}
///
/// assert_eq!(Scope::Write.name(), "notes:write");
/// ```
///
/// | in `#[scope(..)]` | meaning |
/// |---|---|
/// | `".."` | the scope, as tokens and challenges spell it |
/// | `implies(A, B)` | who holds this scope holds those variants of the enum as well, and what they imply |
/// | `step_up` | not in `scopes_supported`: clients are challenged for it when they need it |
///
/// The doc comment of a variant is its description; people read it when they consent. Scopes that imply each
/// other in a circle do not compile. `#[scopes(crate = path)]` on the enum names this crate where it has
/// another name.
///
/// The enums of all linked crates are one catalogue: the same scope may be in several of them, if they say
/// the same about it. What is implied counts in decisions, never in what is challenged.
///
/// # Limits
///
/// A scope implies variants of its own enum only.
///
/// ```compile_fail
/// #[derive(toolgate::Scopes)]
/// enum Scope {
///     /// Read.
///     #[scope("read", implies(Write))]
///     Read,
///     /// Write.
///     #[scope("write", implies(Read))]
///     Write,
/// }
/// ```
pub use toolgate_macros::Scopes;

#[doc(hidden)]
pub mod __private;

/// The README, compiled.
#[cfg(all(doctest, feature = "testkit"))]
#[doc = include_str!("../../README.md")]
mod readme {}
