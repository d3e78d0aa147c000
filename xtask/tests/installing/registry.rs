//! Installs from a registry like HashiCorp's and OpenTofu's: Terraform discovers the service, asks for versions, and checks the
//! signature of the checksums and the checksum of the archive.

use std::fs;

use serde_json::json;

use crate::package::{Key, PACKAGE, Package};
use crate::server::Server;
use crate::{Checkout, Result, VERSION, platform};

/// A registry with the package.
struct Registry {
    server: Server,
}

const FILES: &str = "/files/";

impl Registry {
    fn of(package: &Package) -> Result<Self> {
        let registry = Self { server: Server::start()? };
        let platform = platform();
        let (os, arch) = platform.split_once('_').ok_or("a platform")?;
        let put = |path: &str, content: serde_json::Value| registry.server.put(path, content.to_string());
        put("/.well-known/terraform.json", json!({ "providers.v1": "/v1/providers/" }));
        let manifest: serde_json::Value = serde_json::from_slice(&package.read("manifest.json")?)?;
        let protocols = &manifest["metadata"]["protocol_versions"];
        put(
            "/v1/providers/callkit/tencent/versions",
            json!({ "versions": [
                { "version": VERSION, "protocols": protocols, "platforms": [{ "os": os, "arch": arch }] },
            ]}),
        );
        put(
            &format!("/v1/providers/callkit/tencent/{VERSION}/download/{os}/{arch}"),
            json!({
                "protocols": protocols,
                "os": os,
                "arch": arch,
                "filename": Package::archive_name(),
                "download_url": format!("{FILES}{}", Package::archive_name()),
                "shasums_url": format!("{FILES}SHA256SUMS"),
                "shasums_signature_url": format!("{FILES}SHA256SUMS.sig"),
                "shasum": package.archive_sha256()?,
                "signing_keys": {
                    "gpg_public_keys": [{ "key_id": package.key.id, "ascii_armor": package.key.ascii_armor }],
                },
            }),
        );
        registry.put(&Package::archive_name(), fs::read(package.archive())?);
        registry.put("SHA256SUMS", package.read("SHA256SUMS")?);
        registry.put("SHA256SUMS.sig", package.read("SHA256SUMS.sig")?);
        Ok(registry)
    }

    fn put(&self, name: &str, content: Vec<u8>) {
        self.server.put(&format!("{FILES}{name}"), content);
    }

    /// Creates a project that requires the provider from this registry.
    fn checkout(&self) -> Result<Checkout> {
        let mut checkout = Checkout::of(&format!("{}/callkit/tencent", self.server.host()), Some(VERSION))?;
        checkout.workspace.env("SSL_CERT_FILE", self.server.ca_certificate());
        Ok(checkout)
    }
}

#[test]
#[ignore = "needs the release, which takes minutes to build; run by .ci/run"]
fn terraform_checks_the_signature() -> Result {
    let registry = Registry::of(&PACKAGE)?;
    let installed = registry.checkout()?.installs()?;
    assert!(installed.contains(&format!("signed, key ID {}", PACKAGE.key.id)), "{installed}");
    Ok(())
}

#[test]
#[ignore = "needs the release, which takes minutes to build; run by .ci/run"]
fn a_lock_file_accepts_a_rebuild_and_nothing_else() -> Result {
    let registry = Registry::of(&PACKAGE)?;
    let first = registry.checkout()?;
    first.installs()?;
    let lock = fs::read_to_string(first.lock_file())?;
    assert!(lock.contains("\"h1:") && lock.contains(&format!("\"zh:{}", PACKAGE.archive_sha256()?)), "{lock}");

    // The same commit, packaged again and signed by another key.
    let rebuilt = Package::make("rebuilt")?;
    assert_ne!(rebuilt.key.id, PACKAGE.key.id);
    assert_eq!(rebuilt.read("SHA256SUMS")?, PACKAGE.read("SHA256SUMS")?);
    let elsewhere = Registry::of(&rebuilt)?;
    let second = elsewhere.checkout()?;
    // The host is part of the provider's name.
    let lock = lock.replace(&registry.server.host(), &elsewhere.server.host());
    fs::write(second.lock_file(), &lock)?;
    second.workspace.run(&["init", "-lockfile=readonly"])?.expect_success().expect_contains(&rebuilt.key.id);
    second.starts()?;

    // A modified archive with a matching checksum.
    let third = elsewhere.checkout()?;
    let digits = rebuilt.archive_sha256()?;
    fs::write(third.lock_file(), lock.replace(&digits, &"0".repeat(64)).replace("h1:", "h1:A"))?;
    third.workspace.run(&["init", "-lockfile=readonly"])?.expect_failure().expect_contains("checksums");
    Ok(())
}

#[test]
#[ignore = "needs the release, which takes minutes to build; run by .ci/run"]
fn a_modified_package_is_refused() -> Result {
    let changed = |name: &str, content: Vec<u8>, said: &str| -> Result {
        let registry = Registry::of(&PACKAGE)?;
        registry.put(name, content);
        let checkout = registry.checkout()?;
        checkout.workspace.init()?.expect_failure().expect_contains(said);
        assert!(!checkout.lock_file().exists(), "{name}: nothing was installed");
        Ok(())
    };
    let flipped = |mut content: Vec<u8>| {
        let last = content.len() / 2;
        content[last] ^= 1;
        content
    };
    changed(&Package::archive_name(), flipped(fs::read(PACKAGE.archive())?), "checksum")?;
    let mut sums = PACKAGE.read("SHA256SUMS")?;
    sums.extend(format!("{}  other.zip\n", "0".repeat(64)).bytes());
    changed("SHA256SUMS", sums, "signature")?;
    changed("SHA256SUMS.sig", flipped(PACKAGE.read("SHA256SUMS.sig")?), "signature")?;
    Ok(())
}

#[test]
#[ignore = "needs the release, which takes minutes to build; run by .ci/run"]
fn a_package_signed_with_another_key_is_refused() -> Result {
    let package = Package { directory: PACKAGE.directory.clone(), key: Key::generate()? };
    let registry = Registry::of(&package)?;
    registry.checkout()?.workspace.init()?.expect_failure().expect_contains("signature");
    Ok(())
}
