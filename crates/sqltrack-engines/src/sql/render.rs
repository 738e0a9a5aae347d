//! From parts to text, with a check that every identifier and literal is still what it was.

use std::collections::HashSet;
use std::ops::Range;

use super::SqlError;
use super::compose::Piece;
use crate::Dialect;
use crate::script::{continues_word, tokens};

/// An identifier or a literal in the text.
struct Quoted {
    what: &'static str,
    behind: &'static str,
    range: Range<usize>,
}

/// The text of the pieces, one after the other.
pub(super) fn render(pieces: &[Piece], dialect: Dialect) -> Result<String, SqlError> {
    let mut text = String::new();
    let mut quoted = Vec::new();
    let mut behind = "";
    for piece in pieces {
        let (what, written) = match piece {
            Piece::Text(constant) => {
                text.push_str(constant);
                behind = constant;
                continue;
            }
            Piece::Identifier(identifier) => ("identifier", identifier.quoted()?),
            Piece::Literal(literal) => ("literal", literal.written(dialect)?),
        };
        separate(&mut text, &written);
        let start = text.len();
        text.push_str(&written);
        quoted.push(Quoted { what, behind, range: start..text.len() });
    }
    check_stay_whole(&text, &quoted, dialect)?;
    Ok(text)
}

/// `LIKE'a'` is right, and `LIKEE'a\\b'` is not: whether a space is missing must not depend on the value.
fn separate(text: &mut String, written: &str) {
    let ends_in_word = text.bytes().last().is_some_and(continues_word);
    if ends_in_word && written.bytes().next().is_some_and(continues_word) {
        text.push(' ');
    }
}

/// Quoting alone is not enough: in `'{}'` a value's own quotes would end the string, and behind `--` or an
/// `E` it would be no value either. So both ends of each must be ends of tokens in the text as a whole.
fn check_stay_whole(text: &str, quoted: &[Quoted], dialect: Dialect) -> Result<(), SqlError> {
    if quoted.is_empty() {
        return Ok(());
    }
    let mut starts = HashSet::new();
    let mut ends = HashSet::new();
    for token in tokens(text, dialect) {
        let token = token?;
        starts.insert(token.offset);
        ends.insert(token.end());
    }
    let misplaced =
        quoted.iter().find(|it| !starts.contains(&it.range.start) || !ends.contains(&it.range.end));
    match misplaced {
        Some(Quoted { what, behind, .. }) => Err(SqlError::Misplaced { what, behind }),
        None => Ok(()),
    }
}
