// A tool is either public or asks for scopes.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "mcp:tools", public)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
