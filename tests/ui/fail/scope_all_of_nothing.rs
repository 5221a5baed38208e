// All of nothing is nothing.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes("a", all()))]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
