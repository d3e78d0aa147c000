//! Typed models: the structs that provider code works with instead of [`Value`]s.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};

use super::value::Set;
use super::{AttributePath, Number, Type, Value};
use crate::terraform::path::Step;

/// A Rust type that corresponds to a [`Type`].
pub trait Data: Sized {
    /// The corresponding type.
    fn ty() -> Type;

    /// Converts a value of that type.
    ///
    /// # Errors
    ///
    /// If the Rust type cannot hold the value: a `u64` cannot hold a negative number.
    fn from_value(value: Value) -> Result<Self, Mismatch>;

    /// Converts this into a value for Terraform.
    fn into_value(self) -> Value;
}

/// The error for a value that a Rust type cannot hold. It never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub(super) steps: Vec<Step>,
    /// The expected form, such as "a whole number".
    pub expected: &'static str,
}

impl Mismatch {
    fn new(expected: &'static str) -> Self {
        Self { steps: Vec::new(), expected }
    }

    /// Returns the mismatch as seen from the value one step further out.
    #[must_use]
    pub fn inside(mut self, step: Step) -> Self {
        self.steps.insert(0, step);
        self
    }

    /// Returns the path to the wrong part of the value.
    pub fn path(self) -> AttributePath {
        self.steps.into_iter().fold(AttributePath::root(), AttributePath::then)
    }
}

/// The value of an attribute: known, null or unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Attr<T> {
    /// Absent.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// Present.
    Known(T),
}

impl<T> Attr<T> {
    /// Returns the value if it is known and present.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Converts the value if it is known and present.
    pub fn map<U>(&self, convert: impl FnOnce(&T) -> U) -> Attr<U> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => Attr::Known(convert(value)),
        }
    }

    /// Returns whether the value is absent.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns whether the value is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Data> Data for Attr<T> {
    fn ty() -> Type {
        T::ty()
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            value => T::from_value(value).map(Self::Known),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.into_value(),
        }
    }
}

impl Data for bool {
    fn ty() -> Type {
        Type::Bool
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Bool(b) => Ok(b),
            _ => Err(Mismatch::new("true or false")),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

/// Holds any number, for attributes whose range the provider itself checks.
impl Data for Number {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Number(number) => Ok(number),
            _ => Err(Mismatch::new("a number")),
        }
    }

    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

impl Data for u64 {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Number(n) => n.as_u64(),
            _ => None,
        }
        .ok_or(Mismatch::new("a whole number from 0 to 18446744073709551615"))
    }

    fn into_value(self) -> Value {
        Value::Number(self.into())
    }
}

impl Data for String {
    fn ty() -> Type {
        Type::String
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(Mismatch::new("a string")),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }
}

/// Holds a string that `Debug` does not print.
impl Data for SecretString {
    fn ty() -> Type {
        Type::String
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        String::from_value(value).map(Self::from)
    }

    fn into_value(self) -> Value {
        Value::String(self.expose_secret().to_owned())
    }
}

/// The elements of a set, any of which may be null or unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOf<T>(Vec<Attr<T>>);

impl<T: Ord> SetOf<T> {
    /// Returns the elements if all of them are known and present.
    pub fn known(&self) -> Option<BTreeSet<&T>> {
        self.0.iter().map(Attr::known).collect()
    }

    /// Iterates over the elements, known or not.
    pub fn iter(&self) -> std::slice::Iter<'_, Attr<T>> {
        self.0.iter()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord> FromIterator<T> for SetOf<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let elements: BTreeSet<T> = elements.into_iter().collect();
        Self(elements.into_iter().map(Attr::Known).collect())
    }
}

impl<T: Data> Data for SetOf<T> {
    fn ty() -> Type {
        Type::set(T::ty())
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            // No step for the element: elements of sets have no address.
            Value::Set(elements) => elements.into_iter().map(Attr::from_value).collect::<Result<_, _>>().map(Self),
            _ => Err(Mismatch::new("a set")),
        }
    }

    fn into_value(self) -> Value {
        Value::Set(self.0.into_iter().map(Attr::into_value).collect::<Set>())
    }
}

impl<T: Data> Data for Vec<T> {
    fn ty() -> Type {
        Type::list(T::ty())
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        let element = |(index, value)| T::from_value(value).map_err(|m: Mismatch| m.inside(Step::Index(index)));
        match value {
            Value::List(elements) => elements.into_iter().enumerate().map(element).collect(),
            _ => Err(Mismatch::new("a list")),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: Data> Data for BTreeMap<String, T> {
    fn ty() -> Type {
        Type::map(T::ty())
    }

    fn from_value(value: Value) -> Result<Self, Mismatch> {
        match value {
            Value::Object(elements) => elements
                .into_iter()
                .map(|(key, value)| match T::from_value(value) {
                    Ok(value) => Ok((key, value)),
                    Err(mismatch) => Err(mismatch.inside(Step::Key(key))),
                })
                .collect(),
            _ => Err(Mismatch::new("a map")),
        }
    }

    fn into_value(self) -> Value {
        Value::Object(self.into_iter().map(|(key, value)| (key, value.into_value())).collect())
    }
}

/// Takes the attribute `name` out of an object. Used by [`model!`](crate::model).
#[doc(hidden)]
pub fn take_attribute<T: Data>(object: &mut BTreeMap<String, Value>, name: &str) -> Result<T, Mismatch> {
    T::from_value(object.remove(name).unwrap_or(Value::Null)).map_err(|m| m.inside(Step::Attribute(name.to_owned())))
}

/// Returns the attributes of an object. Used by [`model!`](crate::model).
#[doc(hidden)]
pub fn open_object(value: Value) -> Result<BTreeMap<String, Value>, Mismatch> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Mismatch::new("an object")),
    }
}

/// Declares a struct whose fields are the attributes of an object, and implements [`Data`] for it.
///
/// ```
/// use terraform_provider_tencent::model;
/// use terraform_provider_tencent::terraform::{Attr, Data, SetOf, Type};
///
/// model! {
///     /// A callback.
///     #[derive(Debug, Clone)]
///     pub struct Callback {
///         /// The URL to post to.
///         pub url: Attr<String>,
///         /// The events to post.
///         pub commands: Attr<SetOf<String>>,
///     }
/// }
/// assert_eq!(Callback::ty(), Type::object([("url", Type::String), ("commands", Type::set(Type::String))]));
/// ```
///
/// A type parameter can name some of a model's attributes: `commands as N::COMMANDS: …`.
#[macro_export]
macro_rules! model {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $attribute:path) => { $attribute };
    ($(#[$meta:meta])* $vis:vis struct $name:ident $(<$names:ident: $bound:path>)? {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident $(as $attribute:path)?: $ty:ty,)*
    }) => {
        $(#[$meta])*
        $vis struct $name $(<$names: $bound>)? {
            $($(#[$field_meta])* $field_vis $field: $ty,)*
            $(names: ::std::marker::PhantomData<$names>,)?
        }

        impl $(<$names: $bound>)? $crate::terraform::Data for $name $(<$names>)? {
            fn ty() -> $crate::terraform::Type {
                $crate::terraform::Type::object::<&str>([
                    $(($crate::model!(@name $field $($attribute)?), <$ty as $crate::terraform::Data>::ty()),)*
                ])
            }

            fn from_value(value: $crate::terraform::Value) -> Result<Self, $crate::terraform::Mismatch> {
                #[allow(unused_mut, unused_variables)] // An object may have no attributes.
                let mut object = $crate::terraform::open_object(value)?;
                Ok(Self {
                    $($field: $crate::terraform::take_attribute(
                        &mut object,
                        $crate::model!(@name $field $($attribute)?),
                    )?,)*
                    $(names: ::std::marker::PhantomData::<$names>,)?
                })
            }

            fn into_value(self) -> $crate::terraform::Value {
                $crate::terraform::Value::Object(
                    [$((
                        $crate::model!(@name $field $($attribute)?).to_owned(),
                        $crate::terraform::Data::into_value(self.$field),
                    ),)*].into(),
                )
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    model! {
        #[derive(Debug, Clone, PartialEq)]
        struct Inner {
            count: Attr<u64>,
        }
    }

    model! {
        #[derive(Debug, Clone, PartialEq)]
        struct Outer {
            name: Attr<String>,
            tags: Attr<SetOf<String>>,
            inner: Attr<Inner>,
            more: Attr<BTreeMap<String, Inner>>,
        }
    }

    trait Names {
        const MANY: &'static str;
    }

    #[derive(Debug, PartialEq)]
    struct Eggs;

    impl Names for Eggs {
        const MANY: &'static str = "eggs";
    }

    model! {
        #[derive(Debug, PartialEq)]
        struct Basket<N: Names> {
            many as N::MANY: Attr<u64>,
        }
    }

    #[test]
    fn a_parameter_can_name_an_attribute() {
        let value = Value::Object([("eggs".into(), Value::Number(7u64.into()))].into());
        let basket = Basket::<Eggs>::from_value(value.clone()).expect("a model");
        assert_eq!((&basket.many, Basket::<Eggs>::ty()), (&Attr::Known(7), Type::object([("eggs", Type::Number)])));
        assert_eq!(basket.into_value(), value);
    }

    fn outer(count: Value) -> Value {
        let inner = Value::Object([("count".into(), count)].into());
        Value::Object(
            [
                ("name".into(), Value::Unknown),
                (
                    "tags".into(),
                    Value::Set([Value::Unknown, Value::Unknown, Value::String("a".into())].into_iter().collect()),
                ),
                ("inner".into(), inner.clone()),
                ("more".into(), Value::Object([("x".into(), inner)].into())),
            ]
            .into(),
        )
    }

    #[test]
    fn a_model_keeps_every_value() {
        let value = outer(Value::Number(7u64.into()));
        let model = Outer::from_value(value.clone()).expect("a model");
        assert_eq!(model.inner.known().expect("inner").count, Attr::Known(7));
        assert_eq!(model.tags.known().expect("tags").known(), None, "two elements are unknown");
        assert_eq!(model.into_value(), value);
    }

    #[test]
    fn a_mismatch_names_the_attribute() {
        let mismatch = Outer::from_value(outer(Value::Number((-7i64).into()))).expect_err("negative");
        assert_eq!(mismatch.expected, "a whole number from 0 to 18446744073709551615");
        assert_eq!(mismatch.path().to_string(), "inner.count");
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let secret: Attr<SecretString> = Attr::from_value(Value::String("tok3n".into())).expect("a string");
        assert!(!format!("{secret:?}").contains("tok3n"));
    }
}
