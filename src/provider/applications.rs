//! The applications that the provider is configured for: which ones, and how to call for each.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::activity::Activity;
use super::block::values::{self, Source};
use crate::tencent::{App, Client, Credentials, Endpoint, SdkAppId};
use crate::terraform::{Attr, Diagnostic, Diagnostics, Number};

/// The configured provider, ready for calls.
#[derive(Debug)]
pub struct Applications {
    pub(super) client: Client,
    sdk_app_id: Attr<SdkAppId>,
    /// The account of the provider block itself, which calls for the default application, if there is one.
    own: Option<Account>,
    apps: Apps,
    /// The applications that calls were made for. Each keeps the UserSig that it has signed.
    used: Mutex<HashMap<SdkAppId, Arc<App>>>,
    /// The memory of this provider's objects for as long as it is configured, by type.
    extensions: Mutex<HashMap<&'static str, Arc<dyn Any + Send + Sync>>>,
    pub(super) activity: Activity,
}

/// All that a call for an application needs.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) identifier: String,
    pub(super) credentials: Credentials,
    /// The argument or variable that holds the credentials, for messages.
    pub(super) origin: String,
    pub(super) endpoint: Endpoint,
}

/// The purpose that an application serves. It decides what a message advises where something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be named, without credentials.
    Name,
    /// To call Tencent.
    Call,
    /// To call Tencent for an object that may be in the state.
    Object,
    /// To sign UserSigs, which takes the SecretKey.
    Sign,
}

/// The accounts of the argument `apps`. All of it, or one entry, is `None` if it is known only after apply.
pub(super) type Apps = Option<BTreeMap<SdkAppId, Option<Account>>>;

/// The most applications that a message lists.
const LISTED: usize = 5;

impl Applications {
    pub(super) fn new(client: Client, sdk_app_id: Attr<SdkAppId>, own: Option<Account>, apps: Apps) -> Self {
        Self {
            client,
            sdk_app_id,
            own,
            apps,
            used: Mutex::default(),
            extensions: Mutex::default(),
            activity: Activity::default(),
        }
    }

    /// Returns the application of all objects that name no other.
    pub(super) fn default_sdk_app_id(&self) -> &Attr<SdkAppId> {
        &self.sdk_app_id
    }

    /// Resolves the argument `sdk_app_id` of an object, falling back to the provider's default.
    pub(super) fn sdk_app_id(&self, argument: &Attr<Number>, purpose: Purpose) -> Result<SdkAppId, Diagnostics> {
        match argument.known() {
            Some(id) => Ok(read_sdk_app_id(id)?),
            None => self.sdk_app_id.known().copied().ok_or_else(|| self.no_sdk_app_id(purpose)),
        }
    }

    /// Reports all that is missing where neither an object nor the provider names an application.
    pub(super) fn no_sdk_app_id(&self, purpose: Purpose) -> Diagnostics {
        let has =
            self.listed().map(|listed| format!(" The provider has credentials for {listed}.")).unwrap_or_default();
        let detail = format!(
            "No SDKAppID is set. Set sdk_app_id here or in the provider block, or the environment variable \
             TENCENT_SDK_APP_ID.{has}"
        );
        let mut diagnostics: Diagnostics = Diagnostic::error("No SDKAppID", detail).on("sdk_app_id").into();
        if self.has_no_credentials() && purpose != Purpose::Name {
            diagnostics.push(no_credentials(purpose));
        }
        diagnostics
    }

    /// Reports that nothing names the applications to list.
    pub(super) fn no_sdk_app_ids(&self) -> Diagnostics {
        if self.has_no_credentials() {
            return no_credentials(Purpose::Call).into();
        }
        let detail = "The provider does not know which application its credentials belong to. Set sdk_app_id in the \
                      provider block, or the environment variable TENCENT_SDK_APP_ID.";
        Diagnostic::error("No applications to list", detail).into()
    }

    /// Returns whether calls can be made for the application that `argument` names: not while its entry of `apps` is
    /// known only after apply.
    pub(super) fn is_known(&self, argument: &Attr<Number>) -> bool {
        !self.sdk_app_id(argument, Purpose::Name).is_ok_and(|id| self.account(id).is_unknown())
    }

    /// Returns what the objects of type `type_name` remember for as long as the provider is configured.
    pub(super) fn extension<T: Default + Send + Sync + 'static>(&self, type_name: &'static str) -> Arc<T> {
        let mut extensions = self.extensions.lock().unwrap_or_else(PoisonError::into_inner);
        let extension = Arc::clone(extensions.entry(type_name).or_insert_with(|| Arc::new(T::default())));
        extension.downcast().expect("a type of objects remembers one type of data")
    }

    /// Returns the application `id`, ready for calls. It is an error if the provider has no credentials for it, or does
    /// not know them yet.
    pub(super) fn app(&self, id: SdkAppId, purpose: Purpose) -> Result<Arc<App>, Diagnostics> {
        let account = match self.account(id) {
            Attr::Known(account) => account,
            Attr::Unknown => return Err(not_known_yet(id).into()),
            Attr::Null if self.has_no_credentials() => return Err(no_credentials(purpose).into()),
            Attr::Null => return Err(self.no_credentials_for(id, purpose).into()),
        };
        if let Credentials::UserSig(user_sig) = &account.credentials
            && user_sig.claims().is_ok_and(|claims| claims.sdk_app_id != u64::from(id))
        {
            return Err(self.no_credentials_for(id, purpose).into());
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let application = used.entry(id).or_insert_with(|| {
            let Account { identifier, credentials, origin, endpoint } = account.clone();
            Arc::new(App::new(id, identifier, credentials, endpoint).held_by(origin))
        });
        Ok(Arc::clone(application))
    }

    /// Finds the account that calls for an application. The provider block's own account calls for no other application
    /// than its own: Tencent locks an application after too many calls with a wrong key.
    fn account(&self, id: SdkAppId) -> Attr<&Account> {
        let own = self.own.as_ref().map_or(Attr::Null, Attr::Known);
        match (self.owner(), &self.apps) {
            (Attr::Known(owner), _) if owner == id => own,
            (_, None) => Attr::Unknown,
            (owner, Some(apps)) => match apps.get(&id) {
                Some(account) => account.as_ref().map_or(Attr::Unknown, Attr::Known),
                // Nothing is called yet.
                None if owner.is_unknown() => own,
                None => Attr::Null,
            },
        }
    }

    /// Returns the application that the provider block's own account is for. A UserSig names it; a SecretKey does not.
    fn owner(&self) -> Attr<SdkAppId> {
        match self.own.as_ref().map(|own| &own.credentials) {
            None => Attr::Null,
            Some(Credentials::SecretKey(_)) => self.sdk_app_id.clone(),
            Some(Credentials::UserSig(user_sig)) => {
                let named = user_sig.claims().ok().and_then(|claims| claims.sdk_app_id.try_into().ok());
                named.map_or(Attr::Null, Attr::Known)
            }
        }
    }

    fn has_no_credentials(&self) -> bool {
        self.own.is_none() && self.apps.as_ref().is_some_and(BTreeMap::is_empty)
    }

    /// Iterates over the applications with credentials of their own, the provider block's first.
    pub(super) fn sdk_app_ids(&self) -> impl Iterator<Item = SdkAppId> {
        let own = self.owner().known().copied();
        let apps = self.apps.iter().flat_map(BTreeMap::keys).copied().filter(move |id| Some(*id) != own);
        own.into_iter().chain(apps)
    }

    /// Lists the applications with credentials of their own for a message, if there are any.
    fn listed(&self) -> Option<String> {
        let mut ids = self.sdk_app_ids();
        let listed: Vec<_> = ids.by_ref().take(LISTED).map(|id| id.to_string()).collect();
        let word = if listed.len() == 1 { "SDKAppID" } else { "the SDKAppIDs" };
        let more = match ids.count() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        (!listed.is_empty()).then(|| format!("{word} {}{more}", listed.join(", ")))
    }

    fn no_credentials_for(&self, id: SdkAppId, purpose: Purpose) -> Diagnostic {
        let has = self.listed().map(|listed| format!("It has credentials for {listed}. ")).unwrap_or_default();
        let nameless = match &self.own {
            Some(Account { origin, .. }) if self.owner().is_null() => format!(
                "It does not know whose SecretKey ({origin}) it has, because the provider's sdk_app_id is not set. If the \
                 key belongs to SDKAppID {id}, set sdk_app_id (TENCENT_SDK_APP_ID) to that. "
            ),
            _ => String::new(),
        };
        let instead = match (self.sdk_app_id == Attr::Known(id), purpose) {
            (true, Purpose::Sign) => {
                "Or set the provider's own secret_key (TENCENT_SECRET_KEY). If the SDKAppID is wrong, correct the \
                 provider's sdk_app_id (TENCENT_SDK_APP_ID)."
            }
            (true, _) => {
                "Or set the provider's own secret_key (TENCENT_SECRET_KEY) or user_sig (TENCENT_USER_SIG). If the \
                 SDKAppID is wrong, correct the provider's sdk_app_id (TENCENT_SDK_APP_ID)."
            }
            (false, _) => "Or use another provider block for it. If the SDKAppID is wrong, correct it.",
        };
        let of_object = match purpose {
            Purpose::Object => format!(
                "\n\nTo destroy an object of SDKAppID {id} that is still in the state, use the provider's earlier \
                 credentials. To leave it at Tencent instead, apply deletion_policy = \"ABANDON\" before you remove it, \
                 or take it out of the state: with a removed block, or with terraform state rm if the resource uses \
                 for_each or count."
            ),
            _ => String::new(),
        };
        let detail = format!(
            "{has}{nameless}Each application has its own credentials. Add an entry for this application to the provider's \
             apps:\n\n  apps = {{ \"{id}\" = {{ secret_key = … }} }}\n\n{instead}{of_object}"
        );
        Diagnostic::error(format!("The provider \"tencent\" has no credentials for SDKAppID {id}"), detail)
            .on("sdk_app_id")
    }
}

impl From<SdkAppId> for Attr<Number> {
    fn from(id: SdkAppId) -> Self {
        Number::from(u64::from(id)).into()
    }
}

/// Checks the argument `sdk_app_id` of an object, if it is known.
pub(super) fn check_sdk_app_id(argument: &Attr<Number>) -> Diagnostics {
    argument.known().and_then(|id| read_sdk_app_id(id).err()).map(Diagnostics::from).unwrap_or_default()
}

fn read_sdk_app_id(id: &Number) -> Result<SdkAppId, Diagnostic> {
    values::sdk_app_id(&id.to_string(), Source::Argument).map_err(|reason| Diagnostic::invalid("sdk_app_id", reason))
}

fn no_credentials(purpose: Purpose) -> Diagnostic {
    let without_key = match purpose {
        Purpose::Sign => "A UserSig is signed with it, so user_sig and TENCENT_USER_SIG do not help here.",
        _ => "If the pipeline must not hold the key, set user_sig or TENCENT_USER_SIG to a UserSig instead.",
    };
    let detail = format!(
        "Set the provider's secret_key, or the environment variable TENCENT_SECRET_KEY, to the application's SecretKey \
         (Tencent RTC console, Basic Information). {without_key} For several applications, set apps."
    );
    Diagnostic::error("The provider \"tencent\" has no credentials", detail)
}

fn not_known_yet(id: SdkAppId) -> Diagnostic {
    let detail = format!(
        "The provider's apps, or its entry for SDKAppID {id}, depends on a value that is known only after apply. First \
         apply what it depends on, for example with -target."
    );
    Diagnostic::error(format!("The credentials of SDKAppID {id} are not known yet"), detail)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::provider::testing::{self, HOUR, account as key, id};
    use crate::tencent::Settings;

    fn user_sig(of: u64) -> Account {
        let credentials = Credentials::UserSig(testing::user_sig(of, SystemTime::now(), HOUR));
        Account { credentials, ..key("") }
    }

    fn configured(default: Option<u64>, own: Option<Account>, apps: Apps) -> Applications {
        let default = default.map_or(Attr::Null, |number| Attr::Known(id(number)));
        Applications::new(Client::new(Settings::default()), default, own, apps)
    }

    fn apps(entries: impl IntoIterator<Item = (u64, Option<Account>)>) -> Apps {
        Some(entries.into_iter().map(|(number, account)| (id(number), account)).collect())
    }

    fn refusal(applications: &Applications, of: u64) -> String {
        let refusal = testing::only(applications.app(id(of), Purpose::Object).expect_err("a refusal"));
        format!("{}: {}", refusal.summary, refusal.detail)
    }

    #[test]
    fn each_application_has_its_own_credentials() {
        let applications = configured(Some(1), Some(key("a")), apps([(2, Some(key("b"))), (3, Some(user_sig(3)))]));
        for number in 1..=3 {
            let application = applications.app(id(number), Purpose::Call).expect("an application");
            assert_eq!(application.sdk_app_id(), id(number));
            assert!(Arc::ptr_eq(&application, &applications.app(id(number), Purpose::Call).expect("the same")));
        }
        let refusal = refusal(&applications, 4);
        for said in ["has no credentials for SDKAppID 4", "the SDKAppIDs 1, 2, 3.", "apps = { \"4\" = ", "ABANDON"] {
            assert!(refusal.contains(said), "{refusal}");
        }
    }

    #[test]
    fn a_fleet_is_neither_listed_as_a_whole_nor_prepared_before_it_is_used() {
        let applications = configured(None, None, apps((1..=10_000).map(|number| (number, Some(key("a"))))));
        assert!(refusal(&applications, 10_001).contains("the SDKAppIDs 1, 2, 3, 4, 5 and 9995 more"));
        assert!(applications.used.lock().expect("no panic").is_empty());
        applications.app(id(7), Purpose::Call).expect("an application");
        assert_eq!(applications.used.lock().expect("no panic").len(), 1);
    }

    #[test]
    fn a_key_without_an_application_is_tried_for_none() {
        for entries in [apps([]), apps([(2, Some(key("b")))])] {
            let refusal = refusal(&configured(None, Some(key("a")), entries), 1);
            for said in
                ["whose SecretKey (TENCENT_SECRET_KEY) it has", "set sdk_app_id (TENCENT_SDK_APP_ID)", "apps = { \"1\""]
            {
                assert!(refusal.contains(said), "{refusal}");
            }
        }
        let other = refusal(&configured(Some(1), Some(key("a")), apps([])), 2);
        assert!(!other.contains("whose SecretKey") && other.contains("apps = { \"2\""), "{other}");
    }

    #[test]
    fn a_user_sig_names_its_application_itself() {
        let applications = configured(None, Some(user_sig(1)), apps([]));
        assert!(applications.app(id(1), Purpose::Call).is_ok());
        let refusal = refusal(&applications, 2);
        assert!(refusal.contains("for SDKAppID 2: It has credentials for SDKAppID 1."), "{refusal}");
    }

    #[test]
    fn an_unknown_entry_holds_up_no_other() {
        let known = |applications: &Applications, number: u64| applications.is_known(&Attr::Known(number.into()));
        let one = configured(Some(1), Some(key("a")), apps([(2, None), (3, Some(key("c")))]));
        assert_eq!([1, 2, 3].map(|number| known(&one, number)), [true, false, true]);
        assert!(refusal(&one, 2).contains("not known yet"));

        let all = configured(Some(1), Some(key("a")), None);
        assert_eq!([1, 2].map(|number| known(&all, number)), [true, false]);
        assert!(all.is_known(&Attr::Null));

        let default = configured(Some(1), None, apps([(1, None)]));
        assert!(!default.is_known(&Attr::Null));
    }

    #[test]
    fn a_message_advises_what_serves_the_purpose() {
        let nothing = configured(Some(1), None, apps([]));
        let fleet = configured(Some(1), None, apps([(7, Some(key("a")))]));
        for (purpose, user_sig_helps, object_is_left) in
            [(Purpose::Call, true, false), (Purpose::Object, true, true), (Purpose::Sign, false, false)]
        {
            let refusal =
                |of: &Applications, number| testing::only(of.app(id(number), purpose).expect_err("refused")).detail;
            let sets_user_sig = |detail: &str| detail.contains("set user_sig") || detail.contains("or user_sig");
            for detail in [refusal(&nothing, 1), refusal(&fleet, 1)] {
                assert!(detail.contains("secret_key") && detail.contains("TENCENT_SECRET_KEY"), "{detail}");
                assert_eq!(sets_user_sig(&detail), user_sig_helps, "{purpose:?}: {detail}");
            }
            assert_eq!(refusal(&fleet, 2).contains("ABANDON"), object_is_left, "{purpose:?}");
        }
        let unnamed = configured(None, None, apps([])).sdk_app_id(&Attr::Null, Purpose::Name).expect_err("no default");
        assert_eq!(testing::only(unnamed).summary, "No SDKAppID");
    }

    #[test]
    fn all_that_is_missing_is_said_at_once() {
        let missing =
            |apps| configured(None, None, apps).sdk_app_id(&Attr::Null, Purpose::Call).expect_err("no default");
        let said: Vec<_> = missing(apps([])).into_iter().map(|d| d.summary).collect();
        assert_eq!(said, ["No SDKAppID", "The provider \"tencent\" has no credentials"]);
        let fleet = testing::only(missing(apps([(7, Some(key("a")))])));
        assert!(fleet.detail.ends_with("The provider has credentials for SDKAppID 7."), "{fleet:?}");
    }
}
