//! Resource `tencent_call_callback`: which events of an application's calls Tencent posts to which URL.
//!
//! The remote object can only be overwritten as a whole, silently. So a plan that creates looks first whether there is
//! one already, and an update sends nothing unless the object itself changes.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::checks;
use super::tencent::Tencent;
use crate::model;
use crate::tencent::{self, App, CallbackConfiguration, CallbackUrl, Concern, Patience, SdkAppId, Service};
use crate::terraform::{
    Attr, Attribute, AttributePath, Change, Context, Diagnostic, Diagnostics, Failure, IdentityAttribute,
    IdentitySchema, ImportTarget, ManagedResource, Nesting, Schema, SetOf, Step, Type, Value,
};

model! {
    /// The attributes of the resource.
    #[derive(Debug, Clone)]
    pub(super) struct CallCallback {
        sdk_app_id: Attr<u64>,
        url: Attr<String>,
        callback_commands: Attr<SetOf<String>>,
        overwrite_existing: Attr<bool>,
        deletion_policy: Attr<String>,
        timeouts: Attr<Timeouts>,
        id: Attr<String>,
        last_request_id: Attr<String>,
    }
}

model! {
    /// How long each operation may take, its retries included.
    #[derive(Debug, Clone)]
    pub(super) struct Timeouts {
        create: Attr<String>,
        read: Attr<String>,
        update: Attr<String>,
        delete: Attr<String>,
    }
}

model! {
    /// What tells one callback configuration from all others.
    #[derive(Debug)]
    pub(super) struct Identity {
        sdk_app_id: Attr<u64>,
    }
}

/// The resource.
#[derive(Debug)]
pub(super) struct CallCallbackResource;

pub(super) const SERVICE: Service = Service::CALL;
const DELETE: &str = "DELETE";
const ABANDON: &str = "ABANDON";
/// Enough for the default number of retries with the longest waits between them.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

impl ManagedResource for CallCallbackResource {
    type Client = Tencent;
    type Model = CallCallback;
    type Identity = Identity;

    const TYPE_NAME: &'static str = "tencent_call_callback";

    fn schema(&self) -> Schema {
        let duration = |name, what| Attribute::new(name, Type::String, what);
        Schema {
            version: 0,
            description: "The callback configuration of an application's calls: which events Tencent posts to which \
                          URL.\n\nTencent keeps **one** such configuration per application and overwrites it as a \
                          whole. A plan that would create one where there is one already warns and shows what is \
                          there.",
            attributes: vec![
                Attribute::new(
                    "sdk_app_id",
                    Type::Number,
                    "The SDKAppID of the application, which the provider's credentials must belong to. Default: the \
                     provider's `sdk_app_id`. Another value means another object: it forces replacement.",
                )
                .optional_computed()
                .requires_replace(),
                Attribute::new(
                    "url",
                    Type::String,
                    "Where Tencent posts the events: an `https` (or `http`) URL that Tencent's servers can reach.",
                )
                .required(),
                Attribute::new(
                    "callback_commands",
                    Type::set(Type::String),
                    "The events to send, at least one: `Call.CallbackAfterStartCall`, \
                     `Call.CallbackAfterMemberChanged`, `Call.CallbackAfterEndCall`.",
                )
                .required(),
                Attribute::new(
                    "overwrite_existing",
                    Type::Bool,
                    "Whether creating may replace a configuration that exists already. Default: `true`, with a \
                     warning in the plan. With `false` it is an error, when planning and again right before writing.",
                )
                .default_value(Value::Bool(true)),
                Attribute::new(
                    "deletion_policy",
                    Type::String,
                    "What destroying does at Tencent: `DELETE` (the default) deletes the configuration, `ABANDON` \
                     leaves it as it is.",
                )
                .default_value(Value::String(DELETE.into())),
                Attribute::nested(
                    "timeouts",
                    Nesting::Single,
                    vec![
                        duration("create", "For creating, such as `30s`. Default: `2m`."),
                        duration("read", "For refreshing and importing. Default: `2m`."),
                        duration("update", "For updating. Default: `2m`."),
                        duration("delete", "For destroying. Default: `2m`."),
                    ],
                    "How long each operation may take, its retries included.",
                ),
                Attribute::new("id", Type::String, "The SDKAppID as a string.").computed(),
                Attribute::new(
                    "last_request_id",
                    Type::String,
                    "Tencent's `RequestId` of the last write, which its support asks for.",
                )
                .computed(),
            ],
        }
    }

    fn identity_schema(&self) -> IdentitySchema {
        IdentitySchema {
            version: 0,
            attributes: vec![IdentityAttribute {
                name: "sdk_app_id",
                ty: Type::Number,
                description: "The SDKAppID of the application.",
            }],
        }
    }

    fn identity(&self, state: &CallCallback) -> Identity {
        Identity { sdk_app_id: state.sdk_app_id.clone() }
    }

    fn validate(&self, config: &CallCallback) -> Diagnostics {
        let mut diagnostics = checks::sdk_app_id_argument(&config.sdk_app_id);
        if let Some(url) = config.url.known() {
            diagnostics.extend(validate_url(&url.clone().into()));
        }
        if let Some(commands) = config.callback_commands.known() {
            diagnostics.extend(validate_commands(commands));
        }
        match config.deletion_policy.known() {
            Some(policy) if policy != DELETE && policy != ABANDON => {
                let reason = format!("{policy:?} is neither \"{DELETE}\" nor \"{ABANDON}\".");
                diagnostics.push(Diagnostic::error("Invalid deletion_policy", reason).on("deletion_policy"));
            }
            _ => {}
        }
        for (name, timeout) in config.timeouts.known().into_iter().flat_map(Timeouts::named) {
            if let Some(Err(reason)) = timeout.known().map(|text| checks::duration(text)) {
                let path = AttributePath::attribute("timeouts").then(Step::Attribute(name.to_owned()));
                diagnostics.push(Diagnostic::error("Invalid timeout", reason).at(path));
            }
        }
        diagnostics
    }

    async fn plan(
        &self,
        tencent: Option<&Tencent>,
        change: Change<CallCallback>,
        cx: &mut Context,
    ) -> Result<CallCallback, Diagnostics> {
        let Change { prior, config, proposed: mut planned } = change;
        if let Some(prior) = &prior
            && prior.is_equivalent(&planned)
        {
            // Terraform accepts the prior spelling of an argument for an equivalent one: no difference to show.
            planned.url = prior.url.clone();
        }
        if config.sdk_app_id.is_null() {
            planned.sdk_app_id = planned_sdk_app_id(tencent, prior.as_ref())?;
        }
        planned.id = match &planned.sdk_app_id {
            Attr::Known(id) => Attr::Known(id.to_string()),
            _ => Attr::Unknown,
        };
        planned.last_request_id = match &prior {
            Some(prior) if !prior.differs_remotely(&planned) => prior.last_request_id.clone(),
            _ => Attr::Unknown,
        };
        if let (None, Some(tencent), Attr::Known(_)) = (&prior, tencent, &planned.sdk_app_id) {
            plan_creation(tencent, &planned, cx).await?;
        }
        Ok(planned)
    }

    fn plan_destroy(&self, prior: &CallCallback, cx: &mut Context) -> Result<(), Diagnostics> {
        if prior.is_abandoned() {
            let id = prior.id.known().map(String::as_str).unwrap_or_default();
            cx.warn(Diagnostic::warning(
                "The callback configuration stays at Tencent",
                format!(
                    "deletion_policy is \"{ABANDON}\": SDKAppID {id} keeps its callback configuration, and Tencent \
                     goes on posting events to {}. Terraform only forgets it.",
                    masked(&prior.url)
                ),
            ));
        }
        Ok(())
    }

    async fn read(
        &self,
        tencent: &Tencent,
        state: CallCallback,
        cx: &mut Context,
    ) -> Result<Option<CallCallback>, Diagnostics> {
        let app = tencent.app(tencent.sdk_app_id(&state.sdk_app_id)?)?;
        let patience = state.patience(Operation::Read, cx);
        let Some(remote) = get(tencent, &app, &patience).await? else { return Ok(None) };
        let as_written = state.remote().is_some_and(|written| written.is_equivalent(&remote));
        if as_written {
            cx.set_private(&Memory::default());
        } else if cx.private::<Memory>().stored_as.is_none_or(|digest| digest != fingerprint(&remote)) {
            return Ok(Some(state.holding(remote)));
        }
        Ok(Some(state))
    }

    async fn create(
        &self,
        tencent: &Tencent,
        planned: CallCallback,
        cx: &mut Context,
    ) -> Result<CallCallback, Failure<CallCallback>> {
        let id = tencent.sdk_app_id(&planned.sdk_app_id)?;
        let planned = planned.of(id);
        let app = tencent.app(id)?;
        let patience = planned.patience(Operation::Create, cx);
        if planned.overwrite_existing == Attr::Known(false)
            && let Some(existing) = get(tencent, &app, &patience).await?
        {
            return Err(refused_to_overwrite(id, &existing).into());
        }
        write(tencent, &app, planned, None, &patience, cx).await
    }

    async fn update(
        &self,
        tencent: &Tencent,
        prior: CallCallback,
        planned: CallCallback,
        cx: &mut Context,
    ) -> Result<CallCallback, Failure<CallCallback>> {
        if !prior.differs_remotely(&planned) {
            return Ok(planned);
        }
        let app = tencent.app(tencent.sdk_app_id(&planned.sdk_app_id)?)?;
        let patience = planned.patience(Operation::Update, cx);
        write(tencent, &app, planned, Some(prior), &patience, cx).await
    }

    async fn delete(&self, tencent: &Tencent, prior: CallCallback, cx: &mut Context) -> Result<(), Diagnostics> {
        if prior.is_abandoned() {
            return Ok(());
        }
        let id = tencent.sdk_app_id(&prior.sdk_app_id)?;
        let app = tencent.app(id)?;
        let deleted = tencent.client.delete_callback(&app, SERVICE, &prior.patience(Operation::Delete, cx)).await;
        deleted.map_err(|error| {
            let mut diagnostic = checks::call_failed("Deleting the callback configuration", id, &error);
            if error.may_have_taken_effect {
                diagnostic.detail += "\n\nIt may have been deleted all the same. The next plan will show.";
            }
            diagnostic.into()
        })
    }

    async fn import(
        &self,
        tencent: &Tencent,
        target: ImportTarget<Identity>,
        cx: &mut Context,
    ) -> Result<CallCallback, Diagnostics> {
        let id = match &target {
            ImportTarget::Id(text) => text.parse::<SdkAppId>().map_err(|error| {
                let detail = format!("{text:?} cannot be imported: the import ID is the SDKAppID, and {error}.");
                Diagnostic::error("The import ID is not an SDKAppID", detail)
            })?,
            ImportTarget::Identity(identity) => tencent.sdk_app_id(&identity.sdk_app_id)?,
        };
        let app = tencent.app(id)?;
        let imported = CallCallback::defaults().of(id);
        let patience = imported.patience(Operation::Read, cx);
        match get(tencent, &app, &patience).await? {
            Some(remote) => Ok(imported.holding(remote)),
            None => Err(Diagnostic::error(
                format!("SDKAppID {id} has no callback configuration"),
                "There is nothing to import. Check the SDKAppID and the provider's region, or remove the import and \
                 let Terraform create the configuration.",
            )
            .into()),
        }
    }
}

impl CallCallback {
    /// All that the schema has a default for; nothing else.
    fn defaults() -> Self {
        Self {
            sdk_app_id: Attr::Null,
            url: Attr::Null,
            callback_commands: Attr::Null,
            overwrite_existing: Attr::Known(true),
            deletion_policy: Attr::Known(DELETE.to_owned()),
            timeouts: Attr::Null,
            id: Attr::Null,
            last_request_id: Attr::Null,
        }
    }

    fn of(self, id: SdkAppId) -> Self {
        Self { sdk_app_id: Attr::Known(id.into()), id: Attr::Known(id.to_string()), ..self }
    }

    fn holding(self, remote: CallbackConfiguration) -> Self {
        Self {
            url: Attr::Known(remote.url.expose().to_owned()),
            callback_commands: Attr::Known(remote.callback_commands.into_iter().collect()),
            ..self
        }
    }

    /// Whether both make Tencent do the same.
    fn is_equivalent(&self, other: &Self) -> bool {
        match (self.remote(), other.remote()) {
            (Some(a), Some(b)) => a.is_equivalent(&b),
            _ => false,
        }
    }

    /// Whether `planned` is another object at Tencent, or the same object with another content.
    fn differs_remotely(&self, planned: &Self) -> bool {
        self.sdk_app_id != planned.sdk_app_id
            || self.url != planned.url
            || self.callback_commands != planned.callback_commands
    }

    /// The object as Tencent knows it, if all of it is known.
    fn remote(&self) -> Option<CallbackConfiguration> {
        let commands: BTreeSet<_> = self.callback_commands.known()?.known()?.into_iter().cloned().collect();
        Some(CallbackConfiguration { url: self.url.known()?.clone().into(), callback_commands: commands })
    }

    fn is_abandoned(&self) -> bool {
        self.deletion_policy.known().is_some_and(|policy| policy == ABANDON)
    }

    fn patience(&self, operation: Operation, cx: &Context) -> Patience {
        let timeouts = self.timeouts.known();
        let text = timeouts.and_then(|timeouts| match operation {
            Operation::Create => timeouts.create.known(),
            Operation::Read => timeouts.read.known(),
            Operation::Update => timeouts.update.known(),
            Operation::Delete => timeouts.delete.known(),
        });
        // Validated in the configuration; what a state holds was validated when it was one.
        let timeout = text.and_then(|text| checks::duration(text).ok()).unwrap_or(DEFAULT_TIMEOUT);
        Patience { deadline: Instant::now() + timeout, stop: cx.stop().clone() }
    }
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

impl Timeouts {
    fn named(&self) -> [(&'static str, &Attr<String>); 4] {
        [("create", &self.create), ("read", &self.read), ("update", &self.update), ("delete", &self.delete)]
    }
}

fn validate_url(url: &CallbackUrl) -> Diagnostics {
    let concerns = match url.check() {
        Ok(concerns) => concerns,
        Err(error) => {
            let detail = format!("\"{url}\" cannot be a callback URL: {error}.");
            return Diagnostic::error("Invalid url", detail).on("url").into();
        }
    };
    let warning = |concern| match concern {
        Concern::Unencrypted => Diagnostic::warning(
            "The callback URL is not encrypted",
            format!("Tencent will post events to {url} in the clear. Use https if the receiver can."),
        ),
        Concern::Unreachable => Diagnostic::warning(
            "Tencent cannot reach the callback URL",
            format!(
                "{url} is an address of this machine or of a private network. Tencent posts events from the internet: \
                 use the receiver's public address."
            ),
        ),
    };
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(concerns.into_iter().map(|concern| warning(concern).on("url")));
    diagnostics
}

/// How alike two commands must be for one to be a misspelling of the other: two letters in ten may differ.
const NEAR_MISS: f64 = 0.8;

fn validate_commands(commands: &SetOf<String>) -> Diagnostics {
    let known = SERVICE.callback_commands;
    let mut diagnostics = Diagnostics::new();
    // Elements of a set have no address: blame the set.
    let mut note = |diagnostic: Diagnostic| diagnostics.push(diagnostic.on("callback_commands"));
    if commands.is_empty() {
        let detail = format!("Tencent needs at least one command. It knows {}.", list(known));
        note(Diagnostic::error("No callback commands", detail));
    }
    for command in commands.iter() {
        let command = match command {
            Attr::Known(command) if !command.trim().is_empty() => command,
            Attr::Unknown => continue,
            Attr::Known(_) | Attr::Null => {
                let detail = format!("Each command is the name of an event: {}.", list(known));
                note(Diagnostic::error("Empty callback command", detail));
                continue;
            }
        };
        if known.contains(&command.as_str()) {
            continue;
        }
        let likeness = |name: &str| strsim::normalized_levenshtein(&command.to_lowercase(), &name.to_lowercase());
        let meant = known.iter().find(|name| likeness(name) >= NEAR_MISS);
        let question = meant.map(|name| format!(" Did you mean \"{name}\"?")).unwrap_or_default();
        let detail = format!(
            "{command:?} is not a command that Tencent documents.{question} It documents {}. If it is a new one, \
             ignore this warning.",
            list(known)
        );
        note(Diagnostic::warning("Unknown callback command", detail));
    }
    diagnostics
}

fn list(commands: &[&str]) -> String {
    commands.join(", ")
}

/// The application of a resource that names none. It belongs to the provider's, once that is known.
fn planned_sdk_app_id(tencent: Option<&Tencent>, prior: Option<&CallCallback>) -> Result<Attr<u64>, Diagnostics> {
    match (tencent.map(Tencent::default_sdk_app_id), prior) {
        (Some(Some(default)), _) => Ok(Attr::Known(default.into())),
        (_, Some(prior)) => Ok(prior.sdk_app_id.clone()),
        (Some(None), None) => Err(checks::no_sdk_app_id().into()),
        (None, None) => Ok(Attr::Unknown),
    }
}

/// Looks whether a creation would overwrite something, and says so.
async fn plan_creation(tencent: &Tencent, planned: &CallCallback, cx: &mut Context) -> Result<(), Diagnostics> {
    let id = tencent.sdk_app_id(&planned.sdk_app_id)?;
    let app = tencent.app(id)?;
    let guarded = planned.overwrite_existing != Attr::Known(true);
    let patience = planned.patience(Operation::Read, cx);
    match tencent.client.get_callback(&app, SERVICE, &patience).await {
        Ok(None) => {}
        Ok(Some(existing)) if guarded => return Err(refused_to_overwrite(id, &existing).into()),
        Ok(Some(existing)) => cx.warn(will_overwrite(id, &existing, planned)),
        Err(error) => {
            let mut diagnostic = checks::call_failed("Looking for an existing callback configuration", id, &error);
            if guarded {
                diagnostic.detail += "\n\nWithout an answer, overwrite_existing = false cannot be kept.";
                return Err(diagnostic.into());
            }
            diagnostic.severity = crate::terraform::Severity::Warning;
            diagnostic.detail += "\n\nWhether applying this plan overwrites a configuration could not be found out.";
            cx.warn(diagnostic);
        }
    }
    Ok(())
}

fn will_overwrite(id: SdkAppId, existing: &CallbackConfiguration, planned: &CallCallback) -> Diagnostic {
    if planned.remote().is_some_and(|planned| planned.is_equivalent(existing)) {
        return Diagnostic::warning(
            "The callback configuration exists already, as planned",
            format!("SDKAppID {id} already sends {}. Applying this plan writes the same again.", describe(existing)),
        );
    }
    Diagnostic::warning(
        "An existing callback configuration will be overwritten",
        format!(
            "SDKAppID {id} sends {}. Applying this plan replaces all of that.\n\nTo manage it as it is instead, import \
             it:\n\n{}",
            describe(existing),
            import_command(id)
        ),
    )
}

fn refused_to_overwrite(id: SdkAppId, existing: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::error(
        "A callback configuration exists already",
        format!(
            "SDKAppID {id} sends {}, and overwrite_existing is false.\n\nTo manage it as it is, import it:\n\n{}\n\nTo \
             replace it, set overwrite_existing to true.",
            describe(existing),
            import_command(id)
        ),
    )
    .on("overwrite_existing")
}

/// On a line of its own, indented: Terraform does not break such lines.
fn import_command(id: SdkAppId) -> String {
    format!("  terraform import {}.NAME {id}", CallCallbackResource::TYPE_NAME)
}

/// "A, B to URL", masked.
fn describe(configuration: &CallbackConfiguration) -> String {
    let commands: Vec<_> = configuration.callback_commands.iter().map(String::as_str).collect();
    let commands = if commands.is_empty() { "no events".to_owned() } else { list(&commands) };
    format!("{commands} to {}", configuration.url)
}

fn masked(url: &Attr<String>) -> String {
    url.known().map(|url| CallbackUrl::from(url.clone()).to_string()).unwrap_or_default()
}

async fn get(tencent: &Tencent, app: &App, patience: &Patience) -> Result<Option<CallbackConfiguration>, Diagnostics> {
    tencent
        .client
        .get_callback(app, SERVICE, patience)
        .await
        .map_err(|error| checks::call_failed("Reading the callback configuration", app.sdk_app_id(), &error).into())
}

/// Writes the whole object. If no answer says whether it was written, looks.
async fn write(
    tencent: &Tencent,
    app: &App,
    planned: CallCallback,
    prior: Option<CallCallback>,
    patience: &Patience,
    cx: &mut Context,
) -> Result<CallCallback, Failure<CallCallback>> {
    let Some(configuration) = planned.remote() else {
        let detail = "Terraform applied a plan with unknown values. This is a bug in Terraform: please report it.";
        return Err(Diagnostic::error("The planned configuration is not known", detail).into());
    };
    match tencent.client.set_callback(app, SERVICE, &configuration, patience).await {
        Ok(request_id) => {
            let request_id = confirm(tencent, app, &configuration, request_id, patience, cx).await;
            Ok(CallCallback { last_request_id: Attr::Known(request_id), ..planned })
        }
        Err(error) => after_failed_write(tencent, app, planned, prior, &configuration, &error, cx).await,
    }
}

/// What the provider remembers of an object beside its state.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// The [`fingerprint`] of what Tencent stored for what was written, if it stored something else. As long as that is
    /// what is there, nobody has changed it, and writing it again would change nothing: it is no drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored_as: Option<String>,
}

/// A digest rather than the configuration: its URL may be secret.
fn fingerprint(configuration: &CallbackConfiguration) -> String {
    let json = serde_json::to_vec(configuration).expect("strings are JSON");
    STANDARD_NO_PAD.encode(Sha256::digest(json))
}

/// Reads back what was written by the request `request_id`: a service that stores something else would be a difference
/// in every plan from now on. Returns the request ID of the last write.
async fn confirm(
    tencent: &Tencent,
    app: &App,
    written: &CallbackConfiguration,
    request_id: String,
    patience: &Patience,
    cx: &mut Context,
) -> String {
    cx.set_private(&Memory::default());
    let Some(stored) = read_back(tencent, app, cx).await.filter(|stored| !stored.is_equivalent(written)) else {
        return request_id;
    };
    // Somebody may have written in between. Written once more, what somebody else wrote is gone, and what is Tencent's
    // own form of this comes back the same.
    let again = tencent.client.set_callback(app, SERVICE, written, patience).await;
    let (request_id, stored_again) = match again {
        Ok(request_id) => (request_id, read_back(tencent, app, cx).await),
        Err(error) => {
            tracing::warn!(%error, "the configuration was not written once more");
            (request_id, None)
        }
    };
    if stored_again.as_ref().is_some_and(|stored| stored.is_equivalent(written)) {
        return request_id;
    }
    if stored_again.as_ref() == Some(&stored) {
        cx.set_private(&Memory { stored_as: Some(fingerprint(&stored)) });
    }
    cx.warn(Diagnostic::warning(
        "Tencent stores another callback configuration than was written",
        format!(
            "SDKAppID {} was told to send {}. Reading it back shows that it sends {}.",
            app.sdk_app_id(),
            describe(written),
            describe(&stored_again.unwrap_or(stored))
        ),
    ));
    request_id
}

async fn read_back(tencent: &Tencent, app: &App, cx: &Context) -> Option<CallbackConfiguration> {
    tencent.client.get_callback(app, SERVICE, &look(cx)).await.unwrap_or_else(|error| {
        // The write itself succeeded; the next plan reads again.
        tracing::warn!(%error, "the written configuration could not be read back");
        None
    })
}

/// How long to look for what holds after a write.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

fn look(cx: &Context) -> Patience {
    Patience { deadline: Instant::now() + LOOK_TIMEOUT, stop: cx.stop().clone() }
}

async fn after_failed_write(
    tencent: &Tencent,
    app: &App,
    planned: CallCallback,
    prior: Option<CallCallback>,
    configuration: &CallbackConfiguration,
    error: &tencent::Error,
    cx: &mut Context,
) -> Result<CallCallback, Failure<CallCallback>> {
    let id = app.sdk_app_id();
    let mut diagnostic = checks::call_failed("Writing the callback configuration", id, error);
    if !error.may_have_taken_effect {
        return Err(diagnostic.into());
    }
    match tencent.client.get_callback(app, SERVICE, &look(cx)).await {
        Ok(Some(remote)) if remote.is_equivalent(configuration) => {
            diagnostic.summary = format!("The callback configuration of SDKAppID {id} was written, but not confirmed");
            diagnostic.severity = crate::terraform::Severity::Warning;
            diagnostic.detail += "\n\nReading it back shows that the configuration is as planned.";
            cx.warn(diagnostic);
            Ok(CallCallback { last_request_id: Attr::Null, ..planned })
        }
        Ok(Some(remote)) => {
            diagnostic.detail += &format!(
                "\n\nReading it back shows that it was not written: the application sends {}.",
                describe(&remote)
            );
            // What is there was not created here; but what was managed before is, whatever it holds now.
            let state = prior.map(|prior| prior.holding(remote));
            Err(Failure { diagnostics: diagnostic.into(), state })
        }
        Ok(None) => {
            diagnostic.detail += "\n\nReading it back shows that it was not written: the application has none.";
            Err(diagnostic.into())
        }
        Err(_) => {
            diagnostic.detail += "\n\nIt may have been written all the same, and reading it back failed as well. The \
                                  next plan will show what is there.";
            Err(diagnostic.into())
        }
    }
}
