// Whoever answers later has to move between threads.

use toolgate::prelude::*;

async fn may(_: &Principal, (): &()) -> toolgate::Authorization {
    let here = std::rc::Rc::new(());
    std::future::ready(()).await;
    drop(here);
    toolgate::Authorization::Allow
}

/// Says hello.
#[mcp_tool(authenticated, authorize = may)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the attribute is wrong.
async fn used() -> String {
    hello().await
}

fn main() {}
