//! Installs the provider where `init` finds it, for this user's Terraform and OpenTofu, and uninstalls it.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use terraform_cli::{PROVIDER_SOURCE, Profile, REGISTRY_HOSTS, Toolchain, cargo_build, mirror_path};

use crate::Result;
use crate::project::{NAME, Project, Target};

/// The command line's options.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) dev: bool,
    pub(crate) version_suffix: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result {
    if options.dev {
        if options.directory.is_some() || options.version_suffix.is_some() {
            return Err("--dev installs nothing: omit --dir and --version-suffix".into());
        }
        let executable = cargo_build(NAME, Profile::Dev)?;
        println!("{}", use_development_build(executable.parent().unwrap_or(&executable)));
        return Ok(());
    }
    let project = Project::of_workspace(options.version_suffix.as_deref())?;
    let directory = directory(options.directory.as_deref())?;
    eprintln!("Building {NAME} {}, which takes some four minutes of processor time at first.", project.version);
    let executable = project.build(&Target::or_host(None)?, &Toolchain::of_this_machine())?;
    for place in install(&project, &executable, &directory)? {
        eprintln!("Installed {}", place.display());
    }
    println!("{}", use_version(&project, options.directory.is_some().then_some(&directory)));
    Ok(())
}

/// Removes every version that [`run`] has installed below a directory.
pub(crate) fn run_uninstall(named: Option<&Path>) -> Result {
    let directory = directory(named)?;
    let (removed, left) = uninstall(&directory)?;
    for place in &removed {
        println!("Removed {}", place.display());
    }
    for place in &left {
        println!("Left {}, which `cargo xtask install` did not write", place.display());
    }
    if removed.is_empty() {
        println!("Nothing is installed in {}", directory.display());
    }
    if named.is_some() && !removed.is_empty() {
        println!("Remove the blocks that name {} from the CLI configuration, too", directory.display());
    }
    Ok(())
}

fn directory(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(directory) => Ok(std::path::absolute(directory)?),
        None => implied_directory(|name| env::var_os(name).map(PathBuf::from), Path::exists),
    }
}

/// Returns the directory that both search by default.
fn implied_directory(variable: impl Fn(&str) -> Option<PathBuf>, exists: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    if cfg!(windows) {
        let roaming = variable("APPDATA").ok_or("APPDATA is not set: choose a directory with --dir")?;
        return Ok(roaming.join("terraform.d").join("plugins"));
    }
    let home = variable("HOME").or_else(env::home_dir).ok_or("HOME is not set: choose a directory with --dir")?;
    let usual = home.join(".terraform.d");
    match variable("XDG_DATA_HOME").filter(|data| data.is_absolute()) {
        // Creating this directory would make OpenTofu stop searching its current one.
        Some(data) if cfg!(not(target_os = "macos")) && !exists(&usual) => Ok(data.join("terraform").join("plugins")),
        _ => Ok(usual.join("plugins")),
    }
}

/// Installs the executable under the provider's address in each registry, and returns the paths. Touches nothing else.
fn install(project: &Project, executable: &Path, directory: &Path) -> Result<Vec<PathBuf>> {
    let target = Target::or_host(None)?;
    let content = fs::read(executable)?;
    let mut places = Vec::new();
    for host in REGISTRY_HOSTS {
        let place =
            directory.join(mirror_path(host, PROVIDER_SOURCE, &project.version.to_string(), &target.platform()?));
        let parent = place.parent().ok_or("a file without a directory")?;
        let failed = |cause: &dyn std::fmt::Display| format!("cannot write {}: {cause}", place.display());
        fs::create_dir_all(parent).map_err(|cause| failed(&cause))?;
        // Terraform treats the whole directory as the provider.
        for other in fs::read_dir(parent)? {
            let other = other?.path();
            if other != place {
                return Err(format!("{} is not one of the provider's files: move it elsewhere", other.display()).into());
            }
        }
        // Replaces the file atomically, because the old one may be running.
        let mut file = NamedTempFile::new_in(directory).map_err(|cause| failed(&cause))?;
        std::io::Write::write_all(&mut file, &content).map_err(|cause| failed(&cause))?;
        fs::set_permissions(file.path(), fs::metadata(executable)?.permissions()).map_err(|cause| failed(&cause))?;
        file.persist(&place).map_err(|cause| failed(&cause))?;
        places.push(place);
    }
    Ok(places)
}

/// Removes the executables of all versions, and the directories that this empties. Returns what it removed, and what else it
/// found in the provider's directories.
fn uninstall(directory: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    for host in REGISTRY_HOSTS {
        for file in files(&directory.join(host).join(PROVIDER_SOURCE))? {
            if !is_installed(&file) {
                left.push(file);
                continue;
            }
            fs::remove_file(&file).map_err(|cause| format!("cannot remove {}: {cause}", file.display()))?;
            let above = file.ancestors().skip(1).take_while(|above| *above != directory);
            // Only an empty directory can be removed.
            above.take_while(|above| fs::remove_dir(above).is_ok()).for_each(drop);
            removed.push(file);
        }
    }
    Ok((removed, left))
}

/// Returns whether [`install`] names a file so: after the version that a directory above is named after.
fn is_installed(file: &Path) -> bool {
    let version = file.ancestors().nth(2).and_then(Path::file_name);
    let expected = version.map(|version| format!("{NAME}_v{}", version.to_string_lossy()));
    let name = file.file_name().map(|name| name.to_string_lossy());
    name.as_deref().map(|name| name.strip_suffix(".exe").unwrap_or(name)) == expected.as_deref()
}

/// Returns all files below a directory, which need not exist. Follows no links.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|cause| format!("cannot read {}: {cause}", directory.display()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() { found.extend(files(&entry.path())?) } else { found.push(entry.path()) }
    }
    found.sort();
    Ok(found)
}

/// Returns the configuration that uses an installed version.
fn use_version(project: &Project, directory: Option<&PathBuf>) -> String {
    let configuration = format!(
        "Add this to the configuration, and run `terraform init` or `tofu init`:

terraform {{
  required_providers {{
    tencent = {{
      source  = \"{PROVIDER_SOURCE}\"
      version = \"{}\"
    }}
  }}
}}",
        project.version
    );
    match directory {
        None => configuration,
        Some(directory) => format!(
            "Add this to the CLI configuration (~/.terraformrc or ~/.tofurc; on Windows, %APPDATA%\\terraform.rc or tofu.rc):

provider_installation {{
  filesystem_mirror {{
    path    = {}
    include = [\"{PROVIDER_SOURCE}\"]
  }}
  direct {{
    exclude = [\"{PROVIDER_SOURCE}\"]
  }}
}}

{configuration}",
            quoted(directory)
        ),
    }
}

/// Returns the configuration that uses a developer's build.
fn use_development_build(directory: &Path) -> String {
    format!(
        "Add this to the CLI configuration (~/.terraformrc or ~/.tofurc; on Windows, %APPDATA%\\terraform.rc or tofu.rc), and \
         do not run `init`:

provider_installation {{
  dev_overrides {{
    \"{PROVIDER_SOURCE}\" = {}
  }}
  direct {{}}
}}",
        quoted(directory)
    )
}

/// Quotes a path as an HCL string.
fn quoted(path: &Path) -> String {
    let text = serde_json::Value::from(path.to_string_lossy()).to_string();
    text.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn terraform_and_opentofu_search_the_directory_by_default() {
        let of = |data: Option<&str>, exists: bool| {
            let variable = |name: &str| match name {
                "HOME" => Some("/home/a".into()),
                "XDG_DATA_HOME" => data.map(PathBuf::from),
                _ => None,
            };
            implied_directory(variable, |_| exists).expect("a directory")
        };
        for (data, exists, expected) in [
            (None, false, "/home/a/.terraform.d/plugins"),
            (Some("/data"), true, "/home/a/.terraform.d/plugins"),
            (Some("/data"), false, "/data/terraform/plugins"),
            (Some("not/absolute"), false, "/home/a/.terraform.d/plugins"),
        ] {
            assert_eq!(of(data, exists), Path::new(expected), "{data:?} {exists}");
        }
    }

    #[test]
    fn installing_touches_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let executable = directory.path().join("built");
        fs::write(&executable, "one build").expect("written");
        let plugins = directory.path().join("plugins");
        let project = Project::of_workspace(None).expect("a project");
        let places = install(&project, &executable, &plugins).expect("installed");
        assert_eq!(places.len(), 2);
        let beside =
            plugins.join("registry.terraform.io/callkit/tencent/0.0.1/linux_amd64/terraform-provider-tencent_v0.0.1");
        fs::create_dir_all(beside.parent().expect("a directory")).expect("created");
        fs::write(&beside, "another version").expect("written");

        // Installing again, with another build.
        for build in ["one build", "another build"] {
            fs::write(&executable, build).expect("written");
            assert_eq!(install(&project, &executable, &plugins).expect("installed"), places);
            for place in &places {
                assert_eq!(fs::read_to_string(place).expect("read"), build);
            }
        }
        assert_eq!(fs::read_to_string(&beside).expect("read"), "another version");
        assert_eq!(fs::read_dir(&plugins).expect("read").count(), 2, "nothing is left behind");

        // A foreign file in the same directory.
        let foreign = places[0].with_file_name("notes.txt");
        fs::write(&foreign, "mine").expect("written");
        let error = install(&project, &executable, &plugins).expect_err("somebody else's").to_string();
        assert!(error.contains("notes.txt"), "{error}");
        assert_eq!(fs::read_to_string(&foreign).expect("read"), "mine");
    }

    #[test]
    fn uninstalling_removes_what_was_installed_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let executable = directory.path().join("built");
        fs::write(&executable, "a build").expect("written");
        let plugins = directory.path().join("plugins");
        let (first, own) = (Project::of_workspace(None), Project::of_workspace(Some("acme.1")));
        let mut installed = Vec::new();
        for project in [first, own] {
            installed.extend(install(&project.expect("a project"), &executable, &plugins).expect("installed"));
        }
        let provider = plugins.join(REGISTRY_HOSTS[0]).join(PROVIDER_SOURCE);
        let foreign = [
            plugins.join(REGISTRY_HOSTS[0]).join("callkit/other/1.0.0/linux_amd64/terraform-provider-other_v1.0.0"),
            provider.join("1.0.0/linux_amd64/terraform-provider-tencent_v1.0.1"),
            provider.join("terraform-provider-tencent_1.0.0_linux_amd64.zip"),
        ];
        for file in &foreign {
            fs::create_dir_all(file.parent().expect("a directory")).expect("created");
            fs::write(file, "mine").expect("written");
        }
        let beside = foreign[1..].to_vec();

        let (mut removed, left) = uninstall(&plugins).expect("uninstalled");
        removed.sort();
        installed.sort();
        assert_eq!((removed, left), (installed, beside.clone()));
        assert_eq!(files(&plugins).expect("read").len(), foreign.len());
        assert!(!plugins.join(REGISTRY_HOSTS[1]).exists(), "nothing is in it any more");
        assert_eq!(uninstall(&plugins).expect("once more"), (vec![], beside));
        assert_eq!(uninstall(&plugins.join("none")).expect("nothing there"), (vec![], vec![]));
    }

    #[test]
    fn paths_are_quoted_as_hcl_strings() {
        assert_eq!(quoted(Path::new(r#"/a "b" \c ${d} %{e}"#)), r#""/a \"b\" \\c $${d} %%{e}""#);
    }
}
