// Name and keys are separated by commas.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read" step_up)]
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
