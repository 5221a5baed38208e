// The second key is not the value of the first.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "mcp:tools" name = "greet")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
