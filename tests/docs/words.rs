//! Every name that the pages set as code exists: an object, an argument, a function, an event, an environment variable, an
//! option, a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use terraform_provider_tencent::provider::TencentProvider;
use terraform_provider_tencent::terraform::Server;
use terraform_provider_tencent::terraform::proto::provider_server::Provider as _;
use terraform_provider_tencent::terraform::proto::{get_provider_schema, schema};

use crate::markdown::{Kind, Page};
use crate::{files, read, sources};

/// Folders to copy, whose pages may name what is in their files.
const TO_COPY: [&str; 2] = ["examples/plan-review", "examples/receiver"];

/// Names of other software, by owner.
const OF_OTHERS: [(&str, &[&str]); 7] = [
    (
        "Terraform's language and its CLI configuration",
        &[
            "action_trigger",
            "after_create",
            "after_destroy",
            "after_update",
            "before_create",
            "before_destroy",
            "create_before_destroy",
            "depends_on",
            "dev_overrides",
            "for_each",
            "ignore_changes",
            "on_failure",
            "override_during",
            "required_providers",
            "terraform_data",
        ],
    ),
    ("Terraform's environment", &["TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_TENCENT", "TF_VAR_"]),
    ("the environment of reqwest and rustls-native-certs", &["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"]),
    ("env0's environment", &["ENV0_TF_PLAN_JSON"]),
    ("expect-test's environment", &["UPDATE_EXPECT"]),
    ("the provider that *Adopting* moves from", &["restapi_object"]),
    ("the providers of forges", &["github_actions_secret", "gitlab_project_variable"]),
];

/// Returns the names that do not exist, and their places.
pub(crate) fn unknown(pages: &[Page]) -> Vec<String> {
    let names = Names::new();
    let mut unknown = Vec::new();
    for page in pages {
        for part in &page.parts {
            let found = match &part.kind {
                Kind::Code => names.unknown(&part.text, page),
                // Terraform validates HCL.
                Kind::Block(language) if language == "shell" => names.unknown_variables(&part.text, page),
                _ => continue,
            };
            unknown.extend(found.iter().map(|name| format!("{}: {name}", page.place(part))));
        }
    }
    unknown
}

struct Names {
    /// Types of objects, and functions.
    objects: BTreeSet<String>,
    /// Arguments and attributes.
    attributes: BTreeSet<String>,
    /// The provider's strings, each as a whole: words of a description must not count.
    strings: BTreeSet<String>,
    /// The words of all code here, which pages for contributors may name.
    code: BTreeSet<String>,
    /// The words of the files in each folder to copy.
    to_copy: [BTreeSet<String>; 2],
    /// The strings of `cargo xtask`.
    xtask: BTreeSet<String>,
}

impl Names {
    fn new() -> Self {
        let strings: BTreeSet<_> =
            ["src/lib.rs", "src/main.rs"].iter().flat_map(|root| sources::literals(root)).collect();
        let code =
            ["src", "xtask", "tests", "benches", "examples", "fuzz", ".github/workflows"].iter().flat_map(|f| files(f));
        let code =
            code.filter(|file| file.extension().is_some_and(|extension| extension == "rs" || extension == "yml"));
        let to_copy = TO_COPY.map(|folder| {
            let is_code = |file: &PathBuf| file.extension().is_none_or(|it| it != "md" && it != "png");
            let files = files(folder).into_iter().filter(is_code);
            files.flat_map(|file| words(&read(file)).collect::<Vec<_>>()).collect()
        });
        let (objects, attributes) = of_the_schema();
        Self {
            objects,
            attributes,
            strings,
            code: code
                .flat_map(|file| words(&format!("{} {}", file.display(), read(&file))).collect::<Vec<_>>())
                .collect(),
            to_copy,
            xtask: sources::literals("xtask/src/main.rs"),
        }
    }

    /// Returns the names in a piece of code that do not exist.
    fn unknown(&self, code: &str, page: &Page) -> Vec<String> {
        let mut unknown = self.unknown_variables(code, page);
        for word in words(code).filter(|word| word.contains('_') && !is_variable(word)) {
            let known = match word.starts_with("tencent_") {
                true => word == "tencent_" || self.objects.contains(&word),
                false => {
                    is_of_others(&word)
                        || [&self.attributes, &self.objects, &self.strings].iter().any(|names| names.contains(&word))
                        || self.is_beside(&word, page)
                }
            };
            if !known {
                unknown.push(word);
            }
        }
        let function = code.split("provider::tencent::").skip(1).filter_map(|rest| words(rest).next());
        unknown.extend(function.filter(|name| !self.objects.contains(name)));

        let pieces = || code.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}".contains(c));
        let is_event = |piece: &&str| piece.split_once(".Callback").is_some_and(|(service, _)| !service.contains('/'));
        unknown.extend(pieces().filter(is_event).filter(|event| !self.strings.contains(*event)).map(str::to_owned));
        if code.starts_with("cargo xtask") || code.starts_with("--") && !code.starts_with("-- ") {
            // `lexopt` omits the dashes.
            let known = |option: &&str| {
                self.xtask.contains(&option[2..]) || !code.starts_with("cargo") && self.strings.contains(*option)
            };
            unknown.extend(pieces().filter(|p| p.starts_with("--")).filter(|o| !known(o)).map(str::to_owned));
        }
        unknown.extend(pieces().filter(|piece| is_missing(piece, page)).map(str::to_owned));
        unknown
    }

    fn unknown_variables(&self, code: &str, page: &Page) -> Vec<String> {
        let known = |variable: &String| {
            // `TENCENT_…` stands for any of them.
            let is = |name: &String| name == variable || variable.ends_with('_') && name.starts_with(variable.as_str());
            is_of_others(variable) || self.strings.iter().any(is) || self.is_beside(variable, page)
        };
        words(code).filter(|word| is_variable(word) && !known(word)).collect()
    }

    /// Returns whether a page that is not for users, or is in a folder to copy, may name this.
    fn is_beside(&self, word: &str, page: &Page) -> bool {
        let mut to_copy = TO_COPY.iter().zip(&self.to_copy);
        is_for_contributors(page) && self.code.contains(word)
            || to_copy.any(|(folder, words)| page.path.starts_with(folder) && words.contains(word))
    }
}

fn is_of_others(word: &str) -> bool {
    OF_OTHERS.iter().any(|(_, names)| names.contains(&word))
}

fn is_variable(word: &str) -> bool {
    word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Returns whether the page is not for users.
fn is_for_contributors(page: &Page) -> bool {
    let of_users = ["docs", "examples", "README.md", "README.zh-CN.md"];
    !of_users.iter().any(|place| page.path.starts_with(place))
}

/// Returns whether this names a missing file of the repository: a path through an existing folder, from the root or from the
/// page.
fn is_missing(piece: &str, page: &Page) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some((folder, _)) = piece.split_once('/') else { return false };
    // Build output is not there yet.
    if folder.is_empty() || [".", "..", "target"].contains(&folder) || piece.contains('…') {
        return false;
    }
    let beside = root.join(&page.path).parent().map(Path::to_owned).unwrap_or_default();
    let from = [root, &beside];
    from.iter().any(|from| from.join(folder).is_dir()) && !from.iter().any(|from| from.join(piece).exists())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Returns the names of objects and functions, and those of attributes and parameters, in the provider's schema. They include
/// kinds that only the newest Terraform supports.
fn of_the_schema() -> (BTreeSet<String>, BTreeSet<String>) {
    let server = Server::new(TencentProvider::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let request = tonic::Request::new(get_provider_schema::Request {});
    let schema = runtime.block_on(server.get_provider_schema(request)).expect("the schema").into_inner();
    let (mut objects, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    let actions = schema.action_schemas.into_iter().filter_map(|(name, action)| Some((name, action.schema?)));
    let kinds = [
        schema.resource_schemas,
        schema.data_source_schemas,
        schema.list_resource_schemas,
        schema.ephemeral_resource_schemas,
        actions.collect(),
        schema.provider.map(|provider| ("tencent".to_owned(), provider)).into_iter().collect(),
    ];
    for (name, object) in kinds.into_iter().flatten() {
        objects.insert(name);
        names_of(object.block.map(|block| block.attributes).unwrap_or_default(), &mut attributes);
    }
    for (name, function) in schema.functions {
        objects.insert(name);
        attributes.extend(function.parameters.into_iter().map(|parameter| parameter.name));
        attributes.extend(
            function
                .r#return
                .iter()
                .flat_map(|returned| words(&String::from_utf8_lossy(&returned.r#type)).collect::<Vec<_>>()),
        );
    }
    (objects, attributes)
}

fn names_of(attributes: Vec<schema::Attribute>, names: &mut BTreeSet<String>) {
    for attribute in attributes {
        names.insert(attribute.name);
        names.extend(words(&String::from_utf8_lossy(&attribute.r#type)));
        names_of(attribute.nested_type.map(|nested| nested.attributes).unwrap_or_default(), names);
    }
}
