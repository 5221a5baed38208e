// One scope for everything is what least privilege forbids.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "*")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
