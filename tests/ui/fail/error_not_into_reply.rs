// The error of a tool is shown to the model, so it has to be text.

use toolgate::prelude::*;

struct Failed;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> Result<String, Failed> {
    Err(Failed)
}

fn main() {}
