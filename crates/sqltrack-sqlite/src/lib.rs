//! The SQLite engine of SQLTrack.
