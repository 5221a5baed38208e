// Structured content is serialized.

use toolgate::prelude::*;

#[derive(schemars::JsonSchema)]
struct Greeting;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> Json<Greeting> {
    Json(Greeting)
}

fn main() {}
