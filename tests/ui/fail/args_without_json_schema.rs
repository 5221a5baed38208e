// A tool tells its clients the schema of its arguments.

use toolgate::prelude::*;

#[derive(serde::Deserialize)]
struct Greet {
    name: String,
}

/// Says hello.
#[mcp_tool(public)]
async fn hello(Args(greet): Args<Greet>) -> String {
    greet.name
}

fn main() {}
