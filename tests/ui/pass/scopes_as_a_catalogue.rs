// A catalogue in every form, and every way to name its scopes.
#![deny(warnings)]

use toolgate::prelude::*;

/// What there is to do with notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Scopes)]
#[non_exhaustive]
pub enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read = 7,
    /** Write notes. */
    #[scope("notes:write", implies(Read))]
    Write,
    /// Everything there is
    /// to do with notes.
    #[scope(step_up, "notes:admin", implies(Write, r#type,),)]
    #[allow(dead_code)]
    Admin,
    #[doc = "Say the type."]
    #[scope("notes:type")]
    #[allow(non_camel_case_types)]
    r#type,
}

mod inner {
    pub(crate) use super::Scope as Renamed;
}

use Scope::Write;

/// One.
#[mcp_tool(scopes = Scope::Read)]
async fn one() {}

/// A list of paths and literals.
#[mcp_tool(scopes(Scope::Read, "other", Write, inner::Renamed::r#type))]
async fn list() {}

/// Alternatives.
#[mcp_tool(scopes = any(Scope::Read, all("x", Write), any("y", ), ))]
async fn alternatives() {}

/// Everything else there is to say.
#[mcp_tool(
    scopes = Scope::Read,
    acr("urn:example:gold", "silver"),
    max_age = 3_600,
    policy = crate::staff,
    authorize = may,
    list = "conceal",
)]
async fn everything(caller: Principal, Args(name): Args<Name>) -> Result<String, toolgate::NeedScopes> {
    caller.require([Scope::Admin])?;
    Ok(name.0)
}

type Alias = Args<Name>;

/// The arguments are found by their trait, not by their spelling.
#[mcp_tool(authenticated, authorize = later, policy = STAFF)]
async fn aliased(_: Option<Principal>, _: Alias, _: Principal) {}

/// A function that wants no arguments, for a tool that has some.
#[mcp_tool(authenticated, authorize = anyone)]
async fn without(_: Alias) {}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name(String);

const STAFF: toolgate::Condition = toolgate::Condition::claim("/staff").is_true();

fn staff() -> toolgate::Condition {
    STAFF.or(toolgate::Condition::claim("/roles").contains("admin"))
}

fn may(_: &Principal, name: &Name) -> Result<toolgate::Authorization, std::fmt::Error> {
    match name.0.as_str() {
        "" => Err(std::fmt::Error),
        _ => Ok(toolgate::Authorization::needs([Scope::Write])),
    }
}

async fn later(_: &Principal, _: &Name) -> toolgate::Authorization {
    toolgate::Authorization::Allow
}

fn anyone(_: &Principal, (): &()) -> toolgate::Authorization {
    toolgate::Authorization::Allow
}

fn main() {
    assert_eq!(Scope::ALL, [Scope::Read, Write, Scope::Admin, Scope::r#type]);
    assert_eq!(Scope::Admin.description(), "Everything there is\nto do with notes.");
}
