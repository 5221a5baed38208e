// A parameter comes from the call; nothing says where a `String` would come from.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: Principal, name: Vec<String>) -> String {
    format!("{} and {name:?}", who.subject())
}

fn main() {}
