//! `#[derive(Scopes)]`: reads an enum whose variants are scopes, and checks what they say of each other.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Attribute, Data, DeriveInput, Fields, LitStr, Meta, Path, Result, Token, Variant,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    token::Paren,
};

use crate::{
    attr,
    diag::{Diag, mistake},
    doc, keys, scopes,
};

const WRITE: &str = "write `#[scope(\"notes:read\")]`, with `implies(..)` and `step_up` if need be";

/// An enum as it was written.
pub(crate) struct Item {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Ident,
    variants: Vec<Declared>,
}

/// A variant as it was written.
struct Declared {
    variant: Ident,
    attrs: Vec<Attribute>,
    name: Option<LitStr>,
    implies: Vec<Ident>,
    step_up: bool,
}

/// An enum whose variants are scopes. One exists only if nothing was wrong with it.
pub(crate) struct Catalogue {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Ident,
    pub(crate) scopes: Vec<Scope>,
}

pub(crate) struct Scope {
    pub(crate) variant: Ident,
    pub(crate) name: String,
    pub(crate) description: String,
    /// The scopes that a holder of this one holds as well, by their positions.
    pub(crate) implies: Vec<usize>,
    pub(crate) step_up: bool,
}

/// The enum, if it is one that can be a catalogue.
pub(crate) fn parse(item: TokenStream, diag: &mut Diag) -> Option<Item> {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => {
            diag.push(error);
            return None;
        }
    };
    if !input.generics.params.is_empty() {
        let help = "remove the parameters: a scope is a name and nothing else";
        diag.error(&input.generics, "an enum of scopes cannot be generic", help);
        return None;
    }
    let Data::Enum(data) = input.data else {
        let help = "let it be an enum with one variant for each scope";
        diag.error(&input.ident, "`Scopes` can be derived for enums only", help);
        return None;
    };
    if data.variants.is_empty() {
        let what = format!("`{}` declares no scope", input.ident);
        diag.error(&input.ident, what, "add a variant for each scope");
    }
    let mut krate = None;
    for attr in input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("scopes"))
    {
        match attr.parse_args_with(crate_path) {
            Ok(path) => krate = Some(path),
            Err(_) => {
                let help = "write `#[scopes(crate = path::to::toolgate)]`";
                diag.error(
                    &attr.meta,
                    "this says nothing about an enum of scopes",
                    help,
                );
            }
        }
    }
    Some(Item {
        krate,
        name: input.ident,
        variants: data
            .variants
            .into_iter()
            .map(|variant| declared(variant, diag))
            .collect(),
    })
}

fn crate_path(input: ParseStream<'_>) -> Result<Path> {
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    input.call(Path::parse_mod_style)
}

fn declared(variant: Variant, diag: &mut Diag) -> Declared {
    if !matches!(variant.fields, Fields::Unit) {
        let help = "remove them: a scope is a name and nothing else";
        diag.error(&variant.fields, "a scope has no fields", help);
    }
    let mut declared = Declared {
        variant: variant.ident,
        attrs: variant.attrs,
        name: None,
        implies: Vec::new(),
        step_up: false,
    };
    let attrs = std::mem::take(&mut declared.attrs);
    let mut said = attrs.iter().filter(|attr| attr.path().is_ident("scope"));
    match said.next().map(|attr| &attr.meta) {
        None => {
            let what = format!("`{}` does not say which scope it is", declared.variant);
            diag.error(&declared.variant, what, WRITE);
        }
        Some(Meta::List(list)) => {
            let before = diag.count();
            attr::each(list.tokens.clone(), "a scope", diag, |input, diag| {
                declared.entry(input, diag)
            });
            if declared.name.is_none() && diag.count() == before {
                diag.error(list, "the scope has no name", WRITE);
            }
        }
        Some(meta) => diag.error(meta, "the scope has no name", WRITE),
    }
    for again in said {
        let what = format!("`{}` has two `#[scope]` attributes", declared.variant);
        diag.error(again.path(), what, "keep one of them");
    }
    declared.attrs = attrs;
    declared
}

impl Declared {
    /// `"notes:read"`, `implies(A, B)` or `step_up`.
    fn entry(&mut self, input: ParseStream<'_>, diag: &mut Diag) -> Result<()> {
        if input.peek(LitStr) {
            let name = attr::literal(input, "a scope is a string literal", WRITE)?;
            if self.name.replace(name.clone()).is_some() {
                attr::rest(input)?;
                let help = "declare a variant for each scope";
                return Err(mistake(name, "the scope has two names", help));
            }
        } else if input.peek(Ident::peek_any) {
            let key = input.call(Ident::parse_any)?;
            if key == "step_up" {
                self.step_up = true;
            } else if key == "implies" && input.peek(Paren) {
                let content;
                syn::parenthesized!(content in input);
                attr::each(content.parse()?, "a variant", diag, |input, _| {
                    self.implied(input)
                });
            } else {
                attr::rest(input)?;
                let what = match key.to_string().as_str() {
                    "implies" => "`implies` names no variants".to_owned(),
                    text => match keys::nearest(text, ["implies", "step_up"]) {
                        Some(meant) => {
                            format!("unknown key `{text}` in `#[scope]`; did you mean `{meant}`?")
                        }
                        None => format!("unknown key `{text}` in `#[scope]`"),
                    },
                };
                return Err(mistake(key, what, WRITE));
            }
        } else {
            let what = "expected the name of the scope, `implies(..)` or `step_up`";
            return Err(mistake(attr::rest(input)?, what, WRITE));
        }
        let more = attr::rest(input)?;
        if more.is_empty() {
            return Ok(());
        }
        Err(mistake(more, "expected `,`", WRITE))
    }

    /// A variant of the same enum.
    fn implied(&mut self, input: ParseStream<'_>) -> Result<()> {
        let tokens = attr::rest(input)?;
        let read = |input: ParseStream<'_>| input.call(Ident::parse_any);
        let Ok(variant) = read.parse2(tokens.clone()) else {
            let what = "expected a variant of this enum";
            return Err(mistake(
                tokens,
                what,
                "write its name alone: `implies(Read)`",
            ));
        };
        if self.implies.contains(&variant) {
            let what = format!("`{variant}` is named twice");
            return Err(mistake(variant, what, "keep one of them"));
        }
        self.implies.push(variant);
        Ok(())
    }
}

impl Catalogue {
    pub(crate) fn check(item: Item, diag: &mut Diag) -> Option<Self> {
        let variants: Vec<_> = item
            .variants
            .iter()
            .map(|declared| declared.variant.unraw().to_string())
            .collect();
        let mut names = Vec::new();
        let mut edges = Vec::new();
        let mut scopes = Vec::new();
        for declared in &item.variants {
            if let Some(name) = &declared.name {
                scopes::of_declaration(name, &mut names, diag);
            }
            let implies: Vec<(usize, &Ident)> = declared
                .implies
                .iter()
                .filter_map(|implied| Some((position(implied, &variants, diag)?, implied)))
                .collect();
            scopes.push(Scope {
                variant: declared.variant.clone(),
                name: declared
                    .name
                    .as_ref()
                    .map(LitStr::value)
                    .unwrap_or_default(),
                description: description(declared, diag),
                implies: implies.iter().map(|&(at, _)| at).collect(),
                step_up: declared.step_up,
            });
            edges.push(implies);
        }
        cycles(&variants, &edges, diag);
        diag.is_empty().then_some(Self {
            krate: item.krate,
            name: item.name,
            scopes,
        })
    }
}

/// The variant that `implied` names.
fn position(implied: &Ident, variants: &[String], diag: &mut Diag) -> Option<usize> {
    let text = implied.unraw().to_string();
    let found = variants.iter().position(|variant| *variant == text);
    if found.is_none() {
        let nearest = keys::nearest(&text, variants.iter().map(String::as_str));
        let what = match nearest {
            Some(meant) => format!("there is no scope `{text}` here; did you mean `{meant}`?"),
            None => format!("there is no scope `{text}` here"),
        };
        diag.error(implied, what, "name a variant of this enum");
    }
    found
}

fn description(declared: &Declared, diag: &mut Diag) -> String {
    let text = doc::text(&declared.attrs, "a scope", diag).unwrap_or_default();
    if text.is_empty() {
        let what = format!("scope `{}` has no description", declared.variant);
        let help = "write a doc comment above it, which people read when they consent: `/// Read your notes.`";
        diag.error(&declared.variant, what, help);
    }
    text
}

/// Reports each cycle once, at the first place from where it can be followed.
fn cycles(variants: &[String], edges: &[Vec<(usize, &Ident)>], diag: &mut Diag) {
    let mut reported = vec![false; variants.len()];
    for start in 0..variants.len() {
        if reported[start] {
            continue;
        }
        if let Some(path) = way(start, start, edges, &mut vec![false; variants.len()]) {
            let names: Vec<_> = path.iter().map(|&(at, _)| variants[at].as_str()).collect();
            path.iter().for_each(|&(at, _)| reported[at] = true);
            let what = format!(
                "`{0}` implies itself: {0}, {1}",
                variants[start],
                names.join(", ")
            );
            let help = "let the broader scope imply the narrower one, and not the other way around";
            diag.error(path[0].1, what, help);
        }
    }
}

/// The edges that lead from `from` to `to`, if any do.
fn way<'i>(
    from: usize,
    to: usize,
    edges: &[Vec<(usize, &'i Ident)>],
    seen: &mut Vec<bool>,
) -> Option<Vec<(usize, &'i Ident)>> {
    edges[from].iter().find_map(|&edge| {
        if edge.0 == to {
            return Some(vec![edge]);
        }
        if std::mem::replace(&mut seen[edge.0], true) {
            return None;
        }
        let mut path = vec![edge];
        path.extend(way(edge.0, to, edges, seen)?);
        Some(path)
    })
}
