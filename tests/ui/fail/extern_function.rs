// A tool is called by Rust.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async extern "C" fn hello() {}

async fn used() {
    hello().await
}

fn main() {}
