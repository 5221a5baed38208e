// There are three ways to list a tool.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated, list = "hidden")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
