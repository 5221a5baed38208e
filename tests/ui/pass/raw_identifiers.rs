// A raw identifier gives its plain name to the tool.

use toolgate::prelude::*;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[allow(non_camel_case_types)]
struct r#struct {
    r#fn: String,
}

/// Says which type it is.
#[mcp_tool(public)]
async fn r#type(r#in: Args<r#struct>) -> String {
    r#in.0.r#fn
}

async fn used() -> String {
    r#type(Args(r#struct {
        r#fn: String::new(),
    }))
    .await
}

fn main() {}
