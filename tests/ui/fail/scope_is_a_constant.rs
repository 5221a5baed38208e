// A constant is no scope: only a variant knows where it was declared.

use toolgate::prelude::*;

const NOTES_READ: &str = "notes:read";

/// Says hello.
#[mcp_tool(scopes = NOTES_READ)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
