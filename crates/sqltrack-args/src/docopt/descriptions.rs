//! Option descriptions: the lines of a help text that begin with a dash.

use super::text::{is_space, keyword_spans, strip, words};

/// An option as its description, or its first mention in the usage, defines it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OptionSpec {
    /// The short name with its dash.
    pub(crate) short: Option<String>,
    /// The long name with its dashes.
    pub(crate) long: Option<String>,
    /// Whether a value belongs to it.
    pub(crate) takes_argument: bool,
    /// The value that it has when it is not given.
    pub(crate) default: Option<String>,
}

impl OptionSpec {
    pub(crate) fn short(name: &str) -> Self {
        Self { short: Some(name.to_owned()), long: None, takes_argument: false, default: None }
    }

    pub(crate) fn long(name: &str, takes_argument: bool) -> Self {
        Self { short: None, long: Some(name.to_owned()), takes_argument, default: None }
    }

    /// The name under which results list it: the long one, if there is one.
    pub(crate) fn name(&self) -> &str {
        self.long.as_deref().or(self.short.as_deref()).unwrap_or_default()
    }

    /// Reads one description, from its first dash to the next description.
    fn parse(description: &str) -> Self {
        let description = strip(description);
        let first_line = description.find('\n').unwrap_or(description.len());
        let end = description.find("  ").map_or(first_line, |gap| gap.min(first_line));
        let (names, explanation) = description.split_at(end);

        let mut option = Self { short: None, long: None, takes_argument: false, default: None };
        for word in words(&names.replace([',', '='], " ")) {
            if word.starts_with("--") {
                option.long = Some(word.to_owned());
            } else if word.starts_with('-') {
                option.short = Some(word.to_owned());
            } else {
                option.takes_argument = true;
            }
        }
        if option.takes_argument {
            option.default = explanation.split('\n').find_map(default_in);
        }
        option
    }
}

/// All options that a text describes, in order.
pub(crate) fn described_options(text: &str) -> Vec<OptionSpec> {
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(dash) = description_start(line) {
            starts.push(line_start + dash);
            ends.push(line_start);
        }
        line_start += line.len();
    }
    ends.push(text.len());
    starts
        .iter()
        .zip(&ends[1.min(ends.len())..])
        .map(|(&start, &end)| OptionSpec::parse(&text[start..end]))
        .collect()
}

/// Where in a line a description begins: after its indentation, or after a heading like `Options:`.
fn description_start(line: &str) -> Option<usize> {
    let headings = keyword_spans(line, "options:");
    headings.iter().rev().map(|&(_, end)| end).chain([0]).find_map(|start| {
        let dash = start + line[start..].find(|c| c != ' ' && c != '\t')?;
        let mut rest = line[dash..].chars();
        (rest.next() == Some('-') && rest.next().is_some_and(|c| !is_space(c))).then_some(dash)
    })
}

fn default_in(line: &str) -> Option<String> {
    let (_, start) = keyword_spans(line, "[default: ").into_iter().next()?;
    let end = line.rfind(']').filter(|end| *end >= start)?;
    Some(line[start..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a description as `short/long`, `=` for a value, and the default.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = described_options(text)
            .iter()
            .map(|option| {
                let names: Vec<&str> =
                    [&option.short, &option.long].into_iter().flatten().map(String::as_str).collect();
                let value = if option.takes_argument { "=" } else { "" };
                names.join("/") + value + option.default.as_deref().unwrap_or_default()
            })
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn names_and_values_stand_before_two_spaces() {
        check("-v --verbose  Say more", &["-v/--verbose"]);
        check("-o FILE, --output=<file>  Where to", &["-o/--output="]);
        check("-a one space", &["-a="]);
        check("  -a\n  more about a\n  -b", &["-a", "-b"]);
        check("-p,  --path X", &["-p"]);
    }

    #[test]
    fn defaults_are_the_rest_of_the_bracket() {
        check("-n N  How often [default: 3]", &["-n=3"]);
        check("-n N  A list [DEFAULT: [1, 2]]", &["-n=[1, 2]"]);
        check("-n N  Two [default: 1] or [default: 2]", &["-n=1] or [default: 2"]);
        check("-n N  Below\n  [default: x y]", &["-n=x y"]);
        check("-n  A switch has none [default: 3]", &["-n"]);
        check("-n N  Open [default: 3", &["-n="]);
    }

    #[test]
    fn descriptions_may_follow_a_heading() {
        check("Training options: -a  All", &["-a"]);
        check("options: see options: --all", &["--all"]);
        check("--- ruler\n- item", &["---="]);
        check("text -a", &[]);
    }
}
