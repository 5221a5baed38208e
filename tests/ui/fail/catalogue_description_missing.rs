// People consent to descriptions.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    #[scope("notes:read")]
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
