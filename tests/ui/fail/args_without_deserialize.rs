// The arguments are read with serde.

use toolgate::prelude::*;

#[derive(schemars::JsonSchema)]
struct Greet {
    name: String,
}

/// Says hello.
#[mcp_tool(public)]
async fn hello(Args(greet): Args<Greet>) -> String {
    greet.name
}

fn main() {}
