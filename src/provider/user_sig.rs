//! The ephemeral resource `tencent_user_sig`: a new UserSig, for callers that must not hold the key.

use std::time::SystemTime;

use secrecy::SecretString;

use super::applications::Tencent;
use super::block::values::Durations;
use super::checks;
use crate::model;
use crate::tencent::App;
use crate::terraform::{
    Attr, Attribute, Block, Context, Diagnostic, Diagnostics, EphemeralResource, Number, Opened, Schema, Type, Value,
};

/// The lifetimes that `expires_in` accepts. Tencent's own implementations sign for 180 days by default.
const LIFETIMES: Durations = Durations { shortest: "1s", longest: "180d", such_as: "\"30m\", \"1h\" or \"30d\"" };

/// The length of the longest account that Tencent accepts, in bytes.
const LONGEST_USER_ID: usize = 32;

model! {
    /// The attributes of the ephemeral resource.
    #[derive(Debug)]
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
    type Client = Tencent;
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
                          longer than needed.".into(),
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
                    "The account that the UserSig is for. Default: the provider's `identifier` for the application, an app \
                     administrator.",
                )
                .optional_computed(),
                Attribute::new(
                    "expires_in",
                    Type::String,
                    "How long it is valid, such as `30m` or `7d`, at most `180d`. Default: `1h`.",
                )
                .default_value(Value::String("1h".into())),
                Attribute::new("user_sig", Type::String, "The UserSig.").computed().sensitive(),
                Attribute::new("expires_at", Type::String, "When it expires, in RFC 3339 format.").computed(),
            ],
        }
    }

    fn validate(&self, config: &UserSigAttributes) -> Diagnostics {
        let mut diagnostics = checks::sdk_app_id_argument(&config.sdk_app_id);
        if config.user_id.known().is_some_and(|id| id.is_empty() || id.contains(char::is_whitespace)) {
            let reason = "The user_id is empty or contains white space. It is the account that the UserSig is for.";
            diagnostics.push(Diagnostic::error("Invalid user_id", reason).on("user_id"));
        } else if config.user_id.known().is_some_and(|id| id.len() > LONGEST_USER_ID) {
            let reason = format!("The user_id is longer than {LONGEST_USER_ID} bytes: Tencent has no such account.");
            diagnostics.push(Diagnostic::error("Invalid user_id", reason).on("user_id"));
        }
        if let Some(Err(reason)) = config.expires_in.known().map(|text| LIFETIMES.read(text)) {
            diagnostics.push(Diagnostic::error("Invalid expires_in", reason).on("expires_in"));
        }
        diagnostics
    }
}

impl EphemeralResource for UserSigResource {
    async fn open(
        &self,
        tencent: &Tencent,
        config: UserSigAttributes,
        _: &mut Context,
    ) -> Result<Opened<UserSigAttributes>, Diagnostics> {
        if !tencent.is_known(&config.sdk_app_id) {
            return Ok(UserSigAttributes {
                sdk_app_id: checks::number(tencent.sdk_app_id(&config.sdk_app_id)?),
                user_id: if config.user_id.is_null() { Attr::Unknown } else { config.user_id },
                expires_in: config.expires_in,
                user_sig: Attr::Unknown,
                expires_at: Attr::Unknown,
            }
            .into());
        }
        let app = tencent.app(tencent.sdk_app_id(&config.sdk_app_id)?)?;
        let expires_in = config.expires_in.known().map(String::as_str).unwrap_or_default();
        let lifetime = LIFETIMES
            .read(expires_in)
            .map_err(|reason| Diagnostic::error("Invalid expires_in", reason).on("expires_in"))?;
        let user_id = config.user_id.known().map_or(app.identifier(), String::as_str);
        let Some(user_sig) = app.sign(user_id, SystemTime::now(), lifetime) else {
            return Err(no_secret_key(&app).into());
        };
        let expiry = user_sig.claims().ok().and_then(|claims| claims.expiry());
        Ok(UserSigAttributes {
            sdk_app_id: checks::number(app.sdk_app_id()),
            user_id: user_id.to_owned().into(),
            expires_in: config.expires_in.clone(),
            user_sig: SecretString::from(user_sig.expose()).into(),
            expires_at: checks::rfc3339(expiry),
        }
        .into())
    }
}

fn no_secret_key(app: &App) -> Diagnostic {
    let id = app.sdk_app_id();
    Diagnostic::error(
        format!("No SecretKey for SDKAppID {id}"),
        format!(
            "A UserSig is signed with the application's SecretKey, but the provider holds only {} for it. Give the \
             provider the SecretKey instead: secret_key or TENCENT_SECRET_KEY, or the application's entry in apps.",
            app.proof()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::AttributePath;

    fn config() -> UserSigAttributes {
        UserSigAttributes {
            sdk_app_id: Attr::Null,
            user_id: Attr::Null,
            expires_in: Attr::Null,
            user_sig: Attr::Null,
            expires_at: Attr::Null,
        }
    }

    #[test]
    fn invalid_arguments_are_named() {
        let text = |text: &str| Attr::Known(text.to_owned());
        for (config, blamed) in [
            (config(), None),
            (UserSigAttributes { user_id: text("alice"), expires_in: text("180d"), ..config() }, None),
            (UserSigAttributes { user_id: Attr::Unknown, expires_in: Attr::Unknown, ..config() }, None),
            (UserSigAttributes { sdk_app_id: Attr::Known(0_u64.into()), ..config() }, Some("sdk_app_id")),
            (UserSigAttributes { user_id: text(""), ..config() }, Some("user_id")),
            (UserSigAttributes { user_id: text("alice\n"), ..config() }, Some("user_id")),
            (UserSigAttributes { user_id: text(&"a".repeat(32)), ..config() }, None),
            (UserSigAttributes { user_id: text(&"a".repeat(33)), ..config() }, Some("user_id")),
            (UserSigAttributes { expires_in: text("181d"), ..config() }, Some("expires_in")),
            (UserSigAttributes { expires_in: text("3600"), ..config() }, Some("expires_in")),
        ] {
            let found: Vec<_> = UserSigResource.validate(&config).into_iter().map(|d| d.path).collect();
            assert_eq!(found, blamed.map(|name| Some(AttributePath::attribute(name))).into_iter().collect::<Vec<_>>());
        }
    }
}
