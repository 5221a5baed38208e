// A call has one set of arguments.

use toolgate::prelude::*;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Greet {
    name: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Language {
    code: String,
}

/// Says hello.
#[mcp_tool(public)]
async fn hello(Args(greet): Args<Greet>, Args(language): Args<Language>) -> String {
    format!("{} {}", greet.name, language.code)
}

fn main() {}
