//! What the guard and the layer of one server share, made once when the server is built.

use std::sync::Arc;

use rmcp::model::{ListToolsResult, ServerConfig};

#[cfg(feature = "http")]
use super::{challenge::Challenges, hosts::Hosts, possession::Possession};
use super::{identify::Revocation, resource::Resource, tokens::Tokens};
#[cfg(feature = "http")]
use crate::declare::scope::ScopeName;
use crate::{
    declare::{registry::Registry, state::StateMap},
    verify::{clock::Clock, token::Verifier},
};

pub(crate) struct Core {
    pub(crate) resource: Resource,
    pub(crate) registry: Registry,
    pub(crate) state: Arc<StateMap>,
    /// Nobody to ask: only for servers on which nothing is protected.
    pub(crate) verifier: Option<Arc<dyn Verifier>>,
    pub(crate) tokens: Tokens,
    pub(crate) revocation: Revocation,
    pub(crate) allow_anonymous: bool,
    /// By which the age of a login is told.
    pub(crate) clock: Clock,
    /// What `initialize` and `server/discover` say.
    pub(crate) info: ServerConfig,
    /// What `tools/list` says to somebody who sees every tool, in the order of the registry.
    pub(crate) list: ListToolsResult,
    /// Whether the schema of any tool has arguments repeated in headers.
    pub(crate) header_params: bool,
    #[cfg(feature = "http")]
    pub(crate) challenges: Challenges,
    /// Every scope that clients may be challenged for.
    #[cfg(feature = "http")]
    pub(crate) declared: Vec<ScopeName>,
    #[cfg(feature = "http")]
    pub(crate) possession: Possession,
    #[cfg(feature = "http")]
    pub(crate) hosts: Hosts,
    /// The Protected Resource Metadata document, unless nothing is protected.
    #[cfg(feature = "http")]
    pub(crate) metadata: Option<bytes::Bytes>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
