//! The corpus: every `$ prog …` line of `corpus/*.txt` is one test.

mod corpus_file;

use corpus_file::Case;
use libtest_mimic::{Arguments, Failed, Trial};
use sqltrack_args::{Error, HelpText, Outcome};

fn main() -> std::io::Result<()> {
    let cases = corpus_file::cases()?;
    let trials = cases.into_iter().map(|case| Trial::test(case.name.clone(), move || check(&case))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn check(case: &Case) -> Result<(), Failed> {
    let found = outcome(case);
    let is_same = match serde_json::from_str::<serde_json::Value>(&case.expected) {
        Ok(expected) => serde_json::from_str(&found).is_ok_and(|found: serde_json::Value| found == expected),
        Err(_) => found == case.expected,
    };
    if is_same { Ok(()) } else { Err(format!("expected {}\n   found {found}", case.expected).into()) }
}

fn outcome(case: &Case) -> String {
    let result = HelpText::parse(&case.help)
        .map_err(Error::from)
        .and_then(|help| help.match_arguments(&case.argv, &case.mode.settings()));
    match result {
        Ok(Outcome::Options(options)) => serde_json::to_string(&options).unwrap_or_default(),
        Ok(Outcome::Help(_)) => "help".to_owned(),
        Ok(Outcome::Version(_)) => "version".to_owned(),
        Err(Error::CommandLine(err)) => format!("user-error: {}", err.problem()),
        Err(Error::HelpText(err)) => format!("help-text-error: {err}"),
    }
}
