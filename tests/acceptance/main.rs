//! Acceptance tests: real Terraform or OpenTofu runs the built provider against the simulator of Tencent's API, as a user would.
//!
//! A test checks what a user sees (Terraform's output, the plan, the state) and what Tencent knows (the simulator's objects
//! and its record of requests), never only an exit code. Tests of what all services share run once for each service
//! (`each_service`); the others use Call.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `harness` | fixtures: a simulator, a workspace, and ways to inspect both |
//! | `lifecycle` | create, update, replace, destroy; what counts as a difference |
//! | `fleet` | two hundred applications in one process, and every call they take |
//! | `import` | existing configurations come under management, leave it, and change their address |
//! | `drift` | someone changes the configuration elsewhere |
//! | `one_object` | several resources of one application |
//! | `opentofu` | features that only OpenTofu has |
//! | `orders`, `recorder` | the order in which each host calls the provider: writes `orders.md` |
//! | `overwrite` | nothing is overwritten by surprise |
//! | `unknown` | values that are known only after apply |
//! | `apps` | one provider for many applications |
//! | `data_source` | reads a configuration, whoever set it |
//! | `ephemeral` | a UserSig for a provider that must not have the key |
//! | `functions` | what a configuration can compute without calling Tencent |
//! | `probe` | probes a receiver after each change, and on the command line |
//! | `query` | finds existing configurations, whoever made them |
//! | `services` | differences between services, which users do not notice |
//! | `state` | states that other versions wrote, or that someone edited |
//! | `validation` | invalid input, and its errors |
//! | `environment` | a plan and its apply with different environments |
//! | `errors` | every error code of Tencent's, and the outcome of failed writes |
//! | `live_token` | the token that Live signs its events with, in the state or in neither state nor plan |
//! | `losses` | what is live is not lost, whatever fails between two objects or between plan and apply |
//! | `network` | lost answers, gateways, certificates, proxies, regions |
//! | `secrets` | no output, log, plan or state holds a secret |
//! | `user_sig` | calls with a UserSig made elsewhere, such as by Tencent's SDK |
//! | `versions` | every feature on every version that can be installed |
//! | `windows` | the places in a Windows user's profile |
//! | `write_only` | a URL that is in neither state nor plan |

mod apps;
mod data_source;
mod drift;
mod environment;
mod ephemeral;
mod errors;
mod fleet;
mod functions;
mod harness;
mod import;
mod lifecycle;
mod live_token;
mod losses;
mod network;
mod one_object;
mod opentofu;
mod orders;
mod overwrite;
mod probe;
mod query;
mod recorder;
mod secrets;
mod services;
mod state;
mod unknown;
mod user_sig;
mod validation;
#[cfg(feature = "gate")]
mod versions;
#[cfg(windows)]
mod windows;
mod write_only;
