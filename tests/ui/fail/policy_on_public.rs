// Who needs no token has no claims.

use toolgate::prelude::*;

const ADMIN: toolgate::Condition = toolgate::Condition::claim("/roles").contains("admin");

/// Says hello.
#[mcp_tool(public, policy = ADMIN)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
