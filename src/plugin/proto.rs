//! The services of go-plugin, generated from `proto/go_plugin.proto`.
#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]

include!("../../proto/plugin.rs");
