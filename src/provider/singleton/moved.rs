//! What resources of generic REST providers have managed, for `moved` blocks.
//!
//! Their states hold a call of Tencent's API: its path, its query and its body. The refresh after the move reads what Tencent
//! has.

use std::iter;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Kind, Object, messages};
use crate::tencent::{ApiVersion, SdkAppId, Service};
use crate::terraform::{Diagnostics, Foreign};

/// A type of resource whose state may hold a call of Tencent's API. Each list names the attributes to look in.
#[derive(Debug)]
pub(super) struct Source {
    /// The end of the provider's address.
    provider: &'static str,
    type_name: &'static str,
    /// The path or URL of the call, with or without its query.
    pub(super) paths: &'static [&'static str],
    pub(super) queries: &'static [&'static str],
    pub(super) bodies: &'static [&'static str],
}

/// The types, with their attributes as in magodo/restful 0.25.2, Mastercard/restapi 3.0.0, devops-rob/terracurl 2.3.0 and
/// hashicorp/null 3.3.1.
const SOURCES: [Source; 6] = [
    Source {
        provider: "/magodo/restful",
        type_name: "restful_resource",
        paths: &["path", "update_path"],
        queries: &["create_query", "update_query", "query"],
        bodies: &["body"],
    },
    Source {
        provider: "/magodo/restful",
        type_name: "restful_operation",
        paths: &["path"],
        queries: &["query"],
        bodies: &["body"],
    },
    Source {
        provider: "/mastercard/restapi",
        type_name: "restapi_object",
        paths: &["path", "create_path", "update_path"],
        queries: &["query_string"],
        bodies: &["data"],
    },
    Source {
        provider: "/devops-rob/terracurl",
        type_name: "terracurl_request",
        paths: &["url"],
        queries: &["request_parameters"],
        bodies: &["request_body"],
    },
    // A `local-exec` that takes its command from these.
    Source {
        provider: "terraform.io/builtin/terraform",
        type_name: "terraform_data",
        paths: &["input", "triggers_replace"],
        queries: &["input", "triggers_replace"],
        bodies: &["input", "triggers_replace"],
    },
    Source {
        provider: "/hashicorp/null",
        type_name: "null_resource",
        paths: &["triggers"],
        queries: &["triggers"],
        bodies: &["triggers"],
    },
];

/// The parameter of a query that names the application.
pub(super) const SDK_APP_ID: &str = "sdkappid";

/// What the state of a [`Source`] tells of a call.
#[derive(Debug)]
pub(super) struct Told<C> {
    /// Whether it is one of the service.
    pub(super) service: bool,
    pub(super) id: Option<SdkAppId>,
    pub(super) content: Option<C>,
}

/// Describes the remote object that a resource of another provider has managed, if its type is one of [`SOURCES`].
pub(super) fn take_over<K: Kind>(kind: &K, from: &Foreign<'_>) -> Option<Result<Object<K>, Diagnostics>> {
    let provider = from.provider.to_lowercase();
    let source = SOURCES.iter().find(|it| provider.ends_with(it.provider) && from.type_name == it.type_name)?;
    let values = |names: &'static [&str]| names.iter().map(|name| &from.attributes[*name]);
    let told = Told {
        service: values(source.paths).any(|value| any_text(value, &|text| is_of_service(text, kind.service()))),
        id: values(source.queries).chain(values(source.paths)).find_map(id_in),
        content: values(source.bodies).find_map(content_in::<K::Content>),
    };
    Some(match told {
        Told { service: true, id: Some(id), content: Some(content) } => Ok(Object::<K>::imported(id, content)),
        told => Err(messages::not_told(kind, from.type_name, source, &told).into()),
    })
}

/// Returns whether a path or URL leads to a service.
fn is_of_service(text: &str, service: Service) -> bool {
    let parts: Vec<_> = iter::once("").chain(text.split(['/', '?'])).collect();
    // Many URLs have the segment of version 1, so it counts only after that of the version.
    let is_of_version = |part| service.version == ApiVersion::V4 || part == service.version.path_segment();
    parts.windows(2).any(|parts| parts[1] == service.path_segment && is_of_version(parts[0]))
}

fn any_text(value: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    find(value, &|value| value.as_str().filter(|text| is_it(text)).map(drop)).is_some()
}

/// Finds the SDKAppID in a query: in a text, or in a map.
fn id_in(value: &Value) -> Option<SdkAppId> {
    find(value, &|value| match value {
        Value::String(text) => {
            text.split(['?', '&']).find_map(|pair| pair.strip_prefix(SDK_APP_ID)?.strip_prefix('=')?.parse().ok())
        }
        Value::Object(map) => find(map.get(SDK_APP_ID)?, &|value| match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.to_string().parse().ok(),
            _ => None,
        }),
        _ => None,
    })
}

/// Finds the content in a body: in a value, or in the text of a JSON document.
fn content_in<C: DeserializeOwned>(value: &Value) -> Option<C> {
    find(value, &|value| match value {
        Value::String(text) => {
            serde_json::from_str(text).ok().filter(|json: &Value| !json.is_string()).and_then(|json| content_in(&json))
        }
        Value::Object(_) => serde_json::from_value(value.clone()).ok(),
        _ => None,
    })
}

/// Finds something in a value or in what it contains. A dynamic attribute, for one, is a value beside its type.
fn find<T>(value: &Value, found: &dyn Fn(&Value) -> Option<T>) -> Option<T> {
    found(value).or_else(|| match value {
        Value::Array(elements) => elements.iter().find_map(|element| find(element, found)),
        Value::Object(map) => map.values().find_map(|element| find(element, found)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::services;

    #[test]
    fn a_path_names_one_service() {
        for (path, expected) in [
            ("https://console.tim.qq.com/v4/call_config/set_callback?sdkappid=1", Some("call")),
            ("call_config/set_callback", Some("call")),
            ("/v4/room_config/set_callback", Some("room")),
            ("https://callkit.trtc.tencent-cloud.com/v1/callback/set", Some("legacy_call")),
            ("v1/callback/set", Some("legacy_call")),
            ("https://gateway.example.com/callback/v4/call_config/set_callback", Some("call")),
            ("https://hooks.example.com/callback/set", None),
        ] {
            let named: Vec<_> = services::SERVICES.iter().filter(|it| is_of_service(path, it.api)).collect();
            let named: Vec<_> = named.iter().map(|service| service.name).collect();
            assert_eq!(named, Vec::from_iter(expected), "{path}");
        }
    }
}
