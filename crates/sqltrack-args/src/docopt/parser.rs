//! Usage patterns, from tokens to a tree.
//!
//! ```text
//! either   = sequence { "|" sequence }
//! sequence = { atom [ "..." ] }
//! atom     = "(" either ")" | "[" either "]" | "options" | option | argument | command
//! ```

use std::vec;

use indexmap::IndexSet;

use super::descriptions::OptionSpec;
use super::options::{Found, OptionTable};
use super::pattern::{Leaf, Pattern, Usage};
use super::text::is_upper;
use super::tokens::Token;
use crate::error::{HelpTextError, HelpTextProblem};

/// How deep brackets may nest. Real help texts stay below ten; the limit protects the stack.
const MAX_DEPTH: usize = 200;

/// Reads a pattern. Options that it mentions without a description are added to `options`.
pub(crate) fn parse(tokens: Vec<Token>, options: &mut OptionTable) -> Result<Usage, HelpTextError> {
    let mut parser = Parser {
        line: 0,
        tokens: tokens.into_iter().peekable(),
        options,
        leaves: IndexSet::new(),
        depth: 0,
        swallowed: None,
    };
    let pattern = Pattern::Required(parser.either()?);
    if let Some(token) = parser.next() {
        let err = parser.error(HelpTextProblem::UnexpectedClose(token));
        return Err(parser.swallowed.unwrap_or(err));
    }
    let Parser { leaves, .. } = parser;
    Ok(Usage::new(pattern, leaves, options.all()))
}

struct Parser<'a> {
    /// The line of the token that was read last.
    line: usize,
    tokens: std::iter::Peekable<vec::IntoIter<Token>>,
    options: &'a mut OptionTable,
    leaves: IndexSet<Leaf>,
    depth: usize,
    /// Set when an option took a bracket for its value: the better explanation if brackets do not match
    /// later.
    swallowed: Option<HelpTextError>,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Vec<Pattern>, HelpTextError> {
        let first = self.sequence()?;
        if self.peek() != Some("|") {
            return Ok(first);
        }
        let mut choices = Vec::new();
        push_choice(&mut choices, first);
        while self.peek() == Some("|") {
            self.next();
            let choice = self.sequence()?;
            push_choice(&mut choices, choice);
        }
        Ok(vec![Pattern::Either(choices)])
    }

    fn sequence(&mut self) -> Result<Vec<Pattern>, HelpTextError> {
        let mut patterns = Vec::new();
        while self.peek().is_some_and(|token| !matches!(token, "]" | ")" | "|")) {
            let mut atom = self.atom()?;
            if self.peek() == Some("...") {
                self.next();
                atom = vec![Pattern::OneOrMore(Box::new(self.single(atom)?))];
            }
            patterns.append(&mut atom);
        }
        Ok(patterns)
    }

    fn single(&self, atom: Vec<Pattern>) -> Result<Pattern, HelpTextError> {
        let mut atom = atom.into_iter();
        match (atom.next(), atom.next()) {
            (Some(pattern), None) => Ok(pattern),
            _ => Err(self.error(HelpTextProblem::RepeatedStack)),
        }
    }

    fn atom(&mut self) -> Result<Vec<Pattern>, HelpTextError> {
        let Some(token) = self.next() else { return Ok(Vec::new()) };
        let atom = match token.as_str() {
            "(" => Pattern::Required(self.group("(", ")")?),
            "[" => Pattern::Optional(self.group("[", "]")?),
            "options" => Pattern::Shortcut,
            "-" | "--" => self.leaf(Leaf::Command(token)),
            long if long.starts_with("--") => return Ok(vec![self.long_option(long)?]),
            shorts if shorts.starts_with('-') => return self.short_options(shorts),
            name if (name.starts_with('<') && name.ends_with('>')) || is_upper(name) => {
                self.leaf(Leaf::Argument(token))
            }
            _ => self.leaf(Leaf::Command(token)),
        };
        Ok(vec![atom])
    }

    fn group(&mut self, open: &'static str, close: &str) -> Result<Vec<Pattern>, HelpTextError> {
        let line = self.line;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(HelpTextProblem::TooDeep(MAX_DEPTH)));
        }
        let patterns = self.either()?;
        // The outermost group is not in the text: it stands for the line itself.
        let is_line = self.depth == 1;
        self.depth -= 1;
        let err = match self.next() {
            Some(token) if token == close => return Ok(patterns),
            Some(token) if is_line => self.error(HelpTextProblem::UnexpectedClose(token)),
            _ => HelpTextError::new(Some(line), HelpTextProblem::Unclosed(open)),
        };
        Err(self.swallowed.take().unwrap_or(err))
    }

    fn long_option(&mut self, token: &str) -> Result<Pattern, HelpTextError> {
        let (name, value) = match token.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (token, None),
        };
        let option = match self.options.long(name) {
            Found::One(option) => option.clone(),
            Found::Many(times) => return Err(self.ambiguous(name, times)),
            Found::None => {
                let option = OptionSpec::long(name, value.is_some());
                self.options.add(option.clone());
                return Ok(self.leaf(Leaf::Option(option)));
            }
        };
        if !option.takes_argument && value.is_some() {
            return Err(self.error(HelpTextProblem::TakesNoArgument(name.to_owned())));
        }
        if option.takes_argument && value.is_none() {
            self.placeholder(name)?;
        }
        Ok(self.leaf(Leaf::Option(option)))
    }

    /// Reads stacked short options: `-abFILE` is `-a -b FILE` if `-b` has a value.
    fn short_options(&mut self, token: &str) -> Result<Vec<Pattern>, HelpTextError> {
        let mut patterns = Vec::new();
        let mut letters = token.trim_start_matches('-').chars();
        while let Some(letter) = letters.next() {
            let name = format!("-{letter}");
            let option = match self.options.short(&name) {
                Found::One(option) => option.clone(),
                Found::Many(times) => return Err(self.ambiguous(&name, times)),
                Found::None => {
                    let option = OptionSpec::short(&name);
                    self.options.add(option.clone());
                    option
                }
            };
            if option.takes_argument {
                if letters.as_str().is_empty() {
                    self.placeholder(&name)?;
                }
                letters = "".chars();
            }
            patterns.push(self.leaf(Leaf::Option(option)));
        }
        Ok(patterns)
    }

    /// Skips the word that stands for an option's value.
    fn placeholder(&mut self, option: &str) -> Result<(), HelpTextError> {
        let err = self.error(HelpTextProblem::RequiresArgument(option.to_owned()));
        match self.peek() {
            None | Some("--") => return Err(err),
            Some("]" | ")") => self.swallowed = Some(err),
            Some(_) => {}
        }
        self.next();
        Ok(())
    }

    fn leaf(&mut self, leaf: Leaf) -> Pattern {
        Pattern::Leaf(self.leaves.insert_full(leaf).0)
    }

    fn peek(&mut self) -> Option<&str> {
        self.tokens.peek().map(|token| token.text.as_str())
    }

    fn next(&mut self) -> Option<String> {
        let token = self.tokens.next()?;
        self.line = token.line;
        Some(token.text)
    }

    fn ambiguous(&self, option: &str, times: usize) -> HelpTextError {
        self.error(HelpTextProblem::Ambiguous { option: option.to_owned(), times })
    }

    fn error(&self, problem: HelpTextProblem) -> HelpTextError {
        HelpTextError::new(Some(self.line), problem)
    }
}

/// An empty choice adds nothing: `a |` is `a`.
fn push_choice(choices: &mut Vec<Pattern>, mut choice: Vec<Pattern>) {
    if choice.len() > 1 {
        choices.push(Pattern::Required(choice));
    } else {
        choices.append(&mut choice);
    }
}

#[cfg(test)]
mod tests {
    use super::super::descriptions::described_options;
    use super::super::tokens::tokens;
    use super::*;

    fn usage(body: &str, descriptions: &str) -> Result<Usage, HelpTextError> {
        let mut options = described_options(descriptions).into_iter().collect();
        parse(tokens(body, 1), &mut options)
    }

    fn written(pattern: &Pattern, usage: &Usage) -> String {
        let list = |children: &[Pattern]| {
            children.iter().map(|child| written(child, usage)).collect::<Vec<_>>().join(" ")
        };
        match pattern {
            Pattern::Leaf(leaf) => usage.leaves[*leaf].name().to_owned(),
            Pattern::Required(children) => format!("({})", list(children)),
            Pattern::Optional(children) => format!("[{}]", list(children)),
            Pattern::Either(children) => format!("<{}>", list(children)),
            Pattern::OneOrMore(child) => format!("{}+", written(child, usage)),
            Pattern::Shortcut => "*".to_owned(),
        }
    }

    #[track_caller]
    fn check(body: &str, descriptions: &str, expected: &str) {
        let usage = usage(body, descriptions).unwrap();
        assert_eq!(written(&usage.pattern, &usage), expected);
    }

    #[track_caller]
    fn check_error(body: &str, descriptions: &str, line: usize, problem: &HelpTextProblem) {
        let err = usage(body, descriptions).unwrap_err();
        assert_eq!((err.line(), err.problem()), (Some(line), problem));
    }

    #[test]
    fn every_construct_has_its_pattern() {
        check("prog [-a | -b] (FILE <x>)... go", "", "(([<-a -b>] (FILE <x>)+ go))");
        check("prog a\n prog b c", "", "(<(a) (b c)>)");
        check("prog [options] -- -", "", "(([*] -- -))");
        check("prog a |", "", "((<a>))");
        check("prog (|)", "", "(((<>)))");
    }

    #[test]
    fn options_take_the_word_that_names_their_value() {
        check("prog --out FILE -o FILE x", "-o F, --out F", "((--out --out x))");
        check("prog -abFILE x", "-b FILE", "((-a -b x))");
        check("prog --out FILE", "", "((--out FILE))");
        check("prog --out=FILE", "", "((--out))");
    }

    #[test]
    fn leaves_that_can_be_given_twice_repeat() {
        let usage = usage("prog [options] [-a] X... (Y | Y Z) [-v -v]", "-q\n-n N").unwrap();
        let repeating: Vec<&str> = usage
            .leaves
            .iter()
            .zip(&usage.repeats)
            .filter(|(_, r)| **r)
            .map(|(leaf, _)| leaf.name())
            .collect();
        assert_eq!(repeating, ["X", "-v"]);
    }

    #[test]
    fn broken_patterns_say_what_and_where() {
        check_error("prog\n [a", "", 2, &HelpTextProblem::Unclosed("["));
        check_error("prog a)", "", 1, &HelpTextProblem::UnexpectedClose(")".to_owned()));
        check_error("prog\n a]", "", 2, &HelpTextProblem::UnexpectedClose("]".to_owned()));
        check_error("prog [--out]", "--out FILE", 1, &HelpTextProblem::RequiresArgument("--out".to_owned()));
        check_error("prog -abc...", "", 1, &HelpTextProblem::RepeatedStack);
        check_error("prog --all=X", "--all", 1, &HelpTextProblem::TakesNoArgument("--all".to_owned()));
        check_error("prog -f --", "-f FILE", 1, &HelpTextProblem::RequiresArgument("-f".to_owned()));
        let twice = HelpTextProblem::Ambiguous { option: "-f".to_owned(), times: 2 };
        check_error("prog -f", "-f\n-f FILE", 1, &twice);
        let deep = "[".repeat(10_000);
        check_error(&format!("prog {deep}"), "", 1, &HelpTextProblem::TooDeep(MAX_DEPTH));
    }
}
