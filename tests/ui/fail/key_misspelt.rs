// A misspelt key is named with the right one, and who may call is not reported as missing too.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scpoes = "mcp:tools")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
