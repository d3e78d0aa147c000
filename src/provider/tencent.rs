//! The configured provider: which application, with which credentials.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::callback::Record;
use super::checks;
use crate::tencent::{App, Client, Credentials, Endpoint, SdkAppId, Service};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Number};

/// What the provider block and the environment say, ready for calls.
#[derive(Debug)]
pub struct Tencent {
    pub(super) client: Client,
    pub(super) default_app: DefaultApp,
    /// Each application keeps the UserSig that it has signed.
    pub(super) apps: Mutex<HashMap<SdkAppId, Arc<Application>>>,
}

/// An application, and what was done for it since the provider was configured.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) app: App,
    records: Mutex<HashMap<Service, Arc<Record>>>,
}

impl Application {
    fn new(app: App) -> Self {
        Self { app, records: Default::default() }
    }

    /// What was done to the callback configuration of `service`.
    pub(super) fn record(&self, service: Service) -> Arc<Record> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(records.entry(service).or_default())
    }
}

/// The application of the provider block itself.
#[derive(Debug)]
pub(super) struct DefaultApp {
    pub(super) sdk_app_id: Attr<SdkAppId>,
    pub(super) identifier: String,
    pub(super) credentials: Option<Credentials>,
    pub(super) endpoint: Endpoint,
}

impl Tencent {
    /// The application that resources belong to unless they say otherwise.
    pub(super) fn default_sdk_app_id(&self) -> &Attr<SdkAppId> {
        &self.default_app.sdk_app_id
    }

    /// The application that a resource or data source belongs to whose argument `sdk_app_id` is `argument`.
    ///
    /// # Errors
    ///
    /// If neither the argument nor the provider names one.
    pub(super) fn sdk_app_id(&self, argument: &Attr<Number>) -> Result<SdkAppId, Diagnostics> {
        match argument.known() {
            Some(id) => checks::sdk_app_id(id).map_err(|reason| checks::invalid_sdk_app_id(reason).into()),
            None => self.default_sdk_app_id().known().copied().ok_or_else(|| checks::no_sdk_app_id().into()),
        }
    }

    /// How to call for the application `id`.
    ///
    /// # Errors
    ///
    /// If the provider has no credentials.
    pub(super) fn app(&self, id: SdkAppId) -> Result<Arc<Application>, Diagnostics> {
        let DefaultApp { identifier, credentials, endpoint, .. } = &self.default_app;
        let credentials = credentials.as_ref().ok_or_else(no_credentials)?;
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        let app = apps.entry(id).or_insert_with(|| {
            let app = App::new(id, identifier.clone(), credentials.clone(), endpoint.clone());
            Arc::new(Application::new(app))
        });
        Ok(Arc::clone(app))
    }
}

fn no_credentials() -> Diagnostic {
    Diagnostic::error(
        "The provider \"tencent\" has no credentials",
        "Set the provider's secret_key, or the environment variable TENCENT_SECRET_KEY, to the application's SecretKey \
         (Tencent RTC console, Basic Information). Where the key must not be, set user_sig or TENCENT_USER_SIG to a \
         UserSig instead.",
    )
}
