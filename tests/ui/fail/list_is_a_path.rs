// The mode is a literal.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, list = Hide)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
