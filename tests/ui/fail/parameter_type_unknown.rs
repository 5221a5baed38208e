// A misspelt type is reported once, as in any function.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: Principle) -> String {
    who.subject().to_owned()
}

fn main() {}
