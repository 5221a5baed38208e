//! Tools that live in another crate than the server.

use toolgate::prelude::*;

/// Answer from afar.
#[mcp_tool(scopes = "linked:use", name = "linked.answer")]
async fn answer(caller: Principal) -> String {
    format!("from afar, {}", caller.subject())
}
