//! What `cargo test` leaves out: something else runs each such test, and the last line of the output says what.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use terraform_cli::left_out;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What runs ignored tests, as their reasons name it.
const RUNNERS: [&str; 6] = [
    ".ci/run",
    "cargo xtask platforms",
    ".github/workflows/platforms.yml",
    "tests/plan_review/forge/run",
    "by hand",
    HELPER,
];

/// What runs a test that only helps another one.
const HELPER: &str = "the test below";

#[test]
fn every_ignored_test_says_what_runs_it() -> Result {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for directory in ["src", "tests", "xtask/src", "xtask/tests"] {
        rust_files(&root.join(directory), &mut files)?;
    }
    let mut tests: BTreeMap<_, usize> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        // Written in two parts, so that this line is none of those.
        for reason in text.lines().filter_map(|line| line.trim().strip_prefix(concat!("#[", "ignore = \""))) {
            let runner = RUNNERS.iter().find(|runner| reason.contains(*runner));
            let runner = runner.ok_or_else(|| format!("{}: what runs this test? {reason}", file.display()))?;
            *tests.entry(runner).or_default() += 1;
        }
    }
    tests.remove(&HELPER);
    let counts: Vec<_> = tests.iter().map(|(runner, count)| format!("{runner} ({count})")).collect();
    left_out(format!(
        "Left out, because they take minutes or need more than this machine: tests for {}; and what has the feature \
         `gate`, for .ci/run: the tests of every service for all but Call, of every version, and of the release.",
        counts.join(", ")
    ));
    Ok(())
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
