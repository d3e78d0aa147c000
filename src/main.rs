//! The provider's executable, which Terraform starts.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use terraform_provider_tencent::plugin::{self, MAX_MESSAGE, Mode, Plugin, ServeError};
use terraform_provider_tencent::provider::TencentProvider;
use terraform_provider_tencent::terraform::proto::provider_server::ProviderServer;
use terraform_provider_tencent::terraform::{Server, Session};
use tokio_util::sync::CancellationToken;

const PLUGIN: Plugin = Plugin {
    addresses: &["registry.terraform.io/callkit/tencent", "registry.opentofu.org/callkit/tencent"],
    protocol_version: 6,
};

const HELP: &str = "\
terraform-provider-tencent: manages the callback configurations of Tencent RTC with Terraform or OpenTofu

This program is a plugin: Terraform starts it. Name it in a configuration and run \"terraform init\":

    terraform {
      required_providers {
        tencent = { source = \"callkit/tencent\" }
      }
    }

Command:
    user-sig     sign a UserSig on this machine and print it, for a job that must not hold the SecretKey. Reads
                 TENCENT_SDK_APP_ID, TENCENT_SECRET_KEY and TENCENT_IDENTIFIER (default: administrator)
        --expires-in DURATION   the lifetime, such as 30m or 30d, at most 180d (default: 1h)

Options:
    --debug      serve without a host, and print the TF_REATTACH_PROVIDERS for Terraform to use this process
    --version    print the version
    --help       print this
";

/// The version of this build. `cargo xtask` sets the variable for a version with a suffix.
const VERSION: &str = match option_env!("TENCENT_PROVIDER_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::prepare();
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    let arguments: Vec<_> = given.iter().map(|argument| argument.to_str()).collect();
    match arguments.as_slice() {
        [] => serve(Mode::Hosted),
        // Providers in Go accept one dash as well, and their developers are used to that.
        [Some("--debug" | "-debug")] => serve(Mode::Debug),
        [Some("--version" | "-version" | "-V")] => print(&format!("{} {VERSION}\n", env!("CARGO_PKG_NAME"))),
        [Some("--help" | "-help" | "-h")] | [Some("user-sig"), Some("--help" | "-help" | "-h")] => print(HELP),
        [Some("user-sig")] => print_user_sig(None),
        [Some("user-sig"), Some("--expires-in"), Some(lifetime)] => print_user_sig(Some(lifetime)),
        [Some("user-sig"), Some(option)] if option.starts_with("--expires-in=") => {
            print_user_sig(option.strip_prefix("--expires-in="))
        }
        _ => {
            let given: Vec<_> = given.iter().map(|argument| format!("{argument:?}")).collect();
            fail(
                &format!("Expected the command or one of the options below, but got {}.\n\n{HELP}", given.join(" ")),
                2,
            )
        }
    }
}

fn print_user_sig(lifetime: Option<&str>) -> ExitCode {
    match TencentProvider::default().user_sig(lifetime) {
        Ok(user_sig) => print(&format!("{}\n", user_sig.expose())),
        Err(reason) => fail(&format!("{reason}\n"), 1),
    }
}

fn serve(mode: Mode) -> ExitCode {
    plugin::log::init("TENCENT");
    // One thread is enough to wait for the network. A pool of threads would cost time and memory at each start.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(mode, &error),
    };
    let served = runtime.block_on(async {
        let end = CancellationToken::new();
        let server_end = end.clone();
        let service = || {
            ProviderServer::new(Server::ending_with(TencentProvider::default(), server_end))
                .max_decoding_message_size(MAX_MESSAGE)
                .max_encoding_message_size(MAX_MESSAGE)
        };
        plugin::serve::<_, Session<TencentProvider>>(PLUGIN, mode, service, end).await
    });
    // A thread that looks up a host name cannot be interrupted.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::NoHost) => fail(HELP, 1),
        Err(error @ ServeError::Serve(_)) => fail(&format!("The provider failed: {error}.\n"), 1),
        Err(error) => cannot_start(mode, &error),
    }
}

fn cannot_start(mode: Mode, reason: &dyn Display) -> ExitCode {
    let text = format!("The provider cannot start: {reason}.\n");
    if mode == Mode::Hosted {
        plugin::tell_host(&text);
    }
    fail(&text, 1)
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("Cannot write to standard output: {error}\n"), 1),
    }
}

fn fail(text: &str, code: u8) -> ExitCode {
    // If nobody reads this, the exit code still reports the failure.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(code)
}
