//! Entries on their way to a database, in files that survive the process: what was appended is in the operating
//! system's hands, and is delivered later if not now.
//!
//! A spool is a folder. Each writer has a folder of its own in it, named by its random id:
//!
//! | file | holds |
//! | --- | --- |
//! | `target.json` | which database the entries are for, and who wrote them, for people and for `sync` |
//! | `lock` | nothing; it is locked as long as the writer lives |
//! | `000001.spool`, … | segments of entries, only ever appended to |
//! | `delivered` | the number of the last entry that has arrived |
//! | `rejected.jsonl` | entries that the database has refused for good, with the reason |
//!
//! Entries are numbered from 1 in the order in which they are appended. Whoever delivers them commits the number of the
//! last one in the same transaction ([`Connection::note_delivered`](sqltrack_engines::Connection::note_delivered)), so that
//! none arrives twice.

mod append;
mod changes;
mod codec;
mod entry;
mod error;
mod files;
mod flush;
mod folder;
mod names;
mod read;
mod rejected;
mod segment;
mod target;
#[cfg(test)]
mod tests;
mod value;

pub use append::Spool;
pub use entry::{Entry, EntryRef, Item, NewRun, RunUpdate, SpooledRun};
pub use error::SpoolError;
pub use flush::{Fsync, UnknownFsync};
pub(crate) use folder::{Folder, Taken};
pub use read::Reader;
pub(crate) use rejected::Rejected;
pub use target::Target;

pub use sqltrack_engines::{Moment, ObjectPatch, OfflineRunId, RunChanges, WriterId};
