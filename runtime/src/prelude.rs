//! What a file that declares tools needs: `use toolgate::prelude::*;`

#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use rmcp::model::CallToolResult;

pub use crate::{Args, Identity, Json, Principal, Scopes, State, mcp_tool};
#[cfg(feature = "rmcp")]
pub use crate::{Extension, Server};
