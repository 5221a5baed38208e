// Who needs no token has no login.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, max_age = 300)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
