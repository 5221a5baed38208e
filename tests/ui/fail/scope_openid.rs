// `openid` asks for an ID token; it says nothing about a tool.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes("openid"))]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
