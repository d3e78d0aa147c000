//! Other providers to measure in the same run, fetched on request into the target directory.

use std::env::consts::{ARCH, OS};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use terraform_cli::{PROVIDER_SOURCE, Profile, cargo_build, python_with, target_directory};

use crate::Result;

/// A provider to measure.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The name in tables and charts.
    pub(crate) name: &'static str,
    /// A description in one sentence.
    pub(crate) what: &'static str,
    /// `NAMESPACE/TYPE`.
    pub(crate) source: &'static str,
    pub(crate) version: &'static str,
    pub(crate) executable: PathBuf,
}

impl Subject {
    /// Returns this provider, built as for a release.
    pub(crate) fn ours() -> Result<Self> {
        Ok(Self {
            name: "this provider",
            what: "built by `cargo bench` as it is released",
            source: PROVIDER_SOURCE,
            version: env!("CARGO_PKG_VERSION"),
            executable: cargo_build(env!("CARGO_PKG_NAME"), Profile::Release)?,
        })
    }

    /// Returns the size of the executable, in bytes.
    pub(crate) fn size(&self) -> Result<u64> {
        Ok(fs::metadata(&self.executable)?.len())
    }
}

/// Returns the peers that are present, or all of them if they are to be fetched.
pub(crate) fn all(fetch: bool) -> Result<Vec<Subject>> {
    let home = target_directory()?.join("peers");
    let mut peers = [
        Subject {
            name: "Go framework",
            what: "`terraform-provider-workato` 0.16.0, on HashiCorp's Go framework, from PyPI",
            source: "local/workato",
            version: "0.16.0",
            executable: home.join("terraform-provider-workato"),
        },
        Subject {
            name: "Rust tf-provider",
            what: "the example `terraform-provider-null` of `tf-provider` 0.2.2, another framework in Rust, from crates.io",
            source: "local/null",
            version: "0.2.2",
            executable: home.join("terraform-provider-null"),
        },
    ]
    .to_vec();
    if fetch {
        fs::create_dir_all(&home)?;
        for (peer, fetch) in peers.iter().zip([go as fn(&Path, &Path) -> Result, rust]) {
            if !peer.executable.exists() {
                eprintln!("Fetching {} …", peer.what);
                fetch(&home, &peer.executable)?;
            }
        }
    }
    peers.retain(|peer| peer.executable.exists());
    Ok(peers)
}

/// Fetches a wheel with the executables of every platform.
fn go(_: &Path, executable: &Path) -> Result {
    let python = python_with("workato-terraform-provider", "0.16.0")?;
    let script = "import workato_terraform_provider as p; print(list(p.__path__)[0])";
    let package = run(Command::new(python).args(["-c", script]))?;
    let arch = if ARCH == "aarch64" { "arm64" } else { "amd64" };
    let os = if OS == "macos" { "darwin" } else { OS };
    let place =
        format!("payload/registry.terraform.io/local/workato/0.16.0/{os}_{arch}/terraform-provider-workato_v0.16.0");
    install(&Path::new(package.trim()).join(place), executable)
}

/// Builds an example where cargo unpacks the crate. Its build script needs a protoc, which is a crate as well.
fn rust(home: &Path, executable: &Path) -> Result {
    let protoc = "protoc-bin-vendored-linux-x86_64";
    let manifest = format!(
        "[package]\nname = \"peers\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[lib]\npath = \"lib.rs\"\n\n\
         [dependencies]\ntf-provider = \"=0.2.2\"\n{protoc} = \"3\"\n"
    );
    let package = home.join("tf-provider");
    fs::create_dir_all(&package)?;
    fs::write(package.join("Cargo.toml"), manifest)?;
    fs::write(package.join("lib.rs"), "")?;
    let cargo = || Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    let metadata = run(cargo().args(["metadata", "--format-version=1"]).current_dir(&package))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let directory = |name: &str| -> Result<PathBuf> {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let manifest = packages.filter(|p| p["name"] == name).find_map(|p| p["manifest_path"].as_str());
        let directory = manifest.and_then(|manifest| Path::new(manifest).parent());
        Ok(directory.ok_or_else(|| format!("cargo did not fetch {name}"))?.to_owned())
    };
    let target = package.join("target");
    run(cargo()
        .args(["build", "--release", "--locked", "--example", "terraform-provider-null", "--manifest-path"])
        .arg(directory("tf-provider")?.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("PROTOC", directory(protoc)?.join("bin/protoc")))?;
    install(&target.join("release/examples/terraform-provider-null"), executable)
}

/// Copies an executable to its place, where it appears complete or not at all.
fn install(from: &Path, to: &Path) -> Result {
    let partial = to.with_extension("partial");
    fs::copy(from, &partial).map_err(|error| io::Error::other(format!("cannot copy {}: {error}", from.display())))?;
    #[cfg(unix)]
    fs::set_permissions(&partial, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(fs::rename(partial, to)?)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
