//! Reads the function under the attribute: its attributes and its signature, never its body.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Error, FnArg, ReturnType, Signature, Type, Visibility,
    parse::{ParseStream, Parser as _},
};

use crate::diag::Diag;

const OWNED: &str = "take owned values: `Principal`, `State<T>`, `Args<T>`";

/// A function whose signature can be that of a tool.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) params: Vec<Type>,
    /// The parentheses around the parameters and what is between them.
    pub(crate) params_span: Span,
    /// `None` stands for `()`.
    pub(crate) output: Option<Type>,
}

/// The function, if its signature can be read; every rule it breaks is reported.
pub(crate) fn parse(item: TokenStream, diag: &mut Diag) -> Option<Item> {
    let read = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let head = input.fork();
        let signature = if is_function(&head) {
            Ok(input.parse::<Signature>()?)
        } else {
            Err(head.parse::<TokenTree>().ok())
        };
        input.parse::<TokenStream>()?;
        Ok((attrs, signature))
    };
    match read.parse2(item) {
        Ok((attrs, Ok(signature))) => Some(check(attrs, signature, diag)),
        Ok((_, Err(found))) => {
            let help = "put it above an `async fn`";
            diag.error(found, "`#[mcp_tool]` is not above a function", help);
            None
        }
        // Mostly half typed, and rustc says what is missing. It is reported here as well, because a
        // signature that only rustc can read must not be left out in silence.
        Err(error) => {
            let what = "cannot read the signature of this tool";
            let help = "complete it; a tool is an `async fn` with owned parameters";
            diag.push(Error::new(
                error.span(),
                format_args!("{what}\nhelp: {help}"),
            ));
            None
        }
    }
}

/// Whether qualifiers and then `fn` follow.
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while let Ok(token) = ahead.parse::<TokenTree>() {
        match token {
            TokenTree::Ident(word) if word == "fn" => return true,
            TokenTree::Ident(word)
                if [
                    "const", "async", "unsafe", "safe", "extern", "default", "gen",
                ]
                .iter()
                .any(|qualifier| word == qualifier) => {}
            // The ABI after `extern`.
            TokenTree::Literal(_) => {}
            _ => return false,
        }
    }
    false
}

fn check(attrs: Vec<Attribute>, signature: Signature, diag: &mut Diag) -> Item {
    let name = signature.ident;
    for attr in &attrs {
        let last = attr.path().segments.last();
        if last.is_some_and(|segment| segment.ident == "mcp_tool") {
            let what = format!("tool `{name}` has two `#[mcp_tool]` attributes");
            diag.error(attr.path(), what, "keep one of them");
        }
    }
    if let Some(keyword) = &signature.constness {
        diag.error(keyword, "a tool cannot be `const`", "remove `const`");
    }
    if signature.asyncness.is_none() {
        let what = format!("tool `{name}` is not async");
        diag.error(
            signature.fn_token,
            what,
            format_args!("write `async fn {name}`"),
        );
    }
    if let syn::Safety::Unsafe(keyword) = &signature.safety {
        diag.error(
            keyword,
            "a tool cannot be `unsafe`",
            "remove `unsafe`: its caller is remote",
        );
    }
    if let Some(abi) = &signature.abi {
        diag.error(abi, "a tool cannot be `extern`", "remove the ABI");
    }
    if !signature.generics.params.is_empty() {
        let help = "use concrete, owned types";
        diag.error(&signature.generics, "a tool cannot be generic", help);
    }
    if let Some(variadic) = &signature.variadic {
        diag.error(
            variadic.dots,
            "a tool cannot be variadic",
            "remove the `...`",
        );
    }
    let params_span = signature.paren_token.span.join();
    let params = signature.inputs.into_iter();
    let params = params.filter_map(|param| parameter(param, diag)).collect();
    let output = match signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => {
            if let Some(keyword) = impl_keyword(ty.to_token_stream()) {
                let help = "write the type, such as `String`, `Json<T>` or `Result<String, E>`";
                diag.error(keyword, "a tool cannot return `impl Trait`", help);
            }
            Some(*ty)
        }
    };
    Item {
        attrs,
        name,
        params,
        params_span,
        output,
    }
}

/// The type of a parameter.
fn parameter(param: FnArg, diag: &mut Diag) -> Option<Type> {
    let param = match param {
        FnArg::Typed(param) => param,
        FnArg::Receiver(receiver) => {
            let what = "a tool cannot be a method";
            let help = "a tool is a free function: take `State<T>` instead of `self`";
            diag.error(receiver.self_token, what, help);
            return None;
        }
    };
    // rustc refuses doc comments here itself.
    for attr in param
        .attrs
        .iter()
        .filter(|attr| !attr.path().is_ident("doc"))
    {
        let help = "remove it, or put `#[cfg(..)]` on the function";
        diag.error(
            attr,
            "attributes on a tool's parameters are not supported",
            help,
        );
    }
    if let Type::Reference(reference) = ungrouped(&param.ty) {
        diag.error(reference, "a tool cannot take a reference", OWNED);
    } else if let Some(keyword) = impl_keyword(param.ty.to_token_stream()) {
        diag.error(keyword, "a tool cannot take `impl Trait`", OWNED);
    }
    Some(*param.ty)
}

/// The type without parentheses, and without the invisible ones around what a macro was given.
fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

/// The first `impl` in a type. It is a reserved word, so it can be nothing but `impl Trait`.
fn impl_keyword(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "impl" => Some(word),
        TokenTree::Group(group) => impl_keyword(group.stream()),
        _ => None,
    })
}
