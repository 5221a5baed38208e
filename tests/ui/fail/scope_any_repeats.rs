// An alternative that is there already adds nothing.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = any("a", "a"))]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
