//! The crates that are linked into the executable for a target, without those that only build scripts, macros or tests need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId};

use crate::Result;
use crate::project::{NAME, Target, manifest};

/// A library in the executable.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: String,
    /// The directory of its sources.
    pub(crate) directory: PathBuf,
    /// The names and versions of its own dependencies.
    pub(crate) needs: BTreeSet<(String, String)>,
}

/// Returns the linked crates by name and version, including the provider itself.
pub(crate) fn linked(target: &Target) -> Result<BTreeMap<(String, String), Crate>> {
    let metadata = MetadataCommand::new()
        .manifest_path(manifest())
        .other_options(["--locked", "--filter-platform", target.triple()].map(str::to_owned))
        .exec()?;
    let tree = tree(target)?;
    let mut linked = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| tree.contains(&key(package))) {
        linked.insert(key(package), read(package, &metadata, &tree)?);
    }
    match tree.iter().find(|key| !linked.contains_key(key)) {
        Some((name, version)) => Err(format!("cargo does not list {name} {version}").into()),
        None => Ok(linked),
    }
}

/// Returns names and versions, from `cargo tree`: it has only the features of this build, where `cargo metadata` merges those
/// of all targets and of tests.
fn tree(target: &Target) -> Result<BTreeSet<(String, String)>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--package", NAME, "--target", target.triple(), "--manifest-path"])
        .arg(manifest())
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--format", "{p}"])
        .output()?;
    if !output.status.success() {
        return Err(format!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let read = |line: &str| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    };
    text.lines().map(|line| read(line).ok_or_else(|| format!("`cargo tree` printed {line:?}").into())).collect()
}

fn key(package: &Package) -> (String, String) {
    (package.name.to_string(), package.version.to_string())
}

fn read(package: &Package, metadata: &Metadata, tree: &BTreeSet<(String, String)>) -> Result<Crate> {
    let license = package.license.as_ref().ok_or_else(|| format!("{} names no licence", package.name))?;
    let directory = package.manifest_path.parent().ok_or("a manifest without a directory")?.into();
    let nodes = metadata.resolve.as_ref().map(|resolve| resolve.nodes.as_slice()).unwrap_or_default();
    let node = nodes.iter().find(|node| node.id == package.id);
    let named = |id: &PackageId| metadata.packages.iter().find(|package| package.id == *id).map(key);
    let needs = node.into_iter().flat_map(|node| &node.dependencies).filter_map(named);
    Ok(Crate {
        name: package.name.to_string(),
        version: package.version.to_string(),
        // The form from before SPDX expressions.
        license: license.replace(" / ", " OR ").replace('/', " OR "),
        directory,
        needs: needs.filter(|key| tree.contains(key)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_linked_crates_are_listed() {
        let target = Target::or_host(None).expect("a target");
        let linked = linked(&target).expect("cargo knows");
        let names: BTreeSet<_> = linked.keys().map(|(name, _)| name.as_str()).collect();
        for runs in [NAME, "tokio", "tonic", "ring"] {
            assert!(names.contains(runs), "{runs}");
        }
        // A protocol compiler, a macro, a test dependency.
        for other in ["protox", "serde_derive", "proptest", "tencent-simulator"] {
            assert!(!names.contains(other), "{other}");
        }
    }
}
