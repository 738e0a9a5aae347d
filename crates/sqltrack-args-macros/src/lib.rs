//! The attributes of sqltrack-args.
