// Nothing in the user's scope is mistaken for what generated code means.
#![allow(dead_code, non_camel_case_types, unused_macros)]

use ::toolgate::mcp_tool;

mod toolgate {}
mod std {}
mod core {}
mod alloc {}
mod inventory {}
struct Box;
struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct String;
struct Access;
struct Call;
struct Location;
struct ToolDeclaration;
trait FromCall {}
trait IntoReply {}
macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! line {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! column {
    () => {
        compile_error!("not this one")
    };
}

/// Says hello.
#[mcp_tool(scopes = "greet", title = "Hello")]
async fn hello(call: ::toolgate::Principal) -> &'static str {
    let _ = call;
    "hello"
}

fn main() {}
