//! A faithful stand-in for Tencent RTC's callback-configuration API, for tests and for trying things out.
//!
//! It keeps one callback configuration per SDKAppID and service and Live's token, verifies UserSigs with its own code
//! (it shares none with the provider), answers with the documented envelope and error codes, records every request, and
//! acts out faults on demand. It listens on loopback only and ends when its [`Simulator`] is dropped.
//!
//! | module | contents |
//! | --- | --- |
//! | `app` | the applications: SDKAppID, SecretKey, administrators, status |
//! | `configuration` | a callback configuration |
//! | `token` | the token that signs Live's callbacks |
//! | `store` | all configurations and tokens, and the file that keeps them |
//! | `user_sig` | the verification of UserSigs |
//! | `rate_limit` | the limit of calls per second |
//! | `api` | the API: requests in, Tencent's envelopes out |
//! | `fault` | the faults on demand |
//! | `record` | the requests that arrived, for tests to look at |
//! | `state` | all of the above behind one lock, which decides about each request |
//! | `server` | the sockets: accept, TLS, keep-alive, resets |
//! | `receiver` | a separate server that receives events, for probes |
//! | `tls` | the certificate authority of one simulator |
//! | `simulator` | the handle for tests |
//!
//! ```
//! use tencent_simulator::{Action, Configuration, FaultKind, Fault, Service, Simulator};
//!
//! let simulator = Simulator::start()?;
//! simulator.put_configuration(
//!     Service::Call,
//!     Simulator::SDK_APP_ID,
//!     Configuration::new("https://hooks.example.com", ["Call.CallbackAfterEndCall"]),
//! );
//! simulator.inject(Fault::new(FaultKind::ResetAfterProcessing).on(Action::Set).times(2));
//! println!("now point a client at {}", simulator.url());
//! # Ok::<(), std::io::Error>(())
//! ```

mod api;
mod app;
mod configuration;
mod fault;
mod rate_limit;
mod receiver;
mod record;
mod server;
mod simulator;
mod state;
mod store;
mod tls;
mod token;
mod user_sig;

pub use api::{Action, Service};
pub use app::{App, AppStatus};
pub use configuration::Configuration;
pub use fault::{Fault, FaultKind};
pub use rate_limit::RateLimit;
pub use receiver::{Event, HttpRequest, Receiver, Reply};
pub use record::{Outcome, Request};
pub use simulator::{Builder, Simulator};
pub use store::Age;
pub use tls::CertificateFlaw;
pub use token::Token;
