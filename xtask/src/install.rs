//! Installs the provider where `init` finds it, for this user's Terraform and OpenTofu.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use terraform_cli::{PROVIDER_SOURCE, Profile, REGISTRY_HOSTS, cargo_build, mirror_path, release_build};

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
    let directory = match &options.directory {
        Some(directory) => std::path::absolute(directory)?,
        None => implied_directory(|name| env::var_os(name).map(PathBuf::from), Path::exists)?,
    };
    let executable = release_build(NAME)?;
    for place in install(&project, &executable, &directory)? {
        eprintln!("Installed {}", place.display());
    }
    println!("{}", use_version(&project, options.directory.is_some().then_some(&directory)));
    Ok(())
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
    fn paths_are_quoted_as_hcl_strings() {
        assert_eq!(quoted(Path::new(r#"/a "b" \c ${d} %{e}"#)), r#""/a \"b\" \\c $${d} %%{e}""#);
    }
}
