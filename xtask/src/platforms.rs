//! `cargo xtask platforms`: builds the provider for other platforms, runs its tests there, and records what it saw.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{panic, thread};

use serde_json::{Value, json};
use terraform_cli::{Flavour, RELEASES, Release, Toolchain, release_build_for};

use crate::Result;
use crate::cross::{self, Emulator, WINDOWS};
use crate::package;
use crate::project::{NAME, Project, Target};

/// The command line's options.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) targets: Vec<String>,
    pub(crate) check: bool,
}

/// The extent to which a platform can be tested on another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The code compiles. It cannot be linked.
    Checked,
    /// The unit tests and the tests of the plugin protocol run.
    Tested,
    /// A package is made, and hosts run it.
    Packaged,
}

struct Platform {
    target: &'static str,
    reach: Reach,
}

const PLATFORMS: [Platform; 6] = [
    Platform { target: "aarch64-unknown-linux-gnu", reach: Reach::Packaged },
    Platform { target: WINDOWS, reach: Reach::Packaged },
    Platform { target: "i686-unknown-linux-gnu", reach: Reach::Tested },
    Platform { target: "s390x-unknown-linux-gnu", reach: Reach::Tested },
    Platform { target: "aarch64-apple-darwin", reach: Reach::Checked },
    Platform { target: "x86_64-apple-darwin", reach: Reach::Checked },
];

/// The modules with the main acceptance tests: create, change, import, drift, the guard, lost answers, Ctrl-C.
const MAIN_JOB: [&str; 5] = ["lifecycle::", "import::", "drift::", "overwrite::", "network::"];
/// Unit tests that explore orders of calls. They compute for minutes under an emulator, and use nothing of the platform.
const PURE: &str = "singleton::orders::";
/// The tests of Windows' own places.
const PROFILE: &str = "windows::";
/// The tests of the released executable that need no compiler: in an empty root directory.
const EMPTY_ROOT: &str = "portable::";

/// The record, from which the tests of the documentation write the tables of platforms.
const RECORD: &str = "tests/docs/platforms.json";

pub(crate) fn run(options: &Options) -> Result {
    let project = Project::of_workspace(None)?;
    let chosen =
        |platform: &&Platform| options.targets.is_empty() || options.targets.iter().any(|t| t == platform.target);
    let chosen: Vec<_> = PLATFORMS.iter().filter(chosen).collect();
    if let Some(unknown) = options.targets.iter().find(|target| PLATFORMS.iter().all(|p| p.target != **target)) {
        let known: Vec<_> = PLATFORMS.iter().map(|platform| platform.target).collect();
        return Err(format!("{unknown} is none of the platforms: {}", known.join(", ")).into());
    }
    for platform in &chosen {
        let target = Target::or_host(Some(platform.target))?;
        let toolchain = cross::for_target(&project, &target)?;
        if options.check {
            check(&project, &target, &toolchain)?;
        } else {
            let seen = see(&project, platform.reach, &target, &toolchain)?;
            record(&project.root.join(RECORD), platform.target, seen)?;
        }
    }
    if !options.check && packaged().all(|platform| chosen.iter().any(|chosen| chosen.target == platform.target)) {
        // Locked, mirrored and installed, together with this machine's.
        let arguments = ["test", "--locked", "--features", "gate", "--package", "xtask", "--test", "installing"];
        let mut tests = Toolchain::of_this_machine().cargo(&project.root, &arguments);
        tests.args(["--", "--ignored", "other_platforms"]);
        passed(tests)?;
    }
    eprintln!("Write the tables with `UPDATE_EXPECT=1 cargo test --test docs platforms`.");
    Ok(())
}

/// Returns the platforms that have a package.
fn packaged() -> impl Iterator<Item = &'static Platform> {
    PLATFORMS.iter().filter(|platform| platform.reach == Reach::Packaged)
}

/// Runs every step for a platform, and returns the results.
fn see(project: &Project, reach: Reach, target: &Target, toolchain: &Toolchain) -> Result<Value> {
    check(project, target, toolchain)?;
    let mut seen = json!({ "date": today()? });
    if reach == Reach::Checked {
        return Ok(seen);
    }
    // A new one for each run: Wine's server computes for ever about connections that tests have left.
    let emulator = || Emulator::for_target(project, target);
    let hosts = hosts(target)?;

    let mut tests =
        toolchain.cargo(&project.root, &["test", "--locked", "--package", NAME, "--target", target.triple()]);
    tests.arg("--target-dir").arg(builds(project)).args(["--lib", "--test", "protocol", "--", "--skip", PURE]);
    if let Some((_, host)) = hosts.last() {
        tests.env("TF_ACC_TERRAFORM_PATH", host);
    }
    {
        let emulator = emulator()?;
        seen["emulator"] = json!(emulator.name());
        seen["tests"] = json!(passed(emulator.enable(tests))?);
    }
    if reach == Reach::Tested {
        return Ok(seen);
    }

    let out = cross::directory(project).join("package");
    let package = out.join(format!("{}_{}.zip", project.prefix(), target.platform()?));
    let options = package::Options { out: Some(out), targets: vec![target.triple().to_owned()], ..Default::default() };
    let executable = if target.is_windows() {
        // Two builds have different bytes.
        package::run(&options)?;
        release_build_for(target.triple(), toolchain, &project.root, NAME)?
    } else {
        built_twice(project, target, toolchain, &options)?
    };
    seen["bytes"] = json!(fs::metadata(&executable)?.len());
    let mut by_host = BTreeMap::new();
    for (host, path) in &hosts {
        let accepted = |arguments: &[&str]| {
            let mut tests = acceptance(project, target, toolchain);
            tests.arg("--").args(arguments);
            tests.env("TF_ACC_PROVIDER_PATH", &package).env("TF_ACC_TERRAFORM_PATH", path);
            passed(emulator()?.enable(tests))
        };
        let mut passed_here = accepted(&[&["--test-threads=4"], &MAIN_JOB[..]].concat())?;
        if target.is_windows() {
            passed_here += accepted(&["--ignored", PROFILE])?;
        }
        by_host.insert(host.clone(), passed_here);
    }
    seen["acceptance"] = json!(by_host);
    if !target.is_windows() {
        let own = Toolchain::of_this_machine();
        let mut tests = own.cargo(&project.root, &["test", "--locked", "--features", "gate", "--test", "release"]);
        tests.args(["--", EMPTY_ROOT]).env("TF_ACC_PROVIDER_PATH", &executable);
        seen["empty_root"] = json!(passed(emulator()?.enable(tests))?);
    }
    Ok(seen)
}

/// Compiles everything for the platform, with every warning an error.
fn check(project: &Project, target: &Target, toolchain: &Toolchain) -> Result {
    eprintln!("Checking {} ...", target.triple());
    let mut command =
        toolchain.cargo(&project.root, &["check", "--locked", "--workspace", "--all-targets", "--all-features"]);
    command.args(["--target", target.triple(), "--target-dir"]).arg(builds(project));
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let mut warnings = false;
    for line in BufReader::new(child.stderr.take().ok_or("no standard error")?).lines() {
        let line = line?;
        eprintln!("{line}");
        warnings |= is_sum_of_warnings(&line);
    }
    match (child.wait()?, warnings) {
        (status, false) if status.success() => Ok(()),
        (_, true) => Err(format!("the code for {} has warnings", target.triple()).into()),
        (status, _) => Err(format!("the check for {} failed: {status}", target.triple()).into()),
    }
}

/// Reads ``warning: `xtask` (bin "xtask") generated 1 warning``, which Cargo prints for packages of the workspace only.
fn is_sum_of_warnings(line: &str) -> bool {
    line.starts_with("warning: `") && line.contains(" generated ")
}

/// Returns the directory of what is built for tests, apart from what this machine's compiler has built.
fn builds(project: &Project) -> PathBuf {
    cross::directory(project).join("build")
}

/// Builds the acceptance tests: for Windows, which has its own paths and consoles, as programs of Windows; otherwise for this
/// machine, whose Terraform then starts the other platform's provider.
fn acceptance(project: &Project, target: &Target, toolchain: &Toolchain) -> Command {
    if !target.is_windows() {
        return Toolchain::of_this_machine().cargo(&project.root, &["test", "--locked", "--test", "acceptance"]);
    }
    let arguments = ["test", "--locked", "--package", NAME, "--test", "acceptance", "--target", target.triple()];
    let mut command = toolchain.cargo(&project.root, &arguments);
    command.arg("--target-dir").arg(builds(project));
    command
}

/// Returns names and executables of the hosts that run the packaged provider.
fn hosts(target: &Target) -> Result<Vec<(String, PathBuf)>> {
    if target.is_windows() {
        let newest = [Flavour::OpenTofu, Flavour::Terraform].map(Release::newest_stable);
        return newest.iter().map(|host| Ok((host.to_string(), host.build_for("windows", "amd64")?))).collect();
    }
    let ends = [RELEASES[0], Release::newest_stable(Flavour::Terraform)];
    ends.iter().map(|host| Ok((host.to_string(), host.install()?.executable().to_owned()))).collect()
}

/// Makes the package, and the executable once more elsewhere. Returns the executable, if both have the same bytes.
fn built_twice(
    project: &Project,
    target: &Target,
    toolchain: &Toolchain,
    options: &package::Options,
) -> Result<PathBuf> {
    let build = |toolchain: &Toolchain| release_build_for(target.triple(), toolchain, &project.root, NAME);
    let elsewhere = cross::directory(project).join("again");
    thread::scope(|scope| {
        let toolchain_elsewhere = toolchain.clone().env("CARGO_TARGET_DIR", &elsewhere);
        let again = scope.spawn(move || build(&toolchain_elsewhere));
        package::run(options)?;
        let executable = build(toolchain)?;
        let again = again.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        let same = fs::read(&executable)? == fs::read(again)?;
        fs::remove_dir_all(elsewhere)?;
        if same { Ok(executable) } else { Err(format!("two builds for {} differ", target.triple()).into()) }
    })
}

/// Runs tests, and returns how many passed.
fn passed(mut command: Command) -> Result<u64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut passed = 0;
    for line in BufReader::new(child.stdout.take().ok_or("no standard output")?).lines() {
        let line = line?;
        println!("{line}");
        passed += passed_in(&line).unwrap_or_default();
    }
    let status = child.wait()?;
    match passed {
        _ if !status.success() => Err(format!("{command:?} failed: {status}").into()),
        0 => Err(format!("{command:?} ran no test").into()),
        passed => Ok(passed),
    }
}

/// Reads `test result: ok. 12 passed; …`.
fn passed_in(line: &str) -> Option<u64> {
    line.trim().strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok()
}

fn today() -> Result<String> {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Replaces a platform's entry in the record.
fn record(file: &Path, target: &str, seen: Value) -> Result {
    let mut record: BTreeMap<String, Value> = serde_json::from_slice(&fs::read(file)?)?;
    record.insert(target.to_owned(), seen);
    let mut file = fs::File::create(file)?;
    serde_json::to_writer_pretty(&mut file, &record)?;
    Ok(writeln!(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 3 ignored;"), Some(12));
        assert_eq!(passed_in("test result: FAILED. 12 passed; 1 failed;"), None);
        assert_eq!(passed_in("test lifecycle::a ... ok"), None);
    }

    #[test]
    fn warnings_are_noticed() {
        assert!(is_sum_of_warnings(r#"warning: `xtask` (bin "xtask") generated 1 warning"#));
        assert!(!is_sum_of_warnings("warning: unused import: `x`"), "counted once");
        assert!(!is_sum_of_warnings("    Finished `dev` profile [unoptimized + debuginfo] target(s) in 0.11s"));
    }

    #[test]
    fn each_platform_has_a_name() {
        for platform in &PLATFORMS {
            let target = Target::or_host(Some(platform.target)).expect("a target");
            assert!(target.platform().is_ok(), "{}", platform.target);
        }
    }
}
