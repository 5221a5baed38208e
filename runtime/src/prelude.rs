//! What a file that declares tools needs: `use toolgate::prelude::*;`

#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
pub use rmcp::model::CallToolResult;

#[cfg(feature = "rmcp")]
pub use crate::Extension;
pub use crate::{Args, Json, Principal, State, mcp_tool};
