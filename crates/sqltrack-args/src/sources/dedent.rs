//! Indentation of docstrings, by the rules of PEP 257.

const TAB: usize = 8;

/// Removes the indentation of a docstring: all that the first line has, what all other lines share, and empty
/// lines at both ends. Tabs become spaces.
#[must_use]
pub fn dedent(docstring: &str) -> String {
    let expanded = expand_tabs(docstring);
    let mut lines: Vec<&str> = expanded.split('\n').collect();
    let indentation = |line: &str| line.chars().count() - line.trim_start().chars().count();
    let margin = lines[1..].iter().filter(|line| !line.trim().is_empty()).map(|line| indentation(line)).min();
    lines[0] = lines[0].trim_start();
    if let Some(margin) = margin {
        for line in &mut lines[1..] {
            let cut = line.char_indices().nth(margin).map_or(line.len(), |(cut, _)| cut);
            *line = &line[cut..];
        }
    }
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines[first..last].join("\n")
}

fn expand_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let width = TAB - column % TAB;
                expanded.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' | '\r' => {
                expanded.push(c);
                column = 0;
            }
            c => {
                expanded.push(c);
                column += 1;
            }
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_margin_goes() {
        assert_eq!(dedent("  First\n    usage: x\n      x -a\n\n    "), "First\nusage: x\n  x -a");
        assert_eq!(dedent("\n\n    a\n  b"), "  a\nb");
        assert_eq!(dedent(""), "");
        assert_eq!(dedent("a\n\n"), "a");
        assert_eq!(dedent("a\n\tb\n\t  c\td"), "a\nb\n  c     d");
    }
}
