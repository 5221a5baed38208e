// Several values are in parentheses.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, acr = ["gold", "silver"])]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
