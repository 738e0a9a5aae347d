//! What the figures were measured on.

use std::fs;

/// The cores and what they are.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = if cores == 1 { "one core".to_owned() } else { format!("{cores} cores") };
    match model(&processors) {
        Some(model) => format!("{cores} ({model})"),
        None => cores,
    }
}

fn model(processors: &str) -> Option<&str> {
    let names = processors.lines().filter_map(|line| line.split_once(':'));
    names
        .filter(|(key, _)| key.trim() == "model name")
        .map(|(_, name)| name.trim())
        .find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_first_core_is_named() {
        assert_eq!(
            model("processor\t: 0\nmodel name\t: Some CPU\n\nmodel name\t: Other\n"),
            Some("Some CPU")
        );
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(description().contains("core"));
    }
}
