// One scope, several in one literal, several literals; every character the grammar allows.

use toolgate::prelude::*;

/// Asks for one.
#[mcp_tool(scopes = "notes:read")]
async fn one() {}

/// Asks for both.
#[mcp_tool(scopes = "notes:read notes:write")]
async fn text() {}

/// Asks for both.
#[mcp_tool(scopes("notes:read", "notes:write"))]
async fn list() {}

/// Asks for both.
#[mcp_tool(
    scopes(
        "notes:read", // to find it
        r"notes:write",
    ),
    name = "list.of-both_2",
    title = "Both \u{1F600}",
)]
async fn lines() {}

/// Asks for everything a scope may look like.
#[mcp_tool(scopes(
    "!#$%&'()*+,-./0123456789:;<=>?@[]^_`{|}~",
    "https://example.com/notes.read",
    "notes:*"
))]
async fn characters() {}

fn main() {}
