//! Nothing is lost: every fault that the API, the network, Terraform or its host can cause, through real Terraform.
//!
//! Whatever happens, what Terraform's state says is what Tencent holds, or else an error or a warning says otherwise;
//! and once the fault has passed, the next apply brings both to what is configured.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `harness` | the one of the acceptance tests |
//! | `table` | the faults, and what each means |
//! | `matrix` | operation × fault: attempts, message, state and remote object. `matrix.md` is its report |
//! | `query` | `terraform query` under every fault at once |
//! | `limits` | waiting, timeouts, signing anew, rates |
//! | `cancel` | Ctrl-C, once and twice, and a host that is killed |
//! | `soak` | random operations under random faults |
//!
//! `cargo test --test faults -- --nocapture` prints the matrix and the soak's figures.

#![allow(clippy::print_stdout)] // Figures are there to be read.

#[cfg(target_os = "linux")] // It looks for processes in /proc.
mod cancel;
#[path = "../acceptance/harness.rs"]
#[allow(dead_code, unused_macros)] // The acceptance tests use the rest.
mod harness;
mod limits;
mod matrix;
mod query;
mod soak;
mod table;
