//! Resource `tencent_call_callback`: which events of an application's calls Tencent posts to which URL.
//!
//! The remote object can only be overwritten as a whole, silently. So a plan that creates looks first whether there is
//! one already, and an update sends nothing unless the object itself changes.

use super::applications::Tencent;
use super::callback::memory::{Memory, Origin};
use super::callback::model::{ABANDON, CallCallback, DELETE, Operation, SERVICE, Timeouts};
use super::callback::{Unwritten, list, plan};
use super::checks;
use crate::model;
use crate::tencent::{CallbackUrl, Concern, InvalidCallbackUrl, SdkAppId};
use crate::terraform::{
    Attr, Attribute, Change, Context, Diagnostic, Diagnostics, Failure, IdentityAttribute, IdentitySchema,
    ImportTarget, ManagedResource, Nesting, Number, Schema, SetOf, Type, Value,
};

model! {
    /// What tells one callback configuration from all others.
    #[derive(Debug)]
    pub(super) struct Identity {
        sdk_app_id: Attr<Number>,
    }
}

/// The resource.
#[derive(Debug)]
pub(super) struct CallCallbackResource;

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
                          there. Right before each write and each deletion, the provider checks again: what the plan did \
                          not show is named in a warning, or refused with `overwrite_existing = false`.\n\nManage each \
                          application with one resource, in one provider block. Rename a resource with a `moved` block. \
                          If two objects in the state belong to one application, destroying one of them keeps the \
                          configuration of the other, unless `-target` selects only the one to destroy, or the two \
                          belong to different provider blocks.",
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
                    "Where Tencent posts the events: an `https` (or `http`) URL that Tencent's servers can reach. Exactly \
                     one of `url` and `url_wo` must be set.",
                ),
                Attribute::new(
                    "url_wo",
                    Type::String,
                    "The same as `url`, but in neither state nor plan, for a URL that carries a secret (Terraform 1.11 and \
                     later). It may come from an ephemeral value. Messages show no more of it than scheme and host. To \
                     find out when somebody sets another URL at Tencent, the provider keeps a digest in the state (an \
                     HMAC-SHA256, with a random key beside it). Whoever can read the state can try URLs out against \
                     that: let the secret be random, such as 32 hexadecimal digits. An import puts the URL that it finds \
                     into plan and state as `url`, until the next apply; the data source and `terraform query` show it.",
                )
                .write_only(),
                Attribute::new(
                    "url_wo_version",
                    Type::Number,
                    "Any number. Change it together with `url_wo`: Terraform does not see that by itself. If somebody has \
                     set another URL at Tencent, refreshing makes it null, so that the plan sets it again and sends \
                     `url_wo`.",
                ),
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
                    "Whether to replace or delete what somebody else has set. Default: `true`, with a warning. With \
                     `false`, creating where another configuration exists is an error in the plan, and so is a change \
                     made after the plan when applying it. An equal configuration is no error.",
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
        diagnostics.extend(validate_urls(config));
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
                // Terraform shows no line for a path inside a nested attribute.
                let detail = format!("timeouts.{name}: {reason}");
                diagnostics.push(Diagnostic::error("Invalid timeout", detail).on("timeouts"));
            }
        }
        diagnostics
    }

    async fn plan(
        &self,
        tencent: &Tencent,
        change: Change<CallCallback>,
        cx: &mut Context,
    ) -> Result<CallCallback, Diagnostics> {
        plan::plan(tencent, change, cx).await
    }

    async fn plan_destroy(&self, tencent: &Tencent, prior: CallCallback, cx: &mut Context) -> Result<(), Diagnostics> {
        plan::plan_destroy(tencent, &prior, cx)
    }

    async fn read(
        &self,
        tencent: &Tencent,
        state: CallCallback,
        cx: &mut Context,
    ) -> Result<Option<CallCallback>, Diagnostics> {
        if !tencent.is_known(&state.sdk_app_id) {
            cx.warn(credentials_not_known_yet(&state));
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
        let others = reading.found();
        if others.may_stay() {
            tencent.shared().insert(callback.sdk_app_id());
        }
        let mut memory = Memory {
            keep: others.may_stay(),
            rewrite: others.may_delete(),
            origin: Some(Origin::of(&callback)),
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
                    cx.warn(url_changed_elsewhere(callback.sdk_app_id(), &url));
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
        planned: CallCallback,
        cx: &mut Context,
    ) -> Result<CallCallback, Failure<CallCallback>> {
        Memory::begin_apply(cx);
        let callback = planned.at_tencent(tencent, Operation::Create, cx)?;
        let planned = planned.of(callback.sdk_app_id());
        // What is there after a failure was not created here.
        let written = callback.create(&planned.wanted()?, planned.is_guarded(), cx).await.map_err(|u| u.diagnostic)?;
        Ok(planned.after(&callback, written, cx))
    }

    async fn update(
        &self,
        tencent: &Tencent,
        prior: CallCallback,
        planned: CallCallback,
        cx: &mut Context,
    ) -> Result<CallCallback, Failure<CallCallback>> {
        let memory = Memory::begin_apply(cx);
        if !prior.differs_remotely(&planned, &memory) && !planned.last_request_id.is_unknown() {
            if prior.has_secret_url() && !planned.has_secret_url() {
                cx.set_private(&Memory { url: None, planned: None, ..memory });
            }
            return Ok(planned);
        }
        let callback = planned.at_tencent(tencent, Operation::Update, cx)?.hiding_url(prior.has_secret_url());
        let (last_request_id, wanted) = (prior.last_request_id.known(), planned.wanted()?);
        let is_the_same = planned.has_secret_url() && prior.remote().is_some_and(|prior| prior.is_equivalent(&wanted));
        if is_the_same && !memory.rewrite && callback.adopt(last_request_id, &wanted).await? {
            let url = planned.secret_url().map(|url| memory.digest_of(&url));
            cx.set_private(&Memory { url, planned: None, ..memory });
            return Ok(CallCallback { last_request_id: prior.last_request_id, ..planned });
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
        prior: CallCallback,
        cx: &mut Context,
    ) -> Result<(), Failure<CallCallback>> {
        let memory = Memory::begin_apply(cx);
        let planned = memory.planned.clone().unwrap_or_default();
        let replaced = planned.id.is_some() && planned.id.as_ref() == prior.id.known();
        if prior.is_abandoned() && !replaced {
            if let Ok(callback) = prior.at_tencent(tencent, Operation::Delete, cx) {
                callback.release(prior.remote());
            }
            return Ok(());
        }
        let callback = prior.at_tencent(tencent, Operation::Delete, cx)?;
        if (memory.keep || planned.keeps(&prior.id)) && !replaced {
            cx.warn(callback.record().not_deleted());
            return Ok(());
        }
        if let Some(origin) = planned.origin {
            origin.check(&callback)?;
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
    ) -> Result<CallCallback, Diagnostics> {
        let id = match &target {
            ImportTarget::Id(text) => text.parse::<SdkAppId>().map_err(|error| {
                let detail = format!("{text:?} cannot be imported: the import ID is the SDKAppID, and {error}.");
                Diagnostic::error("The import ID is not an SDKAppID", detail)
            })?,
            ImportTarget::Identity(identity) => tencent.sdk_app_id(&identity.sdk_app_id)?,
        };
        let imported = CallCallback::defaults().of(id);
        match imported.at_tencent(tencent, Operation::Read, cx)?.get().await? {
            Some(remote) => Ok(CallCallback::imported(id, remote)),
            None => Err(Diagnostic::error(
                format!("SDKAppID {id} has no callback configuration"),
                "There is nothing to import. Check the SDKAppID and the provider's region, or remove the import and \
                 let Terraform create the configuration.",
            )
            .into()),
        }
    }
}

/// Checks that there is exactly one URL, as far as that is known yet, and that one.
fn validate_urls(config: &CallCallback) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    match (&config.url, &config.url_wo) {
        (Attr::Null, Attr::Null) => {
            let detail = "Set url; or url_wo, for a URL that must be in neither state nor plan.";
            diagnostics.push(Diagnostic::error("Missing url", detail).on("url"));
        }
        (Attr::Known(_), Attr::Known(_)) => {
            let detail = "Only one of url and url_wo can be where Tencent posts the events. Remove the other.";
            diagnostics.push(Diagnostic::error("Both url and url_wo", detail).on("url_wo"));
        }
        (Attr::Known(url), _) => diagnostics.extend(validate_url("url", &url.clone().into())),
        _ => diagnostics.extend(config.secret_url().map(|url| validate_url("url_wo", &url)).unwrap_or_default()),
    }
    if config.url_wo.is_null() && !config.url_wo_version.is_null() && !config.url.is_null() {
        let detail = "url_wo_version tells when to send url_wo again, and there is no url_wo. Remove it.";
        diagnostics.push(Diagnostic::error("url_wo_version without url_wo", detail).on("url_wo_version"));
    }
    diagnostics
}

pub(super) fn invalid_url(argument: &str, url: &CallbackUrl, error: InvalidCallbackUrl) -> Diagnostic {
    let advice = if error == InvalidCallbackUrl::WhiteSpace { ": trimspace() removes it" } else { "" };
    let detail = format!("\"{url}\" cannot be a callback URL: {error}{advice}.");
    Diagnostic::error(format!("Invalid {argument}"), detail).on(argument)
}

fn validate_url(argument: &str, url: &CallbackUrl) -> Diagnostics {
    let concerns = match url.check() {
        Ok(concerns) => concerns,
        Err(error) => {
            return invalid_url(argument, url, error).into();
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
        Concern::Long => Diagnostic::warning(
            "The callback URL is very long",
            "It has more than 2,000 characters, more than many servers and proxies accept. Tencent adds parameters of \
             its own: see to it that events arrive.",
        ),
    };
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(concerns.into_iter().map(|concern| warning(concern).on(argument)));
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
        let likely = known.iter().map(|name| (name, likeness(name))).filter(|(_, likeness)| *likeness >= NEAR_MISS);
        let meant = likely.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(name, _)| name);
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

fn credentials_not_known_yet(state: &CallCallback) -> Diagnostic {
    let id = state.id.known().map(String::as_str).unwrap_or_default();
    Diagnostic::warning(
        format!("The callback configuration of SDKAppID {id} was not refreshed"),
        "The provider's apps has its credentials, which are known only after apply. The plan shows the object as the \
         last apply left it.",
    )
}

fn url_changed_elsewhere(id: SdkAppId, url: &CallbackUrl) -> Diagnostic {
    Diagnostic::warning(
        format!("The callback URL of SDKAppID {id} is not the one that Terraform sent"),
        format!(
            "Tencent now posts events to {url}. Somebody else has set that. The state does not hold the URL, so a plan shows \
             the difference only in url_wo_version or last_request_id. Applying sends url_wo again."
        ),
    )
}

fn not_refreshed(cause: Diagnostic) -> Diagnostic {
    let detail = format!("{}: {}", cause.summary, cause.detail);
    Diagnostic::warning("Not refreshed, because destroying it only forgets it", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{AttributePath, Severity};

    fn commands(commands: &[&str]) -> SetOf<String> {
        commands.iter().map(|command| (*command).to_owned()).collect()
    }

    #[test]
    fn commands_are_checked_and_misspellings_corrected() {
        use Severity::{Error, Warning};
        let all = SERVICE.callback_commands;
        for (set, expected) in [
            (commands(all), vec![]),
            (commands(&[]), vec![(Error, "Tencent needs at least one command")]),
            (commands(&["", all[0]]), vec![(Error, "Each command is the name of an event")]),
            (commands(&["call.callbackafterendcall"]), vec![(Warning, "Did you mean \"Call.CallbackAfterEndCall\"?")]),
            (
                commands(&["Call.CallbackAfterStarCall"]),
                vec![(Warning, "Did you mean \"Call.CallbackAfterStartCall\"?")],
            ),
            (
                commands(&["Call.CallbackBeforeRing"]),
                vec![(Warning, "is not a command that Tencent documents. It documents")],
            ),
        ] {
            let found: Vec<_> = validate_commands(&set).into_iter().collect();
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, (severity, text)) in found.iter().zip(expected) {
                assert_eq!(found.severity, severity);
                assert!(found.detail.contains(text), "{found:?}");
                assert_eq!(found.path, Some(AttributePath::attribute("callback_commands")));
            }
        }
    }

    #[test]
    fn a_url_that_is_refused_is_quoted_without_its_secrets() {
        let url = "https://ops:tok3n@hooks.example.com/a b?key=tok3n".to_owned();
        let found: Vec<_> = validate_url("url", &url.into()).into_iter().collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].detail.starts_with("\"https://***@hooks.example.com/a b?key=***\" cannot be"), "{found:?}");
    }
}
