// The function sees the caller and the arguments.

use toolgate::prelude::*;

fn may(_: &Principal) -> toolgate::Authorization {
    toolgate::Authorization::Allow
}

/// Says hello.
#[mcp_tool(authenticated, authorize = may)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
