// One scope for everything, in whatever case it is written.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "Full-Access")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
