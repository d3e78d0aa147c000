//! The callback configuration of any service, for one operation: read, deleted, and written so that the outcome is known.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::checks;
use super::tencent::{Application, Tencent};
use crate::tencent::{CallbackConfiguration, Error, ErrorKind, Patience, SdkAppId, Service};
use crate::terraform::{Attr, Context, Diagnostic, Diagnostics, Number, Severity};

/// How long to look at most for what holds after a write.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// The same when the operation was interrupted.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// An application's callback configuration, while an operation lasts.
#[derive(Debug)]
pub(super) struct Callback<'a> {
    tencent: &'a Tencent,
    application: Arc<Application>,
    service: Service,
    patience: Patience,
}

/// A write that took effect.
#[derive(Debug)]
pub(super) struct Written {
    /// Tencent's `RequestId`, if an answer with one arrived.
    pub(super) request_id: Option<String>,
    /// What Tencent stores instead of what was written, if it does.
    pub(super) stored_as: Option<CallbackConfiguration>,
}

/// A write that did not take effect, or possibly not.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) diagnostic: Diagnostic,
    /// What is there instead, if something is and it could be read.
    pub(super) found: Option<CallbackConfiguration>,
}

impl<'a> Callback<'a> {
    /// That of the application which the argument `sdk_app_id` names, or else the provider's.
    ///
    /// # Errors
    ///
    /// If neither names one, or the provider has no credentials.
    pub(super) fn of(
        tencent: &'a Tencent,
        service: Service,
        sdk_app_id: &Attr<Number>,
        timeout: Duration,
        cx: &Context,
    ) -> Result<Self, Diagnostics> {
        let application = tencent.app(tencent.sdk_app_id(sdk_app_id)?)?;
        let patience = Patience { deadline: Instant::now() + timeout, stop: cx.stop().clone() };
        Ok(Self { tencent, application, service, patience })
    }

    pub(super) fn sdk_app_id(&self) -> SdkAppId {
        self.application.app.sdk_app_id()
    }

    /// Reads it; `None` if there is none.
    pub(super) async fn look(&self) -> Result<Option<CallbackConfiguration>, Error> {
        self.tencent.client.get_callback(&self.application.app, self.service, &self.patience).await
    }

    /// Reads it; `None` if there is none.
    pub(super) async fn get(&self) -> Result<Option<CallbackConfiguration>, Diagnostics> {
        let failed =
            |error| checks::call_failed("Reading the callback configuration", self.sdk_app_id(), &error).into();
        self.look().await.map_err(failed)
    }

    /// Deletes it; none to delete is a success.
    ///
    /// What this process itself has written stays: Terraform has created the replacement before it destroys what is
    /// replaced, or has moved the object to another address without being told so. To Tencent, it is one object.
    pub(super) async fn delete(&self, cx: &mut Context) -> Result<(), Diagnostics> {
        let written = self.application.written.lock().await;
        if written.contains(&self.service) {
            cx.warn(Diagnostic::warning(
                format!("The callback configuration of SDKAppID {} was not deleted", self.sdk_app_id()),
                "The same apply has just written it for another resource, or for this one's replacement. An application \
                 has one callback configuration: deleting it would have deleted the new one.",
            ));
            return Ok(());
        }
        self.tencent.client.delete_callback(&self.application.app, self.service, &self.patience).await.map_err(
            |error| {
                let mut diagnostic =
                    checks::call_failed("Deleting the callback configuration", self.sdk_app_id(), &error);
                if error.may_have_taken_effect {
                    diagnostic.detail += "\n\nIt may have been deleted all the same. The next plan will show.";
                }
                diagnostic.into()
            },
        )
    }

    /// Replaces it as a whole, and finds out what holds afterwards.
    pub(super) async fn write(
        &self,
        configuration: &CallbackConfiguration,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut services_written = self.application.written.lock().await;
        let written = match self.set(configuration).await {
            Ok(request_id) => self.confirm(configuration, request_id, cx).await,
            Err(error) => self.find_out(configuration, &error, cx).await?,
        };
        services_written.insert(self.service);
        Ok(written)
    }

    /// Writes, and keeps a part of the time for finding out what holds, whatever becomes of the write.
    async fn set(&self, configuration: &CallbackConfiguration) -> Result<String, Error> {
        let left = self.patience.deadline.saturating_duration_since(Instant::now());
        let deadline = self.patience.deadline - LONGEST_LOOK.min(left / 4);
        let patience = Patience { deadline, stop: self.patience.stop.clone() };
        self.tencent.client.set_callback(&self.application.app, self.service, configuration, &patience).await
    }

    /// Reads back what was written: a service that stores something else would be a difference in every plan from now
    /// on.
    async fn confirm(&self, written: &CallbackConfiguration, request_id: String, cx: &mut Context) -> Written {
        let as_written = Written { request_id: Some(request_id), stored_as: None };
        let Some(stored) = self.read_back().await.filter(|stored| !stored.is_equivalent(written)) else {
            return as_written;
        };
        // Somebody may have written in between. Written once more, what somebody else wrote is gone, and what is
        // Tencent's own form of this comes back the same.
        let Ok(request_id) = self.set(written).await else { return as_written };
        let Some(stored_again) = self.read_back().await.filter(|stored| !stored.is_equivalent(written)) else {
            return Written { request_id: Some(request_id), stored_as: None };
        };
        cx.warn(self.stores_something_else(written, &stored_again));
        Written { request_id: Some(request_id), stored_as: (stored_again == stored).then_some(stored) }
    }

    /// What a person must know for as long as that is so: the plan shows what was written.
    pub(super) fn stores_something_else(
        &self,
        written: &CallbackConfiguration,
        stored: &CallbackConfiguration,
    ) -> Diagnostic {
        Diagnostic::warning(
            "Tencent stores another callback configuration than was written",
            format!(
                "SDKAppID {} was told to send {}. Reading it back showed that it sends {}, also after writing again. \
                 Terraform shows no difference, for applying would change nothing. Either write the configuration the \
                 way Tencent stores it, or find out who else sets it.",
                self.sdk_app_id(),
                describe(written),
                describe(stored)
            ),
        )
    }

    async fn read_back(&self) -> Option<CallbackConfiguration> {
        let deadline = self.patience.deadline.min(Instant::now() + LONGEST_LOOK);
        let patience = Patience { deadline, stop: self.patience.stop.clone() };
        self.tencent.client.get_callback(&self.application.app, self.service, &patience).await.unwrap_or_else(|error| {
            // The write itself succeeded; the next plan reads again.
            tracing::warn!(%error, "the written configuration could not be read back");
            None
        })
    }

    /// After a failed write: looks for what holds, unless it is certain that nothing was written.
    async fn find_out(
        &self,
        wanted: &CallbackConfiguration,
        error: &Error,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let id = self.sdk_app_id();
        let mut diagnostic = checks::call_failed("Writing the callback configuration", id, error);
        if !error.may_have_taken_effect {
            return Err(Unwritten { diagnostic, found: None });
        }
        let patience = match error.kind {
            // Terraform waits for the end; a moment is left to find out.
            ErrorKind::Stopped => Patience::of(LAST_LOOK),
            _ => self.patience.clone(),
        };
        let found = self.tencent.client.get_callback(&self.application.app, self.service, &patience).await;
        match &found {
            Ok(Some(found)) if found.is_equivalent(wanted) => {
                diagnostic.summary = format!("The callback configuration of SDKAppID {id} was written, unconfirmed");
                diagnostic.severity = Severity::Warning;
                diagnostic.detail += "\n\nReading it back shows that the configuration is as planned.";
                cx.warn(diagnostic);
                return Ok(Written { request_id: None, stored_as: None });
            }
            Ok(Some(found)) => {
                let found = describe(found);
                diagnostic.detail += &format!(
                    "\n\nReading it back shows that it was not written so far: the application sends {found}."
                );
            }
            Ok(None) => {
                diagnostic.detail +=
                    "\n\nReading it back shows that it was not written so far: the application has none.";
            }
            Err(_) => {
                diagnostic.detail += "\n\nIt may have been written all the same, and reading it back failed as well. \
                                      The next plan will show what is there.";
            }
        }
        Err(Unwritten { diagnostic, found: found.ok().flatten() })
    }
}

/// "A, B to URL", masked.
pub(super) fn describe(configuration: &CallbackConfiguration) -> String {
    let commands: Vec<_> = configuration.callback_commands.iter().map(String::as_str).collect();
    let commands = if commands.is_empty() { "no events".to_owned() } else { list(&commands) };
    format!("{commands} to {}", configuration.url)
}

pub(super) fn list(commands: &[&str]) -> String {
    commands.join(", ")
}
