//! How this server authenticates where it introspects tokens ([RFC 7662 §2.1], [RFC 6749 §2.3.1]).
//!
//! [RFC 7662 §2.1]: https://www.rfc-editor.org/rfc/rfc7662#section-2.1
//! [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::HeaderValue;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::secret::Secret;

/// Where the secret is sent: in one place, never in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Basic,
    Post,
}

/// Name and secret of this server. No `Debug`.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) method: Method,
}

impl Credentials {
    /// The whole form, the token in it.
    pub(super) fn body(&self, token: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token);
        form.append_pair("token_type_hint", "access_token");
        if self.method == Method::Post {
            form.append_pair("client_id", &self.id);
            form.append_pair("client_secret", self.secret.expose());
        }
        form.finish()
    }

    /// Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    pub(super) fn header(&self) -> Option<HeaderValue> {
        if self.method == Method::Post {
            return None;
        }
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let id = encode(&self.id);
        let pair = Zeroizing::new(format!("{id}:{}", encode(self.secret.expose())));
        let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
