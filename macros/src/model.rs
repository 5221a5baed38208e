//! What a declaration says, once it is known to be right.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{LitStr, Path, Type, ext::IdentExt as _};

use crate::{
    attr::{self, Attr},
    diag::Diag,
    doc,
    item::Item,
    scopes,
};

/// A tool. One exists only if nothing was wrong with its declaration.
pub(crate) struct Tool {
    /// The path to the runtime crate, if it is not the usual one.
    pub(crate) krate: Option<Path>,
    pub(crate) function: Ident,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) access: Access,
    pub(crate) params: Vec<Type>,
    pub(crate) params_span: Span,
    pub(crate) output: Option<Type>,
}

/// Who may call a tool.
pub(crate) enum Access {
    Scopes(Vec<String>),
    Authenticated,
    Public,
}

impl Tool {
    pub(crate) fn check(attr: Attr, item: Item, diag: &mut Diag) -> Option<Self> {
        let access = access(&item.name, attr.access, diag);
        let name = name(&item.name, attr.name.as_ref(), diag);
        let title = attr.title.and_then(|title| non_empty(&title, diag));
        let description = description(&item, diag);
        let tool = Self {
            krate: attr.krate,
            access: access?,
            name,
            title,
            description,
            function: item.name,
            params: item.params,
            params_span: item.params_span,
            output: item.output,
        };
        diag.is_empty().then_some(tool)
    }
}

/// Exactly one of the keys that say who may call.
fn access(function: &Ident, given: Vec<(Ident, attr::Access)>, diag: &mut Diag) -> Option<Access> {
    let mut given = given.into_iter();
    let Some((first, access)) = given.next() else {
        let what = format!("tool `{function}` does not say who may call it");
        let help = "write `#[mcp_tool(scopes = \"...\")]`, or `#[mcp_tool(public)]` if anyone may";
        diag.missing(what, help);
        return None;
    };
    for (second, _) in given {
        let what = format!("`{second}` contradicts `{first}`");
        let help = "keep one of `scopes`, `authenticated` and `public`";
        diag.error(second, what, help);
    }
    match access {
        attr::Access::ScopeText(text) => Some(Access::Scopes(scopes::of_text(&text, diag))),
        attr::Access::ScopeList(list) => Some(Access::Scopes(scopes::of_list(&first, &list, diag))),
        attr::Access::Authenticated => Some(Access::Authenticated),
        attr::Access::Public => Some(Access::Public),
        attr::Access::Mistaken => None,
    }
}

/// The name of the tool: as given, or else that of the function.
fn name(function: &Ident, given: Option<&LitStr>, diag: &mut Diag) -> String {
    let rule = "1 to 128 characters of `A-Z a-z 0-9 _ - .`";
    let (name, at, help) = match given {
        Some(literal) => (
            literal.value(),
            literal.to_token_stream(),
            format!("use {rule}"),
        ),
        None => {
            let help = format!("write `#[mcp_tool(name = \"...\")]` with {rule}");
            (
                function.unraw().to_string(),
                function.to_token_stream(),
                help,
            )
        }
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() {
        diag.error(at, "the name is empty", help);
    } else if let Some(illegal) = name.chars().find(|&c| !legal(c)) {
        let (name, illegal) = (name.escape_debug(), illegal.escape_debug());
        let what = format!("`{name}` cannot be the name of a tool: it contains `{illegal}`");
        diag.error(at, what, help);
    } else if name.len() > 128 {
        diag.error(
            at,
            format_args!("the name has {} characters", name.len()),
            help,
        );
    }
    name
}

fn non_empty(title: &LitStr, diag: &mut Diag) -> Option<String> {
    let text = title.value();
    if text.trim().is_empty() {
        let help = "write what people should read, or leave `title` out";
        diag.error(title, "the title is empty", help);
    }
    Some(text)
}

fn description(item: &Item, diag: &mut Diag) -> String {
    let text = doc::text(&item.attrs, diag).unwrap_or_default();
    if text.is_empty() {
        let what = format!("tool `{}` has no description", item.name);
        let help = "write a doc comment above the function: `/// What it does.`";
        diag.error(&item.name, what, help);
    }
    text
}
