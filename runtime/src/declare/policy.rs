//! Who may call: the decision, in one pure function.
//!
//! Whoever reads [`decide`] has read how this library grants and refuses. It compares no strings: a
//! [`Policy`] and a [`Principal`] hold sets of numbers that were made when the server was built and when
//! the token was verified.

use super::{
    principal::Principal,
    scope::{ScopeName, ScopeSet, ScopeTable},
};

/// Who may call a tool, as its declaration says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever the server lets in: anybody where it allows anonymous callers, else any valid token.
    Public,
    /// Any valid token.
    Authenticated,
    /// A valid token that holds all of these scopes.
    Scopes(Vec<ScopeName>),
}

/// Who may do one thing at one server: an [`Access`] together with what the server asks of every request.
#[derive(Debug)]
pub(crate) struct Policy {
    anonymous: bool,
    needed: ScopeSet,
    scopes: Vec<ScopeName>,
}

impl Policy {
    /// The policy of `access` at a server that asks `base` of every request and, with `allow_anonymous`,
    /// lets callers without a token use what is public.
    pub(crate) fn new(
        access: &Access,
        base: &[ScopeName],
        allow_anonymous: bool,
        table: &mut ScopeTable,
    ) -> Self {
        let own: &[ScopeName] = match access {
            Access::Public | Access::Authenticated => &[],
            Access::Scopes(scopes) => scopes,
        };
        let mut scopes = base.to_vec();
        scopes.extend(own.iter().filter(|scope| !base.contains(scope)).cloned());
        Self {
            anonymous: allow_anonymous && *access == Access::Public && scopes.is_empty(),
            needed: scopes.iter().map(|scope| table.intern(scope)).collect(),
            scopes,
        }
    }

    /// Everything that is needed, in the order of declaration: what a challenge names.
    pub(crate) fn scopes(&self) -> &[ScopeName] {
        &self.scopes
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
    /// The token is fine, but does not hold all the scopes that are needed.
    InsufficientScope,
}

/// Decides whether `who` may do what `policy` protects.
pub(crate) fn decide(policy: &Policy, who: Option<&Principal>) -> Decision {
    match who {
        None if policy.anonymous => Decision::Allow,
        None => Decision::Unauthenticated,
        Some(principal) if policy.needed.is_subset_of(principal.held()) => Decision::Allow,
        Some(_) => Decision::InsufficientScope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::principal::VerifiedToken;

    fn scopes(text: &str) -> Vec<ScopeName> {
        text.split_whitespace()
            .map(|scope| scope.parse().unwrap())
            .collect()
    }

    /// The decision for a caller with `held` scopes (`None`: no token).
    fn decision(
        access: &Access,
        base: &str,
        allow_anonymous: bool,
        held: Option<&str>,
    ) -> Decision {
        let mut table = ScopeTable::default();
        let policy = Policy::new(access, &scopes(base), allow_anonymous, &mut table);
        let who = held.map(|held| {
            let token = VerifiedToken::new("https://issuer.example", "alice").scopes(scopes(held));
            Principal::new(token, &table)
        });
        decide(&policy, who.as_ref())
    }

    #[test]
    fn every_row_of_access_and_held_scopes() {
        use Decision::{Allow, InsufficientScope, Unauthenticated};
        let ab = Access::Scopes(scopes("a b"));
        let rows = [
            (&Access::Public, "", false, None, Unauthenticated),
            (&Access::Public, "", false, Some(""), Allow),
            (&Access::Public, "", true, None, Allow),
            (&Access::Public, "", true, Some(""), Allow),
            (&Access::Public, "base", false, Some(""), InsufficientScope),
            (&Access::Public, "base", false, Some("base"), Allow),
            (&Access::Public, "base", true, None, Unauthenticated),
            (&Access::Authenticated, "", false, None, Unauthenticated),
            (&Access::Authenticated, "", true, None, Unauthenticated),
            (&Access::Authenticated, "", true, Some(""), Allow),
            (&ab, "", false, None, Unauthenticated),
            (&ab, "", true, None, Unauthenticated),
            (&ab, "", false, Some(""), InsufficientScope),
            (&ab, "", false, Some("a"), InsufficientScope),
            (&ab, "", false, Some("b"), InsufficientScope),
            (&ab, "", false, Some("b a"), Allow),
            (&ab, "", false, Some("a b c"), Allow),
            (&ab, "", false, Some("A B"), InsufficientScope),
            (&ab, "", false, Some("a:b ab"), InsufficientScope),
            (&ab, "base", false, Some("a b"), InsufficientScope),
            (&ab, "base", false, Some("base a b"), Allow),
        ];
        for (access, base, anonymous, held, expected) in rows {
            assert_eq!(
                decision(access, base, anonymous, held),
                expected,
                "{access:?}, base {base:?}, anonymous {anonymous}, held {held:?}"
            );
        }
    }

    #[test]
    fn many_scopes_do_not_share_a_bit() {
        let names: Vec<_> = (0..200)
            .map(|n| format!("s{n}").parse::<ScopeName>().unwrap())
            .collect();
        let mut table = ScopeTable::default();
        let policies: Vec<_> = names
            .iter()
            .map(|name| Policy::new(&Access::Scopes(vec![name.clone()]), &[], false, &mut table))
            .collect();
        for (at, name) in names.iter().enumerate() {
            let token = VerifiedToken::new("i", "s").scopes([name.clone()]);
            let who = Principal::new(token, &table);
            for (other, policy) in policies.iter().enumerate() {
                let allowed = decide(policy, Some(&who)) == Decision::Allow;
                assert_eq!(allowed, at == other, "scope {at}, policy {other}");
            }
        }
    }

    #[test]
    fn the_challenge_names_base_scopes_first_and_each_scope_once() {
        let mut table = ScopeTable::default();
        let access = Access::Scopes(scopes("z base a"));
        let policy = Policy::new(&access, &scopes("base"), false, &mut table);
        assert_eq!(policy.scopes(), scopes("base z a"));
    }
}
