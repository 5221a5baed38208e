//! Checking arguments against what only their schema says: ranges, lengths, patterns.
//!
//! Reading the Rust type checks most of a schema. The rest is checked with the `jsonschema` crate, for the
//! tools that have such a rest and for no others.

use serde_json::{Map, Value};

use super::{
    reply::Rejection,
    schema::{self, Schema},
};

/// The part of a tool's schema that reading its arguments does not check.
pub(crate) struct Validator(jsonschema::Validator);

impl Validator {
    /// A validator for `schema`, or `None` when there is nothing left to check.
    ///
    /// # Errors
    ///
    /// When `schema` is no valid schema, or refers to something outside of it: nothing is ever fetched.
    pub(crate) fn new(schema: &Schema) -> Result<Option<Self>, String> {
        if schema::unchecked_keyword(schema).is_none() {
            return Ok(None);
        }
        jsonschema::draft202012::new(&Value::Object(schema.clone()))
            .map(|validator| Some(Self(validator)))
            .map_err(|error| error.to_string())
    }

    /// Checks `arguments`, which are handed back as they were.
    ///
    /// # Errors
    ///
    /// [`Rejection`] that names the first thing that does not fit.
    pub(crate) fn check(&self, arguments: &mut Map<String, Value>) -> Result<(), Rejection> {
        let value = Value::Object(std::mem::take(arguments));
        let result = self.0.validate(&value).map_err(|error| {
            Rejection::invalid_arguments(format!(
                "invalid arguments: {error} at `{}`",
                error.instance_path()
            ))
        });
        if let Value::Object(map) = value {
            *arguments = map;
        }
        result
    }
}
