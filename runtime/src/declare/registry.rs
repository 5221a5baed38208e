//! Everything a server offers, built once: sorted, checked, and ready to be decided on.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    authentication::{Authentication, is_acr},
    authorize::NeedScopes,
    call::{Call, CallFuture},
    catalogue::Catalogue,
    condition::Condition,
    expression::Needed,
    policy::{Decision, Policy, Requirements, decide},
    principal::Principal,
    problem::{Place, Problem},
    schema::{self, Schema},
    scope::{ScopeName, ScopeTable},
    state::StateMap,
    tool::{Access, CallFn, ListMode, Location, Signature, Tool},
};

/// A tool at one server.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) input: Arc<Schema>,
    pub(crate) output: Option<Arc<Schema>>,
    policy: Policy,
    list: ListMode,
    location: Location,
    authorize: bool,
    may_refuse: bool,
    call: CallFn,
    #[cfg(feature = "validate")]
    validator: Option<super::validate::Validator>,
}

impl Entry {
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether `who` gets to see the tool in a list.
    fn is_listed_for(&self, who: Option<&Principal>, now: u64) -> bool {
        match decide(&self.policy, who, now) {
            Decision::Allow => true,
            Decision::Forbidden => false,
            Decision::Unauthenticated
            | Decision::InsufficientAuthentication { .. }
            | Decision::InsufficientScope => self.list == ListMode::Show,
        }
    }
}

/// The tools of one server, by name.
pub(crate) struct Registry {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    base: Policy,
    scopes: Arc<ScopeTable>,
    terms: Terms,
    mentioned: BTreeSet<ScopeName>,
}

/// What a server says about all of its tools.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Scopes that every request needs.
    pub(crate) base: Needed,
    /// Callers without a token may use what is public.
    pub(crate) allow_anonymous: bool,
    /// The scopes that there are, if that is known.
    pub(crate) catalogue: Catalogue,
    /// Scopes that are left to step-up beside those of the catalogue.
    pub(crate) step_up: BTreeSet<ScopeName>,
    /// What callers see of tools that they may not call.
    pub(crate) list: ListMode,
}

impl Terms {
    /// Whether `scope` is listed in `scopes_supported` when something needs it.
    pub(crate) fn advertises(&self, scope: &ScopeName) -> bool {
        !self.catalogue.is_step_up(scope) && !self.step_up.contains(scope)
    }
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
pub(crate) struct Permit<'r>(usize, &'r Entry);

impl<'r> Permit<'r> {
    /// The position of the tool.
    pub(crate) fn position(&self) -> usize {
        self.0
    }

    /// The name of the tool.
    pub(crate) fn name(&self) -> &'r str {
        &self.1.name
    }

    /// Whether the tool may refuse the call as it runs.
    pub(crate) fn may_refuse(&self) -> bool {
        self.1.may_refuse
    }

    /// Whether the tool asks a function about the call before it runs.
    pub(crate) fn authorizes(&self) -> bool {
        self.1.authorize
    }

    /// Runs the tool.
    #[cfg_attr(
        not(feature = "validate"),
        allow(unused_mut, reason = "nothing to check")
    )]
    pub(crate) fn run(self, mut call: Call) -> CallFuture {
        #[cfg(feature = "validate")]
        if let Some(validator) = &self.1.validator
            && let Err(rejection) = validator.check(&mut call.arguments)
        {
            return Box::pin(std::future::ready(Err(rejection)));
        }
        (self.1.call)(call)
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
        terms: Terms,
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

        let mut scopes = ScopeTable::new(&terms.catalogue);
        let mut mentioned: BTreeSet<_> = terms.base.names().into_iter().collect();
        let base = Requirements {
            public: true,
            scopes: terms.base.clone(),
            authentication: Authentication::default(),
            condition: None,
        };
        let advertised = |scope: &ScopeName| terms.advertises(scope);
        let base = Policy::new(base, terms.allow_anonymous, &advertised, &mut scopes)
            .map_err(|error| problems.push(error.into()));
        let mut entries = Vec::with_capacity(tools.len());
        for tool in tools {
            match entry(tool, &terms, state, &mut scopes, &mut mentioned) {
                Ok(entry) => entries.push(entry),
                Err(found) => problems.extend(found),
            }
        }
        let Ok(base) = base else {
            return Err(problems);
        };
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
            scopes: Arc::new(scopes),
            terms,
            mentioned,
        })
    }

    /// What to challenge for when a call of the tool at `position` turns out to need `more` scopes than its
    /// declaration says.
    ///
    /// # Errors
    ///
    /// When these are no scopes, or no catalogue declares them: nobody could grant them.
    pub(crate) fn challenged_with(
        &self,
        position: usize,
        more: &NeedScopes,
    ) -> Result<Vec<ScopeName>, String> {
        let more = more.check().map_err(|error| error.to_string())?;
        let mut problems = Vec::new();
        for scope in more.names() {
            let entry = self.entries.get(position);
            let place = Place::Tool {
                name: entry.map(|entry| entry.name.clone()).unwrap_or_default(),
                location: entry.map_or_else(Location::caller, |entry| entry.location),
            };
            self.terms.catalogue.check(&scope, &place, &mut problems);
        }
        if let Some(problem) = problems.first() {
            return Err(problem.to_string());
        }
        let mut scopes = self
            .entries
            .get(position)
            .map_or(&[][..], |entry| entry.policy.challenged())
            .to_vec();
        for scope in more.challenged(&|scope| self.terms.advertises(scope)) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Ok(scopes)
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Decides whether `who` may call the tool called `name` at `now`.
    pub(crate) fn admit(&self, name: &str, who: Option<&Principal>, now: u64) -> Admission<'_> {
        let found = self.position(name);
        let Some((at, entry)) = found.and_then(|at| Some((at, self.entries.get(at)?))) else {
            return Admission::Unknown;
        };
        match decide(&entry.policy, who, now) {
            Decision::Allow => Admission::Permitted(Permit(at, entry)),
            _ if entry.list == ListMode::Conceal => Admission::Unknown,
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

    /// The positions of the tools that a list shows to `who` at `now`.
    pub(crate) fn listed_for(
        &self,
        who: Option<&Principal>,
        now: u64,
    ) -> impl Iterator<Item = usize> {
        let listed =
            move |(at, entry): (usize, &Entry)| entry.is_listed_for(who, now).then_some(at);
        self.entries.iter().enumerate().filter_map(listed)
    }

    pub(crate) fn scopes(&self) -> &Arc<ScopeTable> {
        &self.scopes
    }

    /// The scopes that something needs, sorted, each once.
    pub(crate) fn mentioned_scopes(&self) -> impl Iterator<Item = &ScopeName> {
        self.mentioned.iter()
    }
}

fn entry(
    tool: Tool,
    terms: &Terms,
    state: &StateMap,
    scopes: &mut ScopeTable,
    mentioned: &mut BTreeSet<ScopeName>,
) -> Result<Entry, Vec<Problem>> {
    let mut problems = Vec::new();
    let Tool {
        name,
        title,
        description,
        access,
        authentication,
        condition,
        authorize,
        list,
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
    let Some(access) = access else {
        problems.push(Problem::NoAccess { name, location });
        return Err(problems);
    };
    let place = Place::Tool {
        name: name.clone(),
        location,
    };
    let own = match &access {
        Access::Public | Access::Authenticated => Ok(Needed::All(Vec::new())),
        Access::Scopes(scopes) => scopes.check(),
    };
    for scope in own.iter().flat_map(Needed::names) {
        problems.extend(is_reserved(&scope).then(|| reserved(&scope)));
        terms.catalogue.check(&scope, &place, &mut problems);
        mentioned.insert(scope);
    }
    let public = matches!(access, Access::Public);
    if public && (!authentication.is_nothing() || condition.is_some() || authorize) {
        let tool = name.clone();
        problems.push(Problem::PublicWithConditions { tool, location });
    }
    for acr in authentication.acr.iter().filter(|acr| !is_acr(acr)) {
        problems.push(Problem::InvalidAcr {
            acr: acr.escape_default().to_string(),
            tool: name.clone(),
            location,
        });
    }
    if let Some(reason) = condition.as_ref().and_then(Condition::mistake) {
        problems.push(Problem::InvalidCondition {
            tool: name.clone(),
            location,
            reason,
        });
    }
    let policy = own.and_then(|own| {
        let needed = Requirements {
            public,
            // What every request needs is asked for together with what this tool needs.
            scopes: Needed::All(vec![terms.base.clone(), own]),
            authentication,
            condition,
        };
        let advertised = |scope: &ScopeName| terms.advertises(scope);
        Policy::new(needed, terms.allow_anonymous, &advertised, scopes)
    });
    let policy = match policy {
        Ok(policy) => policy,
        Err(error) => {
            problems.push(Problem::InvalidToolScope {
                tool: name,
                location,
                error,
            });
            return Err(problems);
        }
    };

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
        list: list.unwrap_or(terms.list),
        location,
        authorize,
        may_refuse: signature.may_refuse,
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
