//! The words of a usage pattern.

use super::text::is_space;

/// A word of a usage pattern, and the line of the help text that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A character and its line.
type Placed = (char, usize);

/// Splits a usage section into tokens. The program's name, the first word, opens each alternative.
pub(crate) fn tokens(body: &str, first_line: usize) -> Vec<Token> {
    fragments(&spread(&formal_usage(body, first_line)))
}

/// Writes the section as one pattern: `prog a` above `prog b` becomes `( a ) | ( b )`.
fn formal_usage(body: &str, first_line: usize) -> Vec<Placed> {
    let mut words = body
        .split('\n')
        .enumerate()
        .flat_map(|(index, line)| super::text::words(line).map(move |word| (word, first_line + index)));
    let program = words.next().map_or("", |(word, _)| word);
    let mut usage = vec![('(', first_line), (' ', first_line)];
    let mut line = first_line;
    for (word, word_line) in words {
        line = word_line;
        let text = if word == program { ") | (" } else { word };
        usage.extend(text.chars().chain([' ']).map(|c| (c, line)));
    }
    usage.push((')', line));
    usage
}

/// Puts spaces around brackets, bars and ellipses.
fn spread(usage: &[Placed]) -> Vec<Placed> {
    let mut spread = Vec::with_capacity(usage.len() * 2);
    let mut rest = usage;
    while let Some(&(c, line)) = rest.first() {
        let ellipsis = rest.len() >= 3 && rest[..3].iter().all(|(c, _)| *c == '.');
        let length = if ellipsis { 3 } else { 1 };
        let is_sign = ellipsis || matches!(c, '[' | ']' | '(' | ')' | '|');
        let (sign, tail) = rest.split_at(length);
        if is_sign {
            spread.push((' ', line));
        }
        spread.extend_from_slice(sign);
        if is_sign {
            spread.push((' ', line));
        }
        rest = tail;
    }
    spread
}

/// Splits at white space, except between `<` and `>`: `--file=<the file>` is one token.
fn fragments(usage: &[Placed]) -> Vec<Token> {
    let last_close = usage.iter().rposition(|(c, _)| *c == '>').unwrap_or(0);
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < usage.len() {
        if is_space(usage[start].0) {
            start += 1;
            continue;
        }
        let end = fragment_end(usage, start, last_close);
        let text = usage[start..end].iter().map(|(c, _)| c).collect();
        tokens.push(Token { text, line: usage[start].1 });
        start = end;
    }
    tokens
}

fn fragment_end(usage: &[Placed], start: usize, last_close: usize) -> usize {
    let run =
        usage[start..].iter().position(|(c, _)| is_space(*c)).map_or(usage.len(), |length| start + length);
    let open = (start..run.min(last_close)).rev().find(|&at| usage[at].0 == '<');
    let close = open.and_then(|open| usage[open..].iter().position(|(c, _)| *c == '>').map(|gap| open + gap));
    close.map_or(run, |close| close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let words: Vec<String> = tokens(body, 1).into_iter().map(|token| token.text).collect();
        assert_eq!(words.join("·"), expected);
    }

    #[test]
    fn brackets_bars_and_ellipses_are_tokens_of_their_own() {
        check("prog [-a|-b] FILE...", "(·[·-a·|·-b·]·FILE·...·)");
        check("prog ....", "(·...·.·)");
    }

    #[test]
    fn the_name_of_the_program_separates_alternatives() {
        check("prog a\n prog b", "(·a·)·|·(·b·)");
        check("prog", "(·)");
    }

    #[test]
    fn angle_brackets_hold_words_together() {
        check("prog --file=<the file> <x>y", "(·--file=<the file>·<x>·y·)");
        check("prog a<b>c<d>", "(·a<b>c<d>·)");
        check("prog <open", "(·<open·)");
        check("prog <a|b>", "(·<a | b>·)");
    }

    #[test]
    fn tokens_know_their_line() {
        let found: Vec<(String, usize)> =
            tokens("\n  prog a\n  prog b", 3).into_iter().map(|token| (token.text, token.line)).collect();
        assert!(found.contains(&("a".to_owned(), 4)));
        assert!(found.contains(&("b".to_owned(), 5)));
    }
}
