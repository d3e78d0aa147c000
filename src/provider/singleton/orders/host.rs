//! Terraform as the explorer plays it: which RPCs it makes for which objects, and what it keeps of the answers.
//!
//! As read in the sources of 1.6 to 1.17: `node_resource_plan_instance.go`, `node_resource_plan_orphan.go`,
//! `node_resource_apply_instance.go`, `node_resource_destroy.go` and `node_resource_destroy_deposed.go`.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, join_all, select};
use tonic::{Request, Response, Status};

use super::kinds::{content, text};
use super::situations::{Block, Situation};
use super::tencent::{APPS, App, Content, RPC, Tencent};
use crate::model;
use crate::provider::applications::{Account, Applications};
use crate::provider::testing;
use crate::tencent::{Client, Settings};
use crate::terraform::proto::provider_server::Provider as _;
use crate::terraform::proto::{self, ClientCapabilities, DynamicValue, diagnostic};
use crate::terraform::{
    Attr, Configured, Context, Diagnostics, Provider, Registry, Schema, Server, Session, Type, Value, codec,
};

/// When Terraform reads an object that it plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Before planning it.
    First,
    /// Before planning it, but without a block after planning it: 1.9 to 1.11.
    OrphansLate,
    /// After planning a change of it, which is then planned again; never without a block, and never before a destroy:
    /// `-minimal-refresh` of 1.17.
    Changed,
    /// Never: `-refresh=false`.
    Never,
}

/// How Terraform runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) reads: Reads,
    /// Whether the provider's process that has planned applies as well.
    pub(super) is_one_process: bool,
    /// Whether all chains go on at the same time, instead of one node after another (`-parallelism=1`).
    pub(super) is_parallel: bool,
    /// Whether the plan made to apply is handed the private data of the first plan: since 1.16.
    pub(super) keeps_plans: bool,
}

/// An object in the state.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) value: Value,
    pub(super) private: Vec<u8>,
    pub(super) is_tainted: bool,
}

impl Object {
    pub(super) fn app(&self) -> Option<App> {
        APPS.into_iter().find(|app| *self.value.attribute("sdk_app_id") == Value::Number(app.id().into()))
    }

    /// Returns the content, which is not in the state if it is in the write-only argument.
    pub(super) fn content(&self) -> Option<Content> {
        let texts = ["url", "token"].into_iter().filter_map(|argument| match &self.value {
            Value::Object(attributes) => attributes.get(argument),
            _ => None,
        });
        texts.filter_map(|text| if let Value::String(text) = text { content(text) } else { None }).next()
    }
}

/// What the state has of one address.
#[derive(Debug, Clone, Default)]
pub(super) struct Instance {
    pub(super) current: Option<Object>,
    pub(super) deposed: Vec<Object>,
}

pub(super) type State = Vec<Instance>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    NoOp,
    Create,
    Update,
    Delete,
    Replace,
}

/// A planned change of one object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) action: Action,
    before: Option<Object>,
    planned: Value,
    pub(super) private: Vec<u8>,
}

/// A diagnostic as the provider gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) is_error: bool,
    pub(super) summary: String,
    pub(super) detail: String,
}

/// An RPC that was made.
#[derive(Debug, Clone)]
pub(super) struct Rpc {
    pub(super) phase: Phase,
    pub(super) address: usize,
    pub(super) name: &'static str,
    /// Whether the object that it writes or deletes has `overwrite_existing = false`.
    pub(super) is_guarded: bool,
    pub(super) said: Vec<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Plan,
    Apply,
}

/// The end of a node with an error.
#[derive(Debug)]
pub(super) struct Failed;

/// A node of Terraform's graph.
#[derive(Debug, Clone, Copy)]
enum Node {
    Plan(usize),
    PlanDestroy(usize),
    /// Planning the end of a deposed object, and whether it may be read before.
    PlanDeposed(usize, bool),
    Write(usize),
    Destroy(usize),
    DestroyDeposed(usize),
}

impl Node {
    fn address(self) -> usize {
        match self {
            Self::Plan(address)
            | Self::PlanDestroy(address)
            | Self::PlanDeposed(address, _)
            | Self::Write(address)
            | Self::Destroy(address)
            | Self::DestroyDeposed(address) => address,
        }
    }
}

/// Nodes that come one after the other, each only if the one before succeeds.
type Chain = VecDeque<Node>;

model! {
    #[derive(Debug)]
    pub(super) struct Nothing {}
}

/// The provider with a client that reaches only the explorer's [`Tencent`].
struct Explored(Tencent);

impl crate::terraform::Block for Explored {
    type Client = Applications;
    type Model = Nothing;

    fn type_name(&self) -> &'static str {
        "tencent"
    }

    fn schema(&self) -> Schema {
        Schema { version: 0, description: "".into(), attributes: Vec::new() }
    }
}

impl Provider for Explored {
    fn registry(&self) -> Registry<Applications> {
        self.0.kind.registry()
    }

    fn configure(&self, _: Nothing, _: &mut Context) -> Result<Configured<Applications>, Diagnostics> {
        // What is retried depends on chance.
        let once = Settings {
            max_retries: 0,
            requests_per_second: u32::MAX.try_into().expect("not zero"),
            ..Settings::default()
        };
        let accounts: BTreeMap<_, Option<Account>> =
            APPS.into_iter().map(|app| (testing::id(app.id()), Some(testing::account("tok3n")))).collect();
        let client = Client::over(self.0.clone(), once);
        Ok(Configured::Known(Applications::new(client, Attr::Null, None, Some(accounts))))
    }
}

/// One run of Terraform.
pub(super) struct Host<'a> {
    pub(super) tencent: Tencent,
    pub(super) situation: &'a Situation,
    pub(super) mode: Mode,
    pub(super) provider: &'a Process,
    run: Mutex<Run>,
    session: Mutex<Session<Explored>>,
}

/// The provider's server, which serves one process after another as sessions that know nothing of each other.
pub(super) struct Process {
    pub(super) tencent: Tencent,
    server: Server<Explored>,
    ty: Type,
    type_name: String,
}

impl Process {
    pub(super) fn new(tencent: Tencent) -> Self {
        let (server, kind) = (Server::new(Explored(tencent.clone())), tencent.kind);
        Self { tencent, server, ty: kind.ty(), type_name: kind.type_name().to_owned() }
    }
}

/// What a run has led to so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    pub(super) state: State,
    pub(super) changes: BTreeMap<usize, Change>,
    pub(super) rpcs: Vec<Rpc>,
    /// The objects as the plan shows them where it changes or destroys them.
    pub(super) shown: Vec<Object>,
    pub(super) has_failed: bool,
    /// What Terraform itself would report as a bug of the provider.
    pub(super) bugs: Vec<String>,
}

impl<'a> Host<'a> {
    pub(super) async fn new(provider: &'a Process, situation: &'a Situation, mode: Mode, state: State) -> Self {
        let run = Mutex::new(Run { state, ..Run::default() });
        let tencent = provider.tencent.clone();
        let host = Self { tencent, situation, mode, provider, run, session: Mutex::default() };
        host.start_provider().await;
        host
    }

    /// Starts a process of the provider.
    async fn start_provider(&self) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Session::default();
        let config = Some(DynamicValue { json: b"{}".to_vec(), msgpack: Vec::new() });
        let request = proto::configure_provider::Request { config, ..Default::default() };
        self.provider.server.configure_provider(self.request(request)).await.expect("configured");
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(self.session.lock().unwrap_or_else(PoisonError::into_inner).clone());
        request
    }

    pub(super) fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans, as `terraform plan` does. Returns whether the plan can be applied.
    pub(super) async fn plan(&self) -> bool {
        let addresses = |has: fn(&Instance) -> bool| -> Vec<usize> {
            let run = self.run();
            let is_left_out = |address: &usize| self.situation.stories[*address].is_left_out;
            (0..run.state.len()).filter(|address| has(&run.state[*address]) && !is_left_out(address)).collect()
        };
        let chains = |nodes: Vec<Node>| nodes.into_iter().map(|node| [node].into()).collect();
        let deposed = addresses(|instance| !instance.deposed.is_empty());
        let nodes = addresses(|_| true).into_iter().map(Node::Plan);
        let deposed = deposed.into_iter().map(|address| Node::PlanDeposed(address, true));
        if !self.situation.is_destroy || !matches!(self.mode.reads, Reads::Never | Reads::Changed) {
            self.walk(chains(nodes.chain(deposed).collect())).await;
        }
        if self.situation.is_destroy && !self.run().has_failed {
            if !self.mode.is_one_process {
                self.start_provider().await;
            }
            // Terraform shows no warnings of the plan that only refreshes for the one that destroys.
            self.run().rpcs.iter_mut().for_each(|rpc| rpc.said.clear());
            self.run().changes.clear();
            let deposed = addresses(|instance| !instance.deposed.is_empty());
            let nodes = addresses(|instance| instance.current.is_some()).into_iter().map(Node::PlanDestroy);
            let deposed = deposed.into_iter().map(|address| Node::PlanDeposed(address, false));
            self.walk(chains(nodes.chain(deposed).collect())).await;
        }
        !self.run().has_failed
    }

    /// Applies the plan, as `terraform apply` does.
    pub(super) async fn apply(&self) {
        if !self.mode.is_one_process {
            self.start_provider().await;
        }
        let mut chains: Vec<Chain> = Vec::new();
        let run = self.run().clone();
        let is_left_out = |address: usize| self.situation.stories[address].is_left_out;
        for (address, instance) in run.state.iter().enumerate().filter(|(address, _)| !is_left_out(*address)) {
            let (write, destroy) = (Node::Write(address), Node::Destroy(address));
            let mut chain: Chain = match run.changes.get(&address).map(|change| change.action) {
                None | Some(Action::NoOp) => Chain::new(),
                Some(Action::Create | Action::Update) => [write].into(),
                Some(Action::Delete) => [destroy].into(),
                Some(Action::Replace) if self.creates_first(address) => [write, Node::DestroyDeposed(address)].into(),
                Some(Action::Replace) => [destroy, write].into(),
            };
            let deposed = instance.deposed.iter().map(|_| Node::DestroyDeposed(address));
            if matches!(chain.back(), Some(Node::Destroy(_))) {
                chains.extend(deposed.map(|node| Chain::from([node])));
            } else {
                chain.extend(deposed);
            }
            chains.extend((!chain.is_empty()).then_some(chain));
        }
        self.walk(chains).await;
    }

    fn creates_first(&self, address: usize) -> bool {
        self.situation.stories[address].block.is_some_and(|block| block.creates_first)
    }

    /// Executes chains in an order of the explorer's choice.
    async fn walk(&self, mut chains: Vec<Chain>) {
        let apps = |chain: &Chain| -> Vec<App> {
            let address = chain.front().map(|node| node.address());
            address.into_iter().flat_map(|address| self.situation.stories[address].apps()).collect()
        };
        if self.mode.is_parallel {
            let touched: Vec<_> = chains.iter().map(apps).collect();
            let is_independent = |chain: usize| {
                let others = touched.iter().enumerate().filter(|(other, _)| *other != chain).flat_map(|(_, apps)| apps);
                others.into_iter().all(|app| !touched[chain].contains(app))
            };
            let work = join_all(chains.into_iter().enumerate().map(|(id, chain)| async move {
                for node in chain {
                    if self.node(node, id).await.is_err() {
                        break;
                    }
                }
            }));
            self.tencent.world().is_stepwise = true;
            let turns = pin!(self.tencent.give_turns(is_independent));
            if let Either::Right(((), _)) = select(work, turns).await {
                unreachable!("turns never end");
            }
            self.tencent.world().is_stepwise = false;
            return;
        }
        while !chains.is_empty() {
            let is_free = |chain: usize| {
                let others = chains.iter().enumerate().filter(|(other, _)| *other != chain);
                let mine = apps(&chains[chain]);
                others.flat_map(|(_, chain)| apps(chain)).all(|app| !mine.contains(&app))
            };
            let next = (0..chains.len()).find(|chain| is_free(*chain));
            let next = next.unwrap_or_else(|| self.tencent.world().choices.pick(chains.len()));
            let node = chains[next].pop_front().expect("chains with nodes");
            if self.node(node, next).await.is_err() || chains[next].is_empty() {
                chains.remove(next);
            }
        }
    }

    fn node(&self, node: Node, chain: usize) -> BoxFuture<'_, Result<(), Failed>> {
        let via = Via { host: self, address: node.address(), chain };
        async move {
            let ended = match node {
                Node::Plan(_) => {
                    let ended = via.plan_instance().await;
                    via.set_current(via.current().filter(|object| !object.value.is_null()));
                    ended
                }
                Node::PlanDestroy(_) => via.plan_current_end().await,
                Node::PlanDeposed(_, reads) => via.plan_deposed_end(reads).await,
                Node::Write(_) => via.write().await,
                Node::Destroy(_) => via.destroy().await,
                Node::DestroyDeposed(_) => via.destroy_deposed().await,
            };
            self.run().has_failed |= ended.is_err();
            ended
        }
        .boxed()
    }
}

/// A node at work on one address.
#[derive(Clone, Copy)]
struct Via<'a> {
    host: &'a Host<'a>,
    address: usize,
    chain: usize,
}

impl Via<'_> {
    fn block(&self) -> Option<Block> {
        self.host.situation.stories[self.address].block
    }

    fn current(&self) -> Option<Object> {
        self.host.run().state[self.address].current.clone()
    }

    fn set_current(&self, object: Option<Object>) {
        self.host.run().state[self.address].current = object;
    }

    /// Reads and plans an object in the order of the host, or imports it.
    async fn plan_instance(&self) -> Result<(), Failed> {
        let story = self.host.situation.stories[self.address];
        if story.is_imported && self.current().is_none() {
            let imported = self.import(story.block.map_or(App::A, |block| block.app)).await?;
            let read = self.read(imported).await?;
            if read.value.is_null() {
                return Err(Failed);
            }
            self.set_current(Some(read));
            return self.plan_change().await;
        }
        match (self.host.mode.reads, story.block) {
            (Reads::First, _) | (Reads::OrphansLate, Some(_)) => {
                self.refresh().await?;
                self.plan_change().await
            }
            (Reads::OrphansLate, None) => {
                self.plan_change().await?;
                self.refresh().await?;
                if self.current().is_some_and(|object| object.value.is_null()) {
                    self.host.run().changes.remove(&self.address);
                }
                Ok(())
            }
            (Reads::Changed, Some(block)) => {
                if let Some(object) = self.current() {
                    let begun = self.host.run().rpcs.len();
                    let first = self.plan_update(Some(object), block, None).await?;
                    if first.action == Action::NoOp {
                        self.note(first);
                        return Ok(());
                    }
                    self.silence(begun);
                    self.refresh().await?;
                }
                self.plan_change().await
            }
            (Reads::Changed, None) | (Reads::Never, _) => self.plan_change().await,
        }
    }

    async fn refresh(&self) -> Result<(), Failed> {
        if let Some(object) = self.current() {
            let read = self.read(object).await?;
            self.set_current(Some(read));
        }
        Ok(())
    }

    async fn plan_change(&self) -> Result<(), Failed> {
        let change = match (self.current(), self.block()) {
            (None, None) => return Ok(()),
            (Some(object), None) if object.value.is_null() => return Ok(()),
            (Some(object), None) => self.plan_destroy(&object, Phase::Plan).await?,
            (object, Some(block)) => self.plan_update(object, block, None).await?,
        };
        self.note(change);
        Ok(())
    }

    /// Forgets what was said about the object from the RPC `first` on: Terraform drops the warnings of a plan that it
    /// makes again.
    fn silence(&self, first: usize) {
        let mut run = self.host.run();
        run.rpcs[first..].iter_mut().filter(|rpc| rpc.address == self.address).for_each(|rpc| rpc.said.clear());
    }

    fn note(&self, change: Change) {
        let mut run = self.host.run();
        run.shown.extend(change.before.clone().filter(|_| change.action != Action::NoOp));
        run.changes.insert(self.address, change);
    }

    async fn plan_current_end(&self) -> Result<(), Failed> {
        let Some(object) = self.current() else { return Ok(()) };
        let change = self.plan_destroy(&object, Phase::Plan).await?;
        self.note(change);
        Ok(())
    }

    /// Plans the end of what an interrupted `create_before_destroy` left. It is planned once more before it is deleted.
    async fn plan_deposed_end(&self, may_read: bool) -> Result<(), Failed> {
        let Some(mut object) = self.host.run().state[self.address].deposed.last().cloned() else { return Ok(()) };
        if may_read && matches!(self.host.mode.reads, Reads::First | Reads::OrphansLate) {
            let read = self.read(object).await?;
            let is_gone = read.value.is_null();
            self.host.run().state[self.address].deposed = (!is_gone).then(|| read.clone()).into_iter().collect();
            if is_gone {
                return Ok(());
            }
            object = read;
        }
        self.plan_destroy(&object, Phase::Plan).await?;
        self.host.run().shown.push(object);
        Ok(())
    }

    async fn write(&self) -> Result<(), Failed> {
        let (Some(first), Some(block)) = (self.host.run().changes.get(&self.address).cloned(), self.block()) else {
            unreachable!("only planned changes of blocks are applied")
        };
        let is_replaced = first.action == Action::Replace;
        let is_deposed = is_replaced && block.creates_first;
        if is_deposed {
            let mut run = self.host.run();
            let old = run.state[self.address].current.take();
            run.state[self.address].deposed.extend(old);
        }
        let restore = || {
            let mut run = self.host.run();
            if is_deposed && run.state[self.address].current.is_none() {
                run.state[self.address].current = run.state[self.address].deposed.pop();
            }
        };
        let prior = self.current();
        let change = self.plan_update(prior.clone(), block, Some(&first)).await.inspect_err(|_| restore())?;
        let expected = if is_replaced { Action::Create } else { first.action };
        let is_kept = change.action == expected || change.action == Action::NoOp;
        if !is_kept || !keeps(&first.planned, &change.planned) {
            self.bug(format!("inconsistent final plan: {expected:?}, then {:?}", change.action));
            restore();
            return Err(Failed);
        }
        if change.action == Action::NoOp {
            return Ok(());
        }
        let (value, private, failed) = self.apply(prior.as_ref(), &change, Some(block)).await?;
        if failed.is_ok() && !keeps(&change.planned, &value) {
            self.bug(format!("inconsistent result after {:?}", change.action));
        }
        let is_tainted = failed.is_err() && change.action == Action::Create;
        if !value.is_null() {
            self.set_current(Some(Object { value, private, is_tainted }));
        }
        failed.inspect_err(|_| restore())
    }

    async fn destroy(&self) -> Result<(), Failed> {
        let change = self.host.run().changes.get(&self.address).cloned().expect("a planned change");
        let Some(object) = self.current() else { return Ok(()) };
        let change = Change { planned: Value::Null, ..change };
        let (value, private, failed) = self.apply(Some(&object), &change, None).await?;
        self.set_current((!value.is_null()).then_some(Object { value, private, ..object }));
        failed
    }

    async fn destroy_deposed(&self) -> Result<(), Failed> {
        let Some(object) = self.host.run().state[self.address].deposed.last().cloned() else { return Ok(()) };
        let change = self.plan_destroy(&object, Phase::Apply).await?;
        let (value, private, failed) = self.apply(Some(&object), &change, None).await?;
        let mut run = self.host.run();
        let deposed = &mut run.state[self.address].deposed;
        deposed.pop();
        deposed.extend((!value.is_null()).then_some(Object { value, private, ..object }));
        drop(run);
        failed
    }

    fn bug(&self, what: String) {
        self.host.run().bugs.push(what);
    }

    fn config(&self, block: Block, phase: Phase) -> Value {
        let (kind, policy) = (self.host.tencent.kind, if block.is_abandoned { "ABANDON" } else { "DELETE" });
        let Type::Object(types) = &self.host.provider.ty else { unreachable!("resources are objects") };
        let mut config: BTreeMap<_, _> = types.keys().map(|name| (name.clone(), Value::Null)).collect();
        let is_known = block.is_known || phase == Phase::Apply;
        let [plain, write_only, version] = kind.arguments();
        let argument = if block.is_write_only { write_only } else { plain };
        if block.is_write_only {
            config.insert(version.to_owned(), Value::Number(u64::from(block.content).into()));
        }
        config.extend(
            [
                ("sdk_app_id", if is_known { Value::Number(block.app.id().into()) } else { Value::Unknown }),
                (argument, Value::String(text(block.content))),
                kind.rest(),
                ("overwrite_existing", Value::Bool(!block.is_guarded)),
                ("deletion_policy", Value::String(policy.to_owned())),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        Value::Object(config)
    }

    fn encode(&self, value: &Value) -> Option<DynamicValue> {
        Some(codec::encode(value, &self.host.provider.ty).expect("a value of the type"))
    }

    fn decode(&self, value: Option<&DynamicValue>) -> Value {
        codec::decode(value, &self.host.provider.ty).expect("a value of the type")
    }

    fn named(&self, phase: Phase, name: &'static str) -> Rpc {
        Rpc { phase, address: self.address, name, is_guarded: false, said: Vec::new() }
    }

    /// Makes an RPC, and notes what it says.
    async fn rpc<T: Report>(
        &self,
        rpc: Rpc,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failed> {
        self.host.tencent.turn(self.chain).await;
        let id = {
            let mut run = self.host.run();
            run.rpcs.push(rpc);
            run.rpcs.len() - 1
        };
        let answer = RPC.scope((id, self.chain), call).await;
        let mut run = self.host.run();
        match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                run.rpcs[id].said = answer.diagnostics().iter().map(said).collect();
                Ok(answer)
            }
            Err(status) => {
                run.bugs.push(status.to_string());
                Err(Failed)
            }
        }
    }

    async fn import(&self, app: App) -> Result<Object, Failed> {
        let request = proto::import_resource_state::Request {
            type_name: self.host.provider.type_name.clone(),
            id: app.id().to_string(),
            ..Default::default()
        };
        let answer = self.rpc(
            self.named(Phase::Plan, "import"),
            self.host.provider.server.import_resource_state(self.host.request(request)),
        );
        let imported = answer.await?.imported_resources.pop().ok_or(Failed)?;
        let value = self.decode(imported.state.as_ref());
        Ok(Object { value, private: imported.private, is_tainted: false })
    }

    /// Reads an object. Its value is null if it is gone: its private data lives on until the plan is made.
    async fn read(&self, object: Object) -> Result<Object, Failed> {
        let request = proto::read_resource::Request {
            type_name: self.host.provider.type_name.clone(),
            current_state: self.encode(&object.value),
            private: object.private,
            ..Default::default()
        };
        let answer = self
            .rpc(self.named(Phase::Plan, "read"), self.host.provider.server.read_resource(self.host.request(request)))
            .await?;
        if has_errors(&answer.diagnostics) {
            return Err(Failed);
        }
        let value = self.decode(answer.new_state.as_ref());
        Ok(Object { value, private: answer.private, ..object })
    }

    async fn plan_destroy(&self, object: &Object, phase: Phase) -> Result<Change, Failed> {
        let (planned, private) =
            self.plan_rpc(Some(object), None, (&object.private, &[]), (phase, "plan destroy")).await?.0;
        Ok(Change { action: Action::Delete, before: Some(object.clone()), planned, private })
    }

    /// Plans a creation or a change; a replacement is planned a second time, as a creation.
    async fn plan_update(
        &self,
        object: Option<Object>,
        block: Block,
        first: Option<&Change>,
    ) -> Result<Change, Failed> {
        let phase = if first.is_some() { Phase::Apply } else { Phase::Plan };
        let object = object.filter(|object| !object.is_tainted || !object.value.is_null());
        let passed = object.as_ref().filter(|object| !object.is_tainted);
        let private = passed.map(|object| object.private.as_slice()).unwrap_or_default();
        let prior = passed.filter(|object| !object.value.is_null());
        let object = object.clone().filter(|object| !object.value.is_null());
        let first = first.filter(|_| self.host.mode.keeps_plans).map(|first| first.private.as_slice());
        let privates = (private, first.unwrap_or_default());
        let ((planned, private), replaces) = self.plan_rpc(prior, Some(block), privates, (phase, "plan")).await?;
        let is_forced = self.host.situation.stories[self.address].is_forced && phase == Phase::Plan;
        let action = match prior {
            None if object.is_some() => Action::Replace,
            None => Action::Create,
            Some(_) if replaces || is_forced => {
                let again = (phase, "plan the creation of a replacement");
                let (planned, private) = self.plan_rpc(None, Some(block), (&private, &[]), again).await?.0;
                return Ok(Change { action: Action::Replace, before: object, planned, private });
            }
            Some(prior) if prior.value == planned => Action::NoOp,
            Some(_) => Action::Update,
        };
        Ok(Change { action, before: object, planned, private })
    }

    async fn plan_rpc(
        &self,
        prior: Option<&Object>,
        block: Option<Block>,
        (prior_private, planned_private): (&[u8], &[u8]),
        (phase, name): (Phase, &'static str),
    ) -> Result<((Value, Vec<u8>), bool), Failed> {
        let prior = prior.map_or(Value::Null, |prior| prior.value.clone());
        let config = block.map_or(Value::Null, |block| self.config(block, phase));
        let request = proto::plan_resource_change::Request {
            type_name: self.host.provider.type_name.clone(),
            prior_state: self.encode(&prior),
            proposed_new_state: self.encode(&proposed(&prior, &config)),
            config: self.encode(&config),
            prior_private: prior_private.to_vec(),
            planned_private: planned_private.to_vec(),
            client_capabilities: Some(ClientCapabilities {
                store_planned_private: self.host.mode.keeps_plans,
                ..Default::default()
            }),
            ..Default::default()
        };
        let answer = self
            .rpc(self.named(phase, name), self.host.provider.server.plan_resource_change(self.host.request(request)))
            .await?;
        if has_errors(&answer.diagnostics) {
            return Err(Failed);
        }
        let planned = self.decode(answer.planned_state.as_ref());
        Ok(((planned, answer.planned_private), !answer.requires_replace.is_empty()))
    }

    /// Applies a change. Returns the new state and private data, and whether it failed.
    async fn apply(
        &self,
        prior: Option<&Object>,
        change: &Change,
        block: Option<Block>,
    ) -> Result<(Value, Vec<u8>, Result<(), Failed>), Failed> {
        let config = block.map_or(Value::Null, |block| self.config(block, Phase::Apply));
        let prior = prior.map_or(Value::Null, |prior| prior.value.clone());
        let name = match (prior.is_null(), change.planned.is_null()) {
            (true, _) => "create",
            (false, true) => "delete",
            (false, false) => "update",
        };
        let object = if change.planned.is_null() { &prior } else { &change.planned };
        let is_guarded = *object.attribute("overwrite_existing") == Value::Bool(false);
        let request = proto::apply_resource_change::Request {
            type_name: self.host.provider.type_name.clone(),
            prior_state: self.encode(&prior),
            planned_state: self.encode(&change.planned),
            config: self.encode(&config),
            planned_private: change.private.clone(),
            ..Default::default()
        };
        let answer = self
            .rpc(
                Rpc { is_guarded, ..self.named(Phase::Apply, name) },
                self.host.provider.server.apply_resource_change(self.host.request(request)),
            )
            .await?;
        let failed = if has_errors(&answer.diagnostics) { Err(Failed) } else { Ok(()) };
        let value = self.decode(answer.new_state.as_ref());
        // Terraform keeps the prior state if a provider fails and returns none.
        let value = if failed.is_err() && value.is_null() { prior } else { value };
        Ok((value, answer.private, failed))
    }
}

/// Returns whether every value that is known in `planned` is still the same.
fn keeps(planned: &Value, now: &Value) -> bool {
    let Value::Object(planned) = planned else { return true };
    planned.iter().all(|(name, value)| !value.is_wholly_known() || value == now.attribute(name))
}

/// Merges the configuration with what the provider computed before.
fn proposed(prior: &Value, config: &Value) -> Value {
    let Value::Object(attributes) = config else { return Value::Null };
    let mut attributes = attributes.clone();
    for name in ["sdk_app_id", "overwrite_existing", "deletion_policy", "id", "last_request_id"] {
        if attributes[name].is_null() {
            let value = if prior.is_null() { Value::Unknown } else { prior.attribute(name).clone() };
            attributes.insert(name.to_owned(), value);
        }
    }
    Value::Object(attributes)
}

/// An answer with diagnostics.
trait Report {
    fn diagnostics(&self) -> &[proto::Diagnostic];
}

macro_rules! report {
    ($($rpc:ident)*) => {
        $(impl Report for proto::$rpc::Response {
            fn diagnostics(&self) -> &[proto::Diagnostic] {
                &self.diagnostics
            }
        })*
    };
}

report! { import_resource_state read_resource plan_resource_change apply_resource_change }

fn has_errors(diagnostics: &[proto::Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity() == diagnostic::Severity::Error)
}

fn said(diagnostic: &proto::Diagnostic) -> Said {
    let is_error = diagnostic.severity() == diagnostic::Severity::Error;
    Said { is_error, summary: diagnostic.summary.clone(), detail: diagnostic.detail.clone() }
}
