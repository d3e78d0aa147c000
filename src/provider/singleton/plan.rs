//! The steps of planning: nothing is overwritten by surprise, nothing that is still wanted is deleted, and a plan that
//! cannot be applied is an error.

use std::time::Duration;

use super::ledger::{Destruction, Stay};
use super::memory::{Key, Memory, Origin, Planned, Seen};
use super::model::{Guard, Operation};
use super::remote::Remote;
use super::{Arguments, Content, Kind, LedgerOf, Object, Scope, Subject, messages};
use crate::provider::activity::Running;
use crate::provider::applications::{Applications, Purpose};
use crate::terraform::{Attr, Context, Diagnostics, Number};

/// The longest look for an existing remote object: two attempts of the default `request_timeout`.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// What a plan has found where it creates an object.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// None if it could not look.
    pub(super) seen: Option<Seen>,
    /// Another object of the plan hands it on.
    pub(super) takes_over: bool,
}

/// An object that Terraform lets go of.
pub(super) struct Departure<K: Kind> {
    subject: Subject<K>,
    ledger: LedgerOf<K>,
    /// Its key in the ledger.
    key: Key,
}

impl<K: Kind> Departure<K> {
    /// Returns what reading the object has just found. During an apply, nothing is read: another object's look is not
    /// what a person has seen.
    pub(super) fn seen(&self) -> Option<K::Content> {
        self.ledger.was_read(&self.key).then(|| self.ledger.fresh_read().flatten()).flatten()
    }
}

impl<'a, K: Kind> Scope<'a, K> {
    /// Fills in the application, and takes over spellings that mean the same.
    pub(super) fn settle(
        &self,
        prior: Option<&Object<K>>,
        config: &Object<K>,
        proposed: Object<K>,
        memory: &Memory,
        cx: &mut Context,
    ) -> Result<Object<K>, Diagnostics> {
        let mut planned = proposed;
        if let Some(prior) = prior {
            planned.arguments = planned.arguments.spelled_like(&prior.arguments);
        }
        let first = memory.planned.as_ref().and_then(Planned::prior_sdk_app_id);
        let prior_id = prior.map(|prior| prior.common.sdk_app_id.clone()).or(first.map(Attr::from));
        if config.common.sdk_app_id.is_null() {
            if let Some(origin) = memory.origin_of(prior.is_some()) {
                origin.check_default(self.apps)?;
            }
            planned.common.sdk_app_id = default_sdk_app_id(self.apps, prior_id.as_ref(), cx)?;
        } else if config.common.sdk_app_id.is_unknown()
            && let Some(id) = prior_id
        {
            // To replace the object, Terraform would delete it before the application is known to be another.
            cx.warn(messages::assumes("The resource's", &id));
            planned.common.sdk_app_id = id;
        }
        planned.common.id = match &planned.common.sdk_app_id {
            Attr::Known(id) => Attr::Known(id.to_string()),
            _ => Attr::Unknown,
        };
        Ok(planned)
    }

    /// Forgets the plans for the application of `model`, if the host may have dropped them: an object planned again would seem
    /// to be another one.
    pub(super) fn forget_dropped_plans(&self, model: &Object<K>, cx: &Context) {
        if cx.host_drops_plans()
            && let Some((_, ledger)) = self.known(model)
        {
            ledger.forget_plans();
        }
    }

    /// Returns whether another object of the application is destroyed, so that this one is written again.
    pub(super) fn must_rewrite(&self, prior: &Object<K>, memory: &Memory) -> bool {
        // What was undecided when this object was read may be decided now. During an apply, nothing is read: the
        // remembered decision holds.
        let may_be_deleted = self.known(prior).and_then(|(_, ledger)| ledger.may_be_deleted(&memory.object));
        memory.rewrite && may_be_deleted != Some(false)
    }

    /// Compares the write-only value of the configuration with the one that was last sent, and with what Tencent has.
    pub(super) fn compare_secret(&self, prior: &Object<K>, planned: &Object<K>, memory: &Memory, cx: &mut Context) {
        if prior.overlooks_secret_of(planned, memory) {
            cx.warn(messages::overlooked_secret(&self.kind, planned));
        }
        if memory.drift.is_some()
            && planned.arguments.is_write_only()
            && prior.seems_to_be(planned, memory)
            && let Some((subject, _)) = self.known(planned)
        {
            cx.warn(subject.is_as_write_only());
        }
    }

    /// Notes in the ledger that the object exists after the apply, and checks it against the others of its application.
    /// Returns whether it was read before.
    pub(super) async fn stay(
        &self,
        prior: Option<&Object<K>>,
        planned: &Object<K>,
        memory: &Memory,
        running: &mut Option<Running<'_>>,
        cx: &mut Context,
    ) -> Result<bool, Diagnostics> {
        let in_place = prior.filter(|prior| prior.common.sdk_app_id == planned.common.sdk_app_id);
        let Some((subject, ledger)) = self.known(planned) else {
            self.ledgers().note_unknown();
            return Ok(false);
        };
        // Either a tainted object is replaced, or another object is still to be planned.
        let waiting = if prior.is_none() { ledger.wait_for_others() } else { None };
        if waiting.is_some() {
            self.apps.activity.pause(running.take()).await;
        }
        let is_written = planned.common.last_request_id.is_unknown();
        let operation = if in_place.is_some() { Operation::Update } else { Operation::Create };
        let remote = self.reach(planned, operation, is_written, cx)?;
        let is_replaced = prior.is_some() && in_place.is_none();
        let is_bound = is_written && !is_replaced && self.is_reachable(planned, cx);
        let origin = memory.origin_of(prior.is_some()).filter(|_| is_bound);
        if let (Some(origin), Some(remote)) = (origin, &remote) {
            origin.check(&remote.app, self.kind.service().version)?;
        }
        let wanted = planned.arguments.content();
        let stay = Stay { wanted: wanted.clone(), is_written, exists: in_place.is_some() };
        let staying =
            ledger.plan_to_stay(&memory.object, stay, prior.is_some()).map_err(|_| subject.needs_refresh())?;
        drop(waiting);
        for twin in &staying.twins {
            cx.warn(subject.twin(twin, wanted.as_ref())?);
        }
        if is_written && in_place.is_some_and(|prior| !prior.differs_remotely(planned, memory)) {
            cx.warn(subject.written_again());
        } else if staying.is_deleted_before {
            cx.warn(subject.deleted_before());
        }
        Ok(staying.was_read)
    }

    /// Notes in the ledger the second half of the plan of a replacement, if the first half is there.
    pub(super) fn replan(&self, planned: &Object<K>, memory: &Memory) -> bool {
        self.known(planned)
            .is_some_and(|(_, ledger)| ledger.plan_to_replace(&memory.object, planned.arguments.content()))
    }

    /// Notes in the ledger that Terraform lets go of the object of an application, if that is known. `successor` is the
    /// object of another application that replaces it.
    pub(super) fn let_go(
        &self,
        prior: &Object<K>,
        successor: Option<&Object<K>>,
        memory: &Memory,
        cx: &mut Context,
    ) -> Option<Departure<K>> {
        let (subject, ledger) = self.known(prior)?;
        if prior.is_abandoned() {
            cx.warn(subject.stays_abandoned(&prior.arguments, successor.is_some_and(|new| !new.is_abandoned())));
            ledger.plan_to_forget(&memory.object);
            return None;
        }
        let key = ledger.plan_to_destroy(&memory.object);
        Some(Departure { subject, ledger, key })
    }

    /// Decides whether another object keeps the remote object of one that Terraform destroys, once nothing more is
    /// known to come that could need it.
    pub(super) async fn is_kept(
        &self,
        departure: &Departure<K>,
        memory: &Memory,
        running: &mut Option<Running<'_>>,
        cx: &Context,
    ) -> Result<bool, Diagnostics> {
        let Departure { subject, ledger, key } = departure;
        if ledger.is_written_for_another(&memory.object) {
            return Ok(true);
        }
        let others = async {
            self.apps.activity.pause(running.take()).await;
            ledger.all_planned().await;
        };
        tokio::select! {
            () = cx.stop().cancelled() => return Err(messages::planning_was_interrupted().into()),
            () = others => {}
        }
        let destruction = ledger.decide(key, &memory.others).map_err(|_| subject.needs_refresh())?;
        Ok(destruction == Destruction::KeptForAnother)
    }

    /// Begins an operation. If that fails where it is `needed`, that is an error, unless the provider's own
    /// configuration is not known yet.
    pub(super) fn reach(
        &self,
        model: &Object<K>,
        operation: Operation,
        needed: bool,
        cx: &Context,
    ) -> Result<Option<Remote<'a, K>>, Diagnostics> {
        match self.remote(model, operation, cx) {
            Ok(remote) => Ok(Some(remote)),
            Err(diagnostics) if needed && self.is_reachable(model, cx) => Err(diagnostics),
            Err(_) => Ok(None),
        }
    }

    /// Returns the provider settings for the application of `model`, if they are known.
    pub(super) fn origin(&self, model: &Object<K>, cx: &Context) -> Option<Origin> {
        if !self.is_reachable(model, cx) {
            return None;
        }
        self.remote(model, Operation::Read, cx).ok().map(|remote| remote.origin())
    }

    /// Returns the applications that have an object of this kind, if that of `planned` is not known yet and the host will
    /// remember them. Then the object may turn out to be a second one.
    pub(super) async fn managed_elsewhere(
        &self,
        planned: &Object<K>,
        running: &mut Option<Running<'_>>,
        cx: &Context,
    ) -> Vec<String> {
        if planned.common.id.known().is_some() || !cx.host_keeps_plans() {
            return Vec::new();
        }
        self.apps.activity.pause(running.take()).await;
        self.ledgers().managed()
    }

    /// Returns what reading the object of `planned` has just found.
    pub(super) fn seen(&self, planned: &Object<K>, memory: &Memory) -> Option<Seen> {
        let (_, ledger) = self.known(planned)?;
        ledger.fresh_read().map(|found| memory.see(found.as_ref()))
    }

    /// Looks whether a creation would overwrite something, and says so, unless a first plan has said it. `moves` is
    /// whether the plan destroys the remote object of another application first.
    pub(super) async fn look_before_creating(
        &self,
        planned: &Object<K>,
        memory: &Memory,
        moves: bool,
        running: Option<Running<'_>>,
        cx: &mut Context,
    ) -> Result<Look, Diagnostics> {
        if !self.is_reachable(planned, cx) || planned.common.sdk_app_id.known().is_none() {
            cx.warn(messages::could_not_check(&self.kind, &planned.common.id, planned.guard(), moves)?);
            return Ok(Look::default());
        }
        let remote = self.remote(planned, Operation::Read, cx)?.within(LONGEST_LOOK);
        let first = memory.planned.as_ref();
        let shown = first.and_then(|first| first.seen.as_ref());
        let found = match remote.fresh_read() {
            Some(found) => found,
            None => match remote.look().await {
                Ok(found) => found,
                Err(error) => {
                    let diagnostic = remote.naming_loss(remote.failed("Checking for an existing", &error));
                    cx.warn(messages::failed_check(&self.kind, diagnostic, &error, planned.guard(), moves)?);
                    return Ok(Look { seen: shown.cloned(), takes_over: false });
                }
            },
        };
        let look = Look { seen: Some(memory.see(found.as_ref())), takes_over: false };
        let is_shown = look.seen.as_ref() == shown;
        let (subject, wanted) = (remote.subject(), planned.arguments.content());
        let Some(found) = found else {
            if shown.is_some() && !is_shown && !remote.ledger.has_deleted() {
                cx.warn(subject.was_deleted());
            }
            return Ok(look);
        };
        if remote.ledger.has_left(&found) {
            return Ok(look);
        }
        if wanted.as_ref().is_some_and(|wanted| wanted.is_same(&found)) {
            if !is_shown {
                cx.warn(subject.exists_as_planned(&found));
            }
            return Ok(look);
        }
        if let (Some(wanted), Some(true)) = (&wanted, first.map(|first| first.is_managed(&planned.common.id))) {
            return Err(subject.managed_twice(&found, wanted).into());
        }
        self.apps.activity.pause(running).await;
        let is_handed_on = remote.ledger.another_goes(&memory.object);
        let takes_over = is_handed_on && moves;
        if !takes_over && planned.guard() == Guard::Refuse {
            remote.ledger.note_failure();
            return Err(subject.already_exists(&found, is_handed_on, !cx.host_keeps_plans()).into());
        }
        if !is_shown {
            cx.warn(match (takes_over, shown) {
                (true, _) => subject.takes_over(&found, wanted.as_ref()),
                (false, Some(_)) => subject.will_replace(&found, wanted.as_ref()),
                (false, None) => subject.overwrites(&found, wanted.as_ref(), is_handed_on),
            });
        }
        Ok(Look { takes_over, ..look })
    }
}

/// Returns the application of an object whose configuration names none: the provider's. `prior` is that of the state.
fn default_sdk_app_id(
    apps: &Applications,
    prior: Option<&Attr<Number>>,
    cx: &mut Context,
) -> Result<Attr<Number>, Diagnostics> {
    match (apps.default_sdk_app_id(), prior) {
        (Attr::Known(default), _) => Ok((*default).into()),
        (Attr::Null, Some(prior)) => Ok(prior.clone()),
        (Attr::Null, None) => Err(apps.no_sdk_app_id(Purpose::Object)),
        (Attr::Unknown, None) => Ok(Attr::Unknown),
        (Attr::Unknown, Some(prior)) => {
            cx.warn(messages::assumes("The provider's", prior));
            Ok(prior.clone())
        }
    }
}
