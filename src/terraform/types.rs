//! Terraform's type system (cty), and its JSON form.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `dynamic`: each value brings its own type.
    Dynamic,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `tuple([T, …])`
    Tuple(Vec<Type>),
    /// `object({name = T, …})`
    Object(BTreeMap<String, Type>),
}

/// The error for text that is not a type in cty's JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a type in cty's JSON form")]
pub struct InvalidType;

impl Type {
    /// Returns `list(element)`.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// Returns `set(element)`.
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// Returns `map(element)`.
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// Returns `object({…})`.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(attributes.into_iter().map(|(name, ty)| (name.into(), ty)).collect())
    }

    /// Returns the type in cty's JSON form, such as `["set","string"]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Tuple(elements) => json!(["tuple", elements.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(attributes) => {
                let attributes: serde_json::Map<_, _> =
                    attributes.iter().map(|(name, ty)| (name.clone(), ty.to_json())).collect();
                json!(["object", attributes])
            }
        }
    }

    /// Returns the type as the bytes of a protocol message.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Reads a type from the bytes of a protocol message, in cty's JSON form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, InvalidType> {
        // serde_json bounds the nesting depth.
        Self::read(&serde_json::from_slice(bytes).map_err(|_| InvalidType)?)
    }

    fn read(json: &Json) -> Result<Self, InvalidType> {
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(InvalidType),
            },
            // The optional third part names attributes that configurations may omit. Values always have all attributes.
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), Json::Object(attributes)]
                | [Json::String(kind), Json::Object(attributes), Json::Array(_)]
                    if kind == "object" =>
                {
                    attributes
                        .iter()
                        .map(|(name, ty)| Ok((name.clone(), Self::read(ty)?)))
                        .collect::<Result<_, _>>()
                        .map(Self::Object)
                }
                [Json::String(kind), Json::Array(elements)] if kind == "tuple" => {
                    elements.iter().map(Self::read).collect::<Result<_, _>>().map(Self::Tuple)
                }
                [Json::String(kind), element] => {
                    let element = Self::read(element)?;
                    match kind.as_str() {
                        "list" => Ok(Self::list(element)),
                        "set" => Ok(Self::set(element)),
                        "map" => Ok(Self::map(element)),
                        _ => Err(InvalidType),
                    }
                }
                _ => Err(InvalidType),
            },
            _ => Err(InvalidType),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn any_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String), Just(Type::Dynamic)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(Type::list),
                inner.clone().prop_map(Type::set),
                inner.clone().prop_map(Type::map),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Type::Tuple),
                prop::collection::btree_map("[a-z_]{1,6}", inner, 0..3).prop_map(Type::Object),
            ]
        })
    }

    #[test]
    fn follows_ctys_json_form() {
        for (ty, json) in [
            (Type::String, r#""string""#),
            (Type::set(Type::String), r#"["set","string"]"#),
            (Type::object([("a", Type::Number)]), r#"["object",{"a":"number"}]"#),
            (Type::Tuple(vec![Type::Bool, Type::Dynamic]), r#"["tuple",["bool","dynamic"]]"#),
        ] {
            assert_eq!(ty.to_json().to_string(), json);
            assert_eq!(Type::from_json(json.as_bytes()), Ok(ty));
        }
        assert_eq!(Type::from_json(br#"["object",{"a":"number"},["a"]]"#), Ok(Type::object([("a", Type::Number)])));
    }

    #[test]
    fn refuses_invalid_types() {
        for json in ["", "null", "1", r#""text""#, "[]", r#"["list"]"#, r#"["bag","string"]"#, r#"["object",[]]"#] {
            assert_eq!(Type::from_json(json.as_bytes()), Err(InvalidType), "{json}");
        }
        let deep = [b"[\"list\",".repeat(100_000), b"\"string\"".to_vec(), b"]".repeat(100_000)].concat();
        assert_eq!(Type::from_json(&deep), Err(InvalidType));
    }

    proptest! {
        #[test]
        fn type_json_round_trips(ty in any_type()) {
            prop_assert_eq!(Type::from_json(ty.to_json().to_string().as_bytes()), Ok(ty));
        }
    }
}
