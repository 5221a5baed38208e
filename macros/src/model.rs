//! What a declaration says, once it is known to be right.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{LitInt, LitStr, Path, Type, ext::IdentExt as _};

use crate::{
    attr::{self, Attr},
    diag::Diag,
    doc,
    item::Item,
    scopes::{self, Expr},
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
    pub(crate) acr: Vec<String>,
    pub(crate) max_age: Option<LitInt>,
    pub(crate) policy: Option<Path>,
    pub(crate) authorize: Option<Path>,
    pub(crate) list: Option<List>,
    pub(crate) params: Vec<Type>,
    pub(crate) params_span: Span,
    pub(crate) output: Option<Type>,
}

/// Who may call a tool.
pub(crate) enum Access {
    /// All of these.
    Scopes(Vec<Expr>),
    Authenticated,
    Public,
}

/// What callers who may not call a tool see of it.
#[derive(Clone, Copy)]
pub(crate) enum List {
    Show,
    Hide,
    Conceal,
}

impl Tool {
    pub(crate) fn check(attr: Attr, item: Item, diag: &mut Diag) -> Option<Self> {
        let conditions = [
            attr.acr.as_ref().map(|(key, _)| key),
            attr.max_age.as_ref().map(|(key, _)| key),
            attr.policy.as_ref().map(|(key, _)| key),
            attr.authorize.as_ref().map(|(key, _)| key),
        ];
        let public = attr.access.iter().any(|(key, _)| key == "public");
        for key in conditions.into_iter().flatten().filter(|_| public) {
            let what = format!("`{key}` contradicts `public`");
            diag.error(key, what, "write `authenticated` instead of `public`");
        }
        let acr = attr.acr.map(|(key, values)| acr(&key, &values, diag));
        let max_age = attr.max_age.map(|(_, seconds)| max_age(seconds, diag));
        let list = attr.list.and_then(|mode| list(&mode, diag));
        let access = access(&item.name, attr.access, diag);
        let name = name(&item.name, attr.name.as_ref(), diag);
        let title = attr.title.and_then(|title| non_empty(&title, diag));
        let description = description(&item, diag);
        let tool = Self {
            krate: attr.krate,
            access: access?,
            acr: acr.unwrap_or_default(),
            max_age,
            policy: attr.policy.map(|(_, path)| path),
            authorize: attr.authorize.map(|(_, path)| path),
            list,
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
        attr::Access::ScopeText(text) => {
            let names = scopes::of_text(&text, diag);
            Some(Access::Scopes(
                names.into_iter().map(Expr::Literal).collect(),
            ))
        }
        attr::Access::ScopeList(list) => Some(Access::Scopes(scopes::of_list(&first, list, diag))),
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

/// The values of `acr`: each is one of those that a challenge lists, between spaces and in quotes.
fn acr(key: &Ident, values: &[LitStr], diag: &mut Diag) -> Vec<String> {
    if values.is_empty() && diag.is_empty() {
        diag.error(key, "`acr` names no value", "write `acr = \"...\"`");
    }
    for value in values {
        let text = value.value();
        if text.is_empty() || !text.chars().all(scopes::is_scope_character) {
            let what = format!("`{}` is not an `acr` value", text.escape_debug());
            let help = if text.contains(' ') {
                "write each value as a literal of its own: `acr(\"...\", \"...\")`"
            } else {
                "use printable ASCII characters other than space, `\"` and `\\`"
            };
            diag.error(value, what, help);
        }
    }
    values.iter().map(LitStr::value).collect()
}

fn max_age(seconds: LitInt, diag: &mut Diag) -> LitInt {
    if seconds.base10_parse::<u64>().is_err() {
        let help = "write a number of seconds that means something, such as `300`";
        diag.error(&seconds, "`max_age` is too large", help);
    }
    seconds
}

fn list(mode: &LitStr, diag: &mut Diag) -> Option<List> {
    match mode.value().as_str() {
        "show" => Some(List::Show),
        "hide" => Some(List::Hide),
        "conceal" => Some(List::Conceal),
        other => {
            let what = format!("`{}` is no way to list a tool", other.escape_debug());
            let help = "write `\"show\"`, `\"hide\"` or `\"conceal\"`";
            diag.error(mode, what, help);
            None
        }
    }
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
    let text = doc::text(&item.attrs, "a tool", diag).unwrap_or_default();
    if text.is_empty() {
        let what = format!("tool `{}` has no description", item.name);
        let help = "write a doc comment above the function: `/// What it does.`";
        diag.error(&item.name, what, help);
    }
    text
}
