//! Scopes that are declared once, in one or several crates (R13, R38, R45, R46, R49, T24, T45).

use linked_scopes::LinkedScope;
use serde_json::{Value, json};
use toolgate::{
    ConfigError, Problem, ProtectedServer, ScopeName, Server, Tool, prelude::*, testkit::McpRequest,
};

use crate::fixture::{Fixture, METADATA_URL, Scope, assert_challenged};

#[test]
fn an_enum_knows_its_scopes() {
    let names = Scope::ALL.iter().map(Scopes::name).collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            "notes:read",
            "notes:write",
            "notes:delete",
            "notes:admin",
            "notes:secret"
        ]
    );
    assert_eq!(Scope::Write.description(), "Write notes for you.");
}

#[tokio::test]
async fn a_scope_holds_all_that_it_implies_and_the_challenge_names_what_was_declared() {
    let fixture = Fixture::new().await;
    for (tool, held, challenged) in [
        ("read", "notes:read", None),
        ("read", "notes:write", None),
        ("read", "notes:admin", None),
        ("read", "notes:delete", Some("notes:read")),
        ("read", "linked:change", Some("notes:read")),
        ("write", "notes:admin", None),
        ("write", "notes:read", Some("notes:write")),
        ("replace", "notes:admin", None),
        ("replace", "notes:write linked:change", None),
    ] {
        let response = fixture.call(tool, held).await;
        match challenged {
            None => assert_eq!(response.status(), 200, "{tool} {held}: {response:?}"),
            Some(scopes) => assert_challenged(&response, scopes),
        }
    }
    assert_eq!(fixture.runs(), 6);
}

#[tokio::test]
async fn step_up_scopes_are_challenged_and_not_advertised() {
    let fixture = Fixture::new().await;
    assert_challenged(&fixture.call("hidden", "notes:write").await, "notes:delete");
    let first = McpRequest::call("read", json!({})).send(&fixture.app).await;
    let challenge = first.challenge().unwrap();
    // Nothing needs `linked:change`, so nobody is asked for it.
    assert_eq!(challenge.scope(), Some("linked:use notes:read notes:write"));

    let path = METADATA_URL.strip_prefix("http://127.0.0.1").unwrap();
    let metadata = McpRequest::new("", json!({}))
        .http_method(http::Method::GET)
        .uri(path)
        .body("")
        .send(&fixture.app)
        .await;
    let metadata: Value = serde_json::from_slice(metadata.body()).unwrap();
    assert_eq!(
        metadata["scopes_supported"],
        json!(["linked:use", "notes:read", "notes:write"])
    );
}

async fn nothing() {}

fn server() -> Server {
    Server::new("https://notes.example/mcp").authorization_server("https://auth.example")
}

/// Where [`tool`] is made.
const TOOL: u32 = line!() + 3;

fn tool() -> Tool {
    Tool::new("tool", "Do nothing.", nothing)
}

fn problems(result: Result<ProtectedServer, ConfigError>) -> Vec<String> {
    let error = result.unwrap_err();
    error.problems().iter().map(Problem::to_string).collect()
}

/// This file, as the compiler names it.
const FILE: &str = file!();

#[test]
fn a_literal_that_is_in_no_catalogue_stops_the_server_and_says_where() {
    let server = || server().without_registered_tools().scopes::<Scope>();
    let misspelt = tool().scopes(["notes:raed"]);
    assert_eq!(
        problems(server().tool(misspelt).build()),
        [format!(
            "scope `notes:raed` of tool `tool` ({FILE}:{}) is in no `#[derive(Scopes)]` enum; did you mean `notes:read`?",
            TOOL
        )]
    );
    let good = || tool().scopes([Scope::Read]);
    let line = line!() + 1;
    let found = problems(server().tool(good()).require(["calendar"]).build());
    assert_eq!(
        found,
        [format!(
            "scope `calendar` of `.require(..)` ({FILE}:{line}) is in no `#[derive(Scopes)]` enum"
        )]
    );
    let line = line!() + 1;
    let found = problems(server().tool(good()).step_up(["notes:rea"]).build());
    assert_eq!(
        found[0],
        format!(
            "scope `notes:rea` of `.step_up(..)` ({FILE}:{line}) is in no `#[derive(Scopes)]` enum; did you mean `notes:read`?"
        )
    );
    assert_eq!(found.len(), 1, "{found:?}");
    // Nested ones, too.
    let nested = tool().scopes([toolgate::ScopeExpr::any([
        Scope::Read.into(),
        toolgate::ScopeExpr::all(["notes:wirte"]),
    ])]);
    let found = problems(server().tool(nested).build());
    assert!(
        found[0].ends_with("did you mean `notes:write`?"),
        "{found:?}"
    );
}

#[test]
fn the_catalogues_of_all_linked_crates_count() {
    let state = || server().state(crate::fixture::Runs::default());
    assert!(
        state()
            .tool(tool().scopes(["linked:change", "notes:admin"]))
            .build()
            .is_ok()
    );
    let found = problems(state().tool(tool().scopes(["linked:chnage"])).build());
    assert!(
        found[0].ends_with("did you mean `linked:change`?"),
        "{found:?}"
    );
}

#[test]
fn without_any_catalogue_a_literal_is_what_it_is() {
    let server = server().without_registered_tools();
    assert!(server.tool(tool().scopes(["notes:raed"])).build().is_ok());
}

#[test]
fn naming_a_variant_brings_its_catalogue() {
    let server = server().without_registered_tools();
    let other = Tool::new("other", "Do nothing.", nothing).scopes(["notes:raed"]);
    let found = problems(
        server
            .tool(tool().scopes([Scope::Read]))
            .tool(other)
            .build(),
    );
    assert!(
        found[0].ends_with("did you mean `notes:read`?"),
        "{found:?}"
    );
}

mod other {
    /// Scopes that contradict those of the fixture.
    #[derive(toolgate::Scopes)]
    #[scopes(crate = not_registered)]
    pub enum Contradicting {
        /// Read notes, but said otherwise.
        #[scope("notes:read")]
        Read,
        /// Write notes for you.
        #[scope("notes:write", implies(Read))]
        Write,
    }

    /// A crate whose registry nobody reads.
    mod not_registered {
        pub mod __private {
            pub use toolgate::__private::*;
            pub mod inventory {
                #[macro_export]
                macro_rules! submit_nothing {
                    ($($anything:tt)*) => {};
                }
                pub use submit_nothing as submit;
            }
        }
    }
}

#[test]
fn one_scope_with_two_meanings_is_refused_with_both_places() {
    use other::Contradicting;
    assert_eq!(Contradicting::ALL.len(), 2);
    let server = || server().without_registered_tools();
    let found = problems(
        server()
            .scopes::<Scope>()
            .scopes::<Contradicting>()
            .tool(tool().scopes([Scope::Read]))
            .build(),
    );
    assert_eq!(
        found.len(),
        1,
        "a scope that means the same twice is one: {found:?}"
    );
    assert!(
        found[0].starts_with(
            "scope `notes:read` is declared twice, and not alike: tests/policy/catalogue.rs:"
        ),
        "{found:?}"
    );
    assert!(
        found[0].contains(" and tests/policy/fixture.rs:"),
        "{found:?}"
    );
    let twice = server().scopes::<Scope>().scopes::<Scope>();
    assert!(twice.tool(tool().scopes([Scope::Read])).build().is_ok());
}

#[test]
fn a_step_up_scope_cannot_be_required_of_every_request() {
    let tool = tool().scopes([Scope::Read]);
    let server = server().without_registered_tools().tool(tool);
    assert_eq!(
        problems(server.require([Scope::Delete]).build()),
        ["`notes:delete` is required of every request, so it cannot be left to step-up"]
    );
}

#[tokio::test]
async fn required_scopes_of_a_catalogue_are_challenged_first_and_implied_ones_count() {
    let fixture = Fixture::with(|server| server.require([LinkedScope::Use])).await;
    assert_challenged(&fixture.call("write", "").await, "linked:use notes:write");
    assert_eq!(
        fixture
            .call("write", "linked:change notes:admin")
            .await
            .status(),
        200
    );
    let name: ScopeName = LinkedScope::Use.name().parse().unwrap();
    assert_eq!(name.as_str(), "linked:use");
}
