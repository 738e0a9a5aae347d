//! Hostile but valid pieces, put together at random, are split exactly.

use proptest::prelude::*;

use super::{Script, TokenKind, split, tokens};
use crate::Dialect::{self, Postgres, Sqlite};

/// What tempts a splitter: delimiters of all kinds, in any order.
const HOSTILE: &str = r#"[a;'"`$ \n\\/*\-\[\]é損\u{1F600}]{0,8}"#;

const BLANKS: [char; 7] = ['\u{feff}', ' ', '\t', '\n', '\r', '\x0b', '\x0c'];

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Postgres), Just(Sqlite)]
}

/// A piece that is exactly one token.
fn piece(dialect: Dialect) -> BoxedStrategy<String> {
    let common = prop_oneof![
        prop::sample::select(vec![
            "select", "begin", "atomic", "end", "case", "a$b$", "1e5", ".5", "(", ")", "::", ":="
        ])
        .prop_map(str::to_owned),
        HOSTILE.prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        HOSTILE.prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
    ];
    match dialect {
        Postgres => prop_oneof![
            common,
            HOSTILE.prop_map(|text| format!("E'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))),
            HOSTILE.prop_map(|text| format!("$é${}$é$", text.replace('$', ""))),
            HOSTILE.prop_map(|text| format!("$${}$$", text.replace('$', ""))),
            "[0-9]{1,3}".prop_map(|digits| format!("${digits}")),
        ]
        .boxed(),
        Sqlite => prop_oneof![
            common,
            HOSTILE.prop_map(|text| format!("`{}`", text.replace('`', "``"))),
            HOSTILE.prop_map(|text| format!("[{}]", text.replace(']', ""))),
            "[0-9]{0,3}".prop_map(|digits| format!("?{digits}")),
        ]
        .boxed(),
    }
}

fn separator() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![" ", "\t", " \r\n"]).prop_map(str::to_owned),
        HOSTILE.prop_map(|text| format!(" --{}\n", text.replace('\n', ""))),
        HOSTILE.prop_map(|text| format!(" /*{}*/ ", text.replace(['/', '*'], ""))),
    ]
}

/// Pieces, each with what follows it.
fn statement(dialect: Dialect) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((piece(dialect), separator()), 1..6).prop_map(|mut pieces| {
        // Behind a line's end, a string would be the continuation of an escape string, and read like one.
        for (_, separator) in pieces.iter_mut().filter(|(piece, _)| piece.starts_with('E')) {
            *separator = " ".to_owned();
        }
        pieces
    })
}

fn statements() -> impl Strategy<Value = (Dialect, Vec<Vec<(String, String)>>)> {
    dialect().prop_flat_map(|dialect| (Just(dialect), prop::collection::vec(statement(dialect), 0..5)))
}

/// The statement from its first piece to its last.
fn text_of(statement: &[(String, String)]) -> String {
    let mut text: String =
        statement.iter().flat_map(|(piece, separator)| [piece.as_str(), separator]).collect();
    text.truncate(text.len() - statement.last().map_or(0, |(_, separator)| separator.len()));
    text
}

proptest! {
    #[test]
    fn statements_are_split_exactly((dialect, statements) in statements()) {
        let expected: Vec<_> = statements.iter().map(|it| text_of(it)).collect();
        let text: String = statements.iter().map(|it| text_of(it) + &it[it.len() - 1].1 + ";\n").collect();
        let split = split(&text, dialect).unwrap();
        prop_assert_eq!(split.iter().map(|it| it.text()).collect::<Vec<_>>(), expected);
        for statement in split {
            prop_assert_eq!(statement.line(), 1 + text[..statement.offset()].matches('\n').count());
        }
    }

    #[test]
    fn every_piece_is_one_token((dialect, piece) in dialect().prop_flat_map(|it| (Just(it), piece(it)))) {
        let found: Vec<_> = tokens(&piece, dialect).map(Result::unwrap).collect();
        prop_assert_eq!(found.iter().map(|it| it.text).collect::<Vec<_>>(), [piece.as_str()]);
    }

    #[test]
    fn no_token_is_lost((dialect, statements) in statements()) {
        let text: String = statements.iter().map(|it| text_of(it) + &it[it.len() - 1].1 + ";").collect();
        let of = |text: &str| -> Vec<String> {
            let all = tokens(text, dialect).map(Result::unwrap);
            all.filter(|it| it.kind != TokenKind::Comment).map(|it| it.text.to_owned()).collect()
        };
        let joined: String = split(&text, dialect).unwrap().iter().map(|it| it.text().to_owned() + ";").collect();
        prop_assert_eq!(of(&joined), of(&text));
    }

    #[test]
    fn tokens_and_white_space_are_the_whole_text(dialect in dialect(), text in any::<String>()) {
        let mut end = 0;
        for token in tokens(&text, dialect) {
            let Ok(token) = token else { return Ok(()) };
            let between = text[end..token.offset].trim_matches(BLANKS);
            prop_assert_eq!(between, "");
            prop_assert_eq!(&text[token.offset..token.end()], token.text);
            end = token.end();
        }
    }

    #[test]
    fn any_text_is_read_without_panic(dialect in dialect(), text in any::<String>(), hostile in r#"[a;'"`$\n\\/*\-\[\]é ()E:BEGINDcreatfuco]{0,60}"#) {
        for text in [text, hostile] {
            if let Ok(statements) = split(&text, dialect) {
                for statement in statements {
                    let kind = statement.kind();
                    let _ = (kind.controls_transaction(), kind.returns_rows_without_writing(), kind.forbidden_in_transaction());
                }
            }
            let _ = Script::parse("any.sql", &text, dialect);
        }
    }
}
