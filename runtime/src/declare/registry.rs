//! Everything a server offers, built once: sorted, checked, and ready to be decided on.

use std::{collections::HashMap, sync::Arc};

use super::{
    call::{Call, CallFuture},
    policy::{Access, Decision, Policy, decide},
    principal::Principal,
    problem::Problem,
    schema::{self, Schema},
    scope::{ScopeName, ScopeTable},
    state::StateMap,
    tool::{CallFn, Location, Signature, Tool},
};

/// A tool at one server.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) input: Arc<Schema>,
    pub(crate) output: Option<Arc<Schema>>,
    policy: Policy,
    call: CallFn,
    #[cfg(feature = "validate")]
    validator: Option<super::validate::Validator>,
}

impl Entry {
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// The tools of one server, by name.
pub(crate) struct Registry {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    base: Policy,
    scopes: ScopeTable,
}

/// What a server says about all of its tools.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// Scopes that every request needs.
    pub(crate) base: Vec<ScopeName>,
    /// Callers without a token may use what is public.
    pub(crate) allow_anonymous: bool,
}

/// What became of the wish to call a tool.
pub(crate) enum Admission<'r> {
    /// There is no such tool.
    Unknown,
    /// The decision was against it; `usize` is the position of the tool.
    Denied(usize, Decision),
    /// The decision was for it.
    Permitted(Permit<'r>),
}

/// The proof that one call of one tool was decided on, and the only way to run a tool.
///
/// It borrows the very entry that was decided on, so nothing can be looked up a second time and come out
/// differently.
pub(crate) struct Permit<'r>(&'r Entry);

impl<'r> Permit<'r> {
    /// The name of the tool.
    pub(crate) fn name(&self) -> &'r str {
        &self.0.name
    }

    /// Runs the tool.
    #[cfg_attr(
        not(feature = "validate"),
        allow(unused_mut, reason = "nothing to check")
    )]
    pub(crate) fn run(self, mut call: Call) -> CallFuture {
        #[cfg(feature = "validate")]
        if let Some(validator) = &self.0.validator
            && let Err(rejection) = validator.check(&mut call.arguments)
        {
            return Box::pin(std::future::ready(Err(rejection)));
        }
        (self.0.call)(call)
    }
}

impl Registry {
    /// A registry of `tools`, which may use `state`.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] there is.
    pub(crate) fn build(
        tools: impl IntoIterator<Item = Tool>,
        terms: &Terms,
        state: &StateMap,
    ) -> Result<Self, Vec<Problem>> {
        let mut tools: Vec<Tool> = tools.into_iter().collect();
        // The order of registration differs from build to build.
        tools.sort_by(|a, b| (&a.name, a.location).cmp(&(&b.name, b.location)));

        let mut problems = Vec::new();
        if tools.is_empty() {
            problems.push(Problem::NoTools);
        }
        for pair in tools.windows(2) {
            if let [first, second] = pair
                && first.name == second.name
            {
                problems.push(Problem::DuplicateTool {
                    name: first.name.to_string(),
                    first: first.location,
                    second: second.location,
                });
            }
        }

        let mut scopes = ScopeTable::default();
        let base = Policy::new(
            &Access::Public,
            &terms.base,
            terms.allow_anonymous,
            &mut scopes,
        );
        let mut entries = Vec::with_capacity(tools.len());
        for tool in tools {
            match entry(tool, terms, state, &mut scopes) {
                Ok(entry) => entries.push(entry),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let index = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.name.clone(), at))
            .collect();
        Ok(Self {
            entries,
            index,
            base,
            scopes,
        })
    }

    /// Decides whether `who` may call the tool called `name`.
    pub(crate) fn admit(&self, name: &str, who: Option<&Principal>) -> Admission<'_> {
        let found = self.position(name);
        let Some((at, entry)) = found.and_then(|at| Some((at, self.entries.get(at)?))) else {
            return Admission::Unknown;
        };
        match decide(&entry.policy, who) {
            Decision::Allow => Admission::Permitted(Permit(entry)),
            denied => Admission::Denied(at, denied),
        }
    }

    /// Where among [`entries`](Self::entries) the tool called `name` is.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// What every request needs, whatever it asks for.
    pub(crate) fn base(&self) -> &Policy {
        &self.base
    }

    /// All tools, sorted by name.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn scopes(&self) -> &ScopeTable {
        &self.scopes
    }

    /// The scopes that the declarations mention, sorted, each once.
    pub(crate) fn declared_scopes(&self) -> Vec<ScopeName> {
        let mut scopes: Vec<_> = self.scopes.names().to_vec();
        scopes.sort();
        scopes
    }
}

fn entry(
    tool: Tool,
    terms: &Terms,
    state: &StateMap,
    scopes: &mut ScopeTable,
) -> Result<Entry, Vec<Problem>> {
    let mut problems = Vec::new();
    let Tool {
        name,
        title,
        description,
        access,
        signature: declare,
        call,
        location,
    } = tool;
    let name = name.into_owned();

    if !is_tool_name(&name) {
        problems.push(Problem::InvalidToolName {
            name: name.clone(),
            location,
        });
    }
    if description.trim().is_empty() {
        problems.push(Problem::NoDescription {
            name: name.clone(),
            location,
        });
    }
    let access = access.map(|access| {
        access.unwrap_or_else(|error| {
            problems.push(Problem::InvalidToolScope {
                tool: name.clone(),
                location,
                error,
            });
            Access::Authenticated
        })
    });
    let Some(access) = access else {
        problems.push(Problem::NoAccess { name, location });
        return Err(problems);
    };
    if let Access::Scopes(scopes) = &access {
        problems.extend(
            scopes
                .iter()
                .filter(|scope| is_reserved(scope))
                .map(reserved),
        );
    }
    let policy = Policy::new(&access, &terms.base, terms.allow_anonymous, scopes);

    let mut signature = Signature::default();
    declare(&mut signature);
    problems.extend(signature_problems(
        &signature, &name, location, state, &policy,
    ));
    let input = signature
        .input
        .map_or_else(schema::no_input, |schema| schema());
    if !schema::is_object(&input) {
        problems.push(Problem::ArgumentsNotAnObject {
            tool: name.clone(),
            location,
        });
    }
    #[cfg(not(feature = "validate"))]
    if let Some(keyword) = schema::unchecked_keyword(&input) {
        problems.push(Problem::UncheckedSchema {
            tool: name.clone(),
            location,
            keyword: keyword.to_owned(),
        });
    }
    #[cfg(feature = "validate")]
    let validator = super::validate::Validator::new(&input).unwrap_or_else(|reason| {
        let tool = name.clone();
        problems.push(Problem::InvalidSchema {
            tool,
            location,
            reason,
        });
        None
    });

    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Entry {
        #[cfg(feature = "validate")]
        validator,
        name,
        title: title.map(Into::into),
        description: description.into_owned(),
        input: Arc::new(input),
        output: signature.output.map(|schema| Arc::new(schema())),
        policy,
        call,
    })
}

fn signature_problems(
    signature: &Signature,
    tool: &str,
    location: Location,
    state: &StateMap,
    policy: &Policy,
) -> Vec<Problem> {
    let missing = signature
        .state
        .iter()
        .filter(|(id, _)| !state.contains(*id));
    let mut problems: Vec<_> = missing
        .map(|&(_, state)| Problem::MissingState {
            tool: tool.to_owned(),
            location,
            state,
        })
        .collect();
    if signature.principal && policy.allows_anonymous() {
        problems.push(Problem::AnonymousPrincipal {
            tool: tool.to_owned(),
            location,
        });
    }
    problems
}

/// Scopes that speak to authorization servers about the client's session, never to a resource.
pub(crate) fn is_reserved(scope: &ScopeName) -> bool {
    matches!(scope.as_str(), "offline_access" | "openid")
}

pub(crate) fn reserved(scope: &ScopeName) -> Problem {
    Problem::ReservedScope(scope.to_string())
}

/// The grammar of tool names, MCP 2026-07-28, Tools, Tool Names.
fn is_tool_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
