// A line break in a challenge header is header injection.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes\r\nread")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
