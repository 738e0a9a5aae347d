//! What the examples share: a client that needs no configuration, and a small curve for the terminal.

use sqltrack_core::config::{env_config, find_config_file};
use sqltrack_core::{Client, Error};

/// The database that is configured, or else SQLite in `sqltrack.db`.
///
/// # Errors
///
/// As [`Client::connect`].
pub async fn client() -> Result<Client, Error> {
    let is_configured = find_config_file(None)?.is_some() || !env_config()?.is_empty();
    let builder = Client::builder();
    if is_configured { builder.connect().await } else { builder.set("engine", "sqlite").connect().await }
}

/// A curve of `width` characters, each as high as the mean of its part of `values`. What is not finite is left out.
#[must_use]
pub fn curve(values: &[f64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let parts = values.chunks(values.len().div_ceil(width.max(1)).max(1));
    let means: Vec<Option<f64>> = parts.map(mean).collect();
    let known = means.iter().flatten();
    let low = known.clone().copied().fold(f64::INFINITY, f64::min);
    let high = known.copied().fold(f64::NEG_INFINITY, f64::max);
    let bar = |mean: Option<f64>| match mean {
        None => ' ',
        Some(mean) => {
            let height = if high > low { (mean - low) / (high - low) } else { 0.0 };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the height is from 0 to 1"
            )]
            BARS[(height * 7.0).round() as usize]
        }
    };
    means.into_iter().map(bar).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    #[expect(clippy::cast_precision_loss, reason = "there are few values")]
    (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::curve;

    #[test]
    fn a_curve_is_as_high_as_its_values() {
        assert_eq!(curve(&[0.0, 1.0, f64::NAN, 0.5], 4), "▁█ ▅");
        assert_eq!(curve(&[1.0, 1.0, 3.0, 3.0], 2), "▁█");
        assert_eq!(curve(&[2.0], 10), "▁");
        assert_eq!(curve(&[], 10), "");
    }
}
