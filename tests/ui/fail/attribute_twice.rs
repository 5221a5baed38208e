// One function, one tool.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
#[mcp_tool(authenticated)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the intended error appears.
async fn used() -> String {
    hello().await
}

fn main() {}
