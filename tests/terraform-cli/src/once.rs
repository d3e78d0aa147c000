//! Directories below Cargo's target directory that are made once, however many processes ask for them at the same time.
//! Such a directory appears complete or not at all. Directories of the same place are made one after the other, because each
//! one benefits from what the previous one left in the caches of pip or Go.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::cargo;
use crate::error::{Error, Result};

/// Returns the directory `target/PLACE/NAME`, if it exists.
pub(crate) fn made(place: &str, name: &str) -> Result<Option<PathBuf>> {
    let complete = cargo::target_directory()?.join(place).join(name);
    Ok(complete.exists().then_some(complete))
}

/// Returns the directory `target/PLACE/NAME`. If it does not exist, calls `make` with a temporary directory, and renames that.
pub(crate) fn make(place: &str, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if let Some(complete) = made(place, name)? {
        return Ok(complete);
    }
    let home = cargo::target_directory()?.join(place);
    fs::create_dir_all(&home).map_err(Error::io("cannot create", &home))?;
    let lock_path = home.join("lock");
    let lock_file = File::create(&lock_path).map_err(Error::io("cannot create", &lock_path))?;
    let mut lock = fd_lock::RwLock::new(lock_file);
    let _guard = lock.write().map_err(Error::io("cannot lock", &lock_path))?;
    let complete = home.join(name);
    if !complete.exists() {
        let partial = home.join(format!("{name}.partial"));
        remove(&partial)?;
        make(&partial)?;
        fs::rename(&partial, &complete).map_err(Error::io("cannot complete", &complete))?;
    }
    Ok(complete)
}

/// Removes what an interrupted attempt has left.
fn remove(partial: &Path) -> Result<()> {
    match fs::remove_dir_all(partial) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(Error::io("cannot remove", partial)(cause)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::process;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn concurrent_requests_install_once() {
        let place = format!("once-{}", process::id());
        let half = make(&place, "it", |directory| {
            fs::create_dir(directory).expect("a directory");
            Err(Error::new("cut short"))
        });
        assert_eq!(half.expect_err("cut short").to_string(), "cut short");
        assert_eq!(made(&place, "it").expect("an answer"), None);

        let times = AtomicUsize::new(0);
        let ask = || {
            let made = make(&place, "it", |directory| {
                times.fetch_add(1, Ordering::Relaxed);
                fs::create_dir(directory).map_err(Error::io("cannot create", directory))
            });
            assert!(made.expect("it is made").is_dir());
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(ask))));
        assert_eq!(times.into_inner(), 1);

        let directory = made(&place, "it").expect("an answer").expect("it is made");
        fs::remove_dir_all(directory.parent().expect("the place")).expect("it goes");
    }
}
