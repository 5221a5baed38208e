//! x
/// x
#[proc_macro_attribute]
pub fn mcp_tool(
    _args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    item
}
