// A scope that ends in a space can never be granted.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes:read ")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
