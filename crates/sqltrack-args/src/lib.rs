//! Command-line arguments from help texts.
