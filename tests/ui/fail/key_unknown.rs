// A key that is close to nothing gets the list of keys.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, colour = "red")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
