//! What is masked in texts of many kinds, and what is not.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sqltrack_engines::Environment;

use super::*;

/// A redactor with these variables in its environment, and no others.
fn redactor(parameters: &[(&str, &str)], variables: &[(&str, &str)]) -> Redactor {
    let config = Config::explicit(parameters.iter().copied().chain([("user", "alice")])).unwrap();
    Redactor::of(&config, Environment::from_iter(variables.iter().copied()))
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let redactor = redactor(&[], &[]);
    let masked = redactor.text(text);
    assert_eq!(masked, expected, "{text}");
    assert_eq!(redactor.text(&masked), masked, "it is masked twice: {text}");
}

/// Each line has its secrets between `«` and `»`; it is a text by itself, and one that a diff adds or takes out.
#[track_caller]
fn check_lines(lines: &str) {
    for line in lines.lines() {
        let text = line.replace(['«', '»'], "");
        let expected: String = line
            .split('«')
            .map(|part| part.split_once('»').map_or(part.to_owned(), |(_, after)| format!("{MASK}{after}")))
            .collect();
        for mark in ["", "+", "-", " "] {
            check(&format!("x\n{mark}{text}\ny\n"), &format!("x\n{mark}{expected}\ny\n"));
        }
        check(&text, &expected);
    }
}

#[track_caller]
fn check_unchanged(lines: &str) {
    for line in lines.lines() {
        check(line, line);
    }
    check(lines, lines);
}

#[test]
fn assignments_of_configuration_files() {
    check_lines(include_str!("cases/configuration.txt"));
    check("password: |\n  can\n  ary\n\n  x\nuser: alice\n", "password: |\n  ****\nuser: alice\n");
    check(
        "+- key_token: >-\n+    can\n+    ary\n+  user: alice\n",
        "+- key_token: >-\n+    ****\n+  user: alice\n",
    );
    check("\"password\":\n+    \"canary\",\n", "\"password\":\n+    \"****\",\n");
}

#[test]
fn assignments_of_code() {
    check_lines(include_str!("cases/code.txt"));
    check(
        "token: list[str] = field(\n    default=\"canary\",\n)\n",
        "token: list[str] = field(\n    default=\"****\",\n)\n",
    );
    check("API_KEY = (\n    \"canary\"\n)\n", "API_KEY = (\n    \"****\"\n)\n");
    check("+API_KEY = \\\n+    \"canary\"\n", "+API_KEY = \\\n+    \"****\"\n");
    check(
        "TOKENS = [\n+    \"a canary\",\n+    'canary',\n+]\nx = 'y'",
        "TOKENS = [\n+    \"****\",\n+    '****',\n+]\nx = 'y'",
    );
}

#[test]
fn command_lines_headers_and_connections() {
    check_lines(include_str!("cases/command_lines.txt"));
    check("train \\\n  --password \\\n  canary \\\n  --x", "train \\\n  --password \\\n  **** \\\n  --x");
}

#[test]
fn what_is_no_secret_stays() {
    check_unchanged(include_str!("cases/harmless.txt"));
}

/// The rows with two cells in backticks.
#[test]
fn the_examples_of_the_book_are_true() {
    let page = include_str!("../../../../docs/src/secrets.md");
    let (_, table) = page.split_once("| recorded as |\n").unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let mut count = 0;
    for row in rows {
        let [_, text, _, expected, _] = row.split('`').collect::<Vec<_>>()[..] else { panic!("{row}") };
        check(text, expected);
        count += 1;
    }
    assert!(count > 5);
}

#[test]
fn the_secrets_of_the_environment_are_masked_everywhere() {
    let variables = [
        ("GITHUB_TOKEN", "canary-1"),
        ("PGPASSWORD", "canary 2"),
        ("LAB_PIN", "4711-0815"),
        ("HOME", "/home/canary-1"),
        ("DATABASE_URL", "postgres://alice:canary-3@db/x"),
        ("ARGS", "--password=canary"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("WITH_NUL", "a\0b"),
    ];
    let with_pin = redactor(&[("env_mask", "LAB_*")], &variables);
    let environment = json!({
        "GITHUB_TOKEN": "****",
        "PGPASSWORD": "****",
        "LAB_PIN": "****",
        "HOME": "/home/****",
        "DATABASE_URL": "postgres://alice:****@db/x",
        "ARGS": "--password=****",
        "TOKENIZERS_PARALLELISM": "false",
    });
    assert_eq!(Json::Object(with_pin.environment()), environment);
    assert_eq!(with_pin.text("canary-1 canary%202 4711-0815 canary-3"), "**** **** **** ****");
    let others =
        redactor(&[("env_mask", "!GITHUB_*"), ("env_include", "*TOKEN* H*, !TOKENIZERS_*")], &variables);
    assert_eq!(
        Json::Object(others.environment()),
        json!({"GITHUB_TOKEN": "canary-1", "HOME": "/home/canary-1"})
    );
}

#[test]
fn the_passwords_of_the_configuration_are_masked_everywhere() {
    let redactor = redactor(&[("password", "canary-1"), ("engine", "sqlite")], &[]);
    assert_eq!(redactor.text("x=canary-1"), "x=****");
    assert!(!format!("{redactor:?}").contains("canary"));
}

#[test]
fn arguments_are_names_and_values() {
    let redactor = redactor(&[("env_mask", "pin")], &[]);
    for (arguments, expected) in [
        (vec!["--password", "can ary", "x"], vec!["--password", "****", "x"]),
        (vec!["--password=can ary", "x"], vec!["--password=****", "x"]),
        (vec!["-password", "-can-ary"], vec!["-password", "****"]),
        (vec!["API_KEY=can ary"], vec!["API_KEY=****"]),
        (vec!["--use-token", "--verbose", "-v", "x"], vec!["--use-token", "--verbose", "-v", "x"]),
        (vec!["--use-token", "-v", "x"], vec!["--use-token", "-v", "x"]),
        (
            vec!["--use-auth-token", "True", "--eos-token", "</s>"],
            vec!["--use-auth-token", "True", "--eos-token", "</s>"],
        ),
        (vec!["--no-password", "x"], vec!["--no-password", "x"]),
        (vec!["--max-tokens", "4096", "--max-tokens=-1"], vec!["--max-tokens", "4096", "--max-tokens=-1"]),
        (vec!["--pin", "4711", "--pin=0"], vec!["--pin", "****", "--pin=****"]),
        (
            vec!["postgres://a:canary@b", "-H", "X-Token: can ary"],
            vec!["postgres://a:****@b", "-H", "X-Token: ****"],
        ),
        (vec!["--tokenizer", "gpt2", "--password"], vec!["--tokenizer", "gpt2", "--password"]),
    ] {
        assert_eq!(redactor.arguments(&arguments), expected);
    }
}

#[test]
fn objects_are_masked_by_name_and_by_content() {
    let redactor = redactor(&[], &[("X_TOKEN", "canary-1")]);
    let object = json!({
        "api_key": "canary",
        "password": 4711,
        "max_tokens": 4096,
        "max-tokens": "4096",
        "use_token": true,
        "no_secret": null,
        "eos_token": "</s>",
        "tokenizer": "gpt2",
        "url": "postgres://a:canary@b",
        "credentials": {"user": "canary", "on": true, "ports": [1, "canary"]},
        "argv": ["--password", "can ary", 1, ["x canary-1"]],
        "pair": ["--token", {"a": "canary"}],
        "note": "the password: canary",
        "canary-1": 0.5,
        "password ": "",
    });
    let expected = json!({
        "api_key": "****",
        "password": "****",
        "max_tokens": 4096,
        "max-tokens": "4096",
        "use_token": true,
        "no_secret": null,
        "eos_token": "</s>",
        "tokenizer": "gpt2",
        "url": "postgres://a:****@b",
        "credentials": {"user": "****", "on": true, "ports": ["****", "****"]},
        "argv": ["--password", "****", 1, ["x ****"]],
        "pair": ["--token", {"a": "****"}],
        "note": "the password: ****",
        "****": 0.5,
        "password ": "",
    });
    let masked = redactor.object(object.as_object().unwrap());
    assert_eq!(Json::Object(masked.clone()), expected);
    assert_eq!(redactor.object(&masked), masked);
}

#[test]
fn a_large_text_of_any_form_takes_a_moment() {
    let line = "+    model.api_key = load(\"x\", token=f(a, [b]), url='https://u:canary@h/x?key=y') # ghp_\n";
    let hostile = [
        "token=f(",
        "_key:{",
        "secret:{",
        "token: |\n",
        "--token '",
        "--token r#\"",
        "https://a:b",
        "-----BEGIN PRIVATE KEY-----",
        "a_key=(\"",
        "\"A_KEY\",",
        "x",
        "token: ",
    ];
    let redactor = redactor(&[], &[("A_TOKEN", "canary-1"), ("B_TOKEN", "canary-2")]);
    for text in [line].into_iter().chain(hostile) {
        let start = std::time::Instant::now();
        let masked = redactor.text(&text.repeat(500_000 / text.len()));
        assert!(!masked.contains("canary"));
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "{text:?} takes {:?}", start.elapsed());
    }
}

/// Pieces of which texts are made that are hard to take apart.
fn piece() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "password",
        "API_KEY",
        "token",
        "--secret",
        "user",
        "x",
        "=",
        ":",
        " ",
        "  ",
        "\n",
        "\n+",
        "\"",
        "'",
        "\"\"\"",
        "\\",
        "\\\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        "&",
        "?",
        "#",
        " # ",
        "|",
        "|\n  ",
        "%3D",
        "%26",
        "://",
        "%3A%2F%2F",
        "%40",
        "@",
        "/",
        "****",
        "é",
        "😀",
        "Bearer ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "ghp_0123456789012345",
        "eyJabcdefghij.eyJabcdefghij.abcdefghij",
        "str",
        "null",
        "f",
        "r#",
        "+",
        "default=",
        "7",
        ".",
        "MIIE0123456789abcdef",
        "::",
        "==",
        "\r\n",
        "\t",
        "canary-1",
        "== ",
    ])
    .prop_map(str::to_owned);
    prop_oneof![8 => pieces, 1 => "[a-zA-Z0-9_.-]{1,12}", 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #[test]
    fn any_text_can_be_masked_and_twice_is_once(pieces in prop::collection::vec(piece(), 0..24)) {
        let redactor = redactor(&[], &[("A_TOKEN", "canary-1")]);
        let text = pieces.concat();
        let masked = redactor.text(&text);
        prop_assert!(!masked.contains("canary-1"));
        prop_assert_eq!(redactor.text(&masked), masked, "{}", text);
    }

    #[test]
    fn text_without_names_and_signs_is_unchanged(text in "[a-z0-9 .,()\\[\\]#\n+é😀-]{0,60}") {
        prop_assert_eq!(redactor(&[], &[]).text(&text), text);
    }

    /// Whatever is before and after it, and in whatever form it is given.
    #[test]
    fn a_canary_survives_nowhere(
        before in prop::collection::vec(piece(), 0..6),
        form in prop::sample::select(vec![
            "\npassword: X\n", "\nAPI_KEY = \"X\"\n", " --token X ", "\n{\"secret\": \"X\"}\n", "\nDB_PASS=X\n", "\n-H 'X-Api-Key: X'\n",
            " postgres://alice:X@db/x ", "\nhost=db password=X user=alice\n", "\n?a=1&access_token=X&b=2 ",
        ]),
        canary in "[A-Za-z0-9!$^~_]{2}CANARY[A-Za-z0-9!$^~_-]{2}",
    ) {
        // An open quote, bracket or name before it makes something else of the form.
        let before: String = before.concat().chars().filter(|c| !"\"'`\\".contains(*c)).collect();
        let text = format!("{before}\n\n{}", form.replace('X', &canary).replace(&format!("{canary}-Api"), "X-Api"));
        let masked = redactor(&[], &[]).text(&text);
        prop_assert!(!masked.contains("CANARY"), "{} became {}", text, masked);
    }

    #[test]
    fn any_arguments_can_be_masked(arguments in prop::collection::vec(piece(), 0..8)) {
        let redactor = redactor(&[], &[]);
        let masked = redactor.arguments(&arguments);
        prop_assert_eq!(masked.len(), arguments.len());
        prop_assert_eq!(redactor.arguments(&masked), masked);
    }
}
