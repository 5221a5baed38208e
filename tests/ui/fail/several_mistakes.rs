// All mistakes are reported in one go.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "a  b", nam = "x", title = "", crate = "toolgate")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
