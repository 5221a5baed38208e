// A tool is found by its name alone; there is no object to call it on.

use toolgate::prelude::*;

struct Greeter;

impl Greeter {
    /// Says hello.
    #[mcp_tool(public)]
    async fn hello(&self) -> String {
        "hello".to_owned()
    }
}

async fn used() -> String {
    Greeter.hello().await
}

fn main() {}
