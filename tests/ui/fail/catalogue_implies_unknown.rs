// What is implied is a variant of the same enum.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read,
    /// Write notes.
    #[scope("notes:write", implies(Raed, Delete))]
    Write,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
