// The enum says nothing but where the crate is.

use toolgate::prelude::*;

#[derive(Scopes)]
#[scopes(prefix = "notes")]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
