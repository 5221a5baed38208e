// `const async fn` does not exist; `const` is one mistake, the missing `async` another.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
const fn hello() {}

const USED: () = hello();

fn main() {}
