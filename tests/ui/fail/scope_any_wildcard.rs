// What stands for everything does so as an alternative, too.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = any("notes:read", "*"))]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
