//! The diagnostics of the flow, in the words of each kind.

use super::ledger::Twin;
use super::model::{ABANDON, Guard};
use super::moved::{SDK_APP_ID, Source, Told};
use super::{Kind, Object, Subject, Words};
use crate::tencent::{ALREADY_CONFIGURED, ApiVersion, App, Error, ErrorKind, Retry, Route, SdkAppId, Service, Stored};
use crate::terraform::{Attr, Diagnostic, Number, Severity};

/// The usual suspects, for messages about something else that writes.
const OTHER_WRITERS: &str = "the console, a script, or another Terraform state";

/// Messages of planning.
impl<K: Kind> Subject<K> {
    /// Refuses to overwrite `found`. `may_be_own` is whether the host may be creating a replacement before it destroys the old
    /// object: only one that hands plans back lets the provider tell.
    pub(super) fn already_exists(&self, found: &K::Content, is_handed_on: bool, may_be_own: bool) -> Diagnostic {
        let (holds, import) = (self.holds(self.kind.describe(found)), self.how_to_keep(is_handed_on));
        let own = match may_be_own {
            true => {
                "If this apply replaces the resource with create_before_destroy, an import does not help: apply the \
                 change first, and replace the resource afterwards.\n\n"
            }
            false => "",
        };
        let detail = format!(
            "It {holds}. This resource does not manage it yet, and overwrite_existing is not true.\n\n{import}\n\n{own}To \
             overwrite it on purpose, set this in the resource:\n\n  overwrite_existing = true"
        );
        Diagnostic::error(format!("SDKAppID {} already has a {}", self.id, self.kind.name()), detail)
            .on("overwrite_existing")
    }

    /// Announces that a creation overwrites `found`. Terraform shows this with the plan, and again after the apply.
    pub(super) fn overwrites(&self, found: &K::Content, wanted: Option<&K::Content>, is_handed_on: bool) -> Diagnostic {
        let (held, noun) = (self.held(self.kind.describe(found)), K::Content::NOUN);
        let manager = match is_handed_on {
            true => format!("Another resource manages that {noun}, and this plan destroys that resource."),
            false => format!("This resource does not manage that {noun} yet."),
        };
        let consequence = self.kind.consequence(found, wanted).map(|said| format!(" {said}")).unwrap_or_default();
        let detail = format!(
            "When the provider checked, {held}. {manager} This plan replaces all of it, as overwrite_existing \
             allows.{consequence}"
        );
        Diagnostic::warning(format!("This plan overwrites the existing {self}"), detail)
    }

    /// Announces that an object that moves here overwrites what another object of the same plan leaves here.
    pub(super) fn takes_over(&self, found: &K::Content, wanted: Option<&K::Content>) -> Diagnostic {
        let (held, noun) = (self.held(self.kind.describe(found)), K::Content::NOUN);
        let with = wanted.map(|wanted| format!(" with {}", self.kind.describe(wanted))).unwrap_or_default();
        let detail = format!(
            "When the provider checked, {held}. Another resource of this plan manages that {noun}, and moves away or is \
             destroyed. This plan replaces it{with}."
        );
        Diagnostic::warning(format!("The {self} passes to another resource"), detail)
    }

    /// Says how to keep what exists. If another object of the plan hands it on, an import is no way.
    fn how_to_keep(&self, is_handed_on: bool) -> String {
        if !is_handed_on {
            return how_to_import(self.id);
        }
        "Another resource manages it, and this plan destroys that resource. If the resource was renamed, use a moved \
         block instead."
            .to_owned()
    }

    /// Announces that a creation finds what it is to create.
    pub(super) fn exists_as_planned(&self, found: &K::Content) -> Diagnostic {
        let (id, noun, holds) = (self.id, K::Content::NOUN, self.holds(self.kind.describe(found)));
        let detail = format!("SDKAppID {id} already {holds}. This plan writes the same {noun} again.");
        Diagnostic::warning(format!("The {self} already exists as planned"), detail)
    }

    /// Announces that a deletion deletes something that someone else has changed.
    pub(super) fn deletes_changed(&self, found: &K::Content) -> Diagnostic {
        let held = self.held(self.kind.describe(found));
        let detail = format!("When the provider checked, {held}. Someone else has changed it. This plan deletes it.");
        Diagnostic::warning(format!("The {self} differs from the state"), detail)
    }

    /// Announces that a destruction leaves the remote object at Tencent. `policy_changes` is whether what replaces the
    /// object has another deletion_policy.
    pub(super) fn stays_abandoned(&self, last: &K::Arguments, policy_changes: bool) -> Diagnostic {
        let (noun, outcome) = (K::Content::NOUN, self.kind.after_forgetting(last));
        let (place, advice) = match policy_changes {
            true => (
                " in the state",
                " The new deletion_policy does not apply to an object that the plan replaces. To delete that object, \
                 first apply the new deletion_policy with the old sdk_app_id.",
            ),
            false => ("", ""),
        };
        let detail = format!(
            "deletion_policy is \"{ABANDON}\"{place}: Terraform only forgets the {noun}, and {outcome}.{advice}"
        );
        Diagnostic::warning(format!("The {self} stays at Tencent"), detail)
    }

    /// Announces that an object is written although it has not changed.
    pub(super) fn written_again(&self) -> Diagnostic {
        let detail = format!("{} So this plan writes it again. {}", self.another_goes(), self.gap());
        Diagnostic::warning(format!("The {self} is written again"), detail)
    }

    /// Announces that another object, planned first, deletes what this one writes.
    pub(super) fn deleted_before(&self) -> Diagnostic {
        let detail = format!("{} {}", self.another_goes(), self.gap());
        Diagnostic::warning(format!("The {self} may be missing for a moment"), detail)
    }

    fn another_goes(&self) -> String {
        let name = self.kind.name();
        format!("Another object in Terraform's state manages the same {name}, and this plan destroys that object.")
    }

    fn gap(&self) -> &'static str {
        "If Terraform destroys the other object first, Tencent has none until this object is written. If that write fails, \
         the error says so."
    }

    /// Warns that a deletion is skipped because another object needs the remote object.
    pub(super) fn kept_for_another(&self) -> Diagnostic {
        let name = self.kind.name();
        let detail = format!(
            "Terraform has several objects for this application, which has only one {name}. Destroying this object \
             deletes nothing at Tencent: the {name} stays until the last of these objects is destroyed."
        );
        Diagnostic::warning(format!("The {self} is kept for another object"), detail)
    }

    /// Refuses a plan that destroys one object, and keeps another that was not read in time.
    pub(super) fn needs_refresh(&self) -> Diagnostic {
        let name = self.kind.name();
        let detail = format!(
            "This plan destroys one of several objects in the state that manage the same {name}, and keeps another. \
             Terraform has not read both from Tencent in this run, because of -refresh=false or because the provider's \
             own configuration is not known yet. So the provider cannot keep the {name} for the object that stays. \
             First apply what the provider's configuration depends on, then run the plan without -refresh=false."
        );
        Diagnostic::error(format!("Several objects share the {self}"), detail)
    }

    /// Warns about another resource for the same remote object; two that want different contents are an error.
    pub(super) fn twin(&self, twin: &Twin<K::Content>, wanted: Option<&K::Content>) -> Result<Diagnostic, Diagnostic> {
        let outcome = match (twin, wanted) {
            (Twin::Conflicting(other), Some(wanted)) => return Err(self.managed_twice(other, wanted)),
            (Twin::Agreeing, _) => {
                ", and the two agree so far. As soon as they differ, the plan fails. Remove one of the two. If both are in \
                 the state, use a removed block."
            }
            _ => ". Their values are known only after apply. If they differ, the apply fails. Remove one of the two.",
        };
        let detail = format!("Another resource of this provider manages the same {}{outcome}", self.kind.name());
        Ok(Diagnostic::warning(format!("Two resources for the {self}"), detail).on("sdk_app_id"))
    }

    /// Refuses two resources that want different contents.
    pub(super) fn managed_twice(&self, other: &K::Content, wanted: &K::Content) -> Diagnostic {
        let (name, noun, Words { sends, secret, .. }) = (self.kind.name(), K::Content::NOUN, self.kind.words());
        let difference = match (self.kind.describe(other), self.kind.describe(wanted)) {
            (other, wanted) if other == wanted => format!("The two differ in the {secret}."),
            (other, wanted) => format!("It {sends} {other}; this one {sends} {wanted}."),
        };
        let detail = format!(
            "Another resource of this provider manages the same {noun}. {difference} An application has only one {name}: \
             remove one of the two resources, or change its sdk_app_id."
        );
        Diagnostic::error(format!("Two resources for the {self}"), detail).on("sdk_app_id")
    }
}

/// Messages of refreshing and importing.
impl<K: Kind> Subject<K> {
    /// Warns that the secret is not the one in Terraform's records.
    pub(super) fn secret_changed(&self, found: &K::Content) -> Diagnostic {
        let (Words { argument, secret, .. }, drift) = (self.kind.words(), self.kind.drift(found));
        self.not_on_record(&format!(
            "{drift} The state does not hold the {secret}, so a plan shows the difference only in {argument}_wo_version \
             or last_request_id. Applying sends {argument}_wo, unless Tencent has it by then."
        ))
    }

    /// Announces that a deletion deletes a secret that is not the one in Terraform's records.
    pub(super) fn deletes_changed_secret(&self) -> Diagnostic {
        self.not_on_record("This plan deletes it.")
    }

    fn not_on_record(&self, outcome: &str) -> Diagnostic {
        let (name, secret) = (self.kind.name(), self.kind.words().secret);
        let what = name.strip_suffix(K::Content::NOUN).map_or(name.clone(), |name| format!("{name}{secret}"));
        let detail = format!(
            "Someone else has changed the {secret}, or an earlier apply ended before Terraform recorded the {secret} that \
             it sent. {outcome}"
        );
        Diagnostic::warning(format!("The {what} of SDKAppID {} is not the one on record", self.id), detail)
    }

    /// Announces that Tencent has the write-only value of the configuration, although Terraform has no record of it.
    pub(super) fn is_as_write_only(&self) -> Diagnostic {
        let Words { argument, secret, .. } = self.kind.words();
        let detail = format!(
            "Tencent has the {secret} of {argument}_wo: an earlier apply may have sent it and ended before Terraform \
             recorded that. Unless it changes until then, applying this plan records it and sends nothing."
        );
        Diagnostic::warning(format!("The {self} is already as {argument}_wo says"), detail)
    }

    /// Refuses to import what is not there.
    pub(super) fn not_there(&self) -> Diagnostic {
        let noun = K::Content::NOUN;
        let detail = format!(
            "There is nothing to import. Check the SDKAppID and the provider's region, or remove the import and let \
             Terraform create the {noun}."
        );
        Diagnostic::error(format!("SDKAppID {} has no {}", self.id, self.kind.name()), detail)
    }

    /// Warns that a refresh was skipped, because the credentials come from an unknown entry of `apps`.
    pub(super) fn not_refreshed(&self) -> Diagnostic {
        let detail = "The provider takes its credentials from apps, and they are known only after apply. The plan shows \
                      the object as the last apply left it.";
        Diagnostic::warning(format!("The {self} was not refreshed"), detail)
    }
}

/// Messages of applying.
impl<K: Kind> Subject<K> {
    /// Refuses to delete the remote object after a write for another object has failed.
    pub(super) fn not_deleted_after_failure(&self) -> Diagnostic {
        let name = self.kind.name();
        let detail = format!(
            "Another object in this apply manages the same {name}, and writing it failed. Nothing was deleted. Fix \
             that error, and run a new plan."
        );
        Diagnostic::error(format!("The {self} was not deleted"), detail)
    }

    /// Warns of [`kept_for_another`](Self::kept_for_another) where only the last refresh tells of the other object.
    pub(super) fn kept_as_remembered(&self) -> Diagnostic {
        let mut diagnostic = self.kept_for_another();
        diagnostic.detail += " This run has not seen the other objects: the last refresh did. If they are no longer in the \
                              state, destroy this one without -refresh=false.";
        diagnostic
    }

    /// Adds to a failed write that this apply has deleted what was there before.
    pub(super) fn has_none_now(&self) -> String {
        format!("\n\nThis apply has deleted the {} of another object. The application has none now.", K::Content::NOUN)
    }

    /// Warns that someone has set `found` since the plan, and that the apply replaces it with `wanted`.
    pub(super) fn will_replace(&self, found: &K::Content, wanted: Option<&K::Content>) -> Diagnostic {
        let outcome = match (self.kind.consequence(found, wanted), wanted) {
            (Some(consequence), _) => format!("This apply replaces it. {consequence}"),
            (None, Some(wanted)) => format!("This apply replaces it with {}.", self.kind.describe(wanted)),
            (None, None) => "This apply replaces it.".to_owned(),
        };
        self.has_changed(found, &outcome)
    }

    /// Warns that someone has set `found` since the plan. `outcome` says what the apply does.
    pub(super) fn has_changed(&self, found: &K::Content, outcome: &str) -> Diagnostic {
        let held = self.held(self.kind.describe(found));
        let detail = format!("Just before this apply, {held}, which the plan did not show. {outcome}");
        Diagnostic::warning(format!("The {self} has changed since the plan"), detail)
    }

    /// Refuses to touch what someone has set since the plan.
    pub(super) fn must_not_change(&self, found: &K::Content, outcome: &str) -> Diagnostic {
        let Words { subject, sends, .. } = self.kind.words();
        let (subject, found) = (sentence(subject), self.kind.describe(found));
        let detail = format!(
            "{subject} now {sends} {found}, which the plan did not show, and overwrite_existing is not true. {outcome} \
             Run a new plan to see the change."
        );
        Diagnostic::error(format!("The {self} has changed since the plan"), detail).on("overwrite_existing")
    }

    /// Warns that a write does not show although Tencent accepted it. `found` was there before as well.
    pub(super) fn does_not_show(&self, found: Option<&K::Content>) -> Diagnostic {
        let noun = K::Content::NOUN;
        let shown =
            found.map_or("none".to_owned(), |found| format!("the earlier {noun}: {}", self.kind.describe(found)));
        let detail = format!(
            "Tencent accepted the write, but reads still show {shown}. Terraform keeps the {noun} in the state as \
             written. Either Tencent's reads lag, or someone has just undone the write. The next plan shows what is \
             there."
        );
        Diagnostic::warning(format!("The {self} does not show the write yet"), detail)
    }

    /// Reports that a remote object is still there although Tencent accepted its deletion.
    pub(super) fn still_there(&self, found: &K::Content) -> Diagnostic {
        let (noun, holds) = (K::Content::NOUN, self.holds(self.kind.describe(found)));
        let detail = format!(
            "Tencent accepted the deletion, but reads still show the {noun}: the application {holds}. Terraform keeps it \
             in the state. Either Tencent's reads lag, or someone has just set it again. The next plan shows what is \
             there."
        );
        Diagnostic::error(format!("The {self} is still there after its deletion"), detail)
    }

    /// Warns that someone has set `found` right after a deletion.
    pub(super) fn set_after_deletion(&self, found: &K::Content) -> Diagnostic {
        let held = self.held(self.kind.describe(found));
        let detail = format!(
            "Right after this apply deleted it, {held}. Terraform does not manage that {}. Find out what else sets it: \
             {OTHER_WRITERS}.",
            K::Content::NOUN
        );
        Diagnostic::warning(format!("Someone else is changing the {self}"), detail)
    }

    /// Adds to Tencent's answer that there is a remote object already that reads do not show it.
    pub(super) fn exists_unseen(&self) -> String {
        let noun = K::Content::NOUN;
        format!(
            "\n\nSo the application has a {noun}, but reads show none yet: it is this apply's own, or someone has just \
             created it. The next plan shows it."
        )
    }

    /// Adds that what reads do not show is not replaced.
    pub(super) fn must_not_replace_unseen(&self, outcome: &str) -> String {
        format!("{} It is not replaced, because overwrite_existing is not true. {outcome}", self.exists_unseen())
    }

    /// Warns that a write replaced what reads did not show.
    pub(super) fn replaced_unseen(&self) -> Diagnostic {
        let noun = K::Content::NOUN;
        let detail = format!(
            "Tencent answered that someone has just created a {noun} (error {ALREADY_CONFIGURED}), but reads did not show \
             it. This apply replaced it. Find out what else sets it: {OTHER_WRITERS}."
        );
        Diagnostic::warning(format!("The {self} has changed since the plan"), detail)
    }

    /// Warns that someone has deleted since the plan what the apply replaces.
    pub(super) fn was_deleted(&self) -> Diagnostic {
        let (name, noun) = (self.kind.name(), K::Content::NOUN);
        let detail = format!(
            "The plan showed a {name}, but just before this apply, the application had none. This apply creates the \
             {noun} again. Find out what else deletes it: {OTHER_WRITERS}."
        );
        Diagnostic::warning(format!("The {self} has been deleted since the plan"), detail)
    }

    /// Refuses to create again what someone has deleted since the plan.
    pub(super) fn must_not_create_again(&self) -> Diagnostic {
        let name = self.kind.name();
        let detail = format!(
            "The plan showed a {name}, but the application has none now, and overwrite_existing is not true. \
             Nothing was written. Run a new plan: it shows the {name} as one to create."
        );
        Diagnostic::error(format!("The {self} has been deleted since the plan"), detail).on("overwrite_existing")
    }

    /// Warns that a write had to be repeated.
    pub(super) fn wrote_twice(&self, first: Option<&K::Content>) -> Diagnostic {
        let held = self.held_unexpected(first);
        let detail = format!(
            "Right after this apply wrote it, {held}. This apply wrote it a second time, and that took effect. Find out \
             what else changes it: {OTHER_WRITERS}."
        );
        Diagnostic::warning(format!("Someone else is changing the {self}"), detail)
    }

    /// Adds to a failed second write what the first one led to.
    pub(super) fn not_rewritten(&self, first: Option<&K::Content>) -> String {
        let held = self.held_unexpected(first);
        format!(
            "\n\nRight after this apply wrote it, {held}. Writing it a second time failed. Find out what else changes \
             it: {OTHER_WRITERS}. The next plan will show what is there."
        )
    }

    /// Refuses to write again over what someone has set right after the write.
    pub(super) fn changed_after_write(&self, found: &K::Content) -> Diagnostic {
        let held = self.held_unexpected(Some(found));
        let detail = format!(
            "Right after this apply wrote it, {held}. The provider left it as it is, because overwrite_existing is \
             not true. Find out what else changes it ({OTHER_WRITERS}), then run a new plan."
        );
        Diagnostic::error(format!("Someone else is changing the {self}"), detail)
    }

    /// Reports that Tencent accepted two writes and holds something else.
    pub(super) fn does_not_hold(&self, wanted: &K::Content, found: Option<&K::Content>) -> Diagnostic {
        let (wanted, held) = (self.kind.describe(wanted), self.held_unexpected(found));
        let detail = format!(
            "This apply wrote it twice: {wanted}. Tencent accepted it each time, but then {held}. Find out what else \
             changes it: {OTHER_WRITERS}. The next plan will show what is there."
        );
        Diagnostic::error(format!("The {self} differs from what was written"), detail)
    }

    /// Warns, for as long as that is so, that Tencent stores a form of its own.
    pub(super) fn stores_own_form(&self, difference: &str, written: &K::Content, stored: &K::Content) -> Diagnostic {
        let (written, stored, noun) = (self.kind.describe(written), self.kind.describe(stored), K::Content::NOUN);
        let detail = format!(
            "Tencent stores {difference}. The provider wrote {written}. Tencent stores {stored}. Terraform shows no \
             difference until that changes. To stop this warning, write the {noun} the way Tencent stores it."
        );
        Diagnostic::warning(format!("Tencent stores the {self} differently"), detail)
    }

    /// Returns a clause without a subject, such as "sends A to URL".
    pub(super) fn holds(&self, described: String) -> String {
        format!("{} {described}", self.kind.words().sends)
    }

    /// Returns a clause in the past, such as "Tencent sent A to URL".
    fn held(&self, described: String) -> String {
        let Words { subject, sent, .. } = self.kind.words();
        format!("{subject} {sent} {described}")
    }

    /// Describes what is there instead of what was written.
    pub(super) fn described_unexpected(&self, found: &K::Content) -> String {
        self.kind.describe(found) + self.kind.words().unlike_written
    }

    fn held_unexpected(&self, found: Option<&K::Content>) -> String {
        found.map_or("the application had none".to_owned(), |found| self.held(self.described_unexpected(found)))
    }
}

/// Judges that a creation could not be checked, because the application or its credentials are not known yet: an error
/// if the plan destroys something first that the creation, once it is refused, does not replace.
pub(super) fn could_not_check<K: Kind>(
    kind: &K,
    id: &Attr<String>,
    guard: Guard,
    moves: bool,
) -> Result<Diagnostic, Diagnostic> {
    let (name, of) = (kind.name(), id.known().map(|id| format!(" of SDKAppID {id}")).unwrap_or_default());
    if moves && guard == Guard::Refuse {
        let detail = format!(
            "The application or its credentials are known only after apply. This plan would destroy the {name} of \
             another application first, and then refuse to overwrite the {name} of this one if it has one. First apply \
             what they depend on, for example with -target."
        );
        return Err(Diagnostic::error(format!("Could not check for an existing {name}{of}"), detail).on("sdk_app_id"));
    }
    let detail = format!(
        "The application or its credentials are known only after apply. If the application has a {name} by then, the \
         apply fails instead of overwriting it, unless overwrite_existing is true."
    );
    Ok(Diagnostic::warning(format!("Could not check for an existing {name}{of}"), detail))
}

/// Judges a failed check for an existing remote object, told by `diagnostic`: a warning if it may pass and nothing else
/// depends on it. `destroys` is whether the plan destroys something first.
pub(super) fn failed_check<K: Kind>(
    kind: &K,
    mut diagnostic: Diagnostic,
    error: &Error,
    guard: Guard,
    destroys: bool,
) -> Result<Diagnostic, Diagnostic> {
    if error.kind == ErrorKind::Stopped {
        return Err(planning_was_interrupted());
    }
    if !error.kind.may_pass() {
        return Err(diagnostic);
    }
    let name = kind.name();
    if destroys {
        diagnostic.detail +=
            &format!("\n\nThis plan would destroy the {name} of another application first, so it needs this check.");
        Err(diagnostic)
    } else if guard == Guard::Refuse {
        diagnostic.detail += "\n\nA plan that creates needs this check, unless overwrite_existing is true.";
        Err(diagnostic)
    } else {
        diagnostic.detail += &format!("\n\nThis plan may overwrite an existing {name}.");
        Ok(Diagnostic { severity: Severity::Warning, ..diagnostic })
    }
}

pub(super) fn planning_was_interrupted() -> Diagnostic {
    Diagnostic::error("Planning was interrupted", "Nothing was written. Run the plan again.")
}

/// Warns that a write-only argument has changed, and its version has not.
pub(super) fn overlooked_secret<K: Kind>(kind: &K, planned: &Object<K>) -> Diagnostic {
    let (Words { argument, secret, .. }, noun) = (kind.words(), K::Content::NOUN);
    let outcome = if planned.common.last_request_id.is_unknown() {
        format!("This plan writes the {noun} for another reason, and sends the new {secret} with it.")
    } else {
        format!("This plan leaves the {secret} at Tencent as it is. To send the new one, change {argument}_wo_version.")
    };
    let detail = format!("Terraform does not store write-only values, so it does not see the change. {outcome}");
    Diagnostic::warning(format!("{argument}_wo has changed, but {argument}_wo_version has not"), detail)
        .on(&format!("{argument}_wo"))
}

/// Reports that the content to write is unknown.
pub(super) fn not_known<C: Stored>() -> Diagnostic {
    let detail = "Terraform applied a plan with unknown values. This is a bug in Terraform: please report it.";
    Diagnostic::error(format!("The planned {} is not known", C::NOUN), detail)
}

/// Warns that the plan relies on an object's application staying the same. `whose` sdk_app_id is not known yet.
pub(super) fn assumes(whose: &str, id: &Attr<Number>) -> Diagnostic {
    let id = id.known().map(ToString::to_string).unwrap_or_default();
    let detail = format!(
        "{whose} sdk_app_id is known only after apply. This plan assumes that it stays {id}, so that it deletes nothing. \
         If it turns out to be another application, a later plan shows the replacement, and an apply that changes this \
         object fails. To plan with the application itself, first apply what sdk_app_id depends on, for example with \
         -target."
    );
    Diagnostic::warning(format!("This plan assumes SDKAppID {id}"), detail).on("sdk_app_id")
}

/// Turns the error of a refresh into a warning, where Terraform is about to forget the object.
pub(super) fn could_not_refresh(cause: &Diagnostic) -> Diagnostic {
    let detail = format!("{}: {}", cause.summary, cause.detail);
    Diagnostic::warning("Could not refresh an object that Terraform is about to forget", detail)
}

/// Shows how to keep what exists. The block has lines of its own, indented: Terraform does not break such lines.
fn how_to_import(id: SdkAppId) -> String {
    format!(
        "To keep it, import it: add this block, with the address of the resource shown above, and run a new plan. If \
         that plan shows a change, adjust the resource to what exists. (If the resource was renamed, use a moved block \
         instead. If it is tainted, plan without -refresh=false and -minimal-refresh.)\n\n  import {{\n    to = ADDRESS\n    \
         id = \"{id}\"\n  }}"
    )
}

/// Refuses to take over the object of another provider's resource, whose state lacks something.
pub(super) fn not_told<K: Kind>(kind: &K, type_name: &str, source: &Source, told: &Told<K::Content>) -> Diagnostic {
    let Service { version, path_segment: segment, .. } = kind.service();
    let call = K::Content::calls(version).set;
    let (paths, bodies) = (source.paths.join(", "), source.bodies.join(", "));
    let ids = source.queries.iter().chain(source.paths.iter().filter(|path| !source.queries.contains(path)));
    let ids = ids.copied().collect::<Vec<_>>().join(", ");
    let lacks = [
        (!told.service).then(|| format!("a path of {segment} (looked for in: {paths})")),
        told.id.is_none().then(|| format!("the parameter {SDK_APP_ID} with the SDKAppID (looked for in: {ids})")),
        told.content.is_none().then(|| format!("a whole body of {call} (looked for in: {bodies})")),
    ];
    let lacks = lacks.into_iter().flatten().map(|what| format!("- {what}")).collect::<Vec<_>>().join("\n");
    let detail = format!(
        "The state of the {type_name} does not hold the call {segment}/{call} that has set the {}. It lacks:\n\n{lacks}\n\n\
         Nothing was changed. Instead of the moved block, make Terraform forget the old resource, and import the {}:\n\n  \
         removed {{\n    from = OLD_ADDRESS\n    lifecycle {{\n      destroy = false\n    }}\n  }}\n\n  import {{\n    to = \
         ADDRESS\n    id = \"SDKAPPID\"\n  }}",
        kind.name(),
        K::Content::NOUN
    );
    Diagnostic::error(format!("The {type_name} cannot become a {}", kind.type_name()), detail)
}

/// Reports a failed call. `what` names the attempt, such as "Reading the call callback configuration".
pub(super) fn call_failed(what: &str, app: &App, version: ApiVersion, error: &Error) -> Diagnostic {
    let problem = match &error.kind {
        ErrorKind::Api(api) => format!("Tencent answered with {api}"),
        kind => sentence(&kind.to_string()),
    };
    let mut detail = format!("{problem}.\n\n{}", error.kind.advice(app.credentials()));
    let is_queued = matches!(error.kind, ErrorKind::Timeout { queue: Some(_), .. });
    if is_queued || error.kind.retry() == Retry::SlowDown {
        detail += " The provider's requests_per_second limits the rate of each of the API's calls.";
        if let Some(most) = version.most_per_second() {
            detail += &format!(" For this API, Tencent's own limit of {most} counts if it is lower.");
        }
    }
    if matches!(error.kind, ErrorKind::Timeout { .. }) {
        detail += " The resource's timeouts set how long an operation may take.";
    }
    if let Some(api) = error.api() {
        let route = Route::to(&app.endpoint().of(version));
        detail += &format!("\n\nCalled: {route}, as {:?} with {}", app.identifier(), app.proof());
        for (name, text) in [("ErrorInfo", &api.info), ("RequestId", &api.request_id)] {
            if !text.is_empty() {
                detail += &format!("\n{name}: {text}");
            }
        }
    }
    Diagnostic::error(format!("{what} of SDKAppID {} failed", app.sdk_app_id()), detail)
}

/// Capitalizes the first letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::applications::Account;
    use crate::provider::callback_token::CallbackTokenKind;
    use crate::provider::testing;
    use crate::tencent::{ApiError, CallbackToken, ErrorCode};

    #[test]
    fn a_failed_call_reports_the_code_the_route_and_the_request_id() {
        let version = ApiVersion::V4;
        let api = ApiError {
            code: ErrorCode { version, number: 70009 },
            info: "sig mismatch".into(),
            request_id: "Id-1".into(),
        };
        let error = Error { kind: ErrorKind::Api(api), may_have_taken_effect: false };
        let Account { identifier, credentials, origin, endpoint } = testing::account("tok3n");
        let app = App::new(testing::id(1_400_000_001), identifier, credentials, endpoint).held_by(origin);
        let diagnostic = call_failed("Reading the callback configuration", &app, version, &error);
        assert_eq!(diagnostic.summary, "Reading the callback configuration of SDKAppID 1400000001 failed");
        assert_eq!(
            diagnostic.detail,
            "Tencent answered with error 70009: the UserSig's signature is wrong.\n\nCheck that the SecretKey belongs \
             to this SDKAppID (Tencent RTC console, Basic Information) and was copied whole. It is the RTC \
             application's own key, not the SecretKey of the Tencent Cloud API (CAM).\n\nCalled: \
             https://adminapikr.im.qcloud.com:443 (the host of region \"seoul\"), as \"administrator\" with the SecretKey \
             (TENCENT_SECRET_KEY)\nErrorInfo: sig mismatch\nRequestId: Id-1"
        );
    }

    #[test]
    fn every_refusal_of_the_guard_gives_its_reason_in_the_same_words() {
        let subject = Subject { kind: CallbackTokenKind, id: testing::id(1_400_000_001) };
        let found = CallbackToken { token: "t0ken".to_owned().into(), enabled: true };
        for refusal in [
            subject.already_exists(&found, false, false).detail,
            subject.must_not_change(&found, "Nothing was written.").detail,
            subject.must_not_replace_unseen("Nothing was written."),
            subject.must_not_create_again().detail,
        ] {
            assert!(refusal.contains("overwrite_existing is not true"), "{refusal}");
        }
    }
}
