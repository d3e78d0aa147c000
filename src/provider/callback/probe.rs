//! The action `tencent_callback_probe`, which posts an event that never happened, as Tencent would, and reports the
//! receiver's answer.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{CallbackKind, commands, url};
use crate::model;
use crate::provider::applications::{self, Applications, Purpose};
use crate::provider::callback_token::CallbackTokenKind;
use crate::provider::services::live;
use crate::provider::services::{self, CallbackService, Commands, SERVICES};
use crate::provider::singleton::{DEFAULT_TIMEOUT, Remote, Scope, sentence};
use crate::tencent::{Answered, ApiVersion, CallbackUrl, Concern, Probe, ProbeError, SdkAppId, TENCENT_WAITS};
use crate::terraform::{
    Action, Attr, Attribute, Block, Context, Diagnostic, Diagnostics, Number, Progress, Schema, Type,
};

const DESCRIPTION: &str = "\
Posts one event to a callback URL as Tencent does, and checks the answer: HTTP status 200 within two seconds, and JSON with \
`ActionStatus` \"OK\", `ErrorCode` and `ErrorInfo`. For an action of `tencent_legacy_call_callback`, the query, the body and \
the answer have the names of that API, which documents no time limit. Use it to try out a receiver after a change to its \
callback, or from the command line, before a real event occurs.

The event has the form that Tencent documents, but never happened: the ID of its call, room or battle is \
`00000000-0000-0000-0000-000000000000`, its users are `terraform-probe`, and the request's `User-Agent` ends in `(callback \
probe)`. If the application has an enabled `tencent_live_callback_token`, the probe signs an event of live streams as Tencent \
would. Looking up the token requires the provider's credentials for the application. With a `url` and without credentials, \
the probe sends the event unsigned and says so.

The probe goes from this machine straight to the receiver. It uses no proxy, follows no redirect, and sends no credentials, \
not even those in the URL. It refuses addresses of this machine and of private networks, which Tencent cannot reach, unless \
`allow_private` is set.

A failed probe is an error: the apply fails, and the callback stays as the apply has set it. The next apply does not repeat \
the probe; `terraform apply -invoke=ADDRESS` does. From Terraform 1.16 on, `on_failure` in `action_trigger` decides what \
follows. With `continue`, the failure is a warning, and the apply succeeds. With `taint` after a creation, the apply fails, and \
the next one replaces the resource and probes again; Tencent keeps the configuration meanwhile. Terraform 1.14 and 1.15 have no \
`on_failure`. There, to let an apply succeed whatever the probe finds, leave out the trigger, and invoke the probe in a step of \
its own.

Trigger the probe by `after_create` and `after_update`. Before a creation there may be no URL to probe, and from Terraform 1.16 \
on, `before_create` runs after the destruction if the resource is replaced: if the probe fails then, Tencent keeps the \
configuration, but the state no longer has it. The next apply takes it over; if the resource no longer describes it, the plan \
shows the `import` block. `terraform destroy` shows what `before_destroy` or `after_destroy` finds, as a warning, and goes on.";

model! {
    /// The attributes of the block `config`.
    #[derive(Debug, Default)]
    pub(crate) struct ProbeConfig {
        callback_command: Attr<String>,
        service: Attr<String>,
        sdk_app_id: Attr<Number>,
        url: Attr<String>,
        allow_private: Attr<bool>,
    }
}

/// The action.
#[derive(Debug)]
pub(crate) struct CallbackProbe;

impl Block for CallbackProbe {
    type Client = Applications;
    type Model = ProbeConfig;

    fn type_name(&self) -> &'static str {
        "tencent_callback_probe"
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: DESCRIPTION.into(),
            attributes: vec![
                Attribute::new(
                    "callback_command",
                    Type::String,
                    "The event to post, such as `Call.CallbackAfterEndCall`, or an action of `tencent_legacy_call_callback`, \
                     such as `normal_end`.",
                )
                .required(),
                Attribute::new(
                    "service",
                    Type::String,
                    format!(
                        "The service that the event belongs to: one of {}. Required only for an event of several \
                         services, such as `Mic.CallbackAfterSeatInfoChanged`.",
                        services::names()
                    ),
                ),
                Attribute::new(
                    "sdk_app_id",
                    Type::Number,
                    "The SDKAppID of the application that the event belongs to. Default: the provider's `sdk_app_id`.",
                ),
                Attribute::new(
                    "url",
                    Type::String,
                    "Where to post the event. Default: the URL that the application has at Tencent. Looking that up \
                     requires the provider's credentials.",
                ),
                Attribute::new(
                    "allow_private",
                    Type::Bool,
                    "Whether the URL may lead to this machine or into a private network. Default: `false`.",
                ),
            ],
        }
    }

    fn validate(&self, config: &ProbeConfig) -> Diagnostics {
        let mut diagnostics = applications::check_sdk_app_id(&config.sdk_app_id);
        if !config.service.is_unknown()
            && let Some(command) = config.callback_command.known()
            && let Err(unknown) = sample_of(command, config.service.known())
        {
            diagnostics.push(unknown);
        }
        if let Some(url) = config.url.known().cloned().map(CallbackUrl::from)
            && let Err(error) = url.check()
        {
            diagnostics.push(url::invalid("url", &url, error));
        }
        diagnostics
    }
}

impl Action for CallbackProbe {
    async fn plan(&self, apps: &Applications, config: ProbeConfig, cx: &mut Context) -> Result<(), Diagnostics> {
        if let Some(url) = config.url.known().cloned().map(CallbackUrl::from)
            && matches!(config.allow_private, Attr::Null | Attr::Known(false))
            && url.check().is_ok_and(|concerns| concerns.contains(&Concern::Unreachable))
        {
            let summary = format!("The callback probe of {url} would fail");
            let detail = format!("It is an address of this machine or of a private network. {USE_ITS_PUBLIC_ADDRESS}");
            return Err(Diagnostic::error(summary, detail).on("url").into());
        }
        if cx.provider_is_known() && !config.sdk_app_id.is_unknown() && apps.is_known(&config.sdk_app_id) {
            let sdk_app_id = apps.sdk_app_id(&config.sdk_app_id, config.purpose())?;
            if config.url.is_null() {
                apps.app(sdk_app_id, Purpose::Call)?;
            }
        }
        Ok(())
    }

    async fn invoke(
        &self,
        apps: &Applications,
        config: ProbeConfig,
        progress: &Progress<'_>,
        cx: &mut Context,
    ) -> Result<(), Diagnostics> {
        let sdk_app_id = apps.sdk_app_id(&config.sdk_app_id, config.purpose())?;
        let callback_command = config.callback_command.known().cloned().unwrap_or_default();
        let (service, event) = sample_of(&callback_command, config.service.known())?;
        let url = match config.url.known().cloned() {
            Some(url) => url.into(),
            None => url_of(Scope::new(apps, CallbackKind(service, Commands)), sdk_app_id, cx).await?,
        };
        let (token, signing) = match service.api == live::API {
            true => token_of(apps, sdk_app_id, config.url.is_null(), cx).await?,
            false => (None, ""),
        };
        let allow_private = config.allow_private == Attr::Known(true);
        let version = service.api.version;
        let probe = Probe { version, sdk_app_id, callback_command, event, token, url, allow_private };
        let Probe { callback_command, url, .. } = &probe;
        progress.tell(format!("Posting {callback_command} of SDKAppID {sdk_app_id} to {url}{signing}")).await;
        let outcome = tokio::select! {
            outcome = probe.send() => outcome,
            () = cx.stop().cancelled() => return Err(interrupted().into()),
            () = cx.end().cancelled() => return Err(interrupted().into()),
        };
        match outcome {
            Ok(Answered { took, code }) => {
                let took = took.as_millis();
                let decision = match callback_command.as_str() {
                    live::SEND_GIFT if code == 0 => ", which allows the gift",
                    live::SEND_GIFT => ", which blocks the gift",
                    _ => "",
                };
                let answer = match version {
                    ApiVersion::V1 => "with status 200 and ErrorCode",
                    ApiVersion::V4 => "with status 200, ActionStatus \"OK\" and ErrorCode",
                };
                progress.tell(format!("The receiver answered after {took} ms, {answer} {code}{decision}")).await;
                Ok(())
            }
            Err(error) => Err(failed(&probe, &error).into()),
        }
    }
}

impl ProbeConfig {
    /// Returns the purpose of the application: with a URL, no call to Tencent is necessary.
    fn purpose(&self) -> Purpose {
        if self.url.is_null() { Purpose::Call } else { Purpose::Name }
    }
}

const USE_ITS_PUBLIC_ADDRESS: &str = "Tencent cannot reach it. Use the receiver's public address, or set allow_private \
                                      to true to probe it anyway.";

/// Finds the service that sends the event of a command, and makes a sample of the event.
fn sample_of(
    command: &str,
    service: Option<&String>,
) -> Result<(&'static CallbackService, Map<String, Value>), Diagnostic> {
    let mut services: Vec<_> = services::of_command(command).collect();
    if let Some(name) = service {
        let Some(service) = services::named(name) else {
            let reason = format!("{name:?} is not a service. It can be {}.", services::names());
            return Err(Diagnostic::invalid("service", reason));
        };
        services = vec![service];
    }
    let &[service] = services.as_slice() else {
        if services.is_empty() {
            return Err(Diagnostic::invalid("callback_command", unknown(command, SERVICES.iter().copied())));
        }
        let names: Vec<_> = services.iter().map(|service| format!("{:?}", service.name)).collect();
        let reason = format!("{command:?} is an event of several services. Set service to {}.", names.join(" or "));
        return Err(Diagnostic::error("Missing service", reason).on("service"));
    };
    if let Some(sample) = service.sample(command) {
        return Ok((service, sample));
    }
    let reason = match services::of_command(command).next() {
        _ if service.event(command).is_some() => {
            format!("Tencent's documentation has no example of {command:?} to post.")
        }
        Some(other) => format!(
            "{command:?} is an event of {}, not of {}. Remove service, or set it to {:?}.",
            other.events_of, service.events_of, other.name
        ),
        None => unknown(command, std::iter::once(service)),
    };
    Err(Diagnostic::invalid("callback_command", reason))
}

fn unknown(command: &str, services: impl Iterator<Item = &'static CallbackService>) -> String {
    let known: BTreeSet<_> = services.flat_map(CallbackService::probed_commands).collect();
    let known: Vec<_> = known.into_iter().collect();
    let hint = match commands::near_miss(command, known.iter().copied()) {
        Some(meant) => format!("Did you mean {meant:?}?"),
        None => format!("The events that can be probed are {}.", known.join(", ")),
    };
    format!("{command:?} is not an event that can be probed. {hint}")
}

/// Looks up the application's URL at Tencent.
async fn url_of(scope: Scope<'_, CallbackKind>, id: SdkAppId, cx: &Context) -> Result<CallbackUrl, Diagnostics> {
    let remote = Remote::new(scope, scope.apps.app(id, Purpose::Call)?, DEFAULT_TIMEOUT, cx);
    // The URL may come from url_wo, so messages mask all of it.
    let Some(url) = remote.get().await?.map(|configuration| configuration.url.secret()) else {
        let detail = "There is no URL to post an event to. Set url, or configure the callback first.";
        let summary = format!("SDKAppID {id} has no {} callback configuration", scope.kind.0.title);
        return Err(Diagnostic::error(summary, detail).into());
    };
    url.check().map_err(|error| url::invalid("url", &url, error))?;
    Ok(url)
}

/// Looks up the token with which Tencent signs the application's events, and returns a remark on it for the progress
/// message. Without credentials, the event goes unsigned unless they are `needed`.
async fn token_of(
    apps: &Applications,
    id: SdkAppId,
    needed: bool,
    cx: &Context,
) -> Result<(Option<SecretString>, &'static str), Diagnostics> {
    let app = match apps.app(id, Purpose::Call) {
        Ok(app) => app,
        Err(diagnostics) if needed => return Err(diagnostics),
        Err(_) => return Ok((None, ", unsigned: without credentials, the Live callback token cannot be looked up")),
    };
    let token = Remote::new(Scope::new(apps, CallbackTokenKind), app, DEFAULT_TIMEOUT, cx).get().await?;
    Ok(match token.filter(|token| token.enabled) {
        Some(token) => (Some(token.token), ", signed with the application's Live callback token"),
        None => (None, ", unsigned: the application has no enabled Live callback token"),
    })
}

fn interrupted() -> Diagnostic {
    Diagnostic::error("The callback probe was interrupted", "The event may or may not have arrived. Probe again.")
}

fn failed(Probe { version, url, .. }: &Probe, error: &ProbeError) -> Diagnostic {
    let advice = match error {
        ProbeError::NoAddress(_) => "Check the URL. Tencent looks the name up in the public DNS.".to_owned(),
        ProbeError::Private(_) => format!("Nothing was sent. {USE_ITS_PUBLIC_ADDRESS}"),
        ProbeError::Tls(_) => {
            "To post to an https URL, Tencent needs a server that speaks TLS and has a certificate for this host from \
             a public certificate authority."
                .to_owned()
        }
        ProbeError::NoAnswer(_) => {
            "Check that the receiver is running, and that this machine can reach it without a proxy.".to_owned()
        }
        ProbeError::Late(_) => match version {
            ApiVersion::V1 => "Tencent does not say how long it waits. Answer first, then do the work.".to_owned(),
            ApiVersion::V4 => {
                format!("Tencent waits {} seconds. Answer first, then do the work.", TENCENT_WAITS.as_secs())
            }
        },
        ProbeError::Status(status) if status.is_redirection() => {
            "Redirects are not followed. Use the URL that the redirect leads to.".to_owned()
        }
        ProbeError::Status(_) => "Tencent counts any status other than 200 as a failed callback.".to_owned(),
        ProbeError::Shape(_) => format!("Answer {}, with status 200.", Probe::expected_answer(*version)),
        ProbeError::Refused { .. } => "The receiver's log may say why.".to_owned(),
    };
    let detail = format!("{} {advice}", sentence(&format!("{error}.")));
    Diagnostic::error(format!("The callback probe of {url} failed"), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::{blamed, number, text};

    const SEATS: &str = "Mic.CallbackAfterSeatInfoChanged";
    const SWITCH: &str = "Live.CallbackBeforeCallBackNotBlock";

    #[test]
    fn invalid_arguments_are_named() {
        let right = || ProbeConfig {
            callback_command: text("Call.CallbackAfterEndCall"),
            url: text("https://hooks.example.com/call"),
            ..ProbeConfig::default()
        };
        for (config, expected) in [
            (right(), None),
            (ProbeConfig { url: Attr::Unknown, ..right() }, None),
            (ProbeConfig { callback_command: text("Call.Nothing"), ..right() }, Some("callback_command")),
            (ProbeConfig { service: text("call"), ..right() }, None),
            (ProbeConfig { service: text("live"), ..right() }, Some("callback_command")),
            (ProbeConfig { service: text("calls"), ..right() }, Some("service")),
            (ProbeConfig { callback_command: text(SEATS), ..right() }, Some("service")),
            (ProbeConfig { callback_command: text(SEATS), service: text("room"), ..right() }, None),
            (ProbeConfig { callback_command: text(SEATS), service: Attr::Unknown, ..right() }, None),
            (ProbeConfig { callback_command: text(SWITCH), ..right() }, Some("callback_command")),
            (ProbeConfig { sdk_app_id: number(0), ..right() }, Some("sdk_app_id")),
            (ProbeConfig { url: text("ftp://hooks.example.com"), ..right() }, Some("url")),
        ] {
            assert_eq!(blamed(CallbackProbe.validate(&config)).as_deref(), expected);
        }
    }
}
