// Line, block and attribute comments, in one or in pieces; `#[doc(..)]` is none of them.

use toolgate::prelude::*;

/// One line.
#[mcp_tool(public)]
async fn line() {}

/** One line. */
#[mcp_tool(public)]
async fn block() {}

/**
 * A column of stars.
 *
 * - and a list
 */
#[mcp_tool(public)]
async fn stars() {}

#[doc = "An attribute."]
#[mcp_tool(public)]
#[doc(alias = "other", hidden)]
/// And more below, with \ and "quotes" and {braces}.
async fn pieces() {}

fn main() {}
