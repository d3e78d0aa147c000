//! cty's JSON encoding of values, which state files use as well.

use serde_json::Value as Json;

use super::{DecodeError, Place, PlaceStep, name};
use crate::terraform::{NumberError, Type, Value};

/// How to treat attributes that only the JSON, or only the type, has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraAttributes {
    /// Both are errors.
    Refused,
    /// Those of the JSON are dropped, and those of the type are null: a state may come from a version of the provider
    /// with more or fewer attributes.
    Ignored,
}

/// Reads a value of type `ty`.
///
/// # Errors
///
/// For anything but exactly one value of that type.
pub fn from_json(bytes: &[u8], ty: &Type, extra: ExtraAttributes) -> Result<Value, DecodeError> {
    // serde_json bounds the nesting depth.
    let json = serde_json::from_slice(bytes).map_err(|e| Place::ROOT.error(format!("not JSON ({})", position(&e))))?;
    read(json, ty, extra, &Place::ROOT)
}

/// Returns the position of a syntax error. serde_json's own message may quote the text, which may be secret.
fn position(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn read(json: Json, ty: &Type, extra: ExtraAttributes, place: &Place<'_>) -> Result<Value, DecodeError> {
    let elements = |elements: Vec<Json>, ty: &Type| {
        let read = |(i, json)| read(json, ty, extra, &place.then(PlaceStep::Index(i)));
        elements.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()
    };
    match (json, ty) {
        (Json::Null, _) => Ok(Value::Null),
        (Json::Bool(b), Type::Bool) => Ok(Value::Bool(b)),
        (Json::Number(n), Type::Number) => {
            n.as_str().parse().map(Value::Number).map_err(|e: NumberError| place.error(e.to_string()))
        }
        // Terraform converts between strings and numbers, and old states may contain a number as a string.
        (Json::String(text), Type::Number) => {
            text.parse().map(Value::Number).map_err(|e: NumberError| place.error(e.to_string()))
        }
        (Json::String(text), Type::String) => Ok(Value::String(text)),
        (Json::Object(mut pair), Type::Dynamic) => match (pair.remove("type"), pair.remove("value"), pair.is_empty()) {
            (Some(ty), Some(value), true) => {
                let ty = Type::from_json(ty.to_string().as_bytes()).map_err(|e| place.error(e.to_string()))?;
                Ok(match read(value, &ty, extra, place)? {
                    Value::Null => Value::Null,
                    value => Value::Dynamic(Box::new((ty, value))),
                })
            }
            _ => Err(place.error(format!("{} was expected", name(ty)))),
        },
        (Json::Array(list), Type::List(element)) => elements(list, element).map(Value::List),
        (Json::Array(list), Type::Set(element)) => {
            elements(list, element).map(|elements| Value::Set(elements.into_iter().collect()))
        }
        (Json::Array(list), Type::Tuple(types)) if list.len() == types.len() => list
            .into_iter()
            .zip(types)
            .enumerate()
            .map(|(i, (json, ty))| read(json, ty, extra, &place.then(PlaceStep::Index(i))))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Json::Object(map), Type::Map(element)) => map
            .into_iter()
            .map(|(key, json)| {
                let value = read(json, element, extra, &place.then(PlaceStep::Key(&key)))?;
                Ok((key, value))
            })
            .collect::<Result<_, _>>()
            .map(Value::Object),
        (Json::Object(mut object), Type::Object(attributes)) => {
            let attributes = attributes
                .iter()
                .map(|(name, ty)| {
                    let place = place.then(PlaceStep::Attribute(name));
                    let value = match object.remove(name) {
                        Some(json) => read(json, ty, extra, &place)?,
                        None if extra == ExtraAttributes::Ignored => Value::Null,
                        None => return Err(place.error("the attribute is missing")),
                    };
                    Ok((name.clone(), value))
                })
                .collect::<Result<_, _>>()?;
            match object.keys().next() {
                Some(name) if extra == ExtraAttributes::Refused => {
                    Err(place.then(PlaceStep::Attribute(name)).error("the schema has no such attribute"))
                }
                _ => Ok(Value::Object(attributes)),
            }
        }
        _ => Err(place.error(format!("{} was expected", name(ty)))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// Encodes a value for the property test. The provider itself answers in msgpack only.
    pub(crate) fn to_json(value: &Value, ty: &Type) -> Json {
        match (value, ty) {
            (Value::Null | Value::Unknown, _) => Json::Null,
            (Value::Bool(b), _) => json!(b),
            (Value::Number(n), _) => serde_json::from_str(&n.to_string()).expect("decimal notation is JSON"),
            (Value::String(text), _) => json!(text),
            (Value::Dynamic(pair), _) => json!({"type": pair.0.to_json(), "value": to_json(&pair.1, &pair.0)}),
            (Value::List(elements), Type::Tuple(types)) => {
                elements.iter().zip(types).map(|(value, ty)| to_json(value, ty)).collect()
            }
            (Value::List(elements), Type::List(ty)) => elements.iter().map(|value| to_json(value, ty)).collect(),
            (Value::Set(elements), Type::Set(ty)) => elements.iter().map(|value| to_json(value, ty)).collect(),
            (Value::Object(map), Type::Map(ty)) => {
                Json::Object(map.iter().map(|(key, value)| (key.clone(), to_json(value, ty))).collect())
            }
            (Value::Object(map), Type::Object(types)) => {
                Json::Object(map.iter().map(|(key, value)| (key.clone(), to_json(value, &types[key]))).collect())
            }
            (value, ty) => panic!("{value:?} is not of type {ty:?}"),
        }
    }

    #[test]
    fn keeps_big_numbers_exact() {
        let text = "123456789012345678901234567890.125";
        let value = from_json(text.as_bytes(), &Type::Number, ExtraAttributes::Refused).expect("a number");
        assert_eq!(value, Value::Number(text.parse().expect("a number")));
    }

    #[test]
    fn a_state_may_have_extra_and_missing_attributes() {
        let ty = Type::object([("a", Type::Bool), ("b", Type::Bool)]);
        let state = br#"{"a":true,"z":1}"#;
        let lenient = from_json(state, &ty, ExtraAttributes::Ignored).expect("a state");
        assert_eq!(lenient, Value::Object([("a".into(), Value::Bool(true)), ("b".into(), Value::Null)].into()));
        assert!(from_json(state, &ty, ExtraAttributes::Refused).is_err());
    }

    #[test]
    fn decode_errors_do_not_quote_the_value() {
        let error = from_json(b"{\"secret\": tok3n}", &Type::String, ExtraAttributes::Refused).expect_err("not JSON");
        assert_eq!(error.to_string(), "not JSON (line 1, column 13)");
        let error = from_json(b"\"tok3n\"", &Type::Number, ExtraAttributes::Refused).expect_err("not a number");
        assert_eq!(error.to_string(), "not a number in decimal notation");
    }
}
