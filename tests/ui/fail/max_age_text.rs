// An age is a number.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, max_age = "5m")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
