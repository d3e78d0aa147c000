//! Reads the arguments of one application, from the provider block itself or from an entry of `apps`, and checks its
//! UserSig.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};

use super::values::{self, Source};
use crate::provider::applications::Account;
use crate::tencent::{Credentials, Endpoint, InvalidUserSig, Region, SdkAppId};
use crate::terraform::{Attr, AttributePath, Diagnostic, Diagnostics, Number, Step};

/// Reads an environment variable.
pub(in crate::provider) type Environment = fn(&str) -> Option<String>;

/// The time before a UserSig's expiry in which the provider warns,
const EXPIRES_SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// unless the UserSig's whole lifetime is no longer than this: it was made for one run.
const MADE_FOR_ONE_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// Where arguments are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// The provider block itself, whose gaps the environment fills.
    Block(Environment),
    /// The entry of `apps` with this key.
    Entry(&'a str),
}

impl Place<'_> {
    /// Returns the path of an argument.
    pub(super) fn path_of(self, argument: &str) -> AttributePath {
        match self {
            Self::Block(_) => AttributePath::attribute(argument),
            Self::Entry(key) => entry(key).then(Step::Attribute(argument.to_owned())),
        }
    }

    /// Returns the full name of an argument, such as `apps["1400000001"].region`.
    pub(super) fn name_of(self, argument: &str) -> String {
        self.path_of(argument).to_string()
    }

    /// Reports an invalid argument.
    pub(super) fn invalid(self, argument: &str, reason: String) -> Diagnostic {
        invalid(self.path_of(argument), reason)
    }
}

/// Returns the path of an entry of `apps`.
pub(super) fn entry(key: &str) -> AttributePath {
    AttributePath::attribute("apps").then(Step::Key(key.to_owned()))
}

/// Reports an invalid value at `path`.
pub(super) fn invalid(path: AttributePath, reason: String) -> Diagnostic {
    Diagnostic::error(format!("Invalid provider argument {path}"), reason).at(path)
}

/// Returns the environment variable that fills an argument which the block leaves out.
pub(in crate::provider) fn variable(argument: &str) -> Option<&'static str> {
    Some(match argument {
        "sdk_app_id" => "TENCENT_SDK_APP_ID",
        "secret_key" => "TENCENT_SECRET_KEY",
        "user_sig" => "TENCENT_USER_SIG",
        "identifier" => "TENCENT_IDENTIFIER",
        "region" => "TENCENT_REGION",
        "endpoint" => "TENCENT_ENDPOINT",
        _ => return None,
    })
}

/// Reads the environment variable of an argument. An empty variable counts as not set.
pub(in crate::provider) fn from_environment(
    environment: Environment,
    argument: &str,
) -> Option<(SecretString, Source)> {
    let name = variable(argument)?;
    let text = environment(name).filter(|text| !text.is_empty())?;
    Some((text.into(), Source::Variable(name)))
}

/// Reads arguments one by one, and collects the errors in them.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) place: Place<'a>,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    pub(super) fn sdk_app_id(&mut self, value: &Attr<Number>) -> Attr<SdkAppId> {
        self.text("sdk_app_id", &value.map(Number::to_string), values::sdk_app_id).map(|(id, _)| *id)
    }

    /// Reads a text, and tells where it was found. An invalid text counts as null.
    pub(super) fn text<T>(
        &mut self,
        name: &'static str,
        value: &Attr<String>,
        check: impl Fn(&str, Source) -> Result<T, String>,
    ) -> Attr<(T, Source)> {
        let (checked, source) = match value {
            Attr::Known(text) => (check(text, Source::Argument), Source::Argument),
            Attr::Unknown => return Attr::Unknown,
            Attr::Null => match self.variable(name) {
                Some((text, source)) => (check(text.expose_secret(), source), source),
                None => return Attr::Null,
            },
        };
        self.note(name, checked).map_or(Attr::Null, |value| Attr::Known((value, source)))
    }

    pub(super) fn number(&mut self, name: &str, value: &Attr<Number>, range: RangeInclusive<u32>) -> Option<u32> {
        self.note(name, values::whole_number(value.known()?, range))
    }

    /// Reads the endpoint that `endpoint` or else `region` chooses. Its origin names the one that did.
    pub(super) fn endpoint(&mut self, region: &Attr<String>, endpoint: &Attr<String>) -> Attr<Endpoint> {
        let region = self.text("region", region, values::region);
        match (self.text("endpoint", endpoint, values::endpoint), region) {
            (Attr::Known((endpoint, source)), _) => Attr::Known(endpoint.said_by(self.origin("endpoint", source))),
            (Attr::Null, Attr::Known((region, source))) => {
                let from = match (source, self.place) {
                    (Source::Variable(name), _) => format!(", from {name}"),
                    (Source::Argument, Place::Block(_)) => String::new(),
                    (Source::Argument, Place::Entry(key)) => format!(", from the provider's {}", entry(key)),
                };
                Attr::Known(endpoint_of(region, &from))
            }
            (Attr::Null, Attr::Null) => Attr::Null,
            _ => Attr::Unknown,
        }
    }

    /// Reads the credentials, and tells where they were found. Returns `None` while an argument is unknown, too. Only if
    /// neither argument is set does the block fall back to the environment.
    pub(super) fn credentials(
        &mut self,
        secret_key: &Attr<SecretString>,
        user_sig: &Attr<SecretString>,
    ) -> Option<(Credentials, String)> {
        let argument = |secret: &Attr<SecretString>| secret.known().map(|text| (text.clone(), Source::Argument));
        let found = match (secret_key, user_sig) {
            (Attr::Null, Attr::Null) => (self.variable("secret_key"), self.variable("user_sig")),
            _ => (argument(secret_key), argument(user_sig)),
        };
        let (name, source, checked) = match found {
            (Some((_, source)), Some(_)) => ("user_sig", source, Err(self.both_set(source).to_owned())),
            (Some((key, source)), None) => ("secret_key", source, self.secret_key(key.expose_secret(), source)),
            (None, Some((user_sig, source))) => {
                ("user_sig", source, values::user_sig(user_sig.expose_secret(), source))
            }
            (None, None) => {
                if let (Place::Entry(key), Attr::Null, Attr::Null) = (self.place, secret_key, user_sig) {
                    let reason = "The entry has no credentials. Set secret_key, or user_sig if the pipeline must not \
                                  hold the key.";
                    self.diagnostics.push(invalid(entry(key), reason.to_owned()));
                }
                return None;
            }
        };
        let credentials = self.note(name, checked)?;
        (secret_key.is_null() || user_sig.is_null()).then(|| (credentials, self.origin(name, source)))
    }

    fn secret_key(&self, text: &str, source: Source) -> Result<Credentials, String> {
        if text.is_empty() && matches!(self.place, Place::Block(_)) {
            let reason = "The SecretKey is empty. Set secret_key, or leave it out and set TENCENT_SECRET_KEY.";
            return Err(reason.to_owned());
        }
        values::secret_key(text, source).map(Credentials::SecretKey)
    }

    fn both_set(&self, source: Source) -> &'static str {
        match (source, self.place) {
            (Source::Variable(_), _) => {
                "The environment variables TENCENT_SECRET_KEY and TENCENT_USER_SIG are both set. Unset one, or set the \
                 provider's secret_key or user_sig."
            }
            (Source::Argument, Place::Block(_)) => {
                "secret_key and user_sig are both set. Set only one of them: the SecretKey, or a UserSig if the \
                 pipeline must not hold the key."
            }
            (Source::Argument, Place::Entry(_)) => "secret_key and user_sig are both set. Set one of them.",
        }
    }

    /// Names the argument or variable that holds a value, for messages.
    fn origin(&self, argument: &str, source: Source) -> String {
        match source {
            Source::Argument => format!("the provider's {}", self.place.name_of(argument)),
            Source::Variable(name) => name.to_owned(),
        }
    }

    fn variable(&self, argument: &str) -> Option<(SecretString, Source)> {
        let Place::Block(environment) = self.place else { return None };
        from_environment(environment, argument)
    }

    fn note<T>(&mut self, name: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|reason| self.diagnostics.push(self.place.invalid(name, reason))).ok()
    }
}

/// Returns the endpoint of a region. `from` tells in messages where the region comes from.
pub(super) fn endpoint_of(region: Region, from: &str) -> Endpoint {
    let endpoint = Endpoint::from(region);
    let origin = format!("{}{from}", endpoint.origin());
    endpoint.said_by(origin)
}

/// Checks that an account's UserSig, if it has one, is usable for the application. Returns when the UserSig expires, if
/// that is soon. `identifier` names the argument that sets the account's.
pub(super) fn check_user_sig(
    account: &Account,
    id: SdkAppId,
    identifier: &str,
    now: SystemTime,
) -> Result<Option<SystemTime>, Diagnostic> {
    let Credentials::UserSig(user_sig) = &account.credentials else { return Ok(None) };
    user_sig.check(&account.identifier, id, now).map_err(|error| {
        let advice = match error {
            InvalidUserSig::OtherIdentifier(_) => {
                format!("Set {identifier} to the account it was made for, or make a new one.")
            }
            InvalidUserSig::Unreadable => "Check that it was copied whole.".to_owned(),
            InvalidUserSig::OtherApp(_) | InvalidUserSig::Expired(_) => "Make a new one.".to_owned(),
        };
        let detail = format!("The UserSig ({}) cannot be used for SDKAppID {id}: {error}. {advice}", account.origin);
        Diagnostic::error("The UserSig cannot be used", detail)
    })?;
    let claims = user_sig.claims().ok();
    let claims = claims.filter(|claims| claims.lifetime > MADE_FOR_ONE_RUN.as_secs());
    Ok(claims.and_then(|claims| claims.expiry()).filter(|expiry| *expiry <= now + EXPIRES_SOON))
}

/// Warns of UserSigs that expire soon. `which` is a sentence that names them.
pub(super) fn expires_soon(which: &str) -> Diagnostic {
    let detail = format!("{which} Make a new one before then. After that, calls fail.");
    Diagnostic::warning("A UserSig expires soon", detail)
}

/// Prints a time for a message.
pub(super) fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', " UTC")
}
