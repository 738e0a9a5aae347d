//! Experiment tracking in plain SQL.
