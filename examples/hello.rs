//! The smallest server, on standard input and output: one tool for everybody, one that needs a scope.
//!
//! The caller is whoever the access token in `TOOLGATE_TOKEN` names; `ISSUER` names who may have issued it.
//! Without a token there is no caller, and `hello` still works because of `allow_anonymous`.

use toolgate::prelude::*;

/// Say hello.
#[mcp_tool(public)]
async fn hello() -> &'static str {
    "hello"
}

/// Tell the secret.
#[mcp_tool(scopes = "secrets:read")]
async fn secret(caller: Principal) -> String {
    format!("{} may know: it is 42", caller.subject())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), toolgate::ServeError> {
    tracing_subscriber::fmt()
        .with_env_filter("toolgate=info")
        .with_writer(std::io::stderr)
        .init();
    let issuer = std::env::var("ISSUER").unwrap_or_else(|_| "https://auth.example.com".into());
    Server::new("https://hello.example.com/mcp")
        .authorization_server(issuer)
        .allow_anonymous()
        .stdio()
        .await
}
