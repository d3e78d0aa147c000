//! The callback configuration of any service, for one operation: read, deleted, and written so that the outcome is known.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep_until};

use super::applications::{Application, Tencent, Write};
use super::checks;
use crate::tencent::{App, CallbackConfiguration, Error, ErrorKind, Patience, SdkAppId, Service};
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

    pub(super) fn app(&self) -> &App {
        &self.application.app
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
        let failed = |error| checks::call_failed("Reading the callback configuration", self.app(), &error).into();
        self.look().await.map_err(failed)
    }

    /// Whether this process has just destroyed or abandoned it: whatever is there now was managed by the same state.
    pub(super) fn is_released(&self) -> bool {
        self.released().contains(&self.service)
    }

    /// Notes that Terraform lets go of it.
    pub(super) fn release(&self) {
        self.released().insert(self.service);
    }

    fn released(&self) -> std::sync::MutexGuard<'_, HashSet<Service>> {
        self.application.released.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Deletes it; none to delete is a success. `last_request_id` is that of the state that Terraform destroys.
    ///
    /// What another resource has written since stays: Terraform has created the replacement before it destroys what is
    /// replaced, or was not told that an object has another address now. To Tencent, the two are one object.
    pub(super) async fn delete(&self, last_request_id: Option<&String>, cx: &mut Context) -> Result<(), Diagnostics> {
        let mut writes = self.lock().await?;
        if writes.get(&self.service).is_some_and(|write| write.request_id.as_ref() != last_request_id) {
            cx.warn(Diagnostic::warning(
                format!("The callback configuration of SDKAppID {} was not deleted", self.sdk_app_id()),
                "The same apply has just written it for another resource, or for this one's replacement. An application \
                 has one callback configuration: deleting it would have deleted the new one.",
            ));
            return Ok(());
        }
        let deleted = self.tencent.client.delete_callback(&self.application.app, self.service, &self.writing()).await;
        if let Err(error) = deleted {
            self.find_out_deleted(&error, cx).await?;
        }
        writes.remove(&self.service);
        self.release();
        Ok(())
    }

    /// Writes it for a resource that does not manage it yet. With a `guard`, what exists is refused in its words.
    pub(super) async fn create(
        &self,
        configuration: &CallbackConfiguration,
        guard: Option<fn(SdkAppId, &CallbackConfiguration) -> Diagnostic>,
        cx: &mut Context,
    ) -> Result<Written, Diagnostics> {
        let mut writes = self.lock().await?;
        let guard = guard.filter(|_| !self.is_released());
        let written = writes.get(&self.service);
        if (guard.is_some() || written.is_some())
            && let Some(existing) = self.get().await?
        {
            if written.is_some_and(|written| written.configuration.is_equivalent(&existing)) {
                return Err(self.managed_twice().into());
            }
            if let Some(refusal) = guard {
                return Err(refusal(self.sdk_app_id(), &existing).into());
            }
        }
        // What is there after a failure was not created here.
        self.write(configuration, &mut writes, cx).await.map_err(|unwritten| unwritten.diagnostic.into())
    }

    /// Replaces it as a whole for the resource that manages it.
    pub(super) async fn update(
        &self,
        configuration: &CallbackConfiguration,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let mut writes = self.lock().await.map_err(|diagnostic| Unwritten { diagnostic, found: None })?;
        self.write(configuration, &mut writes, cx).await
    }

    fn managed_twice(&self) -> Diagnostic {
        let id = self.sdk_app_id();
        Diagnostic::error(
            format!("Two resources for the callback configuration of SDKAppID {id}"),
            "The same apply has just written it for another resource. An application has one callback configuration: \
             remove one of the two resources, or give it another sdk_app_id.",
        )
        .on("sdk_app_id")
    }

    /// Waits until no other resource of this process writes or deletes it.
    async fn lock(&self) -> Result<MutexGuard<'_, HashMap<Service, Write>>, Diagnostic> {
        tokio::select! {
            biased;
            writes = self.application.writes.lock() => Ok(writes),
            () = self.patience.stop.cancelled() => Err("the operation was interrupted"),
            () = sleep_until(self.patience.deadline) => Err("the operation's timeout ran out"),
        }
        .map_err(|why| {
            let id = self.sdk_app_id();
            Diagnostic::error(
                format!("Another resource is writing the callback configuration of SDKAppID {id}"),
                format!("While this one waited for it, {why}. An application should have one such resource."),
            )
        })
    }

    /// Writes, and finds out what holds afterwards.
    async fn write(
        &self,
        configuration: &CallbackConfiguration,
        writes: &mut HashMap<Service, Write>,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let written = match self.set(configuration).await {
            Ok(request_id) => self.confirm(configuration, request_id, cx).await,
            Err(error) => self.find_out(configuration, &error, cx).await?,
        };
        let (request_id, configuration) = (written.request_id.clone(), configuration.clone());
        writes.insert(self.service, Write { request_id, configuration });
        self.released().remove(&self.service);
        Ok(written)
    }

    async fn set(&self, configuration: &CallbackConfiguration) -> Result<String, Error> {
        self.tencent.client.set_callback(&self.application.app, self.service, configuration, &self.writing()).await
    }

    /// The time for a write: a part is kept for finding out what holds, whatever becomes of it.
    fn writing(&self) -> Patience {
        let left = self.patience.deadline.saturating_duration_since(Instant::now());
        let deadline = self.patience.deadline - LONGEST_LOOK.min(left / 4);
        Patience { deadline, stop: self.patience.stop.clone() }
    }

    /// Reads back what was written: a service that stores something else would be a difference in every plan from now
    /// on.
    async fn confirm(&self, written: &CallbackConfiguration, request_id: String, cx: &mut Context) -> Written {
        let as_written = |request_id| Written { request_id: Some(request_id), stored_as: None };
        let stored = match self.read_back().await {
            // The write itself succeeded; the next plan reads again.
            Err(_) => return as_written(request_id),
            Ok(Some(stored)) if stored.is_equivalent(written) => return as_written(request_id),
            Ok(stored) => stored,
        };
        // Somebody may have written in between. Written once more, what somebody else wrote is gone, and what is
        // Tencent's own form of this comes back the same.
        let (request_id, stored_again) = match self.set(written).await {
            Ok(request_id) => (request_id, self.read_back().await.unwrap_or_else(|_| stored.clone())),
            Err(_) => (request_id, stored.clone()),
        };
        if stored_again.as_ref().is_some_and(|stored| stored.is_equivalent(written)) {
            return as_written(request_id);
        }
        cx.warn(self.stores_something_else(written, stored_again.as_ref()));
        // The same host: events go where they should. Anything else is a difference, which the next plan shows.
        let own_form =
            stored_again.filter(|again| stored.as_ref() == Some(again) && again.url.has_host_of(&written.url));
        Written { request_id: Some(request_id), stored_as: own_form }
    }

    /// What a person must know for as long as that is so.
    pub(super) fn stores_something_else(
        &self,
        written: &CallbackConfiguration,
        stored: Option<&CallbackConfiguration>,
    ) -> Diagnostic {
        let stored = stored.map_or_else(|| "nothing at all".to_owned(), describe);
        Diagnostic::warning(
            "Tencent stores another callback configuration than was written",
            format!(
                "SDKAppID {} was told to send {}. Reading it back shows that it sends {stored}. Either write the \
                 configuration the way Tencent stores it, or find out who else sets it.",
                self.sdk_app_id(),
                describe(written),
            ),
        )
    }

    async fn read_back(&self) -> Result<Option<CallbackConfiguration>, Error> {
        let deadline = self.patience.deadline.min(Instant::now() + LONGEST_LOOK);
        let patience = Patience { deadline, stop: self.patience.stop.clone() };
        let read = self.tencent.client.get_callback(&self.application.app, self.service, &patience).await;
        read.inspect_err(|error| tracing::warn!(%error, "the written configuration could not be read back"))
    }

    /// After a failed write: looks for what holds, unless it is certain that nothing was written.
    async fn find_out(
        &self,
        wanted: &CallbackConfiguration,
        error: &Error,
        cx: &mut Context,
    ) -> Result<Written, Unwritten> {
        let id = self.sdk_app_id();
        let mut diagnostic = checks::call_failed("Writing the callback configuration", self.app(), error);
        if !error.may_have_taken_effect {
            return Err(Unwritten { diagnostic, found: None });
        }
        let found = self.look_after(error).await;
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

    /// After a failed deletion: looks for what holds, unless it is certain that nothing was deleted.
    async fn find_out_deleted(&self, error: &Error, cx: &mut Context) -> Result<(), Diagnostic> {
        let id = self.sdk_app_id();
        let mut diagnostic = checks::call_failed("Deleting the callback configuration", self.app(), error);
        if !error.may_have_taken_effect {
            return Err(diagnostic);
        }
        match self.look_after(error).await {
            Ok(None) => {
                diagnostic.summary = format!("The callback configuration of SDKAppID {id} was deleted, unconfirmed");
                diagnostic.severity = Severity::Warning;
                diagnostic.detail += "\n\nReading it back shows that it is gone.";
                cx.warn(diagnostic);
                return Ok(());
            }
            Ok(Some(found)) => {
                let found = describe(&found);
                diagnostic.detail += &format!(
                    "\n\nReading it back shows that it was not deleted so far: the application sends {found}."
                );
            }
            Err(_) => {
                diagnostic.detail += "\n\nIt may have been deleted all the same, and reading it back failed as well. \
                                      The next plan will show what is there.";
            }
        }
        Err(diagnostic)
    }

    async fn look_after(&self, error: &Error) -> Result<Option<CallbackConfiguration>, Error> {
        let patience = match error.kind {
            // Terraform waits for the end; a moment is left to find out.
            ErrorKind::Stopped => Patience::of(LAST_LOOK),
            _ => self.patience.clone(),
        };
        self.tencent.client.get_callback(&self.application.app, self.service, &patience).await
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
