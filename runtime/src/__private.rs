//! What the code that `#[mcp_tool]` writes refers to. Not part of the public interface: it changes with
//! the macros, which is why they are pinned to one version.

pub use std::{boxed::Box, column, file, line, option::Option, unreachable};

pub use inventory;

pub use crate::declare::{
    authorize::{arguments, authorize},
    call::Call,
    catalogue::{RegisteredScopes, ScopeDeclaration, Scopes},
    condition::{Condition, IntoCondition},
    expression::{DeclaredExpr as Expr, ScopeExpr},
    extract::FromCall,
    reply::{IntoReply, Rejection, Reply},
    tool::{
        DeclaredAccess as Access, DeclaredOptions as Options, ListMode, Location, Signature,
        ToolDeclaration,
    },
};

/// The scope that `variant` is.
pub fn scope<S: Scopes>(variant: S) -> ScopeExpr {
    variant.into()
}

/// The condition that a policy is, or makes.
pub fn policy<P: IntoCondition>(policy: P) -> Condition {
    policy.into_condition()
}

/// Refuses, when the tool is compiled, a tool with two parameters that take the arguments.
pub const fn at_most_one_args(takes: &[bool]) {
    let mut count = 0;
    let mut at = 0;
    while at < takes.len() {
        if takes[at] {
            count += 1;
        }
        at += 1;
    }
    assert!(
        count <= 1,
        "a tool takes its arguments once: merge the two `Args<T>` into one struct"
    );
}

/// For benchmarks: the decision about a tool that needs some scopes and a caller who holds some, with
/// everything made beforehand that a server makes beforehand.
#[cfg(feature = "testkit")]
pub fn decision(needed: &[&str], held: &[&str]) -> impl Fn() -> bool + use<> {
    use std::sync::Arc;

    use crate::declare::{
        authentication::Authentication,
        catalogue::Catalogue,
        expression::Needed,
        policy::{Decision, Policy, Requirements, decide},
        principal::{Principal, VerifiedToken},
        scope::{ScopeName, ScopeTable},
    };
    let scopes = |names: &[&str]| -> Vec<ScopeName> {
        names.iter().filter_map(|name| name.parse().ok()).collect()
    };
    let mut table = ScopeTable::new(&Catalogue::default());
    let requirements = Requirements {
        public: false,
        scopes: Needed::All(scopes(needed).into_iter().map(Needed::Scope).collect()),
        authentication: Authentication::default(),
        condition: None,
    };
    let policy = Policy::new(requirements, false, &|_| true, &mut table).expect("one alternative");
    let token = VerifiedToken::new("issuer", "subject").scopes(scopes(held));
    let principal = Principal::new(token, &Arc::new(table));
    move || decide(std::hint::black_box(&policy), Some(&principal), 0) == Decision::Allow
}
