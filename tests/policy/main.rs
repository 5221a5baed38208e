//! Who may call, beyond a list of scopes: catalogues, alternatives, logins, conditions, arguments, and what
//! each caller sees.

mod authorize;
mod catalogue;
mod conditions;
mod expressions;
mod fixture;
mod lists;
mod logins;
