// The function's name is the tool's name, unless another one is given.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn grüße() -> String {
    "hello".to_owned()
}

fn main() {}
