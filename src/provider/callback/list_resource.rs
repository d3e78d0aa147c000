//! List resources such as `tencent_call_callback`, with which `terraform query` finds callback configurations.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::CallbackKind;
use super::kind::CallbackArguments;
use super::messages::describe;
use crate::model;
use crate::provider::applications::{Applications, Purpose};
use crate::provider::block::values::{self, Source};
use crate::provider::services::Naming;
use crate::provider::singleton::{DEFAULT_TIMEOUT, Model, Remote, Scope, Singleton};
use crate::tencent::SdkAppId;
use crate::terraform::{
    Attr, Attribute, Block, Context, Diagnostic, Diagnostics, Found, ListResource, Listing, Number, Schema, SetOf, Type,
};

/// The applications that are read in parallel: as many as Terraform's default parallelism.
const AT_A_TIME: usize = 10;

model! {
    /// The attributes of the block `config`.
    #[derive(Debug)]
    pub(crate) struct Which {
        sdk_app_ids: Attr<SetOf<Number>>,
    }
}

/// The list resource of one service.
#[derive(Debug)]
pub(crate) struct CallbackList<N>(pub(crate) CallbackKind<N>);

impl<N: Naming> Block for CallbackList<N> {
    type Client = Applications;
    type Model = Which;

    fn type_name(&self) -> &'static str {
        self.0.0.type_name
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: format!(
                "Finds the {} callback configurations of all applications that the provider has credentials for, no matter \
                 who set them. Import a result by its identity: `terraform query -generate-config-out=FILE` writes the \
                 configuration for that. Results contain each URL as it is, with any secret in it.\n\nWrite the block in a \
                 file whose name ends with `.tfquery.hcl`, and run `terraform query` (Terraform 1.14 or later). The query \
                 ends after 100 results, unless the block sets another `limit`; a warning says if there are more. If the \
                 provider cannot read an application, it warns and goes on. The query fails if it can read none.",
                self.0.0.title
            )
            .into(),
            attributes: vec![Attribute::new(
                "sdk_app_ids",
                Type::set(Type::Number),
                "The SDKAppIDs of the applications to read. Default: the provider's `sdk_app_id` and all of its `apps`.",
            )],
        }
    }

    fn validate(&self, config: &Which) -> Diagnostics {
        chosen(config).err().map(Diagnostics::from).unwrap_or_default()
    }
}

impl<N: Naming> ListResource for CallbackList<N> {
    type Resource = Singleton<CallbackKind<N>>;

    fn list<'a>(
        &'a self,
        apps: &'a Applications,
        config: Which,
        cx: &'a Context,
    ) -> Result<Listing<'a, Model<CallbackArguments<N>>>, Diagnostics> {
        let ids = chosen(&config)?.unwrap_or_else(|| apps.sdk_app_ids().collect());
        if ids.is_empty() && config.sdk_app_ids.is_null() {
            return Err(apps.no_sdk_app_ids());
        }
        let scope = Scope::new(apps, self.0);
        Ok(stream::iter(ids).map(move |id| look(scope, id, cx)).buffered(AT_A_TIME).boxed())
    }
}

/// Returns the applications that the configuration names, or `None` if it leaves the choice to the provider.
fn chosen(config: &Which) -> Result<Option<BTreeSet<SdkAppId>>, Diagnostic> {
    let known = config.sdk_app_ids.known().into_iter().flat_map(SetOf::iter).filter(|id| !id.is_unknown());
    let id = |id: &Attr<Number>| {
        let id = id.known().ok_or_else(|| "An SDKAppID is null.".to_owned())?;
        values::sdk_app_id(&id.to_string(), Source::Argument)
    };
    let ids = known.map(id).collect::<Result<_, _>>().map_err(|reason| Diagnostic::invalid("sdk_app_ids", reason))?;
    Ok((!config.sdk_app_ids.is_null()).then_some(ids))
}

async fn look<N: Naming>(
    scope: Scope<'_, CallbackKind<N>>,
    id: SdkAppId,
    cx: &Context,
) -> Result<Option<Found<Model<CallbackArguments<N>>>>, Diagnostics> {
    let remote = Remote::new(scope, scope.apps.app(id, Purpose::Call)?, DEFAULT_TIMEOUT, cx);
    Ok(remote.get().await?.map(|found| {
        let refused = format!("The provider does not accept the {} callback URL of SDKAppID {id}", scope.kind.0.title);
        let warning = |error| {
            let detail = format!(
                "The URL cannot be managed as it is: {error}. If you import this configuration, correct url before the \
                 first plan."
            );
            Diagnostic::warning(refused, detail).into()
        };
        let warnings = found.url.check().err().map(warning).unwrap_or_default();
        Found { display_name: describe(&found), object: Model::imported(id, found), warnings }
    }))
}
