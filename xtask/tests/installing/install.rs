//! `cargo xtask install`, the blocks it prints, and `cargo xtask uninstall`.

use std::path::{Path, PathBuf};
use std::process::Command;

use terraform_cli::{Profile, cargo_build};

use crate::{Checkout, Result, VERSION, xtask};

/// Runs a command in this home directory, and returns what it prints.
fn run(home: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = xtask(arguments);
    let homes = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")];
    for (variable, directory) in homes.into_iter().filter(|(variable, _)| std::env::var_os(variable).is_none()) {
        command.env(variable, std::env::home_dir().ok_or("no home")?.join(directory));
    }
    command.env("HOME", home).env_remove("XDG_DATA_HOME");
    let output = command.output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Installs, and returns the blocks that this prints.
fn install(home: &Path, arguments: &[&str]) -> Result<Vec<String>> {
    let text = run(home, &[&["install"], arguments].concat())?;
    // A block begins at the margin after an empty line, and ends at the margin.
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        match line {
            "terraform {" | "provider_installation {" => blocks.push(format!("{line}\n")),
            _ if line.starts_with(' ') || line == "}" => {
                blocks.last_mut().ok_or("a line before all blocks")?.push_str(&format!("{line}\n"));
            }
            _ => {}
        }
    }
    Ok(blocks)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let found = Command::new("find").arg(directory).args(["-type", "f"]).output()?;
    let mut files: Vec<_> = String::from_utf8(found.stdout)?.lines().map(PathBuf::from).collect();
    files.sort();
    Ok(files)
}

#[test]
fn init_finds_the_installed_provider_in_any_project() -> Result {
    let checkout = Checkout::of("callkit/tencent", None)?;
    let blocks = install(checkout.home.path(), &[])?;
    let installed = files(checkout.home.path())?;
    assert_eq!(installed.len(), 2, "for Terraform and for OpenTofu: {installed:?}");
    let [block] = &blocks[..] else { return Err(format!("one block: {blocks:?}").into()) };
    checkout.workspace.write("main.tf", &format!("{block}\nprovider \"tencent\" {{}}\n"))?;
    checkout.installs()?;

    // Installing again keeps the lock file valid.
    assert_eq!(install(checkout.home.path(), &[])?, blocks);
    assert!(installed.iter().all(|file| file.exists()));
    checkout.workspace.run(&["init", "-lockfile=readonly"])?.expect_success();

    // A local build next to it.
    let blocks = install(checkout.home.path(), &["--version-suffix", "acme.1"])?;
    checkout.workspace.write("main.tf", &format!("{}\nprovider \"tencent\" {{}}\n", blocks[0]))?;
    checkout.workspace.run(&["init", "-upgrade"])?.expect_success();
    checkout.workspace.run(&["version"])?.expect_contains(&format!("callkit/tencent v{VERSION}-acme.1"));
    checkout.starts()?;
    let installed = files(checkout.home.path())?;
    let own = installed.iter().find(|file| file.to_string_lossy().ends_with("-acme.1")).ok_or("the local build")?;
    let version = Command::new(own).arg("--version").output()?.stdout;
    assert_eq!(String::from_utf8(version)?, format!("terraform-provider-tencent {VERSION}-acme.1\n"));

    // Neither is there any more.
    let said = run(checkout.home.path(), &["uninstall"])?;
    assert_eq!(said.lines().filter(|line| line.starts_with("Removed ")).count(), installed.len(), "{said}");
    assert_eq!(files(checkout.home.path())?, Vec::<PathBuf>::new());
    assert!(run(checkout.home.path(), &["uninstall"])?.starts_with("Nothing is installed in "));
    checkout.workspace.run(&["init", "-upgrade"])?.expect_failure();
    Ok(())
}

#[test]
fn the_cli_configuration_finds_a_provider_in_another_directory() -> Result {
    let mut checkout = Checkout::of("callkit/tencent", None)?;
    let directory = checkout.home.path().join("a \"directory\" of mine");
    let blocks = install(checkout.home.path(), &["--dir", directory.to_str().ok_or("a path")?])?;
    assert_eq!(files(checkout.home.path())?.len(), files(&directory)?.len(), "nothing elsewhere");
    let [cli, project] = &blocks[..] else { return Err(format!("two blocks: {blocks:?}").into()) };
    checkout.configure_cli(cli)?;
    checkout.workspace.write("main.tf", &format!("{project}\nprovider \"tencent\" {{}}\n"))?;
    checkout.installs()?;
    Ok(())
}

#[test]
fn dev_overrides_run_the_latest_build() -> Result {
    let mut checkout = Checkout::of("callkit/tencent", None)?;
    let blocks = install(checkout.home.path(), &["--dev"])?;
    assert!(files(checkout.home.path())?.is_empty(), "nothing is installed");
    let built = cargo_build("terraform-provider-tencent", Profile::Dev)?;
    assert!(blocks[0].contains(&*built.parent().ok_or("a directory")?.to_string_lossy()), "{blocks:?}");
    checkout.configure_cli(&blocks[0])?;
    checkout.workspace.run(&["validate"])?.expect_success().expect_contains("development overrides");
    Ok(())
}
