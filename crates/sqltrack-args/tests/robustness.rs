//! No help text and no command line crashes or takes long.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sqltrack_args::{
    ArgValue, Conversions, Error, HelpText, HelpTextProblem, Settings, parse_docstrings, rust_help_texts,
};

/// Far more than any case needs, since test machines are busy and tests are not optimized.
const PATIENCE: Duration = Duration::from_secs(30);

#[track_caller]
fn read_quickly(help: &str, argv: &[String]) -> Result<(), Error> {
    let start = Instant::now();
    let result = parse_docstrings(&[help], argv, &Settings::new());
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    result.map(drop)
}

fn words(word: &str, count: usize) -> Vec<String> {
    vec![word.to_owned(); count]
}

#[test]
fn deep_nesting_is_an_error() {
    for (open, close) in [("[", "]"), ("(", ")"), ("[-a|", "]"), ("[x ", "]...")] {
        let help = format!("usage: prog {}y{}", open.repeat(50_000), close.repeat(50_000));
        let err = read_quickly(&help, &words("y", 1)).unwrap_err();
        assert!(
            matches!(err, Error::HelpText(ref err) if *err.problem() == HelpTextProblem::TooDeep(200)),
            "{err}"
        );
    }
}

#[test]
fn alternatives_in_alternatives_take_no_exponential_time() {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let nested: String = letters.chars().map(|letter| format!("[-{letter}|")).collect();
    let help = format!("usage: prog {nested}x{}", "]".repeat(letters.len()));
    assert_eq!(read_quickly(&help, &words("-z", 1)), Ok(()));

    let help = format!("usage: prog {}", "(-a | -b | [-c] | X)... ".repeat(500));
    assert_eq!(read_quickly(&help, &words("-a", 100)), Ok(()));
}

#[test]
fn thousands_of_options_and_arguments_are_fine() {
    let options: String =
        (0..10_000).map(|n| format!("  --option-{n}=X  Number {n} [default: {n}]\n")).collect();
    let help = format!("usage: prog [options] [X...]\n\noptions:\n{options}");
    let argv: Vec<String> = (0..10_000).map(|n| format!("--option-{n}={n}")).collect();
    assert_eq!(read_quickly(&help, &argv), Ok(()));
    assert_eq!(read_quickly(&help, &words("x", 10_000)), Ok(()));
    assert!(read_quickly(&help, &words("--option-", 10_000)).is_err());

    let lines = "  prog [options] x\n".repeat(1_000);
    let help = format!("usage:\n{lines}\noptions:\n{options}");
    assert_eq!(read_quickly(&help, &words("x", 1)), Ok(()));
}

#[test]
fn what_takes_too_many_steps_is_an_error() {
    let choices: Vec<String> = (0..2_000).map(|n| format!("w{n}")).collect();
    let help = format!("usage: prog ({})...", choices.join(" | "));
    let err = read_quickly(&help, &words("w1999", 2_000)).unwrap_err();
    assert!(
        matches!(err, Error::HelpText(ref err) if *err.problem() == HelpTextProblem::TooComplex),
        "{err}"
    );
}

#[test]
fn long_words_and_lines_are_fine() {
    let long = "x".repeat(1_000_000);
    assert_eq!(read_quickly(&format!("usage: prog <{long}>"), &words(&"1".repeat(1_000_000), 1)), Ok(()));
    assert!(read_quickly(&format!("usage: prog {}", "<".repeat(1_000_000)), &words("-", 1)).is_err());
    assert!(read_quickly(&"usage: ".repeat(100_000), &[]).is_err());
    assert_eq!(
        read_quickly(&format!("usage: prog [options]\n\n-a X  {}", "[default: ".repeat(100_000)), &[]),
        Ok(())
    );
}

/// Texts made of the pieces that mean something, which bytes at random would rarely hit.
fn help_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "usage:",
        "Usage: prog",
        "\n",
        "\n\n",
        "  ",
        " ",
        "prog",
        "[",
        "]",
        "(",
        ")",
        "|",
        "...",
        "options",
        "[options]",
        "-a",
        "-abc",
        "-",
        "--",
        "--all",
        "--file=<f>",
        "--file",
        "FILE",
        "<x y>",
        "<",
        ">",
        "go",
        "options:",
        "=",
        ",",
        "[default: 1]",
        "[default: ",
        "\t",
        "é",
        "ſ",
        "\u{0}",
        "\u{85}",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| format!("usage: prog {}", pieces.join(" ")))
}

fn command_line() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "-a", "-abc", "-", "--", "--all", "--al", "--file=1", "--file", "go", "x", "-1", ""
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(word, 0..8)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), argv in command_line()) {
        let _result = read_quickly(&text, &argv);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), argv in command_line()) {
        let _result = read_quickly(&format!("usage: prog {}", String::from_utf8_lossy(&bytes)), &argv);
    }

    #[test]
    fn any_help_text_is_read_or_refused(text in help_text(), argv in command_line()) {
        let _result = read_quickly(&text, &argv);
    }

    #[test]
    fn a_help_text_names_a_line_that_it_has(text in help_text()) {
        if let Err(err) = HelpText::parse(&text) {
            prop_assert!(err.line().is_none_or(|line| (1..=text.split('\n').count()).contains(&line)));
        }
    }

    #[test]
    fn any_value_is_converted(text in any::<String>()) {
        prop_assert!(Conversions::standard().convert("x", &text).is_ok());
    }

    #[test]
    fn whole_numbers_are_exact(number in any::<i64>()) {
        prop_assert_eq!(Conversions::standard().convert("x", &number.to_string()), Ok(ArgValue::Int(number)));
    }

    #[test]
    fn floats_come_back(number in any::<f64>()) {
        let written = ArgValue::Float(number).repr();
        prop_assert_eq!(Conversions::standard().convert("xfloat", &written), Ok(ArgValue::Float(number)));
    }

    #[test]
    fn any_rust_source_is_read_or_refused(source in any::<String>()) {
        let _texts = rust_help_texts(&source);
    }

    #[cfg(feature = "python")]
    #[test]
    fn any_python_source_is_read_or_refused(source in any::<String>()) {
        let _texts = sqltrack_args::python_help_texts(&source);
    }
}
