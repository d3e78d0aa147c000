//! The steps of planning: nothing is overwritten by surprise, nothing that is still wanted is deleted, and a plan that
//! cannot be applied is an error.

use std::time::Duration;

use super::ledger::{Destruction, Stay};
use super::memory::Memory;
use super::model::{Guard, Operation};
use super::remote::Remote;
use super::{Arguments, Content, Kind, Object, Scope, messages};
use crate::provider::applications::{Applications, Purpose};
use crate::terraform::{Attr, Context, Diagnostics, Number};

/// The longest look for an existing remote object: two attempts of the default `request_timeout`.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

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
        if config.common.sdk_app_id.is_null() {
            if let (Some(_), Some(origin)) = (prior, &memory.origin) {
                origin.check_default(self.apps)?;
            }
            let prior = prior.map(|prior| &prior.common.sdk_app_id);
            planned.common.sdk_app_id = default_sdk_app_id(self.apps, prior, cx)?;
        }
        planned.common.id = match &planned.common.sdk_app_id {
            Attr::Known(id) => Attr::Known(id.to_string()),
            _ => Attr::Unknown,
        };
        Ok(planned)
    }

    /// Returns whether another object of the application is destroyed, so that this one is written again.
    pub(super) fn must_rewrite(&self, prior: &Object<K>, memory: &Memory) -> bool {
        // What was undecided when this object was read may be decided now. During an apply, nothing is read: the
        // remembered decision holds.
        let others = self.known(prior).and_then(|(_, ledger)| ledger.others_before_planning(&memory.object));
        memory.rewrite && others.is_none_or(|others| others.may_delete())
    }

    /// Notes in the ledger that the object exists after the apply, and checks it against the others of its application.
    /// Returns whether it was read before.
    pub(super) fn stay(
        &self,
        prior: Option<&Object<K>>,
        planned: &Object<K>,
        memory: &Memory,
        cx: &mut Context,
    ) -> Result<bool, Diagnostics> {
        let in_place = prior.filter(|prior| prior.common.sdk_app_id == planned.common.sdk_app_id);
        if let (Some(prior), None) = (prior, in_place)
            && self.known(prior).is_some()
        {
            let is_kept = self.let_go(prior, memory)?;
            self.reach(prior, Operation::Delete, !prior.is_abandoned() && !is_kept, cx)?;
        }
        let Some((subject, ledger)) = self.known(planned) else { return Ok(false) };
        let is_written = planned.common.last_request_id.is_unknown();
        let remote = self.reach(planned, Operation::Update, is_written, cx)?;
        if let (Some(_), true, Some(origin), Some(remote)) = (in_place, is_written, &memory.origin, &remote) {
            origin.check(&remote.app)?;
        }
        let wanted = planned.arguments.content();
        let stay = Stay { wanted: wanted.clone(), is_written, exists: in_place.is_some() };
        let staying = ledger.plan_to_stay(&memory.object, stay).map_err(|_| subject.needs_refresh())?;
        for twin in &staying.twins {
            cx.warn(subject.twin(twin, wanted.as_ref())?);
        }
        if is_written && in_place.is_some_and(|prior| !prior.differs_remotely(planned, memory)) {
            cx.warn(subject.written_again());
        }
        Ok(staying.was_read)
    }

    /// Notes in the ledger the second half of the plan of a replacement, if the first half is there.
    pub(super) fn replan(&self, planned: &Object<K>, memory: &Memory) -> bool {
        self.known(planned)
            .is_some_and(|(_, ledger)| ledger.plan_to_replace(&memory.object, planned.arguments.content()))
    }

    /// Notes in the ledger that Terraform lets go of the object. Returns whether another object keeps the remote
    /// object.
    pub(super) fn let_go(&self, prior: &Object<K>, memory: &Memory) -> Result<bool, Diagnostics> {
        let Some((subject, ledger)) = self.known(prior) else { return Ok(false) };
        if prior.is_abandoned() {
            ledger.plan_to_forget(&memory.object);
            return Ok(false);
        }
        let destruction = ledger.plan_to_destroy(&memory.object, memory.kept_for_another);
        Ok(destruction.map_err(|_| subject.needs_refresh())? == Destruction::KeptForAnother)
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

    /// Looks whether a creation would overwrite something, and says so. `destroys` is whether the plan destroys the
    /// remote object of another application first.
    pub(super) async fn look_before_creating(
        &self,
        planned: &Object<K>,
        destroys: bool,
        cx: &mut Context,
    ) -> Result<(), Diagnostics> {
        if !self.is_reachable(planned, cx) || planned.common.sdk_app_id.known().is_none() {
            cx.warn(messages::could_not_check(&self.kind, &planned.common.id));
            return Ok(());
        }
        let remote = self.remote(planned, Operation::Read, cx)?.within(LONGEST_LOOK);
        let found = match remote.fresh_read() {
            Some(found) => found,
            None => match remote.look().await {
                Ok(found) => found,
                Err(error) => {
                    let diagnostic = remote.failed("Checking for an existing", &error);
                    cx.warn(messages::failed_check(&self.kind, diagnostic, &error, planned.guard(), destroys)?);
                    return Ok(());
                }
            },
        };
        let Some(found) = found.filter(|found| !remote.ledger.has_left(found)) else { return Ok(()) };
        let (subject, wanted) = (remote.subject(), planned.arguments.content());
        if wanted.as_ref().is_some_and(|wanted| wanted.is_same(&found)) {
            cx.warn(subject.exists_as_planned(&found));
        } else if planned.guard() == Guard::Refuse {
            return Err(subject.already_exists(&found).into());
        } else {
            cx.warn(subject.overwrites(&found, wanted.as_ref()));
        }
        Ok(())
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
            let id = prior.known().map(ToString::to_string).unwrap_or_default();
            cx.warn(messages::assumes_default(&id));
            Ok(prior.clone())
        }
    }
}
