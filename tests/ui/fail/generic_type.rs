// Nobody would choose the type.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn hello<T>(State(state): State<T>) {
    drop(state);
}

async fn used() {
    hello(State(1.into())).await
}

fn main() {}
