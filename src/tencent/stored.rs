//! The kinds of objects that Tencent stores for an application.

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ErrorCode;

/// An object that Tencent stores at most once for each application and service, and the API's calls for it.
pub trait Stored: Serialize + DeserializeOwned {
    /// The noun for it in messages.
    const NOUN: &'static str;
    /// The call that reads the object.
    const GET: &'static str;
    /// The call that creates the object, or replaces it.
    const SET: &'static str;
    /// The call that replaces an object where [`Stored::SET`] only creates one, if there is such a call.
    const UPDATE: Option<&'static str>;
    /// The call that deletes the object.
    const DELETE: &'static str;
    /// The error code of a call that found no object.
    const ABSENT: ErrorCode;

    /// The secret in the object, which no error may repeat.
    fn secret(&self) -> Option<&SecretString> {
        None
    }
}
