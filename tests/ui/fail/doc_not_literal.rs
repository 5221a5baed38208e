// A description is what the source says: macros cannot read files.

use toolgate::prelude::*;

#[doc = include_str!("doc_not_literal.rs")]
#[mcp_tool(public)]
async fn hello() -> String {
    "hello".to_owned()
}

// The function is still there: only the intended error appears.
async fn used() -> String {
    hello().await
}

fn main() {}
