// A client can make nothing of it.

use toolgate::prelude::*;

struct Greeting;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> Option<Greeting> {
    Some(Greeting)
}

async fn used() -> Option<Greeting> {
    hello().await
}

fn main() {}
