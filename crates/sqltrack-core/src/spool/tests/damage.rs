//! Files that are not what was written: what is left of them is read.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use sqltrack_engines::Value;
use tempfile::TempDir;

use super::super::entry::Entry;
use super::super::{Reader, SpoolError};
use super::{entry, left, names, open, read, segment, steps};

#[test]
fn a_damaged_file_of_a_target_says_so() {
    let root = tempfile::tempdir().unwrap();
    let path = open(&root).path().to_owned();
    fs::write(path.join("target.json"), "{").unwrap();
    let err = left(&path).target().unwrap_err();
    assert!(matches!(err, SpoolError::Damaged { .. }), "{err:?}");
}

#[test]
fn a_later_version_is_not_taken_for_damage() {
    let root = tempfile::tempdir().unwrap();
    let path = open(&root).path().to_owned();
    let mut header = fs::read(segment(&path, 1)).unwrap();
    header[8] = 2;
    let sum = crc32fast::hash(&header[..28]).to_le_bytes();
    header[28..32].copy_from_slice(&sum);
    fs::write(segment(&path, 1), header).unwrap();
    let err = Reader::of_folder(&left(&path), 0).next().unwrap_err();
    assert!(matches!(err, SpoolError::Newer { version: 2, .. }), "{err:?}");
}

/// A spool of 20 entries of different lengths, and what its only segment holds.
fn twenty(root: &TempDir) -> (PathBuf, Vec<u8>) {
    let spool = open(root);
    for step in 1..=20 {
        let text = "x".repeat(usize::try_from(step).unwrap() * 7 % 40);
        let (names, values) = (names(&["loss", "note"]), vec![Value::Int(step), Value::Text(text)]);
        spool.append(&Entry { names, values, ..entry(step) }).unwrap();
    }
    let path = spool.path().to_owned();
    drop(spool);
    let bytes = fs::read(segment(&path, 1)).unwrap();
    (path, bytes)
}

/// Entries in order, the first ones of which are all there up to where something was done to the file.
#[track_caller]
fn check_prefix(found: &[i64], offset: usize, ends: &[usize]) {
    let whole = ends.iter().filter(|end| **end <= offset).count();
    let expected: Vec<i64> = (1..=20).take(whole).collect();
    assert_eq!(found[..whole.min(found.len())], expected);
    assert!(
        found.is_sorted_by(|a, b| a < b) && found.iter().all(|step| (1..=20).contains(step)),
        "{found:?}"
    );
}

/// Where in the segment each entry ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut at = 32;
    let mut ends = Vec::new();
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let is_entry = bytes[at + 8] != 1;
        at += 8 + length;
        if is_entry {
            ends.push(at);
        }
    }
    ends
}

#[test]
fn a_file_that_is_cut_anywhere_is_read_up_to_there() {
    let root = tempfile::tempdir().unwrap();
    let (path, bytes) = twenty(&root);
    let ends = ends(&bytes);
    for length in 0..=bytes.len() {
        fs::write(segment(&path, 1), &bytes[..length]).unwrap();
        let (found, damaged) = steps(&path);
        check_prefix(&found, length, &ends);
        assert_eq!(found.len(), ends.iter().filter(|end| **end <= length).count());
        let whole = ends.iter().copied().filter(|end| *end <= length).max().unwrap_or(0);
        assert!(damaged <= (length - whole) as u64, "{damaged} at {length}");
    }
}

proptest! {
    /// What is before the damage is there, and what is after it, too, but for what the damage has hit.
    #[test]
    fn damage_costs_only_what_it_hits(at in 32_usize..2000, byte in any::<u8>(), length in 1_usize..40) {
        let root = tempfile::tempdir().unwrap();
        let (path, mut bytes) = twenty(&root);
        let ends = ends(&bytes);
        let at = at % (bytes.len() - 32) + 32;
        let end = (at + length).min(bytes.len());
        let old = bytes[at..end].to_vec();
        bytes[at..end].fill(byte);
        fs::write(segment(&path, 1), &bytes).unwrap();
        let (found, damaged) = steps(&path);
        check_prefix(&found, at, &ends);
        // The definition of the names comes before the first entry.
        let first_end = ends[0];
        if old == bytes[at..end] {
            prop_assert_eq!((found.len(), damaged), (20, 0));
        } else if at >= first_end {
            let hit = ends.iter().enumerate().filter(|(index, entry_end)| {
                let start = if *index == 0 { 0 } else { ends[index - 1] };
                start < end && at < **entry_end
            });
            prop_assert!(found.len() >= 20 - hit.count(), "{found:?}");
            prop_assert!(damaged > 0);
        }
    }

    /// Bytes that were never a spool are no entries, and no panic.
    #[test]
    fn noise_is_no_entry(noise in prop::collection::vec(any::<u8>(), 0..3000)) {
        let root = tempfile::tempdir().unwrap();
        let path = open(&root).path().to_owned();
        fs::write(segment(&path, 1), &noise).unwrap();
        prop_assert_eq!(read(&path).0, vec![]);
    }
}
