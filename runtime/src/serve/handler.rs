//! What rmcp asks of a server, answered by the guard.
//!
//! What is not here is answered by rmcp as a method that does not exist: nothing is served by default.

use std::borrow::Cow;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, DiscoverResult,
        ErrorCode, InitializeRequestParams, InitializeResult, ListToolsResult,
        PaginatedRequestParams, ProtocolVersion, ServerConfig, Tool,
    },
    service::RequestContext,
};

use super::guard::Guard;

/// The protocol revisions that are served.
const VERSIONS: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// Methods that are served. One of them in a custom request is one whose parameters rmcp could not read,
/// which must not pass for an unknown method.
const METHODS: [&str; 3] = ["server/discover", "tools/call", "tools/list"];

/// The same, of revisions before 2026-07-28.
const LEGACY_METHODS: [&str; 2] = ["initialize", "ping"];

impl ServerHandler for Guard {
    fn get_info(&self) -> ServerConfig {
        self.core.info.clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.admit_base(&context)?;
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        self.admit_base(&context)?;
        Ok(DiscoverResult::from_server_info(
            VERSIONS.to_vec(),
            self.get_info(),
        ))
    }

    async fn ping(&self, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.admit_base(&context)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.admit_base(&context)?;
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("unknown cursor", None));
        }
        let source = self.source(&context)?;
        let principal = source.principal()?;
        let mut list = self.core.list.clone();
        let mut listed = self
            .core
            .registry
            .listed_for(principal, self.now())
            .peekable();
        let mut at = 0..;
        list.tools
            .retain(|_| at.next().is_some_and(|at| listed.next_if_eq(&at).is_some()));
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, context).await.map(Into::into)
    }

    /// Only for rmcp, which asks with every call whether the schema names `Mcp-Param-*` headers to compare.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        if !self.core.header_params {
            return None;
        }
        let at = self.core.registry.position(name)?;
        self.core.list.tools.get(at).cloned()
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        self.admit_base(&context)?;
        let method = request.method.as_str();
        let legacy = || {
            context
                .protocol_version()
                .is_none_or(|version| version.has_initialize())
        };
        if METHODS.contains(&method) || (LEGACY_METHODS.contains(&method) && legacy()) {
            Err(ErrorData::invalid_params("malformed parameters", None))
        } else {
            Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                "method not found",
                None,
            ))
        }
    }
}
