// A deprecated tool is still served; only those who name it are warned.
#![deny(warnings)]

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
#[deprecated = "use `greet`"]
async fn hello() {}

/// Is gone soon.
#[deprecated]
struct Old;

#[allow(deprecated)]
impl toolgate::FromCall for Old {
    fn from_call(_: &mut toolgate::Call) -> Result<Self, toolgate::Rejection> {
        Ok(Self)
    }
}

/// Takes something that is gone soon.
#[mcp_tool(public)]
#[allow(deprecated)]
async fn takes_old(_: Old, _: Principal) {}

fn main() {}
