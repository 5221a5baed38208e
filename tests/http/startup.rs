//! What stops a server before it serves, and what it says about it (R5, R10, R13, R16, R52, R53, R63, T44).

use toolgate::{Problem, ProtectedServer, Server, State, Tool, prelude::*};

async fn nothing() {}

async fn needs_state(_: State<String>) {}

async fn needs_caller(_: Principal) {}

async fn takes_a_number(_: Args<u8>) {}

fn server() -> Server {
    Server::new("https://notes.example/mcp")
        .authorization_server("https://auth.example")
        .without_registered_tools()
}

/// Where [`tool`] is made.
const TOOL: u32 = line!() + 3;

fn tool() -> Tool {
    Tool::new("tool", "Do nothing.", nothing).scopes(["notes:read"])
}

/// The words for everything that is wrong.
fn problems(result: Result<ProtectedServer, toolgate::ConfigError>) -> Vec<String> {
    result
        .unwrap_err()
        .problems()
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn no_tools_at_all() {
    let found = problems(server().build());
    assert!(
        found[0].starts_with("no tools: none were linked"),
        "{found:?}"
    );
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_main_that_returns_the_error_prints_words_and_not_a_data_structure() {
    let error = server().build().unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    let words = error.to_string();
    let error = server().serve("127.0.0.1:0").await.unwrap_err();
    assert_eq!(format!("{error:?}"), words);
    assert!(words.starts_with("the server cannot be built\n- no tools"));
}

#[test]
fn two_tools_of_one_name_are_refused_with_both_places() {
    let line = line!() + 1;
    let again = Tool::new("tool", "Do nothing, too.", nothing).public();
    let found = problems(server().tool(tool()).tool(again).build());
    let expected = format!(
        "two tools are called `tool`: tests/http/startup.rs:{TOOL} and tests/http/startup.rs:{line}; rename one with `name = \"..\"`"
    );
    assert_eq!(found, [expected]);
}

#[test]
fn missing_state_is_refused_with_the_place_of_the_tool() {
    let tool = Tool::new("tool", "Use state.", needs_state).authenticated();
    let line = line!() - 1;
    let found = problems(server().tool(tool.clone()).build());
    let expected = format!(
        "tool `tool` (tests/http/startup.rs:{line}) takes `State<alloc::string::String>`: give it to the server with `.state(..)`"
    );
    assert_eq!(found, [expected]);
    assert!(server().tool(tool).state(String::new()).build().is_ok());
}

#[test]
fn a_tool_that_does_not_say_who_may_call_it() {
    for tool in [
        Tool::new("tool", "Do nothing.", nothing),
        Tool::new("tool", "Do nothing.", nothing).scopes(Vec::<String>::new()),
    ] {
        let found = problems(server().tool(tool).build());
        assert!(
            found[0].contains("does not say who may call it"),
            "{found:?}"
        );
    }
}

#[test]
fn names_descriptions_and_scopes_are_checked_for_tools_made_at_run_time_too() {
    for name in ["", "a b", "größe", &"x".repeat(129), "a/b", "a\n"] {
        let tool = Tool::new(name.to_owned(), "Do nothing.", nothing).public();
        let found = problems(server().tool(tool).build());
        assert!(found[0].contains("is not a tool name"), "{found:?}");
    }
    assert!(
        server()
            .tool(Tool::new("x".repeat(128), "Do.", nothing).public())
            .build()
            .is_ok()
    );
    let found = problems(
        server()
            .tool(Tool::new("tool", " ", nothing).public())
            .build(),
    );
    assert!(found[0].contains("has no description"), "{found:?}");
    for scope in ["", "a b", "a\"b", "a\\b", "größe", "a\r\nSet-Cookie: x"] {
        let tool = Tool::new("tool", "Do nothing.", nothing).scopes([scope.to_owned()]);
        let found = problems(server().tool(tool).build());
        assert!(found[0].contains("is not a scope"), "{found:?}");
        assert!(!found[0].contains('\r'), "{found:?}");
        let found = problems(
            server()
                .tool(self::tool())
                .require([scope.to_owned()])
                .build(),
        );
        assert!(found[0].contains("is not a scope"), "{found:?}");
    }
}

#[test]
fn scopes_that_are_not_for_resources_are_refused_everywhere() {
    for scope in ["offline_access", "openid"] {
        let tool = Tool::new("tool", "Do nothing.", nothing).scopes([scope]);
        let expected = [format!(
            "`{scope}` cannot be required: it is for clients and authorization servers, not for resources"
        )];
        assert_eq!(problems(server().tool(tool).build()), expected);
        assert_eq!(
            problems(server().tool(self::tool()).require([scope]).build()),
            expected
        );
    }
}

#[test]
fn arguments_that_are_no_object() {
    let tool = Tool::new("tool", "Take a number.", takes_a_number).public();
    let found = problems(server().tool(tool).build());
    assert!(found[0].contains("are not a JSON object"), "{found:?}");
}

#[test]
fn a_public_tool_cannot_count_on_a_caller_where_there_may_be_none() {
    let tool = Tool::new("tool", "Say who is calling.", needs_caller).public();
    assert!(server().tool(tool.clone()).build().is_ok());
    let found = problems(server().tool(tool).allow_anonymous().build());
    assert!(found[0].ends_with("take `Option<Principal>`"), "{found:?}");
}

#[test]
fn step_up_scopes_must_be_needed_by_some_tool() {
    let found = problems(server().tool(tool()).step_up(["notes:raed"]).build());
    assert_eq!(
        found,
        ["`.step_up(\"notes:raed\")` names a scope that no tool needs; did you mean `notes:read`?"]
    );
    let found = problems(server().tool(tool()).step_up(["something:else"]).build());
    assert_eq!(
        found,
        ["`.step_up(\"something:else\")` names a scope that no tool needs"]
    );
    let found = problems(
        server()
            .tool(tool())
            .require(["base"])
            .step_up(["base"])
            .build(),
    );
    assert_eq!(
        found,
        ["`base` is required of every request, so it cannot be left to step-up"]
    );
}

#[test]
fn anonymous_callers_and_required_scopes_exclude_each_other() {
    let found = problems(
        server()
            .tool(tool())
            .require(["base"])
            .allow_anonymous()
            .build(),
    );
    assert!(found[0].contains("contradict each other"), "{found:?}");
}

#[test]
fn a_protected_server_needs_an_authorization_server() {
    for tool in [
        tool(),
        Tool::new("t", "Do.", nothing).authenticated(),
        Tool::new("t", "Do.", nothing).public(),
    ] {
        let server = Server::new("https://notes.example/mcp")
            .without_registered_tools()
            .tool(tool);
        let found = problems(server.build());
        assert!(
            found[0].starts_with("there are protected tools, but no authorization server"),
            "{found:?}"
        );
    }
}

#[test]
fn resources_and_issuers_are_https_beyond_loopback() {
    let with = |resource: &str, issuer: &str| {
        Server::new(resource)
            .authorization_server(issuer)
            .without_registered_tools()
            .tool(tool())
    };
    let found = problems(with("http://notes.example/mcp", "https://auth.example").build());
    assert_eq!(
        found,
        [
            "`http://notes.example/mcp` cannot be the resource identifier: http is for loopback only: use https"
        ]
    );
    let found = problems(with("https://notes.example/mcp", "http://auth.example").build());
    assert!(
        found[0].starts_with("authorization server `http://auth.example`: "),
        "{found:?}"
    );
    assert!(
        with("http://127.0.0.1:3000/mcp", "http://localhost:9000")
            .build()
            .is_ok()
    );
    assert!(
        with("http://notes.example/mcp", "http://auth.example")
            .insecure_allow_http()
            .build()
            .is_ok()
    );
    for issuer in [
        "",
        "auth.example",
        "https://auth.example#x",
        "https://auth.example?x=1",
    ] {
        let found = problems(with("https://notes.example/mcp", issuer).build());
        assert!(
            found[0].starts_with("authorization server"),
            "{issuer}: {found:?}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found = problems(
        Server::new("notes")
            .without_registered_tools()
            .tool(Tool::new("a b", "", nothing))
            .require(["x y", "openid"])
            .build(),
    );
    assert!(found.len() >= 5, "{found:?}");
}
