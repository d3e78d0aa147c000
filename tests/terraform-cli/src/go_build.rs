//! Terraform and OpenTofu, built by Go: no package installs their newest releases on every machine, but each is a Go module.
//!
//! OpenTofu is built in the directory into which Go unpacks the module. Terraform is copied and changed first:
//!
//! - `go.mod` expects the modules of nine state backends, and `internal/legacy`, in directories that the module's archive
//!   lacks. Stubs take their place.
//! - 1.17.0-beta1 requires a version of HashiCorp's API client that not every module proxy serves. An older version takes its
//!   place. Queries in HCP Terraform need the newer one, and become a stub.
//!
//! So these builds of Terraform lack the backends `azurerm`, `consul`, `cos`, `gcs`, `kubernetes`, `oci`, `oss`, `pg` and `s3`,
//! and queries in HCP Terraform. Tests that need such a backend run on PyPI's builds.

use std::path::Path;

use crate::error::Result;
use crate::file::{append, write};
use crate::go_program::{Build, GoProgram};
use crate::terraform::Flavour;

/// Returns the program of a version: the one of the module with the checksum `sum`, built by this version of Go.
pub(crate) const fn program(flavour: Flavour, version: &'static str, sum: &'static str, go: &'static str) -> GoProgram {
    match flavour {
        Flavour::Terraform => GoProgram { name: "terraform", module: TERRAFORM, version, sum, package: ".", go },
        Flavour::OpenTofu => GoProgram { name: "tofu", module: OPENTOFU, version, sum, package: "./cmd/tofu", go },
    }
}

/// Returns the way to build a version for a platform, in Go's words, or for this machine.
pub(crate) fn build<'a>(flavour: Flavour, platform: Option<(&'a str, &'a str)>) -> Build<'a> {
    // Otherwise, the version would end in `-dev`.
    match flavour {
        Flavour::Terraform => Build {
            platform,
            ldflags: "-X github.com/hashicorp/terraform/version.dev=no",
            change: Some(complete_terraform),
        },
        Flavour::OpenTofu => {
            Build { platform, ldflags: "-X github.com/opentofu/opentofu/version.dev=no", change: None }
        }
    }
}

const OPENTOFU: &str = "github.com/opentofu/opentofu";
const TERRAFORM: &str = "github.com/hashicorp/terraform";
/// The modules below `internal/backend/remote-state`.
const BACKENDS: [&str; 9] = ["azure", "consul", "cos", "gcs", "kubernetes", "oci", "oss", "pg", "s3"];

/// The version of HashiCorp's API client that takes the place of 2.6.0, and its checksums.
const CLIENT: &str = "github.com/hashicorp/go-tfe/v2 => github.com/hashicorp/go-tfe/v2 v2.1.0";
const CLIENT_SUMS: &str = "github.com/hashicorp/go-tfe/v2 v2.1.0 h1:pC570/UrZURMTczgTrUSkQlPddZcqG0lJWB0SfMk+2Y=
github.com/hashicorp/go-tfe/v2 v2.1.0/go.mod h1:gosuJ9PH3NLxkCoCW3EIeHHli+5QqLUkboBiUZ1ljCM=
";
/// Stands in for queries in HCP Terraform, which need the newer client.
const QUERIES: &str = r#"package cloud

import (
	"context"
	"errors"

	"github.com/hashicorp/go-tfe"
	"github.com/hashicorp/terraform/internal/backend/backendrun"
)

var errQuery = errors.New("this build lacks queries in HCP Terraform")

func (*Cloud) opQuery(context.Context, context.Context, *backendrun.Operation, *tfe.Workspace) (OperationResult, error) {
	return nil, errQuery
}

func (*Cloud) cancelQueryRun(context.Context, *backendrun.Operation, *tfe.QueryRun) error {
	return errQuery
}
"#;

/// Makes the changes that the head of this file explains.
fn complete_terraform(source: &Path) -> Result<()> {
    for backend in BACKENDS {
        let path = format!("internal/backend/remote-state/{backend}");
        write(source, format!("{path}/go.mod"), &format!("module {TERRAFORM}/{path}\n"))?;
        let code = format!(
            "package {backend}\n\nimport \"{TERRAFORM}/internal/backend\"\n\nfunc New() backend.Backend {{ return nil }}\n"
        );
        write(source, format!("{path}/backend.go"), &code)?;
    }
    write(source, "internal/legacy/go.mod", &format!("module {TERRAFORM}/internal/legacy\n"))?;

    append(source, "go.mod", &format!("\nreplace {CLIENT}\n"))?;
    append(source, "go.sum", CLIENT_SUMS)?;
    write(source, "internal/cloud/backend_query.go", QUERIES)
}
