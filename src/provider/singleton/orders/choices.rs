//! A depth-first walk through all runs of something that decides by picking.

/// The decisions of one run: first those of a prefix, then the first alternative each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// For each decision, the alternative taken and the number of alternatives.
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    /// Picks one of `of` alternatives.
    pub(super) fn pick(&mut self, of: usize) -> usize {
        if of <= 1 {
            return 0;
        }
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (taken, alternatives) = self.taken[self.at];
        assert_eq!(alternatives, of, "the same decisions lead to the same run: {:?}", self.taken);
        self.at += 1;
        taken
    }

    /// Returns the decisions that this run has made so far.
    pub(super) fn so_far(&self) -> Self {
        Self { taken: self.taken[..self.at].to_vec(), at: self.at }
    }

    /// Returns the decisions of the next run; `None` after the last one.
    pub(super) fn next(mut self) -> Option<Self> {
        self.taken.truncate(self.at);
        while let Some((taken, of)) = self.taken.pop() {
            if taken + 1 < of {
                self.taken.push((taken + 1, of));
                return Some(Self { at: 0, ..self });
            }
        }
        None
    }
}

#[test]
fn every_sequence_of_decisions_is_taken_once() {
    let (mut choices, mut seen) = (Some(Choices::default()), Vec::new());
    while let Some(mut run) = choices {
        let first = run.pick(2);
        seen.push((first, if first == 1 { run.pick(3) } else { run.pick(1) }));
        choices = run.next();
    }
    assert_eq!(seen, [(0, 0), (1, 0), (1, 1), (1, 2)]);
}
