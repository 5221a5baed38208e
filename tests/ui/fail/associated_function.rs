// An associated function looks like a free function to the macro; rustc tells them apart.

use toolgate::prelude::*;

struct Greeter;

impl Greeter {
    /// Says hello.
    #[mcp_tool(public)]
    async fn hello() -> String {
        "hello".to_owned()
    }
}

fn main() {}
