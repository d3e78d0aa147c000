//! The providers to measure: this one, and a peer on HashiCorp's Go framework.

use std::fs;
use std::path::{Path, PathBuf};

use tencent_simulator::Simulator;
use terraform_cli::{Mirror, Profile, Terraform, Workspace, build_go, cargo_build};

use crate::Result;
use crate::chart::{OURS, PEER, Series};

/// Both providers have this version, and the same name.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const REQUIRED: &str = "terraform {\n  required_providers {\n    tencent = { source = \"callkit/tencent\" }\n  }\n}\n";
/// The directory of the peer's module.
const MODULE: &str = "benches/peers/go-framework";
/// The file that names the version of Go that builds the peer, and the versions of its dependencies.
const GO_MOD: &str = include_str!("../peers/go-framework/go.mod");

/// A provider to measure.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) series: Series,
    /// A description in one sentence.
    pub(crate) what: String,
    pub(crate) executable: PathBuf,
}

impl Subject {
    /// Builds this provider as for a release.
    pub(crate) fn ours() -> Result<Self> {
        Ok(Self {
            series: OURS,
            what: "built by `cargo bench` as it is released".to_owned(),
            executable: cargo_build(env!("CARGO_PKG_NAME"), Profile::Release)?,
        })
    }

    /// Builds the peer as Go providers are released.
    pub(crate) fn peer() -> Result<Self> {
        Ok(Self {
            series: PEER,
            what: format!(
                "a provider in Go that does the same work, on HashiCorp's terraform-plugin-framework {}, from `{MODULE}`",
                required("github.com/hashicorp/terraform-plugin-framework v")
            ),
            executable: build_go(&Path::new(env!("CARGO_MANIFEST_DIR")).join(MODULE), required("go "))?,
        })
    }

    /// Returns the size of the executable, in MB.
    pub(crate) fn size(&self) -> Result<f64> {
        Ok(fs::metadata(&self.executable)?.len() as f64 / 1e6)
    }

    /// Creates a workspace whose configuration requires this provider, which calls the simulator.
    pub(crate) fn workspace(&self, terraform: &Terraform, simulator: &Simulator) -> Result<Workspace> {
        let mut workspace = Workspace::new(terraform, &Mirror::new(&self.executable, VERSION)?)?;
        workspace.env("NO_PROXY", "127.0.0.1").env("TENCENT_ENDPOINT", simulator.url());
        workspace.write("versions.tf", REQUIRED)?;
        Ok(workspace)
    }

    /// Creates such a workspace for the simulator's default application.
    pub(crate) fn workspace_of_one(&self, terraform: &Terraform, simulator: &Simulator) -> Result<Workspace> {
        let mut workspace = self.workspace(terraform, simulator)?;
        workspace
            .env("TENCENT_SDK_APP_ID", Simulator::SDK_APP_ID.to_string())
            .env("TENCENT_SECRET_KEY", Simulator::SECRET_KEY);
        workspace.init()?.expect_success();
        Ok(workspace)
    }
}

/// Returns the version in [`GO_MOD`] that follows this text.
fn required(what: &str) -> &'static str {
    GO_MOD.lines().find_map(|line| line.trim().strip_prefix(what)).expect("go.mod names the version")
}

/// Returns a resource block with these further arguments.
pub(crate) fn resource(url: &str, more: &str) -> String {
    format!(
        "resource \"tencent_call_callback\" \"this\" {{\n  url = \"{url}\"\n  \
         callback_commands = [\"Call.CallbackAfterEndCall\"]\n{more}}}\n"
    )
}
