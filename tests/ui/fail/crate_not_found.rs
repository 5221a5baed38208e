// The path is the user's, and so is the place of the error.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, crate = ::toolgaet)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
