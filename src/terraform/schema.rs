//! Schemas: the attributes of an object, their purpose, and who sets them.

use std::borrow::Cow;

use super::{AttributePath, Diagnostic, Diagnostics, Step, Type, Value, proto};

/// The schema of a block, such as a resource.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The version of the state's form. It rises with a change that requires an upgrade of existing states.
    pub version: i64,
    /// The description, in Markdown.
    pub description: Cow<'static, str>,
    /// The attributes of the object.
    pub attributes: Vec<Attribute>,
}

/// One attribute of an object.
#[derive(Debug, Clone)]
pub struct Attribute {
    name: &'static str,
    kind: Kind,
    usage: Usage,
    description: Cow<'static, str>,
    sensitive: bool,
    write_only: bool,
    requires_replace: bool,
    default: Option<Value>,
}

#[derive(Debug, Clone)]
enum Kind {
    Plain(Type),
    Nested(Nesting, Vec<Attribute>),
}

/// The arrangement of the objects in a nested attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// Objects keyed by strings.
    Map,
}

/// The party that sets an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    Required,
    Optional,
    OptionalComputed,
    Computed,
}

impl Attribute {
    fn of(name: &'static str, kind: Kind, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name,
            kind,
            usage: Usage::Optional,
            description: description.into(),
            sensitive: false,
            write_only: false,
            requires_replace: false,
            default: None,
        }
    }

    /// Returns an optional attribute of type `ty`. The description is Markdown.
    pub fn new(name: &'static str, ty: Type, description: impl Into<Cow<'static, str>>) -> Self {
        Self::of(name, Kind::Plain(ty), description)
    }

    /// Returns an optional attribute whose value is an object, or a map of objects, with attributes of their own.
    pub fn nested(
        name: &'static str,
        nesting: Nesting,
        attributes: Vec<Attribute>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(name, Kind::Nested(nesting, attributes), description)
    }

    /// Makes the attribute required: the configuration must set it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.usage = Usage::Required;
        self
    }

    /// Makes the attribute read-only: only the provider sets it.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.usage = Usage::Computed;
        self
    }

    /// Lets the provider set the attribute if the configuration does not.
    #[must_use]
    pub fn optional_computed(mut self) -> Self {
        self.usage = Usage::OptionalComputed;
        self
    }

    /// Sets the value that is planned if the configuration sets none. Not for nested attributes.
    #[must_use]
    pub fn default_value(mut self, value: Value) -> Self {
        self.default = Some(value);
        self.optional_computed()
    }

    /// Makes the attribute sensitive: Terraform masks its value in everything it prints.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Makes the attribute write-only: Terraform keeps its value in neither plan nor state, and only planning, creating
    /// and updating receive it. Versions before 1.11 are refused if it is set. Not for nested attributes.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Makes a change of the attribute force replacement: Terraform destroys the old object and creates a new one. Not
    /// for nested attributes.
    #[must_use]
    pub fn requires_replace(mut self) -> Self {
        self.requires_replace = true;
        self
    }

    /// Returns the attribute's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn is_computed(&self) -> bool {
        matches!(self.usage, Usage::Computed | Usage::OptionalComputed)
    }

    /// Returns the type of the attribute's values.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Plain(ty) => ty.clone(),
            Kind::Nested(Nesting::Single, attributes) => object_type(attributes),
            Kind::Nested(Nesting::Map, attributes) => Type::map(object_type(attributes)),
        }
    }

    /// Checks the value of the attribute in a configuration, as [`Schema::check`] does.
    fn check(&self, value: &Value, path: AttributePath, diagnostics: &mut Diagnostics) {
        match (&self.kind, value) {
            (_, Value::Null) if self.usage == Usage::Required => diagnostics.push(missing(path)),
            (_, Value::Null) => {}
            _ if self.usage == Usage::Computed => diagnostics.push(read_only(path)),
            (Kind::Nested(Nesting::Single, attributes), object) => check(attributes, object, &path, diagnostics),
            (Kind::Nested(Nesting::Map, attributes), Value::Object(elements)) => {
                for (key, object) in elements {
                    check(attributes, object, &path.clone().then(Step::Key(key.clone())), diagnostics);
                }
            }
            _ => {}
        }
    }

    fn to_proto(&self) -> proto::schema::Attribute {
        let (ty, nested_type) = match &self.kind {
            Kind::Plain(ty) => (ty.to_bytes(), None),
            Kind::Nested(nesting, attributes) => {
                use proto::schema::object::NestingMode;
                let nesting = match nesting {
                    Nesting::Single => NestingMode::Single,
                    Nesting::Map => NestingMode::Map,
                };
                let attributes = attributes.iter().map(Self::to_proto).collect();
                let object = proto::schema::Object { attributes, nesting: nesting.into(), ..Default::default() };
                (Vec::new(), Some(object))
            }
        };
        proto::schema::Attribute {
            name: self.name.to_owned(),
            r#type: ty,
            nested_type,
            description: self.description.clone().into_owned(),
            description_kind: proto::StringKind::Markdown.into(),
            required: self.usage == Usage::Required,
            optional: matches!(self.usage, Usage::Optional | Usage::OptionalComputed),
            computed: self.is_computed(),
            sensitive: self.sensitive,
            write_only: self.write_only,
            ..Default::default()
        }
    }
}

impl Schema {
    /// Returns the type of the whole object.
    pub fn ty(&self) -> Type {
        object_type(&self.attributes)
    }

    /// Reports read-only attributes that `config` sets, and required attributes that are null. An unknown value counts as
    /// set.
    pub(super) fn check(&self, config: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        check(&self.attributes, config, &AttributePath::root(), &mut diagnostics);
        diagnostics
    }

    /// Fills in the defaults of the attributes that `config` omits.
    pub(super) fn with_defaults(&self, mut value: Value, config: &Value) -> Value {
        if let Value::Object(attributes) = &mut value {
            for attribute in &self.attributes {
                if let (Some(default), Value::Null) = (&attribute.default, config.attribute(attribute.name)) {
                    attributes.insert(attribute.name.to_owned(), default.clone());
                }
            }
        }
        value
    }

    /// Turns the state of an object into the shortest configuration that describes it: without the attributes that only
    /// the provider sets, and without those that have their defaults.
    pub(super) fn config_of(&self, mut state: Value) -> Value {
        if let Value::Object(attributes) = &mut state {
            for attribute in &self.attributes {
                let value = attributes.get_mut(attribute.name);
                let is_left_out =
                    |value: &Value| attribute.usage == Usage::Computed || attribute.default.as_ref() == Some(value);
                if let Some(value) = value.filter(|value| is_left_out(value)) {
                    *value = Value::Null;
                }
            }
        }
        state
    }

    /// Reports write-only attributes that `config` sets, for a Terraform that would keep them in plan and state.
    pub(super) fn unsupported_write_only(&self, config: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for attribute in self.write_only().filter(|name| !config.attribute(name).is_null()) {
            diagnostics.push(
                Diagnostic::error(
                    format!("This version of Terraform cannot keep {attribute} secret"),
                    format!(
                        "{attribute} is a write-only argument: its value must be in neither plan nor state. That takes \
                         Terraform 1.11 or later, or OpenTofu 1.11 or later. Upgrade, or remove {attribute}."
                    ),
                )
                .on(attribute),
            );
        }
        diagnostics
    }

    /// Fills in the write-only values of `config`.
    pub(super) fn with_write_only(&self, mut value: Value, config: &Value) -> Value {
        if let Value::Object(attributes) = &mut value {
            for name in self.write_only() {
                attributes.insert(name.to_owned(), config.attribute(name).clone());
            }
        }
        value
    }

    /// Removes write-only values, so that Terraform may keep `value`.
    pub(super) fn without_write_only(&self, value: Value) -> Value {
        self.with_write_only(value, &Value::Null)
    }

    fn write_only(&self) -> impl Iterator<Item = &'static str> {
        self.attributes.iter().filter(|attribute| attribute.write_only).map(|attribute| attribute.name)
    }

    /// Replaces null, the configuration of an omitted block, by an object whose attributes are all null.
    pub(super) fn or_empty(&self, config: Value) -> Value {
        match config {
            Value::Null => Value::Object(self.attributes.iter().map(|a| (a.name.to_owned(), Value::Null)).collect()),
            config => config,
        }
    }

    /// Makes computed attributes unknown that have no value yet.
    pub(super) fn with_unknowns(&self, mut value: Value) -> Value {
        if let Value::Object(attributes) = &mut value {
            for attribute in self.attributes.iter().filter(|attribute| attribute.is_computed()) {
                if let Some(value @ Value::Null) = attributes.get_mut(attribute.name) {
                    *value = Value::Unknown;
                }
            }
        }
        value
    }

    /// Lists the attributes whose change from `prior` to `planned` forces replacement.
    pub(super) fn replacing_changes(&self, prior: &Value, planned: &Value) -> impl Iterator<Item = &'static str> {
        self.attributes
            .iter()
            .filter(|a| a.requires_replace && prior.attribute(a.name) != planned.attribute(a.name))
            .map(|a| a.name)
    }

    pub(super) fn to_proto(&self) -> proto::Schema {
        proto::Schema {
            version: self.version,
            block: Some(proto::schema::Block {
                version: self.version,
                attributes: self.attributes.iter().map(Attribute::to_proto).collect(),
                description: self.description.clone().into_owned(),
                description_kind: proto::StringKind::Markdown.into(),
                ..Default::default()
            }),
        }
    }
}

/// The schema of a resource's identity: the attributes that tell a remote object apart from all others.
#[derive(Debug, Clone)]
pub struct IdentitySchema {
    /// The version of the identity's form.
    pub version: i64,
    /// The attributes that an import must set.
    pub attributes: Vec<IdentityAttribute>,
}

/// An attribute of an identity. An import by identity must set it.
#[derive(Debug, Clone)]
pub struct IdentityAttribute {
    /// The name of the attribute, in the identity and in the resource.
    pub name: &'static str,
    /// The type of its values.
    pub ty: Type,
    /// The description, in plain text.
    pub description: &'static str,
}

impl IdentitySchema {
    /// Returns the identity of the object in a plan or state; null if there is no object or its identity is unknown.
    pub(super) fn identity_of(&self, object: &Value) -> Value {
        if object.is_null() {
            return Value::Null;
        }
        let attribute = |a: &IdentityAttribute| (a.name.to_owned(), object.attribute(a.name).clone());
        let identity = Value::Object(self.attributes.iter().map(attribute).collect());
        if identity.is_wholly_known() { identity } else { Value::Null }
    }

    /// Returns whether `schema` has all attributes of the identity.
    pub(super) fn is_part_of(&self, schema: &Schema) -> bool {
        let has = |a: &IdentityAttribute| schema.attributes.iter().any(|b| a.name == b.name && a.ty == b.ty());
        self.attributes.iter().all(has)
    }

    /// Returns the type of the whole identity.
    pub fn ty(&self) -> Type {
        Type::object(self.attributes.iter().map(|a| (a.name, a.ty.clone())))
    }

    pub(super) fn to_proto(&self) -> proto::ResourceIdentitySchema {
        use proto::resource_identity_schema::IdentityAttribute as Proto;
        let attribute = |a: &IdentityAttribute| Proto {
            name: a.name.to_owned(),
            r#type: a.ty.to_bytes(),
            required_for_import: true,
            optional_for_import: false,
            description: a.description.to_owned(),
        };
        proto::ResourceIdentitySchema {
            version: self.version,
            identity_attributes: self.attributes.iter().map(attribute).collect(),
        }
    }
}

fn object_type(attributes: &[Attribute]) -> Type {
    Type::object(attributes.iter().map(|a| (a.name, a.ty())))
}

fn check(attributes: &[Attribute], object: &Value, path: &AttributePath, diagnostics: &mut Diagnostics) {
    if !matches!(object, Value::Object(_)) {
        return;
    }
    for attribute in attributes {
        let path = path.clone().then(Step::Attribute(attribute.name.to_owned()));
        attribute.check(object.attribute(attribute.name), path, diagnostics);
    }
}

/// Reports a required attribute that is null. Terraform itself reports only an argument that is not written at all.
fn missing(path: AttributePath) -> Diagnostic {
    Diagnostic::error(
        format!("Missing {path}"),
        format!(
            "{path} is required, but its value is null. Set a value. If the null comes from a variable, from lookup() or \
             from another object, give that a value or a default that is not null."
        ),
    )
    .at(path)
}

fn read_only(path: AttributePath) -> Diagnostic {
    Diagnostic::error(
        "Read-only attribute cannot be configured",
        format!("The value of {path} is set by the provider. Remove it from the configuration."),
    )
    .at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema {
            version: 3,
            description: "A test.".into(),
            attributes: vec![
                Attribute::new("id", Type::Number, "Which one.").requires_replace(),
                Attribute::new("policy", Type::String, "What then.").default_value(Value::String("KEEP".into())),
                Attribute::nested(
                    "apps",
                    Nesting::Map,
                    vec![Attribute::new("key", Type::String, "").required().sensitive()],
                    "",
                ),
            ],
        }
    }

    #[test]
    fn write_only_values_are_planned_but_not_kept() {
        let schema = Schema {
            attributes: vec![
                Attribute::new("id", Type::Number, ""),
                Attribute::new("policy", Type::String, "").write_only(),
            ],
            ..schema()
        };
        assert!(schema.to_proto().block.expect("a block").attributes[1].write_only);
        let (kept, config) = (object(1, Value::Null), object(2, Value::String("s3cret".into())));
        let planned = schema.with_write_only(kept.clone(), &config);
        assert_eq!(planned, object(1, Value::String("s3cret".into())));
        assert_eq!(schema.without_write_only(planned), kept);
        assert_eq!(schema.without_write_only(Value::Null), Value::Null);
        assert!(schema.unsupported_write_only(&kept).into_result().is_ok());
        let refused = schema.unsupported_write_only(&config);
        assert!(refused.has_errors() && !format!("{refused:?}").contains("s3cret"));
    }

    fn object(id: u64, policy: Value) -> Value {
        Value::Object([("id".into(), Value::Number(id.into())), ("policy".into(), policy)].into())
    }

    #[test]
    fn terraform_is_told_every_property_of_an_attribute() {
        let schema = schema().to_proto();
        assert_eq!(schema.version, 3);
        let attributes = schema.block.expect("a block").attributes;
        assert_eq!(attributes[0].r#type, b"\"number\"");
        assert!(attributes[1].optional && attributes[1].computed, "a default is the provider's to set");
        let nested = attributes[2].nested_type.as_ref().expect("nested");
        assert!(attributes[2].r#type.is_empty());
        assert!(nested.attributes[0].required && nested.attributes[0].sensitive);
    }

    #[test]
    fn defaults_apply_to_omitted_arguments() {
        let prior = object(1, Value::String("DROP".into()));
        let left_out = schema().with_defaults(prior.clone(), &object(1, Value::Null));
        assert_eq!(left_out.attribute("policy"), &Value::String("KEEP".into()));
        let unknown = schema().with_defaults(prior.clone(), &object(1, Value::Unknown));
        assert_eq!(unknown, prior);
    }

    #[test]
    fn a_generated_configuration_leaves_out_what_needs_no_line() {
        let schema = || Schema {
            attributes: vec![
                Attribute::new("id", Type::Number, "").computed(),
                Attribute::new("policy", Type::String, "").default_value(Value::String("KEEP".into())),
            ],
            ..schema()
        };
        for (policy, expected) in [("KEEP", Value::Null), ("DROP", Value::String("DROP".into()))] {
            let state = object(1, Value::String(policy.into()));
            let config = Value::Object([("id".into(), Value::Null), ("policy".into(), expected)].into());
            assert_eq!(schema().config_of(state), config);
        }
    }

    #[test]
    fn an_identity_is_taken_from_the_object() {
        let attribute = |name, ty| IdentityAttribute { name, ty, description: "" };
        let schema_of = |attribute| IdentitySchema { version: 0, attributes: vec![attribute] };
        let identity = schema_of(attribute("id", Type::Number));
        let unknown = Value::Object([("id".into(), Value::Unknown), ("policy".into(), Value::Null)].into());
        let known = Value::Object([("id".into(), Value::Number(1u64.into()))].into());
        assert_eq!(identity.identity_of(&object(1, Value::Unknown)), known);
        assert_eq!(identity.identity_of(&unknown), Value::Null);
        assert_eq!(identity.identity_of(&Value::Null), Value::Null);

        assert!(identity.is_part_of(&schema()));
        assert!(!schema_of(attribute("id", Type::String)).is_part_of(&schema()), "another type");
        assert!(!schema_of(attribute("region", Type::String)).is_part_of(&schema()), "no such attribute");
    }

    #[test]
    fn only_marked_attributes_force_replacement() {
        let replacing = |a, b| schema().replacing_changes(&a, &b).collect::<Vec<_>>();
        assert_eq!(replacing(object(1, Value::Null), object(1, Value::Unknown)), [""; 0]);
        assert_eq!(replacing(object(1, Value::Null), object(2, Value::Null)), ["id"]);
    }
}
