// A parameter is chosen by its trait, never by how its type is spelled.

use toolgate::prelude::*;

type P = Principal;
type A = toolgate::Args<Name>;
type Out = Result<String, std::fmt::Error>;
use toolgate::State as Shared;

/// Says hello.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    name: String,
}

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: P, name: A, state: Shared<u8>) -> Out {
    Ok(format!("{} {} {}", who.subject(), name.0.name, *state))
}

/// A macro may stand for a type.
#[mcp_tool(authenticated)]
async fn by_macro(who: who!()) -> String {
    who.subject().to_owned()
}

macro_rules! who_ {
    () => {
        P
    };
}
use who_ as who;

fn main() {}
