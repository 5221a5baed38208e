//! The rules for scope literals.
//!
//! A scope token is one or more printable ASCII characters other than space, `"` and `\`
//! ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)); several of them are separated
//! by single spaces. What is legal but means everything, or nothing to a tool, is refused as well.

use proc_macro2::Ident;
use syn::{LitStr, Path};

use crate::{attr::Scope, diag::Diag};

const NAME_IT: &str = "name what the tool does, such as `notes:write`";

/// The scopes of `scopes = "a b"`.
pub(crate) fn of_text(text: &LitStr, diag: &mut Diag) -> Vec<String> {
    let value = text.value();
    let names: Vec<&str> = value.split(' ').filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        empty(text, diag);
        return Vec::new();
    }
    let single = names.join(" ");
    if single != value {
        let help = format!("write `\"{}\"`", single.escape_debug());
        diag.error(
            text,
            "scopes are separated by single spaces, with none around them",
            help,
        );
    }
    let mut scopes = Vec::new();
    for name in names {
        check(text, name, &mut scopes, diag);
    }
    scopes
}

/// An expression of scopes that says something.
pub(crate) enum Expr {
    Literal(String),
    /// A variant of an enum: rustc knows whether there is one.
    Path(Path),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// The scopes of `scopes("a", B)`, or of `all("a", B)` and its like, which begin with `key`.
pub(crate) fn of_list(key: &Ident, list: Vec<Scope>, diag: &mut Diag) -> Vec<Expr> {
    if list.is_empty() && diag.is_empty() {
        empty(key, diag);
    }
    let mut names = Vec::new();
    let expr = |scope| match scope {
        Scope::Literal(literal) => {
            match literal.value() {
                name if name.is_empty() => empty(&literal, diag),
                name => check(&literal, &name, &mut names, diag),
            }
            Expr::Literal(literal.value())
        }
        Scope::Path(path) => Expr::Path(path),
        Scope::All(word, list) => Expr::All(of_list(&word, list, diag)),
        Scope::Any(word, list) => Expr::Any(of_list(&word, list, diag)),
    };
    list.into_iter().map(expr).collect()
}

/// The name of a scope that is being declared. `names` are those that were.
pub(crate) fn of_declaration(literal: &LitStr, names: &mut Vec<String>, diag: &mut Diag) {
    match literal.value() {
        name if name.is_empty() => diag.error(literal, "the scope has no name", NAME_IT),
        name => check(literal, &name, names, diag),
    }
}

fn empty(at: impl quote::ToTokens, diag: &mut Diag) {
    let help = format!("{NAME_IT}; write `authenticated` if any valid token will do");
    diag.error(at, "no scope is named", help);
}

/// Adds `name` to `scopes` if it may be a scope of a tool.
fn check(literal: &LitStr, name: &str, scopes: &mut Vec<String>, diag: &mut Diag) {
    let shown = name.escape_debug();
    if let Some(illegal) = name.chars().find(|&c| !is_scope_character(c)) {
        let what = format!(
            "`{shown}` is not a scope: it contains `{}`",
            illegal.escape_debug()
        );
        let help = if illegal == ' ' {
            "write each scope as a literal of its own: `\"...\", \"...\"`"
        } else {
            "use printable ASCII characters other than space, `\"` and `\\` (RFC 6749 §3.3)"
        };
        diag.error(literal, what, help);
    } else if ["offline_access", "openid"].contains(&name) {
        let what = format!("`{name}` is not a scope of a tool");
        let help = "leave it out: it is between a client and its authorization server";
        diag.error(literal, what, help);
    } else if ["*", "all", "full-access", "full_access"]
        .contains(&name.to_ascii_lowercase().as_str())
    {
        diag.error(
            literal,
            format_args!("scope `{name}` stands for everything"),
            NAME_IT,
        );
    } else if scopes.iter().any(|scope| scope == name) {
        let what = format!("scope `{name}` is named twice");
        diag.error(literal, what, "keep one of them");
    } else {
        scopes.push(name.to_owned());
    }
}

/// %x21 / %x23-5B / %x5D-7E
pub(crate) fn is_scope_character(c: char) -> bool {
    matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e')
}
