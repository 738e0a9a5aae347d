//! Agreement with docopt-ng 0.9.0: generated help texts and command lines, the whole corpus, and the list of
//! known differences (in the book, `arguments.md`), of which each is checked to be one.

#[path = "../corpus_file/mod.rs"]
mod corpus_file;
mod differences;
mod generate;
mod reference;

use std::collections::BTreeMap;

use corpus_file::Mode;
use generate::Random;
use serde_json::{Value, json};
use sqltrack_args::{CommandLineProblem, Conversions, Error, Given, HelpText, Outcome};

const GENERATED: usize = 4_000;
const TEXTS: usize = 4_000;

/// What docopt-ng and this crate are asked.
#[derive(Clone)]
struct Question {
    /// Where it comes from.
    name: String,
    help: String,
    argv: Vec<String>,
    mode: Mode,
}

impl Question {
    /// The question in JSON, with the time (of the processor, not of the clock) that docopt-ng has for it.
    fn json(&self, seconds: f64) -> Value {
        json!({
            "help": self.help,
            "argv": self.argv,
            "options_first": self.mode.options_first,
            "default_help": !self.mode.no_help,
            "version": self.mode.version,
            "seconds": seconds,
        })
    }
}

#[test]
fn both_give_the_same() {
    let corpus = corpus_questions();
    let mut questions = generated_questions();
    questions.extend(corpus.iter().cloned());
    let known = differences::known();
    let texts = texts();
    let known_texts = differences::known_texts();
    let all_texts: Vec<&str> =
        texts.iter().chain(known_texts.iter().map(|(text, ..)| text)).map(String::as_str).collect();

    let cases: Vec<Value> = questions
        .iter()
        .map(|question| question.json(10.0))
        .chain(known.iter().map(|difference| difference.question.json(0.5)))
        .collect();
    let work = json!({ "cases": cases, "texts": all_texts });
    let answer = reference::ask(&work);
    let answers = answer["cases"].as_array().unwrap();
    assert_eq!(answers.len(), questions.len() + known.len());

    let (compared, rest) = answers.split_at(questions.len());
    compare_outcomes(&questions, compared);
    for (difference, theirs) in known.iter().zip(rest) {
        let ours = our_answer(&difference.question);
        let both = format!("docopt-ng {theirs}\nwe        {ours}");
        assert!(theirs == &difference.theirs && ours == difference.ours, "{}\n{both}", difference.name);
    }
    let (compared, rest) = answer["texts"].as_array().unwrap().split_at(texts.len());
    compare_texts(&texts, compared);
    for ((text, theirs, ours), answer) in known_texts.iter().zip(rest) {
        assert_eq!((answer.as_str(), &converted(text)), (Some(theirs.as_str()), ours), "from {text:?}");
    }
}

fn corpus_questions() -> Vec<Question> {
    let cases = corpus_file::cases().unwrap();
    assert!(cases.len() >= 150, "the corpus has shrunk to {} cases", cases.len());
    let question = |case: corpus_file::Case| {
        assert!(!case.expected.is_empty(), "{} lacks its result", case.name);
        Question { name: case.name, help: case.help, argv: case.argv, mode: case.mode }
    };
    cases.into_iter().filter(|case| !differences::is_known(&case.help)).map(question).collect()
}

fn generated_questions() -> Vec<Question> {
    let mut random = Random::new(0x5eed);
    let question = |number| {
        let pair = generate::pair(&mut random);
        let mode = Mode {
            options_first: random.chance(10),
            no_help: random.chance(20),
            version: random.chance(20).then(|| "1.0".to_owned()),
        };
        Question { name: format!("pair {number}"), help: pair.help, argv: pair.argv, mode }
    };
    (0..GENERATED).map(question).collect()
}

#[track_caller]
fn compare_outcomes(questions: &[Question], answers: &[Value]) {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut different = Vec::new();
    for (question, theirs) in questions.iter().zip(answers) {
        let ours = our_answer(question);
        let kind = theirs.as_object().and_then(|answer| answer.keys().next()).cloned().unwrap_or_default();
        *kinds.entry(kind).or_default() += 1;
        if &ours != theirs {
            let Question { name, help, argv, mode } = question;
            different.push(format!(
                "{name}
{help}\n$ prog {argv:?} {mode:?}\ndocopt-ng {theirs}\nwe        {ours}\n"
            ));
        }
    }
    let shown = different.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "{} of {} differ, {kinds:?}:\n{shown}", different.len(), questions.len());
    for kind in ["options", "user", "language", "printed"] {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 50), "too few of a kind: {kinds:?}");
    }
}

/// Our answer in the form in which the driver gives docopt-ng's.
fn our_answer(question: &Question) -> Value {
    let result = HelpText::parse(&question.help)
        .map_err(Error::from)
        .and_then(|help| help.match_arguments(&question.argv, &question.mode.settings()));
    match result {
        Ok(Outcome::Options(options)) => json!({ "options": options.iter().collect::<Vec<_>>() }),
        Ok(Outcome::Help(text) | Outcome::Version(text)) => json!({ "printed": text + "\n" }),
        Err(Error::HelpText(_)) => json!({ "language": true }),
        Err(Error::CommandLine(err)) => json!({ "user": problem(err.problem()), "usage": err.usage() }),
    }
}

fn problem(problem: &CommandLineProblem) -> Value {
    match problem {
        CommandLineProblem::RequiresArgument(option) => json!(["requires", option]),
        CommandLineProblem::TakesNoArgument(option) => json!(["refuses", option]),
        CommandLineProblem::Missing { given, .. } if given.is_empty() => json!(""),
        CommandLineProblem::Missing { given, .. } | CommandLineProblem::Unexpected(given) => {
            json!(["unmatched", given.iter().map(left_over).collect::<Vec<_>>()])
        }
        other => json!(other.to_string()),
    }
}

fn left_over(given: &Given) -> Value {
    match given {
        Given::Argument(text) => json!(["argument", text]),
        Given::Option { short, long, value } => json!(["option", short, long, value]),
    }
}

fn texts() -> Vec<String> {
    const WRITTEN: [&str; 40] = [
        "1_000",
        "0x10",
        " 7 ",
        "+7",
        "-0",
        "1e3",
        "1e400",
        "-1e-400",
        "inf",
        "-Infinity",
        "nan",
        "1+2j",
        "(1+2j)",
        "j",
        "-j",
        "1+j",
        "infj",
        "nan+infj",
        "1e5j",
        "123456789012345678901234567890",
        "-9223372036854775808",
        "9223372036854775808",
        "true",
        "True",
        "null",
        "None",
        "[1, 2]",
        "{\"a\": [NaN, -Infinity, 1e500]}",
        "\"x\"",
        "'x'",
        "",
        " ",
        "1.5f",
        "1 2",
        "\u{2003}1.5\u{a0}",
        "1e16",
        "123456789.123456789",
        "0.00001",
        "5e-324",
        "[\"it's\", \"\\u00e9\\n\", {}]",
    ];
    let mut random = Random::new(0x7e57);
    let generated = (0..TEXTS).map(|_| generate::text(&mut random));
    WRITTEN.into_iter().map(str::to_owned).chain(generated).collect()
}

#[track_caller]
fn compare_texts(texts: &[String], answers: &[Value]) {
    for (text, theirs) in texts.iter().zip(answers) {
        assert_eq!(Some(converted(text).as_str()), theirs.as_str(), "converted from {text:?}");
    }
}

fn converted(text: &str) -> String {
    Conversions::standard().convert("x", text).unwrap().repr()
}
