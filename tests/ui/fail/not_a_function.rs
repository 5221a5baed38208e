// Only functions are tools.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
struct Hello;

fn used() -> Hello {
    Hello
}

fn main() {}
