// A path is written as a path, so that rustc can check it.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, crate = "toolgate")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
