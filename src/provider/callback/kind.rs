//! Resources such as `tencent_call_callback`.

use secrecy::{ExposeSecret as _, SecretString};

use super::{commands, url};
use crate::model;
use crate::provider::services::{CallbackService, Commands, Event, Naming};
use crate::provider::singleton::{Arguments, Content, Kind, Wording as _, validate_secret};
use crate::tencent::{CallbackConfiguration, CallbackUrl, OwnForm, SdkAppId, Service};
use crate::terraform::{Attr, Attribute, Diagnostic, Diagnostics, Number, SetOf, Type};

/// The callback configuration of one service, with the name of the argument that lists its events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallbackKind<N = Commands>(pub(crate) &'static CallbackService, pub(crate) N);

model! {
    /// The arguments that describe a callback configuration.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct CallbackArguments<N: Naming> {
        pub(crate) url: Attr<String>,
        pub(crate) url_wo: Attr<SecretString>,
        pub(crate) url_wo_version: Attr<Number>,
        pub(crate) events as N::EVENTS: Attr<SetOf<String>>,
    }
}

impl<N: Naming> Kind for CallbackKind<N> {
    type Content = CallbackConfiguration;
    type Arguments = CallbackArguments<N>;

    fn type_name(&self) -> &'static str {
        self.0.type_name
    }

    fn service(&self) -> Service {
        self.0.api
    }

    fn description(&self) -> String {
        let CallbackService { name, title, events_of, notes, .. } = self.0;
        let name = name.replace('_', " ");
        let notes = notes.iter().map(|note| format!("\n\n{note}")).collect::<String>();
        format!(
            "Manages the {title} callback configuration (webhook) of an application: which events of {events_of} Tencent \
             posts to which URL.\n\nAn application has **one** such configuration, and Tencent's API overwrites it as a \
             whole. If a configuration exists already, a plan that would create one fails, and shows what exists, how to \
             import it, and how to overwrite it on purpose. The provider checks again right before each write and each \
             deletion. If someone has changed the configuration since the plan, the apply fails and leaves it as it is. \
             With `overwrite_existing = true`, these errors are warnings.\n\n~> **One resource per application:** Manage \
             an application's {name} callbacks with one resource, in one provider block. To rename the resource, use a \
             `moved` block. If the state holds two objects for one configuration, destroying one of them keeps the \
             configuration for the other, unless `-target` or OpenTofu's `-exclude` leaves out the other one, or the two \
             belong to different provider blocks.{notes}"
        )
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::new("url", Type::String, URL),
            Attribute::new("url_wo", Type::String, URL_WO).write_only(),
            Attribute::new("url_wo_version", Type::Number, URL_WO_VERSION),
            Attribute::new(N::EVENTS, Type::set(Type::String), events(self.0)).required(),
        ]
    }

    fn validate(&self, arguments: &CallbackArguments<N>) -> Diagnostics {
        let CallbackArguments { url, url_wo, url_wo_version, .. } = arguments;
        let mut diagnostics = validate_secret(self.words(), url, url_wo, url_wo_version);
        let argument = if arguments.is_write_only() { "url_wo" } else { "url" };
        diagnostics.extend(arguments.callback_url().map(|url| url::check(argument, &url)).unwrap_or_default());
        if let Some(commands) = arguments.events.known() {
            diagnostics.extend(commands::validate(commands, self.0));
        }
        diagnostics
    }

    fn review_imported(&self, id: SdkAppId, found: &CallbackConfiguration) -> Option<Diagnostic> {
        let CallbackConfiguration { url, .. } = found;
        let detail = format!(
            "{url} is the {} callback URL of SDKAppID {id}. What Terraform imports is in the plan and the state in plain \
             text, and in a configuration that Terraform generates. Before you commit that, take the URL from a variable: \
             from a sensitive one with url, or from an ephemeral one with url_wo and url_wo_version. With url_wo, the next \
             apply removes the URL from the state.",
            self.0.title
        );
        let warning = Diagnostic::warning("An imported callback URL may contain a secret", detail);
        url.may_carry_secret().then_some(warning)
    }
}

const URL: &str = "The `https` or `http` URL that Tencent posts the events to. Tencent's servers must be able to reach it. \
                   Set exactly one of `url` and `url_wo`. The URL is in the plan and in the state as you write it: if it \
                   carries a secret, take it from a variable that is `sensitive`, so that Terraform does not print it, or \
                   use `url_wo`.";
const URL_WO: &str = "The same as `url`, for a URL that carries a secret: it is in neither the plan nor the state. Requires \
                      Terraform or OpenTofu 1.11 or later: see [Write-only \
                      arguments](../guides/security.md#write-only-arguments).";
const URL_WO_VERSION: &str = "Any number. Change it whenever you change `url_wo`: Terraform cannot see that change by \
                              itself.";

fn events(service: &CallbackService) -> String {
    let event = |Event { command, meaning, carries, page, .. }: &Event| {
        let carries = if carries.is_empty() { String::new() } else { format!(" Carries {carries}.") };
        format!("\n  - [`{command}`](https://trtc.io/document/{page}): {meaning}.{carries}")
    };
    format!(
        "The events to send, by their {}s, at least one:\n{}",
        service.word(),
        service.events.iter().map(event).collect::<String>()
    )
}

impl<N: Naming> Arguments for CallbackArguments<N> {
    type Content = CallbackConfiguration;

    fn content(&self) -> Option<CallbackConfiguration> {
        Some(CallbackConfiguration { url: self.callback_url()?, callback_commands: self.commands()? })
    }

    fn holding(self, found: CallbackConfiguration) -> Self {
        let here = self.url.known().filter(|here| CallbackUrl::from((*here).clone()).is_equivalent(&found.url));
        Self {
            url: Attr::Known(here.cloned().unwrap_or_else(|| found.url.expose().to_owned())),
            events: Attr::Known(found.callback_commands.into_iter().collect()),
            ..self
        }
    }

    fn differs(&self, other: &Self) -> bool {
        self.events != other.events
    }

    fn is_write_only(&self) -> bool {
        self.url.is_null()
    }

    fn secret(&self) -> Option<SecretString> {
        self.callback_url().map(|url| url.canonical().into())
    }

    fn write_only(self, version: Attr<Number>) -> Self {
        Self { url: Attr::Null, url_wo_version: version, ..self }
    }

    fn version(&self) -> &Attr<Number> {
        &self.url_wo_version
    }

    fn spelled_like(self, prior: &Self) -> Self {
        match (self.url.known(), prior.url.known()) {
            (Some(url), Some(prior_url)) if CallbackUrl::from(url.clone()).is_equivalent(&prior_url.clone().into()) => {
                Self { url: prior.url.clone(), ..self }
            }
            _ => self,
        }
    }

    fn written_as(&self, stored: &CallbackConfiguration) -> Option<CallbackConfiguration> {
        match self.is_write_only() {
            true => Some(CallbackConfiguration { url: stored.url.clone(), callback_commands: self.commands()? }),
            false => self.content(),
        }
    }

    fn is_disclosed_by(&self, found: &CallbackConfiguration) -> bool {
        self.callback_url().is_some_and(|url| url.is_respelling_of(&found.url))
    }
}

impl<N: Naming> CallbackArguments<N> {
    /// Returns the URL from the argument that is set, if it is known.
    pub(super) fn callback_url(&self) -> Option<CallbackUrl> {
        match &self.url {
            Attr::Null => Some(CallbackUrl::from(self.url_wo.known()?.expose_secret().to_owned()).secret()),
            url => url.known().cloned().map(CallbackUrl::from),
        }
    }

    fn commands(&self) -> Option<std::collections::BTreeSet<String>> {
        Some(self.events.known()?.known()?.into_iter().cloned().collect())
    }
}

impl Content for CallbackConfiguration {
    fn is_same(&self, other: &Self) -> bool {
        self.is_equivalent(other)
    }

    fn write_only_part(&self) -> SecretString {
        self.url.canonical().into()
    }

    fn own_form(&self, stored: &Self) -> Option<&'static str> {
        Self::own_form(self, stored).map(|form| match form {
            OwnForm::FewerCommands => "fewer events than it received",
            OwnForm::MoreCommands => "more events than it received",
            OwnForm::Spelling => "a different spelling of what it received",
        })
    }

    fn concealed(self) -> Self {
        self.secret()
    }
}
