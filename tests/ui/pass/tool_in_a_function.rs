// A tool may be declared in the middle of a function, next to its like.

use toolgate::prelude::*;

fn server() {
    /// Says hello.
    #[mcp_tool(public)]
    async fn hello() -> &'static str {
        "hello"
    }

    /// Says bye.
    #[mcp_tool(public)]
    async fn bye() -> &'static str {
        "bye"
    }

    let _ = (hello(), bye());
}

mod nested {
    use toolgate::prelude::*;

    /// Says hello.
    #[mcp_tool(public, name = "nested.hello")]
    pub(super) async fn hello() {}
}

async fn used() {
    server();
    nested::hello().await;
}

fn main() {}
