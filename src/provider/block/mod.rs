//! The provider block: its arguments, the environment variables that fill its gaps, and the client that it configures.
//!
//! | file | content |
//! | --- | --- |
//! | `schema.rs` | the schema |
//! | `apps.rs` | the argument `apps`: further applications |
//! | `reader.rs` | reads the arguments that the block and an entry of `apps` have in common |
//! | `values.rs` | checks of single values |

mod apps;
mod reader;
mod schema;
pub(super) mod values;

use std::num::NonZeroU32;
use std::time::SystemTime;

use secrecy::SecretString;

use self::reader::{Place, Reader};
use super::applications::{Account, Applications, Apps};
use crate::model;
use crate::tencent::{Client, Credentials, Region, Route, SdkAppId, Settings};
use crate::terraform::{Attr, Configured, Diagnostic, Diagnostics, Number};

pub(super) use self::reader::{Environment, from_environment, variable};
pub(super) use self::schema::schema;

model! {
    /// The arguments of the provider block.
    #[derive(Debug, Default)]
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
        requests_per_second_scope: Attr<String>,
        apps: apps::Argument,
    }
}

pub(super) const DEFAULT_IDENTIFIER: &str = "administrator";
const DEFAULT_REGION: Region = Region::China;

/// Checks the block without the environment, which may differ where the plan is made.
pub(super) fn validate(config: &Config) -> Diagnostics {
    resolve(config, |_| None).err().unwrap_or_default()
}

/// Makes the client, and returns it with warnings.
pub(super) fn configure(
    config: Config,
    environment: Environment,
) -> Result<(Configured<Applications>, Diagnostics), Diagnostics> {
    let Resolved { sdk_app_id, own, apps, settings } = resolve(&config, environment)?;
    let known = !has_unknown(&config);
    let mut diagnostics = overridden_region(&config, environment).map(Diagnostics::from).unwrap_or_default();
    if known {
        let now = SystemTime::now();
        let default = sdk_app_id.known().copied();
        diagnostics.extend(own.as_ref().and_then(|own| check_user_sig(own, default, now)));
        diagnostics.extend(apps::check(&config.apps, &apps, default.zip(own.as_ref()), now));
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
    }
    if let Some(Account { endpoint, identifier, .. }) = &own {
        tracing::debug!(endpoint = %Route::to(endpoint), identifier, "configured");
    }
    let applications = Applications::new(Client::new(settings), sdk_app_id, own, apps);
    Ok((if known { Configured::Known(applications) } else { Configured::Partly(applications) }, diagnostics))
}

/// Returns whether an argument is unknown that all applications need.
fn has_unknown(config: &Config) -> bool {
    let Config { sdk_app_id, secret_key, user_sig, identifier, region, endpoint, .. } = config;
    let texts = [identifier, region, endpoint, &config.request_timeout, &config.requests_per_second_scope];
    let numbers = [sdk_app_id, &config.max_retries, &config.requests_per_second];
    texts.into_iter().any(Attr::is_unknown)
        || numbers.into_iter().any(Attr::is_unknown)
        || [secret_key, user_sig].into_iter().any(Attr::is_unknown)
}

/// Warns of the one variable that overrides an argument.
fn overridden_region(config: &Config, environment: Environment) -> Option<Diagnostic> {
    let Attr::Known(region) = &config.region else { return None };
    let overridden = config.endpoint.is_null() && from_environment(environment, "endpoint").is_some();
    let detail = format!(
        "The environment variable TENCENT_ENDPOINT is set, so calls go to that endpoint and not to the region \
         {region:?}. Unset the variable, or remove region."
    );
    overridden.then(|| Diagnostic::warning("TENCENT_ENDPOINT overrides region", detail).on("region"))
}

/// Checks the block's own UserSig, if it has one. Without a default application, the UserSig itself names its
/// application.
fn check_user_sig(own: &Account, default: Option<SdkAppId>, now: SystemTime) -> Option<Diagnostic> {
    let Credentials::UserSig(user_sig) = &own.credentials else { return None };
    let id = default.or_else(|| user_sig.claims().ok()?.sdk_app_id.try_into().ok())?;
    let expires = |expiry| format!("The UserSig ({}) expires at {}.", own.origin, reader::utc(expiry));
    let found = match reader::check_user_sig(own, id, "identifier (TENCENT_IDENTIFIER)", now) {
        Err(error) => error,
        Ok(expiry) => reader::expires_soon(&expires(expiry?)),
    };
    Some(found.on("user_sig"))
}

/// The values of the block and the environment, each of them valid.
#[derive(Debug)]
struct Resolved {
    sdk_app_id: Attr<SdkAppId>,
    own: Option<Account>,
    apps: Apps,
    settings: Settings,
}

/// Reads every argument, from the block or else from the environment. Unknown arguments count as not set.
fn resolve(config: &Config, environment: Environment) -> Result<Resolved, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut reader = Reader { place: Place::Block(environment), diagnostics: &mut diagnostics };

    let sdk_app_id = reader.sdk_app_id(&config.sdk_app_id);
    let credentials = reader.credentials(&config.secret_key, &config.user_sig);
    let identifier = reader.text("identifier", &config.identifier, values::identifier);
    let identifier = identifier.known().map_or(DEFAULT_IDENTIFIER, |(identifier, _)| identifier).to_owned();
    let endpoint = reader.endpoint(&config.region, &config.endpoint).known().cloned();
    let endpoint = endpoint.unwrap_or_else(|| reader::endpoint_of(DEFAULT_REGION, ", the default"));
    let request_timeout =
        reader.text("request_timeout", &config.request_timeout, |text, _| values::TIMEOUTS.read(text));
    let max_retries = reader.number("max_retries", &config.max_retries, values::RETRIES);
    let requests_per_second =
        reader.number("requests_per_second", &config.requests_per_second, values::REQUESTS_PER_SECOND);
    let scope =
        reader.text("requests_per_second_scope", &config.requests_per_second_scope, |text, _| values::rate_scope(text));

    let apps = apps::resolve(&config.apps, (&identifier, &endpoint), &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let defaults = Settings::default();
    Ok(Resolved {
        sdk_app_id,
        own: credentials.map(|(credentials, origin)| Account { identifier, credentials, origin, endpoint }),
        apps,
        settings: Settings {
            request_timeout: request_timeout.known().map_or(defaults.request_timeout, |(timeout, _)| *timeout),
            max_retries: max_retries.unwrap_or(defaults.max_retries),
            requests_per_second: requests_per_second.and_then(NonZeroU32::new).unwrap_or(defaults.requests_per_second),
            requests_per_second_scope: scope.known().map_or(defaults.requests_per_second_scope, |(scope, _)| *scope),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::{HOUR, id, number, only, secret, text, user_sig};
    use crate::terraform::AttributePath;

    fn own_user_sig() -> Attr<SecretString> {
        secret(user_sig(1_400_000_001, SystemTime::now(), HOUR).expose())
    }

    #[test]
    fn nothing_is_required_before_it_is_needed() {
        let resolved = resolve(&Config::default(), |_| None).expect("valid");
        assert!(resolved.sdk_app_id.is_null() && resolved.own.is_none());
        assert!(resolved.apps.is_some_and(|apps| apps.is_empty()));
        let config = Config { secret_key: secret("tok3n"), ..Config::default() };
        let own = resolve(&config, |_| None).expect("valid").own.expect("credentials");
        assert_eq!((own.identifier.as_str(), own.endpoint), ("administrator", Region::China.into()));
    }

    #[test]
    fn the_environment_fills_what_the_block_leaves_out() {
        let environment: Environment = |name| {
            let text = match name {
                "TENCENT_SDK_APP_ID" => "1400000002",
                "TENCENT_SECRET_KEY" => "tok3n",
                "TENCENT_IDENTIFIER" => "someone",
                "TENCENT_REGION" => "seoul",
                _ => "",
            };
            Some(text.to_owned())
        };
        let none = Config::default;
        let block = Config { sdk_app_id: number(7), user_sig: own_user_sig(), region: text("singapore"), ..none() };
        for (config, number, region, has_key) in
            [(none(), 1_400_000_002, Region::Seoul, true), (block, 7, Region::Singapore, false)]
        {
            let resolved = resolve(&config, environment).expect("valid");
            assert_eq!(resolved.sdk_app_id, Attr::Known(id(number)));
            let own = resolved.own.expect("credentials");
            assert_eq!(matches!(own.credentials, Credentials::SecretKey(_)), has_key);
            assert_eq!((own.identifier.as_str(), own.endpoint), ("someone", region.into()));
        }
    }

    #[test]
    fn an_invalid_argument_is_named() {
        let none = Config::default;
        for (config, path, expected) in [
            (Config { sdk_app_id: number(0), ..none() }, "sdk_app_id", "0 is not an SDKAppID"),
            (Config { sdk_app_id: number(1 << 32), ..none() }, "sdk_app_id", "from 1 to 4294967295"),
            (Config { secret_key: secret(""), ..none() }, "secret_key", "TENCENT_SECRET_KEY"),
            (Config { secret_key: secret("tok3n\n"), ..none() }, "secret_key", "white space"),
            (Config { user_sig: secret("tok3n"), ..none() }, "user_sig", "not a UserSig"),
            (Config { secret_key: secret("tok3n"), user_sig: own_user_sig(), ..none() }, "user_sig", "both set"),
            (Config { identifier: text(" "), ..none() }, "identifier", "empty"),
            (Config { region: text("sg"), ..none() }, "region", "Did you mean \"singapore\"?"),
            (Config { endpoint: text("http://10.0.0.1"), ..none() }, "endpoint", "loopback"),
            (Config { request_timeout: text("10"), ..none() }, "request_timeout", "\"30s\""),
            (Config { max_retries: number(101), ..none() }, "max_retries", "0 to 100"),
            (Config { requests_per_second: number(0), ..none() }, "requests_per_second", "1 to 1000"),
            (
                Config { requests_per_second_scope: text("app"), ..none() },
                "requests_per_second_scope",
                "\"app\" is neither \"endpoint\" nor \"application\"",
            ),
        ] {
            let error = only(validate(&config));
            assert_eq!(error.path, Some(AttributePath::attribute(path)));
            assert!(error.detail.contains(expected) && !error.detail.contains("tok3n"), "{error:?}");
        }
    }

    #[test]
    fn an_invalid_variable_is_named() {
        let errors = resolve(&Config::default(), |name| {
            let text = match name {
                "TENCENT_SDK_APP_ID" => "app",
                "TENCENT_REGION" => "mars",
                "TENCENT_SECRET_KEY" | "TENCENT_USER_SIG" => "tok3n",
                _ => "",
            };
            Some(text.to_owned())
        });
        let errors = errors.expect_err("invalid variables");
        let all = format!("{errors:?}");
        assert_eq!(errors.iter().len(), 3, "{all}");
        for expected in ["TENCENT_SDK_APP_ID", "TENCENT_REGION", "TENCENT_SECRET_KEY and TENCENT_USER_SIG"] {
            assert!(all.contains(expected), "{all}");
        }
        assert!(!all.contains("tok3n"));
    }

    #[test]
    fn an_unknown_argument_is_not_replaced_by_its_variable() {
        let config = Config { secret_key: Attr::Unknown, region: Attr::Unknown, ..Config::default() };
        let resolved = resolve(&config, |name| (name == "TENCENT_SECRET_KEY").then(|| "tok3n".into())).expect("valid");
        assert!(resolved.own.is_none());
        assert!(has_unknown(&config));
    }

    #[test]
    fn a_user_sig_of_another_application_or_account_is_refused_before_any_call() {
        let config = |id: u64, identifier: &str| Config {
            sdk_app_id: number(id),
            user_sig: own_user_sig(),
            identifier: text(identifier),
            ..Config::default()
        };
        let configured = configure(config(1_400_000_001, "administrator"), |_| None).expect("valid");
        assert!(matches!(configured, (Configured::Known(_), warnings) if warnings == Diagnostics::new()));
        for (config, expected) in [
            (config(1_400_000_002, "administrator"), "it was made for SDKAppID 1400000001"),
            (config(1_400_000_001, "someone"), "identifier"),
        ] {
            let error = only(configure(config, |_| None).expect_err(expected));
            assert!(error.detail.contains(expected), "{error:?}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = Config { secret_key: secret("tok3n"), user_sig: secret("tok3n"), ..Config::default() };
        assert!(!format!("{config:?}").contains("tok3n"));
    }
}
