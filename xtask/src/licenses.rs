//! The licences of everything linked into the executable, in one file for people, because most must accompany every copy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::dependencies::Crate;
use crate::project::{NAME, Target};

/// A linked library that is not a crate.
pub(crate) struct Runtime {
    pub(crate) name: &'static str,
    pub(crate) license: &'static str,
    what: &'static str,
}

/// The name of Rust's standard library. All others are C libraries.
pub(crate) const RUST: &str = "rust-std";

const STANDARD_LIBRARY: Runtime = Runtime {
    name: RUST,
    license: "MIT OR Apache-2.0",
    what: "The standard library of Rust, https://www.rust-lang.org",
};
const GLIBC: Runtime = Runtime {
    name: "glibc",
    license: "LGPL-2.1-or-later",
    what: "The GNU C Library, https://www.gnu.org/software/libc, linked statically. You may replace it: build the \
           provider from its sources with another one.",
};

const MINGW: Runtime = Runtime {
    name: "mingw-w64",
    license: "ZPL-2.1 AND MIT",
    what: "The C library of mingw-w64 for Windows, with its threads, https://www.mingw-w64.org, linked statically.",
};

/// Returns the runtime libraries in an executable for this target.
pub(crate) fn runtimes(target: &Target) -> Vec<Runtime> {
    let library = match target.triple() {
        triple if triple.contains("-linux-gnu") => Some(GLIBC),
        triple if triple.ends_with("-windows-gnu") => Some(MINGW),
        _ => None,
    };
    std::iter::once(STANDARD_LIBRARY).chain(library).collect()
}

/// Returns the text of the file.
pub(crate) fn text<'a>(crates: impl Iterator<Item = &'a Crate>, target: &Target) -> Result<String> {
    // Most crates share one of a few texts. Each text appears once, after the names of its crates.
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for crate_ in crates.filter(|crate_| crate_.name != NAME) {
        let owner = format!("{} {}, {}", crate_.name, crate_.version, crate_.license);
        let mut texts = files(&crate_.directory)?.iter().map(|file| read(file)).collect::<Result<Vec<_>>>()?;
        if texts.is_empty() {
            texts = standard_texts(&crate_.license)?;
        }
        for text in texts {
            owners.entry(text).or_default().push(owner.clone());
        }
    }
    for runtime in runtimes(target) {
        for text in standard_texts(runtime.license)? {
            owners.entry(text).or_default().push(format!("{}, {}: {}", runtime.name, runtime.license, runtime.what));
        }
    }
    let mut sections: Vec<_> = owners.into_iter().map(|(text, owners)| (owners, text)).collect();
    sections.sort();
    let mut all = format!("{NAME} contains the following, each under its own licence.\n");
    for (owners, text) in sections {
        write!(all, "\n{}\n\n", "-".repeat(80))?;
        owners.iter().try_for_each(|owner| writeln!(all, "{owner}"))?;
        write!(all, "\n{}\n", text.trim_end())?;
    }
    Ok(all)
}

/// Returns the files with the licences of a crate and of the foreign sources it contains.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "unlicense"];
    const NO_TEXTS: [&str; 4] = ["rs", "py", "sh", "toml"];
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if kind.is_dir() {
            found.extend(files(&path)?);
        } else if NAMES.iter().any(|prefix| name.starts_with(prefix))
            && !path.extension().is_some_and(|extension| NO_TEXTS.iter().any(|no_text| extension == *no_text))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a text. Some are not UTF-8, and some have Windows line ends.
fn read(file: &Path) -> Result<String> {
    let text = fs::read(file).map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
    Ok(String::from_utf8_lossy(&text).replace("\r\n", "\n"))
}

/// Returns the texts of the licences in an expression.
fn standard_texts(expression: &str) -> Result<Vec<String>> {
    let parsed = spdx::Expression::parse(expression)?;
    let ids = parsed.requirements().filter_map(|requirement| requirement.req.license.id());
    Ok(ids.map(|id| id.text().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_in(directory: &Path, name: &str) -> Crate {
        Crate {
            name: name.into(),
            version: "1.0.0".into(),
            license: "MIT".into(),
            directory: directory.join(name),
            needs: Default::default(),
        }
    }

    #[test]
    fn each_license_text_appears_once_with_its_crates() {
        let directory = tempfile::tempdir().expect("a directory");
        for (file, text) in [
            ("one/LICENSE", "the same text\n"),
            ("two/LICENSE-MIT", "the same text\r\n"),
            ("two/src/license.rs", "no text"),
            ("two/vendored/COPYING", "another's text\n"),
            ("none/README.md", "no text"),
        ] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().expect("a directory")).expect("created");
            fs::write(path, text).expect("written");
        }
        let crates = ["one", "two", "none"].map(|name| crate_in(directory.path(), name));
        let target = Target::or_host(Some("x86_64-unknown-linux-gnu")).expect("a target");
        let text = text(crates.iter(), &target).expect("a text");
        assert!(text.contains("one 1.0.0, MIT\ntwo 1.0.0, MIT\n\nthe same text\n"), "{text}");
        assert!(text.contains("two 1.0.0, MIT\n\nanother's text\n"), "{text}");
        assert!(!text.contains("no text"), "{text}");
        // The standard text, and glibc's.
        assert!(text.contains("Permission is hereby granted, free of charge"), "{text}");
        assert!(text.contains("GNU LESSER GENERAL PUBLIC LICENSE"), "{text}");
    }

    #[test]
    fn the_license_of_the_c_library_is_included_if_it_is_linked() {
        let names = |target| {
            let target = Target::or_host(Some(target)).expect("a target");
            runtimes(&target).iter().map(|runtime| runtime.name).collect::<Vec<_>>()
        };
        assert_eq!(names("x86_64-unknown-linux-gnu"), ["rust-std", "glibc"]);
        assert_eq!(names("x86_64-pc-windows-gnu"), ["rust-std", "mingw-w64"]);
        assert_eq!(names("x86_64-pc-windows-msvc"), ["rust-std"]);
        assert_eq!(names("aarch64-apple-darwin"), ["rust-std"]);
    }
}
