//! Planning: nothing is overwritten by surprise, nothing that is still wanted is deleted, and a plan that cannot be
//! applied is an error.

use std::sync::Arc;
use std::time::Duration;

use super::claims::{ClaimNumber, Stay};
use super::memory::{Memory, Planned};
use super::model::{CallbackModel, Operation};
use super::remote::{Callback, Record};
use super::service::{CallbackService, Subject};
use super::several::Place;
use super::{describe, how_to_import, refused_to_overwrite};
use crate::provider::applications::{OfService, Tencent};
use crate::provider::checks;
use crate::tencent::{CallbackConfiguration, Error, ErrorKind};
use crate::terraform::{Attr, Change, Context, Diagnostic, Diagnostics, Number, Severity};

/// How long planning looks for an existing object at most: two attempts of the default `request_timeout`. A write
/// tries for longer.
pub(crate) const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// Plans a creation, an update, or one half of a replacement.
pub(crate) async fn plan(
    tencent: OfService<'_>,
    change: Change<CallbackModel>,
    cx: &mut Context,
) -> Result<CallbackModel, Diagnostics> {
    let Change { prior, config, proposed: mut planned } = change;
    let memory: Memory = cx.private();
    if let Some(prior) = &prior
        && prior.has_equivalent_url(&planned)
    {
        // Terraform accepts the prior spelling of an argument for an equivalent one: no difference to show.
        planned.url = prior.url.clone();
    }
    if config.sdk_app_id.is_null() {
        if let (Some(_), Some(origin)) = (&prior, &memory.origin) {
            origin.check_default(&tencent)?;
        }
        planned.sdk_app_id = planned_sdk_app_id(&tencent, prior.as_ref().map(|prior| &prior.sdk_app_id), cx)?;
    }
    planned.id = match &planned.sdk_app_id {
        Attr::Known(id) => Attr::Known(id.to_string()),
        _ => Attr::Unknown,
    };
    let in_place = prior.as_ref().filter(|prior| prior.sdk_app_id == planned.sdk_app_id);
    // What was undecided when this one was read may be decided now. What was not read is planned to be applied.
    let others = record_of(tencent, &planned)
        .and_then(|record| record.claims.others_now(in_place.map(CallbackModel::mark).as_ref()));
    let rewrite = memory.rewrite && others.is_none_or(|others| others.may_delete());
    planned.last_request_id = match in_place {
        Some(prior) if !rewrite && !prior.differs_remotely(&planned, &memory) => prior.last_request_id.clone(),
        _ => Attr::Unknown,
    };
    if in_place.is_some_and(|prior| prior.overlooks_url_of(&planned, &memory)) {
        cx.warn(overlooked_url(&planned));
    }

    // A replacement is planned twice, as an update and then as a creation, of which Terraform drops the warnings. The
    // first plan's private data is the second's, though not when it plans once more to apply.
    let first = memory.planned.clone().filter(|_| prior.is_none());
    let claim = match first.as_ref().and_then(|first| first.claim) {
        Some(number) => Some(claim_again(tencent, number, &planned)),
        None => claim(tencent, prior.as_ref(), &planned, &memory, cx)?,
    };
    let id = planned.id.known().cloned();
    let prior_id = match &prior {
        Some(prior) => prior.id.known().cloned(),
        None => first.and_then(|first| first.prior_id),
    };
    let is_managed = prior_id.is_some() && prior_id == id || claim.as_ref().is_some_and(|claim| claim.was_read);
    if !is_managed {
        look_before_creating(tencent, &planned, prior_id.is_some(), cx).await?;
    }
    let planned_private = Planned {
        claim: claim.map(|claim| claim.number),
        shared: tencent.shared().iter().map(ToString::to_string).collect(),
        prior_id,
        id,
        ..Planned::default()
    };
    cx.set_private(&Memory { planned: Some(planned_private), ..memory });
    Ok(planned)
}

/// Plans a destruction.
pub(crate) fn plan_destroy(tencent: OfService<'_>, prior: &CallbackModel, cx: &mut Context) -> Result<(), Diagnostics> {
    let memory: Memory = cx.private();
    if prior.is_abandoned() {
        cx.warn(prior.stays_abandoned(tencent.service()));
    }
    let Some(record) = record_of(tencent, prior) else { return Ok(()) };
    let keep = let_go(&record, prior, &memory)?;
    let callback = reached(tencent, prior, Operation::Delete, !prior.is_abandoned() && !keep, cx)?;
    let seen = record.fresh_look().flatten();
    let seen = if prior.has_secret_url() { seen.map(CallbackConfiguration::secret) } else { seen };
    if let Some(seen) = &seen
        && !prior.is_abandoned()
        && !keep
        && !prior.is_what_the_plan_showed(&memory)(seen)
    {
        cx.warn(deletes_what_has_changed(record.subject, seen));
    }
    // Terraform also plans the end of what create_before_destroy has deposed when it applies; then deleting tells.
    if keep && !record.has_written() {
        cx.warn(record.not_deleted());
    }
    let planned = Planned {
        prior_id: prior.id.known().cloned(),
        origin: callback.as_ref().map(Callback::origin),
        seen: seen.as_ref().map(|seen| memory.fingerprint(seen)),
        ..Planned::default()
    };
    cx.set_private(&Memory { keep, planned: Some(planned), ..memory });
    Ok(())
}

/// What this run knows of the application of `object`, if it is known which one that is.
fn record_of(tencent: OfService<'_>, object: &CallbackModel) -> Option<Arc<Record>> {
    let id = object.sdk_app_id.known().and_then(|id| tencent.sdk_app_id(&Attr::Known(id.clone())).ok());
    id.map(|id| tencent.record(id))
}

/// The remote object of `object`. Where it is `needed`, that it cannot be reached is an error, unless the provider's own
/// configuration is not known yet.
fn reached<'a>(
    tencent: OfService<'a>,
    object: &CallbackModel,
    operation: Operation,
    needed: bool,
    cx: &Context,
) -> Result<Option<Callback<'a>>, Diagnostics> {
    match object.at_tencent(tencent, operation, cx) {
        Ok(callback) => Ok(Some(callback)),
        Err(diagnostics) if needed && is_known(tencent, object, cx) => Err(diagnostics),
        Err(_) => Ok(None),
    }
}

fn is_known(tencent: OfService<'_>, object: &CallbackModel, cx: &Context) -> bool {
    cx.provider_is_known() && tencent.is_known(&object.sdk_app_id)
}

/// Notes that the object is to exist after the apply, and checks it against all others of its application.
fn claim(
    tencent: OfService<'_>,
    prior: Option<&CallbackModel>,
    planned: &CallbackModel,
    memory: &Memory,
    cx: &mut Context,
) -> Result<Option<Place>, Diagnostics> {
    let in_place = prior.filter(|prior| prior.sdk_app_id == planned.sdk_app_id);
    if let (Some(prior), None) = (prior, in_place)
        && let Some(record) = record_of(tencent, prior)
    {
        let keep = let_go(&record, prior, memory)?;
        reached(tencent, prior, Operation::Delete, !prior.is_abandoned() && !keep, cx)?;
    }
    let Some(record) = record_of(tencent, planned) else { return Ok(None) };
    let is_written = planned.last_request_id.is_unknown();
    let callback = reached(tencent, planned, Operation::Update, is_written, cx)?;
    if let (Some(_), true, Some(origin), Some(callback)) = (in_place, is_written, &memory.origin, &callback) {
        origin.check(callback.app())?;
    }
    let again = is_written && in_place.is_some_and(|prior| !prior.differs_remotely(planned, memory));
    let stay = Stay::new(planned.remote(), is_written, in_place.is_some());
    let conflict = |other: &CallbackConfiguration, wanted: &_| {
        (!other.is_equivalent(wanted)).then(|| record.managed_twice(other, wanted))
    };
    Ok(Some(record.stays(in_place.map(CallbackModel::mark).as_ref(), stay, conflict, again, cx)?))
}

/// The second half of the plan of a replacement.
fn claim_again(tencent: OfService<'_>, number: ClaimNumber, planned: &CallbackModel) -> Place {
    if let Some(record) = record_of(tencent, planned) {
        record.stays_after_all(number, planned.remote());
    }
    Place { number, was_read: false }
}

/// Notes that Terraform lets go of the object. Returns whether its configuration is kept for another one.
fn let_go(record: &Record, prior: &CallbackModel, memory: &Memory) -> Result<bool, Diagnostic> {
    if prior.is_abandoned() {
        record.abandon(&prior.mark());
        return Ok(false);
    }
    record.let_go(&prior.mark(), memory.keep)
}

/// The application of a resource that names none: the provider's. `prior` is that of the object as it is.
pub(crate) fn planned_sdk_app_id(
    tencent: &Tencent,
    prior: Option<&Attr<Number>>,
    cx: &mut Context,
) -> Result<Attr<Number>, Diagnostics> {
    match (tencent.default_sdk_app_id(), prior) {
        (Attr::Known(default), _) => Ok(checks::number(*default)),
        (Attr::Null, Some(prior)) => Ok(prior.clone()),
        (Attr::Null, None) => Err(tencent.no_sdk_app_id()),
        (Attr::Unknown, None) => Ok(Attr::Unknown),
        (Attr::Unknown, Some(prior)) => {
            let id = prior.known().map(ToString::to_string).unwrap_or_default();
            cx.warn(
                Diagnostic::warning(
                    format!("This plan assumes SDKAppID {id}"),
                    format!(
                        "The provider's sdk_app_id is known only after apply. This plan assumes that it stays {id}. If \
                         it changes, the apply fails. Set the resource's sdk_app_id, or first apply what the \
                         provider's sdk_app_id depends on, for example with -target."
                    ),
                )
                .on("sdk_app_id"),
            );
            Ok(prior.clone())
        }
    }
}

/// Looks whether a creation would overwrite something, and says so. With `replaces`, an object of another application is
/// destroyed for it.
async fn look_before_creating(
    tencent: OfService<'_>,
    planned: &CallbackModel,
    replaces: bool,
    cx: &mut Context,
) -> Result<(), Diagnostics> {
    if !is_known(tencent, planned, cx) || !matches!(planned.sdk_app_id, Attr::Known(_)) {
        cx.warn(could_not_check(planned, tencent.service()));
        return Ok(());
    }
    let callback = planned.at_tencent(tencent, Operation::Read, cx)?.within(LONGEST_LOOK);
    let guarded = planned.overwrite_existing == Attr::Known(false);
    let found = match callback.fresh_look() {
        Some(found) => found,
        None => match callback.look().await {
            Ok(found) => found,
            Err(error) => {
                let diagnostic = callback.failed("Checking for an existing", &error);
                cx.warn(failed_look(diagnostic, "callback configuration", &error, guarded, replaces)?);
                return Ok(());
            }
        },
    };
    let Some(existing) = found.filter(|found| !callback.is_released(found)) else { return Ok(()) };
    let subject = callback.subject();
    if planned.remote().is_some_and(|planned| planned.is_equivalent(&existing)) {
        cx.warn(exists_as_planned(subject, &existing));
    } else if guarded {
        return Err(refused_to_overwrite(subject, &existing).into());
    } else {
        cx.warn(overwrites(subject, &existing));
    }
    Ok(())
}

/// What a failed look means for a plan, told by `diagnostic`: a warning where it may pass and nothing else depends on it.
/// `kind` is what was looked for.
pub(crate) fn failed_look(
    mut diagnostic: Diagnostic,
    kind: &str,
    error: &Error,
    guarded: bool,
    replaces: bool,
) -> Result<Diagnostic, Diagnostic> {
    if error.kind == ErrorKind::Stopped {
        return Err(Diagnostic::error("Planning was interrupted", "Nothing was written. Run the plan again."));
    }
    if !error.kind.may_pass() {
        return Err(diagnostic);
    }
    let consequence = if guarded {
        "With overwrite_existing = false, the provider does not plan without this check.".to_owned()
    } else if replaces {
        format!("This plan would destroy the {kind} of another application first, so it needs this check.")
    } else {
        diagnostic.severity = Severity::Warning;
        format!("This plan may overwrite an existing {kind}.")
    };
    diagnostic.detail += &format!("\n\n{consequence}");
    if diagnostic.severity == Severity::Warning { Ok(diagnostic) } else { Err(diagnostic) }
}

fn could_not_check(planned: &CallbackModel, service: &CallbackService) -> Diagnostic {
    let of = planned.id.known().map(|id| format!(" of SDKAppID {id}")).unwrap_or_default();
    Diagnostic::warning(
        format!("Could not check for an existing {} callback configuration{of}", service.title),
        "The application or its credentials are known only after apply. If the application has a callback configuration \
         by then, this plan overwrites it, unless overwrite_existing is false.",
    )
}

fn exists_as_planned(subject: Subject, existing: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} already exists as planned"),
        format!(
            "SDKAppID {} already sends {}. This plan writes the same configuration again.",
            subject.id,
            describe(existing)
        ),
    )
}

/// Terraform shows this with the plan, and again after the apply.
fn overwrites(subject: Subject, existing: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        format!("This plan overwrites the existing {subject}"),
        format!(
            "When the provider checked, the application had a {} callback configuration that this resource does not \
             manage yet. It sent {}. This plan replaces all of it.\n\n{}",
            subject.service.title,
            describe(existing),
            how_to_import(subject.id)
        ),
    )
}

fn deletes_what_has_changed(subject: Subject, found: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} differs from the state"),
        format!(
            "When the provider checked, Tencent sent {}. Someone else has changed it. This plan deletes it.",
            describe(found)
        ),
    )
}

fn overlooked_url(planned: &CallbackModel) -> Diagnostic {
    let outcome = if planned.last_request_id.is_unknown() {
        "This plan writes the whole configuration for another reason, and sends the new URL with it."
    } else {
        "This plan leaves the URL at Tencent as it is. To send the new one, change url_wo_version."
    };
    Diagnostic::warning(
        "url_wo has changed, but url_wo_version has not",
        format!("Terraform does not store write-only values, so it does not see the change. {outcome}"),
    )
    .on("url_wo")
}
