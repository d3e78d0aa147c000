//! The places in a Windows user's profile: the CLI configuration, and the directory of plugins that Terraform and OpenTofu search,
//! into which `cargo xtask install` installs. No environment variable moves them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use terraform_cli::Flavour;

use crate::harness::{Result, START, Scenario, TERRAFORM, URL, sends, this};

/// A file or directory in the profile, which is removed in the end.
struct Profile(PathBuf);

impl Profile {
    /// Returns a place that nobody uses.
    fn place(path: &str) -> Result<Self> {
        let place = PathBuf::from(env::var_os("APPDATA").ok_or("no APPDATA")?).join(path);
        assert!(!place.exists(), "{} is in use", place.display());
        fs::create_dir_all(place.parent().ok_or("a parent")?)?;
        Ok(Self(place))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

/// Returns the CLI configuration that names the mirror with the provider, and the mirror.
fn cli_configuration(scenario: &Scenario) -> Result<(String, PathBuf)> {
    let text = fs::read_to_string(scenario.workspace.path().with_file_name("terraform.tfrc"))?;
    let quoted = text.lines().find_map(|line| line.trim().strip_prefix("path = ")).ok_or("a path")?;
    let mirror = PathBuf::from(serde_json::from_str::<String>(quoted)?);
    assert!(quoted.contains(r"\\") && quoted.contains(' '), "{quoted}");
    Ok((text, mirror))
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() { copy(&entry.path(), &to)? } else { fs::copy(entry.path(), to).map(drop)? }
    }
    Ok(())
}

#[test]
#[ignore = "writes into this user's profile; cargo xtask platforms runs it under Wine"]
fn the_provider_is_found_by_the_places_in_the_profile() -> Result {
    let mut scenario = Scenario::new()?.installed()?;
    scenario.workspace.remove_env("TF_CLI_CONFIG_FILE");
    let (configuration, mirror) = cli_configuration(&scenario)?;
    fs::remove_dir_all(scenario.workspace.path().join(".terraform"))?;
    {
        let plugins = Profile::place(r"terraform.d\plugins")?;
        copy(&mirror, &plugins.0)?;
        scenario.workspace.init()?.expect_success();
    }
    fs::remove_dir_all(scenario.workspace.path().join(".terraform"))?;
    let file = Profile::place(if TERRAFORM.flavour() == Flavour::OpenTofu { "tofu.rc" } else { "terraform.rc" })?;
    fs::write(&file.0, configuration.replace('\n', "\r\n"))?;
    scenario.workspace.init()?.expect_success();
    scenario.configure(&this(&sends(&[START], URL)))?;
    scenario.apply()?;
    scenario.expect_remote(&[START], URL);
    Ok(())
}
