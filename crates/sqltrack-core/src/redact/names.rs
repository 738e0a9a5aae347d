//! Which names are those of secrets.

use std::borrow::Cow;

use super::globs::Globs;

/// What is secret under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Secrecy {
    /// Nothing.
    Nothing,
    /// Every text but for numbers, pieces of text, and words such as `true`: `max_tokens = 4096`, `sort_key = 2` and
    /// `eos_token = "</s>"` are no secrets.
    Text,
    /// Whatever there is.
    Everything,
}

impl Secrecy {
    /// Whether a value is secret.
    pub(super) fn covers(self, value: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Text => !is_number(value) && !is_piece(value) && !is_constant(value),
            Self::Everything => !value.is_empty(),
        }
    }
}

/// Whether a value only says that there is none, or whether there is one.
pub(super) fn is_constant(value: &str) -> bool {
    const CONSTANTS: [&str; 7] = ["", "true", "false", "null", "none", "nil", "undefined"];
    CONSTANTS.iter().any(|constant| constant.eq_ignore_ascii_case(value.trim()))
}

/// Whether a text is a number, or a sum of numbers, as programs write them.
fn is_number(text: &str) -> bool {
    let is_hexadecimal =
        |word: &str| word.strip_prefix("0x").is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok());
    let is_one = |word: &str| {
        let is_decimal = || word.replace('_', "").parse::<f64>().is_ok();
        word.bytes().any(|byte| byte.is_ascii_digit()) && (is_decimal() || is_hexadecimal(word))
    };
    let is_operator = |word: &str| ["+", "-", "*", "/", "//", "%", "**", "<<"].contains(&word);
    let mut words = text.split_whitespace();
    words.next().is_some_and(is_one)
        && std::iter::from_fn(|| {
            words.next().map(|operator| is_operator(operator) && words.next().is_some_and(is_one))
        })
        .all(|is_term| is_term)
}

/// Whether a text is one that language models name a token: `,`, `[PAD]`, `<|endoftext|>`.
fn is_piece(text: &str) -> bool {
    let is_between = |open, close| text.starts_with(open) && text.ends_with(close);
    text.chars().count() <= 3 || is_between('<', '>') || is_between('[', ']')
}

/// The patterns of names that hold secrets, and what is secret under them. A `*` may be at either end.
const BUILT_IN: [(&str, Secrecy); 16] = [
    ("*TOKEN*", Secrecy::Text),
    ("*_KEY", Secrecy::Text),
    ("*API_KEY*", Secrecy::Text),
    ("*PRIVATE_KEY*", Secrecy::Text),
    ("*APIKEY", Secrecy::Text),
    ("*SECRET*", Secrecy::Everything),
    ("*PASSWORD*", Secrecy::Everything),
    ("*PASSWD*", Secrecy::Everything),
    ("*PASSPHRASE*", Secrecy::Everything),
    ("*CREDENTIAL*", Secrecy::Everything),
    ("*_PASS", Secrecy::Everything),
    ("*_PWD", Secrecy::Everything),
    ("AUTH", Secrecy::Text),
    ("*_AUTH", Secrecy::Text),
    ("AUTHORIZATION", Secrecy::Everything),
    ("PROXY_AUTHORIZATION", Secrecy::Everything),
];

/// In which no secret is meant, though it holds TOKEN: tokenizers, `tokenize`, `TOKENIZERS_PARALLELISM`.
const HARMLESS: &str = "TOKENIZ";

/// The names of secrets: the built-in ones and those that are configured.
#[derive(Debug, Clone)]
pub(super) struct Names {
    configured: Globs,
}

impl Names {
    pub(super) fn new(configured: Globs) -> Self {
        Self { configured }
    }

    /// The same, and more.
    pub(super) fn and(self, more: Globs) -> Self {
        Self { configured: self.configured.and(more) }
    }

    /// What is secret under a name. It may be written as is usual in options, code and variables: `--api-key`,
    /// `apiKey` and `api.key` are `API_KEY`.
    pub(super) fn secrecy(&self, name: &str) -> Secrecy {
        let plain = name.to_ascii_uppercase();
        let canonical = canonical(name);
        let spellings = || [plain.as_str(), canonical.as_str()].into_iter();
        if spellings().any(|name| self.configured.exempts(name)) {
            return Secrecy::Nothing;
        }
        if spellings().any(|name| self.configured.matches(name)) {
            return Secrecy::Everything;
        }
        spellings().map(built_in_secrecy).max().unwrap_or(Secrecy::Nothing)
    }
}

fn built_in_secrecy(name: &str) -> Secrecy {
    let name = if name.contains(HARMLESS) { Cow::from(name.replace(HARMLESS, "")) } else { name.into() };
    let fitting = BUILT_IN.iter().filter(|(pattern, _)| fits(pattern, &name));
    fitting.map(|(_, secrecy)| *secrecy).max().unwrap_or(Secrecy::Nothing)
}

/// Whether a name fits a built-in pattern. There are so many names in a text that this has to be quick.
fn fits(pattern: &str, name: &str) -> bool {
    let Some(end) = pattern.strip_prefix('*') else { return pattern == name };
    end.strip_suffix('*').map_or_else(|| name.ends_with(end), |part| name.contains(part))
}

/// The name in upper case, with `_` between its words.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.trim_start_matches('-').chars() {
        if was_lower && c.is_ascii_uppercase() {
            canonical.push('_');
        }
        canonical.push(if c.is_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(configured: &str, secrecy: Secrecy, names: &[&str]) {
        let known = Names::new(Globs::parse(configured).unwrap());
        for name in names {
            assert_eq!(known.secrecy(name), secrecy, "{name}");
        }
    }

    #[test]
    fn the_names_of_secrets_are_known_in_every_spelling() {
        check(
            "",
            Secrecy::Everything,
            &[
                "PGPASSWORD",
                "SQLTRACK_DSN_PASSWORD",
                "aws_secret_access_key",
                "clientSecret",
                "PassWord",
                "--db-password",
                "OLD_PWD",
                "GOOGLE_APPLICATION_CREDENTIALS",
                "Authorization",
            ],
        );
        check(
            "",
            Secrecy::Text,
            &[
                "GITHUB_TOKEN",
                "api_key",
                "apiKey",
                "--api-key",
                "X-Api-Key",
                "OPENAI_APIKEY",
                "max_tokens",
                "fs.s3a.key",
            ],
        );
    }

    #[test]
    fn the_book_has_every_pattern() {
        let page = include_str!("../../../../docs/src/secrets.md");
        let rows = |pattern: &str| {
            page.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{pattern}`")))
        };
        let missing: Vec<_> =
            BUILT_IN.iter().map(|(pattern, _)| pattern).filter(|pattern| !rows(pattern)).collect();
        assert!(missing.is_empty(), "docs/src/secrets.md lacks {missing:?}");
    }

    #[test]
    fn other_names_are_not() {
        let names =
            ["HOME", "PWD", "monkey", "key", "KEYS", "tokenizer", "TOKENIZERS_PARALLELISM", "passed", ""];
        check("", Secrecy::Nothing, &names);
        check("", Secrecy::Text, &["TOKENIZER_API_KEY"]);
    }

    #[test]
    fn the_configured_patterns_come_first() {
        check("LAB-*, !LAB_PUBLIC !max_tokens", Secrecy::Everything, &["lab-pin"]);
        check("LAB_*, !LAB_PUBLIC !max_tokens", Secrecy::Everything, &["lab-pin", "labPin", "LAB_TOKEN"]);
        check("LAB_*, !LAB_PUBLIC !max_tokens", Secrecy::Nothing, &["LAB_PUBLIC", "--max-tokens"]);
    }
}
