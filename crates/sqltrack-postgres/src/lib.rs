//! The PostgreSQL engine of SQLTrack.
