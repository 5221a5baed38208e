// Each further answer contradicts the first one.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, authenticated, scopes = "mcp:tools")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
