//! Every promise of the guide on reliability names tests that exist.

use crate::links::REPOSITORY;
use crate::read;

const GUIDE: &str = "docs/guides/reliability.md";

/// Returns the problems of the tests that the promises name.
pub(crate) fn broken() -> Vec<String> {
    let guide = read(GUIDE);
    let promises: Vec<_> = guide.split("\n## ").skip(1).collect();
    assert!(promises.len() >= 10, "{promises:?}");
    promises.into_iter().flat_map(of).collect()
}

fn of(promise: &str) -> Vec<String> {
    let title = promise.lines().next().unwrap_or_default();
    let Some((_, tested_by)) = promise.split_once("\n**Tested by**\n") else {
        return vec![format!("{title}: no test")];
    };
    let tests: Vec<_> = tested_by.split('[').skip(1).filter_map(test).collect();
    if tests.len() != tested_by.matches("](").count() || tests.is_empty() {
        return vec![format!("{title}: not each link is that of a test")];
    }
    let missing = tests.iter().filter(|(name, file)| !is_test(name, file));
    missing.map(|(name, file)| format!("{title}: {file} has no test {name}")).collect()
}

/// Returns the name and the file in `name](file)`.
fn test(link: &str) -> Option<(&str, &str)> {
    let (name, rest) = link.split_once("](")?;
    Some((name, rest.split_once(')')?.0.strip_prefix(REPOSITORY)?))
}

/// Returns whether such a function exists and has a test attribute.
fn is_test(name: &str, file: &str) -> bool {
    let source = read(file);
    let found = ["\nfn ", "\nasync fn "].iter().find_map(|function| source.split_once(&format!("{function}{name}(")));
    let Some((before, _)) = found else { return false };
    let mut attributes = before.lines().rev().take_while(|line| line.starts_with("#["));
    attributes.any(|attribute| ["#[test]", "#[tokio::test]", "#[apply(each_service)]"].contains(&attribute))
}
