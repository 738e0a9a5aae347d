//! The places of a text that are to be masked.

use std::ops::Range;

use super::MASK;

/// Places of a text, found in any order.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Adds a place, unless it is empty.
    pub(super) fn add(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.0.push(span);
        }
    }

    /// What stands in these places.
    pub(super) fn texts<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(|span| text.get(span.clone()))
    }

    /// The text with one mask for each place, and for places that touch.
    pub(super) fn mask(mut self, text: &str) -> String {
        self.0.sort_unstable_by_key(|span| span.start);
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        let mut spans = self.0.into_iter().peekable();
        while let Some(mut span) = spans.next() {
            while let Some(next) = spans.next_if(|next| next.start <= span.end) {
                span.end = span.end.max(next.end);
            }
            masked.push_str(text.get(done..span.start).unwrap_or_default());
            masked.push_str(MASK);
            done = span.end;
        }
        masked.push_str(text.get(done..).unwrap_or_default());
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_overlap_or_touch_are_one() {
        let mut spans = Spans::default();
        for span in [6..8, 0..1, 3..5, 2..3, 3..4, 8..8] {
            spans.add(span);
        }
        assert_eq!(spans.mask("abcdefghi"), "****b****f****i");
        assert_eq!(Spans::default().mask("é"), "é");
    }
}
