// Everything a tool may return.

use std::borrow::Cow;

use toolgate::{IntoReply, Rejection, Reply, prelude::*};

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Sum {
    sum: i64,
}

struct Shout(String);

impl IntoReply for Shout {
    fn into_reply(self) -> Reply {
        self.0.to_uppercase().into_reply()
    }
}

/// Returns nothing.
#[mcp_tool(public)]
async fn nothing() {}

/// Returns nothing, and says so.
#[mcp_tool(public)]
async fn unit() -> () {}

/// Returns text.
#[mcp_tool(public)]
async fn text() -> String {
    String::new()
}

/// Returns constant text.
#[mcp_tool(public)]
async fn constant() -> &'static str {
    ""
}

/// Returns text of both kinds.
#[mcp_tool(public)]
async fn either() -> Cow<'static, str> {
    "".into()
}

/// Returns a structure.
#[mcp_tool(public)]
async fn structured() -> Json<Sum> {
    Json(Sum { sum: 3 })
}

/// Returns what the SDK returns.
#[mcp_tool(public)]
async fn native() -> CallToolResult {
    CallToolResult::success(Vec::new())
}

/// May fail with a text.
#[mcp_tool(public)]
async fn fails_with_text() -> Result<Json<Sum>, String> {
    Err("no sum".to_owned())
}

/// May fail with an error.
#[mcp_tool(public)]
async fn fails_with_error() -> Result<(), std::num::ParseIntError> {
    "x".parse::<i64>().map(drop)
}

/// May be refused.
#[mcp_tool(public)]
async fn refuses() -> Result<String, Rejection> {
    Err(Rejection::internal("disk full"))
}

/// Returns a type of its own.
#[mcp_tool(public)]
async fn own() -> Shout {
    Shout("hello".to_owned())
}

fn main() {}
