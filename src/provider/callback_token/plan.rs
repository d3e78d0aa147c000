//! Planning: no token is overwritten by surprise, none that is still wanted is deleted, and a plan that cannot be applied is
//! an error.

use std::sync::Arc;

use super::model::{Memory, TokenModel};
use super::remote::{Record, Remote};
use super::{KIND, Subject, consequence, describe, refused_to_overwrite};
use crate::provider::applications::Tencent;
use crate::provider::callback::claims::{ClaimNumber, Stay};
use crate::provider::callback::how_to_import;
use crate::provider::callback::memory::Planned;
use crate::provider::callback::model::{ABANDON, Operation};
use crate::provider::callback::plan::{LONGEST_LOOK, failed_look, planned_sdk_app_id};
use crate::provider::callback::several::Place;
use crate::tencent::CallbackToken;
use crate::terraform::{Attr, Change, Context, Diagnostic, Diagnostics};

/// Plans a creation, an update, or one half of a replacement.
pub(super) async fn plan(
    tencent: &Tencent,
    change: Change<TokenModel>,
    cx: &mut Context,
) -> Result<TokenModel, Diagnostics> {
    let Change { prior, config, proposed: mut planned } = change;
    let memory: Memory = cx.private();
    if config.sdk_app_id.is_null() {
        if let (Some(_), Some(origin)) = (&prior, &memory.origin) {
            origin.check_default(tencent)?;
        }
        planned.sdk_app_id = planned_sdk_app_id(tencent, prior.as_ref().map(|prior| &prior.sdk_app_id), cx)?;
    }
    planned.id = match &planned.sdk_app_id {
        Attr::Known(id) => Attr::Known(id.to_string()),
        _ => Attr::Unknown,
    };
    let in_place = prior.as_ref().filter(|prior| prior.sdk_app_id == planned.sdk_app_id);
    // What was undecided when this one was read may be decided now. What was not read is planned to be applied.
    let others = record_of(tencent, &planned)
        .and_then(|record| record.claims.others_now(in_place.map(TokenModel::mark).as_ref()));
    let rewrite = memory.rewrite && others.is_none_or(|others| others.may_delete());
    planned.last_request_id = match in_place {
        Some(prior) if !rewrite && !prior.differs_remotely(&planned, &memory) => prior.last_request_id.clone(),
        _ => Attr::Unknown,
    };
    if in_place.is_some_and(|prior| prior.overlooks_token_of(&planned, &memory)) {
        cx.warn(overlooked_token(&planned));
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
        shared: tencent.shared(KIND).iter().map(ToString::to_string).collect(),
        prior_id,
        id,
        ..Planned::default()
    };
    cx.set_private(&Memory { planned: Some(planned_private), ..memory });
    Ok(planned)
}

/// Plans a destruction.
pub(super) fn plan_destroy(tencent: &Tencent, prior: &TokenModel, cx: &mut Context) -> Result<(), Diagnostics> {
    let memory: Memory = cx.private();
    let Some(record) = record_of(tencent, prior) else { return Ok(()) };
    if prior.is_abandoned() {
        cx.warn(stays_abandoned(record.subject, prior));
    }
    let keep = let_go(&record, prior, &memory)?;
    let remote = reached(tencent, prior, Operation::Delete, !prior.is_abandoned() && !keep, cx)?;
    let seen = record.fresh_look().flatten();
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
        origin: remote.as_ref().map(Remote::origin),
        seen: seen.as_ref().map(|seen| memory.fingerprint(seen)),
        ..Planned::default()
    };
    cx.set_private(&Memory { keep, planned: Some(planned), ..memory });
    Ok(())
}

/// What this run knows of the application of `object`, if it is known which one that is.
fn record_of(tencent: &Tencent, object: &TokenModel) -> Option<Arc<Record>> {
    let id = object.sdk_app_id.known().and_then(|id| tencent.sdk_app_id(&Attr::Known(id.clone())).ok());
    id.map(|id| tencent.token_record(id))
}

/// The remote object of `object`. Where it is `needed`, that it cannot be reached is an error, unless the provider's own
/// configuration is not known yet.
fn reached<'a>(
    tencent: &'a Tencent,
    object: &TokenModel,
    operation: Operation,
    needed: bool,
    cx: &Context,
) -> Result<Option<Remote<'a>>, Diagnostics> {
    match object.at_tencent(tencent, operation, cx) {
        Ok(remote) => Ok(Some(remote)),
        Err(diagnostics) if needed && is_known(tencent, object, cx) => Err(diagnostics),
        Err(_) => Ok(None),
    }
}

fn is_known(tencent: &Tencent, object: &TokenModel, cx: &Context) -> bool {
    cx.provider_is_known() && tencent.is_known(&object.sdk_app_id)
}

/// Notes that the object is to exist after the apply, and checks it against all others of its application.
fn claim(
    tencent: &Tencent,
    prior: Option<&TokenModel>,
    planned: &TokenModel,
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
    let remote = reached(tencent, planned, Operation::Update, is_written, cx)?;
    if let (Some(_), true, Some(origin), Some(remote)) = (in_place, is_written, &memory.origin, &remote) {
        origin.check(remote.app())?;
    }
    let again = is_written && in_place.is_some_and(|prior| !prior.differs_remotely(planned, memory));
    let stay = Stay::new(planned.remote(), is_written, in_place.is_some());
    let conflict = |other: &CallbackToken, wanted: &_| (!other.is_same(wanted)).then(|| record.managed_twice());
    Ok(Some(record.stays(in_place.map(TokenModel::mark).as_ref(), stay, conflict, again, cx)?))
}

/// The second half of the plan of a replacement.
fn claim_again(tencent: &Tencent, number: ClaimNumber, planned: &TokenModel) -> Place {
    if let Some(record) = record_of(tencent, planned) {
        record.stays_after_all(number, planned.remote());
    }
    Place { number, was_read: false }
}

/// Notes that Terraform lets go of the object. Returns whether its token is kept for another one.
fn let_go(record: &Record, prior: &TokenModel, memory: &Memory) -> Result<bool, Diagnostic> {
    if prior.is_abandoned() {
        record.abandon(&prior.mark());
        return Ok(false);
    }
    record.let_go(&prior.mark(), memory.keep)
}

/// Looks whether a creation would overwrite something, and says so. With `replaces`, an object of another application is
/// destroyed for it.
async fn look_before_creating(
    tencent: &Tencent,
    planned: &TokenModel,
    replaces: bool,
    cx: &mut Context,
) -> Result<(), Diagnostics> {
    if !is_known(tencent, planned, cx) || !matches!(planned.sdk_app_id, Attr::Known(_)) {
        cx.warn(could_not_check(planned));
        return Ok(());
    }
    let remote = planned.at_tencent(tencent, Operation::Read, cx)?.within(LONGEST_LOOK);
    let guarded = planned.is_guarded();
    let found = match remote.record().fresh_look() {
        Some(found) => found,
        None => match remote.look().await {
            Ok(found) => found,
            Err(error) => {
                let diagnostic = remote.failed("Checking for an existing", &error);
                cx.warn(failed_look(diagnostic, KIND, &error, guarded, replaces)?);
                return Ok(());
            }
        },
    };
    let Some(existing) = found.filter(|found| !remote.is_released(found)) else { return Ok(()) };
    let (subject, planned) = (remote.subject(), planned.remote());
    if planned.as_ref().is_some_and(|planned| planned.is_same(&existing)) {
        cx.warn(exists_as_planned(subject));
    } else if guarded {
        return Err(refused_to_overwrite(subject, &existing).into());
    } else {
        cx.warn(overwrites(subject, &existing, planned.as_ref()));
    }
    Ok(())
}

fn could_not_check(planned: &TokenModel) -> Diagnostic {
    let of = planned.id.known().map(|id| format!(" of SDKAppID {id}")).unwrap_or_default();
    Diagnostic::warning(
        format!("Could not check for an existing Live callback token{of}"),
        "The application or its credentials are known only after apply. If the application has a Live callback token by \
         then, this plan overwrites it, unless overwrite_existing is false.",
    )
}

fn exists_as_planned(subject: Subject) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} already exists as planned"),
        format!("SDKAppID {} already has this token. This plan writes the same token again.", subject.0),
    )
}

/// Terraform shows this with the plan, and again after the apply.
fn overwrites(subject: Subject, existing: &CallbackToken, planned: Option<&CallbackToken>) -> Diagnostic {
    Diagnostic::warning(
        format!("This plan overwrites the existing {subject}"),
        format!(
            "When the provider checked, the application had {} that this resource does not manage yet. This plan replaces \
             it. {}\n\n{}",
            describe(existing),
            consequence(existing, planned),
            how_to_import(subject.0)
        ),
    )
}

fn deletes_what_has_changed(subject: Subject, found: &CallbackToken) -> Diagnostic {
    Diagnostic::warning(
        format!("The {subject} differs from the state"),
        format!(
            "When the provider checked, the application had {} that someone else has set. This plan deletes it.",
            describe(found)
        ),
    )
}

fn stays_abandoned(subject: Subject, prior: &TokenModel) -> Diagnostic {
    let outcome = match prior.enabled {
        Attr::Known(false) => "it stays there, disabled",
        _ => "Tencent goes on signing the events of live streams with it",
    };
    Diagnostic::warning(
        format!("The {subject} stays at Tencent"),
        format!("deletion_policy is \"{ABANDON}\": Terraform only forgets the token, and {outcome}."),
    )
}

fn overlooked_token(planned: &TokenModel) -> Diagnostic {
    let outcome = if planned.last_request_id.is_unknown() {
        "This plan writes the token for another reason, and sends the new one."
    } else {
        "This plan leaves the token at Tencent as it is. To send the new one, change token_wo_version."
    };
    Diagnostic::warning(
        "token_wo has changed, but token_wo_version has not",
        format!("Terraform does not store write-only values, so it does not see the change. {outcome}"),
    )
    .on("token_wo")
}
