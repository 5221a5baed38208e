// An empty doc comment describes nothing.

use toolgate::prelude::*;

///
#[mcp_tool(public)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the intended error appears.
async fn used() -> String {
    hello().await
}

fn main() {}
