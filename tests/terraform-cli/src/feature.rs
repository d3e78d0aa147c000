//! The features of versions of Terraform and OpenTofu.

use std::fmt;

use crate::terraform::{Flavour, Terraform};

/// Something that not every version can do with a provider.
///
/// The acceptance tests try each feature on each version, and so confirm what [`Terraform::has`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Create, update, destroy.
    Lifecycle,
    /// Changes made elsewhere are shown and repaired.
    Drift,
    /// `overwrite_existing`
    Guard,
    /// `terraform import` and the block `import`, by ID.
    Import,
    /// Several objects of one application.
    OneObject,
    /// `terraform test`
    Test,
    /// `import` with `for_each`.
    ImportForEach,
    /// The block `removed`.
    Removed,
    /// The block `moved`, from a resource of another type.
    MovedTypes,
    /// `provider::tencent::…`
    Functions,
    /// Ephemeral resources.
    Ephemeral,
    /// Write-only arguments.
    WriteOnly,
    /// The block `import`, by identity.
    Identity,
    /// `terraform query`
    Query,
    /// Actions.
    Actions,
    /// A plan made once more to be applied gets the private data of the first one.
    PlannedPrivate,
    /// In actions, `caller` and `on_failure`.
    Caller,
    /// Actions before and after a destruction.
    DestroyEvents,
    /// `import` in a module that another calls.
    ImportInModules,
    /// `terraform state show -json`
    StateShowJson,
    /// The option `-minimal-refresh`.
    MinimalRefresh,
    /// `lifecycle { destroy = false }`
    ForgetOnDestroy,
    /// Provider blocks with `for_each`.
    ProviderForEach,
    /// Encrypted states and plans.
    Encryption,
    /// The option `-exclude`.
    Exclude,
    /// Variables in the blocks `backend` and `module`.
    EarlyEvaluation,
    /// `lifecycle { enabled = … }`
    Enabled,
}

impl Feature {
    /// All features. Those of every version come first.
    pub const ALL: [Self; 27] = [
        Self::Lifecycle,
        Self::Drift,
        Self::Guard,
        Self::Import,
        Self::OneObject,
        Self::Test,
        Self::ImportForEach,
        Self::Removed,
        Self::MovedTypes,
        Self::Functions,
        Self::Ephemeral,
        Self::WriteOnly,
        Self::Identity,
        Self::Query,
        Self::Actions,
        Self::Caller,
        Self::PlannedPrivate,
        Self::DestroyEvents,
        Self::ImportInModules,
        Self::StateShowJson,
        Self::MinimalRefresh,
        Self::ForgetOnDestroy,
        Self::ProviderForEach,
        Self::Encryption,
        Self::Exclude,
        Self::EarlyEvaluation,
        Self::Enabled,
    ];

    /// Returns the first version of Terraform and of OpenTofu with the feature. 1.6 is the oldest supported version.
    fn since(self) -> (Option<Since>, Option<Since>) {
        match self {
            Self::Lifecycle | Self::Drift | Self::Guard | Self::Import | Self::OneObject | Self::Test => {
                (Some((1, 6)), Some((1, 6)))
            }
            Self::ImportForEach | Self::Removed => (Some((1, 7)), Some((1, 7))),
            Self::MovedTypes => (Some((1, 8)), Some((1, 10))),
            Self::Functions => (Some((1, 8)), Some((1, 7))),
            Self::Ephemeral => (Some((1, 10)), Some((1, 11))),
            Self::WriteOnly => (Some((1, 11)), Some((1, 11))),
            Self::Identity => (Some((1, 12)), Some((1, 12))),
            Self::Query | Self::Actions => (Some((1, 14)), None),
            Self::Caller | Self::PlannedPrivate | Self::DestroyEvents | Self::ImportInModules => (Some((1, 16)), None),
            Self::StateShowJson | Self::ForgetOnDestroy => (Some((1, 16)), Some((1, 12))),
            Self::MinimalRefresh => (Some((1, 17)), None),
            Self::Encryption => (None, Some((1, 7))),
            Self::EarlyEvaluation => (None, Some((1, 8))),
            Self::ProviderForEach | Self::Exclude => (None, Some((1, 9))),
            Self::Enabled => (None, Some((1, 11))),
        }
    }

    /// Returns the reason for [`not_run`](crate::not_run()) if this Terraform lacks the feature.
    pub fn lacking_in(self, terraform: &Terraform) -> String {
        let (of_terraform, of_opentofu) = self.since();
        let since =
            |flavour: Flavour, since: Option<Since>| since.map(|(major, minor)| format!("{flavour} {major}.{minor}"));
        let since: Vec<_> = [since(Flavour::Terraform, of_terraform), since(Flavour::OpenTofu, of_opentofu)]
            .into_iter()
            .flatten()
            .collect();
        format!("because {terraform} lacks {self}, which needs {} or newer", since.join(" or "))
    }
}

/// Major and minor version.
type Since = (u64, u64);

impl Terraform {
    /// Returns whether this version has the feature. A pre-release has the features of its version.
    pub fn has(&self, feature: Feature) -> bool {
        let (terraform, opentofu) = feature.since();
        let since = match self.flavour() {
            Flavour::Terraform => terraform,
            Flavour::OpenTofu => opentofu,
        };
        since.is_some_and(|since| (self.version().major, self.version().minor) >= since)
    }
}

/// Displays the feature as the documentation names it.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lifecycle => "create, change, destroy",
            Self::Drift => "changes made elsewhere are shown and repaired",
            Self::Guard => "`overwrite_existing`",
            Self::Import => "import by ID, by command and by block",
            Self::OneObject => "several objects of one application",
            Self::Test => "tests (`.tftest.hcl`)",
            Self::ImportForEach => "`import` with `for_each`",
            Self::Removed => "`removed`",
            Self::MovedTypes => "`moved` from resources of other types",
            Self::Functions => "functions",
            Self::Ephemeral => "ephemeral resources",
            Self::WriteOnly => "write-only arguments (`url_wo`)",
            Self::Identity => "import by identity",
            Self::Query => "list resources (`query`)",
            Self::Actions => "actions",
            Self::PlannedPrivate => "a creation is held to its reviewed plan",
            Self::Caller => "`caller` and `on_failure` in actions",
            Self::DestroyEvents => "actions before and after destroying",
            Self::ImportInModules => "`import` in modules",
            Self::StateShowJson => "identity in `state show -json`",
            Self::MinimalRefresh => "`-minimal-refresh`",
            Self::ForgetOnDestroy => "`destroy = false` in `lifecycle`",
            Self::ProviderForEach => "provider blocks with `for_each`",
            Self::Encryption => "encrypted states and plans",
            Self::Exclude => "`-exclude`",
            Self::EarlyEvaluation => "variables in `backend` and in a module's `source`",
            Self::Enabled => "`enabled` in `lifecycle`",
        })
    }
}
