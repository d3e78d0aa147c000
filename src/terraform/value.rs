//! Terraform's values of any type: known, null or unknown.

use std::collections::BTreeMap;

use super::Type;
use super::number::Number;

/// A value of Terraform's. Its [`Type`] comes from the schema, as in the protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absent.
    Null,
    /// Not known before apply.
    Unknown,
    /// `true` or `false`.
    Bool(bool),
    /// A number of any size.
    Number(Number),
    /// Text.
    String(String),
    /// The elements of a list or a tuple, in order.
    List(Vec<Value>),
    /// The elements of a set.
    Set(Set),
    /// The elements of a map or the attributes of an object.
    Object(BTreeMap<String, Value>),
    /// A value with its own type, where the schema leaves the type open.
    Dynamic(Box<(Type, Value)>),
}

/// The elements of a set, sorted. Equal elements are one element, except unknown ones, which may turn out to differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Set(Vec<Value>);

impl FromIterator<Value> for Set {
    fn from_iter<I: IntoIterator<Item = Value>>(elements: I) -> Self {
        let mut elements: Vec<_> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self(elements)
    }
}

impl IntoIterator for Set {
    type Item = Value;
    type IntoIter = std::vec::IntoIter<Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Set {
    /// Iterates over the elements in their sorted order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.iter()
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value {
    /// Returns whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns whether neither the value nor any value inside it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Set(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Object(attributes) => attributes.values().all(Self::is_wholly_known),
            Self::Dynamic(pair) => pair.1.is_wholly_known(),
        }
    }

    /// Returns the attribute `name` of an object, or null if this is not an object or has no such attribute.
    pub fn attribute(&self, name: &str) -> &Value {
        match self {
            Self::Object(attributes) => attributes.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn sets_ignore_order_and_duplicates() {
        let a: Set = [string("b"), string("a"), string("b")].into_iter().collect();
        let b: Set = [string("a"), string("b")].into_iter().collect();
        assert_eq!(a, b);
        assert_eq!(a.len(), 2);
    }

    #[test]
    fn unknown_elements_of_a_set_stay_distinct() {
        let set: Set = [Value::Unknown, Value::Unknown].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert!(!Value::Set(set).is_wholly_known());
    }

    #[test]
    fn attributes_of_a_non_object_are_null() {
        assert_eq!(Value::Null.attribute("url"), &Value::Null);
        let object = Value::Object([("url".to_owned(), string("x"))].into());
        assert_eq!(object.attribute("url"), &string("x"));
        assert_eq!(object.attribute("other"), &Value::Null);
    }
}
