// The caller is remote and cannot promise anything.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async unsafe fn hello() {}

async fn used() {
    unsafe { hello().await }
}

fn main() {}
