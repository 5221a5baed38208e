// Registration needs no `unsafe` in the user's crate.
#![forbid(unsafe_code)]

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello() {}

fn main() {}
