// Two lists of scopes could mean all of them or either of them.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "a", scopes = "b")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
