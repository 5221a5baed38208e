// The type decides how the result is rendered, so it has a name.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> impl ToString {
    "hello"
}

async fn used() -> String {
    hello().await.to_string()
}

fn main() {}
