// Generated code causes no warning, not even from lints that are off by default.
#![deny(warnings)]
#![deny(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    unused_results,
    absolute_paths_not_starting_with_crate,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    keyword_idents,
    let_underscore_drop,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    unit_bindings,
    unnameable_types,
    unsafe_code,
    unused_import_braces,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility
)]
//! Says hello.

use toolgate::prelude::*;

/// Says hello.
#[mcp_tool(public)]
async fn nothing() {}

/// Says hello.
#[mcp_tool(authenticated)]
async fn hello(who: Principal) -> String {
    who.subject().to_owned()
}

/// Says hello.
#[mcp_tool(scopes("a", "b"), title = "Hello", name = "say.hello")]
pub async fn public_hello(who: Principal, state: State<String>) -> Result<String, String> {
    Ok(format!("{} {}", who.subject(), *state))
}

fn main() {}
