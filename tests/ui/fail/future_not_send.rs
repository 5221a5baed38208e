// Servers move calls between threads.

use toolgate::prelude::*;

use std::rc::Rc;

/// Says hello.
#[mcp_tool(public)]
async fn hello() -> String {
    let greeting = Rc::new("hello".to_owned());
    std::future::ready(()).await;
    greeting.to_string()
}

fn main() {}
