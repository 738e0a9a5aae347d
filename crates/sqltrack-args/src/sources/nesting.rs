//! How deep a parser would have to go.
//!
//! Recursive parsers, and the trees that they build, need stack for every bracket that is open, and for every
//! operator and call in the expression around it. That is at most the number of tokens on the way from the
//! top of the file to the deepest token, not counting what a separator has ended: bounded here before the
//! parser sees the file.

/// More than any source written by people needs.
const MAX_DEPTH: usize = 4_000;

/// What a token means for nesting.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Open,
    Close,
    /// Ends an element of a list, or a statement.
    Separator,
    Other,
}

/// Follows tokens, and says when they nest too deeply.
#[derive(Default)]
pub(super) struct Nesting {
    depth: usize,
    /// For each open bracket, the depth after it.
    open: Vec<usize>,
}

impl Nesting {
    /// Takes one token; `false` if it is too deep.
    pub(super) fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Open => {
                self.depth += 1;
                self.open.push(self.depth);
            }
            Step::Close => self.depth = self.open.pop().unwrap_or_default(),
            Step::Separator => self.depth = self.open.last().copied().unwrap_or_default(),
            Step::Other => self.depth += 1,
        }
        self.depth <= MAX_DEPTH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(steps: impl IntoIterator<Item = Step>) -> bool {
        let mut nesting = Nesting::default();
        steps.into_iter().all(|step| nesting.step(step))
    }

    #[test]
    fn what_is_closed_or_separated_does_not_add_up() {
        let many = 10 * MAX_DEPTH;
        assert!(is_fine([Step::Other, Step::Separator].into_iter().cycle().take(many)));
        assert!(!is_fine([Step::Open].into_iter().cycle().take(many)));
        assert!(!is_fine([Step::Other].into_iter().cycle().take(many)));
        assert!(!is_fine([Step::Open, Step::Separator].into_iter().cycle().take(many)));
    }
}
