//! The provider argument `apps`: applications with credentials of their own, so that one provider serves a fleet.

use std::collections::BTreeMap;
use std::time::SystemTime;

use secrecy::{ExposeSecret as _, SecretString};

use super::applications::{Account, Apps};
use super::arguments::{self, Source};
use super::config;
use crate::model;
use crate::tencent::{Credentials, Endpoint, Region, SdkAppId};
use crate::terraform::{Attr, Attribute, AttributePath, Diagnostic, Diagnostics, Nesting, Step, Type};

model! {
    /// How to call for one application.
    #[derive(Debug)]
    pub(super) struct Entry {
        pub(super) secret_key: Attr<SecretString>,
        pub(super) user_sig: Attr<SecretString>,
        pub(super) identifier: Attr<String>,
        pub(super) region: Attr<String>,
        pub(super) endpoint: Attr<String>,
    }
}

/// The argument: entries by SDKAppID.
pub(super) type Argument = Attr<BTreeMap<String, Attr<Entry>>>;

const NAME: &str = "apps";

pub(super) fn schema() -> Attribute {
    Attribute::nested(
        NAME,
        Nesting::Map,
        vec![
            Attribute::new("secret_key", Type::String, "The application's SecretKey. Conflicts with `user_sig`.")
                .sensitive(),
            Attribute::new("user_sig", Type::String, "A UserSig for the application. Conflicts with `secret_key`.")
                .sensitive(),
            Attribute::new(
                "identifier",
                Type::String,
                "The app administrator account that the provider calls as. Default: the provider's `identifier`.",
            ),
            Attribute::new(
                "region",
                Type::String,
                "The region in which the application was created. Default: the provider's `endpoint` or `region`.",
            ),
            Attribute::new("endpoint", Type::String, "The base URL to call instead of the region's."),
        ],
        "More applications, by SDKAppID, each with its own credentials, for one provider block that manages a fleet. The \
         default application can be among them.",
    )
}

/// What the provider block says for all applications.
#[derive(Debug)]
pub(super) struct Defaults<'a> {
    pub(super) identifier: &'a str,
    pub(super) endpoint: &'a Endpoint,
}

/// Reads the entries, and notes what is wrong with them.
pub(super) fn resolve(argument: &Argument, defaults: &Defaults<'_>, diagnostics: &mut Diagnostics) -> Apps {
    let entries = match argument {
        Attr::Known(entries) => entries,
        Attr::Unknown => return None,
        Attr::Null => return Some(BTreeMap::new()),
    };
    let mut apps = BTreeMap::new();
    let mut spellings: BTreeMap<SdkAppId, &str> = BTreeMap::new();
    for (key, entry) in entries {
        let Ok(id) = key.parse::<SdkAppId>() else {
            diagnostics.push(not_an_sdk_app_id(key));
            continue;
        };
        let mut reader = Reader { key, diagnostics };
        if let Some(other) = spellings.insert(id, key) {
            reader.note(None, format!("{other:?} and {key:?} are the same SDKAppID. Remove one of the two entries."));
        }
        apps.insert(id, reader.account(entry, defaults));
    }
    Some(apps)
}

/// The way to an entry. Diagnostics blame no argument in it: Terraform would show the line of the provider block's own
/// argument of that name.
fn path(key: &str) -> AttributePath {
    AttributePath::attribute(NAME).then(Step::Key(key.to_owned()))
}

/// An argument of an entry, or the entry, as a person writes it.
fn name_of(key: &str, name: Option<&str>) -> String {
    let path = name.map(|name| path(key).then(Step::Attribute(name.to_owned())));
    path.unwrap_or_else(|| self::path(key)).to_string()
}

fn invalid(key: &str, name: Option<&str>, reason: String) -> Diagnostic {
    config::invalid(&name_of(key, name), reason).at(path(key))
}

fn not_an_sdk_app_id(key: &str) -> Diagnostic {
    let detail = format!(
        "{} is not an SDKAppID. Each key of apps is the SDKAppID of an application, a whole number from 1 to \
         4294967295. The Tencent RTC console shows it.",
        arguments::quoted(key)
    );
    config::invalid(NAME, detail).at(path(key))
}

/// Reads one entry.
struct Reader<'a> {
    key: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn note(&mut self, name: Option<&str>, reason: String) {
        self.diagnostics.push(invalid(self.key, name, reason));
    }

    /// How to call for the application; `None` while that is not known, or if it has been noted what is wrong.
    fn account(&mut self, entry: &Attr<Entry>, defaults: &Defaults<'_>) -> Option<Account> {
        let entry = match entry {
            Attr::Known(entry) => entry,
            Attr::Unknown => return None,
            Attr::Null => {
                self.note(None, NO_CREDENTIALS.to_owned());
                return None;
            }
        };
        let credentials = self.credentials(entry);
        let identifier = self.text("identifier", &entry.identifier, arguments::identifier);
        let region: Attr<Region> = self.text("region", &entry.region, arguments::region);
        let endpoint = match (self.text("endpoint", &entry.endpoint, arguments::endpoint), region) {
            (Attr::Known(endpoint), _) => endpoint.said_by(self.origin(Some("endpoint"))),
            (Attr::Null, Attr::Known(region)) => {
                let endpoint = Endpoint::from(region);
                let origin = format!("{}, from {}", endpoint.origin(), self.origin(None));
                endpoint.said_by(origin)
            }
            (Attr::Null, Attr::Null) => defaults.endpoint.clone(),
            _ => return None,
        };
        let identifier = match identifier {
            Attr::Known(identifier) => identifier,
            Attr::Null => defaults.identifier.to_owned(),
            Attr::Unknown => return None,
        };
        let (credentials, name) = credentials?;
        Some(Account { identifier, credentials, origin: self.origin(Some(name)), endpoint })
    }

    /// What a message says of a value that stands in the entry.
    fn origin(&self, name: Option<&str>) -> String {
        format!("the provider's {}", name_of(self.key, name))
    }

    fn text<T>(
        &mut self,
        name: &str,
        value: &Attr<String>,
        check: impl Fn(&str, Source) -> Result<T, String>,
    ) -> Attr<T> {
        match value {
            Attr::Known(text) => self.checked(name, check(text, Source::Argument)).map_or(Attr::Null, Attr::Known),
            Attr::Unknown => Attr::Unknown,
            Attr::Null => Attr::Null,
        }
    }

    /// The credentials, and the argument that holds them.
    fn credentials(&mut self, entry: &Entry) -> Option<(Credentials, &'static str)> {
        const KEY: &str = "secret_key";
        const USER_SIG: &str = "user_sig";
        let (name, checked, other_is_null) = match (&entry.secret_key, &entry.user_sig) {
            (Attr::Known(_), Attr::Known(_)) => {
                let reason = "secret_key and user_sig are both set. Set one of them.".to_owned();
                self.note(Some(USER_SIG), reason);
                return None;
            }
            (Attr::Null, Attr::Null) => {
                self.note(None, NO_CREDENTIALS.to_owned());
                return None;
            }
            (Attr::Known(key), other) => {
                (KEY, arguments::secret_key(key.expose_secret(), Source::Argument), other.is_null())
            }
            (other, Attr::Known(user_sig)) => {
                let checked = arguments::readable_user_sig(user_sig.expose_secret(), Source::Argument);
                (USER_SIG, checked, other.is_null())
            }
            _ => return None,
        };
        let credentials = self.checked(name, checked)?;
        other_is_null.then_some((credentials, name))
    }

    fn checked<T>(&mut self, name: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|reason| self.note(Some(name), reason)).ok()
    }
}

const NO_CREDENTIALS: &str =
    "The entry has no credentials. Set secret_key, or user_sig if the pipeline must not hold the key.";

/// Checks what the entries say together with the rest of the block and the environment, all of which is known.
/// `own` are the default application and its credentials.
pub(super) fn check(
    argument: &Argument,
    apps: &Apps,
    own: Option<(SdkAppId, &Account)>,
    now: SystemTime,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut ending = Vec::new();
    for (key, entry) in argument.known().into_iter().flatten() {
        let id = key.parse::<SdkAppId>().ok();
        let account = id.and_then(|id| Some((id, apps.as_ref()?.get(&id)?.as_ref()?)));
        let (Some((id, account)), Some(entry)) = (account, entry.known()) else { continue };
        if let Some((default, own)) = own
            && default == id
            && let Some((name, reason)) = contradiction(entry, account, own)
        {
            let detail = format!(
                "SDKAppID {id} is the provider's sdk_app_id, for which the provider block or the environment sets \
                 {reason}. Make both the same, or remove the entry."
            );
            diagnostics.push(invalid(key, Some(name), detail));
        } else if let Credentials::UserSig(user_sig) = &account.credentials {
            let identifier = name_of(key, Some("identifier"));
            match user_sig.check(&account.identifier, id, now) {
                Err(error) => {
                    let error = config::unusable_user_sig(&error, id, &account.origin, &identifier);
                    diagnostics.push(error.at(path(key)));
                }
                Ok(()) => ending.extend(config::ends_soon(user_sig, now).map(|expiry| (key, expiry))),
            }
        }
    }
    diagnostics.extend(ending_soon(&ending));
    diagnostics
}

/// How many entries a warning lists.
const LISTED: usize = 5;

/// One warning for all entries whose UserSig ends soon.
fn ending_soon(ending: &[(&String, SystemTime)]) -> Option<Diagnostic> {
    let lines = ending.iter().take(LISTED);
    let lines = lines.map(|(key, expiry)| format!("  {} at {}", name_of(key, Some("user_sig")), config::utc(*expiry)));
    let more = match ending.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let which = format!("These expire soon:\n\n{}{more}\n\n", lines.collect::<Vec<_>>().join("\n"));
    (!ending.is_empty()).then(|| config::expiring(&which).on(NAME))
}

/// The argument of an entry for the default application that contradicts the provider block, and what that says.
fn contradiction(entry: &Entry, account: &Account, own: &Account) -> Option<(&'static str, String)> {
    if !account.credentials.is_same(&own.credentials) {
        let held = match own.credentials {
            Credentials::SecretKey(_) => "SecretKey",
            Credentials::UserSig(_) => "UserSig",
        };
        let name = if entry.secret_key.is_null() { "user_sig" } else { "secret_key" };
        return Some((name, format!("a different {held}")));
    }
    if account.identifier != own.identifier {
        return Some(("identifier", format!("the identifier {:?}", own.identifier)));
    }
    let name = if entry.endpoint.is_null() { "region" } else { "endpoint" };
    (account.endpoint != own.endpoint).then(|| (name, format!("the endpoint {}", own.endpoint)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tencent::UserSig;

    fn nothing() -> Entry {
        Entry {
            secret_key: Attr::Null,
            user_sig: Attr::Null,
            identifier: Attr::Null,
            region: Attr::Null,
            endpoint: Attr::Null,
        }
    }

    fn secret(text: &str) -> Attr<SecretString> {
        Attr::Known(text.to_owned().into())
    }

    fn text(text: &str) -> Attr<String> {
        Attr::Known(text.to_owned())
    }

    fn key(key: &str) -> Entry {
        Entry { secret_key: secret(key), ..nothing() }
    }

    fn id(number: u64) -> SdkAppId {
        SdkAppId::try_from(number).expect("an SDKAppID")
    }

    fn user_sig(of: u64) -> Entry {
        let key = "tok3n".to_owned().into();
        let user_sig = UserSig::sign(&key, "administrator", id(of), SystemTime::now(), Duration::from_secs(3600));
        Entry { user_sig: secret(user_sig.expose()), ..nothing() }
    }

    fn argument(entries: impl IntoIterator<Item = (&'static str, Entry)>) -> Argument {
        Attr::Known(entries.into_iter().map(|(key, entry)| (key.to_owned(), Attr::Known(entry))).collect())
    }

    fn resolved(argument: &Argument) -> (Apps, Diagnostics) {
        let endpoint = Region::Seoul.into();
        let mut diagnostics = Diagnostics::new();
        let defaults = Defaults { identifier: "administrator", endpoint: &endpoint };
        (resolve(argument, &defaults, &mut diagnostics), diagnostics)
    }

    fn own(key: &str) -> Account {
        let credentials = Credentials::SecretKey(key.to_owned().into());
        let origin = "TENCENT_SECRET_KEY".into();
        Account { identifier: "administrator".into(), credentials, origin, endpoint: Region::Seoul.into() }
    }

    #[track_caller]
    fn expect_one(diagnostics: Diagnostics, name: &str, expected: &str) {
        let errors: Vec<_> = diagnostics.into_iter().collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        let blamed = errors[0].path.as_ref().expect("a path").to_string();
        assert!(name == "apps" || name.starts_with(&blamed), "{errors:?}");
        assert!(blamed.ends_with("\"]"), "an entry: {errors:?}");
        let Diagnostic { summary, detail, .. } = &errors[0];
        assert!(summary.ends_with(name) || detail.contains(name), "{errors:?}");
        assert!(errors[0].detail.contains(expected), "{errors:?}");
        assert!(!format!("{errors:?}").contains("tok3n"), "{errors:?}");
    }

    #[test]
    fn an_entry_falls_back_to_the_provider_except_for_credentials() {
        let (apps, diagnostics) = resolved(&argument([
            ("1", key("a")),
            ("2", Entry { region: text("singapore"), identifier: text("someone"), ..key("b") }),
            ("3", Entry { region: text("singapore"), endpoint: text("https://gateway.example.com"), ..user_sig(3) }),
        ]));
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let said = |number| {
            let account = apps.as_ref().and_then(|apps| apps[&id(number)].as_ref()).expect("an account");
            (account.identifier.clone(), account.endpoint.to_string())
        };
        assert_eq!(said(1), ("administrator".into(), "https://adminapikr.im.qcloud.com".into()));
        assert_eq!(said(2), ("someone".into(), "https://adminapisgp.im.qcloud.com".into()));
        assert_eq!(said(3), ("administrator".into(), "https://gateway.example.com".into()));
    }

    #[test]
    fn bad_entries_are_named() {
        for (entries, name, expected) in [
            (vec![("app", key("a"))], "apps", "\"app\" is not an SDKAppID"),
            (vec![("0", key("a"))], "apps", "from 1 to 4294967295"),
            (vec![("01", key("a")), ("1", key("a"))], "apps[\"1\"]", "\"01\" and \"1\" are the same SDKAppID"),
            (vec![("1", nothing())], "apps[\"1\"]", "no credentials"),
            (vec![("1", key(""))], "apps[\"1\"].secret_key", "empty"),
            (vec![("1", key("tok3n\n"))], "apps[\"1\"].secret_key", "trimspace()"),
            (vec![("1", Entry { user_sig: secret("tok3n"), ..nothing() })], "apps[\"1\"].user_sig", "not a UserSig"),
            (vec![("1", Entry { secret_key: secret("tok3n"), ..user_sig(1) })], "apps[\"1\"].user_sig", "both set"),
            (vec![("1", Entry { identifier: text(""), ..key("a") })], "apps[\"1\"].identifier", "empty"),
            (vec![("1", Entry { region: text("mars"), ..key("a") })], "apps[\"1\"].region", "\"seoul\""),
            (vec![("1", Entry { endpoint: text("http://10.0.0.1"), ..key("a") })], "apps[\"1\"].endpoint", "loopback"),
        ] {
            expect_one(resolved(&argument(entries)).1, name, expected);
        }
        let null = Attr::Known([("1".to_owned(), Attr::Null)].into());
        expect_one(resolved(&null).1, "apps[\"1\"]", "no credentials");
    }

    #[test]
    fn what_is_unknown_makes_one_entry_unknown() {
        let entries = argument([
            ("1", key("a")),
            ("2", Entry { secret_key: Attr::Unknown, ..nothing() }),
            ("3", Entry { identifier: Attr::Unknown, ..key("a") }),
            ("4", Entry { region: Attr::Unknown, ..key("a") }),
            ("5", Entry { user_sig: Attr::Unknown, ..key("a") }),
        ]);
        let (apps, diagnostics) = resolved(&entries);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let known: Vec<_> = apps.expect("known").into_values().map(|account| account.is_some()).collect();
        assert_eq!(known, [true, false, false, false, false]);
        assert!(resolved(&Attr::Unknown).0.is_none());

        let bad = argument([("1", Entry { region: text("mars"), secret_key: Attr::Unknown, ..nothing() })]);
        expect_one(resolved(&bad).1, "apps[\"1\"].region", "mars");
    }

    #[test]
    fn an_entry_for_the_default_application_says_the_same() {
        let check_with = |entry: Entry| {
            let argument = argument([("1", entry)]);
            let apps = resolved(&argument).0;
            check(&argument, &apps, Some((id(1), &own("tok3n"))), SystemTime::now())
        };
        assert!(!check_with(Entry { region: text("seoul"), ..key("tok3n") }).has_errors());
        expect_one(check_with(key("another")), "apps[\"1\"].secret_key", "sets a different SecretKey");
        expect_one(check_with(user_sig(1)), "apps[\"1\"].user_sig", "sets a different SecretKey");
        let someone = Entry { identifier: text("someone"), ..key("tok3n") };
        expect_one(check_with(someone), "apps[\"1\"].identifier", "sets the identifier \"administrator\"");
        let china = Entry { region: text("china"), ..key("tok3n") };
        expect_one(check_with(china), "apps[\"1\"].region", "sets the endpoint https://adminapikr.im.qcloud.com");
        let elsewhere = Entry { endpoint: text("https://gateway.example.com"), ..key("tok3n") };
        expect_one(check_with(elsewhere), "apps[\"1\"].endpoint", "sets the endpoint https://adminapikr.im.qcloud.com");
    }

    #[test]
    fn a_user_sig_of_another_application_is_refused() {
        let argument = argument([("2", user_sig(1))]);
        let diagnostics = check(&argument, &resolved(&argument).0, None, SystemTime::now());
        expect_one(diagnostics, "apps[\"2\"].user_sig", "it was made for SDKAppID 1");
    }

    #[test]
    fn user_sigs_that_end_soon_are_one_warning() {
        let day = Duration::from_secs(24 * 60 * 60);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let signed = |of: u64, days: u32| {
            let key = "tok3n".to_owned().into();
            Entry {
                user_sig: secret(UserSig::sign(&key, "administrator", id(of), now, days * day).expose()),
                ..nothing()
            }
        };
        let argument = argument([
            ("1", signed(1, 1)),
            ("2", signed(2, 2)),
            ("3", signed(3, 7)),
            ("4", signed(4, 8)),
            ("5", signed(5, 180)),
        ]);
        let warnings: Vec<_> = check(&argument, &resolved(&argument).0, None, now).into_iter().collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let expected = "apps[\"2\"].user_sig at 2023-11-16 22:13:20 UTC\n  apps[\"3\"].user_sig at 2023-11-21";
        assert!(warnings[0].detail.contains(expected), "{warnings:?}");
        assert!(!warnings[0].detail.contains("apps[\"4\"]"), "{warnings:?}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let entries = argument([("1", key("tok3n")), ("2", Entry { user_sig: secret("tok3n"), ..nothing() })]);
        assert!(!format!("{entries:?} {:?}", resolved(&argument([("1", key("tok3n"))])).0).contains("tok3n"));
    }
}
