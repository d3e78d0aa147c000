//! Pages for the registry, in its required form.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{example, example_of, read};

/// Renders `templates/index.md.tmpl`, with the placeholders of HashiCorp's tfplugindocs.
pub(crate) fn index(schema: &Value) -> String {
    let mut page = read("templates/index.md.tmpl");
    let put = |page: &str, name: &str, text: &str| page.replace(&format!("{{{{ {name} }}}}"), text.trim());
    page = put(&page, ".Description", text(&schema["block"]["description"]));
    page = put(&page, ".SchemaMarkdown", &attributes(schema));
    while let Some((before, rest)) = page.split_once("{{ tffile \"") {
        let (file, after) = rest.split_once("\" }}").expect("the end of tffile");
        page = format!("{before}```terraform\n{}\n```{after}", read(file).trim_end());
    }
    assert!(!page.contains("{{"), "an unknown placeholder in {page}");
    page
}

pub(crate) fn resource(name: &str, schema: &Value) -> String {
    let mut page = head(&format!("{name} Resource - tencent"), &format!("{name} (Resource)"), schema);
    let file = |file: &str| example_of("resources", name, file);
    page += &code("## Example Usage", "terraform", &file("resource.tf"));
    if !name.ends_with("_token") {
        let another = "For another application, with a key of its own. Its configuration stays at Tencent when Terraform \
                       destroys the resource:";
        page += &code(another, "terraform", &file("another-application.tf"));
    }
    let (what, secret, review) = match name.ends_with("_token") {
        true => (
            "token",
            "secret-token.tf",
            "It leaves out the token, which is sensitive, so the plan fails: set `token` or `token_wo` in the file, and plan \
             again",
        ),
        false => {
            ("URL", "secret-url.tf", "Review the file before you commit it: a secret in the URL is in it as plain text")
        }
    };
    let secretly =
        format!("To keep a secret {what} out of the plan and the state (Terraform or OpenTofu 1.11 and later):");
    page += &code(&secretly, "terraform", &file(secret));
    page += &attributes(schema);
    page += &code("## Import\n\nUse an `import` block. The ID is the SDKAppID:", "terraform", &file("import.tf"));
    page += &code(
        &format!("If you leave out the `resource` block, Terraform can write it for you. {review}."),
        "shell",
        "terraform plan -generate-config-out=generated.tf",
    );
    page += &code(
        "From Terraform and OpenTofu 1.12 on, the block can use the identity:",
        "terraform",
        &file("import-by-identity.tf"),
    );
    page += &code("Or run the command:", "shell", &file("import.sh"));
    page
}

pub(crate) fn data_source(name: &str, schema: &Value) -> String {
    let mut page = head(&format!("{name} Data Source - tencent"), &format!("{name} (Data Source)"), schema);
    page += &code("## Example Usage", "terraform", &example_of("data-sources", name, "data-source.tf"));
    page += &attributes(schema);
    page
}

pub(crate) fn list_resource(name: &str, schema: &Value) -> String {
    let title = |kind: &str| format!("{name} {kind}");
    let mut page = head(&title("List Resource - tencent"), &title("(List Resource)"), schema);
    let file = "list-resource.tfquery.hcl";
    page += &code("## Example Usage", "terraform", &example_of("list-resources", name, file));
    page += &attributes(schema);
    page
}

const SECRET_STORE: &str = "### A fresh UserSig for a pipeline

A job that only plans needs a UserSig, and not the SecretKey. The configuration whose apply holds the key can keep one in a secret
store, by a write-only argument, which leaves no trace in the plan and the state. The configuration below needs Terraform or
OpenTofu 1.11 or later, and version 6.8 or later of the provider `hashicorp/aws`. An apply in a new month stores a new UserSig, so
apply at least once a month:";

const FROM_THE_STORE: &str = "The job that plans may read the parameter, and no more:";

const FETCH: &str =
    "export TENCENT_USER_SIG=\"$(aws ssm get-parameter --with-decryption --name /tencent/plan-user-sig \\
  --query Parameter.Value --output text)\"
";

const OWN_SECRETS: &str = "The secrets of GitHub and GitLab themselves cannot be kept so: the resources `github_actions_secret` (up to version
6.13 of `integrations/github`) and `gitlab_project_variable` (up to version 19.1 of `gitlabhq/gitlab`) have no write-only
argument, so the UserSig would be in the state. Set them with the [executable](../index.md#a-usersig-instead-of-the-key) instead.";

pub(crate) fn ephemeral_resource(name: &str, schema: &Value) -> String {
    let title = |kind: &str| format!("{name} {kind}");
    let mut page = head(&title("Ephemeral Resource - tencent"), &title("(Ephemeral Resource)"), schema);
    let usage = "## Example Usage\n\nWith Terraform 1.10 or later, or OpenTofu 1.11 or later:";
    page += &code(usage, "terraform", &example(format!("ephemeral-resources/{name}/ephemeral-resource.tf")));
    page += &code(SECRET_STORE, "terraform", &example(format!("ephemeral-resources/{name}/secret-store.tf")));
    page += &code(FROM_THE_STORE, "shell", FETCH);
    page += &format!("\n{OWN_SECRETS}\n");
    page += &attributes(schema);
    page
}

pub(crate) fn action(name: &str, schema: &Value) -> String {
    let mut page = head(&format!("{name} Action - tencent"), &format!("{name} (Action)"), schema);
    let usage = "## Example Usage\n\nWith Terraform 1.14 or later:";
    page += &code(usage, "terraform", &example(format!("actions/{name}/action.tf")));
    let by_caller = "From Terraform 1.16 on, the `config` can refer to the resource that triggers the action, and a failure \
                     can be a warning. Terraform 1.14 and 1.15 refuse both. Invoked from the \
                     command line, this action probes every resource that triggers it:";
    page += &code(by_caller, "terraform", &example(format!("actions/{name}/caller.tf")));
    page += &attributes(schema);
    page
}

pub(crate) fn function(name: &str, function: &Value) -> String {
    let title = format!("{name} function");
    let mut page = described(&format!("{title} - tencent"), &title, text(&function["summary"]), function);
    let usage = "## Example Usage\n\nWith Terraform 1.8 or later, or OpenTofu 1.7 or later:";
    page += &code(usage, "terraform", &example(format!("functions/{name}/function.tf")));
    let parameters = function["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let inner = |p: &Value| format!("{} {}", text(&p["name"]), expression(&p["type"]));
    let listed: Vec<_> = parameters.iter().map(inner).collect();
    let signature = format!("{name}({}) {}", listed.join(", "), expression(&function["return_type"]));
    page += &code("## Signature", "text", &signature);
    page += "\n## Arguments\n\n";
    for (number, parameter) in parameters.iter().enumerate() {
        let (name, kind) = (text(&parameter["name"]), type_name(&parameter["type"]));
        writeln!(page, "{}. `{name}` ({kind}) {}", number + 1, text(&parameter["description"])).expect("memory");
    }
    page
}

fn head(page_title: &str, title: &str, schema: &Value) -> String {
    let summary = text(&schema["block"]["description"]).split("\n\n").next().unwrap_or_default();
    described(page_title, title, summary, &schema["block"])
}

fn described(page_title: &str, title: &str, summary: &str, object: &Value) -> String {
    let description = text(&object["description"]);
    format!(
        "---\npage_title: \"{page_title}\"\nsubcategory: \"\"\ndescription: |-\n  {summary}\n---\n\n\
         <!-- Generated from the schema and examples/ by `UPDATE_EXPECT=1 cargo test --test docs -- --include-ignored`: edit those. -->\n\n\
         # {title}\n\n{description}\n"
    )
}

fn code(heading: &str, language: &str, code: &str) -> String {
    format!("\n{heading}\n\n```{language}\n{}\n```\n", code.trim_end())
}

fn attributes(schema: &Value) -> String {
    let mut page = "\n## Schema\n".to_owned();
    let attributes = schema["block"]["attributes"].as_object().expect("attributes");
    let mut nested = String::new();
    for heading in ["Required", "Optional", "Read-Only"] {
        let group: Vec<_> = attributes.iter().filter(|(_, attribute)| usage(attribute) == heading).collect();
        if group.is_empty() {
            continue;
        }
        write!(page, "\n### {heading}\n\n").expect("memory");
        for (name, attribute) in group {
            line(&mut page, name, attribute);
            if let Some(inner) = attribute["nested_type"]["attributes"].as_object() {
                write!(nested, "\n### Nested Schema for `{name}`\n\n").expect("memory");
                inner.iter().for_each(|(name, attribute)| line(&mut nested, name, attribute));
            }
        }
    }
    page + &nested
}

fn usage(attribute: &Value) -> &'static str {
    match (&attribute["required"], &attribute["optional"]) {
        (Value::Bool(true), _) => "Required",
        (_, Value::Bool(true)) => "Optional",
        _ => "Read-Only",
    }
}

fn line(page: &mut String, name: &str, attribute: &Value) {
    let mut kind = match &attribute["nested_type"] {
        Value::Null => type_name(&attribute["type"]),
        _ => format!("Attributes, [see below](#nested-schema-for-{name})"),
    };
    if attribute["sensitive"] == true {
        kind += ", Sensitive";
    }
    if attribute["write_only"] == true {
        kind += ", Write-only";
    }
    if attribute["deprecated"] == true {
        kind += ", Deprecated";
    }
    writeln!(page, "- `{name}` ({kind}) {}", text(&attribute["description"])).expect("memory");
}

fn type_name(ty: &Value) -> String {
    match ty {
        Value::Array(parts) => {
            let inner = parts.get(1).map(type_name).unwrap_or_default();
            format!("{} of {inner}", capitalized(text(&parts[0])))
        }
        Value::String(name) if name == "bool" => "Boolean".to_owned(),
        name => capitalized(text(name)),
    }
}

/// Returns a type as configurations spell it.
fn expression(ty: &Value) -> String {
    match ty {
        Value::Array(parts) => match &parts[1] {
            Value::Object(attributes) => {
                let attributes: Vec<_> =
                    attributes.iter().map(|(name, ty)| format!("{name} = {}", expression(ty))).collect();
                format!("{}({{ {} }})", text(&parts[0]), attributes.join(", "))
            }
            element => format!("{}({})", text(&parts[0]), expression(element)),
        },
        name => text(name).to_owned(),
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
