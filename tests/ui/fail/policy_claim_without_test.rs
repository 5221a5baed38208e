// A claim alone states nothing.

use toolgate::prelude::*;

const ADMIN: toolgate::Claim = toolgate::Condition::claim("/roles");

/// Says hello.
#[mcp_tool(authenticated, policy = ADMIN)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
