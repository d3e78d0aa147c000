//! Prints the version and the executable of each installed release, oldest first: `-- Terraform` for those of Terraform,
//! `-- OpenTofu` for those of OpenTofu.

#![allow(clippy::print_stdout)] // Showing is what it is for.

use std::env;

use terraform_cli::{Error, RELEASES};

fn main() -> Result<(), Error> {
    let flavour = env::args().nth(1).unwrap_or_default();
    for release in RELEASES.iter().filter(|release| release.flavour().to_string() == flavour) {
        if let Some(terraform) = release.installed()? {
            println!("{} {}", release.version(), terraform.executable().display());
        }
    }
    Ok(())
}
