// A policy is a path, so that rustc can find it.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, policy = "ADMIN")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
