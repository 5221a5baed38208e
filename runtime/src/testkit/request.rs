//! Calls of a server, in a test: the request a client would send, and what came back.

use std::{collections::BTreeMap, fmt};

use axum::{Router, body::Body};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// An MCP request over HTTP, as a client of one protocol revision sends it.
///
/// Everything can be bent, because a test of a protected server is mostly a test of bent requests.
///
/// ```
/// # async fn example(app: axum::Router, token: &str) {
/// use serde_json::json;
/// use toolgate::testkit::McpRequest;
///
/// let response = McpRequest::call("add", json!({"a": 1, "b": 2})).bearer(token).send(&app).await;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.text(), "3");
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct McpRequest {
    method: Method,
    uri: String,
    headers: HeaderMap,
    extensions: Extensions,
    body: RequestBody,
    version: String,
}

#[derive(Debug, Clone)]
enum RequestBody {
    Rpc { method: String, params: Value },
    Raw(Vec<u8>),
}

impl McpRequest {
    /// A request of `method` with `params`, under MCP 2026-07-28, to `http://127.0.0.1/mcp`, with id 1.
    pub fn new(method: impl Into<String>, params: Value) -> Self {
        Self {
            method: Method::POST,
            uri: "/mcp".into(),
            headers: HeaderMap::new(),
            extensions: Extensions::new(),
            body: RequestBody::Rpc {
                method: method.into(),
                params,
            },
            version: "2026-07-28".into(),
        }
    }

    /// `tools/call` of `tool`.
    pub fn call(tool: &str, arguments: impl Into<Value>) -> Self {
        Self::new(
            "tools/call",
            json!({"name": tool, "arguments": arguments.into()}),
        )
    }

    /// `tools/list`.
    pub fn list_tools() -> Self {
        Self::new("tools/list", json!({}))
    }

    /// The protocol revision. It decides which headers and metadata the request carries: from 2026-07-28
    /// on the standard headers and `_meta`, before that the version header alone.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Another path than `/mcp`, or one with a query.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = uri.into();
        self
    }

    /// Another HTTP method than `POST`.
    pub fn http_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// An `Authorization: Bearer` header.
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// An `Authorization: DPoP` header, and the proof that goes with it (RFC 9449 §7.1).
    pub fn dpop(self, token: impl AsRef<str>, proof: impl AsRef<str>) -> Self {
        self.header("authorization", format!("DPoP {}", token.as_ref()))
            .header("dpop", proof)
    }

    /// What a layer of the application would put into the extensions of the request.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// One more header; a second one of the same name repeats it.
    ///
    /// # Panics
    ///
    /// When it cannot be a header.
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        let value = HeaderValue::from_bytes(value.as_ref().as_bytes()).expect("a header value");
        self.headers.append(name, value);
        self
    }

    /// Exactly this body, instead of the JSON-RPC message.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = RequestBody::Raw(body.into());
        self
    }

    fn is_2026(&self) -> bool {
        self.version.as_str() >= "2026-07-28"
    }

    /// The headers and the body, with everything filled in that was not bent.
    fn build(mut self) -> Request<Body> {
        let is_2026 = self.is_2026();
        let mut defaults = vec![
            ("host", "127.0.0.1".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", self.version.clone()),
        ];
        let body = match self.body {
            RequestBody::Raw(body) => body,
            RequestBody::Rpc { method, mut params } => {
                if is_2026 {
                    defaults.push(("mcp-method", method.clone()));
                    let name = params
                        .get("name")
                        .or_else(|| params.get("uri"))
                        .and_then(Value::as_str);
                    if let Some(name) = name {
                        defaults.push(("mcp-name", name.to_owned()));
                    }
                    params["_meta"] = json!({
                        "io.modelcontextprotocol/protocolVersion": self.version,
                        "io.modelcontextprotocol/clientCapabilities": {},
                        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    });
                }
                json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
                    .to_string()
                    .into()
            }
        };
        for (name, value) in defaults {
            if !self.headers.contains_key(name)
                && let Ok(value) = HeaderValue::from_str(&value)
            {
                self.headers.insert(name, value);
            }
        }
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri.parse().expect("a request target");
        *request.headers_mut() = self.headers;
        *request.extensions_mut() = self.extensions;
        request
    }

    /// Sends the request to `app`, without any network.
    ///
    /// # Panics
    ///
    /// When the body of the answer breaks off.
    pub async fn send(self, app: &Router) -> McpResponse {
        let response = app
            .clone()
            .oneshot(self.build())
            .await
            .expect("routers do not fail");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        McpResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
}

/// What a server answered.
#[derive(Clone)]
pub struct McpResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl McpResponse {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The text of a header that occurs at most once.
    ///
    /// # Panics
    ///
    /// When it is repeated or no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("text"));
        assert!(values.next().is_none(), "`{name}` is repeated");
        value
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The JSON-RPC message: the body, or the last message of an event stream. `Null` when there is none.
    #[must_use]
    pub fn message(&self) -> Value {
        self.messages().pop().unwrap_or(Value::Null)
    }

    /// All JSON-RPC messages, in order: one for a JSON body, any number for an event stream.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&self.body);
        if self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"))
        {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            data.filter_map(|data| serde_json::from_str(data.trim()).ok())
                .collect()
        } else {
            serde_json::from_str(&text).into_iter().collect()
        }
    }

    /// The text of a tool's result, its blocks joined by newlines. Empty when there is none.
    #[must_use]
    pub fn text(&self) -> String {
        let message = self.message();
        let blocks = message["result"]["content"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let texts: Vec<_> = blocks
            .iter()
            .filter_map(|block| block["text"].as_str())
            .collect();
        texts.join("\n")
    }

    /// The Bearer challenge, if there is one.
    ///
    /// # Panics
    ///
    /// When one `WWW-Authenticate` header is not one well-formed challenge, or a scheme occurs twice.
    #[must_use]
    pub fn challenge(&self) -> Option<Challenge> {
        self.challenge_of("Bearer")
    }

    /// The DPoP challenge (RFC 9449 §7.1), if there is one.
    ///
    /// # Panics
    ///
    /// Like [`challenge`](Self::challenge).
    #[must_use]
    pub fn dpop_challenge(&self) -> Option<Challenge> {
        self.challenge_of("DPoP")
    }

    fn challenge_of(&self, scheme: &str) -> Option<Challenge> {
        let mut found = BTreeMap::new();
        for value in self.headers.get_all(header::WWW_AUTHENTICATE) {
            let challenge = Challenge::parse(value.to_str().expect("text"));
            let twice = found.insert(challenge.scheme.clone(), challenge).is_some();
            assert!(!twice, "two challenges of one scheme");
        }
        found.remove(scheme)
    }
}

impl fmt::Debug for McpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value:?}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}

/// A challenge, taken apart (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// # Panics
    ///
    /// When `text` is anything but one Bearer or DPoP challenge whose parameters are quoted strings, each
    /// once.
    fn parse(text: &str) -> Self {
        assert!(
            text.bytes().all(|b| matches!(b, 0x20..=0x7e)),
            "not printable ASCII: {text:?}"
        );
        let (scheme, mut rest) = text
            .split_once(' ')
            .filter(|(scheme, _)| ["Bearer", "DPoP"].contains(scheme))
            .unwrap_or_else(|| panic!("neither Bearer nor DPoP: {text}"));
        let mut parameters = BTreeMap::new();
        loop {
            let (name, after) = rest
                .split_once("=\"")
                .unwrap_or_else(|| panic!("no value: {text}"));
            let token =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            assert!(token, "not a parameter name: {name:?} in {text}");
            let (value, after) = after
                .split_once('"')
                .unwrap_or_else(|| panic!("not closed: {text}"));
            assert!(!value.contains('\\'), "escaped: {text}");
            let repeated = parameters
                .insert(name.to_owned(), value.to_owned())
                .is_some();
            assert!(!repeated, "`{name}` is repeated: {text}");
            match after.strip_prefix(", ") {
                Some(next) => rest = next,
                None => {
                    assert!(after.is_empty(), "more than one challenge: {text}");
                    let scheme = scheme.to_owned();
                    return Self { scheme, parameters };
                }
            }
        }
    }

    /// `Bearer` or `DPoP`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// A parameter of the challenge.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// `error`: absent when there were no credentials.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.get("error")
    }

    /// `scope`, as it is written.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.get("scope")
    }

    /// `algs`: what a proof may be signed with (RFC 9449 §7.1).
    #[must_use]
    pub fn algs(&self) -> Option<&str> {
        self.get("algs")
    }

    /// `resource_metadata` (RFC 9728 §5.1).
    #[must_use]
    pub fn resource_metadata(&self) -> Option<&str> {
        self.get("resource_metadata")
    }
}
