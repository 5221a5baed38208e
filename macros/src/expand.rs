//! Writes the declaration of a tool. This cannot fail, and it decides nothing.
//!
//! Spans make the messages. Tokens get the *place* of what they are about, so that rustc underlines
//! the user's type or function, and the *hygiene* of this macro, so that no lint takes them for the
//! user's own and no local name can clash.
//!
//! `#[cfg(..)]` and `#[cfg_attr(..)]` are not copied: rustc applies those of an item, wherever they
//! stand, before it runs the other attributes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Type, spanned::Spanned as _};

use crate::model::{Access, Tool};

/// `const _`, which holds the declaration and hands it to the registry.
pub(crate) fn tool(tool: &Tool) -> TokenStream {
    let here = Span::mixed_site();
    let krate = match &tool.krate {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(here=> ::toolgate),
    };
    let (name, description) = (&tool.name, &tool.description);
    let title = match &tool.title {
        Some(title) => quote_spanned!(here=> __rt::Option::Some(#title)),
        None => quote_spanned!(here=> __rt::Option::None),
    };
    let access = access(&tool.access);
    let signature = signature(tool);
    let call = call(tool);
    let location = location(tool);
    let one_args = one_args(tool);
    // What is deprecated was reported, or allowed, where the user wrote it.
    quote_spanned! {here=>
        #[allow(deprecated)]
        const _: () = {
            use #krate::__private as __rt;
            const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
                name: #name,
                title: #title,
                description: #description,
                access: #access,
                signature: #signature,
                call: #call,
                location: #location,
            };
            __rt::inventory::submit!(__TOOL);
            #one_args
        };
    }
}

fn access(access: &Access) -> TokenStream {
    let here = Span::mixed_site();
    match access {
        Access::Scopes(scopes) => quote_spanned!(here=> __rt::Access::Scopes(&[#(#scopes),*])),
        Access::Authenticated => quote_spanned!(here=> __rt::Access::Authenticated),
        Access::Public => quote_spanned!(here=> __rt::Access::Public),
    }
}

/// What the parameters and the result say about themselves.
fn signature(tool: &Tool) -> TokenStream {
    let params = tool.params.iter().map(|ty| {
        let from_call = from_call(ty);
        quote_spanned!(at(ty)=> #from_call::declare(__signature);)
    });
    let output = into_reply(tool);
    quote_spanned! {at(&tool.output)=>
        |__signature| {
            #(#params)*
            #output::declare(__signature);
        }
    }
}

/// One extraction for each parameter, then the function, then its result. The whole is placed at the
/// function's name: that is where a future that is not `Send` is reported.
fn call(tool: &Tool) -> TokenStream {
    let function = &tool.function;
    let here = Span::mixed_site().located_at(function.span());
    // Without parameters nothing takes from the call.
    let mutability = (!tool.params.is_empty()).then(|| quote_spanned!(here=> mut));
    let args: Vec<_> = (0..tool.params.len())
        .map(|n| quote::format_ident!("__arg{n}", span = here))
        .collect();
    let extractions = tool.params.iter().zip(&args).map(|(ty, arg)| {
        let from_call = from_call(ty);
        quote_spanned!(at(ty)=> let #arg = #from_call::from_call(&mut __call)?;)
    });
    let into_reply = into_reply(tool);
    quote_spanned! {here=>
        |#mutability __call| {
            __rt::Box::pin(async move {
                #(#extractions)*
                #into_reply::into_reply(#function(#(#args),*).await)
            })
        }
    }
}

/// The place of the function. These tokens have the very span of its name: with the macro's hygiene
/// they would name the place of the attribute.
fn location(tool: &Tool) -> TokenStream {
    let [file, line, column] = ["file", "line", "column"].map(|field| {
        let field = quote::format_ident!("{field}", span = tool.function.span());
        quote_spanned!(tool.function.span()=> __rt::#field!())
    });
    quote_spanned! {Span::mixed_site()=>
        __rt::Location { file: #file, line: #line, column: #column }
    }
}

/// The check that at most one of several parameters takes the arguments of the call.
fn one_args(tool: &Tool) -> Option<TokenStream> {
    let takes = tool.params.iter().map(|ty| {
        let from_call = from_call(ty);
        quote_spanned!(at(ty)=> #from_call::TAKES_ARGUMENTS)
    });
    let here = Span::mixed_site().located_at(tool.params_span);
    (tool.params.len() > 1)
        .then(|| quote_spanned!(here=> const _: () = __rt::at_most_one_args(&[#(#takes),*]);))
}

fn from_call(ty: &Type) -> TokenStream {
    quote_spanned!(at(ty)=> <#ty as __rt::FromCall>)
}

fn into_reply(tool: &Tool) -> TokenStream {
    match &tool.output {
        Some(ty) => quote_spanned!(at(ty)=> <#ty as __rt::IntoReply>),
        None => quote_spanned!(Span::mixed_site()=> <() as __rt::IntoReply>),
    }
}

/// The place of `tokens` with the hygiene of this macro.
fn at(tokens: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.span())
}
