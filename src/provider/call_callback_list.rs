//! List resource `tencent_call_callback`: which applications have a callback configuration, for `terraform query`.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::applications::Tencent;
use super::call_callback::CallCallbackResource;
use super::callback::model::{CallCallback, DEFAULT_TIMEOUT, SERVICE};
use super::callback::{Callback, describe};
use super::checks;
use crate::model;
use crate::tencent::{InvalidCallbackUrl, SdkAppId};
use crate::terraform::{
    Attr, Attribute, Context, Diagnostic, Diagnostics, Found, ListResource, Listing, Number, Schema, SetOf, Type,
};

/// As many at a time as Terraform does of anything, unless it is told otherwise.
const AT_A_TIME: usize = 10;

model! {
    /// The attributes of the block `config`.
    #[derive(Debug)]
    pub(super) struct Which {
        sdk_app_ids: Attr<SetOf<Number>>,
    }
}

/// The list resource.
#[derive(Debug)]
pub(super) struct CallCallbackList;

impl ListResource for CallCallbackList {
    type Client = Tencent;
    type Resource = CallCallbackResource;
    type Config = Which;

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "The call-callback configurations that exist, whoever set them: those of the applications that \
                          the provider has credentials for. Each comes with its identity, and can be imported by it; \
                          `terraform query -generate-config-out=FILE` writes the configuration for that. It has each URL as \
                          it is, with any token in it.\n\nTerraform ends the query after 100 of them, unless the block sets \
                          another `limit`; a warning says if there are more. An application that cannot be read is a \
                          warning, too. The query fails if none can be read.",
            attributes: vec![Attribute::new(
                "sdk_app_ids",
                Type::set(Type::Number),
                "The SDKAppIDs of the applications to look at. Default: the provider's `sdk_app_id` and all of its `apps`.",
            )],
        }
    }

    fn validate(&self, config: &Which) -> Diagnostics {
        chosen(config).err().unwrap_or_default()
    }

    fn list<'a>(
        &'a self,
        tencent: &'a Tencent,
        config: Which,
        cx: &'a Context,
    ) -> Result<Listing<'a, CallCallback>, Diagnostics> {
        let ids = match chosen(&config)? {
            Some(ids) => ids,
            None => tencent.sdk_app_ids().collect(),
        };
        if ids.is_empty() && config.sdk_app_ids.is_null() {
            return Err(tencent.no_sdk_app_ids());
        }
        Ok(stream::iter(ids).map(|id| look(tencent, id, cx)).buffer_unordered(AT_A_TIME).boxed())
    }
}

/// The applications that the configuration names, if it names any.
fn chosen(config: &Which) -> Result<Option<BTreeSet<SdkAppId>>, Diagnostics> {
    let invalid = |reason| Diagnostics::from(Diagnostic::error("Invalid sdk_app_ids", reason).on("sdk_app_ids"));
    let known = config.sdk_app_ids.known().into_iter().flat_map(SetOf::iter).filter(|id| !id.is_unknown());
    let id = |id: &Attr<Number>| id.known().map_or_else(|| Err("An SDKAppID is null.".to_owned()), checks::sdk_app_id);
    let ids = known.map(id).collect::<Result<_, _>>().map_err(invalid)?;
    Ok((!config.sdk_app_ids.is_null()).then_some(ids))
}

async fn look(tencent: &Tencent, id: SdkAppId, cx: &Context) -> Result<Option<Found<CallCallback>>, Diagnostics> {
    let found = Callback::of(tencent, SERVICE, &checks::number(id), DEFAULT_TIMEOUT, cx)?.get().await?;
    Ok(found.map(|remote| {
        let warnings = remote.url.check().err().map(|error| not_valid(id, &error).into()).unwrap_or_default();
        Found { display_name: describe(&remote), object: CallCallback::imported(id, remote), warnings }
    }))
}

fn not_valid(id: SdkAppId, error: &InvalidCallbackUrl) -> Diagnostic {
    Diagnostic::warning(
        format!("The callback URL of SDKAppID {id} is not one that the provider accepts"),
        format!(
            "In its present form, {error}. If you import this configuration, correct its url before the first plan."
        ),
    )
}
