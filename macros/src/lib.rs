//! The attribute macros of toolgate. Use them through the `toolgate` crate, which documents them.
#![deny(missing_docs)]

mod attr;
mod catalogue;
mod diag;
mod doc;
mod expand;
mod item;
mod keys;
mod model;
mod scopes;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;

/// Declares an async function as an MCP tool and says who may call it.
#[proc_macro_attribute]
pub fn mcp_tool(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    declare_tool(args.into(), &item.into()).into()
}

/// The item as it came, followed by its declaration or by what is wrong with it.
pub(crate) fn declare_tool(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diag = diag::Diag::default();
    let attr = attr::parse(args, &mut diag);
    let code = item::parse(item.clone(), &mut diag)
        .and_then(|item| model::Tool::check(attr, item, &mut diag))
        .map(|tool| expand::tool(&tool));
    let errors = diag.into_compile_errors();
    quote!(#item #code #errors)
}

/// Makes an enum a catalogue of scopes.
#[proc_macro_derive(Scopes, attributes(scope, scopes))]
pub fn derive_scopes(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    declare_scopes(&item.into()).into()
}

/// The impl of a catalogue, and what is wrong with it.
pub(crate) fn declare_scopes(item: &TokenStream) -> TokenStream {
    let mut diag = diag::Diag::default();
    let code = catalogue::parse(item.clone(), &mut diag).map(|item| {
        let (krate, name) = (item.krate.clone(), item.name.clone());
        match catalogue::Catalogue::check(item, &mut diag) {
            Some(catalogue) => expand::catalogue(&catalogue),
            None => expand::no_catalogue(krate.as_ref(), &name),
        }
    });
    let errors = diag.into_compile_errors();
    quote!(#code #errors)
}
