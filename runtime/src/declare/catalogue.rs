//! Scopes declared once, in an enum: name, meaning, hierarchy, and whether they are left to step-up.
//!
//! The catalogues of all linked crates are one catalogue at start. Where there is one, a scope that is not
//! in it is a misspelt one, and the server does not start.
//!
//! The hierarchy counts when a token's scopes are read ([MCP Authorization, Step-Up Authorization Flow]):
//! who holds a scope holds what it implies. It never counts in what is challenged.
//!
//! [MCP Authorization, Step-Up Authorization Flow]: https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization

use std::collections::BTreeMap;

use super::{
    problem::{Place, Problem},
    scope::ScopeName,
    spelling::nearest,
    tool::Location,
};

/// An enum whose variants are scopes. Derive it: see [`Scopes`](derive@crate::Scopes).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "not a scope",
    note = "name a variant of an enum with `#[derive(Scopes)]`, or write the scope as a string literal"
)]
pub trait Scopes: Sized + 'static {
    /// Every scope of the catalogue, in the order of declaration.
    const ALL: &'static [Self];

    /// The same, as data.
    #[doc(hidden)]
    const DECLARED: &'static [ScopeDeclaration];

    /// What was declared about this scope.
    #[doc(hidden)]
    fn declaration(&self) -> &'static ScopeDeclaration;

    /// The scope as it is written in tokens, metadata and challenges.
    #[must_use]
    fn name(&self) -> &'static str {
        self.declaration().name
    }

    /// What it permits, in words: its doc comment.
    #[must_use]
    fn description(&self) -> &'static str {
        self.declaration().description
    }
}

/// What `#[derive(Scopes)]` writes about one scope.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeDeclaration {
    pub name: &'static str,
    pub description: &'static str,
    /// What a holder of this scope holds as well, one step of the hierarchy.
    pub implies: &'static [&'static str],
    pub step_up: bool,
    pub location: Location,
}

impl ScopeDeclaration {
    /// Whether both say the same about the scope, wherever they say it.
    fn agrees_with(&self, other: &Self) -> bool {
        let implied = |declared: &Self| {
            let mut implied = declared.implies.to_vec();
            implied.sort_unstable();
            implied
        };
        self.description == other.description
            && self.step_up == other.step_up
            && implied(self) == implied(other)
    }
}

/// What `#[derive(Scopes)]` registers: one enum.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct RegisteredScopes(pub &'static [ScopeDeclaration]);

inventory::collect!(RegisteredScopes);

/// Every scope that an enum of a linked crate declares.
pub(crate) fn registered_scopes() -> impl Iterator<Item = &'static ScopeDeclaration> {
    inventory::iter::<RegisteredScopes>
        .into_iter()
        .flat_map(|scopes| scopes.0)
}

/// The catalogues of one server, as one.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(BTreeMap<&'static str, &'static ScopeDeclaration>);

impl Catalogue {
    /// The union of `declarations`. One that contradicts an earlier one is reported with both places.
    pub(crate) fn combine(
        declarations: impl IntoIterator<Item = &'static ScopeDeclaration>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut declarations: Vec<_> = declarations.into_iter().collect();
        // The order of registration differs from build to build.
        declarations.sort_by_key(|declared| (declared.name, declared.location));
        declarations.dedup();
        let mut scopes = BTreeMap::new();
        for declared in declarations {
            let first: &ScopeDeclaration = scopes.entry(declared.name).or_insert(declared);
            if !first.agrees_with(declared) {
                problems.push(Problem::ContradictoryScope {
                    scope: declared.name.to_owned(),
                    first: first.location,
                    second: declared.location,
                });
            }
        }
        Self(scopes)
    }

    /// Whether `scope` is kept out of `scopes_supported`.
    pub(crate) fn is_step_up(&self, scope: &ScopeName) -> bool {
        self.0
            .get(scope.as_str())
            .is_some_and(|declared| declared.step_up)
    }

    /// Every scope, sorted by name, each with what it implies in one step.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'static ScopeDeclaration> {
        self.0.values().copied()
    }

    /// Whether there is a catalogue, and `scope` is not in it.
    pub(crate) fn lacks(&self, scope: &ScopeName) -> bool {
        !self.0.is_empty() && !self.0.contains_key(scope.as_str())
    }

    /// Reports `scope`, mentioned at `place`, if there is a catalogue and it is not in it.
    pub(crate) fn check(&self, scope: &ScopeName, place: &Place, problems: &mut Vec<Problem>) {
        if self.lacks(scope) {
            problems.push(Problem::UndeclaredScope {
                scope: scope.to_string(),
                place: place.clone(),
                nearest: nearest(scope.as_str(), self.0.keys().copied()),
            });
        }
    }
}
