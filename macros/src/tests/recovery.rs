//! Half-typed code: whatever is wrong, the user's item is the first thing in the output, token for
//! token, so that names stay defined and editors keep completing.

use super::{mistakes, output, tokens};

/// The item comes back as it went in.
fn comes_back(args: &str, item: &str) {
    let (output, item) = (output(args, item), tokens(item).to_string());
    assert!(output.starts_with(&item), "`{item}` is not in `{output}`");
}

#[test]
fn a_broken_body_is_none_of_our_business() {
    for body in [
        "{ let x = ; }",
        "{ let x = y. }",
        "{ match }",
        "{ if let Some() = }",
        "{ #[mcp_tool] fn }",
        ";",
        "",
    ] {
        let item = format!("/// Says hello.\nasync fn hello(who: Principal) -> String {body}");
        comes_back("public", &item);
        assert_eq!(mistakes("public", &item), [], "{item}");
        assert!(
            output("public", &item).contains("ToolDeclaration"),
            "{item}"
        );
    }
}

#[test]
fn a_signature_that_is_cut_off_comes_back_with_one_error() {
    for item in [
        "/// Says hello.\nasync fn",
        "/// Says hello.\nasync fn hello",
        "/// Says hello.\nasync fn hello<",
        "/// Says hello.\nasync fn hello()->",
        "/// Says hello.\nasync fn hello(who)",
        "/// Says hello.\nasync fn hello(who:) {}",
        "/// Says hello.\nasync fn hello(who: Principal, Args())",
        "/// Says hello.\nasync fn hello(who: Option<) -> String {}",
        "/// Says hello.\npub(crate) async fn hello(,) {}",
    ] {
        comes_back("public", item);
        let mistakes = mistakes("public", item);
        assert_eq!(mistakes.len(), 1, "{item}: {mistakes:?}");
        assert!(
            mistakes[0].1.starts_with("cannot read the signature"),
            "{mistakes:?}"
        );
    }
}

#[test]
fn what_is_not_a_function_comes_back() {
    for item in [
        "struct Hello;",
        "pub mod hello { fn x() }",
        "impl X {}",
        "pub async",
        "#[a]",
        "",
        "42",
    ] {
        comes_back("public", item);
        assert_eq!(mistakes("public", item).len(), 1, "{item}");
    }
}

#[test]
fn a_wrong_attribute_leaves_the_function_alone() {
    let item = "#[inline] pub(crate) async fn r#fn(&self, x: &'static str) -> impl Sized { x .. }";
    for args in [
        "",
        ",",
        "public public",
        "scopes = ",
        "= = =",
        "scopes(,)",
        "name = 1, 2, [3]",
        "crate = <",
    ] {
        comes_back(args, item);
        assert!(!output(args, item).contains("ToolDeclaration"), "{args}");
    }
}

#[test]
fn any_word_may_be_missing_doubled_or_the_last_one() {
    let args = "scopes ( \"a\" , \"b\" ) , name = \"x\" , title = \"y\" , crate = :: z :: w ,";
    let item = "# [ doc = \"x\" ] pub ( crate ) async fn r#f ( State ( s ) : State < Vec < u8 > > , ( a ) : & 'a [ u8 ; 3 ] , ) -> Result < impl A , dyn B > where C : D { x . y }";
    for args in variants(args) {
        comes_back(&args, item);
        comes_back(&args, "/// Says hello.\nasync fn hello() {}");
    }
    for item in variants(item) {
        comes_back("public", &item);
    }
}

/// `text` with each of its words left out, doubled, and as the last one; as far as the brackets match.
fn variants(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let at = |n: usize| {
        let (before, after) = words.split_at(n);
        let without = [before, &after[1..]].concat();
        let doubled = [before, &after[..1], after].concat();
        [without, doubled, before.to_vec()].map(|words| words.join(" "))
    };
    let variants = (0..words.len()).flat_map(at);
    variants
        .filter(|text| text.parse::<proc_macro2::TokenStream>().is_ok())
        .collect()
}
