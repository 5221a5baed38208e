// A function is named by its path.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, authorize = "may")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
