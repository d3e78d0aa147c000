//! Workspaces with only the built-in provider.

use std::fs;
use std::sync::LazyLock;
use std::thread;

use terraform_cli::{Error, Mirror, RELEASES, Terraform, Workspace};

static TERRAFORM: LazyLock<Terraform> = LazyLock::new(|| Terraform::find().expect("Terraform"));

const NOTE: &str = r#"
    variable "text" { default = "hello" }
    resource "terraform_data" "note" { input = var.text }
    output "text" { value = terraform_data.note.output }
"#;

fn workspace(terraform: &Terraform, config: &str) -> Result<Workspace, Error> {
    let workspace = Workspace::new(terraform, &Mirror::empty()?)?;
    workspace.write("main.tf", config)?;
    Ok(workspace)
}

/// Creates and destroys a resource, with every way to inspect it.
fn lifecycle(terraform: &Terraform) -> Result<(), Error> {
    let mut workspace = workspace(terraform, NOTE)?;
    workspace.init()?.expect_success().expect_contains("successfully initialized");
    assert_eq!(workspace.state()?, None);

    workspace.run(&["plan", "-detailed-exitcode"])?.expect_code(2).expect_contains("1 to add, 0 to change");
    let plan = workspace.plan_json(&["-var=text=planned", "-detailed-exitcode"])?;
    assert_eq!(plan["resource_changes"][0]["change"]["after"]["input"], "planned");

    let applied = workspace.run(&["apply", "-auto-approve"])?;
    applied.expect_success().expect_contains("Apply complete! Resources: 1 added").expect_lacks("Error");
    assert!(!applied.text().contains('\u{1b}'), "no colours: {:?}", applied.text());
    assert_eq!(workspace.show_json()?["values"]["outputs"]["text"]["value"], "hello");
    let state = workspace.state()?.expect("a state");
    assert_eq!(state["resources"][0]["type"], "terraform_data");
    workspace.run(&["plan", "-detailed-exitcode"])?.expect_code(0).expect_contains("No changes.");

    workspace.env("TF_VAR_text", "by environment");
    workspace.run(&["plan"])?.expect_contains(r#""hello" -> "by environment""#);
    workspace.remove_env("TF_VAR_text");
    workspace.run(&["plan"])?.expect_contains("No changes.");

    workspace.run(&["destroy"])?.expect_failure().expect_contains("asking for approval");
    workspace.run(&["destroy", "-auto-approve"])?.expect_success().expect_contains("1 destroyed");
    assert!(workspace.show_json()?["values"].is_null());
    Ok(())
}

#[test]
fn a_resource_is_created_and_destroyed() -> Result<(), Error> {
    lifecycle(&TERRAFORM)
}

#[test]
fn a_wrapped_diagnostic_is_found() -> Result<(), Error> {
    let message = "The callback address has to be one that can be reached from the outside, which no address of a \
                   private network is, nor one of this machine itself.";
    let config = NOTE.replace(
        r#"default = "hello""#,
        &format!(
            r#"
 default = "hello"
 validation {{
 condition = var.text != "bad"
 error_message = "{message}"
 }}
"#
        ),
    );
    let workspace = workspace(&TERRAFORM, &config)?;
    workspace.init()?.expect_success();
    let failed = workspace.run(&["plan", "-var=text=bad"])?;
    assert!(!failed.text().contains(message), "this is about wrapped text: {failed}");
    failed
        .expect_failure()
        .expect_code(1)
        .expect_contains(message)
        .expect_contains("Error: Invalid value for variable")
        .expect_lacks("Invalid value for resource");

    let error = workspace.plan_json(&["-var=text=bad"]).expect_err("planning fails");
    assert!(error.to_string().contains("private"), "{error}");
    Ok(())
}

#[test]
fn only_the_mirrors_provider_is_installed() -> Result<(), Error> {
    // Terraform starts a provider only when it needs it, so init accepts any file.
    let provider = tempfile::NamedTempFile::new().expect("a file");
    let mirror = Mirror::new(provider.path(), "0.1.0")?;

    let workspace = Workspace::new(&TERRAFORM, &mirror)?;
    let requirement = |source: &str| {
        format!(
            r#"terraform {{
 required_providers {{
 x = {{ source = "{source}" }}
 }}
}}
"#
        )
    };
    workspace.write("main.tf", &requirement("callkit/tencent"))?;
    workspace.init()?.expect_success().expect_contains("Installed callkit/tencent v0.1.0");

    workspace.write("main.tf", &requirement("hashicorp/null"))?;
    workspace.init()?.expect_failure().expect_contains("hashicorp/null was not found in any of the search locations");
    Ok(())
}

#[test]
fn files_stay_until_the_workspace_is_dropped() -> Result<(), Error> {
    let workspace = workspace(&TERRAFORM, "")?;
    workspace.write("modules/one/main.tf", NOTE)?;
    let path = workspace.path().to_owned();
    assert_eq!(fs::read_to_string(path.join("modules/one/main.tf")).expect("the file"), NOTE);
    assert_eq!(workspace.command(&["plan"]).get_current_dir(), Some(path.as_path()));
    drop(workspace);
    assert!(!path.exists());
    Ok(())
}

#[test]
#[ignore = "installs or builds every release that can be had, some 60 MB each; run it by hand for a new one"]
fn every_release_has_the_listed_version() -> Result<(), Error> {
    for release in RELEASES {
        // Several at once, as tests do.
        let asking = [(); 3].map(|()| thread::spawn(move || release.install()));
        for asked in asking {
            assert_eq!(asked.join().expect("no panic")?.to_string(), release.to_string());
        }
        lifecycle(&release.install()?)?;
    }
    Ok(())
}
