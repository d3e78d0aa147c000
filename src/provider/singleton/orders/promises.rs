//! The promises, checked on each run.

use super::host::{Mode, Object, Phase, Reads, Rpc, Run, Said};
use super::kinds::Kind;
use super::situations::{Situation, Story};
use super::tencent::{APPS, App, Call, Content, Fate, shown};

/// What the provider promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Promise {
    /// Nothing that an object of the new state wants is missing at Tencent, unless an error says so.
    Kept,
    /// Nothing of others is replaced without a word, or at all with `overwrite_existing = false`.
    Others,
    /// The state says what Tencent holds, or an error says that it may be out of date.
    State,
    /// Messages are true.
    True,
    /// The next plan is right: no changes after a success; after a failure, the next apply succeeds.
    Next,
    /// Every order of the same objects leads to the same plan.
    Same,
    /// Terraform finds no bug of the provider.
    Sound,
}

/// A run, and what it led to.
pub(super) struct Outcome<'a> {
    pub(super) kind: Kind,
    pub(super) situation: &'a Situation,
    pub(super) mode: Mode,
    pub(super) was_applied: bool,
    pub(super) run: Run,
    pub(super) calls: Vec<(usize, Call)>,
    pub(super) start: [Option<Content>; 2],
    pub(super) end: [Option<Content>; 2],
}

impl Outcome<'_> {
    fn said(&self) -> impl Iterator<Item = (usize, &Rpc, &Said)> {
        self.run.rpcs.iter().enumerate().flat_map(|(id, rpc)| rpc.said.iter().map(move |said| (id, rpc, said)))
    }

    fn calls_of(&self, rpc: usize) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |(of, _)| *of == rpc).map(|(_, call)| call)
    }

    /// Iterates over the objects in the state, and whether each is left out.
    fn objects(&self) -> impl Iterator<Item = (&Object, bool)> {
        let instances = self.run.state.iter().zip(&self.situation.stories);
        instances.flat_map(|(instance, story)| {
            instance.current.iter().chain(&instance.deposed).map(|object| (object, story.is_left_out))
        })
    }

    /// Returns whether the apply ended with an error about `app` that has one of `words`.
    fn has_error(&self, app: App, words: &[&str]) -> bool {
        let id = app.id().to_string();
        self.said().any(|(_, rpc, said)| {
            let text = format!("{} {}", said.summary, said.detail);
            said.is_error
                && rpc.phase == Phase::Apply
                && text.contains(&id)
                && (words.is_empty() || words.iter().any(|word| text.contains(word)))
        })
    }

    /// Returns whether someone else was the last to change `app`.
    pub(super) fn is_theirs(&self, app: App) -> bool {
        let changes = self.calls.iter().map(|(_, call)| call).filter(|call| call.app == app);
        let mut changes = changes.filter(|call| call.took_effect || matches!(call.fate, Fate::AfterTheirs(_)));
        changes.next_back().is_some_and(Call::is_read)
    }

    /// Returns the promises that were broken, and how.
    pub(super) fn broken(&self) -> Vec<(Promise, String)> {
        // A plan that assumes the wrong application says so. Then Terraform itself refuses to apply it.
        let is_mistaken = self.situation.stories.iter().any(Story::is_mistaken);
        let bugs = self.run.bugs.iter().filter(|_| !is_mistaken);
        let mut broken: Vec<_> = bugs.map(|bug| (Promise::Sound, bug.clone())).collect();
        let is_refused = is_mistaken && !self.run.bugs.is_empty();
        for app in APPS {
            broken.extend(self.lost(app).map(|how| (Promise::Kept, how)));
            if self.was_applied && !self.is_theirs(app) && !is_refused {
                broken.extend(self.untrue_state(app).map(|how| (Promise::State, how)));
            }
        }
        broken.extend(self.replaced_unsaid().map(|how| (Promise::Others, how)));
        let untrue = self.said().filter_map(|(id, rpc, said)| self.untrue(id, rpc, said));
        broken.extend(untrue.map(|how| (Promise::True, how)));
        broken
    }

    fn lost(&self, app: App) -> Option<String> {
        let wants = |story: &Story| !story.is_mistaken() && story.block.is_some_and(|block| block.app == app);
        let is_wanted = !self.situation.is_destroy && self.situation.stories.iter().any(wants);
        let is_lost = self.start[app as usize].is_some() && self.end[app as usize].is_none() && !self.is_theirs(app);
        let is_said = || self.has_error(app, &["has none", "is gone", "may have been deleted"]);
        (is_wanted && is_lost && !is_said()).then(|| format!("{app:?} is gone, though a block wants it"))
    }

    fn untrue_state(&self, app: App) -> Option<String> {
        let held = self.end[app as usize];
        let mut objects = self.objects().filter(|(object, _)| object.app() == Some(app)).peekable();
        let has_object = objects.peek().is_some();
        let is_right = |object: &Object| object.content() == held || object.content().is_none() && held.is_some();
        let mut wrong =
            objects.filter(|(object, is_left_out)| !is_left_out && !is_right(object)).map(|(object, _)| object);
        let holds = || format!("{app:?} holds {}", shown(held));
        if let Some(wrong) = wrong.next().filter(|_| !self.has_error(app, &[])) {
            return Some(format!("the state says {}, but {}", shown(wrong.content()), holds()));
        }
        if held.is_none() || has_object {
            return None;
        }
        let was_managed = self.situation.had(app);
        let is_abandoned = self
            .situation
            .stories
            .iter()
            .any(|story| story.current == Some(app) && story.block.is_some_and(|block| block.is_abandoned));
        let is_ours = was_managed && !is_abandoned || self.calls.iter().any(|(_, c)| c.app == app && c.took_effect);
        if is_ours && !self.has_error(app, &[]) {
            return Some(format!("{}, but nothing in the state stands for it", holds()));
        }
        let is_wanted = self.situation.blocks().any(|block| block.app == app);
        (was_managed && is_wanted)
            .then(|| format!("{}, wanted and managed before; the state has forgotten it", holds()))
    }

    fn replaced_unsaid(&self) -> impl Iterator<Item = String> {
        let ours = |call: &&(usize, Call)| call.1.took_effect && call.1.before != call.1.after;
        self.calls.iter().filter(ours).filter_map(|(id, call)| {
            let content = call.before?;
            let index = call.app as usize;
            let was_theirs = self.situation.unmanaged[index] == Some(content) && !self.situation.had(call.app);
            let is_theirs = |other: &&(usize, Call)| {
                other.1.at < call.at && other.1.app == call.app && other.1.fate == Fate::AfterTheirs(Some(content))
            };
            if !was_theirs && self.calls.iter().find(is_theirs).is_none() {
                return None;
            }
            let shows = |o: &Object| o.app() == Some(call.app) && o.content() == Some(content);
            let is_shown_by = |said: &Said| self.kind.is_shown_by(content, &said.detail);
            // The state does not have what is in a write-only argument: the plan only says that it has changed.
            let says = |said: &Said| is_shown_by(said) || said.summary.ends_with("is not the one on record");
            let is_warned = |rpc: &Rpc, said: &Said| rpc.phase == Phase::Plan && !said.is_error && says(said);
            let is_shown = self.run.shown.iter().any(shows) || self.said().any(|(_, rpc, said)| is_warned(rpc, said));
            let is_said = self.said().any(|(_, _, said)| says(said));
            let is_guarded = self.run.rpcs[*id].is_guarded;
            match (is_shown, is_said, is_guarded) {
                (true, _, _) | (false, true, false) => None,
                (false, true, true) => Some(format!("{content} of others was replaced in spite of the guard")),
                (false, false, _) => Some(format!("{content} of others was replaced without a word")),
            }
        })
    }

    /// Returns why a message is not true, if it is not.
    fn untrue(&self, id: usize, rpc: &Rpc, said: &Said) -> Option<String> {
        let text = format!("{}: {}", said.summary, said.detail);
        let took_effect = |name: &str| self.calls_of(id).any(|call| call.took_effect && call.name == name);
        let (wrote, deleted) = (took_effect("set") || took_effect("update"), took_effect("delete"));
        let app = APPS.into_iter().find(|app| text.contains(&app.id().to_string()));
        let held = self.calls_of(id).filter(|call| Some(call.app) == app).last().map(|call| call.after);
        let others = |call: &Call| matches!(call.fate, Fate::AfterTheirs(_)) && Some(call.app) == app;
        let someone_else = || {
            let unmanaged = app.is_some_and(|app| self.situation.unmanaged[app as usize].is_some());
            unmanaged || self.calls.iter().any(|(_, call)| others(call))
        };
        let stories = || self.situation.stories.iter();
        let sharing = || stories().filter(|s| app.is_some_and(|app| s.apps().any(|other| other == app))).count();
        let is_managed = app.is_some_and(|app| self.situation.had(app));
        let is_own_predecessor = || {
            let story = &self.situation.stories[rpc.address];
            story.current.is_some() && story.block.is_some_and(|block| block.creates_first)
        };
        let is_true = |claim: &str| match claim {
            "Nothing was written." | "was not written" => !wrote,
            "Nothing was deleted." | "was not deleted" => !deleted,
            "Nothing was changed." => !wrote && !deleted,
            "the application has none" => held.is_none_or(|held| held.is_none()),
            "was written, unconfirmed" => held.is_none_or(|held| held.is_some()),
            "was deleted, unconfirmed" => held.is_none_or(|held| held.is_none()),
            "is kept for another object" => {
                let mut calls = self.calls.iter().filter(|(of, _)| self.run.rpcs[*of].address == rpc.address);
                !calls.any(|(_, call)| call.took_effect && call.name == "delete" && Some(call.app) == app)
            }
            "To keep it, import it" => !is_managed || is_own_predecessor() && text.contains("an import does not help"),
            "Two resources for the" => sharing() > 1,
            "Several objects share" => self.mode.reads != Reads::First,
            "Someone else" | "which the plan did not show" => someone_else(),
            _ => unreachable!("one of the claims"),
        };
        let is_lie = |claim: &&&str| text.contains(**claim) && !is_true(claim);
        CLAIMS.iter().find(is_lie).map(|claim| format!("untrue: \"{claim}\", in \"{}\"", said.summary))
    }
}

const CLAIMS: &[&str] = &[
    "Nothing was written.",
    "was not written",
    "Nothing was deleted.",
    "was not deleted",
    "Nothing was changed.",
    "the application has none",
    "was written, unconfirmed",
    "was deleted, unconfirmed",
    "is kept for another object",
    "To keep it, import it",
    "Two resources for the",
    "Several objects share",
    "Someone else",
    "which the plan did not show",
];
