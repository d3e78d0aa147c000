//! The files of a release, named and laid out as HashiCorp's and OpenTofu's registries expect them:
//!
//! | file | what |
//! | --- | --- |
//! | `…_VERSION_OS_ARCH.zip` | the executable, its licence, and the licences of everything linked into it |
//! | `…_VERSION_OS_ARCH.cdx.json` | everything linked into it, as a CycloneDX bill of materials |
//! | `…_VERSION_manifest.json` | the version of the plugin protocol |
//! | `…_VERSION_SHA256SUMS` | the checksums of all of these |
//! | `…_VERSION_SHA256SUMS.sig` | the signature of the checksums |

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use terraform_cli::Toolchain;

use crate::archive::{self, Entry};
use crate::licenses::RUST;
use crate::project::{MANIFEST, Project, Target};
use crate::signature::PASSPHRASE;
use crate::{Result, cross, dependencies, licenses, sbom, signature};

/// The command line's options.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) out: Option<PathBuf>,
    pub(crate) targets: Vec<String>,
    pub(crate) no_build: bool,
    pub(crate) key: Option<PathBuf>,
    pub(crate) version_suffix: Option<String>,
    pub(crate) tag: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result {
    let project = Project::of_workspace(options.version_suffix.as_deref())?;
    if let Some(tag) = options.tag.as_ref().filter(|tag| **tag != format!("v{}", project.version)) {
        return Err(format!("the tag {tag} does not match version {}", project.version).into());
    }
    let out = options.out.clone().unwrap_or_else(|| project.target_directory.join("package"));
    fs::create_dir_all(&out).map_err(|cause| format!("cannot create {}: {cause}", out.display()))?;
    if !options.no_build {
        let targets = match options.targets.as_slice() {
            [] => vec![Target::or_host(None)?],
            named => named.iter().map(|target| Target::or_host(Some(target))).collect::<Result<_>>()?,
        };
        for target in &targets {
            let toolchain = cross::for_target(&project, target)?;
            let executable = project.build(target, &toolchain)?;
            write_platform(&project, target, &toolchain, &executable, &out)?;
        }
    }
    let files = finish(&project, &out, options.key.as_deref())?;
    for file in files {
        println!("{}", file.display());
    }
    Ok(())
}

/// Writes the files of one platform.
fn write_platform(project: &Project, target: &Target, toolchain: &Toolchain, executable: &Path, out: &Path) -> Result {
    let content = fs::read(executable).map_err(|cause| format!("cannot read {}: {cause}", executable.display()))?;
    let crates = dependencies::linked(target)?;
    let runtimes = licenses::runtimes(target).into_iter().map(|runtime| {
        let version = match runtime.name {
            RUST => toolchain.rustc_version()?,
            _ => toolchain.c_library_version(target.triple())?,
        };
        Ok((runtime, version))
    });
    let bill = sbom::text(project, &sha256(&content), &crates, &runtimes.collect::<Result<Vec<_>>>()?);

    let name = format!("{}_{}", project.prefix(), target.platform()?);
    let text = |name: &str, content: Vec<u8>| Entry { name: name.to_owned(), content, executable: false };
    let entries = [
        Entry { name: project.executable(target), content, executable: true },
        text("LICENSE", fs::read(project.root.join("LICENSE"))?),
        text("LICENSES-OF-DEPENDENCIES", licenses::text(crates.values(), target)?.into_bytes()),
    ];
    archive::write(&out.join(format!("{name}.zip")), &entries)?;
    Ok(fs::write(out.join(format!("{name}.cdx.json")), bill)?)
}

/// Writes the manifest, the checksums and the signature for all present platforms. Returns all files.
fn finish(project: &Project, out: &Path, key: Option<&Path>) -> Result<Vec<PathBuf>> {
    let prefix = project.prefix();
    fs::copy(project.root.join(MANIFEST), out.join(format!("{prefix}_manifest.json")))?;
    let (sums, signature) = (format!("{prefix}_SHA256SUMS"), format!("{prefix}_SHA256SUMS.sig"));
    let mut names = Vec::new();
    for entry in fs::read_dir(out)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // Skips files of version 0.1.0-acme if this is 0.1.0.
        if name.starts_with(&format!("{prefix}_")) && name != sums && name != signature {
            names.push(name);
        }
    }
    names.sort();
    if !names.iter().any(|name| name.ends_with(".zip")) {
        return Err(format!("there is no archive of version {} in {}", project.version, out.display()).into());
    }
    let mut text = String::new();
    for name in &names {
        text += &format!("{}  {name}\n", sha256(&fs::read(out.join(name))?));
    }
    if out.join(&signature).exists() {
        // A signature of other checksums is outdated.
        fs::remove_file(out.join(&signature))?;
    }
    fs::write(out.join(&sums), &text)?;
    names.push(sums);
    if let Some(key) = key {
        let signed = signature::sign(key, env::var(PASSPHRASE).ok().as_deref(), text.as_bytes())?;
        fs::write(out.join(&signature), signed.bytes)?;
        eprintln!("Signed with the key {}.", signed.key_id);
        names.push(signature);
    }
    Ok(names.into_iter().map(|name| out.join(name)).collect())
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[PathBuf]) -> Vec<String> {
        files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_release_is_laid_out_as_the_registries_expect() {
        let directory = tempfile::tempdir().expect("a directory");
        let (out, project) = (directory.path(), Project::of_workspace(None).expect("a project"));
        let executable = out.join("executable");
        fs::write(&executable, "the executable").expect("written");
        for target in ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"] {
            // Only Linux has a glibc.
            if cfg!(target_os = "linux") || target.contains("windows") {
                let target = Target::or_host(Some(target)).expect("a target");
                write_platform(&project, &target, &Toolchain::of_this_machine(), &executable, out).expect("written");
            }
        }
        // Files of another version, and of another provider.
        for other in
            ["terraform-provider-tencent_0.0.1_linux_amd64.zip", "terraform-provider-other_0.1.0_linux_amd64.zip"]
        {
            fs::write(out.join(other), "other").expect("written");
        }
        fs::write(out.join(format!("{}_SHA256SUMS.sig", project.prefix())), "outdated").expect("written");

        let found = names(&finish(&project, out, None).expect("checksums"));
        let prefix = project.prefix();
        let named = [
            "linux_amd64.cdx.json",
            "linux_amd64.zip",
            "manifest.json",
            "windows_amd64.cdx.json",
            "windows_amd64.zip",
            "SHA256SUMS",
        ];
        let expected: Vec<_> = named.iter().map(|name| format!("{prefix}_{name}")).collect();
        if cfg!(target_os = "linux") {
            assert_eq!(found, expected);
        }
        assert!(!out.join(format!("{prefix}_SHA256SUMS.sig")).exists(), "of other checksums");
        let sums = fs::read_to_string(out.join(format!("{prefix}_SHA256SUMS"))).expect("checksums");
        assert_eq!(sums.lines().count(), found.len() - 1);
        let manifest =
            format!("{}  {prefix}_manifest.json\n", sha256(&fs::read(project.root.join(MANIFEST)).expect("read")));
        assert!(sums.contains(&manifest), "{sums}");
    }

    #[test]
    fn a_release_without_archives_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_workspace(None).expect("a project");
        let error = finish(&project, directory.path(), None).expect_err("no archive");
        assert!(error.to_string().contains("no archive"), "{error}");
    }
}
