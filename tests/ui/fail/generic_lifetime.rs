// Nothing outlives the call.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello<'a>() -> &'a str {
    "hello"
}

async fn used() -> &'static str {
    hello().await
}

fn main() {}
