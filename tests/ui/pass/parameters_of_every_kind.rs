// Everything the library can take from a call, in any order and behind any pattern.

use std::collections::HashMap;

use toolgate::{Call, FromCall, Rejection, prelude::*};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Pair {
    a: i64,
    b: i64,
}

#[derive(Clone)]
struct Trace;

struct Client(Option<String>);

impl FromCall for Client {
    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        let client = call.principal().and_then(|principal| principal.client_id());
        Ok(Self(client.map(str::to_owned)))
    }
}

mod inner {
    pub type Who = toolgate::Principal;
}

/// Takes nothing.
#[mcp_tool(public)]
async fn none() {}

/// Takes arguments apart.
#[mcp_tool(public)]
async fn pattern(Args(Pair { a, mut b }): Args<Pair>) -> String {
    b += a;
    b.to_string()
}

/// Takes all of them.
#[mcp_tool(scopes = "all.of.them")]
async fn all(
    _: Principal,
    State(counts): State<HashMap<String, u64>>,
    Args(pair): Args<Pair>,
    Extension(trace): Extension<Trace>,
    mut client: Client,
    context: rmcp::service::RequestContext<rmcp::RoleServer>,
) {
    let _ = (counts, pair.a, trace, client.0.take(), context);
}

/// Takes what there is.
#[mcp_tool(public)]
async fn maybe(who: Option<inner::Who>) -> String {
    who.map_or("nobody".to_owned(), |who| who.subject().to_owned())
}

fn main() {}
