//! The config file: where it is, and its content as a layer.

use std::path::{Path, PathBuf};

use super::layer::Layer;
use super::{ConfigError, Environment, InvalidSetting, Settings, Source, syntax};

/// Parameters whose values may well have several lines.
const MULTILINE: [&str; 5] = ["password", "sslpassword", "options", "env_mask", "env_include"];

/// The config file to use, if there is one.
pub(super) fn find(
    named: Option<(PathBuf, Source)>,
    file_name: &str,
    env: &Environment,
) -> Result<Option<PathBuf>, ConfigError> {
    const VARIABLE: &str = "SQLTRACK_CONFIG_PATH";
    let of_variable = || env.path(VARIABLE).map(|path| (path, Source::Env(VARIABLE.to_owned())));
    match named.or_else(of_variable) {
        Some((path, _)) if path.exists() => Ok(Some(path)),
        Some((path, origin)) => Err(ConfigError::MissingFile { path, origin }),
        None => Ok(default_paths(file_name, env).into_iter().find(|path| path.exists())),
    }
}

fn default_paths(file_name: &str, env: &Environment) -> Vec<PathBuf> {
    let home = env.home();
    let folders = [
        Some(PathBuf::new()),
        env.path("XDG_CONFIG_HOME").map(|folder| folder.join("sqltrack")),
        env.path("APPDATA").map(|folder| folder.join("sqltrack")),
        home.as_ref().map(|home| home.join(".config").join("sqltrack")),
        home,
    ];
    folders.into_iter().flatten().map(|folder| folder.join(file_name)).collect()
}

/// Reads the parameters of a config file.
pub(super) fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = read_text(path)?;
    let source = |line| Source::File { path: path.to_owned(), line };
    let document = syntax::parse(&text).map_err(|syntax::Error { line, reason }| ConfigError::Syntax {
        path: path.to_owned(),
        line,
        reason,
    })?;
    for (line, section) in &document.ignored_sections {
        tracing::warn!("{}: section [{section}] is ignored; only [DEFAULT] counts", source(*line));
    }
    let mut layer = Layer::new("config file");
    for entry in document.entries {
        refuse_lines(&entry.name, &entry.value, source(entry.line))?;
        layer.add(&entry.name, &entry.value, source(entry.line))?;
    }
    Ok(layer)
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let failed = |reason: String| ConfigError::ReadFile { path: path.to_owned(), reason };
    if path.is_dir() {
        return Err(failed("it is a directory; name a file".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(|err| failed(format!("{err}; check its permissions")))?;
    let text = String::from_utf8(bytes).map_err(|err| {
        let valid = &err.as_bytes()[..err.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        failed(format!("line {line} is not valid UTF-8; save it as UTF-8"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// An indented line continues the value above it, which is hardly ever meant.
fn refuse_lines(name: &str, value: &str, source: Source) -> Result<(), InvalidSetting> {
    if !value.contains('\n') || MULTILINE.contains(&name) {
        return Ok(());
    }
    let mut settings = Settings::new();
    settings.set(name, value, source);
    Err(settings.invalid(name, "it has several lines; indented lines continue the value above them"))
}
