//! Terminal sessions: running those of a page, and comparing what they print with what the page says.

use crate::{Block, Page, Workshop};

/// The comment on a page whose sessions need a server.
const NEEDS_POSTGRES: &str = "needs PostgreSQL";
/// What tells the outputs of commands from each other.
const MARK: &str = "\u{1}sqltrack-docs\u{1}";

/// A command of a session and what the page says that it prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Step {
    command: String,
    expected: Vec<String>,
    /// The line of the page after the command, from 1.
    line: usize,
}

/// What a step did.
struct Outcome {
    printed: String,
    /// `None` if the shell ended before it.
    status: Option<i32>,
}

/// Runs all sessions of a page in one shell and one folder, in their order, and returns the text of the page with
/// what they print: `console` blocks, and `sql` blocks, which `sqltrack-cli execute` runs. Every command must
/// succeed.
///
/// A comment above a block tells what else to do with it: `file: NAME` writes it into a file, `not run: REASON`
/// leaves it out. A comment that begins with `hidden` is a session that readers do not see.
///
/// # Errors
///
/// Every command that fails or prints something else, with the line of the page. `rewritten` is then the page with
/// what those print that do not fail.
pub fn check(page: &Page, rewritten: &mut String) -> Result<(), String> {
    page.text.clone_into(rewritten);
    let blocks = page.blocks();
    let mut steps = Vec::new();
    for block in &blocks {
        steps.extend(
            block_steps(block).map_err(|problem| format!("{}:{}: {problem}", page.path, block.line))?,
        );
    }
    if steps.is_empty() {
        return Ok(());
    }
    let needs_postgres = blocks.iter().any(|block| block.code == NEEDS_POSTGRES);
    let outcomes = run(&steps, &Workshop::open(needs_postgres)?)?;
    let mut problems = Vec::new();
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    for (step, outcome) in steps.iter().zip(&outcomes).rev() {
        let Some(problem) = problem(step, outcome) else { continue };
        let command = step.command.lines().next().unwrap_or_default();
        problems.push(format!("{}:{}: {command}\n{problem}", page.path, step.line));
        if outcome.status != Some(0) {
            continue;
        }
        let start = step.line - 1;
        lines.splice(start..start + step.expected.len(), outcome.printed.lines().map(str::to_owned));
    }
    *rewritten = lines.join("\n") + "\n";
    problems.reverse();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Runs the steps in one shell, so that folders and variables last.
fn run(steps: &[Step], workshop: &Workshop) -> Result<Vec<Outcome>, String> {
    let marked = |step: &Step| format!("{}\nprintf '{MARK}%s\\n' $?\n", step.command);
    let printed = workshop.run(&steps.iter().map(marked).collect::<String>())?;
    let mut rest = printed.as_str();
    let outcome = |_| match rest.split_once(MARK) {
        Some((printed, after)) => {
            let (status, after) = after.split_once('\n').unwrap_or((after, ""));
            rest = after;
            Outcome { printed: printed.to_owned(), status: status.parse().ok() }
        }
        None => Outcome { printed: std::mem::take(&mut rest).to_owned(), status: None },
    };
    Ok(steps.iter().map(outcome).collect())
}

fn problem(step: &Step, outcome: &Outcome) -> Option<String> {
    let Outcome { printed, status } = outcome;
    let found: Vec<&str> = printed.lines().map(str::trim_end).collect();
    match status {
        Some(0) if fits(&step.expected, &found) => None,
        Some(0) => Some(format!("prints\n{printed}but the page says\n{}", step.expected.join("\n"))),
        Some(status) => Some(format!("fails with status {status}:\n{printed}")),
        None => Some(format!("was not run to its end:\n{printed}")),
    }
}

/// The commands of a block.
fn block_steps(block: &Block) -> Result<Vec<Step>, String> {
    if block.note.starts_with("not run: ") {
        return Ok(Vec::new());
    }
    if let Some(name) = block.note.strip_prefix("file: ") {
        return Ok(vec![with_input(&format!("cat >{name}"), block)]);
    }
    match block.language.as_str() {
        "console" => session(&block.code, block.line),
        "sql" => Ok(vec![with_input("sqltrack-cli execute >/dev/null", block)]),
        "" => {
            block.code.strip_prefix("hidden\n").map_or(Ok(Vec::new()), |code| session(code, block.line + 1))
        }
        "sh" | "bash" | "shell" => Err("write `console`, which is run, or say why it is not run".to_owned()),
        _ => Ok(Vec::new()),
    }
}

fn with_input(command: &str, block: &Block) -> Step {
    let command = format!("{command} <<'END OF BLOCK'\n{}END OF BLOCK", block.code);
    Step { command, expected: Vec::new(), line: block.line }
}

/// Lines after `$ ` are commands, those after `> ` go on with the one above, the others are what they print.
fn session(code: &str, first: usize) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in (first..).zip(code.lines()) {
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), line: line + 1, ..Step::default() });
            continue;
        }
        let step = steps.last_mut().ok_or("a session begins with a command: `$ …`")?;
        match text.strip_prefix("> ") {
            Some(more) if step.expected.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more);
                step.line = line + 1;
            }
            _ => step.expected.push(text.trim_end().to_owned()),
        }
    }
    Ok(steps)
}

/// Whether `found` is what is `expected`: `...` stands for any lines, `[..]` for any part of one.
fn fits(expected: &[String], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=found.len()).any(|skipped| fits(rest, &found[skipped..]))
        }
        Some((first, rest)) => {
            found.split_first().is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others))
        }
    }
}

fn line_fits(expected: &str, found: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == found,
        Some((start, rest)) => found.strip_prefix(start).is_some_and(|found| {
            found
                .char_indices()
                .map(|(at, _)| at)
                .chain([found.len()])
                .any(|at| line_fits(rest, &found[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_commands_and_what_they_print() {
        let step = |command: &str, expected: &[&str], line| Step {
            command: command.to_owned(),
            expected: expected.iter().map(ToString::to_string).collect(),
            line,
        };
        let code = "$ cat <<X\n> a\n> X\na\n$ true\n$ echo '> b'\n\n> b\n";
        assert_eq!(
            session(code, 10),
            Ok(vec![
                step("cat <<X\na\nX", &["a"], 13),
                step("true", &[], 15),
                step("echo '> b'", &["", "> b"], 16)
            ])
        );
        assert!(session("a\n", 1).is_err());
    }

    #[test]
    fn wildcards_stand_for_anything() {
        for (expected, found, fit) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a [..] c", "a b c", true),
            ("a[..]", "a", true),
            ("[..]b", "abc", false),
            ("...\nb", "a\na\nb", true),
            ("...", "", true),
            ("a\n...\nb", "a\nc", false),
            ("a", "a\nb", false),
        ] {
            let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
            let found: Vec<&str> = found.lines().collect();
            assert_eq!(fits(&expected, &found), fit, "{expected:?} {found:?}");
        }
    }

    #[test]
    fn a_block_that_is_not_run_says_why() {
        let block = |language: &str, note: &str| {
            let (language, note) = (language.to_owned(), note.to_owned());
            block_steps(&Block { language, note, code: "$ true\n".to_owned(), line: 1 })
                .map(|steps| steps.len())
        };
        assert_eq!(block("console", ""), Ok(1));
        assert_eq!(block("console", "not run: it would run these tests"), Ok(0));
        assert_eq!(block("rust", ""), Ok(0));
        assert!(block("sh", "").is_err());
    }
}
