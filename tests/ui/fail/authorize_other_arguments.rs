// The function sees the arguments that the tool takes.

use toolgate::prelude::*;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name(String);

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Age(u8);

fn may(_: &Principal, _: &Age) -> toolgate::Authorization {
    toolgate::Authorization::Allow
}

/// Says hello.
#[mcp_tool(authenticated, authorize = may)]
async fn hello(_: Args<Name>) -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used(name: Args<Name>) -> String {
    hello(name).await
}

fn main() {}
