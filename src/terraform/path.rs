//! Attribute paths: the argument that a diagnostic or a replacement is about.

use std::fmt;

use super::proto;

/// The path from an object to a value inside it.
///
/// Elements of sets have no address in the protocol, so a path to one of them ends at the set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributePath(Vec<Step>);

/// One step of an [`AttributePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the attribute of this name.
    Attribute(String),
    /// To the map element with this key.
    Key(String),
    /// To the list element at this index, from 0.
    Index(usize),
}

impl AttributePath {
    /// Returns the path to the object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Returns the path to the attribute `name` of the object.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::root().then(Step::Attribute(name.into()))
    }

    /// Returns this path with one more step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Returns whether the path goes into a map.
    pub(super) fn enters_map(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Key(_)))
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

/// Writes the path as in a configuration: `apps["1400000001"].secret_key`.
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
    fn paths_read_like_configuration() {
        let path = AttributePath::attribute("apps").then(Step::Key("1".into())).then(Step::Attribute("region".into()));
        assert_eq!(path.to_string(), r#"apps["1"].region"#);
        assert_eq!(AttributePath::attribute("list").then(Step::Index(2)).to_string(), "list[2]");
        assert_eq!(AttributePath::root().to_string(), "");
        assert_eq!(path.to_proto().steps.len(), 3);
        assert!(path.enters_map() && !AttributePath::attribute("apps").enters_map());
    }
}
