// The type decides what is taken from the call, so it has a name.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: Option<impl Into<String>>) {
    drop(who);
}

async fn used() {
    hello(Some("you")).await
}

fn main() {}
