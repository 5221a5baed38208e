// What is between clients and authorization servers, and what stands for everything.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read")]
    Read,
    /// Stay logged in.
    #[scope("offline_access")]
    Offline,
    /// Do everything.
    #[scope("full-access", implies(Read))]
    Everything,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
