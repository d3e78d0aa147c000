//! Several objects in Terraform's state that are one at Tencent: what becomes of it, and what to say of that.

use super::claims::{Claim, ClaimNumber, Goes, Mark, Stay};
use super::record::{OneOfItsKind, Record};
use crate::terraform::{Context, Diagnostic};

/// An object's place among those of its application.
pub(crate) struct Place {
    pub(crate) number: ClaimNumber,
    /// Whether it was read before it was planned.
    pub(crate) was_read: bool,
}

impl<S: OneOfItsKind, W: Clone> Record<S, W> {
    /// Notes that an object is to exist after the apply, and checks it against all others of its application. `conflict` is
    /// the error of two that want different things. With `again`, it is written although it has not changed.
    pub(crate) fn stays(
        &self,
        prior: Option<&Mark>,
        stay: Stay<W>,
        conflict: impl Fn(&W, &W) -> Option<Diagnostic>,
        again: bool,
        cx: &mut Context,
    ) -> Result<Place, Diagnostic> {
        let Stay { wanted, is_written, .. } = stay.clone();
        let claimed = self.claims.plan(prior, Claim::Stays(stay));
        for other in claimed.others.stays {
            match (&other.wanted, &wanted) {
                (Some(other), Some(wanted)) => match conflict(other, wanted) {
                    Some(conflict) => return Err(conflict),
                    None => cx.warn(self.managed_twice_alike()),
                },
                _ => cx.warn(self.managed_twice_perhaps_alike()),
            }
        }
        if claimed.others.deletes && !is_written {
            return Err(self.needs_refresh());
        }
        if again {
            cx.warn(self.written_again());
        }
        Ok(Place { number: claimed.number, was_read: claimed.when_read.is_some() })
    }

    /// The same for the second half of the plan of a replacement.
    pub(crate) fn stays_after_all(&self, number: ClaimNumber, wanted: Option<W>) {
        self.claims.plan_again(number, Claim::Stays(Stay::new(wanted, true, true)));
    }

    /// Notes that Terraform only forgets an object.
    pub(crate) fn abandon(&self, prior: &Mark) {
        self.claims.plan(Some(prior), Claim::Goes(Goes::new(false)));
    }

    /// Notes that Terraform lets go of an object, which deletes it at Tencent unless it is kept for another one. Returns
    /// whether it is; `keep` is what reading has found of that.
    pub(crate) fn let_go(&self, prior: &Mark, keep: bool) -> Result<bool, Diagnostic> {
        let claimed = self.claims.plan(Some(prior), Claim::Goes(Goes::new(true)));
        let was_read = claimed.when_read.is_some();
        // What an interrupted replacement left remembers only what reading has set.
        let remembered = keep || claimed.when_read.is_some_and(|others| others.may_stay());
        let is_late = |stay: &Stay<W>| was_read || !stay.was_read;
        if !remembered && claimed.others.unwritten().any(is_late) {
            return Err(self.needs_refresh());
        }
        let keep = remembered || claimed.others.undecided || !claimed.others.stays.is_empty();
        if keep {
            self.claims.plan_again(claimed.number, Claim::Goes(Goes::new(false)));
        }
        Ok(keep)
    }

    /// What to say of a deletion that would have deleted what another object wants.
    pub(crate) fn not_deleted(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} is left to another object", self.subject),
            format!(
                "Terraform holds several objects for this application, which has only one {}. Destroying this one deletes \
                 nothing at Tencent: it stays as long as another of these objects does.",
                self.subject.kind()
            ),
        )
    }

    fn managed_twice_alike(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource with this provider manages the same {}, and so far the two want the same. As soon as they \
                 differ, the plan fails. Remove one of the two: if both are in the state, use a removed block.",
                self.subject.kind()
            ),
        )
        .on("sdk_app_id")
    }

    fn managed_twice_perhaps_alike(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource with this provider manages the same {}. What they want is known only after apply; if that \
                 differs, the apply fails. Remove one of the two.",
                self.subject.kind()
            ),
        )
        .on("sdk_app_id")
    }

    fn written_again(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} is written again", self.subject),
            format!(
                "Another object in Terraform's state is the same {}, and Terraform destroys it, or may. So this plan writes \
                 it once more: it is there whichever of the two comes first.",
                self.subject.kind()
            ),
        )
    }

    fn needs_refresh(&self) -> Diagnostic {
        Diagnostic::error(
            format!("Several objects for the {}", self.subject),
            format!(
                "This plan destroys one of several objects in the state that are one and the same, and keeps another. \
                 Terraform has not read both from Tencent in this run, because of -refresh=false or because the provider's \
                 own configuration is not known yet, so the provider cannot keep the {} of the one that stays. Run the plan \
                 without -refresh=false, and first apply what the provider's configuration depends on.",
                self.subject.kind()
            ),
        )
    }
}
