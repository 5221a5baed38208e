// Nobody would choose the number.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello<const N: usize>() {}

async fn used() {
    hello::<3>().await
}

fn main() {}
