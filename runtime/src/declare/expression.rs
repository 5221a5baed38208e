//! Which scopes are needed: one, all of several, or any of several, nested as need be.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    catalogue::{ScopeDeclaration, Scopes},
    scope::{InvalidScope, ScopeName, ScopeSet, ScopeTable},
};

/// The most alternatives that one expression may come to. Deciding looks at each of them.
const MAX_ALTERNATIVES: usize = 32;

/// Which scopes a caller must hold: one, [`all`](Self::all) of several or [`any`](Self::any) of several.
///
/// A text or a variant of a [`Scopes`] enum is one.
///
/// ```
/// use toolgate::ScopeExpr;
///
/// let expression = ScopeExpr::all(["notes:read".into(), ScopeExpr::any(["notes:write", "notes:admin"])]);
/// assert_eq!(expression.to_string(), "all(notes:read, any(notes:write, notes:admin))");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeExpr(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Scope(Cow<'static, str>),
    Declared(&'static ScopeDeclaration, &'static [ScopeDeclaration]),
    All(Vec<ScopeExpr>),
    Any(Vec<ScopeExpr>),
}

impl ScopeExpr {
    /// Every one of `scopes`.
    pub fn all(scopes: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self(Node::All(scopes.into_iter().map(Into::into).collect()))
    }

    /// At least one of `scopes`. A challenge names the first of them that needs no step-up.
    pub fn any(scopes: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self(Node::Any(scopes.into_iter().map(Into::into).collect()))
    }

    /// Whether nothing at all is needed.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.0, Node::All(parts) if parts.iter().all(Self::is_nothing))
    }

    /// The catalogues of the variants in here: they are known even where they were not registered.
    pub(crate) fn catalogues(&self) -> Vec<&'static ScopeDeclaration> {
        match &self.0 {
            Node::Scope(_) => Vec::new(),
            Node::Declared(_, catalogue) => catalogue.iter().collect(),
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().flat_map(Self::catalogues).collect()
            }
        }
    }

    /// The same with every name checked.
    ///
    /// # Errors
    ///
    /// The first name that is not a scope, or an `any` of nothing, which nobody could satisfy.
    pub(crate) fn check(&self) -> Result<Needed, InvalidExpression> {
        let all = |parts: &[Self]| parts.iter().map(Self::check).collect::<Result<Vec<_>, _>>();
        match &self.0 {
            Node::Scope(name) => Ok(Needed::Scope(ScopeName::new(name.clone())?)),
            Node::Declared(declared, _) => Ok(Needed::Scope(ScopeName::new(declared.name)?)),
            Node::All(parts) => Ok(Needed::All(all(parts)?)),
            Node::Any(parts) if parts.is_empty() => Err(InvalidExpression::Empty),
            Node::Any(parts) => Ok(Needed::Any(all(parts)?)),
        }
    }
}

impl std::fmt::Display for ScopeExpr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, parts) = match &self.0 {
            Node::Scope(name) => return write!(f, "{}", name.escape_default()),
            Node::Declared(declared, _) => return f.write_str(declared.name),
            Node::All(parts) if parts.len() == 1 => return parts[0].fmt(f),
            Node::All(parts) => ("all", parts),
            Node::Any(parts) => ("any", parts),
        };
        let parts: Vec<_> = parts.iter().map(Self::to_string).collect();
        write!(f, "{word}({})", parts.join(", "))
    }
}

impl From<&'static str> for ScopeExpr {
    fn from(scope: &'static str) -> Self {
        Self(Node::Scope(scope.into()))
    }
}

impl From<String> for ScopeExpr {
    fn from(scope: String) -> Self {
        Self(Node::Scope(scope.into()))
    }
}

impl From<Cow<'static, str>> for ScopeExpr {
    fn from(scope: Cow<'static, str>) -> Self {
        Self(Node::Scope(scope))
    }
}

impl<S: Scopes> From<S> for ScopeExpr {
    fn from(scope: S) -> Self {
        Self(Node::Declared(scope.declaration(), S::DECLARED))
    }
}

/// [`ScopeExpr`] in a form that a constant can hold: what `#[mcp_tool]` writes.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum DeclaredExpr {
    Scope(&'static str),
    /// A variant of an enum. A trait cannot be asked in a constant.
    Variant(fn() -> ScopeExpr),
    All(&'static [Self]),
    Any(&'static [Self]),
}

impl From<&DeclaredExpr> for ScopeExpr {
    fn from(declared: &DeclaredExpr) -> Self {
        match declared {
            DeclaredExpr::Scope(name) => (*name).into(),
            DeclaredExpr::Variant(scope) => scope(),
            DeclaredExpr::All(parts) => Self::all(*parts),
            DeclaredExpr::Any(parts) => Self::any(*parts),
        }
    }
}

/// Why an expression says nothing that could be decided on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidExpression {
    /// One of its names is not a scope.
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    /// An `any` of nothing.
    #[error("`any` of no scope at all is never satisfied: name one")]
    Empty,
    /// It comes to too many alternatives.
    #[error(
        "its `any`s multiply to more than {MAX_ALTERNATIVES} alternatives: split the tool, or declare a scope that implies others"
    )]
    TooManyAlternatives,
}

/// An expression whose names are scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needed {
    Scope(ScopeName),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Needed {
    /// Every scope in here, each once, in the order in which they are written.
    pub(crate) fn names(&self) -> Vec<ScopeName> {
        let mut names = Vec::new();
        self.visit(&mut |name| names.push(name.clone()));
        each_once(names)
    }

    fn visit(&self, see: &mut impl FnMut(&ScopeName)) {
        match self {
            Self::Scope(name) => see(name),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(see)),
        }
    }

    /// Whether somebody of whom `holds` is true has what is needed. For what only turns up with a request:
    /// what is declared is compiled to [`alternatives`](Self::alternatives).
    pub(crate) fn is_satisfied(&self, holds: &impl Fn(&ScopeName) -> bool) -> bool {
        match self {
            Self::Scope(name) => holds(name),
            Self::All(parts) => parts.iter().all(|part| part.is_satisfied(holds)),
            Self::Any(parts) => parts.iter().any(|part| part.is_satisfied(holds)),
        }
    }

    /// What a challenge names: of each `any` the first alternative that is `advertised` throughout, or
    /// else its first.
    pub(crate) fn challenged(&self, advertised: &impl Fn(&ScopeName) -> bool) -> Vec<ScopeName> {
        let parts = |parts: &[Self]| -> Vec<Vec<ScopeName>> {
            parts
                .iter()
                .map(|part| part.challenged(advertised))
                .collect()
        };
        match self {
            Self::Scope(name) => vec![name.clone()],
            Self::All(all) => each_once(parts(all).into_iter().flatten()),
            Self::Any(any) => {
                let mut alternatives = parts(any);
                let first = alternatives
                    .iter()
                    .position(|names| names.iter().all(advertised));
                alternatives.swap_remove(first.unwrap_or(0))
            }
        }
    }

    /// The sets of scopes each of which is enough, none of them a part of another.
    ///
    /// # Errors
    ///
    /// [`InvalidExpression::TooManyAlternatives`].
    pub(crate) fn alternatives(
        &self,
        table: &mut ScopeTable,
    ) -> Result<Vec<ScopeSet>, InvalidExpression> {
        match self {
            Self::Scope(name) => Ok(vec![std::iter::once(table.intern(name)).collect()]),
            Self::Any(parts) => {
                let mut any = Vec::new();
                for part in parts {
                    any.extend(part.alternatives(table)?);
                }
                smallest(any)
            }
            Self::All(parts) => {
                let mut all = vec![ScopeSet::default()];
                for part in parts {
                    let part = part.alternatives(table)?;
                    let pairs = all.iter().flat_map(|a| part.iter().map(|b| a.union(b)));
                    all = smallest(pairs.collect())?;
                }
                Ok(all)
            }
        }
    }
}

/// `sets` without those that hold the whole of another: they add nothing.
fn smallest(sets: Vec<ScopeSet>) -> Result<Vec<ScopeSet>, InvalidExpression> {
    let mut kept: Vec<ScopeSet> = Vec::new();
    for set in sets {
        if !kept.iter().any(|other| other.is_subset_of(&set)) {
            kept.retain(|other| !set.is_subset_of(other));
            kept.push(set);
        }
    }
    if kept.len() > MAX_ALTERNATIVES {
        return Err(InvalidExpression::TooManyAlternatives);
    }
    Ok(kept)
}

fn each_once(names: impl IntoIterator<Item = ScopeName>) -> Vec<ScopeName> {
    let mut seen = BTreeSet::new();
    names
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect()
}
