//! The parameters of a tool: each type says how it is taken from a call.

use std::{any::type_name, ops::Deref, sync::Arc};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{call::Call, principal::Principal, reply::Rejection, tool::Signature};

/// A parameter type of a tool.
///
/// Implement it for your own type to hand tools something else that belongs to the call:
///
/// ```
/// use toolgate::{Call, FromCall, Rejection};
///
/// /// The OAuth client on whose behalf the call is made.
/// struct Client(String);
///
/// impl FromCall for Client {
///     fn from_call(call: &mut Call) -> Result<Self, Rejection> {
///         let client = call.principal().and_then(|principal| principal.client_id());
///         Ok(Self(client.unwrap_or("unknown").to_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a tool",
    label = "not a tool parameter",
    note = "take `Principal`, `State<T>`, one `Args<T>`, `Extension<T>` or rmcp's `RequestContext<RoleServer>`, or implement `FromCall`"
)]
pub trait FromCall: Sized {
    /// Whether this parameter takes the arguments of the call. At most one parameter of a tool may.
    const TAKES_ARGUMENTS: bool = false;

    /// Adds what the server has to know beforehand: the schema of arguments, the state that is needed.
    fn declare(signature: &mut Signature) {
        let _ = signature;
    }

    /// Takes the parameter from the call.
    ///
    /// # Errors
    ///
    /// [`Rejection`] when the call does not hold it; the tool is not run then.
    fn from_call(call: &mut Call) -> Result<Self, Rejection>;
}

/// The arguments of a call, read into `T` and described to clients by its JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Args<T>(pub T);

impl<T: DeserializeOwned + JsonSchema + 'static> FromCall for Args<T> {
    const TAKES_ARGUMENTS: bool = true;

    fn declare(signature: &mut Signature) {
        signature.takes::<T>();
    }

    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        let arguments = serde_json::Value::Object(call.take_arguments());
        T::deserialize(arguments)
            .map(Self)
            .map_err(|error| Rejection::invalid_arguments(format!("invalid arguments: {error}")))
    }
}

/// Application state that was given to the server with `Server::state`.
///
/// Whether the server has it is checked when the server is built, not at the first call.
#[derive(Debug)]
pub struct State<T>(pub Arc<T>);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send + Sync + 'static> FromCall for State<T> {
    fn declare(signature: &mut Signature) {
        signature.needs_state::<T>();
    }

    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        let missing = || Rejection::internal(format!("no state of type `{}`", type_name::<T>()));
        call.state().map(Self).ok_or_else(missing)
    }
}

impl FromCall for Principal {
    fn declare(signature: &mut Signature) {
        signature.needs_principal();
    }

    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        call.principal()
            .cloned()
            .ok_or_else(|| Rejection::internal("no principal"))
    }
}

/// For public tools of servers that allow anonymous callers: `None` when there was no token.
impl FromCall for Option<Principal> {
    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        Ok(call.principal().cloned())
    }
}

/// Something a layer in front of the server left in the extensions of the HTTP request.
#[cfg(feature = "rmcp")]
#[cfg_attr(docsrs, doc(cfg(feature = "rmcp")))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<T>(pub T);

#[cfg(feature = "rmcp")]
impl<T: Clone + Send + Sync + 'static> FromCall for Extension<T> {
    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        let extensions = &call.context().extensions;
        let found = extensions.get::<T>();
        #[cfg(feature = "http")]
        let found = found.or_else(|| {
            extensions
                .get::<http::request::Parts>()?
                .extensions
                .get::<T>()
        });
        let missing =
            || Rejection::internal(format!("no extension of type `{}`", type_name::<T>()));
        found.cloned().map(Self).ok_or_else(missing)
    }
}

#[cfg(feature = "rmcp")]
impl FromCall for rmcp::service::RequestContext<rmcp::RoleServer> {
    fn from_call(call: &mut Call) -> Result<Self, Rejection> {
        Ok(call.context().clone())
    }
}
