//! Who may call: the decision, in one pure function.
//!
//! Whoever reads [`decide`] has read how this library grants and refuses. It compares no scope names: a
//! [`Policy`] and a [`Principal`] hold sets of numbers that were made when the server was built and when
//! the token was verified.

use super::{
    authentication::Authentication,
    condition::Condition,
    expression::{InvalidExpression, Needed},
    principal::Principal,
    scope::{ScopeName, ScopeSet, ScopeTable},
};

/// What is asked of a caller.
#[derive(Debug, Clone)]
pub(crate) struct Requirements {
    /// Whoever the server lets in: where it allows anonymous callers, anybody.
    pub(crate) public: bool,
    pub(crate) scopes: Needed,
    pub(crate) authentication: Authentication,
    pub(crate) condition: Option<Condition>,
}

/// Who may do one thing at one server: its [`Requirements`] together with the server's own.
#[derive(Debug)]
pub(crate) struct Policy {
    anonymous: bool,
    /// The sets of scopes each of which is enough.
    alternatives: Vec<ScopeSet>,
    authentication: Authentication,
    condition: Option<Condition>,
    challenged: Vec<ScopeName>,
}

impl Policy {
    /// The policy of `needed` at a server that, with `allow_anonymous`, lets callers without a token use
    /// what is public. Challenges prefer scopes that are `advertised`.
    ///
    /// # Errors
    ///
    /// When the scopes come to too many alternatives.
    pub(crate) fn new(
        needed: Requirements,
        allow_anonymous: bool,
        advertised: &impl Fn(&ScopeName) -> bool,
        table: &mut ScopeTable,
    ) -> Result<Self, InvalidExpression> {
        let challenged = needed.scopes.challenged(advertised);
        Ok(Self {
            anonymous: allow_anonymous
                && needed.public
                && challenged.is_empty()
                && needed.authentication.is_nothing()
                && needed.condition.is_none(),
            alternatives: needed.scopes.alternatives(table)?,
            authentication: needed.authentication,
            condition: needed.condition,
            challenged,
        })
    }

    /// The scopes that a challenge names, in the order of declaration: they are enough.
    pub(crate) fn challenged(&self) -> &[ScopeName] {
        &self.challenged
    }

    /// What is asked of the user's login.
    #[cfg(feature = "http")]
    pub(crate) fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// Whether a caller without a token is let in.
    pub(crate) fn allows_anonymous(&self) -> bool {
        self.anonymous
    }
}

/// The answer of [`decide`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The call may run.
    Allow,
    /// Nobody knows who is calling, and this is not for everybody.
    Unauthenticated,
    /// No scope and no login would help this caller.
    Forbidden,
    /// The user has to log in in another way, or again; and without `scoped`, to grant more scopes.
    InsufficientAuthentication { scoped: bool },
    /// The token is fine, but does not hold all the scopes that are needed.
    InsufficientScope,
}

/// Decides whether `who` may, at `now` (seconds since the Unix epoch), do what `policy` protects.
pub(crate) fn decide(policy: &Policy, who: Option<&Principal>, now: u64) -> Decision {
    let Some(who) = who else {
        return match policy.anonymous {
            true => Decision::Allow,
            false => Decision::Unauthenticated,
        };
    };
    let eligible = match &policy.condition {
        Some(condition) => condition.holds(who.token()),
        None => true,
    };
    let authenticated = policy.authentication.is_satisfied_by(who, now);
    let scoped = policy
        .alternatives
        .iter()
        .any(|needed| needed.is_subset_of(who.held()));
    match (eligible, authenticated, scoped) {
        (true, true, true) => Decision::Allow,
        (false, _, _) => Decision::Forbidden,
        (true, false, scoped) => Decision::InsufficientAuthentication { scoped },
        (true, true, false) => Decision::InsufficientScope,
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
