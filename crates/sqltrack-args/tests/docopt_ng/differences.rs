//! The known differences: where this crate does not do as docopt-ng does, what each of the two does there.
//! Their reasons are in the book, on the page about arguments.

use serde_json::{Value, json};

use super::Question;
use crate::corpus_file::Mode;

/// A case on which the two differ.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) question: Question,
    pub(crate) theirs: Value,
    pub(crate) ours: Value,
}

/// Whether a help text of the corpus shows a known difference.
pub(crate) fn is_known(help: &str) -> bool {
    known().iter().any(|difference| difference.question.help == help)
}

/// The list.
pub(crate) fn known() -> Vec<Difference> {
    let language = || json!({ "language": true });
    let crash = |name: &str| json!({ "crash": name });
    vec![
        Difference {
            name: "several options in one word do not repeat",
            question: question("usage: prog [-abc...]\n", &["-a"]),
            theirs: crash("AssertionError"),
            ours: language(),
        },
        Difference {
            name: "brackets nest 200 deep",
            question: question(&nested("[", "]", 220), &["a"]),
            theirs: json!({ "options": [["a", true]] }),
            ours: language(),
        },
        Difference {
            name: "deeper nesting exhausts docopt-ng's stack",
            question: question(&nested("(", ")", 1_000), &["a"]),
            theirs: crash("RecursionError"),
            ours: language(),
        },
        Difference {
            name: "many alternatives take docopt-ng exponential time",
            question: question(&format!("usage: prog{}\n", " [-a | -b]".repeat(30)), &["-a"]),
            theirs: crash("Timeout"),
            ours: json!({ "options": [["-a", 1], ["-b", 0]] }),
        },
        Difference {
            name: "nested repetitions take docopt-ng exponential time",
            question: question(&format!("usage: prog {}X{}\n", "[".repeat(40), "]...".repeat(40)), &["1"]),
            theirs: crash("Timeout"),
            ours: json!({ "options": [["X", ["1"]]] }),
        },
        Difference {
            name: "a usage that needs too many steps is refused",
            question: question(
                &format!("usage: prog -v {}(-v X){}\n", "[".repeat(60), "]...".repeat(60)),
                &["-v", "-v"],
            ),
            theirs: crash("Timeout"),
            ours: language(),
        },
        Difference {
            name: "a vowel sign is a part of the word that it stands in",
            question: question("\u{93f}usage: prog a\n", &["a"]),
            theirs: json!({ "options": [["a", true]] }),
            ours: language(),
        },
    ]
}

/// Texts that are converted differently: the text, docopt-ng's side, ours.
pub(crate) fn known_texts() -> Vec<(String, String, String)> {
    let digits = "1".repeat(5_000);
    let deep = "[".repeat(200) + &"]".repeat(200);
    let half = r#"["\ud800"]"#;
    vec![
        (digits.clone(), "inf".to_owned(), digits),
        (deep.clone(), deep.clone(), format!("'{deep}'")),
        (half.to_owned(), r"['\ud800']".to_owned(), r#"'["\\ud800"]'"#.to_owned()),
    ]
}

fn question(help: &str, argv: &[&str]) -> Question {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    Question { name: String::new(), help: help.to_owned(), argv, mode: Mode::default() }
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("usage: prog {}a{}\n", open.repeat(depth), close.repeat(depth))
}
