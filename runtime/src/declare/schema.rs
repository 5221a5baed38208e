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

/// Keywords whose values are schemas, or lists or maps of them.
const NESTED: [&str; 14] = [
    "$defs",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "properties",
    "propertyNames",
    "then",
];

/// A keyword of `schema` that promises something which reading the Rust type does not check: what
/// `#[schemars(range(..))]` and its like add.
///
/// The bounds of integers and of `char` come from their types, and so do the lengths of arrays.
pub(crate) fn unchecked_keyword(schema: &Schema) -> Option<&str> {
    schema
        .iter()
        .find_map(|(keyword, value)| match keyword.as_str() {
            "minimum" | "maximum" if is_bound_of_type(schema, keyword, value) => None,
            "minLength" | "maxLength" if *value == json!(1) && is_char(schema) => None,
            "exclusiveMaximum" | "exclusiveMinimum" | "maxLength" | "maxProperties" | "maximum"
            | "minLength" | "minProperties" | "minimum" | "multipleOf" | "pattern" => {
                Some(keyword.as_str())
            }
            "minItems" | "maxItems" if schema.get("minItems") != schema.get("maxItems") => {
                Some(keyword.as_str())
            }
            nested if NESTED.contains(&nested) => unchecked_within(nested, value),
            _ => None,
        })
}

fn unchecked_within<'s>(keyword: &str, value: &'s Value) -> Option<&'s str> {
    match value {
        Value::Object(map) if matches!(keyword, "$defs" | "properties") => map
            .values()
            .find_map(|schema| unchecked_keyword(schema.as_object()?)),
        Value::Object(schema) => unchecked_keyword(schema),
        Value::Array(schemas) => schemas
            .iter()
            .find_map(|schema| unchecked_keyword(schema.as_object()?)),
        _ => None,
    }
}

fn is_bound_of_type(schema: &Schema, keyword: &str, value: &Value) -> bool {
    let (min, max): (i128, i128) = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => (0, u8::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("int64" | "int") => (i64::MIN.into(), i64::MAX.into()),
        _ => return false,
    };
    let bound = value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from));
    // A `NonZero` integer starts at 1.
    match keyword {
        "minimum" => bound == Some(min) || (min == 0 && bound == Some(1)),
        _ => bound == Some(max),
    }
}

fn is_char(schema: &Schema) -> bool {
    schema.get("minLength") == schema.get("maxLength")
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, num::NonZeroU16};

    use super::*;

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema matters")]
    struct Plain {
        tiny: u8,
        signed: i64,
        wide: Option<u64>,
        some: NonZeroU16,
        letter: char,
        triple: [u8; 3],
        list: Vec<HashMap<String, f64>>,
        choice: Result<bool, Box<Self>>,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema matters")]
    struct Ranged {
        #[schemars(range(min = 1, max = 10))]
        count: u8,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema matters")]
    struct Deep {
        all: Vec<Option<Ranged>>,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema matters")]
    struct Named {
        #[schemars(regex(pattern = "^[a-z]+$"), length(max = 8))]
        name: String,
    }

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema matters")]
    struct Listed {
        #[schemars(length(min = 1))]
        names: Vec<String>,
    }

    #[test]
    fn what_types_say_by_themselves_is_checked_by_reading_them() {
        assert_eq!(
            unchecked_keyword(&input::<Plain>()),
            None,
            "{:#?}",
            input::<Plain>()
        );
        assert_eq!(unchecked_keyword(&no_input()), None);
    }

    #[test]
    fn what_attributes_add_is_not() {
        assert!(unchecked_keyword(&input::<Ranged>()).is_some());
        assert!(unchecked_keyword(&input::<Deep>()).is_some());
        assert!(unchecked_keyword(&input::<Named>()).is_some());
        assert_eq!(unchecked_keyword(&input::<Listed>()), Some("minItems"));
    }
}
