//! Serving HTTP: the routes of a server, a listener, and an orderly end.

use std::{
    future::{Future, IntoFuture},
    io,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::any_service};
use http::{HeaderName, HeaderValue, Method, header};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::cors::{AllowHeaders, CorsLayer};

use super::{
    guard::Guard,
    layer::{GuardLayer, GuardService},
    metadata,
    refusal::DPOP_NONCE,
    server::ProtectedServer,
};

/// How long calls and streams may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long what is cut off after that has to say so to its client.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The MCP endpoint of a server as a tower service. Everything that reaches a tool came through it.
pub type McpService = GuardService<StreamableHttpService<Guard, NeverSessionManager>>;

impl ProtectedServer {
    /// The MCP endpoint, to be mounted at the path of the resource in an existing application.
    ///
    /// It answers `POST` with JSON, or with an event stream where a tool reports progress. There are no
    /// sessions. Browser origins are checked, but CORS headers are the application's:
    /// [`cors`](Self::cors) has them ready.
    #[must_use]
    pub fn service(&self) -> McpService {
        self.service_until(CancellationToken::new())
    }

    fn service_until(&self, stop: CancellationToken) -> McpService {
        let guard = self.guard();
        // Host and Origin are checked by the layer, before authentication.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .disable_allowed_hosts()
            .with_cancellation_token(stop);
        let service = StreamableHttpService::new(move || Ok(guard.clone()), Arc::default(), config);
        self.layer().layer(service)
    }

    /// The handler, for an rmcp transport of your own. It refuses every request that did not come through
    /// [`layer`](Self::layer).
    #[must_use]
    pub fn guard(&self) -> Guard {
        Guard {
            core: self.core.clone(),
            environment: None,
        }
    }

    /// The layer that verifies callers, to be put in front of [`guard`](Self::guard).
    #[must_use]
    pub fn layer(&self) -> GuardLayer {
        GuardLayer {
            core: self.core.clone(),
        }
    }

    /// The Protected Resource Metadata document at its two well-known places ([RFC 9728 §3.1]): with the
    /// path of the resource inserted, and at the root.
    ///
    /// Merge it into the application at the root of the host: the places are fixed.
    ///
    /// [RFC 9728 §3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1
    pub fn metadata_router(&self) -> Router {
        metadata::router(&self.core)
    }

    /// CORS for the origins given to [`Server::allow_origin`](crate::Server::allow_origin), or nothing when
    /// there are none.
    #[must_use]
    pub fn cors(&self) -> Option<CorsLayer> {
        let origins = self.core.hosts.origins();
        if origins.is_empty() {
            return None;
        }
        let origins: Vec<_> = origins
            .iter()
            .filter_map(|o| HeaderValue::from_str(o).ok())
            .collect();
        Some(
            CorsLayer::new()
                .allow_origin(origins)
                .allow_methods([Method::POST])
                // `Mcp-Param-*` headers have any name, so the list cannot be written down.
                .allow_headers(AllowHeaders::mirror_request())
                .expose_headers([
                    header::WWW_AUTHENTICATE,
                    header::RETRY_AFTER,
                    DPOP_NONCE,
                    HeaderName::from_static("x-request-id"),
                ]),
        )
    }

    /// Everything: the MCP endpoint at the path of the resource, and the metadata.
    pub fn router(&self) -> Router {
        self.router_until(CancellationToken::new())
    }

    fn router_until(&self, stop: CancellationToken) -> Router {
        let mut endpoint = any_service(self.service_until(stop));
        if let Some(cors) = self.cors() {
            endpoint = endpoint.layer(cors);
        }
        Router::new()
            .without_v07_checks()
            .route(self.core.resource.endpoint(), endpoint)
            .merge(self.metadata_router())
    }

    /// Serves HTTP at `address` until the process is told to stop (Ctrl-C or `SIGTERM`).
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, or the listener fails.
    pub async fn serve(self, address: impl ToSocketAddrs) -> io::Result<()> {
        self.serve_on(TcpListener::bind(address).await?).await
    }

    /// Like [`serve`](Self::serve), on a listener that is bound already.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn serve_on(self, listener: TcpListener) -> io::Result<()> {
        self.serve_until(listener, told_to_stop()).await
    }

    /// Serves HTTP on `listener` until `stop` is ready: then nothing new is accepted, and calls and streams
    /// have ten seconds to finish before they are cut off.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn serve_until(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        if self.core.resource.is_loopback() && !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{address} can be reached from elsewhere, but the resource {} cannot: listen on \
                     127.0.0.1, or name the https URL under which clients reach this server",
                    self.resource()
                ),
            ));
        }
        if let Some(verifier) = self.core.verifier.clone() {
            let server = self.clone();
            tokio::spawn(async move {
                let ready = verifier.ready().await;
                let findings = server.check().await;
                for finding in &findings {
                    tracing::warn!(target: "toolgate", "{finding}");
                }
                if let (Err(error), []) = (ready, &findings[..]) {
                    tracing::warn!(target: "toolgate", %error, "not ready to verify tokens yet");
                }
            });
        }
        tracing::info!(
            target: "toolgate",
            resource = self.resource(),
            %address,
            tools = self.core.registry.entries().len(),
            "serving"
        );
        let stopping = CancellationToken::new();
        let told = stopping.clone();
        let stop = async move {
            stop.await;
            tracing::info!(target: "toolgate", "stopping");
            told.cancel();
        };
        let closing = CancellationToken::new();
        // A proxy is known by its address.
        let service = self
            .router_until(closing.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(stop);
        let overdue = async {
            stopping.cancelled().await;
            tokio::time::sleep(GRACE).await;
            closing.cancel();
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            served = serving.into_future() => served,
            // A client that never finishes its request would be waited for without end.
            () = overdue => {
                tracing::warn!(target: "toolgate", "stopped with connections that are still open");
                Ok(())
            }
        }
    }
}

async fn told_to_stop() {
    let interrupt = async {
        // Without a handler the default action ends the process: nothing to do then.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
