// Who may call is never left open: not saying it is not the same as `public`.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool()]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
