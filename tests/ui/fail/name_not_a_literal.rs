// The registry is sorted and checked by literal names.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, name = 5)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
