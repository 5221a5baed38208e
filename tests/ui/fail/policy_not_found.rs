// A policy that is not there.

use toolgate::prelude::*;

mod roles {
    pub const ADMINS: toolgate::Condition = toolgate::Condition::claim("/roles").contains("admin");
}

/// Says hello.
#[mcp_tool(authenticated, policy = roles::ADMIN)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
