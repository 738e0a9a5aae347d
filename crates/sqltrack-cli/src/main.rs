//! The command line of SQLTrack.

fn main() {}
