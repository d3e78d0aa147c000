//! Acceptance tests: real Terraform and OpenTofu, the built provider, and the simulator of Tencent's API, as a person would use them.
//!
//! A test checks what a user sees (Terraform's output, the plan, the state) and what Tencent knows (the simulator's objects
//! and its record of requests), never only an exit code. Tests of what all services share run once for each service
//! (`each_service`); the others use Call.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `harness` | fixtures: a simulator, a workspace, and ways to inspect both |
//! | `lifecycle` | create, update, replace, destroy; what is a difference and what is none |
//! | `fleet` | two hundred applications in one process, and every call that they take |
//! | `import` | objects that exist already come under management, leave it, and change their address |
//! | `drift` | somebody changes the object elsewhere |
//! | `one_object` | two objects of Terraform's that are one at Tencent |
//! | `opentofu` | what only OpenTofu has |
//! | `overwrite` | nothing is overwritten by surprise |
//! | `unknown` | values that are known after apply only |
//! | `apps` | one provider for many applications |
//! | `data_source` | reading what is there, whoever set it |
//! | `ephemeral` | a UserSig for whoever must not hold the key |
//! | `functions` | what a configuration can ask without calling Tencent |
//! | `probe` | a receiver is tried after a change, and on the command line |
//! | `query` | what exists is found, whoever made it |
//! | `services` | what services do differently, and nobody notices |
//! | `state` | states that other versions wrote, or nobody |
//! | `validation` | bad input, and what it gets |
//! | `environment` | a plan and its apply with different environments |
//! | `errors` | every error code of Tencent's, and what becomes of failed writes |
//! | `live_token` | the token that Live signs its events with, in the state or in neither state nor plan |
//! | `network` | lost answers, gateways, certificates, proxies, regions |
//! | `secrets` | what no output, log, plan or state may hold |
//! | `user_sig` | calls with a UserSig made elsewhere, by Tencent's own implementation too |
//! | `versions` | the same life on every version that can be had |
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
mod network;
mod one_object;
mod opentofu;
mod overwrite;
mod probe;
mod query;
mod secrets;
mod services;
mod state;
mod unknown;
mod user_sig;
mod validation;
mod versions;
mod write_only;
