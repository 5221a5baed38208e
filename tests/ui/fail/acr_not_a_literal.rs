// The challenge is written before anything runs.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, acr = GOLD)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
