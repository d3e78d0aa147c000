//! The provider block: its arguments, the environment variables behind them, and what they make together.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};

use super::applications::{Account, Apps, Tencent};
use super::apps;
use super::arguments::{self, Source};
use super::checks;
use crate::model;
use crate::tencent::{Client, Credentials, Endpoint, InvalidUserSig, Region, Route, SdkAppId, Settings, UserSig};
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
/// A UserSig that ends within this time deserves a warning,
const ENDS_SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// unless its whole lifetime is no longer than this: it was made for one run.
const MADE_FOR_ONE_RUN: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn schema() -> Schema {
    Schema {
        version: 0,
        description:
            "Manages the callback configurations of Tencent RTC applications: which events of calls, rooms and live \
                      streams Tencent posts to which URL."
                .into(),
        attributes: vec![
            Attribute::new(
                "sdk_app_id",
                Type::Number,
                "The SDKAppID of the default application: the one of every resource that does not name another. \
                 Environment variable: `TENCENT_SDK_APP_ID`.",
            ),
            Attribute::new(
                "secret_key",
                Type::String,
                "The SecretKey of the default application. The provider signs UserSigs with it, and never sends it \
                 anywhere. Conflicts with `user_sig`. Environment variable: `TENCENT_SECRET_KEY`.",
            )
            .sensitive(),
            Attribute::new(
                "user_sig",
                Type::String,
                "A UserSig for the default application, for pipelines that may not hold the SecretKey. Conflicts with \
                 `secret_key`. Environment variable: `TENCENT_USER_SIG`.",
            )
            .sensitive(),
            Attribute::new(
                "identifier",
                Type::String,
                "The app administrator account that the provider calls as. Default: `administrator`, which the Tencent \
                 RTC console creates. Environment variable: `TENCENT_IDENTIFIER`.",
            ),
            Attribute::new(
                "region",
                Type::String,
                "The region in which the application was created: `china` (the default), `singapore`, `seoul`, \
                 `frankfurt`, `silicon_valley`, `jakarta` or `tokyo`. Environment variable: `TENCENT_REGION`.",
            ),
            Attribute::new(
                "endpoint",
                Type::String,
                "The base URL to call instead of the region's, such as a gateway's. It must be `https`, except for \
                 loopback addresses. Environment variable: `TENCENT_ENDPOINT`.",
            ),
            Attribute::new(
                "request_timeout",
                Type::String,
                "How long one attempt of a call may take, such as `10s` (the default).",
            ),
            Attribute::new(
                "max_retries",
                Type::Number,
                "How many times the provider retries a call after a transient error. Default: 4.",
            ),
            Attribute::new(
                "requests_per_second",
                Type::Number,
                "The most requests to send per second, for each of the API's calls. Default: 200, Tencent's documented \
                 limit.",
            ),
            apps::schema(),
        ],
    }
}

/// Checks what the block says; what it leaves out is the environment's, which may differ where the plan is made.
pub(super) fn validate(config: &Config) -> Diagnostics {
    resolve(config, |_| None).err().unwrap_or_default()
}

/// Makes the client, and tells what a person should know all the same.
pub(super) fn configure(
    config: Config,
    environment: Environment,
) -> Result<(Configured<Tencent>, Diagnostics), Diagnostics> {
    let Resolved { sdk_app_id, own, apps, settings } = resolve(&config, environment)?;
    let known = !has_unknown(&config);
    let mut diagnostics = overridden_region(&config, environment).map(Diagnostics::from).unwrap_or_default();
    if known {
        let now = SystemTime::now();
        let default = sdk_app_id.known().copied();
        diagnostics.extend(own.as_ref().and_then(|own| checked_user_sig(own, default, now)));
        diagnostics.extend(apps::check(&config.apps, &apps, default.zip(own.as_ref()), now));
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
    }
    if let Some(Account { endpoint, identifier, .. }) = &own {
        tracing::debug!(endpoint = %Route::to(endpoint), identifier, "configured");
    }
    let tencent = Tencent::new(Client::new(settings), sdk_app_id, own, apps);
    Ok((if known { Configured::Known(tencent) } else { Configured::Partly(tencent) }, diagnostics))
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

/// A variable of the environment is stronger here than the configuration, which may surprise.
fn overridden_region(config: &Config, environment: Environment) -> Option<Diagnostic> {
    let Attr::Known(region) = &config.region else { return None };
    let overridden = config.endpoint.is_null() && environment("TENCENT_ENDPOINT").is_some_and(|text| !text.is_empty());
    let detail = format!(
        "The environment variable TENCENT_ENDPOINT is set, so calls go to that endpoint and not to the region \
         {region:?}. Unset the variable, or remove region."
    );
    overridden.then(|| Diagnostic::warning("TENCENT_ENDPOINT overrides region", detail).on("region"))
}

/// What there is to say of the block's own UserSig, if it has one. Without a default application, it is for the one that
/// it names itself.
fn checked_user_sig(own: &Account, default: Option<SdkAppId>, now: SystemTime) -> Option<Diagnostic> {
    let Credentials::UserSig(user_sig) = &own.credentials else { return None };
    let id = default.or_else(|| user_sig.claims().ok()?.sdk_app_id.try_into().ok())?;
    let found = match user_sig.check(&own.identifier, id, now) {
        Err(error) => unusable_user_sig(&error, id, &own.origin, "identifier (TENCENT_IDENTIFIER)"),
        Ok(()) => {
            let expiry = ends_soon(user_sig, now)?;
            expiring(&format!("The UserSig ({}) expires at {}.", own.origin, utc(expiry)))
        }
    };
    Some(found.on("user_sig"))
}

/// `origin` is where the UserSig stands, `identifier` what says for whom it has to be.
pub(super) fn unusable_user_sig(error: &InvalidUserSig, id: SdkAppId, origin: &str, identifier: &str) -> Diagnostic {
    let mut detail = format!("The UserSig ({origin}) cannot be used for SDKAppID {id}: {error}.");
    match error {
        InvalidUserSig::OtherIdentifier(_) => {
            detail += &format!(" Set {identifier} to the account it was made for, or make a new one.");
        }
        InvalidUserSig::Unreadable => detail += " Check that it was copied whole.",
        InvalidUserSig::OtherApp(_) | InvalidUserSig::Expired(_) => detail += " Make a new one.",
    }
    Diagnostic::error("The UserSig cannot be used", detail)
}

/// When the UserSig ends, if a person should know that now.
pub(super) fn ends_soon(user_sig: &UserSig, now: SystemTime) -> Option<SystemTime> {
    let claims = user_sig.claims().ok()?;
    let expiry = claims.expiry()?;
    let soon = expiry <= now + ENDS_SOON && claims.lifetime > MADE_FOR_ONE_RUN.as_secs();
    soon.then_some(expiry)
}

/// A time as a person reads it.
pub(super) fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', " UTC")
}

pub(super) fn expiring(which: &str) -> Diagnostic {
    Diagnostic::warning(
        "A UserSig expires soon",
        format!("{which} Make a new one before then. After that, calls fail."),
    )
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
    let mut from = Reader { environment, diagnostics: Diagnostics::new() };

    let sdk_app_id = from.sdk_app_id(&config.sdk_app_id);
    let credentials = from.credentials(config);
    let identifier = from.text("identifier", Some("TENCENT_IDENTIFIER"), &config.identifier, arguments::identifier);
    let endpoint = from.endpoint(config);
    let request_timeout = from.text("request_timeout", None, &config.request_timeout, |text, _| checks::duration(text));
    let max_retries = from.number("max_retries", &config.max_retries, arguments::max_retries);
    let requests_per_second =
        from.number("requests_per_second", &config.requests_per_second, arguments::requests_per_second);

    let identifier = identifier.map_or_else(|| DEFAULT_IDENTIFIER.to_owned(), |(identifier, _)| identifier);
    let defaults = apps::Defaults { identifier: &identifier, endpoint: &endpoint };
    let apps = apps::resolve(&config.apps, &defaults, &mut from.diagnostics);
    if from.diagnostics.has_errors() {
        return Err(from.diagnostics);
    }
    let defaults = Settings::default();
    Ok(Resolved {
        sdk_app_id,
        own: credentials.map(|(credentials, origin)| Account { identifier, credentials, origin, endpoint }),
        apps,
        settings: Settings {
            request_timeout: request_timeout.map_or(defaults.request_timeout, |(timeout, _)| timeout),
            max_retries: max_retries.unwrap_or(defaults.max_retries),
            requests_per_second: requests_per_second.unwrap_or(defaults.requests_per_second),
        },
    })
}

/// Reads arguments one by one and collects what is wrong with them.
struct Reader {
    environment: Environment,
    diagnostics: Diagnostics,
}

impl Reader {
    fn sdk_app_id(&mut self, value: &Attr<Number>) -> Attr<SdkAppId> {
        const NAME: &str = "sdk_app_id";
        let id = match value {
            Attr::Known(number) => self.note(NAME, checks::sdk_app_id(number)),
            Attr::Unknown => return Attr::Unknown,
            Attr::Null => self
                .variable("TENCENT_SDK_APP_ID", arguments::sdk_app_id_variable)
                .and_then(|checked| self.note(NAME, checked)),
        };
        id.map_or(Attr::Null, Attr::Known)
    }

    /// The value, and where it stands.
    fn text<T>(
        &mut self,
        name: &'static str,
        variable: Option<&'static str>,
        value: &Attr<String>,
        check: impl Fn(&str, Source) -> Result<T, String>,
    ) -> Option<(T, Source)> {
        let (checked, source) = match value {
            Attr::Known(text) => (check(text, Source::Argument), Source::Argument),
            Attr::Unknown => return None,
            Attr::Null => (self.variable(variable?, check)?, Source::Variable(variable?)),
        };
        Some((self.note(name, checked)?, source))
    }

    fn number<T>(
        &mut self,
        name: &'static str,
        value: &Attr<Number>,
        check: impl Fn(&Number) -> Result<T, String>,
    ) -> Option<T> {
        self.note(name, check(value.known()?))
    }

    /// Where calls go, with what says so.
    fn endpoint(&mut self, config: &Config) -> Endpoint {
        let region = self.text("region", Some("TENCENT_REGION"), &config.region, arguments::region);
        let endpoint = self.text("endpoint", Some("TENCENT_ENDPOINT"), &config.endpoint, arguments::endpoint);
        let Some((endpoint, source)) = endpoint else {
            let (region, why) = match region {
                Some((region, Source::Argument)) => (region, ""),
                Some((region, Source::Variable(_))) => (region, ", from TENCENT_REGION"),
                None => (DEFAULT_REGION, ", the default"),
            };
            let endpoint = Endpoint::from(region);
            let origin = format!("{}{why}", endpoint.origin());
            return endpoint.said_by(origin);
        };
        endpoint.said_by(match source {
            Source::Argument => "the provider's endpoint",
            Source::Variable(name) => name,
        })
    }

    /// The block's own credentials, and what holds them.
    fn credentials(&mut self, config: &Config) -> Option<(Credentials, String)> {
        let (key, user_sig) = (&config.secret_key, &config.user_sig);
        if key.is_null() && user_sig.is_null() {
            return self.credentials_of_the_environment();
        }
        let (name, checked) = match (key.known(), user_sig.known()) {
            (Some(_), Some(_)) => {
                let text = "secret_key and user_sig are both set. Set only one of them: the SecretKey, or a UserSig if \
                            the pipeline must not hold the key.";
                ("user_sig", Err(text.to_owned()))
            }
            (Some(key), None) if key.expose_secret().is_empty() => {
                let text = "The SecretKey is empty. Set secret_key, or leave it out and set TENCENT_SECRET_KEY.";
                ("secret_key", Err(text.to_owned()))
            }
            (Some(key), None) => ("secret_key", arguments::secret_key(key.expose_secret(), Source::Argument)),
            (None, user_sig) => ("user_sig", arguments::readable_user_sig(user_sig?.expose_secret(), Source::Argument)),
        };
        Some((self.note(name, checked)?, format!("the provider's {name}")))
    }

    fn credentials_of_the_environment(&mut self) -> Option<(Credentials, String)> {
        let key = self.variable("TENCENT_SECRET_KEY", arguments::secret_key);
        let user_sig = self.variable("TENCENT_USER_SIG", arguments::readable_user_sig);
        let (name, variable, checked) = match (key, user_sig) {
            (Some(_), Some(_)) => {
                let text = "The environment variables TENCENT_SECRET_KEY and TENCENT_USER_SIG are both set. Unset \
                            one, or set the provider's secret_key or user_sig.";
                ("user_sig", "", Err(text.to_owned()))
            }
            (Some(key), None) => ("secret_key", "TENCENT_SECRET_KEY", key),
            (None, user_sig) => ("user_sig", "TENCENT_USER_SIG", user_sig?),
        };
        Some((self.note(name, checked)?, variable.to_owned()))
    }

    /// What `check` says of a variable of the environment, if it is set.
    fn variable<T>(
        &self,
        name: &'static str,
        check: impl Fn(&str, Source) -> Result<T, String>,
    ) -> Option<Result<T, String>> {
        let text = (self.environment)(name).filter(|text| !text.is_empty())?;
        Some(check(&text, Source::Variable(name)))
    }

    fn note<T>(&mut self, name: &'static str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|reason| self.diagnostics.push(invalid(name, reason).on(name))).ok()
    }
}

pub(super) fn invalid(name: &str, reason: String) -> Diagnostic {
    Diagnostic::error(format!("Invalid provider argument {name}"), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (Config { region: text("sg"), ..nothing() }, "region", "Did you mean \"singapore\"?"),
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
        assert!(matches!(configured, (Configured::Known(_), warnings) if warnings == Diagnostics::new()));
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
