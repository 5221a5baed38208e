// Another crate may offer the runtime under its own name: `crate = ..` finds it there.

use facade::gate::prelude::*;

mod facade {
    pub use ::toolgate as gate;

    /// As a macro of that crate would do it.
    #[macro_export]
    macro_rules! greeter {
        ($name:ident) => {
            /// Says hello.
            #[$crate::facade::gate::mcp_tool(public, crate = $crate::facade::gate)]
            async fn $name() -> &'static str {
                "hello"
            }
        };
    }
}

// A name for the path, and the usual name for something else.
use facade::gate as my_gate;
mod toolgate {}

/// Says hello.
#[mcp_tool(public, crate = my_gate)]
async fn by_name() {}

/// Says hello.
#[mcp_tool(public, crate = crate::facade::gate)]
async fn by_path() {}

/// Says hello.
#[mcp_tool(public, crate = ::toolgate)]
async fn by_extern_path() {}

greeter!(by_macro);

fn main() {}
