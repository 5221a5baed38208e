// The specification says `scope`, the key is `scopes`.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scope = "mcp:tools")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
