// The call owns what it brings.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: &Principal) -> String {
    who.subject().to_owned()
}

async fn used(who: Principal) -> String {
    hello(&who).await
}

fn main() {}
