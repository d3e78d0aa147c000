//! A package, made once for all tests of this process, and its key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pgp::composed::{ArmorOptions, KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::types::KeyDetails as _;

use crate::{Result, VERSION, names, platform, xtask};

/// The files of a release.
pub(crate) struct Package {
    pub(crate) directory: PathBuf,
    pub(crate) key: Key,
}

/// A temporary key.
pub(crate) struct Key {
    pub(crate) id: String,
    /// The public half.
    pub(crate) ascii_armor: String,
    secret: SignedSecretKey,
}

impl Key {
    /// Creates an RSA key, as the registries require, of 2048 bits, which is fast to generate.
    pub(crate) fn generate() -> Result<Self> {
        let secret = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Rsa(2048))
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("Test <test@example.com>".into())
            .build()?
            .generate(rand::thread_rng())?;
        let ascii_armor = secret.to_public_key().to_armored_string(ArmorOptions::default())?;
        Ok(Self { id: secret.legacy_key_id().to_string().to_uppercase(), ascii_armor, secret })
    }

    /// Writes the secret half.
    pub(crate) fn write(&self, file: &Path) -> Result {
        Ok(fs::write(file, self.secret.to_armored_string(ArmorOptions::default())?)?)
    }
}

/// The output of `cargo xtask package --sign`.
pub(crate) static PACKAGE: LazyLock<Package> =
    LazyLock::new(|| Package::make("package", &[]).unwrap_or_else(|error| panic!("there is no package: {error}")));

impl Package {
    /// Makes a package in a directory of this name below the target directory, for these targets, or for this machine. Builds the
    /// executables if necessary.
    pub(crate) fn make(name: &str, targets: &[&str]) -> Result<Self> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        let (key, keys) = (Key::generate()?, tempfile::tempdir()?);
        let key_file = keys.path().join("secret.asc");
        key.write(&key_file)?;
        let mut package = xtask(&["package", "--out"]);
        package.arg(&directory).arg("--sign").arg(&key_file);
        for target in targets {
            package.args(["--target", target]);
        }
        let status = package.status()?;
        assert!(status.success(), "cargo xtask package: {status}");
        Ok(Self { directory, key })
    }

    /// Returns the common prefix of the names of all files of the release.
    pub(crate) fn prefix() -> String {
        format!("terraform-provider-tencent_{VERSION}")
    }

    /// Returns the name of the archive for this machine.
    pub(crate) fn archive_name() -> String {
        Self::archive_name_for(&platform())
    }

    /// Returns the name of the archive for a platform.
    pub(crate) fn archive_name_for(platform: &str) -> String {
        format!("{}_{platform}.zip", Self::prefix())
    }

    /// Returns the platforms that have an archive.
    pub(crate) fn platforms(&self) -> Result<Vec<String>> {
        let prefix = format!("{}_", Self::prefix());
        let platform = |name: &String| Some(name.strip_prefix(&prefix)?.strip_suffix(".zip")?.to_owned());
        Ok(names(&self.directory)?.iter().filter_map(platform).collect())
    }

    /// Returns the path of the archive for this machine.
    pub(crate) fn archive(&self) -> PathBuf {
        self.directory.join(Self::archive_name())
    }

    pub(crate) fn read(&self, ending: &str) -> Result<Vec<u8>> {
        Ok(fs::read(self.directory.join(format!("{}_{ending}", Self::prefix())))?)
    }

    /// Returns the SHA-256 of the archive for this machine, from the checksums.
    pub(crate) fn archive_sha256(&self) -> Result<String> {
        self.sha256(&Self::archive_name())
    }

    /// Returns the SHA-256 of an archive, from the checksums.
    pub(crate) fn sha256(&self, archive: &str) -> Result<String> {
        let sums = String::from_utf8(self.read("SHA256SUMS")?)?;
        let line = sums.lines().find_map(|line| line.strip_suffix(&format!("  {archive}")));
        Ok(line.ok_or("the archive has no checksum")?.to_owned())
    }
}
