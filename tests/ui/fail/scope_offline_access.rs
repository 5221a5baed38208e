// A client asks for refresh tokens, a tool never does.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes:read offline_access")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
