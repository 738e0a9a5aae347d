//! One source of parameters as a figment provider, and how sources are laid over each other.

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{ConfigError, PARAMETERS, Settings, Source, names, url};

/// The parameters of one source. Its name is unique among the layers that are merged.
#[derive(Debug)]
pub(super) struct Layer {
    name: &'static str,
    settings: Settings,
}

impl Layer {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::new() }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn of(name: &'static str, settings: Settings) -> Self {
        Self { name, settings }
    }

    /// Adds a parameter whose name is checked; a `url` is taken apart.
    pub(super) fn add(&mut self, name: &str, value: &str, source: Source) -> Result<(), ConfigError> {
        names::check(name, &source)?;
        if name != "url" || value.is_empty() {
            return self.put(name, value, source);
        }
        let parts = url::expand(value, &source)?;
        parts.into_iter().try_for_each(|(name, value, source)| self.put(&name, &value, source))
    }

    /// A later value replaces an earlier one, but a url and a parameter of one source must agree.
    fn put(&mut self, name: &str, value: &str, source: Source) -> Result<(), ConfigError> {
        let is_url = |source: &Source| matches!(source, Source::Url(_));
        if let Some(first) = self.settings.get(name)
            && (is_url(first.source()) || is_url(&source))
            && first.value() != value
        {
            let (first, second) = (Box::new(first.source().clone()), Box::new(source));
            return Err(ConfigError::Conflict { name: name.to_owned(), first, second });
        }
        self.settings.set(name, value, source);
        Ok(())
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    pub(super) fn into_settings(self) -> Settings {
        self.settings
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let value = |(name, setting): (&str, &super::Setting)| (name.into(), Value::from(setting.value()));
        Ok(Profile::Default.collect(self.settings.iter().map(value).collect()))
    }
}

/// Lays the sources over each other, the lowest first. figment remembers which layer each value is
/// from, and the layer remembers the line or variable.
pub(super) fn merge(layers: &[Layer]) -> Settings {
    let figment = layers.iter().fold(Figment::new(), Figment::merge);
    let mut settings = Settings::new();
    for parameter in PARAMETERS {
        let winner = figment
            .find_metadata(parameter.name)
            .and_then(|metadata| layers.iter().find(|layer| layer.name == metadata.name));
        if let Some(setting) = winner.and_then(|layer| layer.settings.get(parameter.name)) {
            settings.extend([(parameter.name.to_owned(), setting.clone())]);
        }
    }
    settings
}
