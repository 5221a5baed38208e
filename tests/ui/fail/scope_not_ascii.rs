// Scopes are ASCII (RFC 6749 section 3.3).

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes:größe")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
