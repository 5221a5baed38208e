// A key without its value.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, acr)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
