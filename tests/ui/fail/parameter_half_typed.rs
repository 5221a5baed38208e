// The signature cannot be read: rustc says where.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who) -> String {
    "hello".to_owned()
}

fn main() {}
