//! New UserSigs, for callers that must not hold the key: the ephemeral resource `tencent_user_sig`, and the command
//! `user-sig`.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};

use super::applications::{self, Applications, Purpose};
use super::block::values::{self, Durations};
use super::block::{DEFAULT_IDENTIFIER, Environment, from_environment, variable};
use crate::model;
use crate::tencent::{App, UserSig};
use crate::terraform::{
    Attr, Attribute, Block, Context, Diagnostic, Diagnostics, EphemeralResource, Number, Opened, Schema, Type, Value,
};

/// The lifetimes that `expires_in` accepts. Tencent's own implementations sign for 180 days by default.
const LIFETIMES: Durations = Durations { shortest: "1s", longest: "180d", such_as: "\"30m\", \"1h\" or \"30d\"" };

/// The lifetime of a UserSig for which none is chosen.
const DEFAULT_LIFETIME: &str = "1h";

/// The length of the longest account that Tencent accepts, in bytes.
const LONGEST_USER_ID: usize = 32;

model! {
    /// The attributes of the ephemeral resource.
    #[derive(Debug, Default)]
    pub(super) struct UserSigAttributes {
        sdk_app_id: Attr<Number>,
        user_id: Attr<String>,
        expires_in: Attr<String>,
        user_sig: Attr<SecretString>,
        expires_at: Attr<String>,
    }
}

/// The ephemeral resource.
#[derive(Debug)]
pub(super) struct UserSigResource;

impl Block for UserSigResource {
    type Client = Applications;
    type Model = UserSigAttributes;

    fn type_name(&self) -> &'static str {
        "tencent_user_sig"
    }

    fn schema(&self) -> Schema {
        Schema {
            version: 0,
            description: "A new UserSig, signed with the application's SecretKey: a signature that proves who calls, \
                          for pipelines, tools and clients that must not hold the key. The provider signs it on this \
                          machine, without calling Tencent. It is in neither the state nor the plan.\n\nEach plan and \
                          each apply sign a new UserSig, which stays the same for the whole run. A UserSig can be \
                          neither renewed nor revoked: choose an `expires_in` that is longer than the run, but no \
                          longer than needed."
                .into(),
            attributes: vec![
                Attribute::new(
                    "sdk_app_id",
                    Type::Number,
                    "The SDKAppID of the application. The provider must have its SecretKey. Default: the provider's \
                     `sdk_app_id`.",
                )
                .optional_computed(),
                Attribute::new(
                    "user_id",
                    Type::String,
                    "The account that the UserSig is for. Default: the provider's `identifier` for the application, an \
                     app administrator.",
                )
                .optional_computed(),
                Attribute::new(
                    "expires_in",
                    Type::String,
                    "How long it is valid, such as `30m` or `7d`, at most `180d`. Default: `1h`.",
                )
                .default_value(Value::String(DEFAULT_LIFETIME.into())),
                Attribute::new("user_sig", Type::String, "The UserSig.").computed().sensitive(),
                Attribute::new("expires_at", Type::String, "When it expires, in RFC 3339 format.").computed(),
            ],
        }
    }

    fn validate(&self, config: &UserSigAttributes) -> Diagnostics {
        let mut diagnostics = applications::check_sdk_app_id(&config.sdk_app_id);
        if config.user_id.known().is_some_and(|id| id.is_empty() || id.contains(char::is_whitespace)) {
            let reason = "The user_id is empty or contains white space. It is the account that the UserSig is for.";
            diagnostics.push(Diagnostic::invalid("user_id", reason));
        } else if config.user_id.known().is_some_and(|id| id.len() > LONGEST_USER_ID) {
            diagnostics.push(Diagnostic::invalid("user_id", no_such_account("user_id")));
        }
        diagnostics.extend(config.expires_in.known().and_then(|text| lifetime(text).err()));
        diagnostics
    }
}

impl EphemeralResource for UserSigResource {
    async fn open(
        &self,
        apps: &Applications,
        config: UserSigAttributes,
        _: &mut Context,
    ) -> Result<Opened<UserSigAttributes>, Diagnostics> {
        let id = apps.sdk_app_id(&config.sdk_app_id, Purpose::Sign)?;
        if !apps.is_known(&config.sdk_app_id) {
            let user_id = if config.user_id.is_null() { Attr::Unknown } else { config.user_id };
            let (user_sig, expires_at) = (Attr::Unknown, Attr::Unknown);
            return Ok(UserSigAttributes { sdk_app_id: id.into(), user_id, user_sig, expires_at, ..config }.into());
        }
        let app = apps.app(id, Purpose::Sign)?;
        let lifetime = lifetime(config.expires_in.known().map(String::as_str).unwrap_or_default())?;
        let user_id = config.user_id.known().map_or(app.identifier(), String::as_str);
        let Some(user_sig) = app.sign(user_id, SystemTime::now(), lifetime) else {
            return Err(no_secret_key(&app).into());
        };
        Ok(UserSigAttributes {
            sdk_app_id: id.into(),
            user_id: user_id.to_owned().into(),
            user_sig: SecretString::from(user_sig.expose()).into(),
            expires_at: rfc3339(user_sig.claims().ok().and_then(|claims| claims.expiry())),
            expires_in: config.expires_in,
        }
        .into())
    }
}

/// Signs a UserSig for an app administrator, with the credentials in the environment.
///
/// # Errors
///
/// A message that names the variable or the option at fault.
pub(super) fn sign(environment: Environment, lifetime: Option<&str>) -> Result<UserSig, String> {
    let set = |argument| from_environment(environment, argument);
    let required = |argument, what| {
        set(argument).ok_or_else(|| {
            let name = variable(argument).unwrap_or(argument);
            format!("The environment variable {name} is not set. It must hold the application's {what}.")
        })
    };
    let (id, source) = required("sdk_app_id", "SDKAppID")?;
    let id = values::sdk_app_id(id.expose_secret(), source)?;
    let (key, source) = required("secret_key", "SecretKey")?;
    let key = values::secret_key(key.expose_secret(), source)?;
    let identifier = match set("identifier") {
        Some((text, source)) => values::identifier(text.expose_secret(), source)?,
        None => DEFAULT_IDENTIFIER.to_owned(),
    };
    if identifier.len() > LONGEST_USER_ID {
        return Err(no_such_account(variable("identifier").unwrap_or_default()));
    }
    let lifetime =
        LIFETIMES.read(lifetime.unwrap_or(DEFAULT_LIFETIME)).map_err(|reason| format!("--expires-in: {reason}"))?;
    Ok(UserSig::sign(&key, &identifier, id, SystemTime::now(), lifetime))
}

/// Says that an account is too long. `name` is the argument or the variable that names it.
fn no_such_account(name: &str) -> String {
    format!("The {name} is longer than {LONGEST_USER_ID} bytes: Tencent has no such account.")
}

fn lifetime(text: &str) -> Result<Duration, Diagnostic> {
    LIFETIMES.read(text).map_err(|reason| Diagnostic::invalid("expires_in", reason))
}

/// Prints a time as Terraform's own functions do. Without a time, or beyond the year 9999, the result is null.
pub(super) fn rfc3339(time: Option<SystemTime>) -> Attr<String> {
    /// The first second of the year 10000.
    const END: Duration = Duration::from_secs(253_402_300_800);
    match time {
        Some(time) if time < SystemTime::UNIX_EPOCH + END => humantime::format_rfc3339_seconds(time).to_string().into(),
        _ => Attr::Null,
    }
}

fn no_secret_key(app: &App) -> Diagnostic {
    let detail = format!(
        "A UserSig is signed with the application's SecretKey, but the provider holds only {} for it. Give the provider \
         the SecretKey instead: secret_key or TENCENT_SECRET_KEY, or the application's entry in apps.",
        app.proof()
    );
    Diagnostic::error(format!("No SecretKey for SDKAppID {}", app.sdk_app_id()), detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::{blamed, number, text};

    #[test]
    fn invalid_arguments_are_named() {
        let none = UserSigAttributes::default;
        for (config, expected) in [
            (none(), None),
            (UserSigAttributes { user_id: text("alice"), expires_in: text("180d"), ..none() }, None),
            (UserSigAttributes { user_id: Attr::Unknown, expires_in: Attr::Unknown, ..none() }, None),
            (UserSigAttributes { sdk_app_id: number(0), ..none() }, Some("sdk_app_id")),
            (UserSigAttributes { user_id: text(""), ..none() }, Some("user_id")),
            (UserSigAttributes { user_id: text("alice\n"), ..none() }, Some("user_id")),
            (UserSigAttributes { user_id: text(&"a".repeat(32)), ..none() }, None),
            (UserSigAttributes { user_id: text(&"a".repeat(33)), ..none() }, Some("user_id")),
            (UserSigAttributes { expires_in: text("181d"), ..none() }, Some("expires_in")),
            (UserSigAttributes { expires_in: text("3600"), ..none() }, Some("expires_in")),
        ] {
            assert_eq!(blamed(UserSigResource.validate(&config)).as_deref(), expected);
        }
    }
}
