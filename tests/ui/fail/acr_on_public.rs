// Who needs no token has no login.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, acr = "gold")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
