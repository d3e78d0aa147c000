//! The guide on reliability lists every promise, and tests of it that exist.

use crate::links::REPOSITORY;
use crate::read;

const GUIDE: &str = "docs/guides/reliability.md";

/// Returns the problems of the promises and of the tests that the last table names for each.
pub(crate) fn broken() -> Vec<String> {
    let guide = read(GUIDE);
    let (promises, tests) = guide.split_once("\n## Tests\n").expect("a section of tests");
    let titles: Vec<_> = promises.split("\n## ").skip(1).filter_map(|promise| promise.lines().next()).collect();
    assert!(titles.len() >= 10, "{titles:?}");
    let rows: Vec<_> = tests.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).collect();
    let of = |title: &str| {
        let listed = promises.contains(&format!("\n| [{title}]("));
        let row = rows.iter().find(|(promise, _)| *promise == title);
        match row {
            Some((_, tests)) if listed => problems(title, tests.trim_end_matches(" |")),
            _ => vec![format!("{title}: one of the tables lacks it")],
        }
    };
    titles.into_iter().flat_map(of).collect()
}

/// Returns the problems of a cell such as `[file](url): one, two; [file](url): three`.
fn problems(title: &str, tests: &str) -> Vec<String> {
    let of_file = |group: &str| {
        let parts = group.strip_prefix('[').and_then(|group| group.split_once("]("));
        let parts = parts.and_then(|(file, rest)| rest.split_once("): ").map(|(url, names)| (file, url, names)));
        let Some((file, url, names)) = parts else {
            return vec![format!("{title}: {group:?} is not a list of tests")];
        };
        let mut problems: Vec<_> = names.split(", ").filter(|name| !is_test(name, file)).collect();
        if url.strip_prefix(REPOSITORY) != Some(file) {
            problems.push("the link");
        }
        problems.into_iter().map(|problem| format!("{title}: {file}: {problem}")).collect()
    };
    tests.split("; ").flat_map(of_file).collect()
}

/// Returns whether such a function exists and has a test attribute.
fn is_test(name: &str, file: &str) -> bool {
    let source = read(file);
    let found = ["\nfn ", "\nasync fn "].iter().find_map(|function| source.split_once(&format!("{function}{name}(")));
    let Some((before, _)) = found else { return false };
    let mut attributes = before.lines().rev().take_while(|line| line.starts_with("#["));
    let kinds = ["#[test]", "#[tokio::test]", "#[rstest]", "#[apply(each_service"];
    attributes.any(|attribute| kinds.iter().any(|kind| attribute.starts_with(kind)))
}
