//! A Terraform provider for Tencent RTC's callback configurations, in four modules that depend on each other one way
//! only.
//!
//! ```text
//! main.rs ──▶ plugin/     how a host starts, trusts, logs and stops this process (go-plugin)
//!         └─▶ provider/   what users write in HCL: the provider block, one file per object
//!                 ├─▶ terraform/   Terraform's data model and the tfplugin6 service, for any provider
//!                 └─▶ tencent/     Tencent's REST API and UserSigs, for any caller
//! ```
//!
//! `plugin` and `tencent` share `crypto`, which chooses the algorithms of TLS.
//!
//! A request goes one way, with no step back: socket → [`plugin`] (TLS, gRPC) → [`terraform::Server`] (decodes by
//! schema) → a method of an object in [`provider`], on its typed model → [`tencent::Client`] → back as a model →
//! encoded.
//!
//! To add a service, write one file in `provider/services/`; to add a further thing that an application has exactly one
//! of, a `Kind` for the flow in `provider/singleton/`; to add any other object, one file in `provider/`. Each takes one
//! line in a registry. `CONTRIBUTING.md` shows how.

mod crypto;
pub mod plugin;
pub mod provider;
pub mod tencent;
pub mod terraform;
