//! The provider block: its arguments, the environment variables behind them, and what they make together.

use std::num::NonZeroU32;
use std::time::SystemTime;

use secrecy::{ExposeSecret as _, SecretString};

use super::applications::{Account, Apps, Tencent};
use super::apps;
use super::checks;
use crate::model;
use crate::tencent::{Client, Credentials, Endpoint, InvalidUserSig, Region, SdkAppId, Settings, UserSig};
use crate::terraform::{Attr, Attribute, Configured, Diagnostic, Diagnostics, Number, Schema, Type};

/// How a variable of the environment is read; empty ones count as not set.
pub(super) type Environment = fn(&str) -> Option<String>;

model! {
    /// The arguments of the provider block.
    #[derive(Debug)]
    pub struct Config {
        sdk_app_id: Attr<Number>,
        secret_key: Attr<SecretString>,
        user_sig: Attr<SecretString>,
        identifier: Attr<String>,
        region: Attr<String>,
        endpoint: Attr<String>,
        request_timeout: Attr<String>,
        max_retries: Attr<Number>,
        requests_per_second: Attr<Number>,
        apps: apps::Argument,
    }
}

const DEFAULT_IDENTIFIER: &str = "administrator";
const DEFAULT_REGION: Region = Region::China;
/// More attempts than any timeout leaves time for.
const MOST_RETRIES: u32 = 100;
/// Pacing has a resolution of a millisecond.
const MOST_REQUESTS_PER_SECOND: u32 = 1000;

pub(super) fn schema() -> Schema {
    Schema {
        version: 0,
        description: "Manages the callback configuration of Tencent RTC applications: which events Tencent posts to \
                      which URL. Every argument is optional; an environment variable fills what the block leaves out.",
        attributes: vec![
            Attribute::new(
                "sdk_app_id",
                Type::Number,
                "The SDKAppID of the application that resources belong to unless they say otherwise. Environment \
                 variable: `TENCENT_SDK_APP_ID`.",
            ),
            Attribute::new(
                "secret_key",
                Type::String,
                "The application's SecretKey, which signs UserSigs locally and is never sent anywhere. Conflicts with \
                 `user_sig`. Environment variable: `TENCENT_SECRET_KEY`.",
            )
            .sensitive(),
            Attribute::new(
                "user_sig",
                Type::String,
                "A UserSig made elsewhere, for pipelines that may not hold the SecretKey. Conflicts with \
                 `secret_key`. Environment variable: `TENCENT_USER_SIG`.",
            )
            .sensitive(),
            Attribute::new(
                "identifier",
                Type::String,
                "The app administrator account that calls are made as. Default: `administrator`, which the Tencent \
                 RTC console creates. Environment variable: `TENCENT_IDENTIFIER`.",
            ),
            Attribute::new(
                "region",
                Type::String,
                "The region of the application: `china` (the default), `singapore` or `seoul`. Environment variable: \
                 `TENCENT_REGION`.",
            ),
            Attribute::new(
                "endpoint",
                Type::String,
                "A base URL to call instead of the region's, such as that of a gateway. Plain http is accepted for \
                 loopback addresses only. Environment variable: `TENCENT_ENDPOINT`.",
            ),
            Attribute::new(
                "request_timeout",
                Type::String,
                "The time for one attempt of a call, such as `10s` (the default).",
            ),
            Attribute::new(
                "max_retries",
                Type::Number,
                "How many further attempts follow one that failed for a reason that may pass. Default: 4.",
            ),
            Attribute::new(
                "requests_per_second",
                Type::Number,
                "How many requests are sent each second at most, for each of the API's calls. Default: 200, which is \
                 Tencent's documented limit.",
            ),
            apps::schema(),
        ],
    }
}

/// Checks what the block says; what it leaves out is the environment's, which may differ where the plan is made.
pub(super) fn validate(config: &Config) -> Diagnostics {
    resolve(config, |_| None).err().unwrap_or_default()
}

/// Makes the client.
pub(super) fn configure(config: Config, environment: Environment) -> Result<Configured<Tencent>, Diagnostics> {
    let Resolved { sdk_app_id, own, apps, settings } = resolve(&config, environment)?;
    let known = !has_unknown(&config);
    if known {
        let now = SystemTime::now();
        let diagnostics = check(&config, &sdk_app_id, own.as_ref(), &apps, now);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
    }
    let tencent = Tencent::new(Client::new(settings), sdk_app_id, own, apps);
    Ok(if known { Configured::Known(tencent) } else { Configured::Partly(tencent) })
}

/// Whether an argument is unknown that all applications need.
fn has_unknown(config: &Config) -> bool {
    let Config { sdk_app_id, secret_key, user_sig, identifier, region, endpoint, .. } = config;
    let texts = [identifier, region, endpoint, &config.request_timeout];
    let numbers = [sdk_app_id, &config.max_retries, &config.requests_per_second];
    texts.into_iter().any(Attr::is_unknown)
        || numbers.into_iter().any(Attr::is_unknown)
        || [secret_key, user_sig].into_iter().any(Attr::is_unknown)
}

/// Checks what needs the block and the environment as a whole.
fn check(
    config: &Config,
    sdk_app_id: &Attr<SdkAppId>,
    own: Option<&Account>,
    apps: &Apps,
    now: SystemTime,
) -> Diagnostics {
    let default = sdk_app_id.known().copied();
    let mut diagnostics = Diagnostics::new();
    if let Some(Account { credentials: Credentials::UserSig(user_sig), identifier, .. }) = own
        && let Some(id) = default.or_else(|| user_sig.claims().ok()?.sdk_app_id.try_into().ok())
        && let Err(error) = user_sig.check(identifier, id, now)
    {
        diagnostics.push(unusable_user_sig(&error, id, "user_sig (TENCENT_USER_SIG)").on("user_sig"));
    }
    diagnostics.extend(apps::check(&config.apps, apps, default.zip(own), now));
    diagnostics
}

/// `name` is where the UserSig stands.
pub(super) fn unusable_user_sig(error: &InvalidUserSig, id: SdkAppId, name: &str) -> Diagnostic {
    let mut detail = format!("The provider's {name} cannot be used for SDKAppID {id}: {error}.");
    detail += match error {
        InvalidUserSig::OtherIdentifier(_) => " Set identifier (TENCENT_IDENTIFIER) to the account it was made for.",
        InvalidUserSig::Unreadable => "",
        InvalidUserSig::OtherApp(_) | InvalidUserSig::Expired(_) => " Make a new one.",
    };
    Diagnostic::error("The UserSig cannot be used", detail)
}

/// What the block and the environment say, checked one by one.
#[derive(Debug)]
struct Resolved {
    sdk_app_id: Attr<SdkAppId>,
    own: Option<Account>,
    apps: Apps,
    settings: Settings,
}

/// Reads every argument, from the block or else from the environment. Unknown arguments count as not set.
fn resolve(config: &Config, environment: Environment) -> Result<Resolved, Diagnostics> {
    let mut from = Arguments { environment, diagnostics: Diagnostics::new() };

    let sdk_app_id = from.number("sdk_app_id", Some("TENCENT_SDK_APP_ID"), &config.sdk_app_id, checks::sdk_app_id);
    let sdk_app_id = match sdk_app_id {
        Some(id) => Attr::Known(id),
        None if config.sdk_app_id.is_unknown() => Attr::Unknown,
        None => Attr::Null,
    };
    let credentials = from.credentials(config);
    let identifier = from.text("identifier", Some("TENCENT_IDENTIFIER"), &config.identifier, identifier);
    let region = from.text("region", Some("TENCENT_REGION"), &config.region, region);
    let endpoint = from.text("endpoint", Some("TENCENT_ENDPOINT"), &config.endpoint, endpoint);

    let request_timeout = from.text("request_timeout", None, &config.request_timeout, checks::duration);
    let max_retries = from.number("max_retries", None, &config.max_retries, max_retries);
    let requests_per_second =
        from.number("requests_per_second", None, &config.requests_per_second, requests_per_second);

    let identifier = identifier.unwrap_or_else(|| DEFAULT_IDENTIFIER.to_owned());
    let endpoint = endpoint.unwrap_or_else(|| region.unwrap_or(DEFAULT_REGION).into());
    let defaults = apps::Defaults { identifier: &identifier, endpoint: &endpoint };
    let apps = apps::resolve(&config.apps, &defaults, &mut from.diagnostics);
    if from.diagnostics.has_errors() {
        return Err(from.diagnostics);
    }
    let defaults = Settings::default();
    Ok(Resolved {
        sdk_app_id,
        own: credentials.map(|credentials| Account { identifier, credentials, endpoint }),
        apps,
        settings: Settings {
            request_timeout: request_timeout.unwrap_or(defaults.request_timeout),
            max_retries: max_retries.unwrap_or(defaults.max_retries),
            requests_per_second: requests_per_second.unwrap_or(defaults.requests_per_second),
        },
    })
}

/// Reads arguments one by one and collects what is wrong with them.
struct Arguments {
    environment: Environment,
    diagnostics: Diagnostics,
}

impl Arguments {
    fn text<T>(
        &mut self,
        name: &'static str,
        variable: Option<&'static str>,
        value: &Attr<String>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let checked = match value {
            Attr::Known(text) => check(text),
            Attr::Unknown => return None,
            Attr::Null => self.variable(variable?, check)?,
        };
        self.note(name, checked)
    }

    fn number<T>(
        &mut self,
        name: &'static str,
        variable: Option<&'static str>,
        value: &Attr<Number>,
        check: impl Fn(&Number) -> Result<T, String>,
    ) -> Option<T> {
        let checked = match value {
            Attr::Known(number) => check(number),
            Attr::Unknown => return None,
            Attr::Null => self.variable(variable?, |text| {
                text.parse().map_err(|_| format!("{text:?} is not a number.")).and_then(|number| check(&number))
            })?,
        };
        self.note(name, checked)
    }

    fn credentials(&mut self, config: &Config) -> Option<Credentials> {
        let (key, user_sig) = (&config.secret_key, &config.user_sig);
        if key.is_null() && user_sig.is_null() {
            let key = self.variable("TENCENT_SECRET_KEY", secret_key);
            let user_sig = self.variable("TENCENT_USER_SIG", readable_user_sig);
            return match (key, user_sig) {
                (Some(_), Some(_)) => {
                    let text = "The environment variables TENCENT_SECRET_KEY and TENCENT_USER_SIG are both set. Unset \
                                one, or set the provider's secret_key or user_sig.";
                    self.note("user_sig", Err(text.to_owned()))
                }
                (Some(key), None) => self.note("secret_key", key),
                (None, user_sig) => self.note("user_sig", user_sig?),
            };
        }
        match (key.known(), user_sig.known()) {
            (Some(_), Some(_)) => {
                let text = "secret_key and user_sig are both set. Set one of them: the SecretKey, or a UserSig where \
                            the key must not be.";
                self.note("user_sig", Err(text.to_owned()))
            }
            (Some(key), None) if key.expose_secret().is_empty() => {
                let text = "The SecretKey is empty. Set secret_key, or leave it out and set TENCENT_SECRET_KEY.";
                self.note("secret_key", Err(text.to_owned()))
            }
            (Some(key), None) => self.note("secret_key", secret_key(key.expose_secret())),
            (None, user_sig) => self.note("user_sig", readable_user_sig(user_sig?.expose_secret())),
        }
    }

    /// What `check` says of a variable of the environment, and the variable's name with what is wrong.
    fn variable<T>(&self, name: &'static str, check: impl Fn(&str) -> Result<T, String>) -> Option<Result<T, String>> {
        let text = (self.environment)(name).filter(|text| !text.is_empty())?;
        Some(check(&text).map_err(|reason| format!("In the environment variable {name}: {reason}")))
    }

    fn note<T>(&mut self, name: &'static str, checked: Result<T, String>) -> Option<T> {
        checked
            .map_err(|reason| {
                self.diagnostics.push(invalid(name, reason).on(name));
            })
            .ok()
    }
}

pub(super) fn invalid(name: &str, reason: String) -> Diagnostic {
    Diagnostic::error(format!("Invalid provider argument {name}"), reason)
}

/// What a message may show of a value: nothing long, for that may be a key in the wrong place.
pub(super) fn quotable(text: &str) -> Option<String> {
    (text.len() <= 24).then(|| format!("{text:?}"))
}

pub(super) fn secret_key(text: &str) -> Result<Credentials, String> {
    if text.is_empty() {
        return Err("The SecretKey is empty. The Tencent RTC console shows it under Basic Information.".into());
    }
    if text.contains(char::is_whitespace) {
        return Err(
            "The SecretKey contains white space, perhaps the line end of a file: trimspace() removes it.".into()
        );
    }
    Ok(Credentials::SecretKey(text.to_owned().into()))
}

pub(super) fn readable_user_sig(text: &str) -> Result<Credentials, String> {
    let user_sig = UserSig::from(text.to_owned());
    user_sig.claims().map_err(|error| format!("The UserSig cannot be used: {error}."))?;
    Ok(Credentials::UserSig(user_sig))
}

pub(super) fn identifier(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        let advice = "It is the app administrator account that calls are made as.";
        return Err(format!("The identifier is empty or contains white space. {advice}"));
    }
    Ok(text.to_owned())
}

pub(super) fn region(text: &str) -> Result<Region, String> {
    text.parse().map_err(|error: crate::tencent::UnknownRegion| format!("{text:?} is not a region: {error}."))
}

pub(super) fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.parse().map_err(|error: crate::tencent::InvalidEndpoint| format!("The endpoint cannot be used: {error}."))
}

fn max_retries(number: &Number) -> Result<u32, String> {
    whole_number(number, MOST_RETRIES)
        .ok_or_else(|| format!("{number} is not a whole number from 0 to {MOST_RETRIES}."))
}

fn requests_per_second(number: &Number) -> Result<NonZeroU32, String> {
    let rate = whole_number(number, MOST_REQUESTS_PER_SECOND).and_then(NonZeroU32::new);
    rate.ok_or_else(|| format!("{number} is not a whole number from 1 to {MOST_REQUESTS_PER_SECOND}."))
}

fn whole_number(number: &Number, most: u32) -> Option<u32> {
    number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn nothing() -> Config {
        Config {
            sdk_app_id: Attr::Null,
            secret_key: Attr::Null,
            user_sig: Attr::Null,
            identifier: Attr::Null,
            region: Attr::Null,
            endpoint: Attr::Null,
            request_timeout: Attr::Null,
            max_retries: Attr::Null,
            requests_per_second: Attr::Null,
            apps: Attr::Null,
        }
    }

    fn secret(text: &str) -> Attr<SecretString> {
        Attr::Known(text.to_owned().into())
    }

    fn number(number: u64) -> Attr<Number> {
        Attr::Known(number.into())
    }

    fn text(text: &str) -> Attr<String> {
        Attr::Known(text.to_owned())
    }

    fn user_sig() -> UserSig {
        let key = "tok3n".to_owned().into();
        let id = SdkAppId::try_from(1_400_000_001).expect("an SDKAppID");
        UserSig::sign(&key, "administrator", id, SystemTime::now(), Duration::from_secs(600))
    }

    /// Path and detail of every error.
    fn errors(config: &Config, environment: Environment) -> Vec<(String, String)> {
        let diagnostics = resolve(config, environment).err().unwrap_or_default();
        diagnostics.iter().map(|d| (d.path.as_ref().expect("a path").to_string(), d.detail.clone())).collect()
    }

    #[test]
    fn nothing_is_required_before_it_is_needed() {
        let resolved = resolve(&nothing(), |_| None).expect("valid");
        assert!(resolved.sdk_app_id.is_null() && resolved.own.is_none());
        assert!(resolved.apps.is_some_and(|apps| apps.is_empty()));
        let own = resolve(&Config { secret_key: secret("tok3n"), ..nothing() }, |_| None).expect("valid").own;
        let own = own.expect("credentials");
        assert_eq!((own.identifier.as_str(), own.endpoint), ("administrator", Region::China.into()));
    }

    #[test]
    fn the_environment_fills_what_the_block_leaves_out() {
        let environment = |name: &str| {
            Some(
                match name {
                    "TENCENT_SDK_APP_ID" => "1400000002",
                    "TENCENT_SECRET_KEY" => "tok3n",
                    "TENCENT_IDENTIFIER" => "someone",
                    "TENCENT_REGION" => "seoul",
                    _ => "",
                }
                .to_owned(),
            )
        };
        let resolved = resolve(&nothing(), environment).expect("valid");
        assert_eq!(resolved.sdk_app_id.known().map(|id| u64::from(*id)), Some(1_400_000_002));
        let own = resolved.own.expect("credentials");
        assert!(matches!(own.credentials, Credentials::SecretKey(_)));
        assert_eq!((own.identifier.as_str(), own.endpoint), ("someone", Region::Seoul.into()));

        let block = Config {
            sdk_app_id: number(7),
            user_sig: secret(user_sig().expose()),
            region: text("singapore"),
            ..nothing()
        };
        let resolved = resolve(&block, environment).expect("valid");
        assert_eq!(resolved.sdk_app_id.known().map(|id| u64::from(*id)), Some(7));
        let own = resolved.own.expect("credentials");
        assert!(matches!(own.credentials, Credentials::UserSig(_)), "the block's credentials are the ones");
        assert_eq!(own.endpoint, Region::Singapore.into());
    }

    #[test]
    fn bad_arguments_are_named() {
        for (config, path, expected) in [
            (Config { sdk_app_id: number(0), ..nothing() }, "sdk_app_id", "0 is not an SDKAppID"),
            (Config { sdk_app_id: number(1 << 32), ..nothing() }, "sdk_app_id", "from 1 to 4294967295"),
            (Config { secret_key: secret(""), ..nothing() }, "secret_key", "TENCENT_SECRET_KEY"),
            (Config { secret_key: secret("tok3n\n"), ..nothing() }, "secret_key", "white space"),
            (Config { user_sig: secret("tok3n"), ..nothing() }, "user_sig", "not a UserSig"),
            (
                Config { secret_key: secret("tok3n"), user_sig: secret(user_sig().expose()), ..nothing() },
                "user_sig",
                "both set",
            ),
            (Config { identifier: text(" "), ..nothing() }, "identifier", "empty"),
            (Config { region: text("mars"), ..nothing() }, "region", "\"seoul\""),
            (Config { endpoint: text("http://10.0.0.1"), ..nothing() }, "endpoint", "loopback"),
            (Config { request_timeout: text("10"), ..nothing() }, "request_timeout", "\"30s\""),
            (Config { max_retries: number(101), ..nothing() }, "max_retries", "0 to 100"),
            (Config { requests_per_second: number(0), ..nothing() }, "requests_per_second", "1 to 1000"),
        ] {
            let errors = errors(&config, |_| None);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0].0, path);
            assert!(errors[0].1.contains(expected), "{errors:?}");
            assert!(!errors[0].1.contains("tok3n"), "{errors:?}");
        }
    }

    #[test]
    fn bad_variables_are_named() {
        let environment = |name: &str| {
            Some(
                match name {
                    "TENCENT_SDK_APP_ID" => "app",
                    "TENCENT_REGION" => "mars",
                    "TENCENT_SECRET_KEY" | "TENCENT_USER_SIG" => "tok3n",
                    _ => "",
                }
                .to_owned(),
            )
        };
        let errors = errors(&nothing(), environment);
        let all = format!("{errors:?}");
        assert_eq!(errors.len(), 3, "{all}");
        for expected in ["TENCENT_SDK_APP_ID", "TENCENT_REGION", "TENCENT_SECRET_KEY and TENCENT_USER_SIG"] {
            assert!(all.contains(expected), "{all}");
        }
        assert!(!all.contains("tok3n"));
    }

    #[test]
    fn unknown_arguments_are_neither_errors_nor_filled_in() {
        let config = Config { secret_key: Attr::Unknown, region: Attr::Unknown, ..nothing() };
        let resolved = resolve(&config, |name| (name == "TENCENT_SECRET_KEY").then(|| "tok3n".into())).expect("valid");
        assert!(resolved.own.is_none());
        assert!(has_unknown(&config));
    }

    #[test]
    fn a_user_sig_for_something_else_is_refused_before_any_call() {
        let config = |id: u64, identifier: &str| Config {
            sdk_app_id: number(id),
            user_sig: secret(user_sig().expose()),
            identifier: text(identifier),
            ..nothing()
        };
        let configured = configure(config(1_400_000_001, "administrator"), |_| None).expect("valid");
        assert!(matches!(configured, Configured::Known(_)));
        for (config, expected) in [
            (config(1_400_000_002, "administrator"), "it was made for SDKAppID 1400000001"),
            (config(1_400_000_001, "someone"), "identifier"),
        ] {
            let diagnostics = configure(config, |_| None).expect_err(expected);
            let error = diagnostics.iter().next().expect("an error");
            assert!(error.detail.contains(expected), "{error:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = Config { secret_key: secret("tok3n"), user_sig: secret("tok3n"), ..nothing() };
        assert!(!format!("{config:?}").contains("tok3n"));
    }
}
