//! What is said about mistakes, and where. The texts are compared in `tests/ui/fail` as well, with the
//! compiler's own; here, several at once, and their places.

use super::{Mistake, catalogue_mistakes, mistakes, output};

const HELLO: &str = "/// Says hello.\nasync fn hello() {}";

/// The places and the first lines of the messages.
fn summary(args: &str, item: &str) -> Vec<(String, String)> {
    let summary = |(place, message): Mistake| {
        let what = message.lines().next().unwrap_or_default().to_owned();
        (place.unwrap_or_else(|| "#[mcp_tool]".to_owned()), what)
    };
    mistakes(args, item).into_iter().map(summary).collect()
}

/// Everything that can be wrong with an enum of scopes, at once.
const CATALOGUE: &str = "#[scopes(prefix)] enum Scope {
    A,
    /// B
    #[scope] B(u8),
    /// C
    #[scope(\"c d\", implies(A, A, \"b\", Z, Bb), stepup, 3, \"x\", step_up 4)]
    #[scope(\"again\")] C,
    /// D
    #[scope(\"d\", implies(E))] D,
    /// E
    #[scope(\"d\", implies(D))] E,
    /// F
    #[scope(\"f\", implies(F), implies)] F,
}";

#[test]
fn all_mistakes_of_an_enum_of_scopes_are_reported_at_their_tokens() {
    let found: Vec<_> = catalogue_mistakes(CATALOGUE)
        .into_iter()
        .map(|(place, message)| {
            let what = message.lines().next().unwrap_or_default().to_owned();
            (place.unwrap_or_default(), what)
        })
        .collect();
    let found: Vec<_> = found.iter().map(|(at, what)| (&**at, &**what)).collect();
    let expected = [
        (
            "scopes(prefix)",
            "this says nothing about an enum of scopes",
        ),
        ("A", "`A` does not say which scope it is"),
        ("(u8)", "a scope has no fields"),
        ("scope", "the scope has no name"),
        ("A", "`A` is named twice"),
        ("\"b\"", "expected a variant of this enum"),
        (
            "stepup",
            "unknown key `stepup` in `#[scope]`; did you mean `step_up`?",
        ),
        (
            "3",
            "expected the name of the scope, `implies(..)` or `step_up`",
        ),
        ("\"x\"", "the scope has two names"),
        ("4", "expected `,`"),
        ("scope", "`C` has two `#[scope]` attributes"),
        ("implies", "`implies` names no variants"),
        ("A", "scope `A` has no description"),
        ("Z", "there is no scope `Z` here"),
        ("Bb", "there is no scope `Bb` here"),
        ("\"d\"", "scope `d` is named twice"),
        ("E", "`D` implies itself: D, E, D"),
        ("F", "`F` implies itself: F, F"),
    ];
    assert_eq!(found, expected);
}

fn assert_summary(args: &str, item: &str, expected: &[(&str, &str)]) {
    let found = summary(args, item);
    let found: Vec<_> = found
        .iter()
        .map(|(place, what)| (&**place, &**what))
        .collect();
    assert_eq!(found, expected, "#[mcp_tool({args})] {item}");
}

#[test]
fn all_mistakes_of_an_attribute_are_reported_at_their_tokens() {
    assert_summary(
        "scpoes = \"a\", name =, title = 5 6, , public = true, crate = \"x\", description = \"y\"",
        HELLO,
        &[
            (
                "scpoes",
                "unknown key `scpoes` in `#[mcp_tool]`; did you mean `scopes`?",
            ),
            ("name", "`name` has no value"),
            ("5 6", "the value of `title` is a string literal"),
            (",", "expected a key before this comma"),
            ("= true", "`public` takes no value"),
            ("\"x\"", "the value of `crate` is a path"),
            ("description", "unknown key `description` in `#[mcp_tool]`"),
            ("public", "`public` contradicts `scpoes`"),
        ],
    );
}

#[test]
fn all_mistakes_of_a_list_of_scopes_are_reported_at_their_literals() {
    assert_summary(
        "scopes(\"a\", b, \"\", \"c d\", \"*\", \"a\", \"e\" \"f\",, b\"g\", \"h\"x)",
        HELLO,
        &[
            ("\"f\"", "expected `,`"),
            (",", "expected a scope before this comma"),
            ("b\"g\"", "a scope is a string literal or a path"),
            ("\"h\"x", "a scope is a string literal or a path"),
            ("\"\"", "no scope is named"),
            ("\"c d\"", "`c d` is not a scope: it contains ` `"),
            ("\"*\"", "scope `*` stands for everything"),
            ("\"a\"", "scope `a` is named twice"),
        ],
    );
}

#[test]
fn all_mistakes_of_a_signature_are_reported_at_their_tokens() {
    assert_summary(
        "public",
        "const unsafe extern \"C\" fn hello<T>(&self, a: &T, #[b] c: Vec<impl D>, ...) -> impl E {}",
        &[
            ("const", "a tool cannot be `const`"),
            ("fn", "tool `hello` is not async"),
            ("unsafe", "a tool cannot be `unsafe`"),
            ("extern \"C\"", "a tool cannot be `extern`"),
            ("<T>", "a tool cannot be generic"),
            ("...", "a tool cannot be variadic"),
            ("self", "a tool cannot be a method"),
            ("&T", "a tool cannot take a reference"),
            (
                "#[b]",
                "attributes on a tool's parameters are not supported",
            ),
            ("impl", "a tool cannot take `impl Trait`"),
            ("impl", "a tool cannot return `impl Trait`"),
            ("hello", "tool `hello` has no description"),
        ],
    );
}

#[test]
fn the_attribute_and_the_function_are_checked_together() {
    assert_summary(
        "name = \"say hello\"",
        "#[doc = concat!(\"a\")] fn hello(self) {}",
        &[
            ("fn", "tool `hello` is not async"),
            ("self", "a tool cannot be a method"),
            ("#[mcp_tool]", "tool `hello` does not say who may call it"),
            (
                "\"say hello\"",
                "`say hello` cannot be the name of a tool: it contains ` `",
            ),
            (
                "concat!(\"a\")",
                "the description of a tool must be literal text",
            ),
        ],
    );
}

#[test]
fn a_key_is_suggested_for_what_is_close_to_it_or_called_so_elsewhere() {
    for (written, meant) in [
        ("scope", "scopes"),
        ("Scopes", "scopes"),
        ("required_scopes", "scopes"),
        ("permissions", "scopes"),
        ("pubic", "public"),
        ("anonymous", "public"),
        ("authentcated", "authenticated"),
        ("auth", "authenticated"),
        ("nmae", "name"),
        ("tilte", "title"),
        ("krate", "crate"),
        ("acr_values", "acr"),
        ("max_aeg", "max_age"),
        ("roles", "policy"),
        ("authorise", "authorize"),
        ("hidden", "list"),
    ] {
        let expected = format!("did you mean `{meant}`?");
        let found = summary(&format!("{written} = \"x\""), HELLO);
        assert!(found[0].1.ends_with(&expected), "{written}: {found:?}");
    }
    for written in ["colour", "x", "annotations", "output_schema"] {
        let found = summary(&format!("public, {written} = \"x\""), HELLO);
        assert_eq!(
            found[0].1,
            format!("unknown key `{written}` in `#[mcp_tool]`")
        );
    }
}

#[test]
fn a_misspelt_answer_to_who_may_call_is_not_missing_as_well() {
    for args in [
        "scope = \"a\"",
        "pubic",
        "auth",
        "scopes",
        "scopes = X(1)",
        "\"a\"",
        "public = true",
    ] {
        assert_eq!(
            mistakes(args, HELLO).len(),
            1,
            "{args}: {:?}",
            mistakes(args, HELLO)
        );
    }
}

#[test]
fn every_character_outside_the_scope_grammar_is_refused() {
    for code in 0..=0x100_u32 {
        let character = char::from_u32(code).expect("a character");
        let args = format!("scopes(\"a{}\")", character.escape_unicode());
        let legal = matches!(code, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert_eq!(mistakes(&args, HELLO).is_empty(), legal, "{character:?}");
    }
}

#[test]
fn names_have_1_to_128_characters() {
    for (length, legal) in [(0, false), (1, true), (128, true), (129, false)] {
        let args = format!("public, name = \"{}\"", "a".repeat(length));
        assert_eq!(mistakes(&args, HELLO).is_empty(), legal, "{length}");
    }
}

#[test]
fn every_message_says_what_to_type_and_keeps_the_style() {
    let all = [
        mistakes("", "fn hello(&self, a: &str) -> impl X {}"),
        mistakes(
            "scopes = \" *  openid\", public, nam = 1, name(2), title = \"\", 3",
            "struct X;",
        ),
        mistakes("public", "async fn hello(a) {}"),
        mistakes(
            "public, acr(\"a b\", c), max_age = \"5m\", policy = \"x\", authorize, list = \"x\"",
            HELLO,
        ),
        mistakes("scopes(none(\"a\"), any(), 3), acr()", HELLO),
        catalogue_mistakes(CATALOGUE),
        catalogue_mistakes("struct Scope;"),
        catalogue_mistakes("enum Scope {}"),
        catalogue_mistakes("enum Scope<T> { A }"),
    ];
    for (_, message) in all.into_iter().flatten() {
        let (what, help) = message.split_once("\nhelp: ").expect("a line of help");
        for line in [what, help] {
            assert!(!line.ends_with('.'), "{message}");
            assert!(!line.starts_with(|c: char| c.is_uppercase()), "{message}");
            assert!(!line.contains('\n'), "{message}");
        }
    }
}

#[test]
fn doc_comments_become_plain_text() {
    for (doc, text) in [
        ("/// Says hello.", "Says hello."),
        ("///Says\n///\n///  - hello\n///", "Says\n\n - hello"),
        ("/** Says hello. */", "Says hello."),
        ("/**\n * Says\n *\n * - hello\n */", "Says\n\n- hello"),
        ("/**\n    Says\n      hello\n*/", "Says\n  hello"),
        (
            "#[doc = \"Says\"]\n#[doc(hidden)]\n/// hello.",
            "Says\nhello.",
        ),
        ("/// Says \"hello\\n\" {}.", "Says \"hello\\n\" {}."),
    ] {
        let output = output("public", &format!("{doc}\nasync fn hello() {{}}"));
        let literal = proc_macro2::Literal::string(text);
        let expected = format!("description : {literal}");
        assert!(output.contains(&expected), "{doc}: {output}");
    }
}
