//! The registry documentation in `docs/` is generated from the provider's schema and from `examples/`. On all pages,
//! configurations are valid, links lead somewhere, and names and messages exist.
//!
//! After a change of the schema or the examples, `UPDATE_EXPECT=1 cargo test --test docs -- --include-ignored` rewrites the
//! pages.

mod compatibility;
mod configurations;
mod errors;
mod links;
mod markdown;
mod messages;
mod page;
#[path = "../../examples/plans.rs"]
mod plans;
mod platforms;
mod promises;
#[path = "../services/mod.rs"]
mod services;
mod sources;
mod translations;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::ExpectFile;
use serde_json::{Value, json};
use terraform_cli::{Error, Flavour, GoProgram, Mirror, Release, Terraform, Workspace, not_run, run};

use services::{CALL, Of, SERVICES};

fn workspace(terraform: &Terraform) -> Result<Workspace, Error> {
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    Workspace::new(terraform, &Mirror::new(provider, env!("CARGO_PKG_VERSION"))?)
}

fn example(path: impl AsRef<Path>) -> String {
    read(Path::new("examples").join(path))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns all files of a folder, by their paths in the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files.iter().map(|file| file.strip_prefix(root).expect("a file of this repository").to_owned()).collect()
}

/// Returns all schemas of the provider that this Terraform supports.
fn schemas(terraform: &Terraform) -> Result<Value, Error> {
    let workspace = workspace(terraform)?;
    workspace.write("main.tf", &example("provider/provider.tf"))?;
    workspace.init()?.expect_success();
    let schema = workspace.run(&["providers", "schema", "-json"])?;
    let mut schemas: Value = serde_json::from_str(schema.expect_success().stdout()).expect("JSON");
    let provider = format!("{}/callkit/tencent", terraform.flavour().registry());
    Ok(schemas["provider_schemas"][provider].take())
}

#[test]
fn the_reference_pages_match_the_schema() -> Result<(), Error> {
    let schemas = schemas(&Terraform::find()?)?;
    expect_file("docs/index.md").assert_eq(&page::index(&schemas["provider"]));
    for (name, schema) in schemas["resource_schemas"].as_object().expect("resources") {
        page_of("resources", name).assert_eq(&page::resource(name, schema));
    }
    for (name, schema) in schemas["data_source_schemas"].as_object().expect("data sources") {
        page_of("data-sources", name).assert_eq(&page::data_source(name, schema));
    }
    expect_file("docs/ephemeral-resources/user_sig.md").assert_eq(&page::ephemeral_resource(
        "tencent_user_sig",
        &schemas["ephemeral_resource_schemas"]["tencent_user_sig"],
    ));
    for (name, function) in schemas["functions"].as_object().expect("functions, from Terraform 1.8 on") {
        expect_file(format!("docs/functions/{name}.md")).assert_eq(&page::function(name, function));
    }
    Ok(())
}

#[test]
#[ignore = "installs a newer Terraform from PyPI; .ci/run runs it"]
fn the_reference_pages_of_newer_kinds_match_the_schema() -> Result<(), Error> {
    let schemas = schemas(&newest()?)?;
    for (name, schema) in schemas["list_resource_schemas"].as_object().expect("list resources") {
        page_of("list-resources", name).assert_eq(&page::list_resource(name, schema));
    }
    expect_file("docs/actions/callback_probe.md")
        .assert_eq(&page::action("tencent_callback_probe", &schemas["action_schemas"]["tencent_callback_probe"]));
    Ok(())
}

/// Returns the page of an object.
fn page_of(kind: &str, name: &str) -> ExpectFile {
    expect_file(format!("docs/{kind}/{}.md", name.trim_start_matches("tencent_")))
}

/// Rewrites an example of Call for another service.
fn translate(example: &str, of: Of) -> String {
    let pairs = [
        (CALL.resource_type(), of.resource_type()),
        ("tencent/call", &format!("tencent/{}", of.name)),
        (CALL.examples[0], of.examples[0]),
        (CALL.examples[1], of.examples[1]),
    ];
    let text = pairs.iter().fold(example.to_owned(), |text, (of_call, own)| text.replace(of_call, own));
    rename(&text, CALL.argument(), of.argument())
}

/// Gives an argument another name, and aligns the arguments around it.
fn rename(text: &str, from: &str, to: &str) -> String {
    let equals = |line: &str| line.find('=');
    let Some(column) = text.lines().find(|line| line.trim_start().starts_with(from)).and_then(equals) else {
        return text.to_owned();
    };
    let excess = " ".repeat(from.len().saturating_sub(to.len()));
    let line = |line: &str| match equals(line) {
        Some(at) if at == column && !line.contains(from) => line.replacen(&format!("{excess} ="), " =", 1),
        _ => line.replace(from, to),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Returns the example in `file` of the object `name`, whose kind has its examples in `folder`.
fn example_of(folder: &str, name: &str, file: &str) -> String {
    match SERVICES.into_iter().find(|of| of.resource_type() == name) {
        Some(of) => translate(&example(format!("{folder}/{}/{file}", CALL.resource_type())), of),
        None => example(format!("{folder}/{name}/{file}")),
    }
}

/// Returns a Terraform that supports every kind of object.
fn newest() -> Result<Terraform, Error> {
    Release::newest_on_pypi().install()
}

/// Returns a generated file, by its path in the repository.
fn expect_file(path: impl AsRef<Path>) -> ExpectFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    expect_test::expect_file![path]
}

/// The version of Terraform whose output the page of plans quotes. The wording of others differs.
const QUOTED: (u64, u64) = (1, 11);

#[test]
fn the_quoted_plans_match_terraforms() -> Result<(), Box<dyn std::error::Error>> {
    let terraform = Terraform::find()?;
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    let page = plans::page(provider, &terraform)?;
    let quoted =
        terraform.flavour() == Flavour::Terraform && (terraform.version().major, terraform.version().minor) == QUOTED;
    if quoted {
        expect_file("docs/guides/reading-plans.md").assert_eq(&page);
    }
    // The provider's own messages are the same on every version.
    let written = read("docs/guides/reading-plans.md");
    let said = diagnostics(&written);
    assert!(said.len() >= 4, "{said:?}");
    assert_eq!(diagnostics(&page), said);

    // README shows the most important one.
    const IMAGE: &str = "docs/overwrite.svg";
    if quoted {
        expect_file(IMAGE).assert_eq(&plans::image(provider, &terraform)?);
    }
    let error = said.iter().find(|text| text.contains("already has a Call callback")).expect("the error");
    assert!(text_of(&read(IMAGE)).contains(error), "{IMAGE} shows another error than\n{error}");
    assert!(read("README.md").contains(IMAGE));
    Ok(())
}

/// Returns the text of an SVG in one line, without the box around a diagnostic.
fn text_of(image: &str) -> String {
    let texts = image.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let text = texts.collect::<String>().replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the diagnostics in `page`, each in one line.
fn diagnostics(page: &str) -> Vec<String> {
    let inside = |text: &str| {
        let lines = text.lines().map_while(|line| line.strip_prefix('│'));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    page.split("╷\n").skip(1).map(inside).collect()
}

/// HashiCorp's documentation tool accepts the pages. It only checks them: its `generate` would delete our guides.
#[test]
#[ignore = "builds a Go program; .ci/run runs it"]
fn the_registry_accepts_the_pages() -> Result<(), Error> {
    if TFPLUGINDOCS.lacks_go()? {
        not_run("because Go is not on this machine");
        return Ok(());
    }
    // It looks for a provider of HashiCorp's.
    let schemas = json!({
        "format_version": "1.0",
        "provider_schemas": { "registry.terraform.io/hashicorp/tencent": schemas(&newest()?)? },
    });
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("schemas.json");
    fs::write(&file, schemas.to_string()).expect("a file");
    let mut validate = Command::new(TFPLUGINDOCS.install()?);
    validate.args(["validate", "--provider-name=terraform-provider-tencent", "--providers-schema"]).arg(file);
    validate.current_dir(env!("CARGO_MANIFEST_DIR"));
    run(validate, "`tfplugindocs validate`".to_owned())?.expect_success();
    Ok(())
}

const TFPLUGINDOCS: GoProgram = GoProgram {
    name: "tfplugindocs",
    module: "github.com/hashicorp/terraform-plugin-docs",
    version: "0.25.0",
    sum: "h1:qHs1V257NxVe8tv6HS4UQfNqjaPP5eUlLeDf7jYk85U=",
    package: "./cmd/tfplugindocs",
    go: "1.26.8",
};

#[test]
fn the_errors_page_matches_the_table() {
    expect_file("docs/guides/errors.md").assert_eq(&errors::page());
}

#[test]
#[ignore = "needs what the tests of all versions have recorded; .ci/run runs it after them"]
fn the_compatibility_page_matches_the_recorded_runs() -> Result<(), Error> {
    const PAGE: &str = "docs/guides/compatibility.md";
    let (page, left_alone) = compatibility::page(&read(PAGE))?;
    if !left_alone.is_empty() {
        // Shown even if the test succeeds.
        let _ = writeln!(io::stderr(), "{PAGE} keeps what it says of {}: not run.", left_alone.join(", "));
    }
    expect_file(PAGE).assert_eq(&page);
    Ok(())
}

/// A table of platforms is what was recorded. Only the heading above it and the paragraph below it are written by hand.
#[test]
fn the_tables_of_platforms_match_the_record() {
    for (page, table) in [
        ("README.md", platforms::short_table()),
        ("README.zh-CN.md", platforms::short_table_in_chinese()),
        ("docs/guides/compatibility.md", platforms::table()),
    ] {
        let text = read(page);
        let head = table.split_inclusive('|').take(2).collect::<String>();
        let start = text.find(&head).unwrap_or_else(|| panic!("{page} has no table of platforms"));
        let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length + 1);
        expect_file(page).assert_eq(&format!("{}{table}{}", &text[..start], &text[end..]));
    }
}

#[test]
fn every_configuration_is_valid() -> Result<(), Error> {
    let terraform = Terraform::find()?;
    let all: Vec<_> = configurations::all().into_iter().filter(|one| one.is_for(&terraform)).collect();
    let problems = configurations::problems(&terraform, &all)?;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn every_promise_is_kept_by_a_test() {
    let broken = promises::broken();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
#[ignore = "installs a newer Terraform from PyPI; .ci/run runs it"]
fn every_configuration_for_newer_versions_is_valid() -> Result<(), Error> {
    let terraform = newest()?;
    let all: Vec<_> = configurations::all().into_iter().filter(|one| one.is_for(&terraform)).collect();
    let problems = configurations::problems(&terraform, &all)?;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn every_version_constraint_accepts_this_version() -> Result<(), Error> {
    const SOURCE: &str = "\"callkit/tencent\"";
    let mut required = BTreeSet::new();
    for configuration in configurations::all() {
        for rest in configuration.text.split(SOURCE).skip(1) {
            let version =
                rest.trim_start_matches([',', '\n', ' ']).lines().next().filter(|line| line.starts_with("version"));
            let version = version.unwrap_or_else(|| panic!("{}: which version?", configuration.place));
            required.insert(version.trim_end_matches([' ', '}']).to_owned());
        }
    }
    for version in required {
        let workspace = workspace(&Terraform::find()?)?;
        let tencent = format!(
            "tencent = {{
source = {SOURCE}
{version}
}}"
        );
        workspace.write(
            "main.tf",
            &format!(
                "terraform {{
required_providers {{
{tencent}
}}
}}
"
            ),
        )?;
        workspace.init()?.expect_success();
    }
    Ok(())
}

/// The configurations on the pages are valid, and so every example is.
#[test]
fn every_example_is_on_a_page() {
    let on_pages = configurations::all();
    for file in files("examples") {
        // The kit has tests of its own.
        let is_example =
            file.extension().is_some_and(|e| e == "tf" || e == "hcl") && !file.starts_with("examples/plan-review");
        let text = if is_example { read(&file) } else { continue };
        assert!(on_pages.iter().any(|one| one.text == text), "{} is on no page", file.display());
    }
}

/// A reader sees what an object is for without scrolling.
#[test]
fn the_first_example_of_every_object_is_short() {
    let kind = markdown::Kind::Block("terraform".to_owned());
    for page in
        markdown::pages().iter().filter(|page| page.path.starts_with("docs") && !page.path.starts_with("docs/guides"))
    {
        let first = page.of(&kind).next().unwrap_or_else(|| panic!("{} has no example", page.path.display()));
        assert!(first.text.lines().count() <= 20, "{}", page.place(first));
    }
}

#[test]
fn every_link_leads_somewhere() {
    let broken = links::broken(&markdown::pages());
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_pages_in_chinese_keep_up() {
    let differences = translations::differences(&markdown::pages());
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_name_in_code_exists() {
    let unknown = words::unknown(&markdown::pages());
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_quoted_message_exists() -> Result<(), Error> {
    let made_up = messages::made_up(&markdown::pages(), &Terraform::find()?)?;
    assert!(made_up.is_empty(), "{made_up:#?}");
    Ok(())
}
