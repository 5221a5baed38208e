//! Scopes that live in another crate than the tools.

use toolgate::Scopes;

/// What there is to do from afar.
#[derive(Debug, Clone, Copy, Scopes)]
pub enum LinkedScope {
    /// Use what is far away.
    #[scope("linked:use")]
    Use,
    /// Change what is far away.
    #[scope("linked:change", implies(Use), step_up)]
    Change,
}
