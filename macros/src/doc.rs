//! Reads the doc comment of a function as the plain text it was meant to be.

use syn::{Attribute, Expr, Lit, Meta};

use crate::diag::Diag;

/// The doc comment in `attrs`, which describes `thing`; `None` if there is none. Text that is not literal is
/// reported.
pub(crate) fn text(attrs: &[Attribute], thing: &str, diag: &mut Diag) -> Option<String> {
    let mut lines = Vec::new();
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        // `#[doc(hidden)]` and the like are no text.
        let Meta::NameValue(meta) = &attr.meta else {
            continue;
        };
        found = true;
        match literal(&meta.value) {
            Some(text) if text.contains('\n') => lines.extend(block(&text)),
            Some(text) => lines.push(text.strip_prefix(' ').unwrap_or(&text).to_owned()),
            None => {
                let what = format!("the description of {thing} must be literal text");
                let help = "write a doc comment above it: `/// What it does.`";
                diag.error(&meta.value, what, help);
                // Not missing as well.
                lines.push("?".to_owned());
            }
        }
    }
    found.then(|| lines.join("\n").trim().to_owned())
}

/// The string behind `expr`; a macro may have wrapped it in an invisible group.
fn literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Group(group) => literal(&group.expr),
        Expr::Lit(expr) => match &expr.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The lines of a `/** .. */` comment without its margin: a column of stars or the common indentation.
fn block(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let rest: Vec<&str> = lines.collect();
    let inner = || rest.iter().filter(|line| !line.trim().is_empty());
    let starred = inner().all(|line| line.trim_start().starts_with('*'));
    let indent = inner()
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let unmargined = rest.iter().map(|line| {
        let line = if starred {
            line.trim_start().trim_start_matches('*')
        } else {
            line.get(indent..).unwrap_or_default()
        };
        let line = if starred {
            line.strip_prefix(' ').unwrap_or(line)
        } else {
            line
        };
        line.trim_end().to_owned()
    });
    std::iter::once(first.trim().to_owned())
        .chain(unmargined)
        .collect()
}
