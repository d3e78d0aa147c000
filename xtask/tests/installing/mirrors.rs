//! Installs from mirrors, which Terraform trusts without a signature.

use std::fs;

use serde_json::json;

use crate::package::{PACKAGE, Package};
use crate::server::Server;
use crate::{Checkout, Result, VERSION, names, platform};

#[test]
fn the_package_is_complete() -> Result {
    let prefix = Package::prefix();
    let endings = [
        &format!("{}.cdx.json", platform()),
        &format!("{}.zip", platform()),
        "manifest.json",
        "SHA256SUMS",
        "SHA256SUMS.sig",
    ];
    let mut expected: Vec<_> = endings.iter().map(|ending| format!("{prefix}_{ending}")).collect();
    expected.sort();
    assert_eq!(names(&PACKAGE.directory)?, expected);
    Ok(())
}

#[test]
fn terraform_installs_the_package_from_a_directory() -> Result {
    let mut checkout = Checkout::of("callkit/tencent", Some(VERSION))?;
    let mirror = checkout.home.path().join("mirror");
    for host in terraform_cli::REGISTRY_HOSTS {
        let directory = mirror.join(host).join("callkit/tencent");
        fs::create_dir_all(&directory)?;
        fs::copy(PACKAGE.archive(), directory.join(Package::archive_name()))?;
    }
    checkout.configure_cli(&format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.display()
    ))?;
    checkout.installs()?;
    Ok(())
}

#[test]
fn terraform_installs_the_package_from_a_network_mirror() -> Result {
    let server = Server::start()?;
    let checkout = || -> Result<Checkout> {
        let mut checkout = Checkout::of("callkit/tencent", None)?;
        checkout.workspace.env("SSL_CERT_FILE", server.ca_certificate());
        checkout.configure_cli(&format!(
            "provider_installation {{\n  network_mirror {{\n    url = \"https://{}/mirror/\"\n  }}\n}}\n",
            server.host()
        ))?;
        Ok(checkout)
    };
    let put = |name: &str, content: &[u8]| {
        for host in terraform_cli::REGISTRY_HOSTS {
            server.put(&format!("/mirror/{host}/callkit/tencent/{name}"), content);
        }
    };
    let archive = json!({ "url": Package::archive_name(), "hashes": [format!("zh:{}", PACKAGE.archive_sha256()?)] });
    let mut content = fs::read(PACKAGE.archive())?;
    put("index.json", json!({ "versions": { VERSION: {} } }).to_string().as_bytes());
    put(&format!("{VERSION}.json"), json!({ "archives": { platform(): archive } }).to_string().as_bytes());
    put(&Package::archive_name(), &content);
    checkout()?.installs()?;

    // One byte differs.
    let middle = content.len() / 2;
    content[middle] ^= 1;
    put(&Package::archive_name(), &content);
    checkout()?.workspace.init()?.expect_failure().expect_contains("checksum");
    Ok(())
}
