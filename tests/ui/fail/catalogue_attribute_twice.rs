// A variant says it once.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    #[scope("notes:list")]
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
