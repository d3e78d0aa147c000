//! Resources such as `tencent_call_callback`: which events of a service Tencent posts to which URL.
//!
//! The remote object can only be overwritten as a whole, silently. So a plan that creates looks first whether there is
//! one already, and an update sends nothing unless the object itself changes.

use std::fmt;

use super::memory::Memory;
use super::model::{CallbackModel, DELETE, Operation, Timeouts, validate_deletion_policy};
use super::service::{CallbackService, Event, Services, Subject};
use super::{Unwritten, commands, plan, url};
use crate::model;
use crate::provider::applications::Tencent;
use crate::provider::checks;
use crate::tencent::{CallbackUrl, SdkAppId};
use crate::terraform::{
    Attr, Attribute, Block, Change, Context, Diagnostic, Diagnostics, Failure, IdentityAttribute, IdentitySchema,
    ImportTarget, ManagedResource, Number, Schema, Type, Value,
};

model! {
    /// What tells one callback configuration from all others.
    #[derive(Debug)]
    pub(crate) struct Identity {
        pub(crate) sdk_app_id: Attr<Number>,
    }
}

impl Identity {
    pub(crate) fn schema() -> IdentitySchema {
        IdentitySchema {
            version: 0,
            attributes: vec![IdentityAttribute {
                name: "sdk_app_id",
                ty: Type::Number,
                description: "The SDKAppID of the application.",
            }],
        }
    }

    /// The application that a person imports by.
    pub(crate) fn of_import(target: &ImportTarget<Self>, tencent: &Tencent) -> Result<SdkAppId, Diagnostics> {
        match target {
            ImportTarget::Id(text) => text.parse::<SdkAppId>().map_err(|error| {
                let detail = format!("{text:?} cannot be imported: the import ID is the SDKAppID, and {error}.");
                Diagnostic::error("The import ID is not an SDKAppID", detail).into()
            }),
            ImportTarget::Identity(identity) => tencent.sdk_app_id(&identity.sdk_app_id),
        }
    }
}

/// The argument `sdk_app_id` of a resource.
pub(crate) fn sdk_app_id_attribute() -> Attribute {
    let description = "The SDKAppID of the application. The provider must have its credentials. Default: the provider's \
                       `sdk_app_id`. Changing it forces replacement.";
    Attribute::new("sdk_app_id", Type::Number, description).optional_computed().requires_replace()
}

pub(crate) fn id_attribute() -> Attribute {
    Attribute::new("id", Type::String, "The SDKAppID as a string.").computed()
}

pub(crate) fn last_request_id_attribute() -> Attribute {
    let description = "The `RequestId` of the last write, which Tencent's support asks for.";
    Attribute::new("last_request_id", Type::String, description).computed()
}

/// The resource of one service.
#[derive(Debug)]
pub(crate) struct CallbackResource {
    pub(crate) service: &'static CallbackService,
    pub(crate) all: Services,
}

impl Block for CallbackResource {
    type Client = Tencent;
    type Model = CallbackModel;

    fn type_name(&self) -> &'static str {
        self.service.type_name
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: description(self.service).into(),
            attributes: vec![
                sdk_app_id_attribute(),
                Attribute::new(
                    "url",
                    Type::String,
                    "The `https` or `http` URL that Tencent posts the events to. Tencent's servers must be able to reach \
                     it. Set exactly one of `url` and `url_wo`. The URL is in the plan and in the state as you write it: \
                     if it carries a secret, take it from a variable that is `sensitive`, so that Terraform does not \
                     print it, or use `url_wo`.",
                ),
                Attribute::new(
                    "url_wo",
                    Type::String,
                    "The same as `url`, for a URL that carries a secret: it is in neither the plan nor the state. \
                     Requires Terraform or OpenTofu 1.11 or later. The value can be ephemeral. Messages show only its \
                     scheme and host. To notice when someone sets another URL at Tencent, the provider keeps a digest in \
                     the state: an HMAC-SHA256, with a random key beside it. Anyone who can read the state can test \
                     guesses against the digest, so make the secret random, such as 32 hexadecimal digits. An import \
                     puts the URL that it finds into the plan and, until the next apply, into the state as `url`. The \
                     data source and `terraform query` show it.",
                )
                .write_only(),
                Attribute::new(
                    "url_wo_version",
                    Type::Number,
                    "Any number. Change it whenever you change `url_wo`: Terraform cannot see that change by itself. If \
                     someone sets another URL at Tencent, a refresh makes this null, so that the next plan sets it again \
                     and the apply sends `url_wo`.",
                ),
                Attribute::new(
                    "callback_commands",
                    Type::set(Type::String),
                    events(self.service),
                )
                .required(),
                Attribute::new(
                    "overwrite_existing",
                    Type::Bool,
                    "Whether to overwrite a configuration that this resource does not manage yet, or that has changed \
                     since the plan. Default: `true`, with a warning. With `false`, the plan or the apply fails instead. \
                     Drift that a plan shows is put back in either case. An identical configuration is not an error.",
                )
                .default_value(Value::Bool(true)),
                Attribute::new(
                    "deletion_policy",
                    Type::String,
                    "What happens at Tencent when Terraform destroys the resource: `DELETE` (the default) deletes the \
                     configuration, `ABANDON` leaves it as it is.",
                )
                .default_value(Value::String(DELETE.into())),
                Timeouts::attribute(),
                id_attribute(),
                last_request_id_attribute(),
            ],
        }
    }

    fn validate(&self, config: &CallbackModel) -> Diagnostics {
        let mut diagnostics = checks::sdk_app_id_argument(&config.sdk_app_id);
        diagnostics.extend(url::validate(config));
        if let Some(commands) = config.callback_commands.known() {
            diagnostics.extend(commands::validate(commands, self.service, self.all));
        }
        diagnostics.extend(validate_deletion_policy(&config.deletion_policy));
        diagnostics.extend(Timeouts::validate(&config.timeouts));
        diagnostics
    }
}

impl ManagedResource for CallbackResource {
    type Identity = Identity;

    fn identity_schema(&self) -> IdentitySchema {
        Identity::schema()
    }

    async fn plan(
        &self,
        tencent: &Tencent,
        change: Change<CallbackModel>,
        cx: &mut Context,
    ) -> Result<CallbackModel, Diagnostics> {
        plan::plan(tencent.of(self.service), change, cx).await
    }

    async fn plan_destroy(&self, tencent: &Tencent, prior: CallbackModel, cx: &mut Context) -> Result<(), Diagnostics> {
        plan::plan_destroy(tencent.of(self.service), &prior, cx)
    }

    async fn read(
        &self,
        tencent: &Tencent,
        state: CallbackModel,
        cx: &mut Context,
    ) -> Result<Option<CallbackModel>, Diagnostics> {
        let tencent = tencent.of(self.service);
        if !tencent.is_known(&state.sdk_app_id) {
            cx.warn(credentials_not_known_yet(tencent.subject(tencent.sdk_app_id(&state.sdk_app_id)?)));
            return Ok(Some(state));
        }
        let callback = match state.at_tencent(tencent, Operation::Read, cx) {
            Ok(callback) => callback,
            // Letting go of it takes no credentials.
            Err(diagnostics) if state.is_abandoned() => {
                diagnostics.into_iter().for_each(|diagnostic| cx.warn(not_refreshed(diagnostic)));
                return Ok(Some(state));
            }
            Err(diagnostics) => return Err(diagnostics),
        };
        let reading = callback.turn_to_read().await?;
        let Some(remote) = callback.get().await? else { return Ok(None) };
        let others = reading.found(state.mark());
        if others.may_stay() {
            tencent.note_shared(callback.sdk_app_id());
        }
        let mut memory = Memory {
            keep: others.may_stay(),
            rewrite: others.may_delete(),
            origin: Some(callback.origin()),
            planned: None,
            drift: None,
            ..cx.private()
        };
        let written = state.written(&remote);
        let refreshed = match written.filter(|written| written.own_form(&remote).is_some()) {
            Some(written) if memory.knows_as_stored(&remote) => {
                cx.warn(callback.stores_own_form(&written, &remote));
                state
            }
            _ => {
                let url = remote.url.clone();
                let refreshed = state.clone().refreshed(remote, &mut memory);
                if memory.drift.is_some() {
                    cx.warn(url_changed_elsewhere(callback.subject(), &url));
                }
                if !state.differs_remotely(&refreshed, &memory) {
                    memory.stored_as = None;
                }
                refreshed
            }
        };
        cx.set_private(&memory);
        Ok(Some(refreshed))
    }

    async fn create(
        &self,
        tencent: &Tencent,
        planned: CallbackModel,
        cx: &mut Context,
    ) -> Result<CallbackModel, Failure<CallbackModel>> {
        Memory::begin_apply(cx);
        let callback = planned.at_tencent(tencent.of(self.service), Operation::Create, cx)?;
        let planned = planned.of(callback.sdk_app_id());
        // What is there after a failure was not created here.
        let written = callback.create(&planned.wanted()?, planned.is_guarded(), cx).await.map_err(|u| u.diagnostic)?;
        Ok(planned.after(&callback, written, cx))
    }

    async fn update(
        &self,
        tencent: &Tencent,
        prior: CallbackModel,
        planned: CallbackModel,
        cx: &mut Context,
    ) -> Result<CallbackModel, Failure<CallbackModel>> {
        let memory = Memory::begin_apply(cx);
        if !prior.differs_remotely(&planned, &memory) && !planned.last_request_id.is_unknown() {
            if prior.has_secret_url() && !planned.has_secret_url() {
                cx.set_private(&Memory { url: None, planned: None, ..memory });
            }
            return Ok(planned);
        }
        let callback =
            planned.at_tencent(tencent.of(self.service), Operation::Update, cx)?.hiding_url(prior.has_secret_url());
        let (last_request_id, wanted) = (prior.last_request_id.known(), planned.wanted()?);
        let is_the_same = planned.has_secret_url() && prior.remote().is_some_and(|prior| prior.is_equivalent(&wanted));
        if is_the_same && !memory.rewrite && callback.adopt(last_request_id, &wanted).await? {
            let url = planned.secret_url().map(|url| memory.digest_of(&url));
            cx.set_private(&Memory { url, planned: None, ..memory });
            return Ok(CallbackModel { last_request_id: prior.last_request_id, ..planned });
        }
        let is_planned = prior.is_what_the_plan_showed(&memory);
        match callback.update(last_request_id, &wanted, is_planned, planned.is_guarded(), cx).await {
            Ok(written) => Ok(planned.after(&callback, written, cx)),
            Err(unwritten) => {
                let found = unwritten.found.filter(|found| !planned.may_have_become(found));
                Err(prior.failure(Unwritten { found, ..unwritten }, memory, cx))
            }
        }
    }

    async fn delete(
        &self,
        tencent: &Tencent,
        prior: CallbackModel,
        cx: &mut Context,
    ) -> Result<(), Failure<CallbackModel>> {
        let tencent = tencent.of(self.service);
        let memory = Memory::begin_apply(cx);
        let planned = memory.planned.clone().unwrap_or_default();
        let replaced = planned.id.is_some() && planned.id.as_ref() == prior.id.known();
        if prior.is_abandoned() && !replaced {
            if let Ok(callback) = prior.at_tencent(tencent, Operation::Delete, cx) {
                callback.record().release(prior.remote());
            }
            return Ok(());
        }
        let callback = prior.at_tencent(tencent, Operation::Delete, cx)?;
        if (memory.keep || planned.keeps(&prior.id)) && !replaced {
            cx.warn(callback.record().not_deleted());
            return Ok(());
        }
        if let Some(origin) = planned.origin {
            origin.check(callback.app())?;
        }
        let is_planned = prior.is_what_the_plan_showed(&memory);
        let last_request_id = prior.last_request_id.known();
        let deleted = callback.delete(last_request_id, is_planned, prior.is_guarded(), replaced, cx).await;
        deleted.map_err(|unwritten| prior.failure(unwritten, memory, cx))
    }

    async fn import(
        &self,
        tencent: &Tencent,
        target: ImportTarget<Identity>,
        cx: &mut Context,
    ) -> Result<CallbackModel, Diagnostics> {
        let id = Identity::of_import(&target, tencent)?;
        let imported = CallbackModel::defaults().of(id);
        match imported.at_tencent(tencent.of(self.service), Operation::Read, cx)?.get().await? {
            Some(remote) => Ok(CallbackModel::imported(id, remote)),
            None => Err(Diagnostic::error(
                format!("SDKAppID {id} has no {} callback configuration", self.service.title),
                "There is nothing to import. Check the SDKAppID and the provider's region, or remove the import and \
                 let Terraform create the configuration.",
            )
            .into()),
        }
    }
}

fn description(service: &CallbackService) -> String {
    let CallbackService { name, title, events_of, notes, .. } = service;
    let separator = if notes.is_empty() { "" } else { "\n\n" };
    format!(
        "Manages the {title} callback configuration of an application: which events of {events_of} Tencent posts to \
         which URL.\n\nAn application has **one** such configuration, and Tencent's API overwrites it as a whole. If a \
         configuration exists already, a plan that would create one warns and shows what it would replace. The provider \
         checks again right before each write and each deletion. If someone has changed the configuration since the \
         plan, the provider says what it replaces or deletes; with `overwrite_existing = false`, it refuses.\n\nManage \
         an application's {name} callbacks with one resource, in one provider block. To rename the resource, use a \
         `moved` block. If the state holds two objects for one configuration, destroying one of them keeps the \
         configuration for the other, unless `-target` or OpenTofu's `-exclude` leaves out the other one, or the two \
         belong to different provider blocks.{separator}{notes}"
    )
}

fn events(service: &CallbackService) -> String {
    let event = |Event { command, meaning, carries, page, .. }: &Event| {
        let carries = if carries.is_empty() { String::new() } else { format!(" Carries {carries}.") };
        format!("\n  - [`{command}`](https://trtc.io/document/{page}): {meaning}.{carries}")
    };
    format!("The events to send, at least one:\n{}", service.events.iter().map(event).collect::<String>())
}

pub(crate) fn credentials_not_known_yet(subject: impl fmt::Display) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} was not refreshed"),
        "The provider takes its credentials from apps, and they are known only after apply. The plan shows the object \
         as the last apply left it.",
    )
}

fn url_changed_elsewhere(subject: Subject, url: &CallbackUrl) -> Diagnostic {
    let Subject { service, id } = subject;
    Diagnostic::warning(
        format!("The {} callback URL of SDKAppID {id} is not the one that Terraform sent", service.title),
        format!(
            "Tencent now posts events to {url}. Someone else has changed the URL. The state does not hold the URL, so \
             a plan shows the difference only in url_wo_version or last_request_id. Applying sends url_wo again."
        ),
    )
}

pub(crate) fn not_refreshed(cause: Diagnostic) -> Diagnostic {
    let detail = format!("{}: {}", cause.summary, cause.detail);
    Diagnostic::warning("Could not refresh an object that Terraform is about to forget", detail)
}
