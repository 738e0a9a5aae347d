//! Placeholders in constant SQL text, and what takes their place.

use super::SqlError;
use super::compose::{Argument, Piece, Sql};

/// The pieces with every placeholder of their constant texts replaced.
pub(super) fn fill(pieces: &[Piece], arguments: &[&dyn Argument]) -> Result<Sql, SqlError> {
    let mut filling = Filling::new(arguments)?;
    let mut filled = Sql::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filling.fill_text(text, &mut filled)?,
            other => filled.pieces.push(other.clone()),
        }
    }
    filling.finish()?;
    Ok(filled)
}

struct Filling<'a> {
    arguments: &'a [&'a dyn Argument],
    /// Where the arguments without a name are.
    positional: Vec<usize>,
    used: Vec<bool>,
    /// How many `{}` there were.
    automatic: usize,
    /// Whether there was a `{0}`.
    numbered: bool,
}

impl<'a> Filling<'a> {
    fn new(arguments: &'a [&'a dyn Argument]) -> Result<Self, SqlError> {
        let mut names =
            arguments.iter().enumerate().filter_map(|(at, argument)| Some((at, argument.name()?)));
        if let Some((_, twice)) =
            names.find(|(at, name)| arguments[..*at].iter().any(|it| it.name() == Some(*name)))
        {
            return Err(SqlError::DuplicateArgument(twice.to_owned()));
        }
        let positional = (0..arguments.len()).filter(|at| arguments[*at].name().is_none()).collect();
        Ok(Self { arguments, positional, used: vec![false; arguments.len()], automatic: 0, numbered: false })
    }

    fn fill_text(&mut self, text: &'static str, filled: &mut Sql) -> Result<(), SqlError> {
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            push_text(filled, &rest[..at]);
            rest = &rest[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                push_text(filled, &rest[..1]);
                rest = &rest[2..];
                continue;
            }
            let placeholder = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, behind) = placeholder.ok_or_else(|| SqlError::SingleBrace(text.to_owned()))?;
            filled.push(&self.argument(name)?);
            rest = behind;
        }
        push_text(filled, rest);
        Ok(())
    }

    fn argument(&mut self, placeholder: &str) -> Result<Sql, SqlError> {
        let at = if placeholder.is_empty() {
            self.automatic += 1;
            self.positional.get(self.automatic - 1).copied()
        } else if placeholder.bytes().all(|byte| byte.is_ascii_digit()) {
            self.numbered = true;
            placeholder.parse().ok().and_then(|position: usize| self.positional.get(position).copied())
        } else if placeholder.chars().all(|char| char.is_alphanumeric() || char == '_') {
            self.arguments.iter().position(|argument| argument.name() == Some(placeholder))
        } else {
            return Err(SqlError::InvalidPlaceholder(placeholder.to_owned()));
        };
        if self.automatic > 0 && self.numbered {
            return Err(SqlError::MixedNumbering);
        }
        let at = at.ok_or_else(|| SqlError::MissingArgument(placeholder.to_owned()))?;
        self.used[at] = true;
        Ok(self.arguments[at].part())
    }

    fn finish(&self) -> Result<(), SqlError> {
        let mut unused = Vec::new();
        for (at, argument) in self.arguments.iter().enumerate().filter(|(at, _)| !self.used[*at]) {
            let position = self.positional.iter().position(|known| *known == at).unwrap_or_default();
            unused.push(argument.name().map_or_else(|| position.to_string(), str::to_owned));
        }
        if unused.is_empty() { Ok(()) } else { Err(SqlError::UnusedArguments(unused)) }
    }
}

fn push_text(filled: &mut Sql, text: &'static str) {
    if !text.is_empty() {
        filled.pieces.push(Piece::Text(text));
    }
}
