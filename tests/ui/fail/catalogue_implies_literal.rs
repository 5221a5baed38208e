// What is implied is named by its variant, so that it can be found.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read,
    /// Write notes.
    #[scope("notes:write", implies("notes:read"))]
    Write,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
