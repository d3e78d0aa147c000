//! Planning: nothing is overwritten by surprise, nothing that is still wanted is deleted, and a plan that cannot be
//! applied is an error.

use std::time::Duration;

use super::claims::{Claim, ClaimNumber, Goes, Stay};
use super::memory::{Memory, Origin, Planned, fingerprint};
use super::remote::Callback;
use super::{describe, how_to_import, refused_to_overwrite};
use crate::provider::applications::Tencent;
use crate::provider::call_callback::{CallCallback, Operation, number};
use crate::tencent::{CallbackConfiguration, Error, ErrorKind, SdkAppId};
use crate::terraform::{Attr, Change, Context, Diagnostic, Diagnostics, Severity};

/// How long planning looks for an existing configuration at most: two attempts of the default `request_timeout`. A write
/// tries for longer.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// Plans a creation, an update, or one half of a replacement.
pub(crate) async fn plan(
    tencent: &Tencent,
    change: Change<CallCallback>,
    cx: &mut Context,
) -> Result<CallCallback, Diagnostics> {
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
            origin.check_default(tencent)?;
        }
        planned.sdk_app_id = planned_sdk_app_id(tencent, prior.as_ref(), cx)?;
    }
    planned.id = match &planned.sdk_app_id {
        Attr::Known(id) => Attr::Known(id.to_string()),
        _ => Attr::Unknown,
    };
    let in_place = prior.as_ref().filter(|prior| prior.sdk_app_id == planned.sdk_app_id);
    planned.last_request_id = match in_place {
        Some(prior) if !memory.rewrite && !prior.differs_remotely(&planned) => prior.last_request_id.clone(),
        _ => Attr::Unknown,
    };

    // A replacement is planned twice, as an update and then as a creation, of which Terraform drops the warnings. The
    // first plan's private data is the second's, though not when it plans once more to apply.
    let first = memory.planned.clone().filter(|_| prior.is_none());
    let claim = match first.as_ref().and_then(|first| first.claim) {
        Some(number) => claim_again(tencent, number, &planned, cx),
        None => claim(tencent, prior.as_ref(), &planned, &memory, cx)?,
    };
    let id = planned.id.known().cloned();
    let prior_id = match &prior {
        Some(prior) => prior.id.known().cloned(),
        None => first.and_then(|first| first.prior_id),
    };
    if prior_id.is_none() || prior_id != id {
        look_before_creating(tencent, &planned, prior_id.is_some(), cx).await?;
    }
    cx.set_private(&Memory { planned: Some(Planned { claim, prior_id, id, ..Planned::default() }), ..memory });
    Ok(planned)
}

/// Plans a destruction.
pub(crate) fn plan_destroy(tencent: &Tencent, prior: &CallCallback, cx: &mut Context) -> Result<(), Diagnostics> {
    let memory: Memory = cx.private();
    if prior.is_abandoned() {
        cx.warn(prior.stays_abandoned());
    }
    let Some(callback) = reached(tencent, prior, Operation::Delete, !prior.is_abandoned(), cx)? else {
        return Ok(());
    };
    let keep = let_go(&callback, prior, &memory)?;
    let seen = callback.fresh_look().flatten();
    if let Some(seen) = &seen
        && !prior.is_abandoned()
        && !keep
        && !memory.knows_as_stored(seen)
        && prior.remote().is_some_and(|shown| !shown.is_equivalent(seen))
    {
        cx.warn(deletes_what_has_changed(&callback, seen));
    }
    // Terraform also plans the end of what create_before_destroy has deposed when it applies; then deleting tells.
    if keep && !callback.has_written() {
        cx.warn(callback.not_deleted());
    }
    let planned = Planned {
        prior_id: prior.id.known().cloned(),
        origin: Some(Origin::of(&callback)),
        seen: seen.as_ref().map(fingerprint),
        ..Planned::default()
    };
    cx.set_private(&Memory { keep, planned: Some(planned), ..memory });
    Ok(())
}

/// The remote object of `object`, if it is known which one that is. Where it is `needed`, that it cannot be reached is an
/// error, unless the provider's own configuration is not known yet.
fn reached<'a>(
    tencent: &'a Tencent,
    object: &CallCallback,
    operation: Operation,
    needed: bool,
    cx: &Context,
) -> Result<Option<Callback<'a>>, Diagnostics> {
    if !matches!(object.sdk_app_id, Attr::Known(_)) {
        return Ok(None);
    }
    match object.at_tencent(tencent, operation, cx) {
        Ok(callback) => Ok(Some(callback)),
        Err(diagnostics) if needed && is_known(tencent, object, cx) => Err(diagnostics),
        Err(_) => Ok(None),
    }
}

fn is_known(tencent: &Tencent, object: &CallCallback, cx: &Context) -> bool {
    cx.provider_is_known() && tencent.is_known(&object.sdk_app_id)
}

/// Notes that the object is to exist after the apply, and checks it against all others of its application.
fn claim(
    tencent: &Tencent,
    prior: Option<&CallCallback>,
    planned: &CallCallback,
    memory: &Memory,
    cx: &mut Context,
) -> Result<Option<ClaimNumber>, Diagnostics> {
    let in_place = prior.filter(|prior| prior.sdk_app_id == planned.sdk_app_id);
    if let (Some(prior), None) = (prior, in_place)
        && let Some(callback) = reached(tencent, prior, Operation::Delete, !prior.is_abandoned(), cx)?
    {
        let_go(&callback, prior, memory)?;
    }
    let is_written = planned.last_request_id.is_unknown();
    let Some(callback) = reached(tencent, planned, Operation::Update, is_written, cx)? else { return Ok(None) };
    if let (Some(_), true, Some(origin)) = (in_place, is_written, &memory.origin) {
        origin.check(&callback)?;
    }
    let wanted = planned.remote();
    let stay = Claim::Stays(Stay::new(wanted.clone(), is_written));
    let claimed = callback.claims().plan(in_place.is_some(), stay);
    for other in claimed.others.stays {
        match (&other.wanted, &wanted) {
            (Some(other), Some(wanted)) if other.is_equivalent(wanted) => cx.warn(managed_twice_alike(&callback)),
            (Some(other), Some(wanted)) => return Err(callback.managed_twice(other, wanted).into()),
            _ => cx.warn(managed_twice_perhaps_alike(&callback)),
        }
    }
    if claimed.others.deletes && !is_written {
        return Err(needs_refresh(&callback).into());
    }
    if let Some(prior) = in_place
        && memory.rewrite
        && !prior.differs_remotely(planned)
    {
        cx.warn(written_again(&callback));
    }
    Ok(Some(claimed.number))
}

/// The second half of the plan of a replacement.
fn claim_again(tencent: &Tencent, number: ClaimNumber, planned: &CallCallback, cx: &Context) -> Option<ClaimNumber> {
    if let Ok(callback) = planned.at_tencent(tencent, Operation::Create, cx) {
        callback.claims().plan_again(number, Claim::Stays(Stay::new(planned.remote(), true)));
    }
    Some(number)
}

/// Notes that Terraform lets go of the object. Returns whether its configuration is kept for another one.
fn let_go(callback: &Callback<'_>, prior: &CallCallback, memory: &Memory) -> Result<bool, Diagnostics> {
    if prior.is_abandoned() {
        callback.claims().plan(true, Claim::Goes(Goes::new(false)));
        return Ok(false);
    }
    let claimed = callback.claims().plan(true, Claim::Goes(Goes::new(true)));
    // What an interrupted replacement left remembers only what reading has set.
    let remembered = memory.keep || claimed.when_read.is_some_and(|others| others.may_want());
    if !remembered && claimed.others.stay_unaware() {
        return Err(needs_refresh(callback).into());
    }
    let keep = remembered || !claimed.others.stays.is_empty();
    if keep {
        callback.claims().plan_again(claimed.number, Claim::Goes(Goes::new(false)));
    }
    Ok(keep)
}

/// The application of a resource that names none: the provider's.
fn planned_sdk_app_id(
    tencent: &Tencent,
    prior: Option<&CallCallback>,
    cx: &mut Context,
) -> Result<Attr<crate::terraform::Number>, Diagnostics> {
    match (tencent.default_sdk_app_id(), prior) {
        (Attr::Known(default), _) => Ok(number(*default)),
        (Attr::Null, Some(prior)) => Ok(prior.sdk_app_id.clone()),
        (Attr::Null, None) => Err(tencent.no_sdk_app_id()),
        (Attr::Unknown, None) => Ok(Attr::Unknown),
        (Attr::Unknown, Some(prior)) => {
            let id = prior.id.known().map(String::as_str).unwrap_or_default();
            cx.warn(
                Diagnostic::warning(
                    format!("Planned for SDKAppID {id}, which may change"),
                    format!(
                        "The provider's sdk_app_id is known only after apply. This plan assumes that it stays {id}; if it \
                         turns out to be another one, the apply fails. Set the resource's sdk_app_id, or use -target to \
                         first apply what the provider's sdk_app_id depends on."
                    ),
                )
                .on("sdk_app_id"),
            );
            Ok(prior.sdk_app_id.clone())
        }
    }
}

/// Looks whether a creation would overwrite something, and says so. With `replaces`, an object of another application is
/// destroyed for it.
async fn look_before_creating(
    tencent: &Tencent,
    planned: &CallCallback,
    replaces: bool,
    cx: &mut Context,
) -> Result<(), Diagnostics> {
    if !is_known(tencent, planned, cx) || !matches!(planned.sdk_app_id, Attr::Known(_)) {
        cx.warn(could_not_check());
        return Ok(());
    }
    let callback = planned.at_tencent(tencent, Operation::Read, cx)?.within(LONGEST_LOOK);
    let guarded = planned.overwrite_existing == Attr::Known(false);
    let found = match callback.fresh_look() {
        Some(found) => found,
        None => match callback.look().await {
            Ok(found) => found,
            Err(error) => {
                cx.warn(failed_look(&callback, &error, guarded, replaces)?);
                return Ok(());
            }
        },
    };
    let Some(existing) = found.filter(|found| !callback.is_released(found)) else { return Ok(()) };
    let id = callback.sdk_app_id();
    if planned.remote().is_some_and(|planned| planned.is_equivalent(&existing)) {
        cx.warn(exists_as_planned(id, &existing));
    } else if guarded {
        return Err(refused_to_overwrite(id, &existing).into());
    } else {
        cx.warn(overwrites(id, &existing));
    }
    Ok(())
}

/// What a failed look means for a plan: a warning where it may pass and nothing else depends on it.
fn failed_look(
    callback: &Callback<'_>,
    error: &Error,
    guarded: bool,
    replaces: bool,
) -> Result<Diagnostic, Diagnostic> {
    if error.kind == ErrorKind::Stopped {
        return Err(Diagnostic::error("Planning was interrupted", "Nothing was written. Run the plan again."));
    }
    let mut diagnostic = callback.failed("Checking for an existing callback configuration", error);
    if !error.kind.may_pass() {
        return Err(diagnostic);
    }
    let consequence = if guarded {
        "With overwrite_existing = false, there is no plan without this check."
    } else if replaces {
        "This plan would destroy the callback configuration of another application first, so it needs this check."
    } else {
        diagnostic.severity = Severity::Warning;
        "It is not known whether this plan overwrites an existing callback configuration."
    };
    diagnostic.detail += &format!("\n\n{consequence}");
    if diagnostic.severity == Severity::Warning { Ok(diagnostic) } else { Err(diagnostic) }
}

fn could_not_check() -> Diagnostic {
    Diagnostic::warning(
        "Could not check for an existing callback configuration",
        "The application or its credentials are known only after apply. If the application has a callback configuration \
         by then, this plan overwrites it, unless overwrite_existing is false.",
    )
}

fn exists_as_planned(id: SdkAppId, existing: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        "The callback configuration exists already, as planned",
        format!("SDKAppID {id} already sends {}. This plan writes the same again.", describe(existing)),
    )
}

/// Terraform shows this with the plan, and again after the apply.
fn overwrites(id: SdkAppId, existing: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        "This plan overwrites an existing callback configuration",
        format!(
            "When the provider checked, SDKAppID {id} had a callback configuration that Terraform does not manage here. It \
             sent {}. This plan replaces all of it.\n\n{}",
            describe(existing),
            how_to_import(id)
        ),
    )
}

fn deletes_what_has_changed(callback: &Callback<'_>, found: &CallbackConfiguration) -> Diagnostic {
    Diagnostic::warning(
        format!("The callback configuration of SDKAppID {} is not what the state says", callback.sdk_app_id()),
        format!(
            "When the provider checked, it sent {}. Somebody else has set that. This plan deletes it.",
            describe(found)
        ),
    )
}

fn managed_twice_alike(callback: &Callback<'_>) -> Diagnostic {
    let id = callback.sdk_app_id();
    Diagnostic::warning(
        format!("Two resources for the callback configuration of SDKAppID {id}"),
        "Another resource with this provider manages the same application, and so far the two want the same. As soon as \
         they differ, the plan fails. Remove one of the two: if both are in the state, use a removed block.",
    )
    .on("sdk_app_id")
}

fn managed_twice_perhaps_alike(callback: &Callback<'_>) -> Diagnostic {
    let id = callback.sdk_app_id();
    Diagnostic::warning(
        format!("Two resources for the callback configuration of SDKAppID {id}"),
        "Another resource with this provider manages the same application. What they want is known only after apply; if \
         that differs, the apply fails. An application has only one callback configuration: remove one of the two.",
    )
    .on("sdk_app_id")
}

fn written_again(callback: &Callback<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("The callback configuration of SDKAppID {} is written again", callback.sdk_app_id()),
        "Terraform also destroys another object in its state that belongs to this application. An application has only \
         one callback configuration, so this plan writes it once more: it is there whichever of the two comes first.",
    )
}

fn needs_refresh(callback: &Callback<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Several objects for the callback configuration of SDKAppID {}", callback.sdk_app_id()),
        "This plan destroys one of several objects in the state that belong to this application, and keeps another. \
         Terraform has not read them from Tencent in this run, and without that the provider cannot keep the \
         configuration of the one that stays. Run the plan without -refresh=false.",
    )
}
