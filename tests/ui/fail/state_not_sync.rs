// State is shared between calls.

use toolgate::prelude::*;

use std::cell::Cell;

/// Counts.
#[mcp_tool(public)]
async fn count(count: State<Cell<u64>>) {
    drop(count);
}

fn main() {}
