// A tool tells its clients the schema of its structured result.

use toolgate::prelude::*;

#[derive(serde::Serialize)]
struct Greeting;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> Json<Greeting> {
    Json(Greeting)
}

fn main() {}
