// Other libraries have a key for what is the doc comment here.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, description = "Says hello")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
