//! The bill of materials of the executable, in CycloneDX 1.5, for programs that look for vulnerable versions. It depends only on
//! what it describes: it omits the time and the random number, which are optional.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dependencies::Crate;
use crate::licenses::Runtime;
use crate::project::{NAME, Project};

/// Returns the text of the file.
pub(crate) fn text(
    project: &Project,
    executable_sha256: &str,
    crates: &BTreeMap<(String, String), Crate>,
    runtimes: &[(Runtime, String)],
) -> String {
    let purl = |name: &str, version: &str| format!("pkg:cargo/{name}@{version}");
    let own = crates.values().find(|crate_| crate_.name == NAME);
    let reference = |crate_: &Crate| match crate_.name == NAME {
        true => NAME.to_owned(),
        false => purl(&crate_.name, &crate_.version),
    };
    let others: Vec<_> = crates.values().filter(|crate_| crate_.name != NAME).collect();
    let mut components: Vec<_> = others
        .iter()
        .map(|crate_| {
            json!({
                "type": "library",
                "bom-ref": reference(crate_),
                "name": crate_.name,
                "version": crate_.version,
                "licenses": licenses(&crate_.license),
                "purl": purl(&crate_.name, &crate_.version),
            })
        })
        .collect();
    components.extend(runtimes.iter().map(|(runtime, version)| {
        json!({
            "type": "library",
            "bom-ref": runtime.name,
            "name": runtime.name,
            "version": version,
            "licenses": licenses(runtime.license),
            "purl": format!("pkg:generic/{}@{version}", runtime.name),
        })
    }));
    let mut dependencies: Vec<_> = crates
        .values()
        .map(|crate_| {
            let needs: Vec<_> = crate_.needs.iter().map(|(name, version)| purl(name, version)).collect();
            json!({ "ref": reference(crate_), "dependsOn": needs })
        })
        .collect();
    dependencies.extend(runtimes.iter().map(|(runtime, _)| json!({ "ref": runtime.name, "dependsOn": [] })));
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": NAME,
                "name": NAME,
                "version": project.version.to_string(),
                "licenses": licenses(own.map_or("MPL-2.0", |own| &own.license)),
                "hashes": [{ "alg": "SHA-256", "content": executable_sha256 }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    format!("{bom:#}\n")
}

fn licenses(expression: &str) -> Value {
    json!([{ "expression": expression }])
}
