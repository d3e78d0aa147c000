//! The stored objects: a callback configuration per service and SDKAppID, and Live's token per SDKAppID, in memory and
//! optionally in a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::api::Service;
use crate::configuration::Configuration;
use crate::token::Token;

/// All configurations and tokens. A change that cannot be saved has no effect.
#[derive(Debug, Default)]
pub(crate) struct Store {
    configurations: Objects<(Service, u64), Configuration>,
    tokens: Objects<u64, Token>,
    file: Option<PathBuf>,
}

/// The age of what a read answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// What holds now.
    Now,
    /// What held this long ago, as from a replica that lags.
    Ago(Duration),
    /// What held before the last change, as from a cache.
    BeforeTheLastChange,
}

/// The objects of one kind, and those that they replaced.
#[derive(Debug)]
struct Objects<K, V> {
    now: BTreeMap<K, V>,
    /// What each key held before, with the end of that time, oldest first.
    before: BTreeMap<K, Vec<(Instant, Option<V>)>>,
}

impl<K, V> Default for Objects<K, V> {
    fn default() -> Self {
        Self { now: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl<K: Ord + Copy, V: Clone> Objects<K, V> {
    fn get(&self, key: K, age: Age) -> Option<&V> {
        let mut before = self.before.get(&key).into_iter().flatten();
        let then = match age {
            Age::Now => None,
            Age::Ago(age) => before.find(|(until, _)| until.elapsed() < age),
            Age::BeforeTheLastChange => before.next_back(),
        };
        then.map_or_else(|| self.now.get(&key), |(_, object)| object.as_ref())
    }

    fn replace(&mut self, key: K, object: Option<V>) -> Option<V> {
        let previous = match object {
            Some(object) => self.now.insert(key, object),
            None => self.now.remove(&key),
        };
        self.before.entry(key).or_default().push((Instant::now(), previous.clone()));
        previous
    }

    fn undo(&mut self, key: K) {
        match self.before.entry(key).or_default().pop() {
            Some((_, Some(object))) => drop(self.now.insert(key, object)),
            _ => drop(self.now.remove(&key)),
        }
    }
}

/// One object in the state file.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "an entry is neither a configuration nor a token")]
enum Entry {
    Configuration {
        /// The path segment of the service.
        service: Cow<'static, str>,
        sdk_app_id: u64,
        #[serde(flatten)]
        configuration: Configuration,
    },
    Token {
        sdk_app_id: u64,
        #[serde(flatten)]
        token: Token,
    },
}

impl Store {
    /// Opens a store that keeps its objects in `file`. A missing file is an empty store.
    pub(crate) fn open(file: PathBuf, other_services: &[&'static str]) -> io::Result<Self> {
        let explain =
            |kind, why: &dyn std::fmt::Display| io::Error::new(kind, format!("state file {}: {why}", file.display()));
        let entries: Vec<Entry> = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|e| {
                explain(
                    io::ErrorKind::InvalidData,
                    &format!(
                        "not a list of callback configurations and tokens ({e}); repair it, or delete it to start empty"
                    ),
                )
            })?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(explain(e.kind(), &e)),
        };
        let mut store = Self::default();
        for entry in entries {
            match entry {
                Entry::Configuration { service, sdk_app_id, configuration } => {
                    let unserved = || {
                        let why = format!("it holds a configuration of {service}, which this simulator does not serve");
                        explain(io::ErrorKind::InvalidData, &why)
                    };
                    let service = Service::find(&service, other_services).ok_or_else(unserved)?;
                    store.configurations.now.insert((service, sdk_app_id), configuration);
                }
                Entry::Token { sdk_app_id, token } => {
                    store.tokens.now.insert(sdk_app_id, token);
                }
            }
        }
        Ok(Self { file: Some(file), ..store })
    }

    pub(crate) fn get(&self, service: Service, sdk_app_id: u64, age: Age) -> Option<&Configuration> {
        self.configurations.get((service, sdk_app_id), age)
    }

    /// Stores `configuration`, or removes it if it is `None`. Returns the configuration that was there.
    pub(crate) fn replace(
        &mut self,
        service: Service,
        sdk_app_id: u64,
        configuration: Option<Configuration>,
    ) -> io::Result<Option<Configuration>> {
        self.change(|store| &mut store.configurations, (service, sdk_app_id), configuration)
    }

    pub(crate) fn token(&self, sdk_app_id: u64, age: Age) -> Option<&Token> {
        self.tokens.get(sdk_app_id, age)
    }

    /// Stores `token`, or removes it if it is `None`. Returns the token that was there.
    pub(crate) fn replace_token(&mut self, sdk_app_id: u64, token: Option<Token>) -> io::Result<Option<Token>> {
        self.change(|store| &mut store.tokens, sdk_app_id, token)
    }

    fn change<K: Ord + Copy, V: Clone>(
        &mut self,
        objects: fn(&mut Self) -> &mut Objects<K, V>,
        key: K,
        object: Option<V>,
    ) -> io::Result<Option<V>> {
        let previous = objects(self).replace(key, object);
        if let Err(e) = self.save() {
            objects(self).undo(key);
            return Err(e);
        }
        Ok(previous)
    }

    /// Writes a new file and renames it into place, so that a reader sees either the old objects or the new ones.
    fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let configurations = self.configurations.now.iter().map(|(&(service, sdk_app_id), configuration)| {
            let service = service.path_segment().into();
            Entry::Configuration { service, sdk_app_id, configuration: configuration.clone() }
        });
        let tokens =
            self.tokens.now.iter().map(|(&sdk_app_id, token)| Entry::Token { sdk_app_id, token: token.clone() });
        let entries: Vec<_> = configurations.chain(tokens).collect();
        let directory = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut new, &entries)?;
        new.write_all(b"\n")?;
        new.persist(file)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: u64 = 1_400_000_001;

    fn some() -> Configuration {
        Configuration::new("https://hooks.example.com", ["Call.CallbackAfterEndCall", "Call.CallbackAfterEndCall"])
    }

    fn token() -> Token {
        Token::new("a-token-to-hide", true)
    }

    #[test]
    fn saved_objects_are_there_when_the_file_is_opened_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state.json");
        let others = ["other_config"];
        let other = Service::Other(others[0]);
        let mut store = Store::open(file.clone(), &others).expect("a new file");
        assert_eq!(store.replace(Service::Call, ID, Some(some())).expect("saved"), None);
        assert_eq!(store.replace(other, ID, Some(some())).expect("saved"), None);
        assert_eq!(store.replace(Service::Room, ID, Some(some())).expect("saved"), None);
        assert_eq!(store.replace(Service::Room, ID, None).expect("saved"), Some(some()));
        for (id, previous) in [(ID, None), (ID, Some(token())), (ID + 1, None)] {
            assert_eq!(store.replace_token(id, Some(token())).expect("saved"), previous);
        }
        assert_eq!(store.replace_token(ID + 1, None).expect("saved"), Some(token()));

        let again = Store::open(file.clone(), &others).expect("the same file");
        assert_eq!(again.get(Service::Call, ID, Age::Now), Some(&some()));
        assert_eq!(again.get(other, ID, Age::Now), Some(&some()));
        assert_eq!(again.get(Service::Room, ID, Age::Now), None);
        assert_eq!((again.token(ID, Age::Now), again.token(ID + 1, Age::Now)), (Some(&token()), None));
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "no temporary file stays");

        let error = Store::open(file, &[]).expect_err("an unserved service").to_string();
        assert!(error.contains("state.json: it holds a configuration of other_config"), "{error}");
    }

    #[test]
    fn a_state_file_without_tokens_can_be_opened() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state.json");
        let before = r#"[{
            "service": "call_config",
            "sdk_app_id": 1400000001,
            "Url": "https://hooks.example.com",
            "CallbackCommandList": ["Call.CallbackAfterEndCall", "Call.CallbackAfterEndCall"]
        }]"#;
        fs::write(&file, before).expect("written");
        let store = Store::open(file, &[]).expect("a state file");
        assert_eq!((store.get(Service::Call, ID, Age::Now), store.token(ID, Age::Now)), (Some(&some()), None));
    }

    #[test]
    fn another_file_is_refused_by_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state.json");
        for wrong in ["{\"not\": ", r#"[{"sdk_app_id": 1400000001, "Token": "a-token-to-hide", "IsTokenEnable": 1}]"#] {
            fs::write(&file, wrong).expect("written");
            let error = Store::open(file.clone(), &[]).expect_err("not a state file").to_string();
            assert!(error.contains("state.json") && error.contains("delete it"), "{error}");
            assert!(!error.contains("a-token-to-hide"), "{error}");
        }
    }

    #[test]
    fn a_change_that_cannot_be_saved_has_no_effect() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(directory.path().join("missing/state.json"), &[]).expect("no file yet");
        store.replace(Service::Call, ID, Some(some())).expect_err("no such directory");
        assert_eq!(store.get(Service::Call, ID, Age::Now), None);
        store.replace_token(ID, Some(token())).expect_err("no such directory");
        assert_eq!(store.token(ID, Age::Now), None);
    }
}
