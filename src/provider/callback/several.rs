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
            format!("The {} is kept for another object", self.subject),
            format!(
                "Terraform has several objects for this application, which has only one {0}. Destroying this object \
                 deletes nothing at Tencent: the {0} stays until the last of these objects is destroyed.",
                self.subject.kind()
            ),
        )
    }

    fn managed_twice_alike(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource of this provider manages the same {}, and the two agree so far. As soon as they \
                 differ, the plan fails. Remove one of the two. If both are in the state, use a removed block.",
                self.subject.kind()
            ),
        )
        .on("sdk_app_id")
    }

    fn managed_twice_perhaps_alike(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("Two resources for the {}", self.subject),
            format!(
                "Another resource of this provider manages the same {}. Their values are known only after apply. If \
                 they differ, the apply fails. Remove one of the two.",
                self.subject.kind()
            ),
        )
        .on("sdk_app_id")
    }

    fn written_again(&self) -> Diagnostic {
        Diagnostic::warning(
            format!("The {} is written again", self.subject),
            format!(
                "Another object in Terraform's state stands for the same {0}, and Terraform destroys that object, or \
                 may do so. So this plan writes the {0} again, which keeps it whichever of the two comes first.",
                self.subject.kind()
            ),
        )
    }

    fn needs_refresh(&self) -> Diagnostic {
        Diagnostic::error(
            format!("Several objects share the {}", self.subject),
            format!(
                "This plan destroys one of several objects in the state that stand for the same {0}, and keeps \
                 another. Terraform has not read both from Tencent in this run, because of -refresh=false or because \
                 the provider's own configuration is not known yet. So the provider cannot keep the {0} for the object \
                 that stays. First apply what the provider's configuration depends on, then run the plan without \
                 -refresh=false.",
                self.subject.kind()
            ),
        )
    }
}
