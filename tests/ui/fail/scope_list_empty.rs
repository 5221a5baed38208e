// No scope at all is spelled `authenticated`.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes())]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
