//! What this process has changed at Tencent, which tells a stale read from someone else's change.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Content, is_same};

/// How long after a change a read may still show what held before it.
pub(super) const LONGEST_LAG: Duration = Duration::from_secs(10);

/// The changes that this process has made, or may have made, oldest first.
#[derive(Debug)]
pub(super) struct History<C>(Mutex<Vec<Change<C>>>);

#[derive(Debug)]
struct Change<C> {
    before: Option<C>,
    after: Option<C>,
    made: Instant,
}

impl<C> Default for History<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Content> History<C> {
    /// Notes that a change has just been made, or may have been.
    pub(super) fn note(&self, before: Option<C>, after: Option<C>) {
        self.changes().push(Change { before, after, made: Instant::now() });
    }

    /// Returns how long `found` counts as stale: it held before a recent change, and is not the result of the last one.
    pub(super) fn stale_until(&self, found: Option<&C>) -> Option<Instant> {
        let changes = self.changes();
        changes.last().filter(|last| !is_same(last.after.as_ref(), found))?;
        let replacing = changes.iter().rfind(|change| is_same(change.before.as_ref(), found))?;
        Some(replacing.made + LONGEST_LAG).filter(|until| *until > Instant::now())
    }

    /// Returns whether a change replaced `found`, however long ago, and the last change did not bring it back.
    pub(super) fn has_replaced(&self, found: Option<&C>) -> bool {
        let changes = self.changes();
        changes.last().is_some_and(|last| !is_same(last.after.as_ref(), found))
            && changes.iter().any(|change| is_same(change.before.as_ref(), found))
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, Vec<Change<C>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tencent::CallbackToken;

    fn token(text: &str) -> Option<CallbackToken> {
        (!text.is_empty()).then(|| CallbackToken { token: text.to_owned().into(), enabled: true })
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_stale_if_it_shows_what_was_replaced_a_moment_ago() {
        let history = History::default();
        let stale = || ["", "a", "b", "c"].map(|found| history.stale_until(token(found).as_ref()).is_some());
        assert_eq!(stale(), [false; 4], "nothing was changed");
        history.note(token(""), token("a"));
        assert_eq!(stale(), [true, false, false, false], "the creation");
        tokio::time::sleep(LONGEST_LAG / 2).await;
        history.note(token("a"), token("b"));
        assert_eq!(stale(), [true, true, false, false], "c is someone else's");
        history.note(token("b"), token("a"));
        assert_eq!(stale(), [true, false, true, false], "a is back");
        history.note(token("a"), token(""));
        assert_eq!(stale(), [false, true, true, false], "the deletion");
        tokio::time::sleep(LONGEST_LAG).await;
        assert_eq!(stale(), [false; 4], "too long ago");
        let replaced = ["", "a", "b", "c"].map(|found| history.has_replaced(token(found).as_ref()));
        assert_eq!(replaced, [false, true, true, false]);
    }
}
