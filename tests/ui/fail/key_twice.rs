// Which of the two names would it be?

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public, name = "a", name = "b")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
