//! CSV as in RFC 4180, but with the line ends of the systems that it is piped through.

use std::io::{self, Write};

use sqltrack_core::{Rows, Value, text};

use super::{RowWriter, plain};

#[derive(Default)]
pub(super) struct Csv {
    is_begun: bool,
    /// A line, whose memory is used for the next one.
    line: String,
}

impl RowWriter for Csv {
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.write(rows.columns(), |column, line| quoted(&column.name, line), out)?;
        }
        Ok(rows.iter().try_for_each(|row| self.write(row.values(), append, out))?)
    }

    fn finish(&mut self, _: &mut dyn Write) -> anyhow::Result<()> {
        Ok(())
    }
}

impl Csv {
    fn write<T>(
        &mut self,
        fields: &[T],
        append: impl Fn(&T, &mut String),
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.line.clear();
        for (number, field) in fields.iter().enumerate() {
            if number > 0 {
                self.line.push(',');
            }
            append(field, &mut self.line);
        }
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }
}

/// NULL is nothing, and so an empty text is `""`.
fn append(value: &Value, line: &mut String) {
    match value {
        Value::Int(_) | Value::Float(_) => text::append(value, line),
        value => {
            if let Some(text) = plain::text(value) {
                quoted(&text, line);
            }
        }
    }
}

/// The text, in quotes where it needs them.
fn quoted(text: &str, line: &mut String) {
    if needs_quotes(text) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, text};
    use super::*;

    #[test]
    fn null_and_the_empty_text_are_told_apart() {
        let row = vec![Value::Null, "".into(), "a,b".into(), "say \"x\"\n".into(), f64::NAN.into()];
        let rows = rows(&["a", "b", "c", "d", ""], vec![row]);
        assert_eq!(text(Csv::default(), rows), "a,b,c,d,\"\"\n,\"\",\"a,b\",\"say \"\"x\"\"\n\",NaN\n");
    }
}
