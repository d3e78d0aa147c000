//! Speaks the plugin protocols with the built binary over its socket, as Terraform does.
//!
//! | module | what |
//! | --- | --- |
//! | `host` | a go-plugin host: starts a plugin, trusts it, connects |
//! | `session` | Terraform's half of tfplugin6: a configured client, and the values it sends |
//! | `object` | an object in a state, and what a host does with it |
//! | `handshake` | the line on standard output |
//! | `unix_socket`, `ports` | the socket that it names; on Windows, its port |
//! | `by_hand` | someone starts the binary by hand |
//! | `tls` | who may connect |
//! | `lifetime`, `sigterm` | health and streams, and every way to end: shutdown, signals, a host that is gone |
//! | `logs` | what is on standard error, and when |
//! | `debug` | `--debug`, alone and with Terraform |
//! | `schema` | what the provider says it has |
//! | `validate` | configurations, in both encodings and of any size |
//! | `apps` | mistakes in the provider's `apps` |
//! | `state` | stored states and identities: upgraded, moved |
//! | `moved` | states of other providers' resources, moved |
//! | `resource` | the life of a resource, with errors and Ctrl-C |
//! | `minimal_refresh` | an object that is planned, read and planned again |
//! | `planned_private` | a plan made once more to be applied, on a host that hands back the first one |
//! | `pulumi` | the calls of Pulumi's bridge |
//! | `callback_token` | the token of Live's callbacks: what a host gets to see of it, and Ctrl-C |
//! | `data_source` | reads unmanaged configurations |
//! | `list_resource` | streams existing configurations |
//! | `action` | probes of callback receivers, with progress |
//! | `receivers` | the servers in `examples/receiver`, probed |
//! | `ephemeral_resource` | a UserSig that is in neither state nor plan |
//! | `function` | functions, and arguments that they refuse |
//! | `deferral` | a provider whose configuration is not known yet |
//! | `malformed` | requests that Terraform never sends, which must not crash the process |

mod action;
mod apps;
mod by_hand;
mod callback_token;
mod data_source;
mod debug;
mod deferral;
mod ephemeral_resource;
mod function;
mod handshake;
mod host;
mod lifetime;
mod list_resource;
mod logs;
mod malformed;
mod minimal_refresh;
mod moved;
mod object;
mod planned_private;
#[cfg(windows)]
mod ports;
mod pulumi;
mod receivers;
mod resource;
mod schema;
#[path = "../services/mod.rs"]
mod services;
mod session;
#[cfg(unix)]
mod sigterm;
mod state;
mod tls;
#[cfg(unix)]
mod unix_socket;
mod validate;
