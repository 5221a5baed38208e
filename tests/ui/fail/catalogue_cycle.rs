// Two scopes that imply each other are one.

use toolgate::prelude::*;

#[derive(Scopes)]
enum Scope {
    /// Read notes.
    #[scope("notes:read", implies(Admin))]
    Read,
    /// Write notes.
    #[scope("notes:write", implies(Read))]
    Write,
    /// Everything there is to do with notes.
    #[scope("notes:admin", implies(Write))]
    Admin,
}

// The variants are still there, and are still scopes.
#[mcp_tool(scopes = Scope::Read)]
/// Reads.
async fn read() {}

fn main() {}
