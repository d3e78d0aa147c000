//! Attribute paths: which argument a diagnostic or a replacement is about.

use std::fmt;

use super::proto;

/// The way from an object to one of the values inside it.
///
/// Elements of sets have no address in the protocol; a path about one of them ends at the set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributePath(Vec<Step>);

/// One step of an [`AttributePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the attribute of this name.
    Attribute(String),
    /// Into the map element of this key.
    Key(String),
    /// Into the list element of this index, from 0.
    Index(usize),
}

impl AttributePath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The attribute `name` of the object.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::root().then(Step::Attribute(name.into()))
    }

    /// This path and one step more.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    pub(super) fn to_proto(&self) -> proto::AttributePath {
        use proto::attribute_path::step::Selector;
        let step = |step: &Step| match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        };
        let steps = self.0.iter().map(|s| proto::attribute_path::Step { selector: Some(step(s)) }).collect();
        proto::AttributePath { steps }
    }
}

/// As a person writes it: `apps["1400000001"].secret_key`.
impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if i == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_configuration() {
        let path = AttributePath::attribute("apps").then(Step::Key("1".into())).then(Step::Attribute("region".into()));
        assert_eq!(path.to_string(), r#"apps["1"].region"#);
        assert_eq!(AttributePath::attribute("list").then(Step::Index(2)).to_string(), "list[2]");
        assert_eq!(AttributePath::root().to_string(), "");
        assert_eq!(path.to_proto().steps.len(), 3);
    }
}
