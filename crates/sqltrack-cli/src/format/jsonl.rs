//! JSON lines: an object for each row.

use std::io::{self, Write};

use sqltrack_core::Rows;

use super::{Format, json};

pub(super) struct Jsonl;

impl Format for Jsonl {
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
        let keys = json::keys(rows.columns());
        for row in rows {
            json::object(&keys, row, out)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, text};
    use super::*;

    #[test]
    fn every_line_is_an_object() {
        let two = rows(&["a"], vec![vec![1.into()], vec!["x\ny".into()]]);
        assert_eq!(text(&Jsonl, &two), "{\"a\":1}\n{\"a\":\"x\\ny\"}\n");
        assert_eq!(text(&Jsonl, &rows(&["a"], Vec::new())), "");
    }
}
