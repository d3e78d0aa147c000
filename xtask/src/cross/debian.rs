//! Debian's packages, unpacked below the target directory: nothing is installed, and nobody needs to be root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The packages of this Debian machine.
#[derive(Debug)]
pub(crate) struct Debian {
    /// The directory of everything unpacked, in which `usr/bin` is.
    root: PathBuf,
    /// apt's own directories, apart from the machine's.
    apt: PathBuf,
}

impl Debian {
    /// Finds apt, and unpacks below `directory`.
    pub(crate) fn below(directory: &Path) -> Result<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || !Path::new("/etc/debian_version").exists() {
            return Err("this is no Debian on x86-64".into());
        }
        let apt = directory.join("apt");
        for name in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(apt.join(name))?;
        }
        let apt_directory = apt.display();
        let settings = format!(
            "Dir::State \"{apt_directory}/state\";
Dir::State::status \"/var/lib/dpkg/status\";
Dir::Cache \"{apt_directory}/cache\";
APT::Architectures {{ \"amd64\"; \"arm64\"; }};
Acquire::Languages \"none\";
"
        );
        fs::write(apt.join("apt.conf"), settings)?;
        Ok(Self { root: directory.join("root"), apt })
    }

    /// Returns the path of a file of an unpacked package.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Unpacks packages, and all that they depend on and this machine lacks.
    pub(crate) fn unpack(&self, packages: &[&str]) -> Result {
        let missing = self.missing(packages);
        if missing.is_empty() {
            return Ok(());
        }
        self.update()?;
        let apt = ["install", "--yes", "--download-only", "--no-install-recommends"];
        run(self.apt_get().args(apt).args(&missing))?;
        let archives = self.apt.join("cache/archives");
        self.unpack_archives(&archives)?;
        self.mark(&missing)
    }

    /// Unpacks packages without what they depend on.
    pub(crate) fn unpack_alone(&self, packages: &[&str]) -> Result {
        let missing = self.missing(packages);
        if missing.is_empty() {
            return Ok(());
        }
        self.update()?;
        let archives = tempfile::tempdir_in(&self.apt)?;
        run(self.apt_get().arg("download").args(&missing).current_dir(archives.path()))?;
        self.unpack_archives(archives.path())?;
        self.mark(&missing)
    }

    fn missing<'a>(&self, packages: &[&'a str]) -> Vec<&'a str> {
        packages.iter().copied().filter(|package| !self.marker(package).exists()).collect()
    }

    /// Notes that packages are unpacked.
    fn mark(&self, packages: &[&str]) -> Result {
        packages.iter().try_for_each(|package| Ok(fs::write(self.marker(package), "")?))
    }

    fn marker(&self, package: &str) -> PathBuf {
        self.root.join(format!("{package}.unpacked"))
    }

    fn update(&self) -> Result {
        eprintln!("Asking for Debian's packages ...");
        run(self.apt_get().arg("update"))
    }

    fn apt_get(&self) -> Command {
        let mut command = Command::new("apt-get");
        command.arg("--quiet=2").env("APT_CONFIG", self.apt.join("apt.conf")).env("LC_ALL", "C.UTF-8");
        command
    }

    fn unpack_archives(&self, archives: &Path) -> Result {
        fs::create_dir_all(&self.root)?;
        for entry in fs::read_dir(archives)? {
            let archive = entry?.path();
            if archive.extension().is_some_and(|extension| extension == "deb") {
                run(Command::new("dpkg").arg("--extract").arg(&archive).arg(&self.root))?;
                fs::remove_file(archive)?;
            }
        }
        Ok(())
    }
}

/// Runs a command, whose output is shown only if it fails.
pub(super) fn run(command: &mut Command) -> Result {
    let output = command.output().map_err(|cause| format!("cannot run {command:?}: {cause}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(format!("{command:?} failed ({}).\n{}", output.status, String::from_utf8_lossy(&said)).into());
    }
    Ok(())
}
