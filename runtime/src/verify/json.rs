//! JSON objects from outside, read in the one way in which no two parsers disagree.
//!
//! A member name that occurs twice at any depth makes the document invalid (names are compared after
//! unescaping): otherwise one parser takes the first and another the last ([RFC 8725 §2.4]). The root is
//! an object, nothing follows it, nesting is limited. Invalid UTF-8, a byte order mark and lone
//! surrogates are refused by `serde_json` itself.
//!
//! What this does not do: limit the size. Callers do, before they decode anything.
//!
//! [RFC 8725 §2.4]: https://www.rfc-editor.org/rfc/rfc8725#section-2.4

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep objects and arrays may nest, the root included.
const MAX_DEPTH: u8 = 32;

/// With the feature `arbitrary_precision`, which any crate of the program may switch on, `serde_json`
/// announces a number as a map with this one member.
const NUMBER: &str = "$serde_json::private::Number";

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidJson {
    #[error("not one JSON object")]
    Malformed,
    #[error("duplicate member name")]
    Duplicate,
}

/// Reads `text` as one JSON object.
pub(crate) fn object(text: &[u8]) -> Result<Map<String, Value>, InvalidJson> {
    let duplicate = Cell::new(false);
    let root = Strict {
        left: MAX_DEPTH,
        duplicate: &duplicate,
    };
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = root.deserialize(&mut parser);
    match (value, parser.end()) {
        (Ok(Value::Object(members)), Ok(())) => Ok(members),
        (Err(_), _) if duplicate.get() => Err(InvalidJson::Duplicate),
        _ => Err(InvalidJson::Malformed),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    left: u8,
    duplicate: &'a Cell<bool>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(value) = input.next_element_seed(element)? {
            elements.push(value);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = input.next_key::<String>()? {
            if name == NUMBER && members.is_empty() {
                let digits: String = input.next_value()?;
                return digits.parse().map(Value::Number).map_err(A::Error::custom);
            }
            let value = input.next_value_seed(self.deeper()?)?;
            if members.insert(name, value).is_some() {
                self.duplicate.set(true);
                return Err(A::Error::custom("duplicate member name"));
            }
        }
        // An empty object nests too.
        self.deeper::<A::Error>()?;
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_serde_json_reads_it() {
        let text =
            r#"{"a":1,"b":[true,null,-2,0.5,"x",{}],"c":{"d":"\u00e9"},"e":18446744073709551615}"#;
        let expected: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(object(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn a_name_that_occurs_twice_at_any_depth_is_refused_however_it_is_spelt() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":{}}"#,
            r#"{"kid":1,"\u006bid":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[[{"b":1,"b":2}]]}"#,
            r#"{"":1,"":2}"#,
        ] {
            assert_eq!(
                object(text.as_bytes()),
                Err(InvalidJson::Duplicate),
                "{text}"
            );
        }
        assert!(object(br#"{"a":1,"A":2,"b":{"a":3}}"#).is_ok());
    }

    #[test]
    fn anything_but_one_plain_object_is_refused() {
        for text in [
            "",
            "[]",
            "null",
            "1",
            "\"a\"",
            "{",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            "{\"a\":1,}",
            "{\"a\":1e400}",
            "{\"a\":-1e400}",
            "{\"a\":NaN}",
            "{\"a\":\"\\ud800\"}",
            "{\"\\udc00\":1}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{/**/}",
        ] {
            assert_eq!(
                object(text.as_bytes()),
                Err(InvalidJson::Malformed),
                "{text}"
            );
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(InvalidJson::Malformed));
        assert_eq!(object(b"{\"\xff\":1}"), Err(InvalidJson::Malformed));
    }

    #[test]
    fn depth_32_is_read_and_depth_33_refused() {
        let arrays = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        let objects = |n: usize| format!("{}{{}}{}", "{\"a\":".repeat(n), "}".repeat(n));
        assert!(object(arrays(31).as_bytes()).is_ok());
        assert!(object(objects(31).as_bytes()).is_ok());
        for text in [arrays(32), objects(32), arrays(5000), objects(5000)] {
            assert_eq!(object(text.as_bytes()), Err(InvalidJson::Malformed));
        }
    }

    #[test]
    fn numbers_survive_serde_json_with_arbitrary_precision() {
        let text = format!("{{\"exp\":{{\"{NUMBER}\":\"12\"}}}}");
        assert_eq!(object(text.as_bytes()).unwrap()["exp"], 12);
    }
}
