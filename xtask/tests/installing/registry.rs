//! Installs from a registry like HashiCorp's and OpenTofu's: Terraform discovers the service, asks for versions, and checks the
//! signature of the checksums and the checksum of the archive.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::package::{Key, PACKAGE, Package};
use crate::server::Server;
use crate::{Checkout, Result, VERSION, names};

/// A registry with the package.
struct Registry {
    server: Server,
}

const FILES: &str = "/files/";

impl Registry {
    fn of(package: &Package) -> Result<Self> {
        let registry = Self { server: Server::start()? };
        let platforms = package.platforms()?;
        let platforms: Vec<_> = platforms.iter().filter_map(|platform| platform.split_once('_')).collect();
        let put = |path: &str, content: serde_json::Value| registry.server.put(path, content.to_string());
        put("/.well-known/terraform.json", json!({ "providers.v1": "/v1/providers/" }));
        let manifest: serde_json::Value = serde_json::from_slice(&package.read("manifest.json")?)?;
        let protocols = &manifest["metadata"]["protocol_versions"];
        let described: Vec<_> = platforms.iter().map(|(os, arch)| json!({ "os": os, "arch": arch })).collect();
        put(
            "/v1/providers/callkit/tencent/versions",
            json!({ "versions": [{ "version": VERSION, "protocols": protocols, "platforms": described }] }),
        );
        for (os, arch) in platforms {
            let archive = Package::archive_name_for(&format!("{os}_{arch}"));
            put(
                &format!("/v1/providers/callkit/tencent/{VERSION}/download/{os}/{arch}"),
                json!({
                    "protocols": protocols,
                    "os": os,
                    "arch": arch,
                    "filename": archive,
                    "download_url": format!("{FILES}{archive}"),
                    "shasums_url": format!("{FILES}SHA256SUMS"),
                    "shasums_signature_url": format!("{FILES}SHA256SUMS.sig"),
                    "shasum": package.sha256(&archive)?,
                    "signing_keys": {
                        "gpg_public_keys": [{ "key_id": package.key.id, "ascii_armor": package.key.ascii_armor }],
                    },
                }),
            );
            registry.put(&archive, fs::read(package.directory.join(&archive))?);
        }
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
fn terraform_checks_the_signature() -> Result {
    let registry = Registry::of(&PACKAGE)?;
    let installed = registry.checkout()?.installs()?;
    assert!(installed.contains(&format!("signed, key ID {}", PACKAGE.key.id)), "{installed}");
    Ok(())
}

#[test]
fn a_lock_file_accepts_a_rebuild_and_nothing_else() -> Result {
    let registry = Registry::of(&PACKAGE)?;
    let first = registry.checkout()?;
    first.installs()?;
    let lock = fs::read_to_string(first.lock_file())?;
    assert!(lock.contains("\"h1:") && lock.contains(&format!("\"zh:{}", PACKAGE.archive_sha256()?)), "{lock}");

    // The same commit, packaged again and signed by another key.
    let rebuilt = Package::make("rebuilt", &[])?;
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
#[ignore = "needs compilers for other platforms; run by cargo xtask platforms"]
fn other_platforms_are_locked_and_mirrored() -> Result {
    let targets = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-gnu"];
    let package = Package::make("platforms", &targets)?;
    let platforms = package.platforms()?;
    assert_eq!(platforms, ["linux_amd64", "linux_arm64", "windows_amd64"]);
    let registry = Registry::of(&package)?;
    let options: Vec<_> = platforms.iter().map(|platform| format!("-platform={platform}")).collect();
    let options: Vec<_> = options.iter().map(String::as_str).collect();

    // One lock file for all, from a registry that signs.
    let checkout = registry.checkout()?;
    checkout.workspace.run(&[&["providers", "lock"], &options[..]].concat())?.expect_success();
    let lock = fs::read_to_string(checkout.lock_file())?;
    for platform in &platforms {
        let sum = package.sha256(&Package::archive_name_for(platform))?;
        assert!(lock.contains(&format!("\"zh:{sum}\"")), "{platform}: {lock}");
    }
    assert_eq!(lock.matches("\"h1:").count(), platforms.len(), "{lock}");

    // A mirror of all, which the lock file accepts for each.
    let mirror = checkout.home.path().join("mirror");
    let mirror = mirror.to_str().ok_or("a path")?;
    checkout.workspace.run(&[&["providers", "mirror"], &options[..], &[mirror]].concat())?.expect_success();
    let mirrored = Path::new(mirror).join(registry.server.host()).join("callkit/tencent");
    // Terraform asks no network mirror for a provider whose host has a port.
    const ELSEWHERE: &str = "registry.example.com";
    let network = Server::start()?;
    for name in names(&mirrored)? {
        network.put(&format!("/mirror/{ELSEWHERE}/callkit/tencent/{name}"), fs::read(mirrored.join(&name))?);
    }
    let lock = lock.replace(&registry.server.host(), ELSEWHERE);
    let mut there = Checkout::of(&format!("{ELSEWHERE}/callkit/tencent"), Some(VERSION))?;
    there.workspace.env("SSL_CERT_FILE", network.ca_certificate());
    there.configure_cli(&format!(
        "provider_installation {{\n  network_mirror {{\n    url = \"https://{}/mirror/\"\n  }}\n}}\n",
        network.host()
    ))?;
    fs::write(there.lock_file(), &lock)?;
    there.workspace.run(&["init", "-lockfile=readonly"])?.expect_success();
    there.starts()?;
    let url = format!("-net-mirror=https://{}/mirror/", network.host());
    there.workspace.run(&[&["providers", "lock", &url], &options[..]].concat())?.expect_success();
    assert_eq!(fs::read_to_string(there.lock_file())?, lock, "the mirror has the very packages");
    Ok(())
}

#[test]
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
fn a_package_signed_with_another_key_is_refused() -> Result {
    let package = Package { directory: PACKAGE.directory.clone(), key: Key::generate()? };
    let registry = Registry::of(&package)?;
    registry.checkout()?.workspace.init()?.expect_failure().expect_contains("signature");
    Ok(())
}
