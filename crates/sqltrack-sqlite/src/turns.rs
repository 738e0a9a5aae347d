//! Whose turn it is to write. SQLite lets the luckiest one of those through that try; the writers of one process queue
//! here instead, in order, whichever client they belong to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::Mutex;

/// The queue of the writers to one file.
pub(crate) type Turns = Arc<Mutex<()>>;

static KNOWN: std::sync::Mutex<Option<HashMap<PathBuf, Weak<Mutex<()>>>>> = std::sync::Mutex::new(None);

/// The queue of the writers to the file `path`, which may not be there yet.
pub(crate) fn of(path: &Path) -> Turns {
    // Two names of one file have two queues unless they are resolved; then SQLite's own lock is what is left.
    let name = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    known.retain(|_, turns| turns.strong_count() > 0);
    if let Some(turns) = known.get(&name).and_then(Weak::upgrade) {
        return turns;
    }
    let turns = Turns::default();
    known.insert(name, Arc::downgrade(&turns));
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_queue() {
        let one = of(Path::new("some.db"));
        assert!(Arc::ptr_eq(&one, &of(&std::path::absolute("some.db").unwrap())));
        assert!(!Arc::ptr_eq(&one, &of(Path::new("other.db"))));
    }
}
