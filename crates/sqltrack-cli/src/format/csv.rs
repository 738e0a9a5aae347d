//! CSV as in RFC 4180, but with the line ends of the systems that it is piped through.

use std::io::{self, Write};

use sqltrack_core::Rows;

use super::{RowWriter, plain};

#[derive(Default)]
pub(super) struct Csv {
    is_begun: bool,
}

impl RowWriter for Csv {
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            line(rows.columns().iter().map(|column| Some(column.name.clone())), out)?;
        }
        Ok(rows.iter().try_for_each(|row| line(row.values().iter().map(plain::text), out))?)
    }

    fn finish(&mut self, _: &mut dyn Write) -> anyhow::Result<()> {
        Ok(())
    }
}

/// NULL is nothing, and so an empty text is `""`.
fn line(fields: impl Iterator<Item = Option<String>>, out: &mut dyn Write) -> io::Result<()> {
    let mut separator = "";
    for field in fields {
        out.write_all(separator.as_bytes())?;
        separator = ",";
        match field {
            None => {}
            Some(text) if needs_quotes(&text) => write!(out, "\"{}\"", text.replace('"', "\"\""))?,
            Some(text) => out.write_all(text.as_bytes())?,
        }
    }
    writeln!(out)
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty() || text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, text};
    use super::*;
    use sqltrack_core::Value;

    #[test]
    fn null_and_the_empty_text_are_told_apart() {
        let row = vec![Value::Null, "".into(), "a,b".into(), "say \"x\"\n".into(), f64::NAN.into()];
        let rows = rows(&["a", "b", "c", "d", ""], vec![row]);
        assert_eq!(text(Csv::default(), rows), "a,b,c,d,\"\"\n,\"\",\"a,b\",\"say \"\"x\"\"\n\",NaN\n");
    }
}
