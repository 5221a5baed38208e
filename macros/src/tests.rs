//! What the macro makes of tokens, without a compiler around it.

mod expansion;
mod messages;
mod recovery;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What `#[mcp_tool(args)]` makes of `item`.
fn output(args: &str, item: &str) -> String {
    crate::declare_tool(tokens(args), &tokens(item)).to_string()
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("test input is made of tokens")
}

/// An error and the text it points at; `None` is the attribute itself.
type Mistake = (Option<String>, String);

/// What is wrong with a declaration.
fn mistakes(args: &str, item: &str) -> Vec<Mistake> {
    mistakes_in(crate::declare_tool(tokens(args), &tokens(item)))
}

/// What is wrong with an enum of scopes.
fn catalogue_mistakes(item: &str) -> Vec<Mistake> {
    mistakes_in(crate::declare_scopes(&tokens(item)))
}

fn mistakes_in(output: TokenStream) -> Vec<Mistake> {
    let output: Vec<TokenTree> = output.into_iter().collect();
    // `:: core :: compile_error ! { "message" }`, from the first to the last token it points at.
    output
        .windows(8)
        .filter(|window| matches!(&window[5], TokenTree::Ident(word) if word == "compile_error"))
        .map(|window| {
            let TokenTree::Group(group) = &window[7] else {
                panic!("`compile_error!` without its message");
            };
            assert_eq!(group.delimiter(), Delimiter::Brace);
            let message: syn::LitStr = syn::parse2(group.stream()).expect("a message");
            let span = window[0].span().join(group.span());
            (span.and_then(|span| span.source_text()), message.value())
        })
        .collect()
}
