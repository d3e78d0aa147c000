//! The filesystem mirror in which Terraform finds the binary under test, and nothing else.
//!
//! Unlike `dev_overrides`, which skips `init`, a mirror exercises what users do: version constraints, installation, the
//! lock file.

use std::env::consts::{ARCH, EXE_SUFFIX, OS};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::terraform::Flavour;

/// The registries in which Terraform and OpenTofu look for a provider whose address names no host.
pub const REGISTRY_HOSTS: [&str; 2] = [Flavour::Terraform.registry(), Flavour::OpenTofu.registry()];
/// The provider of this repository, as configurations name it.
pub const PROVIDER_SOURCE: &str = "callkit/tencent";

/// A temporary filesystem mirror. Every workspace keeps a clone; dropping the last clone removes the mirror.
///
/// The binary is linked, not copied, so a mirror costs next to nothing: make one per test rather than a `static`, which
/// would never be dropped and leave its directory behind.
#[derive(Clone, Debug)]
pub struct Mirror {
    directory: Arc<TempDir>,
}

impl Mirror {
    /// Creates a mirror that offers `binary` as version `version` of `callkit/tencent`, for Terraform's registry and for
    /// OpenTofu's. A package (`.zip`) is offered as it is.
    ///
    /// # Errors
    ///
    /// The binary does not exist, or the version is not a semantic version without `v`.
    pub fn new(binary: &Path, version: &str) -> Result<Self> {
        Self::of(PROVIDER_SOURCE, binary, version)
    }

    /// Creates a mirror for the provider whose source address is `source`: `NAMESPACE/TYPE`.
    ///
    /// # Errors
    ///
    /// As for [`Self::new`].
    pub fn of(source: &str, binary: &Path, version: &str) -> Result<Self> {
        Version::parse(version)
            .map_err(|cause| Error::new(format!("`{version}` cannot be the version of a provider: {cause}")))?;
        let binary =
            binary.canonicalize().map_err(Error::io("there is no provider to install; build it first:", binary))?;

        let mirror = Self::empty()?;
        for host in REGISTRY_HOSTS {
            let place = mirror.path().join(mirror_path(host, source, version, &platform(OS, ARCH)));
            let offered = if binary.extension().is_some_and(|extension| extension == "zip") {
                offer_package(&binary, &place)
            } else {
                offer(&binary, &place)
            };
            offered.map_err(Error::io("cannot install the provider as", &place))?;
        }
        Ok(mirror)
    }

    /// Creates a mirror without a provider, for configurations that need only Terraform's built-in provider.
    ///
    /// # Errors
    ///
    /// The temporary directory cannot be written to.
    pub fn empty() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("a mirror ") // Paths may have spaces.
            .tempdir()
            .map_err(|cause| Error::new(format!("cannot create a temporary directory: {cause}")))?;
        Ok(Self { directory: Arc::new(directory) })
    }

    /// Returns the directory to name in a `filesystem_mirror` block.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Returns the path of a provider in a filesystem mirror, in the unpacked layout:
/// `HOST/NAMESPACE/TYPE/VERSION/OS_ARCH/terraform-provider-TYPE_vVERSION`.
pub fn mirror_path(host: &str, source: &str, version: &str, platform: &str) -> PathBuf {
    let name = source.rsplit('/').next().unwrap_or(source);
    [host, source, version, platform]
        .iter()
        .collect::<PathBuf>()
        .join(format!("terraform-provider-{name}_v{version}{EXE_SUFFIX}"))
}

/// Returns a platform's name in Go, such as `linux_amd64`, from its names in Rust.
pub fn platform(os: &str, arch: &str) -> String {
    let os = match os {
        "macos" => "darwin",
        same => same,
    };
    let arch = match arch {
        "x86_64" => "amd64",
        "x86" | "i686" => "386",
        "aarch64" => "arm64",
        same => same,
    };
    format!("{os}_{arch}")
}

/// Links the binary hard, or symbolically across filesystems. Cargo replaces a binary instead of writing into it, so a hard link
/// does not change.
#[cfg(unix)]
fn offer(binary: &Path, place: &Path) -> io::Result<()> {
    fs::create_dir_all(place.parent().unwrap_or(place))?;
    fs::hard_link(binary, place).or_else(|_| std::os::unix::fs::symlink(binary, place))
}

/// Packs the binary: the executable from a directory would be linked symbolically, and Wine does not show such a link.
#[cfg(windows)]
fn offer(binary: &Path, place: &Path) -> io::Result<()> {
    use zip::write::{SimpleFileOptions, ZipWriter};
    let package = tempfile::Builder::new().suffix(".zip").tempfile()?;
    let mut archive = ZipWriter::new(package.as_file());
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file(place.file_name().unwrap_or_default().to_string_lossy(), stored)?;
    io::copy(&mut fs::File::open(binary)?, &mut archive)?;
    archive.finish().map_err(io::Error::other)?;
    offer_package(package.path(), place)
}

/// Offers a package instead of the executable at `place`, in the packed layout:
/// `HOST/NAMESPACE/TYPE/terraform-provider-TYPE_VERSION_OS_ARCH.zip`.
fn offer_package(package: &Path, place: &Path) -> io::Result<()> {
    let above = |levels: usize| place.ancestors().nth(levels).unwrap_or(place);
    let [platform, version, name] =
        [1, 2, 3].map(|levels| above(levels).file_name().unwrap_or_default().to_string_lossy());
    fs::create_dir_all(above(3))?;
    fs::copy(package, above(3).join(format!("terraform-provider-{name}_{version}_{platform}.zip"))).map(drop)
}

/// Returns the provider to test if it is another one than Cargo has built: the executable or the package that
/// `TF_ACC_PROVIDER_PATH` names.
pub fn provider_under_test() -> Option<PathBuf> {
    std::env::var_os("TF_ACC_PROVIDER_PATH").filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_gos_names() {
        let cases = [
            ("linux", "x86_64", "linux_amd64"),
            ("linux", "aarch64", "linux_arm64"),
            ("macos", "aarch64", "darwin_arm64"),
            ("windows", "x86", "windows_386"),
            ("freebsd", "arm", "freebsd_arm"),
        ];
        for (os, arch, expected) in cases {
            assert_eq!(platform(os, arch), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_mirror_offers_the_binary_for_both_registries() {
        let binary = tempfile::NamedTempFile::new().expect("a file");
        fs::write(binary.path(), "the provider").expect("written");
        let mirror = Mirror::new(binary.path(), "1.2.3").expect("a mirror");

        let platform = platform(OS, ARCH);
        for host in ["registry.terraform.io", "registry.opentofu.org"] {
            let place = mirror
                .path()
                .join(format!("{host}/callkit/tencent/1.2.3/{platform}/terraform-provider-tencent_v1.2.3{EXE_SUFFIX}"));
            assert_eq!(fs::read_to_string(&place).expect("installed"), "the provider");
        }
    }

    #[test]
    fn the_mirror_is_removed_with_its_last_clone() {
        let mirror = Mirror::empty().expect("a mirror");
        let (path, clone) = (mirror.path().to_owned(), mirror.clone());
        drop(mirror);
        assert!(path.exists());
        drop(clone);
        assert!(!path.exists());
    }

    #[test]
    fn an_executable_that_terraform_would_not_find_is_refused() {
        let binary = tempfile::NamedTempFile::new().expect("a file");
        let version = Mirror::new(binary.path(), "v1").expect_err("no version");
        assert!(version.to_string().contains("`v1`"), "{version}");
        let missing = Mirror::new(Path::new("/nowhere/provider"), "1.2.3").expect_err("no binary");
        assert!(missing.to_string().contains("build it first"), "{missing}");
    }
}
