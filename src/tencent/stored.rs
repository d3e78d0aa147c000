//! The kinds of objects that Tencent stores for an application.

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api_version::ApiVersion;
use super::error::ErrorCode;

/// An object that Tencent stores at most once for each application and service.
pub trait Stored: Serialize + DeserializeOwned {
    /// The noun for it in messages.
    const NOUN: &'static str;

    /// Returns the calls that a version of the API has for the object.
    fn calls(version: ApiVersion) -> &'static Calls;

    /// Writes the object in JSON, with the field names of a version of the API. Reading accepts those of every version.
    fn json(&self, _version: ApiVersion) -> String {
        serde_json::to_string(self).expect("strings are JSON")
    }

    /// The secret in the object, which no error may repeat.
    fn secret(&self) -> Option<&SecretString> {
        None
    }
}

/// The calls for a kind of object, and the error code for an absent one.
#[derive(Debug)]
pub struct Calls {
    /// The call that reads the object.
    pub get: &'static str,
    /// The call that creates the object, or replaces it.
    pub set: &'static str,
    /// The call that replaces an object where [`Calls::set`] only creates one, if there is such a call.
    pub update: Option<&'static str>,
    /// The call that deletes the object.
    pub delete: &'static str,
    /// The error code of a call that found no object.
    pub absent: ErrorCode,
}
