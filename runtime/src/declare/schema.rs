//! JSON Schemas of arguments and results, derived from their types (JSON Schema 2020-12).

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// A JSON Schema object.
pub(crate) type Schema = Map<String, Value>;

/// What `T` accepts when it is read.
pub(crate) fn input<T: JsonSchema>() -> Schema {
    root::<T>(SchemaSettings::draft2020_12())
}

/// What `T` looks like when it is written.
pub(crate) fn output<T: JsonSchema>() -> Schema {
    root::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// The input of a tool without arguments.
pub(crate) fn no_input() -> Schema {
    let mut schema = Schema::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), json!({}));
    schema
}

/// Whether `schema` describes JSON objects, as MCP asks of a tool's input.
pub(crate) fn is_object(schema: &Schema) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

/// The name and the documentation of the Rust type are left out: they tell a client nothing.
fn root<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    let object = schema.ensure_object();
    object.remove("title");
    object.remove("description");
    std::mem::take(object)
}
