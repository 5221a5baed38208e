//! The shapes of generated code that we promise, as files. `UPDATE_EXPANSIONS=1` writes them anew; read
//! the difference then.

use std::{env, fs, path::Path};

use super::tokens;

fn expand(args: &str, item: &str) -> String {
    let output = crate::declare_tool(tokens(args), &tokens(item));
    prettyplease::unparse(&syn::parse2(output).expect("generated code is a file of items"))
}

fn assert_expansion(file: &str, args: &str, item: &str) {
    assert_same(file, &expand(args, item));
}

fn assert_same(file: &str, expanded: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/expansion")
        .join(file);
    if env::var_os("UPDATE_EXPANSIONS").is_some() {
        fs::write(&path, expanded).expect("the expansion can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expanded, expected, "{}", path.display());
}

#[test]
fn one_parameter_and_one_scope() {
    let item = "/// Add two numbers.\nasync fn add(Args(Pair { a, b }): Args<Pair>) -> String { (a + b).to_string() }";
    assert_expansion("one_scope.rs", "scopes = \"mcp:tools\"", item);
}

#[test]
fn several_parameters_and_scopes() {
    let item = "/// Add a note.\n///\n/// It is kept for the caller.\npub async fn add_note(who: Principal, notes: State<Notes>, Args(note): Args<Note>) -> Result<Json<Saved>, Full> { notes.add(who, note) }";
    let args =
        "scopes(\"notes:read\", \"notes:write\"), title = \"Add a note\", name = \"notes.add\"";
    assert_expansion("several_parameters.rs", args, item);
}

#[test]
fn no_parameters_and_no_result() {
    assert_expansion(
        "nothing.rs",
        "public",
        "/// Does nothing.\nasync fn nothing() {}",
    );
}

#[test]
fn another_path_to_the_runtime_crate() {
    let item = "/// Says who is calling.\nasync fn whoami(who: Principal) -> String { who.subject().to_owned() }";
    assert_expansion("renamed_crate.rs", "authenticated, crate = my::gate", item);
}

#[test]
fn a_raw_identifier() {
    let item =
        "/// Says which type it is.\n#[deprecated]\nasync fn r#type() -> &'static str { \"\" }";
    assert_expansion("raw_identifier.rs", "authenticated", item);
}

#[test]
fn everything_there_is_to_say() {
    let item = "/// Pay.\nasync fn pay(who: Principal, Args(sum): Args<Sum>) {}";
    let args = "scopes = any(Scope::Pay, all(\"a\", B)), acr(\"x\", \"y\"), max_age = 300, policy = roles::ADMIN, authorize = may_pay, list = \"conceal\"";
    assert_expansion("everything.rs", args, item);
}

#[test]
fn an_enum_of_scopes() {
    let item = "enum Scope {\n/// Read.\n#[scope(\"r\")] Read,\n/// Write.\n#[scope(\"w\", implies(Read), step_up)] Write }";
    let output = crate::declare_scopes(&tokens(item));
    let output = prettyplease::unparse(&syn::parse2(output).expect("items"));
    assert_same("scopes.rs", &output);
}

#[test]
fn the_usual_crate_is_not_named_when_another_is() {
    let item = "/// Says hello.\nasync fn hello(a: A, b: B) -> C {}";
    for args in [
        "public",
        "authenticated",
        "scopes(\"a\")",
        "public, title = \"x\", name = \"y\"",
        "scopes(A::B, any(C, \"d\")), acr = \"e\", max_age = 1, policy = f, authorize = g, list = \"hide\"",
    ] {
        let usual = expand(args, item);
        assert!(usual.contains("::toolgate::__private"));
        let renamed = expand(&format!("{args}, crate = ::my::gate"), item);
        assert!(!renamed.contains("toolgate"), "{renamed}");
        assert!(renamed.contains("::my::gate::__private"));
    }
}

/// The budget of the style guide, and nothing that a reviewer would have to think about.
#[test]
fn generated_code_is_small_and_boring() {
    let expanded = expand(
        "scopes = \"a\"",
        "/// Says hello.\nasync fn hello(a: A) -> B {}",
    );
    let generated = expanded
        .split_once("#[allow(deprecated)]")
        .expect("generated code")
        .1;
    assert!(generated.lines().count() <= 30, "{generated}");
    for word in [
        "unsafe", "unwrap", "expect", "if ", "match ", "for ", "panic",
    ] {
        assert!(!generated.contains(word), "{generated}");
    }
}
