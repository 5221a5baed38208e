// A policy is a condition, not just anything.

use toolgate::prelude::*;

const ADMIN: &str = "admin";

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
