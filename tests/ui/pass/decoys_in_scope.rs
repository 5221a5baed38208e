// Nothing in the user's scope is mistaken for what generated code means.
#![allow(dead_code, non_camel_case_types, unused_macros)]

use ::toolgate::{Authorization, Principal, mcp_tool};

mod toolgate {}
mod std {}
mod core {}
mod alloc {}
mod inventory {}
struct Box;
struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct String;
struct Access;
struct Call;
struct Location;
struct ToolDeclaration;
struct ScopeDeclaration;
struct Expr;
struct Options;
struct Condition;
struct ListMode;
trait Scopes {}
trait FromCall {}
trait IntoReply {}
macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! line {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! column {
    () => {
        compile_error!("not this one")
    };
}

/// Says hello.
#[mcp_tool(scopes = "greet", title = "Hello")]
async fn hello(call: ::toolgate::Principal) -> &'static str {
    let _ = call;
    "hello"
}

/// Scopes.
#[derive(::toolgate::Scopes)]
enum Scope {
    /// Greet.
    #[scope("greet")]
    Greet,
    /// Greet everybody.
    #[scope("greet:all", implies(Greet), step_up)]
    All,
}

fn may(_: &Principal, (): &()) -> Authorization {
    Authorization::Allow
}

const STAFF: ::toolgate::Condition = ::toolgate::Condition::claim("/staff").is_true();

/// Says hello.
#[mcp_tool(scopes = any(Scope::Greet, Scope::All), acr = "a", max_age = 1, policy = STAFF, authorize = may, list = "hide")]
async fn everything() {}

fn main() {}
