// The body is rustc's business: only its own error appears.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> String {
    let greeting = ;
    "hello".to_owned()
}

// The function is still there: only the intended error appears.
async fn used() -> String {
    hello().await
}

fn main() {}
