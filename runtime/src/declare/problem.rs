//! What can be wrong with a server before it serves: found when it is built, all of it at once.

use std::fmt;

use super::{expression::InvalidExpression, tool::Location};

/// A server that cannot be built, with every reason that was found.
///
/// Its `Debug` output is its message: that is what a `main` prints which returns it.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    /// `Err` with all of `problems`, or `Ok` when there are none.
    pub(crate) fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self(problems))
        }
    }

    /// Every reason that was found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server cannot be built")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// One reason why a server cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing to serve.
    #[error(
        "no tools: none were linked and none were given; if they live in another crate, name it once (`use my_tools as _;`)"
    )]
    NoTools,
    /// Two tools share a name.
    #[error("two tools are called `{name}`: {first} and {second}; rename one with `name = \"..\"`")]
    DuplicateTool {
        /// The shared name.
        name: String,
        /// Where the first one is declared.
        first: Location,
        /// Where the other one is declared.
        second: Location,
    },
    /// A tool name that MCP does not allow.
    #[error("`{name}` ({location}) is not a tool name: use 1 to 128 of `A-Z a-z 0-9 _ - .`")]
    InvalidToolName {
        /// The name.
        name: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// A tool without a word on what it does.
    #[error("tool `{name}` ({location}) has no description")]
    NoDescription {
        /// The tool's name.
        name: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// Scopes that cannot be decided on: one that the grammar does not allow, for example.
    #[error("{error}, in tool `{tool}` ({location})")]
    InvalidToolScope {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
        /// What is wrong with the scopes.
        error: InvalidExpression,
    },
    /// A scope that no catalogue declares.
    #[error(
        "scope `{scope}` of {place} is in no `#[derive(Scopes)]` enum{}",
        suggestion(.nearest.as_deref())
    )]
    UndeclaredScope {
        /// The scope.
        scope: String,
        /// What mentions it.
        place: Place,
        /// The declared scope that looks most like it.
        nearest: Option<String>,
    },
    /// One scope, declared twice with two meanings.
    #[error(
        "scope `{scope}` is declared twice, and not alike: {first} and {second}; description, `implies` and `step_up` must be the same"
    )]
    ContradictoryScope {
        /// The scope.
        scope: String,
        /// Where it is declared first.
        first: Location,
        /// Where it is declared otherwise.
        second: Location,
    },
    /// A tool that is public and asks something of its caller nevertheless.
    #[error(
        "tool `{tool}` ({location}) is public, so nothing can be asked of the caller: make it `authenticated`"
    )]
    PublicWithConditions {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// A condition that cannot be decided on.
    #[error("the policy of tool `{tool}` ({location}): {reason}")]
    InvalidCondition {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
    /// An authentication context that no challenge could name.
    #[error(
        "`{acr}` of tool `{tool}` ({location}) is not an `acr` value: use printable ASCII characters without space, `\"` and `\\`"
    )]
    InvalidAcr {
        /// The value.
        acr: String,
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// A tool that does not say who may call it.
    #[error(
        "tool `{name}` ({location}) does not say who may call it: add scopes, `authenticated` or `public`"
    )]
    NoAccess {
        /// The tool's name.
        name: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// State that a tool takes and the server does not have.
    #[error(
        "tool `{tool}` ({location}) takes `State<{state}>`: give it to the server with `.state(..)`"
    )]
    MissingState {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
        /// The type that is missing.
        state: &'static str,
    },
    /// Arguments whose schema is not that of an object.
    #[error(
        "the arguments of tool `{tool}` ({location}) are not a JSON object: let `T` in `Args<T>` be a struct"
    )]
    ArgumentsNotAnObject {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// A schema that promises what nothing would check.
    #[error(
        "the arguments of tool `{tool}` ({location}) have `{keyword}` in their schema, which reading them does not check: enable the feature `validate` of toolgate"
    )]
    UncheckedSchema {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
        /// The keyword of JSON Schema.
        keyword: String,
    },
    /// A schema that cannot be one.
    #[error("the schema of the arguments of tool `{tool}` ({location}) is not valid: {reason}")]
    InvalidSchema {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
    /// A tool that takes the caller, but may be called by nobody in particular.
    #[error(
        "tool `{tool}` ({location}) is public on a server that allows anonymous callers: take `Option<Principal>`"
    )]
    AnonymousPrincipal {
        /// The tool's name.
        tool: String,
        /// Where the tool is declared.
        location: Location,
    },
    /// A scope in the server's configuration that the grammar does not allow.
    #[error("{0}, in the configuration of the server")]
    InvalidScope(#[from] InvalidExpression),
    /// A step-up scope that no tool needs.
    #[error("`.step_up(\"{scope}\")` names a scope that no tool needs{}", suggestion(.nearest.as_deref()))]
    UnknownStepUpScope {
        /// The scope.
        scope: String,
        /// The declared scope that looks most like it.
        nearest: Option<String>,
    },
    /// A scope that is both required of every request and kept for step-up.
    #[error("`{0}` is required of every request, so it cannot be left to step-up")]
    StepUpScopeRequired(String),
    /// A scope that no tool may ask for.
    #[error(
        "`{0}` cannot be required: it is for clients and authorization servers, not for resources"
    )]
    ReservedScope(String),
    /// Anonymous callers and scopes for everybody exclude each other.
    #[error(
        "`.allow_anonymous()` and `.require(..)` contradict each other: a caller without a token holds no scope"
    )]
    AnonymousWithRequiredScopes,
    /// A resource identifier that cannot be one.
    #[error("`{resource}` cannot be the resource identifier: {reason}")]
    InvalidResource {
        /// What was configured.
        resource: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Protected tools, but nobody who could issue tokens for them.
    #[error(
        "there are protected tools, but no authorization server: add `.authorization_server(\"https://..\")`"
    )]
    NoAuthorizationServer,
    /// An authorization server that cannot be used.
    #[error("authorization server `{issuer}`: {reason}")]
    InvalidAuthorizationServer {
        /// The issuer identifier that was configured.
        issuer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An origin that no browser would send.
    #[error("`{0}` is not an origin: write scheme, host and port, as in `https://app.example.com`")]
    InvalidOrigin(String),
    /// DPoP or mutual TLS cannot work as it is configured.
    #[error("proof of possession: {0}")]
    InvalidProofOfPossession(&'static str),
    /// A host name that cannot be one.
    #[error("`{0}` is not a host name: leave out scheme, port and path")]
    InvalidHost(String),
}

/// What mentions a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A tool.
    Tool {
        /// Its name.
        name: String,
        /// Where it is declared.
        location: Location,
    },
    /// A method of the server's builder.
    Server {
        /// The method.
        method: &'static str,
        /// Where it is called.
        location: Location,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool { name, location } => write!(f, "tool `{name}` ({location})"),
            Self::Server { method, location } => write!(f, "`.{method}(..)` ({location})"),
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|nearest| format!("; did you mean `{nearest}`?"))
        .unwrap_or_default()
}
