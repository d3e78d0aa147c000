//! The handle with which tests start the server, on its own thread, look at its state and interfere.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::api::{Api, Service};
use crate::app::App;
use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::rate_limit::RateLimit;
use crate::record::Request;
use crate::server;
use crate::state::Shared;
use crate::store::{Age, Store};
use crate::tls::{self, CertificateFlaw};
use crate::token::Token;

/// A running simulator. Dropping it ends its listener, its connections (answered or not) and its thread.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    ca_certificate_pem: Option<String>,
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// The options of a simulator.
#[derive(Debug)]
pub struct Builder {
    listen: SocketAddr,
    apps: Vec<App>,
    state_file: Option<PathBuf>,
    set_overwrites: BTreeMap<Service, bool>,
    other_services: Vec<&'static str>,
    tls: bool,
    flaw: Option<CertificateFlaw>,
}

impl Simulator {
    /// The application that a simulator has by default.
    pub const SDK_APP_ID: u64 = 1_400_000_001;
    /// The SecretKey of the default application, plainly not a real one.
    pub const SECRET_KEY: &'static str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// Starts a simulator on a free port, with plain HTTP and the one default application.
    ///
    /// # Errors
    ///
    /// When the system gives no port or no thread.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Creates a builder, for a simulator that differs from the default.
    pub fn builder() -> Builder {
        Builder {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            apps: Vec::new(),
            state_file: None,
            set_overwrites: BTreeMap::new(),
            other_services: Vec::new(),
            tls: false,
            flaw: None,
        }
    }

    /// Returns the base URL, such as `http://127.0.0.1:34567`; `https` with TLS.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the certificate of the authority that signed the server's, made for this simulator alone; `None` without
    /// TLS.
    pub fn ca_certificate_pem(&self) -> Option<&str> {
        self.ca_certificate_pem.as_deref()
    }

    /// Adds an application, or replaces the one with the same SDKAppID.
    pub fn add_app(&self, app: App) {
        self.shared.lock().api.apps.insert(app.sdk_app_id, app);
    }

    /// Removes an application. Its configurations and its token stay, for when it is added again.
    pub fn remove_app(&self, sdk_app_id: u64) {
        self.shared.lock().api.apps.remove(&sdk_app_id);
    }

    /// Returns the current configuration.
    pub fn configuration(&self, service: Service, sdk_app_id: u64) -> Option<Configuration> {
        self.shared.lock().api.store.get(service, sdk_app_id, Age::Now).cloned()
    }

    /// Changes the configuration as somebody else would, in the console for example.
    ///
    /// # Panics
    ///
    /// When the state file cannot be written.
    pub fn put_configuration(&self, service: Service, sdk_app_id: u64, configuration: Configuration) {
        self.replace(service, sdk_app_id, Some(configuration));
    }

    /// Removes the configuration, if there is one, as somebody else would.
    ///
    /// # Panics
    ///
    /// When the state file cannot be written.
    pub fn remove_configuration(&self, service: Service, sdk_app_id: u64) {
        self.replace(service, sdk_app_id, None);
    }

    fn replace(&self, service: Service, sdk_app_id: u64, configuration: Option<Configuration>) {
        let replaced = self.shared.lock().api.store.replace(service, sdk_app_id, configuration);
        replaced.expect("the state file can be written");
    }

    /// Returns the current token of Live's callbacks.
    pub fn token(&self, sdk_app_id: u64) -> Option<Token> {
        self.shared.lock().api.store.token(sdk_app_id, Age::Now).cloned()
    }

    /// Changes the token of Live's callbacks as somebody else would.
    ///
    /// # Panics
    ///
    /// When the state file cannot be written.
    pub fn put_token(&self, sdk_app_id: u64, token: Token) {
        self.replace_token(sdk_app_id, Some(token));
    }

    /// Removes the token of Live's callbacks, if there is one, as somebody else would.
    ///
    /// # Panics
    ///
    /// When the state file cannot be written.
    pub fn remove_token(&self, sdk_app_id: u64) {
        self.replace_token(sdk_app_id, None);
    }

    fn replace_token(&self, sdk_app_id: u64, token: Option<Token>) {
        let replaced = self.shared.lock().api.store.replace_token(sdk_app_id, token);
        replaced.expect("the state file can be written");
    }

    /// Sets whether the service's set replaces a configuration that exists, or answers 100300 and leaves that to
    /// update. By default only Call's set replaces it, as documented, and then Call has no update (60009).
    /// Legacy Call's always does.
    pub fn let_set_overwrite(&self, service: Service, overwrites: bool) {
        self.shared.lock().api.set_overwrites.insert(service, overwrites);
    }

    /// Sets whether get and delete of [`Service::LegacyCall`] report success with empty data where there is no
    /// configuration, as Tencent's documentation leaves open, rather than 999.
    pub fn hide_absence(&self, hides: bool) {
        self.shared.lock().api.hides_absence = hides;
    }

    /// Returns every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Returns every request so far, and forgets them.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Waits until `predicate` holds for the requests so far, and returns whether it did within `timeout`. A request is
    /// there as soon as it has arrived in full, even if its answer is delayed or never comes.
    ///
    /// The predicate must not call the simulator, because it runs under the simulator's lock.
    pub fn wait_for(&self, predicate: impl Fn(&[Request]) -> bool, timeout: Duration) -> bool {
        self.shared.wait_for(predicate, timeout)
    }

    /// Injects a [`Fault`], or a [`FaultKind`](crate::FaultKind) that meets every request from now on.
    ///
    /// # Panics
    ///
    /// If the fault cannot be sent over HTTP: a status out of range, a header value with control characters.
    pub fn inject(&self, fault: impl Into<Fault>) {
        self.shared.lock().faults.inject(fault.into());
    }

    /// Ends all faults, also those with requests left to meet. A request that has met a fault stays under it.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Limits the calls within a second, or lifts the limit. A new simulator has none; Tencent documents 200.
    pub fn set_rate_limit(&self, limit: Option<RateLimit>) {
        self.shared.lock().api.rate_limit = limit;
    }

    /// Ends the server and every connection, held ones too, so that the port refuses connections. The recorded requests
    /// stay.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, thread }) = running {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Builder {
    /// Sets the address to listen on, which must be on loopback. With port 0, the default, the system chooses the port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds an application. The default application exists only if no other is added.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Keeps the configurations and tokens in this file, across simulators. The file shows tokens in plain text.
    #[must_use]
    pub fn state_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.state_file = Some(file.into());
        self
    }

    /// Sets whether the service's set replaces a configuration that exists: see [`Simulator::let_set_overwrite`].
    #[must_use]
    pub fn let_set_overwrite(mut self, service: Service, overwrites: bool) -> Self {
        self.set_overwrites.insert(service, overwrites);
        self
    }

    /// Serves another service, [`Service::Other`] of this path segment.
    #[must_use]
    pub fn serve(mut self, path_segment: &'static str) -> Self {
        self.other_services.push(path_segment);
        self
    }

    /// Serves HTTPS, with a certificate for 127.0.0.1, ::1 and localhost: see [`Simulator::ca_certificate_pem`].
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Serves HTTPS, with a certificate that no client should accept.
    #[must_use]
    pub fn flawed_certificate(mut self, flaw: CertificateFlaw) -> Self {
        self.flaw = Some(flaw);
        self.tls(true)
    }

    /// Starts the simulator.
    ///
    /// # Errors
    ///
    /// When the address is taken or not loopback, the state file cannot be read, or the system gives no thread.
    pub fn start(self) -> io::Result<Simulator> {
        let address = self.listen;
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "refusing to listen on {address}: a simulator is for this machine alone; take 127.0.0.1 or [::1]"
                ),
            ));
        }
        let store = match self.state_file {
            Some(file) => Store::open(file, &self.other_services)?,
            None => Store::default(),
        };
        let (acceptor, ca_certificate_pem) = match self.tls {
            true => {
                tls::make(self.flaw).map(|(acceptor, pem)| (Some(acceptor), Some(pem))).map_err(io::Error::other)?
            }
            false => (None, None),
        };
        let mut apps = self.apps;
        if apps.is_empty() {
            apps.push(App::new(Simulator::SDK_APP_ID, Simulator::SECRET_KEY));
        }
        let apps = apps.into_iter().map(|app| (app.sdk_app_id, app)).collect();
        let api = Api {
            apps,
            store,
            rate_limit: None,
            set_overwrites: self.set_overwrites,
            hides_absence: false,
            other_services: self.other_services,
        };
        let shared = Arc::new(Shared::new(api));

        let listener = std::net::TcpListener::bind(address)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))?;
        listener.set_nonblocking(true)?;
        let scheme = if self.tls { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("tencent-simulator".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                // Dropping the runtime at the end drops every connection's task, and so closes every connection.
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = server::accept(listener, acceptor, shared) => {}
                    }
                });
            }
        })?;
        Ok(Simulator { url, ca_certificate_pem, shared, running: Mutex::new(Some(Running { stop, thread })) })
    }
}
