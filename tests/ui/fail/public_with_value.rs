// `public = false` would read as a switch; the word stands alone.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public = true)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
