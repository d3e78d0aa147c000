//! The provider argument `apps`: applications with credentials of their own, so that one provider serves a fleet.

use std::collections::BTreeMap;
use std::time::SystemTime;

use secrecy::SecretString;

use super::reader::{self, Place, Reader};
use super::values;
use crate::model;
use crate::provider::applications::{Account, Apps};
use crate::tencent::{Credentials, Endpoint, SdkAppId};
use crate::terraform::{Attr, Diagnostic, Diagnostics};

model! {
    /// The credentials and settings of one application.
    #[derive(Debug, Default)]
    pub(super) struct Entry {
        secret_key: Attr<SecretString>,
        user_sig: Attr<SecretString>,
        identifier: Attr<String>,
        region: Attr<String>,
        endpoint: Attr<String>,
    }
}

/// Entries by SDKAppID.
pub(super) type Argument = Attr<BTreeMap<String, Attr<Entry>>>;

/// The provider block's identifier and endpoint, which entries fall back to.
type Defaults<'a> = (&'a str, &'a Endpoint);

/// Reads the entries, and reports the errors in them.
pub(super) fn resolve(argument: &Argument, defaults: Defaults<'_>, diagnostics: &mut Diagnostics) -> Apps {
    let entries = match argument {
        Attr::Known(entries) => entries,
        Attr::Unknown => return None,
        Attr::Null => return Some(BTreeMap::new()),
    };
    let mut apps = BTreeMap::new();
    let mut spellings: BTreeMap<SdkAppId, &str> = BTreeMap::new();
    for (key, entry) in entries {
        let Ok(id) = key.parse::<SdkAppId>() else {
            let detail = format!(
                "{} is not an SDKAppID. Each key of apps is the SDKAppID of an application, a whole number from 1 to \
                 4294967295. The Tencent RTC console shows it.",
                values::quoted(key)
            );
            // No path: the key may be a secret in the wrong place.
            diagnostics.push(Diagnostic::error("Invalid provider argument apps", detail));
            continue;
        };
        if let Some(other) = spellings.insert(id, key) {
            let reason = format!("{other:?} and {key:?} are the same SDKAppID. Remove one of the two entries.");
            diagnostics.push(reader::invalid(reader::entry(key), reason));
        }
        let account = match entry {
            Attr::Known(entry) => account(key, entry, defaults, diagnostics),
            Attr::Unknown => None,
            Attr::Null => account(key, &Entry::default(), defaults, diagnostics),
        };
        apps.insert(id, account);
    }
    Some(apps)
}

/// Reads one entry. Returns `None` if an argument in it is unknown or invalid.
fn account(key: &str, entry: &Entry, defaults: Defaults<'_>, diagnostics: &mut Diagnostics) -> Option<Account> {
    let mut reader = Reader { place: Place::Entry(key), diagnostics };
    let credentials = reader.credentials(&entry.secret_key, &entry.user_sig);
    let identifier = reader.text("identifier", &entry.identifier, values::identifier);
    let endpoint = reader.endpoint(&entry.region, &entry.endpoint);
    let (credentials, origin) = credentials?;
    if identifier.is_unknown() || endpoint.is_unknown() {
        return None;
    }
    let identifier = identifier.known().map_or(defaults.0, |(identifier, _)| identifier).to_owned();
    Some(Account { identifier, credentials, origin, endpoint: endpoint.known().unwrap_or(defaults.1).clone() })
}

/// Checks the entries against the rest of the block and the environment, all of which is known. `own` is the default
/// application and its account.
pub(super) fn check(
    argument: &Argument,
    apps: &Apps,
    own: Option<(SdkAppId, &Account)>,
    now: SystemTime,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut expiring = Vec::new();
    for (key, entry) in argument.known().into_iter().flatten() {
        let id = key.parse::<SdkAppId>().ok();
        let account = id.and_then(|id| Some((id, apps.as_ref()?.get(&id)?.as_ref()?)));
        let (Some((id, account)), Some(entry)) = (account, entry.known()) else { continue };
        let place = Place::Entry(key);
        if let Some((default, own)) = own
            && default == id
            && let Some((name, reason)) = contradiction(entry, account, own)
        {
            let detail = format!(
                "SDKAppID {id} is the provider's sdk_app_id, for which the provider block or the environment sets \
                 {reason}. Make both the same, or remove the entry."
            );
            diagnostics.push(place.invalid(name, detail));
            continue;
        }
        match reader::check_user_sig(account, id, &place.name_of("identifier"), now) {
            Ok(expiry) => expiring.extend(expiry.map(|expiry| (place, expiry))),
            Err(error) => diagnostics.push(error.at(place.path_of("user_sig"))),
        }
    }
    diagnostics.extend(expires_soon(&expiring));
    diagnostics
}

/// Warns once of all entries whose UserSig expires soon.
fn expires_soon(expiring: &[(Place<'_>, SystemTime)]) -> Option<Diagnostic> {
    const LISTED: usize = 5;
    let lines = expiring.iter().take(LISTED);
    let lines = lines.map(|(place, expiry)| format!("  {} at {}", place.name_of("user_sig"), reader::utc(*expiry)));
    let more = match expiring.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let which = format!("These expire soon:\n\n{}{more}\n\n", lines.collect::<Vec<_>>().join("\n"));
    (!expiring.is_empty()).then(|| reader::expires_soon(&which))
}

/// Finds the argument with which an entry for the default application contradicts the provider block, and tells the
/// block's setting.
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
    use crate::provider::testing::{self, HOUR, id, only, secret, text};
    use crate::tencent::Region;

    fn key(key: &str) -> Entry {
        Entry { secret_key: secret(key), ..Entry::default() }
    }

    fn user_sig(of: u64) -> Entry {
        Entry { user_sig: secret(testing::user_sig(of, SystemTime::now(), HOUR).expose()), ..Entry::default() }
    }

    fn argument(entries: impl IntoIterator<Item = (&'static str, Entry)>) -> Argument {
        Attr::Known(entries.into_iter().map(|(key, entry)| (key.to_owned(), Attr::Known(entry))).collect())
    }

    fn resolved(argument: &Argument) -> (Apps, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        (resolve(argument, ("administrator", &Region::Seoul.into()), &mut diagnostics), diagnostics)
    }

    #[track_caller]
    fn expect_one(diagnostics: Diagnostics, name: &str, expected: &str) {
        let Diagnostic { summary, detail, path, .. } = only(diagnostics);
        let said = format!("{summary}: {detail}");
        assert_eq!(path.map(|path| path.to_string()).as_deref(), (name != "apps").then_some(name), "{said}");
        assert!(summary.ends_with(name) || detail.contains(name), "{said}");
        assert!(detail.contains(expected) && !said.contains("tok3n"), "{said}");
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
    fn an_invalid_entry_is_named() {
        let unreadable = Entry { user_sig: secret("tok3n"), ..Entry::default() };
        for (entries, name, expected) in [
            (vec![("app", key("a"))], "apps", "\"app\" is not an SDKAppID"),
            (vec![("0", key("a"))], "apps", "from 1 to 4294967295"),
            (vec![("01", key("a")), ("1", key("a"))], "apps[\"1\"]", "\"01\" and \"1\" are the same SDKAppID"),
            (vec![("1", Entry::default())], "apps[\"1\"]", "no credentials"),
            (vec![("1", key(""))], "apps[\"1\"].secret_key", "empty"),
            (vec![("1", key("tok3n\n"))], "apps[\"1\"].secret_key", "trimspace()"),
            (vec![("1", unreadable)], "apps[\"1\"].user_sig", "not a UserSig"),
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
    fn an_unknown_argument_leaves_the_other_entries_usable() {
        let entries = argument([
            ("1", key("a")),
            ("2", Entry { secret_key: Attr::Unknown, ..Entry::default() }),
            ("3", Entry { identifier: Attr::Unknown, ..key("a") }),
            ("4", Entry { region: Attr::Unknown, ..key("a") }),
            ("5", Entry { user_sig: Attr::Unknown, ..key("a") }),
        ]);
        let (apps, diagnostics) = resolved(&entries);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let known: Vec<_> = apps.expect("known").into_values().map(|account| account.is_some()).collect();
        assert_eq!(known, [true, false, false, false, false]);
        assert!(resolved(&Attr::Unknown).0.is_none());

        let bad = argument([("1", Entry { region: text("mars"), secret_key: Attr::Unknown, ..Entry::default() })]);
        expect_one(resolved(&bad).1, "apps[\"1\"].region", "mars");
    }

    #[test]
    fn an_entry_for_the_default_application_must_match_the_block() {
        let check_with = |entry: Entry| {
            let argument = argument([("1", entry)]);
            check(&argument, &resolved(&argument).0, Some((id(1), &testing::account("tok3n"))), SystemTime::now())
        };
        let same = || key("tok3n");
        assert!(!check_with(Entry { region: text("seoul"), ..same() }).has_errors());
        let gateway = text("https://gateway.example.com");
        for (entry, name, setting) in [
            (key("another"), "secret_key", "a different SecretKey"),
            (user_sig(1), "user_sig", "a different SecretKey"),
            (Entry { identifier: text("someone"), ..same() }, "identifier", "the identifier \"administrator\""),
            (Entry { region: text("china"), ..same() }, "region", "the endpoint https://adminapikr.im.qcloud.com"),
            (Entry { endpoint: gateway, ..same() }, "endpoint", "the endpoint https://adminapikr.im.qcloud.com"),
        ] {
            expect_one(check_with(entry), &format!("apps[\"1\"].{name}"), &format!("sets {setting}"));
        }
    }

    #[test]
    fn a_user_sig_of_another_application_is_refused() {
        let argument = argument([("2", user_sig(1))]);
        let diagnostics = check(&argument, &resolved(&argument).0, None, SystemTime::now());
        expect_one(diagnostics, "apps[\"2\"].user_sig", "it was made for SDKAppID 1");
    }

    #[test]
    fn one_warning_lists_all_user_sigs_that_expire_soon() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let argument = argument([("1", 1), ("2", 2), ("3", 7), ("4", 8), ("5", 180)].map(|(key, days)| {
            let user_sig = testing::user_sig(key.parse().expect("a number"), now, days * 24 * HOUR);
            (key, Entry { user_sig: secret(user_sig.expose()), ..Entry::default() })
        }));
        let warning = only(check(&argument, &resolved(&argument).0, None, now)).detail;
        let expected = "apps[\"2\"].user_sig at 2023-11-16 22:13:20 UTC\n  apps[\"3\"].user_sig at 2023-11-21";
        assert!(warning.contains(expected) && !warning.contains("apps[\"4\"]"), "{warning}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let entries = argument([("1", key("tok3n")), ("2", Entry { user_sig: secret("tok3n"), ..Entry::default() })]);
        assert!(!format!("{entries:?} {:?}", resolved(&argument([("1", key("tok3n"))])).0).contains("tok3n"));
    }
}
