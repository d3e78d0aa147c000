//! `cargo xtask`: makes releases, and installs a self-built provider.
//!
//! | module | what |
//! | --- | --- |
//! | `package` | the files of a release, in the registries' layout |
//! | `install` | installs the provider where Terraform and OpenTofu search |
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

use std::ffi::OsString;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
Packages and installs the provider, and tests it on other platforms.

Usage: cargo xtask package [OPTIONS]

  Builds the provider as it is released, and writes the files of a release: an archive and a bill of materials for each
  platform, the manifest, and the checksums of all archives that are there, signed on request.

  --out DIR             where to write them [default: target/package]
  --target TARGET       build for this target of rustc instead of this machine's; can be given several times. If this
                        machine's Rust lacks it, a Debian machine fetches compilers into target/platforms
  --no-build            build nothing: only write the checksums of what is there, and sign them
  --sign KEYFILE        sign them with this OpenPGP key; SIGNING_KEY_PASSPHRASE unlocks it
  --version-suffix TEXT make it version 0.1.0-TEXT, for a build of your own
  --tag TAG             fail unless this is the tag of the version

Usage: cargo xtask install [OPTIONS]

  Builds the provider as it is released, puts it where `terraform init` and `tofu init` find it, and prints what to
  add to a configuration.

  --dir DIR             put it there, and print the CLI configuration that this needs
  --dev                 install nothing: build it for debugging, and print the CLI configuration that uses it
  --version-suffix TEXT as above

Usage: cargo xtask platforms [OPTIONS] [TARGET…]

  Builds the provider for other platforms, runs its tests there under an emulator, and records what it saw for the tables
  of the documentation. Without a target, for all. A Debian machine on x86-64 fetches compilers and emulators into
  target/platforms; on others, this machine's Rust must have the targets. Takes more than an hour for all.

  --check               only compile, and record nothing
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
    let command = match arguments.next()? {
        Some(Arg::Value(command)) => command,
        Some(Arg::Long("help") | Arg::Short('h')) => {
            print!("{HELP}");
            return Ok(());
        }
        _ => return Err(HELP.into()),
    };
    match command.to_str() {
        Some("package") => package(arguments),
        Some("install") => install(arguments),
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
