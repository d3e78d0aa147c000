//! Diagnostics: the errors and warnings that Terraform shows.

use super::{AttributePath, proto};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The operation fails.
    Error,
    /// The operation goes on.
    Warning,
}

/// A message for the people who read the terminal or the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The problem, in a few words.
    pub summary: String,
    /// The details, and the next step.
    pub detail: String,
    /// The argument to blame, if it is exactly one. Terraform shows where it is set, except for an element of a map.
    pub path: Option<AttributePath>,
}

impl Diagnostic {
    /// Returns an error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, summary: summary.into(), detail: detail.into(), path: None }
    }

    /// Returns a warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// Returns an error about the value of `argument`.
    pub fn invalid(argument: &str, reason: impl Into<String>) -> Self {
        Self::error(format!("Invalid {argument}"), reason).on(argument)
    }

    /// Returns an error that only a bug can cause, in the provider or in its host.
    pub(super) fn bug(what: impl Into<String>) -> Self {
        let advice = "This is a bug in the provider or in Terraform: please report it.";
        Self::error("The provider cannot answer", format!("{} {advice}", what.into()))
    }

    /// Blames the attribute `name`.
    #[must_use]
    pub fn on(self, name: &str) -> Self {
        self.at(AttributePath::attribute(name))
    }

    /// Blames the value at `path`.
    #[must_use]
    pub fn at(mut self, path: AttributePath) -> Self {
        self.path = Some(path);
        self
    }
}

/// The diagnostics of one operation, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Returns whether one of the diagnostics is an error.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|d| d.severity == Severity::Error)
    }

    /// Iterates over the diagnostics in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Returns `Ok` if there are no diagnostics, not even warnings.
    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Turns errors into warnings.
    pub(super) fn into_warnings(self) -> Self {
        Self(self.0.into_iter().map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic }).collect())
    }

    pub(super) fn into_proto(self) -> Vec<proto::Diagnostic> {
        use proto::diagnostic::Severity as Proto;
        let one = |d: Diagnostic| proto::Diagnostic {
            severity: match d.severity {
                Severity::Error => Proto::Error,
                Severity::Warning => Proto::Warning,
            }
            .into(),
            summary: d.summary,
            detail: d.detail,
            // To find the line of a map's element, Terraform (1.15 does, too) reads all keys of the map as strings, and
            // panics over a key that is written as a number. For the map itself, it would print all of the map, secrets
            // included. The message names the element instead.
            attribute: d.path.filter(|path| !path.enters_map()).map(|path| path.to_proto()),
        };
        self.0.into_iter().map(one).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
