//! Every configuration on the pages is valid, and formatted as Terraform formats it.
//!
//! An incomplete block is completed as its reader would complete it: see [`complete`].

use std::fmt::Write as _;

use terraform_cli::{Error, Feature, Terraform};

use crate::markdown::{Kind, pages};
use crate::services::SERVICES;
use crate::workspace;

/// A block of HCL.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// The page and the line.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// Returns the configurations on all pages.
pub(crate) fn all() -> Vec<Configuration> {
    let mut all = Vec::new();
    for page in pages() {
        for part in &page.parts {
            let place = page.place(part);
            match &part.kind {
                Kind::Block(language) if ["terraform", "hcl"].contains(&language.as_str()) => {
                    all.push(Configuration { place, text: part.text.clone() });
                }
                Kind::Block(language) => {
                    let known = ["", "json", "rust", "shell", "text", "yaml"].contains(&language.as_str());
                    assert!(known, "{place}: no test knows what to do with {language:?}");
                }
                _ => {}
            }
        }
    }
    assert!(all.len() > 40, "{} configurations", all.len());
    all
}

impl Configuration {
    /// Returns the features that the configuration needs.
    fn needs(&self) -> impl Iterator<Item = Feature> {
        let table = [
            ("action \"", Feature::Actions),
            ("caller.", Feature::Caller),
            ("ephemeral", Feature::Ephemeral),
            ("identity =", Feature::Identity),
            ("list \"", Feature::Query),
            ("provider::", Feature::Functions),
            ("removed {", Feature::Removed),
            ("_wo ", Feature::WriteOnly),
        ];
        table.into_iter().filter(|(sign, _)| self.text.contains(sign)).map(|(_, feature)| feature)
    }

    /// Returns whether this Terraform has the features that the configuration needs.
    pub(crate) fn is_for(&self, terraform: &Terraform) -> bool {
        self.needs().all(|feature| terraform.has(feature))
    }
}

/// Completes a configuration. Returns its own text, and the declarations that it lacks:
///
/// - Indented arguments belong to a resource.
/// - `required_providers` is added if it is missing. Objects of other providers come from Terraform's built-in provider, which
///   suffices for `removed`.
/// - Variables, local values and callback configurations that it refers to without declaring them are added.
fn complete(text: &str) -> (String, String) {
    let service = |kind: &str| {
        let of = SERVICES.into_iter().find(|of| of.resource_type() == kind)?;
        Some((of.argument(), of.examples[0]))
    };
    let resource = |kind: &str, name: &str, rest: &str| {
        let (argument, event) = service(kind).unwrap_or_default();
        let arguments = format!(
            r#"  url               = "https://a.example"
  {argument} = [{event:?}]
"#
        );
        format!(
            r#"resource "{kind}" "{name}" {{
{arguments}{rest}}}
"#
        )
    };
    let text = match text.starts_with(' ') {
        true => resource("tencent_call_callback", "this", &format!("\n{text}")),
        false => text.to_owned(),
    };
    let mut beside = String::new();
    let mut others = String::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.')) {
        let declaration = match word.split('.').collect::<Vec<_>>()[..] {
            ["var", name, ..] if !text.contains(&format!("variable \"{name}\"")) => {
                format!(
                    r#"variable "{name}" {{}}
"#
                )
            }
            ["local", name, ..] if !text.contains(&format!("\n  {name} ")) => {
                format!(
                    "locals {{
  {name} = {{}}
}}
"
                )
            }
            [kind, name, ..] if service(kind).is_some() && !text.contains(&format!("\"{kind}\" \"{name}\"")) => {
                resource(kind, name, "")
            }
            _ => continue,
        };
        if !beside.contains(&declaration) {
            beside += &declaration;
        }
    }
    for from in text.split("from = ").skip(1) {
        let provider = from.split('_').next().unwrap_or_default();
        let stand_in = format!(
            r#"    {provider} = {{ source = "terraform.io/builtin/terraform" }}
"#
        );
        if provider != "tencent" && !others.contains(&stand_in) {
            others += &stand_in;
        }
    }
    if !text.contains("required_providers") {
        let ours = r#"    tencent = { source = "callkit/tencent" }
"#;
        write!(
            beside,
            "terraform {{
  required_providers {{
{ours}{others}  }}
}}
"
        )
        .expect("memory");
    }
    (text, beside)
}

/// Leaves out the resources of providers that are not there, which are only formatted.
fn validated(text: &str) -> String {
    let mut is_of_others = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if let Some(kind) = line.strip_prefix("resource \"") {
            is_of_others = !["tencent_", "terraform_"].iter().any(|own| kind.starts_with(own));
        }
        if !is_of_others {
            kept += line;
        }
        is_of_others &= line.trim_end() != "}";
    }
    kept
}

/// Returns the problems of these configurations.
pub(crate) fn problems(terraform: &Terraform, configurations: &[Configuration]) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    // One directory for all, because `init` installs the same for each.
    let workspace = workspace(terraform)?;
    workspace.write("main.tf", &complete("").1)?;
    workspace.init()?.expect_success();
    for configuration in configurations {
        let (text, beside) = complete(&configuration.text);
        // A query needs a configuration next to it.
        let is_query = configuration.needs().any(|feature| feature == Feature::Query);
        let (main, query) = if is_query { ("", text.as_str()) } else { (text.as_str(), "") };
        workspace.write("main.tf", &validated(main))?;
        workspace.write("main.tfquery.hcl", query)?;
        workspace.write("beside.tf", &beside)?;
        let validated = workspace.run(if is_query { &["validate", "-query"] } else { &["validate"] })?;
        if !validated.success() || validated.stdout().contains("Warning") {
            problems.push(format!("{}: {validated}", configuration.place));
        }
        let place = configuration.place.replace(['/', '\\', ':'], "-");
        workspace.write(format!("format/{place}.tf"), &text)?;
    }
    let formatted = workspace.run(&["fmt", "-check", "-diff", "format"])?;
    if !formatted.success() {
        problems.push(formatted.to_string());
    }
    Ok(problems)
}

#[test]
fn resources_of_other_providers_are_left_out() {
    let own = "resource \"terraform_data\" \"a\" {\n}\n";
    let other = "resource \"aws_ssm_parameter\" \"b\" {\n  x {\n  }\n}\n";
    assert_eq!(validated(&format!("{own}{other}{own}")), format!("{own}{own}"));
}

#[test]
fn an_incomplete_configuration_is_completed() {
    let beside = |text: &str| complete(text).1;
    let declared = r#"variable "a" {}
locals {
  b = var.a
}
output "c" {
  value = local.b
}
"#;
    assert!(!beside(declared).contains("variable") && !beside(declared).contains("locals"));
    assert!(beside(declared).contains("callkit/tencent"));
    assert_eq!(
        beside(
            "terraform {
  required_providers {}
}
"
        ),
        ""
    );

    let lacking = beside("x = [var.a, var.a, local.b, data.tencent_call_callback.c]\nto = tencent_room_callback.d\n");
    assert_eq!(lacking.matches(r#"variable "a" {}"#).count(), 1);
    assert!(lacking.contains("  b = {}"));
    assert!(lacking.contains("resource \"tencent_room_callback\" \"d\"") && lacking.contains("Room.Callback"));
    assert!(!lacking.contains("\"c\""));

    let (whole, _) = complete(
        r#"  deletion_policy = "ABANDON"
"#,
    );
    assert!(whole.starts_with(r#"resource "tencent_call_callback" "this" {"#) && whole.contains("ABANDON"));
    assert!(
        beside(
            "removed {
  from = other_thing.x
}
"
        )
        .contains(r#"other = { source = "terraform.io/builtin"#)
    );
}
