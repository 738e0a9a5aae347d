//! Parameters in SQL text: from `:name`, which users write, to `$1`, which both databases take.

use crate::Dialect;
use crate::script::{ScriptError, Token, TokenKind, tokens};

/// Everything that reading the parameters of a statement can fail with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceholderError {
    /// The text is no whole SQL.
    #[error("the parameters of the statement cannot be read")]
    Script(#[from] ScriptError),
    /// The statement names parameters that no value was given for.
    #[error("no value is given for {}; give one, or leave a space behind a colon that starts no parameter", missing(.0))]
    Missing(Vec<MissingParameter>),
    /// Values were given that the statement does not name.
    #[error("the statement does not use {}; write the parameter into it, or give no value", unused(.0))]
    Unused(Vec<String>),
    /// The statement takes another number of values than were given.
    #[error("the statement takes {expected} values by position, {given} were given")]
    Count {
        /// The highest `n` of all `$n`.
        expected: usize,
        /// How many values were given.
        given: usize,
    },
    /// The statement names some parameters and numbers others.
    #[error("line {line}: `{parameter}` cannot be used together with named parameters; name it too")]
    Mixed {
        /// The parameter that is numbered.
        parameter: String,
        /// Where it is, counted from 1.
        line: usize,
    },
}

/// A parameter that no value was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingParameter {
    /// Its name, without the colon.
    pub name: String,
    /// The name that was given and is close to it, if any is.
    pub nearest: Option<String>,
}

/// Turns every `:name` of `sql` into `$n`, and tells which of `names` each `$n` is: the value for `$1` is
/// that of `names[order[0]]`. A name that is used again gets the same `$n`.
///
/// A `:name` is a colon directly before a word. Left alone are:
///
/// - everything in strings, quoted names, comments and dollar quotes, and so `:'name'`;
/// - `::` and `:=`, so a cast of a parameter is `:name::text`;
/// - on Postgres, a colon behind a word or a value in a subscript, as it separates the bounds of a slice:
///   `a[x:y]` and `a[1:n]` have no parameter, while `a[:x]`, `a[:x : :y]` (`::` being a cast) and
///   `a[(CASE WHEN :x THEN 1 END)]` have, and so has `ARRAY[x, :y]`;
/// - a colon before a space, so `a[: x]` and `JSON_OBJECT('k': x)` have no parameter either.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::placeholders::named_to_positional;
///
/// let sql = "SELECT ':a', :b::text FROM runs WHERE id = :a OR comment = :b";
/// let (sql, order) = named_to_positional(sql, Dialect::Postgres, &["a", "b"])?;
/// assert_eq!(sql, "SELECT ':a', $1::text FROM runs WHERE id = $2 OR comment = $1");
/// assert_eq!(order, [1, 0]);
/// # Ok::<(), sqltrack_engines::placeholders::PlaceholderError>(())
/// ```
///
/// # Errors
///
/// - [`PlaceholderError::Missing`] with every name that is used and not given.
/// - [`PlaceholderError::Unused`] with every name that is given and not used, or given twice.
/// - [`PlaceholderError::Mixed`] if other parameters (`$1`, and on SQLite `?`, `@a`, `$a`) are used as well.
/// - [`PlaceholderError::Script`] if the text is no whole SQL.
pub fn named_to_positional(
    sql: &str,
    dialect: Dialect,
    names: &[&str],
) -> Result<(String, Vec<usize>), PlaceholderError> {
    let found = Parameters::read(sql, dialect)?;
    if let (Some(parameter), false) = (found.other, found.named.is_empty()) {
        return Err(PlaceholderError::Mixed { parameter: parameter.text.to_owned(), line: parameter.line });
    }
    let missing = found.missing(names);
    if !missing.is_empty() {
        return Err(PlaceholderError::Missing(missing));
    }
    let (text, order) = number(sql, &found.named, names);
    let unused = (0..names.len()).filter(|index| !order.contains(index));
    let unused: Vec<_> = unused.map(|index| names[index].to_owned()).collect();
    if unused.is_empty() { Ok((text, order)) } else { Err(PlaceholderError::Unused(unused)) }
}

/// The highest `n` of all `$n` in `sql`, which is how many values it takes. 0 if there is none.
///
/// # Errors
///
/// [`PlaceholderError::Script`] if the text is no whole SQL.
pub fn positional_count(sql: &str, dialect: Dialect) -> Result<usize, PlaceholderError> {
    let mut highest = 0;
    for token in tokens(sql, dialect) {
        let token = token?;
        if let (TokenKind::Parameter, Some(digits)) = (token.kind, token.text.strip_prefix('$')) {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            // A number beyond `usize` is more than any database takes, and must not count as few.
            highest = highest.max(if is_number { digits.parse().unwrap_or(usize::MAX) } else { 0 });
        }
    }
    Ok(highest)
}

/// Checks that `sql` takes `given` values by position. What a statement with parameters of other forms (SQLite's `?`,
/// `@a`) takes is left to the database.
///
/// # Errors
///
/// [`PlaceholderError::Count`] if it takes more or fewer, [`PlaceholderError::Script`] if the text is no whole SQL.
pub fn check_positional(sql: &str, dialect: Dialect, given: usize) -> Result<(), PlaceholderError> {
    let is_other = |token: &Token<'_>| {
        let digits = token.text.strip_prefix('$').unwrap_or_default();
        token.kind == TokenKind::Parameter
            && (digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if tokens(sql, dialect).filter_map(Result::ok).any(|token| is_other(&token)) {
        return Ok(());
    }
    let expected = positional_count(sql, dialect)?;
    if expected == given { Ok(()) } else { Err(PlaceholderError::Count { expected, given }) }
}

/// A `:name`: where its colon is, and the name.
struct Named<'a> {
    colon: usize,
    name: &'a str,
}

impl Named<'_> {
    fn end(&self) -> usize {
        self.colon + 1 + self.name.len()
    }
}

struct Parameters<'a> {
    named: Vec<Named<'a>>,
    /// The first one that has no `:name`.
    other: Option<Token<'a>>,
}

impl<'a> Parameters<'a> {
    fn read(sql: &'a str, dialect: Dialect) -> Result<Self, ScriptError> {
        let mut found = Self { named: Vec::new(), other: None };
        let mut surroundings = Surroundings::default();
        let mut tokens = tokens(sql, dialect).filter(|token| !is_comment(token)).peekable();
        while let Some(token) = tokens.next() {
            let token = token?;
            let next = tokens.peek().and_then(|next| next.as_ref().ok());
            let name = next.filter(|next| is_name(&token, next) && !surroundings.expect_slice()).copied();
            if let Some(name) = name {
                found.named.push(Named { colon: token.offset, name: name.text });
                tokens.next();
            } else if token.kind == TokenKind::Parameter {
                found.other = found.other.or(Some(token));
            }
            surroundings.see(name.unwrap_or(token));
        }
        Ok(found)
    }

    fn missing(&self, names: &[&str]) -> Vec<MissingParameter> {
        let mut missing: Vec<MissingParameter> = Vec::new();
        for Named { name, .. } in &self.named {
            if !names.contains(name) && missing.iter().all(|known| known.name != *name) {
                missing.push(MissingParameter { name: (*name).to_owned(), nearest: nearest(name, names) });
            }
        }
        missing
    }
}

fn is_comment(token: &Result<Token<'_>, ScriptError>) -> bool {
    token.as_ref().is_ok_and(|token| token.kind == TokenKind::Comment)
}

fn is_name(colon: &Token<'_>, next: &Token<'_>) -> bool {
    colon.is_operator(":") && next.kind == TokenKind::Word && next.offset == colon.end()
}

/// What a colon stands in and behind.
#[derive(Default)]
struct Surroundings {
    /// For each open bracket, whether it holds a subscript.
    brackets: Vec<bool>,
    value_before: bool,
    array_before: bool,
}

impl Surroundings {
    /// Whether a colon would separate the bounds of a slice here.
    fn expect_slice(&self) -> bool {
        self.value_before && self.brackets.last() == Some(&true)
    }

    fn see(&mut self, token: Token<'_>) {
        match token.text {
            "[" => self.brackets.push(self.value_before && !self.array_before),
            "(" => self.brackets.push(false),
            "]" | ")" => drop(self.brackets.pop()),
            _ => {}
        }
        self.array_before = token.is_word("ARRAY");
        self.value_before = match token.kind {
            TokenKind::Operator => matches!(token.text, ")" | "]"),
            TokenKind::Semicolon | TokenKind::Comment => false,
            _ => true,
        };
    }
}

fn number(sql: &str, named: &[Named<'_>], names: &[&str]) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(sql.len());
    let mut order: Vec<usize> = Vec::new();
    let mut copied = 0;
    for parameter in named {
        let Some(index) = names.iter().position(|name| *name == parameter.name) else { continue };
        let position = order.iter().position(|known| *known == index).unwrap_or_else(|| {
            order.push(index);
            order.len() - 1
        });
        text.push_str(&sql[copied..parameter.colon]);
        // `LIMIT:n` would become `LIMIT$1`, which is a name.
        if text
            .ends_with(|char: char| char.is_alphanumeric() || char == '_' || char == '$' || !char.is_ascii())
        {
            text.push(' ');
        }
        text.push_str(&format!("${}", position + 1));
        copied = parameter.end();
    }
    text.push_str(&sql[copied..]);
    (text, order)
}

fn missing(parameters: &[MissingParameter]) -> String {
    let shown = parameters.iter().map(|MissingParameter { name, nearest }| match nearest {
        Some(nearest) => format!("`:{name}` (is it `:{nearest}`?)"),
        None => format!("`:{name}`"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn unused(names: &[String]) -> String {
    names.iter().map(|name| format!("`:{name}`")).collect::<Vec<_>>().join(", ")
}

/// The name that fewest changes lead to, if they are few next to its length.
fn nearest(name: &str, names: &[&str]) -> Option<String> {
    let lower = name.to_lowercase();
    let (distance, nearest) =
        names.iter().map(|known| (distance(&lower, &known.to_lowercase()), known)).min()?;
    (distance * 3 <= lower.chars().count()).then(|| (*nearest).to_owned())
}

/// How many characters must be inserted, removed or replaced to make one text the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (removed, char) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = removed + 1;
        for at in 0..to.len() {
            let replaced = diagonal + usize::from(to[at] != char);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PlaceholderError, distance, named_to_positional, positional_count};
    use crate::Dialect::{self, Postgres, Sqlite};

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, names: &[&str], expected: &str, order: &[usize]) {
        let found = named_to_positional(sql, dialect, names).unwrap_or_else(|err| panic!("{dialect}: {err}"));
        assert_eq!(found, (expected.to_owned(), order.to_vec()), "{dialect}");
        assert_eq!(positional_count(expected, dialect), Ok(order.len()));
    }

    #[track_caller]
    fn check_both(sql: &str, names: &[&str], expected: &str, order: &[usize]) {
        Dialect::ALL.into_iter().for_each(|dialect| check(dialect, sql, names, expected, order));
    }

    #[test]
    fn names_are_numbered_in_order_of_use() {
        check_both("", &[], "", &[]);
        check_both("a = :x", &["x"], "a = $1", &[0]);
        check_both(":b,:a,:b", &["a", "b"], "$1,$2,$1", &[1, 0]);
        check_both(":é_1=:É_1", &["é_1", "É_1"], "$1=$2", &[0, 1]);
        check_both("LIMIT:n;é:n", &["n"], "LIMIT $1;é $1", &[0]);
        check_both("(:a)", &["a"], "($1)", &[0]);
    }

    #[test]
    fn colons_of_other_meaning_are_left_alone() {
        check_both(
            "':a' \":a\" -- :a\n/* :a */ : a :1 :a",
            &["a"],
            "':a' \":a\" -- :a\n/* :a */ : a :1 $1",
            &[0],
        );
        check(Postgres, "$$:a$$ E'\\':a' f(x := :a::text)", &["a"], "$$:a$$ E'\\':a' f(x := $1::text)", &[0]);
        check(Postgres, "x::a :::a", &["a"], "x::a ::$1", &[0]);
        check(Sqlite, "`:a` [:a] :a", &["a"], "`:a` [:a] $1", &[0]);
    }

    #[test]
    fn slices_separate_values() {
        check(Postgres, "a[x:y] b[1:y] c[f(1):y] d[e[1]:y]", &[], "a[x:y] b[1:y] c[f(1):y] d[e[1]:y]", &[]);
        check(
            Postgres,
            "a[:lo] b[:lo : :hi] c[1 + :lo:y]",
            &["lo", "hi"],
            "a[$1] b[$1 : $2] c[1 + $1:y]",
            &[0, 1],
        );
        check(Postgres, "a[1] = :lo", &["lo"], "a[1] = $1", &[0]);
        check(
            Postgres,
            "ARRAY[NOT :a, [NOT :a]] x[f(NOT :a)]",
            &["a"],
            "ARRAY[NOT $1, [NOT $1]] x[f(NOT $1)]",
            &[0],
        );
    }

    #[track_caller]
    fn check_refused(dialect: Dialect, sql: &str, names: &[&str], message: &str) {
        let err = named_to_positional(sql, dialect, names).unwrap_err();
        assert_eq!(err.to_string(), message);
    }

    #[test]
    fn names_and_values_must_agree() {
        let hint = "give one, or leave a space behind a colon that starts no parameter";
        check_refused(
            Postgres,
            "a = :stats OR b = :x OR c = :x",
            &["status"],
            &format!("no value is given for `:stats` (is it `:status`?), `:x`; {hint}"),
        );
        check_refused(Postgres, ":A", &["b"], &format!("no value is given for `:A`; {hint}"));
        check_refused(
            Sqlite,
            ":A",
            &["b", "a"],
            &format!("no value is given for `:A` (is it `:a`?); {hint}"),
        );
        let unused = "the statement does not use `:b`, `:a`; write the parameter into it, or give no value";
        check_refused(Sqlite, ":a", &["a", "b", "a"], unused);
    }

    #[test]
    fn named_and_numbered_parameters_do_not_mix() {
        let mixed = |it| format!("line 2: `{it}` cannot be used together with named parameters; name it too");
        check_refused(Postgres, ":a,\n$1", &["a"], &mixed("$1"));
        check_refused(Sqlite, ":a,\n?", &["a"], &mixed("?"));
        check(Postgres, "tags ? :a", &["a"], "tags ? $1", &[0]);
        assert_eq!(named_to_positional("$2 $1", Postgres, &[]), Ok(("$2 $1".to_owned(), vec![])));
    }

    #[test]
    fn open_quotes_are_refused() {
        assert!(matches!(named_to_positional("':a", Postgres, &["a"]), Err(PlaceholderError::Script(_))));
        assert!(matches!(positional_count("'$1", Postgres), Err(PlaceholderError::Script(_))));
    }

    #[test]
    fn the_highest_number_counts() {
        assert_eq!(positional_count("$2 + $10 '$11' a$12 -- $13", Postgres), Ok(10));
        assert_eq!(positional_count("$a ?7", Sqlite), Ok(0));
        assert_eq!(positional_count("$99999999999999999999999", Postgres), Ok(usize::MAX));
    }

    #[test]
    fn distances_count_changes() {
        for (from, to, expected) in
            [("", "", 0), ("", "ab", 2), ("ab", "", 2), ("abc", "abd", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in r#"[:a\[\]$1?'" é]{0,30}"#, other in any::<String>()) {
            for dialect in Dialect::ALL {
                for text in [&text, &other] {
                    let _ = positional_count(text, dialect);
                    if let Ok((numbered, order)) = named_to_positional(text, dialect, &["a", "é"]) {
                        prop_assert_eq!(positional_count(&numbered, dialect), Ok(order.len()));
                    }
                }
            }
        }
    }
}
