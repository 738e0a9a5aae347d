//! What SQLTrack asks of a database.

mod environment;
mod parameters;
mod settings;

pub use environment::{Environment, NotUnicode};
pub use parameters::{EngineKind, PARAMETERS, Parameter, UnknownEngine};
pub use settings::{InvalidSetting, Secret, Setting, Settings, Source};
