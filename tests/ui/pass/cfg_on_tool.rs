// A function that is configured away leaves no declaration behind, wherever the `cfg` stands.

use toolgate::prelude::*;

/// Is not there.
#[mcp_tool(public)]
#[cfg(any())]
async fn below() -> NoSuchType {}

/// Is not there.
#[cfg(any())]
#[mcp_tool(public)]
async fn above() -> NoSuchType {}

/// Is not there.
#[mcp_tool(public)]
#[cfg_attr(all(), cfg(any()))]
async fn nested() -> NoSuchType {}

/// Is there.
#[mcp_tool(public)]
#[cfg_attr(all(), inline)]
#[cfg(not(any()))]
async fn there() {}

/// Is declared by the attribute that applies.
#[cfg_attr(all(), mcp_tool(public))]
#[cfg_attr(any(), mcp_tool(authenticated))]
async fn chosen() {}

async fn used() {
    there().await;
    chosen().await;
}

fn main() {}
