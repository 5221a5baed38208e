// A misspelt variant is rustc's to report, with its suggestion.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read,
    /// Write notes.
    #[scope("notes:write", implies(Read))]
    Write,
}

/// Says hello.
#[mcp_tool(scopes = Scope::Raed)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
