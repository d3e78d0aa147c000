//! Tencent as the explorer decides: each call is done, refused, lost or shown late, and someone else may write as well.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;
use url::Url;

use super::choices::Choices;
use super::kinds::Kind;
use crate::tencent::{Endpoint, NetworkError, Received, Retry, Transport};

/// An application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum App {
    A,
    B,
}

pub(super) const APPS: [App; 2] = [App::A, App::B];

impl App {
    pub(super) fn id(self) -> u64 {
        1_400_000_001 + self as u64
    }
}

/// The name of a configuration or a token.
pub(super) type Content = char;

/// The content that someone else sets.
pub(super) const THEIRS: Content = 'x';

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    /// An error code that no retry changes.
    Refused,
    /// No answer, and no effect.
    Lost,
    /// No answer, although it took effect.
    DoneAndLost,
    /// It took effect, but this many reads show what was there before.
    DoneAndLate(u8),
    /// No connection to Tencent, for this call and all that follow.
    Down,
    /// It took effect, but there is no answer to it, and no connection from then on.
    DoneAndDown,
    /// Someone else has written or deleted before this read.
    AfterTheirs(Option<Content>),
}

use Fate::{AfterTheirs, Done, DoneAndDown, DoneAndLate, DoneAndLost, Down, Lost, Refused};

const OF_READS: &[Fate] = &[Done, Refused, Lost, Down, AfterTheirs(Some(THEIRS)), AfterTheirs(None)];
const OF_WRITES: &[Fate] = &[Done, Refused, Lost, DoneAndLost, DoneAndLate(1), DoneAndLate(2), Down, DoneAndDown];

/// A call that was made at Tencent.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The position among all calls of the run.
    pub(super) at: usize,
    pub(super) app: App,
    pub(super) name: String,
    pub(super) fate: Fate,
    pub(super) before: Option<Content>,
    pub(super) after: Option<Content>,
    /// What a read answered.
    shown: Option<Content>,
    /// Whether this call itself changed something, or wrote the same again.
    pub(super) took_effect: bool,
}

impl Call {
    pub(super) fn is_read(&self) -> bool {
        self.name == "get"
    }
}

pub(super) fn shown(content: Option<Content>) -> String {
    content.map_or("nothing".to_owned(), String::from)
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let AfterTheirs(theirs) = self.fate {
            write!(f, "[someone else sets {:?} to {}] ", self.app, shown(theirs))?;
        }
        write!(f, "{} {:?}", self.name, self.app)?;
        match (self.is_read(), self.took_effect) {
            (true, _) => write!(f, " = {}", shown(self.shown))?,
            (false, true) => write!(f, " -> {}", shown(self.after))?,
            (false, false) => {}
        }
        match self.fate {
            Done | AfterTheirs(_) => Ok(()),
            fate => write!(f, " ({fate:?})"),
        }
    }
}

/// What a call gets.
enum Reply {
    Done,
    Found(Content),
    /// There is nothing to read, to update or to delete.
    Absent,
    /// There is something already, which this call does not replace.
    Exists,
    Refused,
    NoConnection,
    NoAnswer,
}

/// Tencent, and all that may happen there.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) choices: Choices,
    pub(super) held: [Option<Content>; 2],
    /// How many reads of an application still show what was there before the last write, and what that was.
    late: [(u8, Option<Content>); 2],
    is_down: bool,
    /// How many more faults there may be.
    pub(super) faults: u8,
    /// The calls of each RPC.
    pub(super) calls: Vec<(usize, Call)>,
    /// Whether each RPC and each call waits for its turn.
    pub(super) is_stepwise: bool,
    waiting: Vec<(usize, oneshot::Sender<()>)>,
}

/// A handle of the [`World`], which carries the provider's calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Tencent {
    pub(super) kind: Kind,
    world: Arc<Mutex<World>>,
    arrived: Arc<Notify>,
}

tokio::task_local! {
    /// The RPC that makes the calls, and its chain.
    pub(super) static RPC: (usize, usize);
}

impl Tencent {
    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of `chain`, if steps have turns.
    pub(super) async fn turn(&self, chain: usize) {
        if !self.world().is_stepwise {
            return;
        }
        let (sender, turn) = oneshot::channel();
        self.world().waiting.push((chain, sender));
        self.arrived.notify_one();
        turn.await.expect("every turn comes");
    }

    /// Gives one turn after the other, never ending. `is_independent` tells of a chain that its steps commute with those
    /// of all others: their order is no choice.
    pub(super) async fn give_turns(&self, is_independent: impl Fn(usize) -> bool) {
        loop {
            // The clock is paused: this ends when nothing else can go on.
            sleep(Duration::from_millis(2)).await;
            let next = self.world().next_turn(&is_independent);
            match next {
                Some(next) => next.send(()).expect("a step that waits"),
                None => self.arrived.notified().await,
            }
        }
    }
}

impl World {
    /// Begins a run.
    pub(super) fn begin(&mut self, choices: Choices, held: [Option<Content>; 2], faults: u8) {
        *self = Self { choices, held, faults, ..Self::default() };
    }

    /// Lets everything go well from now on.
    pub(super) fn calm(&mut self) {
        (self.faults, self.is_down, self.late) = (0, false, Default::default());
    }

    /// Describes all that decides what may happen next.
    pub(super) fn signature(&self) -> String {
        format!("{:?} {:?} {} {}", self.held, self.late, self.is_down, self.faults)
    }

    fn next_turn(&mut self, is_independent: impl Fn(usize) -> bool) -> Option<oneshot::Sender<()>> {
        self.waiting.sort_by_key(|(chain, _)| *chain);
        let free = self.waiting.iter().position(|(chain, _)| is_independent(*chain));
        let count = self.waiting.len();
        (count > 0).then(|| self.waiting.remove(free.unwrap_or_else(|| self.choices.pick(count))).1)
    }

    fn fate(&mut self, is_read: bool) -> Fate {
        if self.is_down {
            return Down;
        }
        let menu = if is_read { OF_READS } else { OF_WRITES };
        let fate = menu[self.choices.pick(if self.faults > 0 { menu.len() } else { 1 })];
        self.faults -= u8::from(fate != Done);
        fate
    }

    /// Answers a call. `sets_only_once` is whether `set` replaces nothing.
    fn answer(&mut self, rpc: usize, app: App, (name, wanted): (&str, Option<Content>), sets_only_once: bool) -> Reply {
        let (index, is_read) = (app as usize, name == "get");
        let fate = self.fate(is_read);
        if let AfterTheirs(theirs) = fate {
            (self.held[index], self.late[index]) = (theirs, (0, None));
        }
        let before = self.held[index];
        let is_unfit = match name {
            "set" => sets_only_once && before.is_some(),
            "update" => before.is_none(),
            _ => false,
        };
        let is_received = !matches!(fate, Refused | Lost | Down);
        let took_effect = is_received && !is_read && !is_unfit;
        let mut found = before;
        if is_read {
            let (reads, old) = &mut self.late[index];
            if *reads > 0 && is_received {
                (*reads, found) = (*reads - 1, *old);
            }
        } else if took_effect {
            let late = if let DoneAndLate(reads) = fate { reads } else { 0 };
            (self.held[index], self.late[index]) = (wanted, (late, before));
        }
        self.is_down |= matches!(fate, Down | DoneAndDown);
        let after = self.held[index];
        let (at, name) = (self.calls.len(), name.to_owned());
        self.calls.push((rpc, Call { at, app, name: name.clone(), fate, before, after, shown: found, took_effect }));
        match (fate, found) {
            (Down, _) => Reply::NoConnection,
            (Lost | DoneAndLost | DoneAndDown, _) => Reply::NoAnswer,
            (Refused, _) => Reply::Refused,
            _ if is_unfit && name == "set" => Reply::Exists,
            (_, None) if name != "set" => Reply::Absent,
            (_, Some(found)) if is_read => Reply::Found(found),
            _ => Reply::Done,
        }
    }
}

/// Makes an answer with the names of both versions of the API.
fn success(response: Json) -> Json {
    // The same RequestId each time, as a gateway may answer.
    json!({ "ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": "", "RequestId": "Id", "Response": response,
            "errorCode": 0, "requestId": "Id", "data": response })
}

fn failure(code: u32) -> Json {
    json!({ "ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": "", "RequestId": "Id", "errorCode": code })
}

impl Transport for Tencent {
    fn post<'a>(&'a self, _: &'a Endpoint, to: Url, body: String) -> BoxFuture<'a, Result<Received, NetworkError>> {
        async move {
            let (rpc, chain) = RPC.get();
            self.turn(chain).await;
            let id = to.query_pairs().find(|(name, _)| name == "sdkappid").map(|(_, id)| id.into_owned());
            let app = APPS.into_iter().find(|app| Some(app.id().to_string()) == id).expect("one of the applications");
            let last = to.path_segments().and_then(Iterator::last).unwrap_or_default();
            let name = last.split('_').next().unwrap_or_default();
            let body: Json = serde_json::from_str(&body).expect("JSON");
            let kind = self.kind;
            let reply = self.world().answer(rpc, app, (name, kind.written(&body)), kind.sets_only_once());
            let answer = match reply {
                Reply::Done => Ok(success(json!({}))),
                Reply::Found(content) => Ok(success(kind.stored(content))),
                Reply::Absent => Ok(failure(kind.absent())),
                Reply::Exists => Ok(failure(100_300)),
                Reply::Refused => Ok(failure(60_020)),
                Reply::NoConnection => Err(false),
                Reply::NoAnswer => Err(true),
            };
            let sent = match answer {
                Ok(json) => return Ok(Received::ok(json.to_string().as_bytes())),
                Err(sent) => sent,
            };
            if sent {
                sleep(Duration::from_secs(10)).await;
            }
            Err(NetworkError { what: "no answer".into(), advice: "Wait.", retry: Retry::Yes, may_pass: true, sent })
        }
        .boxed()
    }
}
