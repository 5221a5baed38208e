// The grammar of names is that of the attribute.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes read")]
    Read,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
