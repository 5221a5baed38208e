// Who needs no token is nobody to ask about.

use toolgate::prelude::*;

fn may(_: &Principal, (): &()) -> toolgate::Authorization {
    toolgate::Authorization::Allow
}

/// Says hello.
#[mcp_tool(public, authorize = may)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
