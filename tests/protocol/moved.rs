//! States of generic REST providers that a `moved` block turns into callback configurations. Those in `moved/` were written by
//! the named versions, after they had called Tencent's simulator. Only the UserSig and the host are replaced.

use std::path::Path;

use serde_json::Value as Json;
use tencent_simulator::Simulator;
use terraform_provider_tencent::terraform::codec;
use terraform_provider_tencent::terraform::proto::{self, RawState};

use crate::session::{RESOURCE, Session, number, set, text, the_error, type_of};

const ROOM: &str = "tencent_room_callback";
const LIVE: &str = "tencent_live_callback";
const TOKEN: &str = "tencent_live_callback_token";

/// Moves the recorded state of a resource to a resource of type `to`.
async fn moved(session: &Session, file: &str, to: &str) -> proto::move_resource_state::Response {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/protocol/moved/{file}.json"));
    let recorded = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let recorded: Json = serde_json::from_slice(&recorded).expect("JSON");
    let of = |name: &str| recorded[name].as_str().expect("a text").to_owned();
    let request = proto::move_resource_state::Request {
        source_provider_address: of("provider"),
        source_type_name: of("type"),
        source_schema_version: recorded["schema_version"].as_i64().expect("a number"),
        source_state: Some(RawState { json: recorded["attributes"].to_string().into(), ..Default::default() }),
        target_type_name: to.into(),
        source_private: b"of another provider".to_vec(),
        ..Default::default()
    };
    session.provider().move_resource_state(request).await.expect("an answer").into_inner()
}

#[tokio::test]
async fn a_state_that_holds_a_call_becomes_what_the_call_has_set() {
    let session = Session::start().await;
    let call = ["Call.CallbackAfterStartCall", "Call.CallbackAfterEndCall"];
    let room = ["Room.CallbackAfterCreateRoom", "Room.CallbackAfterDestroyRoom", "Mic.CallbackAfterSeatInfoChanged"];
    let live = ["Live.CallbackAfterCreateRoom", "Live.CallbackAfterDestroyRoom"];
    for (file, to, url, events) in [
        ("restful-0.13.3-operation", RESOURCE, "call", &call[..]),
        ("restful-0.25.2-operation", RESOURCE, "call", &call),
        ("restful-0.25.2-operation-path", RESOURCE, "call", &call),
        ("restful-0.25.2-operation-room", ROOM, "room", &room),
        ("restful-0.25.2-operation-live", LIVE, "live", &live),
        ("restful-0.25.2-resource", RESOURCE, "call", &call),
        ("restapi-2.0.1-refreshed", RESOURCE, "call", &call),
        ("restapi-3.0.0-path", RESOURCE, "call", &call),
        ("restapi-3.0.0-query_string", RESOURCE, "call", &call),
        ("restapi-3.0.0-refreshed", RESOURCE, "call", &call),
        ("terracurl-1.2.2-url", RESOURCE, "call", &call),
        ("terracurl-2.3.0-parameters", RESOURCE, "call", &call),
    ] {
        let answer = moved(&session, file, to).await;
        assert_eq!(answer.diagnostics, [], "{file}");
        assert!(answer.target_private.is_empty(), "{file}: private data of another provider");
        let state = codec::decode(answer.target_state.as_ref(), &type_of(session.schema_of(to))).expect("a state");
        assert_eq!(state.attribute("url"), &text(&format!("https://hooks.example.com/tencent/{url}")), "{file}");
        assert_eq!(state.attribute("callback_commands"), &set(events.iter().copied()), "{file}");
        assert_eq!(state.attribute("sdk_app_id"), &number(Simulator::SDK_APP_ID), "{file}");
        assert_eq!(state.attribute("id"), &text(&Simulator::SDK_APP_ID.to_string()), "{file}");
        assert!(answer.target_identity.is_some(), "{file}");
    }
}

#[tokio::test]
async fn a_state_that_lacks_something_says_what() {
    let (service, id, body) = ("a path of call_config", "sdkappid", "a whole body of set_callback");
    let session = Session::start().await;
    for (file, to, lacks) in [
        ("restful-0.25.2-operation-room", RESOURCE, &[service][..]),
        ("restful-0.25.2-operation-live", TOKEN, &["a whole body of set_callback_token"]),
        // The URL was in a write-only body.
        ("restful-0.25.2-operation-ephemeral", RESOURCE, &[body]),
        // The last refresh has emptied the body.
        ("restful-0.25.2-resource-refreshed", RESOURCE, &[body]),
        // Names of one's own.
        ("terraform_data-1.15.5-input", RESOURCE, &[id, body]),
        ("null-3.3.1", RESOURCE, &[id, body]),
    ] {
        let answer = moved(&session, file, to).await;
        let error = the_error(&answer.diagnostics);
        let listed: Vec<_> = error.detail.lines().filter(|line| line.starts_with("- ")).collect();
        assert_eq!(listed.len(), lacks.len(), "{file}: {}", error.detail);
        assert!(lacks.iter().zip(&listed).all(|(lack, line)| line.contains(lack)), "{file}: {listed:?}");
        assert!(error.detail.contains("import {") && error.detail.contains("Nothing was changed."), "{}", error.detail);
        assert!(!format!("{answer:?}").contains("eJw-replaced"), "{file}: a UserSig");
        assert_eq!(answer.target_state, None, "{file}");
    }
}
