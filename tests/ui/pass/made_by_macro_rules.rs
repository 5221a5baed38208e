// A tool may be written by a macro of the user, whatever its parts came from.
#![deny(warnings)]

use toolgate::prelude::*;

macro_rules! tools {
    ($($(#[$meta:meta])* $scope:literal $name:ident($($param:ident: $ty:ty),*) -> $out:ty $body:block)*) => {
        $(
            $(#[$meta])*
            #[mcp_tool(scopes = $scope, title = "Made")]
            async fn $name($($param: $ty),*) -> $out $body
        )*
    };
}

tools! {
    /// Says hello.
    ///
    /// And what for.
    "greet" hello(who: Principal) -> String { who.subject().to_owned() }
    #[doc = "Says nothing."]
    "greet" nothing() -> () {}
    /// Takes two.
    "greet" two(who: Principal, state: State<u32>) -> String { format!("{} {}", who.subject(), *state) }
}

macro_rules! all_of_it {
    ($doc:literal) => {
        #[doc = $doc]
        #[mcp_tool(public)]
        async fn whole() {}
    };
}

all_of_it!("Does it all.");

macro_rules! arguments {
    ($args:meta) => {
        /// Takes its arguments from a macro.
        #[$args]
        async fn from_meta() {}
    };
}

arguments!(mcp_tool(scopes("a", "b")));

fn main() {}
