//! Parses the arguments of `#[mcp_tool(..)]`: keys and values, separated by commas.
//!
//! The arguments are cut at their commas first, so a mistake in one of them never hides another.

use proc_macro2::{Ident, Punct, TokenStream, TokenTree};
use syn::{
    LitInt, LitStr, Path, Result, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    token::Paren,
};

use crate::{
    diag::{Diag, mistake},
    keys,
};

/// The arguments as they were written.
#[derive(Default)]
pub(crate) struct Attr {
    /// Who may call: every key that says so, with the mistaken ones.
    pub(crate) access: Vec<(Ident, Access)>,
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) acr: Option<(Ident, Vec<LitStr>)>,
    pub(crate) max_age: Option<(Ident, LitInt)>,
    pub(crate) policy: Option<(Ident, Path)>,
    pub(crate) authorize: Option<(Ident, Path)>,
    pub(crate) list: Option<LitStr>,
    /// The path to the runtime crate.
    pub(crate) krate: Option<Path>,
}

/// Who may call, as it was written.
pub(crate) enum Access {
    /// `scopes = "a b"`
    ScopeText(LitStr),
    /// `scopes("a", B)`, and `scopes = A` as a list of one.
    ScopeList(Vec<Scope>),
    /// `authenticated`
    Authenticated,
    /// `public`
    Public,
    /// Something that was meant to say who may call and is reported already.
    Mistaken,
}

/// An expression of scopes, as it was written.
pub(crate) enum Scope {
    /// `"a"`
    Literal(LitStr),
    /// `Scope::A`
    Path(Path),
    /// `all(..)`
    All(Ident, Vec<Self>),
    /// `any(..)`
    Any(Ident, Vec<Self>),
}

pub(crate) fn parse(args: TokenStream, diag: &mut Diag) -> Attr {
    let mut attr = Attr::default();
    let mut given = Vec::new();
    each(args, "a key", diag, |input, diag| {
        attr.entry(input, &mut given, diag)
    });
    attr
}

/// Reads what is between commas, one by one. A mistake in one of them ends with its comma.
pub(crate) fn each(
    tokens: TokenStream,
    what: &str,
    diag: &mut Diag,
    mut read: impl FnMut(ParseStream<'_>, &mut Diag) -> Result<()>,
) {
    for (entry, comma) in split(tokens) {
        if entry.is_empty() {
            let what = format!("expected {what} before this comma");
            diag.error(comma, what, "remove the comma");
            continue;
        }
        let read = |input: ParseStream<'_>| read(input, diag);
        if let Err(error) = read.parse2(entry) {
            diag.push(error);
        }
    }
}

/// The stretches between commas, each with the comma that ends it. A comma at the very end is fine.
fn split(tokens: TokenStream) -> Vec<(TokenStream, Option<Punct>)> {
    let mut entries = Vec::new();
    let mut entry = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                entries.push((std::mem::take(&mut entry), Some(comma)));
            }
            token => entry.extend([token]),
        }
    }
    if !entry.is_empty() {
        entries.push((entry, None));
    }
    entries
}

impl Attr {
    /// One key with its value.
    fn entry(
        &mut self,
        input: ParseStream<'_>,
        given: &mut Vec<Ident>,
        diag: &mut Diag,
    ) -> Result<()> {
        if input.peek(LitStr) {
            // A scope without its key; who may call is not missing as well.
            let literal: LitStr = input.parse()?;
            rest(input)?;
            let key = Ident::new("scopes", literal.span());
            self.access.push((key, Access::Mistaken));
            let help = "write `scopes = \"...\"`";
            return Err(mistake(literal, "expected a key before this value", help));
        }
        if !input.peek(Ident::peek_any) {
            let help = format!("the keys are {}", keys::list());
            return Err(mistake(rest(input)?, "expected a key", help));
        }
        let key = input.call(Ident::parse_any)?;
        if given.contains(&key) {
            let help = if key == "scopes" {
                "write all of them in one list: `scopes(\"a\", \"b\")`"
            } else {
                "keep one of them"
            };
            rest(input)?;
            return Err(mistake(&key, format_args!("`{key}` is given twice"), help));
        }
        given.push(key.clone());
        match key.to_string().as_str() {
            "scopes" => {
                let access = scopes(&key, input, diag).unwrap_or_else(|error| {
                    diag.push(error);
                    Access::Mistaken
                });
                self.access.push((key, access));
            }
            "authenticated" => self.word(key, Access::Authenticated, input)?,
            "public" => self.word(key, Access::Public, input)?,
            "name" => self.name = Some(string(&key, input)?),
            "title" => self.title = Some(string(&key, input)?),
            "acr" => self.acr = Some((key.clone(), strings(&key, input, diag)?)),
            "max_age" => self.max_age = Some((key.clone(), seconds(&key, input)?)),
            "policy" => self.policy = Some((key.clone(), path(&key, input)?)),
            "authorize" => self.authorize = Some((key.clone(), path(&key, input)?)),
            "list" => self.list = Some(string(&key, input)?),
            "crate" => self.krate = Some(path(&key, input)?),
            _ => return Err(self.unknown(key, input)),
        }
        if input.is_empty() {
            return Ok(());
        }
        let next: TokenTree = input.parse()?;
        rest(input)?;
        let help = "put a comma between keys, and write several scopes as `scopes(\"a\", \"b\")`";
        Err(mistake(next, "expected `,`", help))
    }

    /// A key without a value.
    fn word(&mut self, key: Ident, access: Access, input: ParseStream<'_>) -> Result<()> {
        let result = if input.peek(Token![=]) || input.peek(Paren) {
            let what = format!("`{key}` takes no value");
            let help = format!("write `{key}` alone, or leave it out");
            Err(mistake(rest(input)?, what, help))
        } else {
            Ok(())
        };
        self.access.push((key, access));
        result
    }

    /// A key that does not exist. If it was meant to say who may call, that is not missing as well.
    fn unknown(&mut self, key: Ident, input: ParseStream<'_>) -> syn::Error {
        if let Err(error) = rest(input) {
            return error;
        }
        let text = key.unraw().to_string();
        let what = format!("unknown key `{text}` in `#[mcp_tool]`");
        if ["description", "desc", "doc", "about"].contains(&text.as_str()) {
            let help = "the doc comment of the function is the description: `/// What it does.`";
            return mistake(key, what, help);
        }
        let Some((meant, example)) = keys::meant_by(&text) else {
            return mistake(key, what, format_args!("the keys are {}", keys::list()));
        };
        let what = format!("{what}; did you mean `{meant}`?");
        let error = mistake(&key, what, format_args!("write `{example}`"));
        if ["scopes", "authenticated", "public"].contains(&meant) {
            self.access.push((key, Access::Mistaken));
        }
        error
    }
}

/// `= "a b"`, `= A`, `= any("a", B)` or `("a", B)`.
fn scopes(key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> Result<Access> {
    if input.peek(Paren) {
        return scope_list(input, diag).map(Access::ScopeList);
    }
    equals(key, input)?;
    if input.peek(LitStr) {
        let what = "a scope is a string literal";
        return literal(input, what, "write `scopes = \"...\"`").map(Access::ScopeText);
    }
    let help = "write `scopes = \"...\"`, or `scopes(\"...\", \"...\")` for several";
    scope(input, help, diag).map(|scope| Access::ScopeList(vec![scope]))
}

/// `("a", B)`; a mistake in one of them is reported and leaves the others.
fn scope_list(input: ParseStream<'_>, diag: &mut Diag) -> Result<Vec<Scope>> {
    let content;
    syn::parenthesized!(content in input);
    let mut list = Vec::new();
    each(content.parse()?, "a scope", diag, |input, diag| {
        let scope = scope(input, "write it in quotes: `\"...\"`", diag)?;
        let more = rest(input)?;
        if !more.is_empty() {
            return Err(mistake(more, "expected `,`", "put a comma between scopes"));
        }
        list.push(scope);
        Ok(())
    });
    Ok(list)
}

/// `"a"`, `A`, `all(..)` or `any(..)`.
fn scope(input: ParseStream<'_>, help: &str, diag: &mut Diag) -> Result<Scope> {
    let what = "a scope is a string literal or a path";
    if input.peek(LitStr) {
        return literal(input, what, help).map(Scope::Literal);
    }
    let ahead = input.fork();
    let Ok(path) = ahead.call(Path::parse_mod_style) else {
        return Err(mistake(rest(input)?, what, help));
    };
    if !ahead.peek(Paren) {
        return input.call(Path::parse_mod_style).map(Scope::Path);
    }
    let combination: fn(Ident, Vec<Scope>) -> Scope = match path.get_ident() {
        Some(word) if word == "all" => Scope::All,
        Some(word) if word == "any" => Scope::Any,
        _ => {
            rest(input)?;
            let what = "this does not combine scopes";
            return Err(mistake(path, what, "write `all(..)` or `any(..)`"));
        }
    };
    let word = input.parse()?;
    Ok(combination(word, scope_list(input, diag)?))
}

/// `= ".."` or `("..", "..")`
fn strings(key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> Result<Vec<LitStr>> {
    if !input.peek(Paren) {
        return string(key, input).map(|string| vec![string]);
    }
    let content;
    syn::parenthesized!(content in input);
    let mut list = Vec::new();
    each(content.parse()?, "a value", diag, |input, _| {
        let what = format!("a value of `{key}` is a string literal");
        let string = literal(input, &what, "write it in quotes: `\"...\"`")?;
        let more = rest(input)?;
        if !more.is_empty() {
            return Err(mistake(more, "expected `,`", "put a comma between values"));
        }
        list.push(string);
        Ok(())
    });
    Ok(list)
}

/// `= 300`
fn seconds(key: &Ident, input: ParseStream<'_>) -> Result<LitInt> {
    equals(key, input)?;
    let what = format!("the value of `{key}` is a whole number of seconds");
    let help = format!("write `{key} = 300`");
    let value = input.fork();
    match input.parse::<LitInt>() {
        Ok(seconds) if seconds.suffix().is_empty() && !seconds.base10_digits().starts_with('-') => {
            Ok(seconds)
        }
        _ => {
            rest(input)?;
            Err(mistake(rest(&value)?, what, help))
        }
    }
}

/// `= ".."`
fn string(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    equals(key, input)?;
    let what = format!("the value of `{key}` is a string literal");
    literal(input, &what, &format!("write `{key} = \"...\"`"))
}

/// `= path`
fn path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    equals(key, input)?;
    let value = input.fork();
    input.call(Path::parse_mod_style).or_else(|_| {
        rest(input)?;
        let what = format!("the value of `{key}` is a path");
        let help = format!("write it without quotes: `{}`", keys::example(key));
        Err(mistake(rest(&value)?, what, help))
    })
}

/// The `=` between a key and a value, both of which have to be there.
fn equals(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    let example = keys::example(key);
    if !input.is_empty() && !input.peek(Token![=]) {
        let what = format!("expected `=` after `{key}`");
        return Err(mistake(
            rest(input)?,
            what,
            format_args!("write `{example}`"),
        ));
    }
    input.parse::<Option<Token![=]>>()?;
    if input.is_empty() {
        let what = format!("`{key}` has no value");
        return Err(mistake(key, what, format_args!("write `{example}`")));
    }
    Ok(())
}

/// A plain string literal; anything else is `what` is wrong.
pub(crate) fn literal(input: ParseStream<'_>, what: &str, help: &str) -> Result<LitStr> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        if literal.suffix().is_empty() {
            return Ok(literal);
        }
        rest(input)?;
        return Err(mistake(literal, what, "remove the suffix of the literal"));
    }
    Err(mistake(rest(input)?, what, help))
}

/// What is left of the entry.
pub(crate) fn rest(input: ParseStream<'_>) -> Result<TokenStream> {
    input.parse()
}
