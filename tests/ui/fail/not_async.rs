// A tool is async, so that a slow one never blocks the others.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
fn hello() -> String {
    "hello".to_owned()
}

fn used() -> String {
    hello()
}

fn main() {}
