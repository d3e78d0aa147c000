//! Stand-ins for the actions that need GitHub itself, for runners that run the rest of the workflow as it is.

use std::fs;
use std::path::Path;

use crate::machine::Result;

/// Returns the actions that the workflow of this checkout uses, such as `actions/cache@v4`, each with the `action.yml` of its
/// stand-in. Artifacts go through the directory `artifacts`. While a file `waiting` is there, the apply job waits for its
/// artifact, as it would for an approval.
pub(crate) fn stand_ins(checkout: &Path, artifacts: &Path) -> Result<Vec<(String, String)>> {
    let mut stand_ins = Vec::new();
    for file in [".github/workflows/callback.yml", ".github/actions/terraform/action.yml"] {
        let text = fs::read_to_string(checkout.join(file))?;
        let uses = text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "));
        for action in uses.filter(|action| !action.starts_with("./")) {
            let script = match action.split('@').next().unwrap_or_default() {
                "actions/checkout" => CHECKOUT,
                "actions/upload-artifact" => UPLOAD,
                "actions/download-artifact" => DOWNLOAD,
                // The machine has Terraform, the role, and an empty cache.
                "hashicorp/setup-terraform" | "aws-actions/configure-aws-credentials" | "actions/cache" => ":",
                other => return Err(format!("unknown action: {other}").into()),
            };
            let script = script.replace("ARTIFACTS", &artifacts.to_string_lossy());
            stand_ins.push((action.to_owned(), ACTION.replace("SCRIPT", &script)));
        }
    }
    stand_ins.sort();
    stand_ins.dedup();
    Ok(stand_ins)
}

const ACTION: &str = "name: stand-in
inputs: { name: {}, path: {} }
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: '${{ inputs.name }}', FILE: '${{ inputs.path }}', TOKEN: '${{ github.token }}' }
      run: |
        SCRIPT
";
const CHECKOUT: &str = r#"git init --quiet
        git -c http.extraHeader="Authorization: token $TOKEN" fetch --quiet "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" "$GITHUB_SHA"
        git checkout --quiet FETCH_HEAD"#;
const UPLOAD: &str = r#"mkdir -p "ARTIFACTS/$NAME" && cp "$FILE" "ARTIFACTS/$NAME""#;
const DOWNLOAD: &str =
    r#"timeout 60 sh -c 'while [ -e ARTIFACTS/waiting ]; do sleep 0.1; done' && cp "ARTIFACTS/$NAME"/* ."#;
