//! The situations to explore: what the state holds, what the configuration wants, and what Terraform is told to do.

use std::fmt;

use super::tencent::{APPS, App, Content, THEIRS};

/// What Terraform does with one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Story {
    /// The object in the state.
    pub(super) current: Option<App>,
    pub(super) is_tainted: bool,
    /// What an interrupted `create_before_destroy` left of the same address.
    pub(super) deposed: Option<App>,
    /// The resource block.
    pub(super) block: Option<Block>,
    /// `-replace`, or `replace_triggered_by`.
    pub(super) is_forced: bool,
    /// There is an `import` block.
    pub(super) is_imported: bool,
    /// The object in the state was written from the write-only argument.
    pub(super) was_write_only: bool,
    /// `-target` names another address, so that this one is neither read nor planned.
    pub(super) is_left_out: bool,
}

/// A resource block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) app: App,
    /// Whether the application is known when planning.
    pub(super) is_known: bool,
    pub(super) content: Content,
    /// The content is in the write-only argument.
    pub(super) is_write_only: bool,
    /// `overwrite_existing = false`
    pub(super) is_guarded: bool,
    pub(super) creates_first: bool,
    pub(super) is_abandoned: bool,
}

/// What every application that the state knows holds at first.
pub(super) const OLD: Content = '1';
/// What a changed block wants.
pub(super) const NEW: Content = '2';

impl Story {
    const NOTHING: Self = Self {
        current: None,
        is_tainted: false,
        deposed: None,
        block: None,
        is_forced: false,
        is_imported: false,
        was_write_only: false,
        is_left_out: false,
    };

    /// An object in the state, if there is one, and a block that wants `content`, if there is one.
    pub(super) fn of(current: Option<App>, block: Option<(App, Content)>) -> Self {
        let block = block.map(|(app, content)| Block {
            app,
            content,
            is_known: true,
            is_write_only: false,
            is_guarded: false,
            creates_first: false,
            is_abandoned: false,
        });
        Self { current, block, ..Self::NOTHING }
    }

    pub(super) fn with(mut self, change: impl FnMut(&mut Block)) -> Self {
        self.block.as_mut().into_iter().for_each(change);
        self
    }

    /// Returns the applications that steps for this address may touch.
    pub(super) fn apps(&self) -> impl Iterator<Item = App> {
        self.current.into_iter().chain(self.deposed).chain(self.block.map(|block| block.app))
    }

    /// Returns whether the plan must assume another application than the one that it turns out to be.
    pub(super) fn is_mistaken(&self) -> bool {
        let (current, block) = (self.current.filter(|_| !self.is_tainted), self.block);
        current.zip(block).is_some_and(|(current, block)| !block.is_known && block.app != current)
    }

    fn relabelled(self) -> Self {
        let other = |app: App| if app == App::A { App::B } else { App::A };
        Self {
            current: self.current.map(other),
            deposed: self.deposed.map(other),
            block: self.block.map(|block| Block { app: other(block.app), ..block }),
            ..self
        }
    }

    /// Names what happens to the address, whichever applications and contents it is about.
    fn class(&self) -> String {
        let verb = match (self.current, self.block) {
            _ if self.is_left_out => "left out",
            (None, None) => "",
            (None, Some(_)) if self.is_imported => "import",
            (None, Some(_)) => "create",
            (Some(_), None) => "remove",
            (Some(current), Some(block)) if current != block.app => "move",
            _ if self.is_tainted => "tainted",
            _ if self.is_forced => "replace",
            (Some(_), Some(block)) if block.content == OLD => "keep",
            _ => "change",
        };
        let deposed = self.deposed.map(|_| "deposed");
        let is = |what: &'static str, is: fn(Block) -> bool| self.block.filter(|block| is(*block)).map(|_| what);
        let words = deposed.into_iter().chain([verb].into_iter().filter(|verb| !verb.is_empty()));
        let unknown = is("unknown", |block| !block.is_known);
        let words = words.chain(unknown).chain(self.hidden()).chain(is("creating first", |block| block.creates_first));
        words.chain(is("abandoned", |block| block.is_abandoned)).collect::<Vec<_>>().join(" ")
    }

    /// Says whether the content is in the write-only argument, before and after.
    fn hidden(&self) -> Option<&'static str> {
        let is_write_only = self.block.map(|block| block.is_write_only);
        match (self.current.map(|_| self.was_write_only), is_write_only) {
            (None | Some(true), Some(true)) | (Some(true), None) => Some("write-only"),
            (Some(false), Some(true)) => Some("now write-only"),
            (Some(true), Some(false)) => Some("no longer write-only"),
            _ => None,
        }
    }
}

impl fmt::Display for Story {
    /// Writes `before > after`, such as `A > B new`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |app: Option<App>| app.map_or("-".to_owned(), |app| format!("{app:?}"));
        f.write_str(&name(self.current))?;
        f.write_str(if self.is_tainted { " tainted" } else { "" })?;
        self.deposed.map_or(Ok(()), |app| write!(f, " deposed {app:?}"))?;
        f.write_str(if self.is_imported { " import" } else { "" })?;
        f.write_str(if self.is_forced { " replace" } else { "" })?;
        f.write_str(if self.is_left_out { " left out" } else { "" })?;
        self.hidden().map_or(Ok(()), |hidden| write!(f, " {hidden}"))?;
        f.write_str(" > ")?;
        let Some(block) = self.block else { return f.write_str("-") };
        f.write_str(if block.is_known { "" } else { "?" })?;
        f.write_str(&name(Some(block.app)))?;
        f.write_str(if block.content == OLD { "" } else { " new" })?;
        f.write_str(if block.creates_first { " creating first" } else { "" })?;
        f.write_str(if block.is_abandoned { " ABANDON" } else { "" })
    }
}

/// What the explorer explores in every order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Situation {
    pub(super) stories: Vec<Story>,
    /// What applications hold that no object of the state stands for.
    pub(super) unmanaged: [Option<Content>; 2],
    pub(super) is_destroy: bool,
}

impl Situation {
    pub(super) fn of(mut stories: Vec<Story>) -> Self {
        stories.sort();
        Self { stories, unmanaged: [None, None], is_destroy: false }
    }

    /// Returns the one situation that stands for all that differ only in names: of the applications, and of the content
    /// of an application that has none yet.
    fn canonical(self) -> Self {
        let mut relabelled: Vec<_> = self.stories.iter().copied().map(Story::relabelled).collect();
        relabelled.sort();
        let [a, b] = self.unmanaged;
        let other = Self { stories: relabelled, unmanaged: [b, a], ..self.clone() };
        let mut one = self.min(other);
        for app in APPS {
            let new = |story: &Story| story.block.is_some_and(|block| block.app == app && block.content == NEW);
            let count = one.stories.iter().filter(|story| story.block.is_some_and(|block| block.app == app)).count();
            let is_free = !one.holds(app) && one.stories.iter().filter(|story| new(story)).count() == count;
            let rename = |block: &mut Block| {
                if block.app == app && is_free {
                    block.content = OLD
                }
            };
            one.stories.iter_mut().for_each(|story| *story = story.with(rename));
        }
        one.stories.sort();
        one
    }

    /// Returns whether an object of this situation had `app` before.
    pub(super) fn had(&self, app: App) -> bool {
        self.stories.iter().any(|story| story.current == Some(app) || story.deposed == Some(app))
    }

    /// Returns whether `app` holds something at first.
    fn holds(&self, app: App) -> bool {
        let is_imported = |story: &Story| story.is_imported && story.block.is_some_and(|block| block.app == app);
        self.had(app) || self.unmanaged[app as usize].is_some() || self.stories.iter().any(is_imported)
    }

    /// Iterates over the blocks that Terraform heeds.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> {
        let stories = self.stories.iter().filter(|story| !story.is_left_out);
        stories.filter_map(|story| story.block).filter(|_| !self.is_destroy)
    }

    /// Returns whether two blocks want different contents of one application, which no plan may allow.
    pub(super) fn is_contradictory(&self) -> bool {
        self.blocks().any(|one| self.blocks().any(|other| one.app == other.app && one.content != other.content))
    }

    pub(super) fn is_guarded(&self) -> bool {
        self.stories.iter().any(|story| story.block.is_some_and(|block| block.is_guarded))
    }

    pub(super) fn is_of_one_application(&self) -> bool {
        !APPS.into_iter().all(|app| self.touches(app))
    }

    fn touches(&self, app: App) -> bool {
        self.stories.iter().any(|story| story.apps().any(|other| other == app))
    }

    /// Names what happens, whichever applications and contents it happens to. Reports are by class.
    pub(super) fn class(&self) -> String {
        let mut words: Vec<_> = self.stories.iter().map(Story::class).collect();
        words.sort();
        let mut class = words.join(" + ");
        if self.is_destroy {
            class = format!("destroy ({class})");
        }
        let unmanaged = self.unmanaged.iter().flatten().next().map(|_| ", unmanaged");
        let contradictory = if self.is_contradictory() { ", contradictory" } else { "" };
        let guarded = if self.is_guarded() { ", guarded" } else { "" };
        class + unmanaged.unwrap_or_default() + contradictory + guarded
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stories: Vec<_> = self.stories.iter().map(Story::to_string).collect();
        f.write_str(if self.is_destroy { "destroy: " } else { "" })?;
        f.write_str(&stories.join(" | "))?;
        let unmanaged = self.unmanaged.iter().flatten().next();
        unmanaged.map_or(Ok(()), |content| write!(f, " | {content} unmanaged"))?;
        f.write_str(if self.is_guarded() { " guarded" } else { "" })
    }
}

const A: Option<App> = Some(App::A);
const B: Option<App> = Some(App::B);

/// Lists what may happen to one address in the simplest way: an object or none before, a block or none after.
fn simple() -> Vec<Story> {
    let blocks = [(App::A, OLD), (App::A, NEW), (App::B, OLD), (App::B, NEW)].map(Some);
    let mut stories = Vec::new();
    for current in [None, A, B] {
        stories.extend(current.map(|_| Story::of(current, None)));
        for block in blocks {
            let story = Story::of(current, block);
            stories.extend([story, story.with(|block| block.is_known = false)]);
        }
    }
    stories
}

/// Lists what may happen to one address in special ways.
fn special() -> Vec<Story> {
    let mut stories = Vec::new();
    for content in [OLD, NEW] {
        let (kept, moved) = (Story::of(A, Some((App::A, content))), Story::of(A, Some((App::B, content))));
        let first = |story: Story| story.with(|block| block.creates_first = true);
        let (forced, tainted) = (Story { is_forced: true, ..kept }, Story { is_tainted: true, ..kept });
        stories.extend([forced, tainted, first(forced), first(tainted), first(moved)]);
        stories.push(moved.with(|block| block.is_abandoned = true));
        stories.push(Story { current: None, is_imported: true, ..kept });
        stories.push(Story { deposed: A, ..kept });
        stories.push(Story { deposed: A, current: None, ..kept });
        stories.push(Story { deposed: A, current: B, ..moved });
    }
    stories.push(Story { deposed: A, ..Story::NOTHING });
    stories.push(Story { deposed: A, ..Story::of(A, None) });
    stories
}

fn canonical(situations: impl IntoIterator<Item = Situation>) -> Vec<Situation> {
    let mut situations: Vec<_> = situations.into_iter().map(Situation::canonical).collect();
    situations.sort();
    situations.dedup();
    situations
}

fn guarded(situation: Situation) -> [Situation; 2] {
    let mut guarded = situation.clone();
    guarded.stories.iter_mut().for_each(|story| *story = story.with(|block| block.is_guarded = true));
    [situation, guarded]
}

/// Lists the situations with one address.
pub(super) fn singles() -> Vec<Situation> {
    canonical(simple().into_iter().chain(special()).flat_map(alone))
}

/// Lists the situations of a story without others: where it creates, something of others may be there.
fn alone(story: Story) -> Vec<Situation> {
    let one = Situation::of(vec![story]);
    let mut all = vec![one.clone(), Situation { is_destroy: true, ..one.clone() }];
    if let Some(block) = story.block.filter(|block| !one.had(block.app) && !story.is_imported) {
        for held in [block.content, THEIRS] {
            let mut unmanaged = [None, None];
            unmanaged[block.app as usize] = Some(held);
            all.push(Situation { unmanaged, ..one.clone() });
        }
    }
    all.into_iter().flat_map(guarded).collect()
}

/// Lists the situations with two addresses that share an application.
pub(super) fn pairs() -> Vec<Situation> {
    let (simple, special) = (simple(), special());
    let mut all = Vec::new();
    for (i, one) in simple.iter().enumerate() {
        for other in simple[i..].iter().chain(&special) {
            let shares = one.apps().any(|app| other.apps().any(|other| other == app));
            let pair = Situation::of(vec![*one, *other]);
            if shares {
                all.extend(guarded(pair));
            }
        }
    }
    canonical(all)
}

/// Lists the pairs in which the two addresses agree, and nothing is abandoned.
pub(super) fn agreeing_pairs() -> Vec<Situation> {
    let is_plain = |story: &Story| story.block.is_none_or(|block| !block.is_abandoned && block.content == OLD);
    let mut pairs = pairs();
    pairs.retain(|pair| !pair.is_contradictory() && pair.stories.iter().all(is_plain));
    pairs
}

/// Lists the pairs of one application, known when planning, that neither contradict each other nor are special.
pub(super) fn closest_pairs() -> Vec<Situation> {
    let simple = simple();
    let is_simple = |story: &Story| simple.contains(&story.with(|block| block.is_guarded = false));
    let is_known = |story: &Story| story.block.is_none_or(|block| block.is_known);
    let mut pairs = pairs();
    pairs.retain(|pair| {
        !pair.is_contradictory()
            && pair.is_of_one_application()
            && pair.stories.iter().all(|s| is_simple(s) && is_known(s))
    });
    pairs
}

/// Lists the situations with one address, in which the content is in the write-only argument before, after, or both.
pub(super) fn write_only_singles() -> Vec<Situation> {
    let mut stories = vec![hidden(Story::of(None, Some((App::A, OLD)))), hidden(Story::of(A, None))];
    for (app, content) in [(App::A, OLD), (App::A, NEW), (App::B, OLD)] {
        let story = Story::of(A, Some((app, content)));
        stories.extend([hidden(story), Story { was_write_only: true, ..story }]);
        stories.push(Story { was_write_only: false, ..hidden(story) });
    }
    canonical(stories.into_iter().flat_map(alone))
}

/// Lists the [closest pairs](closest_pairs) with write-only arguments.
pub(super) fn write_only_pairs() -> Vec<Situation> {
    let mut pairs = closest_pairs();
    pairs.iter_mut().flat_map(|pair| &mut pair.stories).for_each(|story| *story = hidden(*story));
    pairs
}

fn hidden(story: Story) -> Story {
    Story { was_write_only: story.current.is_some(), ..story }.with(|block| block.is_write_only = true)
}

/// Lists the situations with two addresses, one of which is left out.
pub(super) fn targeted() -> Vec<Situation> {
    let left_out = Story { is_left_out: true, ..Story::of(A, Some((App::A, OLD))) };
    let others = simple().into_iter().chain(special()).filter(|story| story.apps().any(|app| app == App::A));
    let pairs = others.flat_map(|story| {
        let pair = Situation::of(vec![left_out, story]);
        [pair.clone(), Situation { is_destroy: true, ..pair }].into_iter().flat_map(guarded)
    });
    canonical(pairs)
}

/// Lists the situations with three addresses: at least two of them share an application, and none is unknown.
pub(super) fn triples() -> Vec<Situation> {
    let stories: Vec<_> = simple().into_iter().filter(|story| story.block.is_none_or(|block| block.is_known)).collect();
    let mut all = Vec::new();
    for (i, one) in stories.iter().enumerate() {
        for (j, two) in stories.iter().enumerate().skip(i) {
            all.extend(stories[j..].iter().map(|three| Situation::of(vec![*one, *two, *three])));
        }
    }
    canonical(all.into_iter().filter(|situation| !situation.is_contradictory()))
}
