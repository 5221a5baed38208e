// Scopes are combined by all and any, and by nothing else.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = none("notes:read"))]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
