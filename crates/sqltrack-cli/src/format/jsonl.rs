//! JSON lines: an object for each row.

use std::io::Write;

use sqltrack_core::Rows;

use super::{RowWriter, json};

pub(super) struct Jsonl;

impl RowWriter for Jsonl {
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        let keys = json::keys(rows.columns());
        for row in &rows {
            json::object(&keys, row, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut dyn Write) -> anyhow::Result<()> {
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
        assert_eq!(text(Jsonl, two), "{\"a\":1}\n{\"a\":\"x\\ny\"}\n");
        assert_eq!(text(Jsonl, rows(&["a"], Vec::new())), "");
    }
}
