//! Nothing is lost under any fault of the API, the network, Terraform or its host. Real Terraform runs the provider.
//!
//! After every fault, Terraform's state agrees with what Tencent holds, or an error or a warning says that it may be out of date. Once the
//! fault has passed, the next apply brings both to the configuration.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `harness` | the fixtures of the acceptance tests |
//! | `table` | the faults and their meanings |
//! | `matrix` | operation × fault: attempts, message, state and remote object. `matrix.md` is its report |
//! | `lag` | reads that lag behind writes, for two objects of one application |
//! | `query` | `terraform query` under every fault at once |
//! | `limits` | waits, timeouts, new signatures, rates |
//! | `cancel` | Ctrl-C, once and twice, and a killed host |
//! | `soak` | random operations under random faults |
//!
//! `cargo test --test faults -- --nocapture` prints the matrix and the soak's figures.

#![allow(clippy::print_stdout)] // Prints figures on request.

#[cfg(target_os = "linux")] // Finds processes in /proc.
mod cancel;
#[path = "../acceptance/harness.rs"]
#[allow(dead_code, unused_macros)] // The acceptance tests use the rest.
mod harness;
mod lag;
mod limits;
mod matrix;
mod query;
mod soak;
mod table;
