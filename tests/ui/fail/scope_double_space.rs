// RFC 6749 section 3.3 separates scopes by single spaces.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes:read  notes:write")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
