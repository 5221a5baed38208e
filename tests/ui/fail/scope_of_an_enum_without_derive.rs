// An enum is a catalogue only if it is derived.

use toolgate::prelude::*;

enum Plain {
    Read,
}

/// Says hello.
#[mcp_tool(scopes = Plain::Read)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
