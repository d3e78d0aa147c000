//! The two encodings of a `DynamicValue`: msgpack and JSON. Decoding and encoding follow the value's type.

mod json;
mod msgpack;

use super::path::Step;
use super::{AttributePath, Type, Value, proto};

pub use json::{ExtraAttributes, from_json};
pub use msgpack::{from_msgpack, to_msgpack};

/// The error for bytes that are not a value of the expected type. It names the place, but never the value there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if *path == AttributePath::root() { String::new() } else { format!("{path}: ") })]
pub struct DecodeError {
    /// The path to the wrong part of the value.
    pub path: AttributePath,
    /// The problem there.
    pub reason: String,
}

/// The error for a value that does not have the type to encode. It is a bug in the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider produced a value that is not {expected}")]
pub struct EncodeError {
    expected: String,
}

/// The position of the decoder: a list of steps from the inside out, which becomes an [`AttributePath`] only in an
/// error.
#[derive(Clone, Copy)]
struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: PlaceStep<'a>,
    depth: u32,
}

/// The limit on nesting, equal to serde_json's own. Only values with their own type can be nested deeper than the
/// schema.
const MAX_DEPTH: u32 = 128;

#[derive(Clone, Copy)]
enum PlaceStep<'a> {
    Root,
    Attribute(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    const ROOT: Place<'static> = Place { parent: None, step: PlaceStep::Root, depth: 0 };

    fn then(&'a self, step: PlaceStep<'a>) -> Place<'a> {
        Place { parent: Some(self), step, depth: self.depth + 1 }
    }

    /// Returns the place one level deeper, inside a value with its own type.
    fn deeper(&self) -> Result<Place<'a>, DecodeError> {
        if self.depth < MAX_DEPTH {
            Ok(Place { depth: self.depth + 1, ..*self })
        } else {
            Err(self.error("it is nested too deeply"))
        }
    }

    fn path(&self) -> AttributePath {
        let path = self.parent.map_or_else(AttributePath::root, Place::path);
        match self.step {
            PlaceStep::Root => path,
            PlaceStep::Attribute(name) => path.then(Step::Attribute(name.to_owned())),
            PlaceStep::Key(key) => path.then(Step::Key(key.to_owned())),
            PlaceStep::Index(index) => path.then(Step::Index(index)),
        }
    }

    fn error(&self, reason: impl Into<String>) -> DecodeError {
        DecodeError { path: self.path(), reason: reason.into() }
    }
}

/// Names a type in an error.
fn name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "a bool",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Dynamic => "a value with its type",
        Type::List(_) => "a list",
        Type::Set(_) => "a set",
        Type::Map(_) => "a map",
        Type::Tuple(_) => "a tuple",
        Type::Object(_) => "an object",
    }
}

/// Decodes a value from either encoding. A missing value is null.
pub fn decode(value: Option<&proto::DynamicValue>, ty: &Type) -> Result<Value, DecodeError> {
    match value {
        Some(value) if !value.msgpack.is_empty() => from_msgpack(&value.msgpack, ty),
        Some(value) if !value.json.is_empty() => from_json(&value.json, ty, ExtraAttributes::Refused),
        _ => Ok(Value::Null),
    }
}

/// Encodes a value for Terraform.
pub fn encode(value: &Value, ty: &Type) -> Result<proto::DynamicValue, EncodeError> {
    Ok(proto::DynamicValue { msgpack: to_msgpack(value, ty)?, json: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::number::tests::any_number;
    use super::super::types::tests::any_type;
    use super::*;
    use proptest::prelude::*;

    /// Generates values of the type, with unknown values if `unknowns` is set: msgpack can encode them, JSON cannot.
    fn any_value(ty: &Type, unknowns: bool) -> BoxedStrategy<Value> {
        let inner = |ty: &Type| any_value(ty, unknowns);
        let known = match ty.clone() {
            Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
            Type::Number => any_number().prop_map(Value::Number).boxed(),
            Type::String => ".{0,12}".prop_map(Value::String).boxed(),
            Type::Dynamic => any_type()
                .prop_filter("a dynamic value has a concrete type", |ty| *ty != Type::Dynamic)
                .prop_flat_map(move |ty| any_value(&ty, unknowns).prop_map(move |v| (ty.clone(), v)))
                .prop_filter("null and unknown need no type", |(_, v)| !matches!(v, Value::Null | Value::Unknown))
                .prop_map(|pair| Value::Dynamic(Box::new(pair)))
                .boxed(),
            Type::List(element) => prop::collection::vec(inner(&element), 0..4).prop_map(Value::List).boxed(),
            Type::Set(element) => {
                prop::collection::vec(inner(&element), 0..4).prop_map(|e| Value::Set(e.into_iter().collect())).boxed()
            }
            Type::Map(element) => {
                prop::collection::btree_map(".{0,6}", inner(&element), 0..4).prop_map(Value::Object).boxed()
            }
            Type::Tuple(elements) => elements.iter().map(inner).collect::<Vec<_>>().prop_map(Value::List).boxed(),
            Type::Object(attributes) => attributes
                .into_iter()
                .map(|(name, ty)| inner(&ty).prop_map(move |value| (name.clone(), value)))
                .collect::<Vec<_>>()
                .prop_map(|attributes| Value::Object(attributes.into_iter().collect()))
                .boxed(),
        };
        let unknown = if unknowns { Value::Unknown } else { Value::Null };
        prop_oneof![1 => Just(Value::Null), 1 => Just(unknown), 8 => known].boxed()
    }

    fn typed_value(unknowns: bool) -> impl Strategy<Value = (Type, Value)> {
        any_type().prop_flat_map(move |ty| any_value(&ty, unknowns).prop_map(move |value| (ty.clone(), value)))
    }

    proptest! {
        #[test]
        fn msgpack_round_trips((ty, value) in typed_value(true)) {
            let bytes = to_msgpack(&value, &ty).expect("a value of its type");
            prop_assert_eq!(from_msgpack(&bytes, &ty), Ok(value));
        }

        #[test]
        fn json_round_trips((ty, value) in typed_value(false)) {
            let text = json::tests::to_json(&value, &ty).to_string();
            prop_assert_eq!(from_json(text.as_bytes(), &ty, ExtraAttributes::Refused), Ok(value), "{}", text);
        }

        #[test]
        fn decoding_any_bytes_never_panics(ty in any_type(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = from_msgpack(&bytes, &ty);
            let _ = from_json(&bytes, &ty, ExtraAttributes::Ignored);
        }

        #[test]
        fn decoding_damaged_bytes_never_panics(
            (ty, value) in typed_value(true),
            at in any::<prop::sample::Index>(),
            byte: u8,
        ) {
            let mut bytes = to_msgpack(&value, &ty).expect("a value of its type");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = from_msgpack(&bytes, &ty);
            let _ = from_msgpack(&bytes[..at], &ty);
        }
    }

    #[test]
    fn a_missing_value_decodes_as_null() {
        assert_eq!(decode(None, &Type::String), Ok(Value::Null));
        assert_eq!(decode(Some(&proto::DynamicValue::default()), &Type::String), Ok(Value::Null));
    }

    #[test]
    fn a_decode_error_names_the_attribute() {
        let ty = Type::object([("list", Type::list(Type::object([("n", Type::Number)])))]);
        let error =
            from_json(br#"{"list":[{"n":1},{"n":true}]}"#, &ty, ExtraAttributes::Refused).expect_err("no number");
        assert_eq!(error.to_string(), "list[1].n: a number was expected");
    }
}
