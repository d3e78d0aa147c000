//! The page of compatibility: what works on which version, as the acceptance tests have recorded it.

use std::collections::BTreeMap;

use terraform_cli::{Error, Feature, RELEASES, recorded};

use crate::platforms;

/// Returns the page, and the versions that no test has run. Those keep their columns of `written`.
pub(crate) fn page(written: &str) -> Result<(String, Vec<String>), Error> {
    let written = columns(written);
    let (mut table, mut left_alone) = (Vec::new(), Vec::new());
    for version in RELEASES.map(|release| release.to_string()) {
        let cells = match recorded(&version)? {
            Some(seen) => Feature::ALL.map(|feature| if seen.contains(&feature) { "✓" } else { "–" }.to_owned()),
            None => {
                left_alone.push(version.clone());
                Feature::ALL.map(|feature| {
                    let cell = written.get(&(version.clone(), feature.to_string()));
                    cell.cloned().unwrap_or_else(|| "not run".to_owned())
                })
            }
        };
        table.push((version, cells));
    }
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = |cell: &dyn Fn(&str) -> String| table.iter().map(|(version, _)| cell(version)).collect::<Vec<_>>();
    let mut page = BEFORE.to_owned();
    page += &row([vec![String::new()], head(&|version| version.replace(' ', "<br>"))].concat());
    page += &row([vec!["---".to_owned()], head(&|_| ":-:".to_owned())].concat());
    for (number, feature) in Feature::ALL.iter().enumerate() {
        let cells = table.iter().map(|(_, cells)| cells[number].clone());
        page += &row([feature.to_string()].into_iter().chain(cells).collect());
    }
    Ok((page + PLATFORMS + &platforms::table() + AFTER, left_alone))
}

/// Returns the cells of the table in a page, by version and feature.
fn columns(page: &str) -> BTreeMap<(String, String), String> {
    let cells = |line: &str| -> Vec<String> {
        let inside = line.trim_start_matches("| ").trim_end_matches(" |");
        inside.split(" | ").map(|cell| cell.replace("<br>", " ")).collect()
    };
    let mut rows = page.lines().filter(|line| line.starts_with('|')).map(cells);
    let versions = rows.next().unwrap_or_default();
    let mut columns = BTreeMap::new();
    for row in rows {
        for (version, cell) in versions.iter().zip(&row).skip(1) {
            columns.insert((version.clone(), row[0].clone()), cell.clone());
        }
    }
    columns
}

const BEFORE: &str = r#"---
page_title: "Compatibility"
subcategory: ""
description: |-
  What works on which version of Terraform and of OpenTofu, and what differs on OpenTofu.
---

<!-- Written by `UPDATE_EXPECT=1 cargo test --features gate --test acceptance --test docs -- --include-ignored versions compatibility`. -->

# Compatibility

The provider speaks version 6 of Terraform's plugin protocol, and runs on Terraform 1.6 and later and on OpenTofu. The
acceptance tests try each of these features on each version: ✓ means that it works, – means that it does not.

OpenTofu 1.12 is the oldest version that its project still supports. Terraform 1.17 and OpenTofu 1.13 are tested as betas.

"#;

const PLATFORMS: &str = r#"
## Platforms

Numbers are tests that passed. Of the acceptance tests, the main ones ran on the packaged executable: create, change, import and
destroy, changes made elsewhere, refused overwrites, lost answers, Ctrl-C. On a Debian machine, `cargo xtask platforms` runs all of
this again, and records what passed.

"#;

const AFTER: &str = r#"
No one has reported a run on macOS, on Windows itself or on an arm64 processor yet. Wine differs from Windows: it cannot send
Ctrl-Break, and it judges certificates in its own way.

On Windows, Terraform talks to the provider over a port of the loopback address, elsewhere over a Unix socket that only this user
can open. On both, each side accepts only the other's certificate. A provider started with `--debug` has no certificate, so on
Windows every user of the machine can connect to it.

On macOS and Windows, the system decides which certificates to trust, as it does for Terraform; `SSL_CERT_FILE` has no effect
there.

## What differs on Terraform 1.15 and later

- **`import` in modules**: Terraform 1.15 ignores such a block, and plans to create the object. If that would overwrite a
  configuration, the plan fails. Terraform 1.14 and earlier and OpenTofu refuse such a block.
- **`-generate-config-out`**: Terraform 1.16.0 to 1.16.2 and 1.17.0-beta1 look for a provider `hashicorp/tencent` unless the
  `import` block has `provider = tencent`. Remove that line once the configuration is generated: the next plan refuses it.
- **`destroy = false`**: Terraform 1.16 forgets the object instead of destroying it, but not if its whole block is removed.
  Before 1.16.3, it does not apply to a replacement, which still destroys the old object. OpenTofu stores the setting in the
  state, so it holds for a removed block, too, and `tofu destroy` exits with 1 unless it has `-suppress-forget-errors`. On
  every version, `deletion_policy = "ABANDON"` keeps the callback configuration at Tencent, however the object is destroyed.

## What differs on OpenTofu

- **Terraform states** work as they are. OpenTofu looks for the provider in its own registry.
- **Provider blocks with `for_each`**: each instance runs in its own process, with its own rate limit, and does not see the
  objects of the others. For many applications, one block with [`apps`](many-applications.md) needs only one process.
- **Encryption** covers everything in states and saved plans, such as a token in the `url`, or a SecretKey from a `sensitive`
  variable in a saved plan.
- **`-exclude`** skips an object: the provider makes no calls for it and needs no credentials for it. As with an object that
  `-target` leaves out, the provider cannot keep a configuration for it: if the plan destroys another object of the same
  application, the provider deletes the callback configuration, and the next plan creates it again.
- **Early evaluation**: variables in `backend` and in a module's `source` come from `TF_VAR_…`, but the provider reads
  `TENCENT_…` from the environment of each command, as always. If both select a stage, set both before `tofu init`.
- **Functions** run in a configured provider. So a variable that a provider function validates cannot configure that
  provider: OpenTofu reports a cycle. Use a `precondition` instead of the variable's `validation`.
- **An ephemeral resource whose provider is known only after apply** needs `depends_on` with the resource that the
  provider depends on. Terraform opens it later even without `depends_on`.
- **Logs**: at `TF_LOG=warn` and more detailed levels, OpenTofu itself logs the old and the new value of an attribute that
  was changed elsewhere, even if it is sensitive. A `url` with a token appears there; a `url_wo` does not.
"#;
