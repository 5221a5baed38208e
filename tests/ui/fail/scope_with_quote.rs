// A quote would end the value in a challenge header (RFC 6750 section 3).

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(scopes = "notes\"read")]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
