//! What `#[mcp_tool]` hands to the registry.

#![allow(dead_code, reason = "these tools are declared, not called")]

use toolgate::{
    __private::{Access, Expr, ToolDeclaration, inventory},
    prelude::*,
};

/// Says
/// hello.
#[mcp_tool(scopes("greet", "profile"), title = "Greeter")]
#[inline]
async fn hello(who: Principal) -> String {
    who.subject().to_owned()
}

/// Says bye.
#[mcp_tool(public, name = "say.bye")]
pub async fn r#type() {}

macro_rules! tool {
    ($name:ident) => {
        /// Is made by a macro.
        #[mcp_tool(authenticated)]
        async fn $name() {}
    };
}

tool!(made);

fn declared(name: &str) -> &'static ToolDeclaration {
    inventory::iter::<ToolDeclaration>()
        .find(|tool| tool.name == name)
        .expect("the tool is registered")
}

#[test]
fn a_declaration_holds_what_was_written() {
    let tool = declared("hello");
    assert_eq!(tool.title, Some("Greeter"));
    assert_eq!(tool.description, "Says\nhello.");
    assert!(matches!(
        tool.access,
        Access::Scopes(Expr::All([Expr::Scope("greet"), Expr::Scope("profile")]))
    ));

    let tool = declared("say.bye");
    assert_eq!(tool.title, None);
    assert!(matches!(tool.access, Access::Public));
    assert!(matches!(declared("made").access, Access::Authenticated));
}

#[test]
fn a_tool_is_where_its_function_is_and_not_where_the_attribute_is() {
    for (name, line, column) in [("hello", 14, 10), ("say.bye", 20, 14), ("made", 30, 7)] {
        let location = declared(name).location;
        assert!(location.file.ends_with("declaration.rs"), "{location}");
        assert_eq!((location.line, location.column), (line, column), "{name}");
    }
}

#[test]
fn every_tool_is_registered_once() {
    assert_eq!(inventory::iter::<ToolDeclaration>().count(), 3);
}
