//! The stored objects: one callback configuration per service and SDKAppID, in memory and, if wished, in a file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::api::Service;

/// A callback configuration: where Tencent sends events, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// `Url`: where Tencent would POST the events.
    #[serde(rename = "Url")]
    pub url: String,
    /// `CallbackCommandList`: which events it would send, as they were set (order and duplicates are kept).
    #[serde(rename = "CallbackCommandList")]
    pub callback_commands: Vec<String>,
}

impl Configuration {
    /// A configuration from its two fields.
    pub fn new<C: Into<String>>(url: impl Into<String>, callback_commands: impl IntoIterator<Item = C>) -> Self {
        Self { url: url.into(), callback_commands: callback_commands.into_iter().map(Into::into).collect() }
    }
}

/// All configurations. A change that cannot be saved is not made.
#[derive(Debug, Default)]
pub(crate) struct Store {
    objects: BTreeMap<(Service, u64), Configuration>,
    file: Option<PathBuf>,
}

/// One object in the state file.
#[derive(Serialize, Deserialize)]
struct Entry {
    service: Service,
    sdk_app_id: u64,
    #[serde(flatten)]
    configuration: Configuration,
}

impl Store {
    /// A store that keeps its objects in `file` and starts with what the file holds; one that is not there is empty.
    pub(crate) fn open(file: PathBuf) -> io::Result<Self> {
        let explain =
            |kind, why: &dyn std::fmt::Display| io::Error::new(kind, format!("state file {}: {why}", file.display()));
        let entries: Vec<Entry> = match fs::read(&file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|e| {
                explain(
                    io::ErrorKind::InvalidData,
                    &format!("not a list of callback configurations ({e}); repair it, or delete it to start empty"),
                )
            })?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(explain(e.kind(), &e)),
        };
        let objects = entries.into_iter().map(|e| ((e.service, e.sdk_app_id), e.configuration)).collect();
        Ok(Self { objects, file: Some(file) })
    }

    pub(crate) fn get(&self, service: Service, sdk_app_id: u64) -> Option<&Configuration> {
        self.objects.get(&(service, sdk_app_id))
    }

    /// Puts `configuration` in the place of what was there, which it returns; `None` removes.
    pub(crate) fn replace(
        &mut self,
        service: Service,
        sdk_app_id: u64,
        configuration: Option<Configuration>,
    ) -> io::Result<Option<Configuration>> {
        let key = (service, sdk_app_id);
        let previous = self.swap(key, configuration);
        if let Err(e) = self.save() {
            self.swap(key, previous);
            return Err(e);
        }
        Ok(previous)
    }

    fn swap(&mut self, key: (Service, u64), configuration: Option<Configuration>) -> Option<Configuration> {
        match configuration {
            Some(configuration) => self.objects.insert(key, configuration),
            None => self.objects.remove(&key),
        }
    }

    /// Writes a new file and renames it into place, so that a reader sees the old objects or the new ones.
    fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let entries: Vec<_> = self
            .objects
            .iter()
            .map(|(&(service, sdk_app_id), configuration)| Entry {
                service,
                sdk_app_id,
                configuration: configuration.clone(),
            })
            .collect();
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

    #[test]
    fn what_was_saved_is_there_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state.json");
        let mut store = Store::open(file.clone()).expect("a new file");
        assert_eq!(store.replace(Service::Call, ID, Some(some())).expect("saved"), None);
        assert_eq!(store.replace(Service::Room, ID, Some(some())).expect("saved"), None);
        assert_eq!(store.replace(Service::Room, ID, None).expect("saved"), Some(some()));

        let again = Store::open(file).expect("the same file");
        assert_eq!(again.get(Service::Call, ID), Some(&some()));
        assert_eq!(again.get(Service::Room, ID), None);
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_file_of_something_else_is_refused_by_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("state.json");
        fs::write(&file, "{\"not\": ").expect("written");
        let error = Store::open(file).expect_err("not a state file").to_string();
        assert!(error.contains("state.json") && error.contains("delete it"), "{error}");
    }

    #[test]
    fn a_change_that_cannot_be_saved_is_not_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(directory.path().join("missing/state.json")).expect("no file yet");
        store.replace(Service::Call, ID, Some(some())).expect_err("no such directory");
        assert_eq!(store.get(Service::Call, ID), None);
    }
}
