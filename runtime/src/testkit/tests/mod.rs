//! The whole server over loopback, as a client and a browser see it.

mod code_flow;
mod consent_page;
mod documents;
mod dpop;
mod introspection;
mod refresh;
mod registration;
mod server;

use std::collections::HashMap;

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{AuthorizationServer, RunningAuthorizationServer, random};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "http://127.0.0.1:7000/cb";
const RESOURCE: &str = "http://127.0.0.1:3000/mcp";

/// A server where alice agrees to everything.
async fn agreeing() -> RunningAuthorizationServer {
    AuthorizationServer::new()
        .auto_consent("alice")
        .start()
        .await
        .unwrap()
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Status and error code, which is what a refusal is.
    fn refusal(&self) -> (u16, String) {
        (
            self.status.as_u16(),
            self.json()["error"].as_str().unwrap().to_owned(),
        )
    }

    /// Where a redirect goes, and what it says there.
    fn redirect(&self) -> (String, HashMap<String, String>) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let location = self.header(header::LOCATION);
        let url = Url::parse(location).unwrap();
        (
            location.split('?').next().unwrap().to_owned(),
            url.query_pairs().into_owned().collect(),
        )
    }
}

async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn get(url: &str) -> Reply {
    send(http().get(url)).await
}

/// Parameters of a request, to be changed by a test in the one place it is about.
#[derive(Clone)]
struct Form(Vec<(String, String)>);

impl Form {
    fn new(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    fn set(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    fn request(&self, url: &str) -> reqwest::RequestBuilder {
        http()
            .post(url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(self.encoded())
    }

    async fn post(&self, url: &str) -> Reply {
        send(self.request(url)).await
    }
}

async fn register(auth: &RunningAuthorizationServer, metadata: Value) -> Reply {
    let request = http()
        .post(format!("{}/register", auth.issuer()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(metadata.to_string());
    send(request).await
}

/// The id of a public client that may refresh.
async fn public_client(auth: &RunningAuthorizationServer) -> String {
    let metadata = json!({
        "client_name": "A client",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    register(auth, metadata).await.json()["client_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn authorization(client_id: &str) -> Form {
    Form::new(&[
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT),
        ("code_challenge", &random::s256(VERIFIER)),
        ("code_challenge_method", "S256"),
        ("resource", RESOURCE),
        ("scope", "notes:read notes:write"),
        ("state", "s&1"),
    ])
}

async fn authorize(auth: &RunningAuthorizationServer, form: &Form) -> Reply {
    get(&format!("{}/authorize?{}", auth.issuer(), form.encoded())).await
}

fn redemption(client_id: &str, code: &str) -> Form {
    Form::new(&[
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("resource", RESOURCE),
    ])
}

/// A code of an agreeing server.
async fn code(auth: &RunningAuthorizationServer, form: &Form) -> String {
    authorize(auth, form)
        .await
        .redirect()
        .1
        .remove("code")
        .unwrap()
}

async fn token(auth: &RunningAuthorizationServer, form: &Form) -> Reply {
    form.post(&format!("{}/token", auth.issuer())).await
}

/// The parts of a JWT, unverified.
fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default())
            .unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// Whether some key of `jwks` verifies `token`.
fn verifies(token: &str, jwks: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let kid = parts(token).0["kid"].clone();
    let Some(key) = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid)
    else {
        return false;
    };
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
    let algorithm = key["alg"].as_str().unwrap().parse().unwrap();
    let public = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), &public, algorithm).unwrap()
}
