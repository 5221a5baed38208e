// A variant says which scope it is.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
