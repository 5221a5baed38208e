//! Writes the declaration of a tool. This cannot fail, and it decides nothing.
//!
//! Spans make the messages. Tokens get the *place* of what they are about, so that rustc underlines
//! the user's type or function, and the *hygiene* of this macro, so that no lint takes them for the
//! user's own and no local name can clash.
//!
//! `#[cfg(..)]` and `#[cfg_attr(..)]` are not copied: rustc applies those of an item, wherever they
//! stand, before it runs the other attributes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Path, Type, spanned::Spanned as _};

use crate::{
    catalogue::Catalogue,
    model::{Access, List, Tool},
    scopes::Expr,
};

/// `const _`, which holds the declaration and hands it to the registry.
pub(crate) fn tool(tool: &Tool) -> TokenStream {
    let here = Span::mixed_site();
    let krate = krate(tool.krate.as_ref());
    let (name, description) = (&tool.name, &tool.description);
    let title = match &tool.title {
        Some(title) => quote_spanned!(here=> __rt::Option::Some(#title)),
        None => quote_spanned!(here=> __rt::Option::None),
    };
    let access = access(&tool.access);
    let options = options(tool);
    let signature = signature(tool);
    let call = call(tool);
    let location = location(&tool.function);
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
                options: #options,
                signature: #signature,
                call: #call,
                location: #location,
            };
            __rt::inventory::submit!(__TOOL);
            #one_args
        };
    }
}

/// `const _`, which makes an enum a catalogue of scopes and hands it to the registry.
pub(crate) fn catalogue(catalogue: &Catalogue) -> TokenStream {
    let here = Span::mixed_site();
    let krate = krate(catalogue.krate.as_ref());
    let name = &catalogue.name;
    let variants: Vec<_> = catalogue
        .scopes
        .iter()
        .map(|scope| &scope.variant)
        .collect();
    let indices = (0..variants.len()).map(proc_macro2::Literal::usize_unsuffixed);
    let scopes = catalogue.scopes.iter().map(|scope| {
        let (name, description, step_up) = (&scope.name, &scope.description, scope.step_up);
        let implies = scope
            .implies
            .iter()
            .filter_map(|&at| catalogue.scopes.get(at));
        let implies = implies.map(|scope| &scope.name);
        let location = location(&scope.variant);
        quote_spanned! {here=>
            __rt::ScopeDeclaration {
                name: #name,
                description: #description,
                implies: &[#(#implies),*],
                step_up: #step_up,
                location: #location,
            }
        }
    });
    quote_spanned! {here=>
        #[allow(deprecated)]
        const _: () = {
            use #krate::__private as __rt;
            const __SCOPES: &[__rt::ScopeDeclaration] = &[#(#scopes),*];
            impl __rt::Scopes for #name {
                const ALL: &'static [Self] = &[#(Self::#variants),*];
                const DECLARED: &'static [__rt::ScopeDeclaration] = __SCOPES;
                fn declaration(&self) -> &'static __rt::ScopeDeclaration {
                    match self {
                        #(Self::#variants => &__SCOPES[#indices],)*
                    }
                }
            }
            __rt::inventory::submit!(__rt::RegisteredScopes(__SCOPES));
        };
    }
}

/// The impl of an enum that is wrong: whoever names its variants must not be told that they are no scopes.
pub(crate) fn no_catalogue(krate_path: Option<&Path>, name: &Ident) -> TokenStream {
    let krate = krate(krate_path);
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            use #krate::__private as __rt;
            impl __rt::Scopes for #name {
                const ALL: &'static [Self] = &[];
                const DECLARED: &'static [__rt::ScopeDeclaration] = &[];
                fn declaration(&self) -> &'static __rt::ScopeDeclaration {
                    __rt::unreachable!()
                }
            }
        };
    }
}

/// The path to the runtime crate.
fn krate(given: Option<&Path>) -> TokenStream {
    match given {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(Span::mixed_site()=> ::toolgate),
    }
}

fn access(access: &Access) -> TokenStream {
    let here = Span::mixed_site();
    match access {
        Access::Scopes(scopes) => {
            let expr = match scopes.as_slice() {
                [one] => expr(one),
                all => list(&quote_spanned!(here=> __rt::Expr::All), all),
            };
            quote_spanned!(here=> __rt::Access::Scopes(#expr))
        }
        Access::Authenticated => quote_spanned!(here=> __rt::Access::Authenticated),
        Access::Public => quote_spanned!(here=> __rt::Access::Public),
    }
}

fn expr(scopes: &Expr) -> TokenStream {
    let here = Span::mixed_site();
    match scopes {
        Expr::Literal(name) => quote_spanned!(here=> __rt::Expr::Scope(#name)),
        Expr::Path(path) => {
            let scope = quote_spanned!(at(path)=> __rt::scope(#path));
            quote_spanned!(here=> __rt::Expr::Variant(|| #scope))
        }
        Expr::All(all) => list(&quote_spanned!(here=> __rt::Expr::All), all),
        Expr::Any(any) => list(&quote_spanned!(here=> __rt::Expr::Any), any),
    }
}

fn list(combination: &TokenStream, scopes: &[Expr]) -> TokenStream {
    let scopes = scopes.iter().map(expr);
    quote_spanned!(Span::mixed_site()=> #combination(&[#(#scopes),*]))
}

/// What most tools don't say.
fn options(tool: &Tool) -> TokenStream {
    let here = Span::mixed_site();
    let mut said = Vec::new();
    if !tool.acr.is_empty() {
        let acr = &tool.acr;
        said.push(quote_spanned!(here=> acr: &[#(#acr),*]));
    }
    if let Some(seconds) = &tool.max_age {
        said.push(quote_spanned!(here=> max_age: __rt::Option::Some(#seconds)));
    }
    if let Some(path) = &tool.policy {
        let policy = quote_spanned!(at(path)=> __rt::policy(#path));
        said.push(quote_spanned!(here=> policy: __rt::Option::Some(|| #policy)));
    }
    if tool.authorize.is_some() {
        said.push(quote_spanned!(here=> authorize: true));
    }
    if let Some(list) = tool.list {
        let mode = match list {
            List::Show => quote_spanned!(here=> Show),
            List::Hide => quote_spanned!(here=> Hide),
            List::Conceal => quote_spanned!(here=> Conceal),
        };
        said.push(quote_spanned!(here=> list: __rt::Option::Some(__rt::ListMode::#mode)));
    }
    if said.is_empty() {
        return quote_spanned!(here=> __rt::Options::NONE);
    }
    quote_spanned!(here=> __rt::Options { #(#said,)* ..__rt::Options::NONE })
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
    let takes = !tool.params.is_empty() || tool.authorize.is_some();
    let mutability = takes.then(|| quote_spanned!(here=> mut));
    let args: Vec<_> = (0..tool.params.len())
        .map(|n| quote::format_ident!("__arg{n}", span = here))
        .collect();
    let extractions = tool.params.iter().zip(&args).map(|(ty, arg)| {
        let from_call = from_call(ty);
        quote_spanned!(at(ty)=> let #arg = #from_call::from_call(&mut __call)?;)
    });
    let authorize = tool.authorize.as_ref().map(|path| authorize(path, &args));
    let into_reply = into_reply(tool);
    quote_spanned! {here=>
        |#mutability __call| {
            __rt::Box::pin(async move {
                #(#extractions)*
                #authorize
                #into_reply::into_reply(#function(#(#args),*).await)
            })
        }
    }
}

/// Asks the function at `path`, which sees the caller and the arguments, before the tool runs.
fn authorize(path: &Path, args: &[Ident]) -> TokenStream {
    let here = Span::mixed_site();
    let args = args.iter().rev().fold(
        quote_spanned!(here=> ()),
        |rest, arg| quote_spanned!(here=> (&#arg, #rest)),
    );
    let asked = quote_spanned!(at(path)=> #path(&__caller, __rt::arguments(&#args)));
    let answered = quote_spanned!(at(path)=> __rt::authorize(&__caller, || #asked).await?;);
    quote_spanned! {here=>
        let __caller = __call.caller()?;
        #answered
        __call.permit();
    }
}

/// The place of `name`. These tokens have its very span: with the macro's hygiene they would name the
/// place of the attribute.
fn location(name: &Ident) -> TokenStream {
    let [file, line, column] = ["file", "line", "column"].map(|field| {
        let field = quote::format_ident!("{field}", span = name.span());
        quote_spanned!(name.span()=> __rt::#field!())
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
