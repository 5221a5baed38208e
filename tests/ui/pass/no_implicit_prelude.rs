// Generated code names everything by path.
#![no_implicit_prelude]

use ::std::{
    collections::BTreeMap,
    string::String,
    sync::{Arc, atomic::AtomicU64},
};
use ::toolgate::{Args, Authorization, Principal, Scopes, State, mcp_tool};

// `JsonSchema` cannot be derived without the prelude.
type Greet = BTreeMap<String, String>;

/// Says hello.
#[mcp_tool(scopes("greet", "profile"), title = "Greeter")]
async fn hello(who: Principal, count: State<AtomicU64>, Args(greet): Args<Greet>) -> String {
    let State(count) = count;
    let _: Arc<AtomicU64> = count;
    let _ = (who, greet);
    String::new()
}

/// Does nothing.
#[mcp_tool(public)]
async fn nothing() {}

/// Scopes.
#[derive(Scopes)]
enum Scope {
    /// Greet.
    #[scope("greet")]
    Greet,
}

fn may(_: &Principal, _: &Greet) -> Authorization {
    Authorization::Allow
}

/// Says hello.
#[mcp_tool(scopes(Scope::Greet), acr("a"), max_age = 1, authorize = may, list = "show")]
async fn everything(_: Args<Greet>) {}

fn main() {}
