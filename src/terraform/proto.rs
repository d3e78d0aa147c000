//! The protocol's messages and service, generated from `proto/tfplugin6.proto`.
#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]

include!("../../proto/tfplugin6.rs");
