// Yes and no are not enough of an answer.

use toolgate::prelude::*;

fn may(_: &Principal, (): &()) -> bool {
    true
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
