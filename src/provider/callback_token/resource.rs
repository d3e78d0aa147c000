//! The resource itself: its arguments, and what becomes of each operation.

use super::model::{Memory, TokenModel};
use super::{KIND, Subject, plan, token};
use crate::provider::applications::Tencent;
use crate::provider::callback::model::{DELETE, Operation, Timeouts, validate_deletion_policy};
use crate::provider::callback::resource::{
    Identity, credentials_not_known_yet, id_attribute, last_request_id_attribute, not_refreshed, sdk_app_id_attribute,
};
use crate::provider::checks;
use crate::terraform::{
    Attribute, Block, Change, Context, Diagnostic, Diagnostics, Failure, IdentitySchema, ImportTarget, ManagedResource,
    Schema, Type, Value,
};

/// The resource.
#[derive(Debug)]
pub(crate) struct CallbackTokenResource;

impl Block for CallbackTokenResource {
    type Client = Tencent;
    type Model = TokenModel;

    fn type_name(&self) -> &'static str {
        "tencent_live_callback_token"
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "The token that Tencent signs the events of live streams with. Of Tencent's services, only \
                          Live signs its events.\n\nWith an enabled token, Tencent adds two query parameters to the \
                          URL of `tencent_live_callback`: `RequestTime`, the time in Unix seconds, and `Sign`, the \
                          SHA-256 of the token followed by that time, in lower-case hexadecimal digits. The receiver \
                          computes the same, compares the two in constant time, and refuses an event if its signature \
                          is missing or different, or if its `RequestTime` is off by more than a minute. The function \
                          `callback_signature` computes signatures, too.\n\nA receiver that checks signatures refuses \
                          every event as soon as its token differs from the one at Tencent. To change the token \
                          without losing events, let the receiver accept both the old and the new token for a \
                          while.\n\nTencent keeps **one** token per application. A plan warns if it would overwrite an \
                          existing one. Right before each write and each deletion, the provider checks again. If it \
                          finds a token that the plan did not show, it warns, or with `overwrite_existing = false`, it \
                          fails. No message shows a token.\n\nManage the token of each application with one resource, \
                          in one provider block. Rename a resource with a `moved` block. If two objects in the state \
                          belong to one application, destroying one of them keeps the token for the other, unless \
                          `-target` or OpenTofu's `-exclude` leaves the other out, or the two belong to different \
                          provider blocks."
                .into(),
            attributes: vec![
                sdk_app_id_attribute(),
                Attribute::new(
                    "token",
                    Type::String,
                    "The token, which the receiver needs as well. Terraform masks it in its output, but plan and state \
                     contain it in clear text. Exactly one of `token` and `token_wo` must be set. Tencent's example \
                     has 128 characters; no limit is documented.",
                )
                .sensitive(),
                Attribute::new(
                    "token_wo",
                    Type::String,
                    "The same as `token`, but in neither state nor plan (Terraform 1.11 and later). It may come from \
                     an ephemeral value. To notice when someone changes the token at Tencent, the provider keeps a \
                     digest in the state (an HMAC-SHA256, with a random key beside it). Anyone who can read the state \
                     can test guesses against it, so use a random token. An import puts the token that it finds into \
                     plan and state as `token`, until the next apply.",
                )
                .write_only(),
                Attribute::new(
                    "token_wo_version",
                    Type::Number,
                    "Any number. Change it together with `token_wo`, because Terraform does not notice a new \
                     `token_wo` by itself. If someone has changed the token at Tencent, refreshing sets it to null, so \
                     that the plan sets it again and sends `token_wo`.",
                ),
                Attribute::new("enabled", Type::Bool, "Whether Tencent signs events with the token. Default: `true`.")
                    .default_value(Value::Bool(true)),
                Attribute::new(
                    "overwrite_existing",
                    Type::Bool,
                    "Whether to overwrite a token that this resource does not manage yet, or that has changed since the \
                     plan. Default: `true`, with a warning. With `false`, the plan or the apply fails instead. Drift \
                     that a plan shows is put back in either case. An identical token is not an error.",
                )
                .default_value(Value::Bool(true)),
                Attribute::new(
                    "deletion_policy",
                    Type::String,
                    "What destroying does at Tencent: `DELETE` (the default) deletes the token, so that events are no \
                     longer signed; `ABANDON` leaves it as it is.",
                )
                .default_value(Value::String(DELETE.into())),
                Timeouts::attribute(),
                id_attribute(),
                last_request_id_attribute(),
            ],
        }
    }

    fn validate(&self, config: &TokenModel) -> Diagnostics {
        let mut diagnostics = checks::sdk_app_id_argument(&config.sdk_app_id);
        diagnostics.extend(token::validate(config));
        diagnostics.extend(validate_deletion_policy(&config.deletion_policy));
        diagnostics.extend(Timeouts::validate(&config.timeouts));
        diagnostics
    }
}

impl ManagedResource for CallbackTokenResource {
    type Identity = Identity;

    fn identity_schema(&self) -> IdentitySchema {
        Identity::schema()
    }

    async fn plan(
        &self,
        tencent: &Tencent,
        change: Change<TokenModel>,
        cx: &mut Context,
    ) -> Result<TokenModel, Diagnostics> {
        plan::plan(tencent, change, cx).await
    }

    async fn plan_destroy(&self, tencent: &Tencent, prior: TokenModel, cx: &mut Context) -> Result<(), Diagnostics> {
        plan::plan_destroy(tencent, &prior, cx)
    }

    async fn read(
        &self,
        tencent: &Tencent,
        state: TokenModel,
        cx: &mut Context,
    ) -> Result<Option<TokenModel>, Diagnostics> {
        if !tencent.is_known(&state.sdk_app_id) {
            cx.warn(credentials_not_known_yet(Subject(tencent.sdk_app_id(&state.sdk_app_id)?)));
            return Ok(Some(state));
        }
        let remote = match state.at_tencent(tencent, Operation::Read, cx) {
            Ok(remote) => remote,
            // Letting go of it takes no credentials.
            Err(diagnostics) if state.is_abandoned() => {
                diagnostics.into_iter().for_each(|diagnostic| cx.warn(not_refreshed(diagnostic)));
                return Ok(Some(state));
            }
            Err(diagnostics) => return Err(diagnostics),
        };
        let reading = remote.turn_to_read().await?;
        let Some(found) = remote.get().await? else { return Ok(None) };
        let others = reading.found(state.mark());
        if others.may_stay() {
            tencent.note_shared(KIND, remote.sdk_app_id());
        }
        let mut memory = Memory {
            keep: others.may_stay(),
            rewrite: others.may_delete(),
            origin: Some(remote.origin()),
            planned: None,
            drift: None,
            ..cx.private()
        };
        let refreshed = state.refreshed(found, &mut memory);
        if memory.drift.is_some() {
            cx.warn(changed_elsewhere(remote.subject()));
        }
        cx.set_private(&memory);
        Ok(Some(refreshed))
    }

    async fn create(
        &self,
        tencent: &Tencent,
        planned: TokenModel,
        cx: &mut Context,
    ) -> Result<TokenModel, Failure<TokenModel>> {
        Memory::begin_apply(cx);
        let remote = planned.at_tencent(tencent, Operation::Create, cx)?;
        let planned = planned.of(remote.sdk_app_id());
        // What is there after a failure was not created here.
        let request_id = remote.create(&planned.wanted()?, planned.is_guarded(), cx).await.map_err(|u| u.diagnostic)?;
        Ok(planned.after(&remote, request_id, cx))
    }

    async fn update(
        &self,
        tencent: &Tencent,
        prior: TokenModel,
        planned: TokenModel,
        cx: &mut Context,
    ) -> Result<TokenModel, Failure<TokenModel>> {
        let memory = Memory::begin_apply(cx);
        if !prior.differs_remotely(&planned, &memory) && !planned.last_request_id.is_unknown() {
            return Ok(planned);
        }
        let remote = planned.at_tencent(tencent, Operation::Update, cx)?.masking(prior.token.known());
        let is_planned = prior.is_what_the_plan_showed(&memory);
        let last_request_id = prior.last_request_id.known();
        match remote.update(last_request_id, &planned.wanted()?, is_planned, planned.is_guarded(), cx).await {
            Ok(request_id) => Ok(planned.after(&remote, request_id, cx)),
            Err(unwritten) => Err(prior.failure(unwritten, Some(&planned), memory, cx)),
        }
    }

    async fn delete(&self, tencent: &Tencent, prior: TokenModel, cx: &mut Context) -> Result<(), Failure<TokenModel>> {
        let memory = Memory::begin_apply(cx);
        let planned = memory.planned.clone().unwrap_or_default();
        let replaced = planned.id.is_some() && planned.id.as_ref() == prior.id.known();
        if prior.is_abandoned() && !replaced {
            if let Ok(remote) = prior.at_tencent(tencent, Operation::Delete, cx) {
                remote.record().release(prior.remote());
            }
            return Ok(());
        }
        let remote = prior.at_tencent(tencent, Operation::Delete, cx)?;
        if (memory.keep || planned.keeps(&prior.id)) && !replaced {
            cx.warn(remote.record().not_deleted());
            return Ok(());
        }
        if let Some(origin) = planned.origin {
            origin.check(remote.app())?;
        }
        let is_planned = prior.is_what_the_plan_showed(&memory);
        let last_request_id = prior.last_request_id.known();
        let deleted = remote.delete(last_request_id, is_planned, prior.is_guarded(), replaced, cx).await;
        deleted.map_err(|unwritten| prior.failure(unwritten, None, memory, cx))
    }

    async fn import(
        &self,
        tencent: &Tencent,
        target: ImportTarget<Identity>,
        cx: &mut Context,
    ) -> Result<TokenModel, Diagnostics> {
        let id = Identity::of_import(&target, tencent)?;
        let imported = TokenModel::imported(id);
        match imported.at_tencent(tencent, Operation::Read, cx)?.get().await? {
            Some(found) => Ok(imported.holding(found)),
            None => Err(Diagnostic::error(
                format!("SDKAppID {id} has no Live callback token"),
                "There is nothing to import. Check the SDKAppID and the provider's region, or remove the import and let \
                 Terraform create the token.",
            )
            .into()),
        }
    }
}

fn changed_elsewhere(subject: Subject) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} is not the one that Terraform sent"),
        "Someone else has changed the token. Receivers that check signatures with the one that Terraform sent refuse \
         events. The state does not hold the token, so a plan shows the difference only in token_wo_version or \
         last_request_id. Applying sends token_wo again.",
    )
}
