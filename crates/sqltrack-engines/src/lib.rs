//! What SQLTrack asks of a database.
