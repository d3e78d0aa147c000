//! `cargo xtask`: makes releases, and installs and uninstalls a self-built provider.
//!
//! | module | what |
//! | --- | --- |
//! | `package` | the files of a release, in the registries' layout |
//! | `install` | installs the provider where Terraform and OpenTofu search, and uninstalls it |
//! | `cross` | compilers and emulators for other platforms |
//! | `platforms` | tests the provider on other platforms |
//! | `project` | name, version and platform of a build |
//! | `dependencies` | the crates linked into the executable |
//! | `licenses`, `sbom` | their licences, for people, and the bill of materials, for programs |
//! | `archive` | zip files that depend only on their contents |
//! | `signature` | OpenPGP |

// Results go to standard output.
#![allow(clippy::print_stdout)]

mod archive;
mod cross;
mod dependencies;
mod install;
mod licenses;
mod package;
mod platforms;
mod project;
mod sbom;
mod signature;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
Usage: cargo xtask COMMAND [OPTIONS]

install      builds the provider as it is released, puts it where `terraform init`
             and `tofu init` find it, and prints what to add to a configuration
  --dir DIR              puts it there, and prints the CLI configuration for that
  --dev                  installs nothing: builds it for debugging, and prints the
                         CLI configuration that uses that build
  --version-suffix TEXT  makes it version 0.1.0-TEXT, for a build of your own
uninstall    removes every version that `install` has put there
  --dir DIR              removes them from there
package      builds the files of a release: for each platform an archive and a bill
             of materials, the manifest, and the checksums of all archives there
  --out DIR              writes them there [default: target/package]
  --target TARGET        builds for this target of rustc instead of this machine's;
                         can be given several times. A Debian machine fetches the
                         compilers that it lacks into target/platforms
  --no-build             builds nothing: only writes and signs the checksums
  --sign KEYFILE         signs the checksums with this OpenPGP key;
                         SIGNING_KEY_PASSPHRASE unlocks it
  --version-suffix TEXT  as for install
  --tag TAG              fails unless this is the tag of the version
platforms    builds the provider for other platforms, tests it there under emulators,
             and records what it saw for the pages. Takes more than an hour. A
             Debian machine on x86-64 fetches compilers and emulators into
             target/platforms; on others, Rust must have the targets
  TARGET…                only these targets of rustc
  --check                only compiles, and records nothing
--help       prints this
";

fn main() -> ExitCode {
    match run(Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Parser) -> Result {
    if env::args_os().any(|argument| argument == "--help" || argument == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let Some(Arg::Value(command)) = arguments.next()? else { return Err(HELP.into()) };
    match command.to_str() {
        Some("package") => package(arguments),
        Some("install") => install(arguments),
        Some("uninstall") => uninstall(arguments),
        Some("platforms") => platforms(arguments),
        _ => Err(format!("There is no command {command:?}.\n\n{HELP}").into()),
    }
}

fn package(mut arguments: Parser) -> Result {
    let mut options = package::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("out") => options.out = Some(arguments.value()?.into()),
            Arg::Long("target") => options.targets.push(arguments.value()?.string()?),
            Arg::Long("no-build") => options.no_build = true,
            Arg::Long("sign") => options.key = Some(arguments.value()?.into()),
            Arg::Long("version-suffix") => options.version_suffix = Some(arguments.value()?.string()?),
            Arg::Long("tag") => options.tag = Some(arguments.value()?.string()?),
            other => return Err(unexpected(other)),
        }
    }
    package::run(&options)
}

fn install(mut arguments: Parser) -> Result {
    let mut options = install::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("dir") => options.directory = Some(OsString::into(arguments.value()?)),
            Arg::Long("dev") => options.dev = true,
            Arg::Long("version-suffix") => options.version_suffix = Some(arguments.value()?.string()?),
            other => return Err(unexpected(other)),
        }
    }
    install::run(&options)
}

fn uninstall(mut arguments: Parser) -> Result {
    let mut directory: Option<PathBuf> = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("dir") => directory = Some(arguments.value()?.into()),
            other => return Err(unexpected(other)),
        }
    }
    install::run_uninstall(directory.as_deref())
}

fn platforms(mut arguments: Parser) -> Result {
    let mut options = platforms::Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("check") => options.check = true,
            Arg::Value(target) => options.targets.push(target.string()?),
            other => return Err(unexpected(other)),
        }
    }
    platforms::run(&options)
}

fn unexpected(argument: Arg<'_>) -> Box<dyn std::error::Error> {
    format!("{}\n\n{HELP}", argument.unexpected()).into()
}
