//! The managed resource of any kind.

use super::apply::{Intent, Unwritten, Written};
use super::ledger::Left;
use super::memory::{Key, Memory, Planned, Seen};
use super::model::{Common, Guard, Identity, Model, Operation};
use super::plan::{Departure, Look};
use super::remote::Remote;
use super::{Arguments, Content, Kind, Object, Scope, Subject, messages, moved};
use crate::provider::applications::{Applications, Purpose};
use crate::tencent::{SdkAppId, Stored};
use crate::terraform::{
    Attr, Block, Change, Context, Diagnostic, Diagnostics, Failure, Foreign, IdentitySchema, ImportTarget,
    ManagedResource, Schema,
};

/// The managed resource of a kind.
#[derive(Debug)]
pub(crate) struct Singleton<K>(pub(crate) K);

impl<K: Kind> Block for Singleton<K> {
    type Client = Applications;
    type Model = Object<K>;

    fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    fn schema(&self) -> Schema {
        let attributes = Common::attributes(K::Content::NOUN, self.0.attributes());
        Schema { version: 0, description: self.0.description().into(), attributes }
    }

    fn validate(&self, config: &Object<K>) -> Diagnostics {
        let mut diagnostics = config.common.validate();
        diagnostics.extend(self.0.validate(&config.arguments));
        diagnostics
    }
}

impl<K: Kind> ManagedResource for Singleton<K> {
    type Identity = Identity;

    fn identity_schema(&self) -> IdentitySchema {
        Identity::schema()
    }

    async fn plan(
        &self,
        apps: &Applications,
        change: Change<Object<K>>,
        cx: &mut Context,
    ) -> Result<Object<K>, Diagnostics> {
        let scope = Scope::new(apps, self.0);
        let mut running = Some(apps.activity.begin());
        let Change { prior, config, proposed } = change;
        // A replacement is planned twice: as an update, and then as a creation, whose warnings Terraform drops. The update's
        // private data is handed to the creation. When Terraform plans once more to apply, a creation may have that of
        // its first plan.
        let first = if prior.is_none() { cx.first_plan() } else { None };
        let mut memory: Memory = first.unwrap_or_else(|| cx.private());
        memory.planned.take_if(|_| prior.is_some());
        let mut planned = scope.settle(prior.as_ref(), &config, proposed, &memory, cx)?;
        prior.iter().chain([&planned]).for_each(|model| scope.forget_dropped_plans(model, cx));
        let in_place = prior.as_ref().filter(|prior| prior.common.sdk_app_id == planned.common.sdk_app_id);
        planned.common.last_request_id = match in_place {
            Some(prior) if !scope.must_rewrite(prior, &memory) && !prior.differs_remotely(&planned, &memory) => {
                prior.common.last_request_id.clone()
            }
            _ => Attr::Unknown,
        };
        if let Some(prior) = in_place {
            scope.compare_secret(prior, &planned, &memory, cx);
        }

        let leaves = prior.as_ref().filter(|_| in_place.is_none());
        let departure = leaves.and_then(|prior| scope.let_go(prior, Some(&planned), &memory, cx));
        let was_read = match &memory.planned {
            Some(_) if scope.replan(&planned, &memory) => false,
            _ => scope.stay(prior.as_ref(), &planned, &memory, &mut running, cx).await?,
        };
        let first = memory.planned.clone().unwrap_or_default();
        let is_kept = match &departure {
            Some(departure) => scope.is_kept(departure, &memory, &mut running, cx).await?,
            None => first.is_kept,
        };
        if let (Some(prior), Some(_)) = (leaves, &departure) {
            scope.reach(prior, Operation::Delete, !is_kept, cx)?;
        }
        let id = planned.common.id.known().cloned();
        let prior_id = match &prior {
            Some(prior) => prior.common.id.known().cloned(),
            None => first.prior_id,
        };
        let managed = scope.managed_elsewhere(&planned, &mut running, cx).await;
        let is_own = prior_id.is_some() && prior_id == id || was_read || first.is_own;
        let look = match is_own {
            true => {
                let read = if was_read { scope.seen(&planned, &memory) } else { None };
                Look { seen: read.or(first.seen), takes_over: false }
            }
            false => scope.look_before_creating(&planned, &memory, prior_id.is_some(), running, cx).await?,
        };
        let planned_private = Planned {
            // Only a tainted object is destroyed by the plan of one without a prior object.
            shared: if prior_id.is_none() { scope.ledgers().shared() } else { Vec::new() },
            prior_id,
            id,
            is_kept,
            may_get_twin: scope.ledgers().has_unknown(),
            origin: scope.origin(&planned, cx),
            seen: look.seen,
            is_own,
            takes_over: look.takes_over,
            managed,
        };
        cx.set_private(&Memory { planned: Some(planned_private), ..memory });
        Ok(planned)
    }

    async fn plan_destroy(&self, apps: &Applications, prior: Object<K>, cx: &mut Context) -> Result<(), Diagnostics> {
        let scope = Scope::new(apps, self.0);
        let mut running = Some(apps.activity.begin());
        let memory: Memory = cx.private();
        let Some((subject, ledger)) = scope.known(&prior) else { return Ok(()) };
        let departure = scope.let_go(&prior, None, &memory, cx);
        let is_kept = match &departure {
            Some(departure) => scope.is_kept(departure, &memory, &mut running, cx).await?,
            None => false,
        };
        let deletes = departure.is_some() && !is_kept;
        scope.reach(&prior, Operation::Delete, deletes, cx)?;
        let seen = departure.as_ref().and_then(Departure::seen);
        let seen = if prior.arguments.is_write_only() { seen.map(K::Content::concealed) } else { seen };
        if let Some(seen) = &seen
            && deletes
            && !prior.is_what_the_plan_showed(&memory, &Planned::default())(seen)
        {
            cx.warn(subject.deletes_changed(seen));
        }
        // Terraform drops what the refresh before `terraform destroy` has said.
        if seen.is_none() && deletes && prior.arguments.is_write_only() && memory.drift.is_some() {
            cx.warn(subject.deletes_changed_secret());
        }
        // During an apply, the deletion itself warns: Terraform also plans the end of deposed objects then.
        if is_kept && !ledger.is_written_for_another(&memory.object) {
            let is_known = ledger.another_stays(&memory.object);
            cx.warn(if is_known { subject.kept_for_another() } else { subject.kept_as_remembered() });
        }
        let planned = Planned {
            prior_id: prior.common.id.known().cloned(),
            is_kept,
            may_get_twin: scope.ledgers().has_unknown(),
            origin: scope.origin(&prior, cx),
            seen: seen.as_ref().map(|seen| memory.see(Some(seen))),
            ..Planned::default()
        };
        cx.set_private(&Memory { planned: Some(planned), ..memory });
        Ok(())
    }

    async fn read(
        &self,
        apps: &Applications,
        state: Object<K>,
        cx: &mut Context,
    ) -> Result<Option<Object<K>>, Diagnostics> {
        let scope = Scope::new(apps, self.0);
        let _running = apps.activity.begin();
        if !apps.is_known(&state.common.sdk_app_id) {
            let id = apps.sdk_app_id(&state.common.sdk_app_id, Purpose::Object)?;
            cx.warn(Subject { kind: self.0, id }.not_refreshed());
            return Ok(Some(state));
        }
        let remote = match scope.remote(&state, Operation::Read, cx) {
            Ok(remote) => remote,
            // Forgetting an object takes no credentials.
            Err(diagnostics) if state.is_abandoned() => {
                diagnostics.iter().for_each(|diagnostic| cx.warn(messages::could_not_refresh(diagnostic)));
                return Ok(Some(state));
            }
            Err(diagnostics) => return Err(diagnostics),
        };
        let memory: Memory = cx.private();
        scope.forget_dropped_plans(&state, cx);
        let reading = remote.turn_to_read(&memory.object).await?;
        let Some(found) = remote.get().await? else { return Ok(None) };
        let (object, noticed) = reading.found();
        let mut memory = Memory {
            others: noticed.may_stay,
            rewrite: noticed.may_delete,
            origin: Some(remote.origin()),
            planned: None,
            drift: None,
            object,
            ..memory
        };
        let refreshed = remote.refresh(state, found, &mut memory, cx);
        cx.set_private(&memory);
        Ok(Some(refreshed))
    }

    async fn create(
        &self,
        apps: &Applications,
        planned: Object<K>,
        cx: &mut Context,
    ) -> Result<Object<K>, Failure<Object<K>>> {
        let _running = apps.activity.begin();
        let (memory, plan) = Memory::begin_apply(cx);
        let remote = Scope::new(apps, self.0).remote(&planned, Operation::Create, cx)?;
        let planned = planned.of(remote.app.sdk_app_id());
        let wanted = self.wanted(&planned, None).inspect_err(|_| remote.ledger.note_failure())?;
        remote.ledger.begin_create(&memory.object, &wanted);
        let left = remote.ledger.left();
        let guard = planned.guard();
        let is_shown = |found: &_| (plan.is_own || guard == Guard::Warn) && memory.has_seen(&plan, found);
        // The key of the plan may be that of an object which this one replaces.
        let intent = Intent { key: &Key::default(), guard, is_expected: &is_shown };
        match remote.create(&wanted, &intent, plan.is_own, cx).await {
            Ok(written) => Ok(remote.applied(planned, written, cx)),
            Err(unwritten) => Err(remote.uncreated(planned, unwritten, left, cx)),
        }
    }

    async fn update(
        &self,
        apps: &Applications,
        prior: Object<K>,
        planned: Object<K>,
        cx: &mut Context,
    ) -> Result<Object<K>, Failure<Object<K>>> {
        let _running = apps.activity.begin();
        let (mut memory, plan) = Memory::begin_apply(cx);
        if !prior.differs_remotely(&planned, &memory) && !planned.common.last_request_id.is_unknown() {
            return Ok(planned);
        }
        let remote = Scope::new(apps, self.0).remote(&planned, Operation::Update, cx)?.concealing(&prior.arguments);
        remote.ledger.begin_apply(&memory.object);
        let wanted = self.wanted(&planned, Some(&prior)).inspect_err(|_| remote.ledger.note_failure())?;
        if prior.seems_to_be(&planned, &memory)
            && !memory.rewrite
            && let Some(object) = remote.adopt(&wanted).await?
        {
            memory.object = object;
            memory.drift = None;
            memory.remember_secret(planned.write_only_secret().as_ref());
            cx.set_private(&memory);
            return Ok(planned.written_by(prior.common.last_request_id));
        }
        let is_expected = prior.is_what_the_plan_showed(&memory, &plan);
        let intent = Intent { key: &memory.object, guard: planned.guard(), is_expected: &is_expected };
        match remote.update(&wanted, &intent, cx).await {
            Ok(written) => Ok(remote.applied(planned, written, cx)),
            Err(mut unwritten) => {
                drop(is_expected);
                let discloses = planned.arguments.is_write_only() && !prior.arguments.is_write_only();
                unwritten.found =
                    unwritten.found.filter(|found| !discloses || !planned.arguments.is_disclosed_by(found));
                unwritten.diagnostic = remote.not_written(unwritten.diagnostic);
                Err(failure(prior, unwritten, memory, cx))
            }
        }
    }

    async fn delete(&self, apps: &Applications, prior: Object<K>, cx: &mut Context) -> Result<(), Failure<Object<K>>> {
        let scope = Scope::new(apps, self.0);
        let mut running = Some(apps.activity.begin());
        let (memory, plan) = Memory::begin_apply(cx);
        if plan.may_get_twin {
            // Terraform plans that object once more as soon as its application is known.
            apps.activity.pause(running.take()).await;
        }
        if let (true, Some(id), Some(Seen::Content(found))) = (plan.takes_over, plan.sdk_app_id(), &plan.seen) {
            scope.ledgers().of(id).hand_on(memory.key.clone(), found.clone());
        }
        let is_replaced = plan.replaces(&prior.common.id);
        let is_write_only = prior.arguments.is_write_only();
        let left = || prior.arguments.content().map(|content| Left { content, is_write_only });
        if prior.is_abandoned() && !is_replaced {
            if let Some((subject, ledger)) = scope.known(&prior) {
                ledger.leave(left());
                if plan.id.is_some() {
                    cx.warn(subject.stays_abandoned(&prior.arguments, false));
                }
            }
            return Ok(());
        }
        let remote = scope.remote(&prior, Operation::Delete, cx)?;
        remote.ledger.begin_apply(&memory.object);
        if remote.ledger.is_created_for_another(&memory.object) {
            cx.warn(remote.subject().was_deleted());
        }
        if (plan.is_kept || plan.keeps(&prior.common.id)) && !is_replaced {
            if !remote.ledger.is_written_for_another(&memory.object) {
                remote.ledger.leave(left());
            }
            cx.warn(remote.subject().kept_for_another());
            return Ok(());
        }
        // A replacement is planned for the application to which the object moves.
        let origin = plan.origin.as_ref().filter(|_| plan.id.is_none()).or(memory.origin.as_ref());
        origin.map_or(Ok(()), |origin| origin.check(&remote.app, self.0.service().version))?;
        let is_expected = prior.is_what_the_plan_showed(&memory, &plan);
        let intent = Intent { key: &memory.object, guard: prior.guard(), is_expected: &is_expected };
        let deleted = match is_replaced {
            true => remote.leave(&intent, is_write_only, cx).await,
            false => remote.delete(&intent, cx).await,
        };
        drop(is_expected);
        deleted.map_err(|unwritten| failure(prior, unwritten, memory, cx))
    }

    async fn import(
        &self,
        apps: &Applications,
        target: ImportTarget<Identity>,
        cx: &mut Context,
    ) -> Result<Object<K>, Diagnostics> {
        let scope = Scope::new(apps, self.0);
        let id = imported_id(&target, apps)?;
        let app = apps.app(id, Purpose::Call)?;
        let remote = Remote::new(scope, app, super::DEFAULT_TIMEOUT, cx);
        let Some(found) = remote.get().await? else { return Err(remote.subject().not_there().into()) };
        if let Some(warning) = self.0.review_imported(id, &found) {
            cx.warn(warning);
        }
        Ok(Model::imported(id, found))
    }

    fn take_over(&self, from: &Foreign<'_>) -> Option<Result<Object<K>, Diagnostics>> {
        moved::take_over(&self.0, from)
    }
}

impl<K: Kind> Singleton<K> {
    /// Returns the content to write, all of which Terraform knows by now. Arguments that were not known when planning
    /// are checked here; those that `ignore_changes` keeps as `prior` has them are not the configuration's.
    fn wanted(&self, planned: &Object<K>, prior: Option<&Object<K>>) -> Result<K::Content, Diagnostics> {
        let wanted = planned.arguments.content().ok_or_else(messages::not_known::<K::Content>)?;
        let is_valid = |arguments: &K::Arguments| !self.0.validate(arguments).has_errors();
        let was_valid = |prior: &Object<K>| prior.arguments.content().is_none() || is_valid(&prior.arguments);
        let diagnostics = self.0.validate(&planned.arguments);
        if diagnostics.has_errors() && prior.is_none_or(was_valid) { Err(diagnostics) } else { Ok(wanted) }
    }
}

impl<K: Kind> Remote<'_, K> {
    /// Refreshes `state` with `found`, and warns about drift that a plan does not show.
    fn refresh(&self, state: Object<K>, found: K::Content, memory: &mut Memory, cx: &mut Context) -> Object<K> {
        let written = state.arguments.written_as(&found).filter(|_| memory.is_stored_form(&found));
        let own_form = written.as_ref().and_then(|written| Some((written, written.own_form(&found)?)));
        if let Some((written, difference)) = own_form {
            cx.warn(self.subject().stores_own_form(difference, written, &found));
            return state;
        }
        let refreshed = state.clone().refreshed(found.clone(), memory);
        if memory.drift.is_some() {
            cx.warn(self.subject().secret_changed(&found));
        }
        if !state.differs_remotely(&refreshed, memory) {
            memory.stored_as = None;
        }
        refreshed
    }

    /// Notes that a write failed: nothing of this application is deleted any more. Completes the message.
    fn not_written(&self, diagnostic: Diagnostic) -> Diagnostic {
        self.ledger.note_failure();
        self.naming_loss(diagnostic)
    }

    /// Returns the state after a write, and remembers what was sent.
    fn applied(&self, planned: Object<K>, written: Written<K::Content>, cx: &mut Context) -> Object<K> {
        let mut memory = Memory { object: written.object, origin: Some(self.origin()), ..Memory::default() };
        memory.remember_secret(planned.write_only_secret().as_ref());
        memory.stored_as = written.stored_as.map(|stored_as| memory.fingerprint(&stored_as));
        cx.set_private(&memory);
        planned.written_by(written.request_id.map_or(Attr::Null, Attr::Known))
    }

    /// Builds the failure of a creation. A write that Tencent accepted keeps its object in the state, and what another
    /// object has `left` here is not lost. Anything else was not created here.
    fn uncreated(
        &self,
        planned: Object<K>,
        mut unwritten: Unwritten<K::Content>,
        left: Option<Left<K::Content>>,
        cx: &mut Context,
    ) -> Failure<Object<K>> {
        unwritten.diagnostic = self.not_written(unwritten.diagnostic);
        if let Some(request_id) = unwritten.accepted.clone() {
            let created = self.applied(planned, Written::as_wanted(Some(request_id)), cx);
            let memory = cx.private();
            let failure = failure(created.clone(), unwritten, memory, cx);
            return Failure { state: failure.state.or(Some(created)), ..failure };
        }
        let state = left.map(|left| {
            let found = unwritten.found.unwrap_or(left.content);
            let is_write_only = left.is_write_only || planned.arguments.is_write_only();
            cx.set_private(&Memory { origin: Some(self.origin()), ..Memory::default() });
            planned.instead(found, is_write_only)
        });
        Failure { diagnostics: unwritten.diagnostic.into(), state }
    }
}

/// Builds the failure of a write or a deletion, with the state that holds, as far as that is known.
fn failure<A: Arguments>(
    prior: Model<A>,
    unwritten: Unwritten<A::Content>,
    mut memory: Memory,
    cx: &mut Context,
) -> Failure<Model<A>> {
    let Unwritten { diagnostic, found, .. } = unwritten;
    let state = found.map(|found| {
        let state = prior.refreshed(found, &mut memory);
        cx.set_private(&memory);
        state
    });
    Failure { diagnostics: diagnostic.into(), state }
}

/// Returns the application that a person imports by.
fn imported_id(target: &ImportTarget<Identity>, apps: &Applications) -> Result<SdkAppId, Diagnostics> {
    match target {
        ImportTarget::Id(text) => text.parse::<SdkAppId>().map_err(|error| {
            let detail = format!("{text:?} cannot be imported: the import ID is the SDKAppID, and {error}.");
            Diagnostic::error("The import ID is not an SDKAppID", detail).into()
        }),
        ImportTarget::Identity(Identity { sdk_app_id: sdk_app_id @ Attr::Known(_) }) => {
            apps.sdk_app_id(sdk_app_id, Purpose::Object)
        }
        ImportTarget::Identity(_) => {
            let detail = "The identity's sdk_app_id is null. Set it to the SDKAppID of the application to import. An \
                          import does not fall back on the provider's sdk_app_id.";
            Err(Diagnostic::error("The identity names no application", detail).into())
        }
    }
}
