// More seconds than there will be.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, max_age = 99999999999999999999)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
