//! Help texts in Python sources: docstrings.

use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, Stmt};
use ruff_python_parser::{Mode, lexer, parse_module};
use ruff_text_size::Ranged;

use super::nesting::{Nesting, Step};
use super::{SyntaxError, decode_utf8, dedent, too_deep, with_deep_stack};
use crate::docopt::text::universal_newlines;

const DECORATORS: [&str; 2] = ["docopt_main", "docopt_arguments"];

/// The help texts of a Python source: the docstrings of functions decorated with `docopt_main` or
/// `docopt_arguments` in order, then the module's.
///
/// # Errors
///
/// [`SyntaxError`] if the source is no valid Python.
pub fn python_help_texts(source: &str) -> Result<Vec<String>, SyntaxError> {
    with_deep_stack(|| {
        check_nesting(source)?;
        let module = parse_module(source)
            .map_err(|err| SyntaxError::at(source, err.range().start().to_usize(), &err.error))?
            .into_syntax();
        let mut finder =
            Finder { names: DECORATORS.into_iter().map(str::to_owned).collect(), texts: Vec::new() };
        finder.visit_body(&module.body);
        finder.texts.extend(docstring(&module.body));
        Ok(finder.texts)
    })
}

struct Finder {
    /// The names of our decorators in this file: imports may rename them.
    names: Vec<String>,
    texts: Vec<String>,
}

impl<'a> StatementVisitor<'a> for Finder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::ImportFrom(import) => {
                let renamed = import.names.iter().filter(|alias| DECORATORS.contains(&alias.name.as_str()));
                self.names.extend(renamed.filter_map(|alias| alias.asname.as_ref()).map(ToString::to_string));
            }
            Stmt::FunctionDef(function)
                if function.decorator_list.iter().any(|decorator| self.is_ours(&decorator.expression)) =>
            {
                self.texts.extend(docstring(&function.body));
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }
}

impl Finder {
    /// `docopt_main`, `sqltrack.args.docopt_main`, or a call of either.
    fn is_ours(&self, decorator: &Expr) -> bool {
        match decorator {
            Expr::Call(call) if !call.func.is_call_expr() => self.is_ours(&call.func),
            Expr::Attribute(attribute) => DECORATORS.contains(&attribute.attr.as_str()),
            Expr::Name(name) => self.names.iter().any(|known| known == name.id.as_str()),
            _ => false,
        }
    }
}

/// The docstring that a body begins with: a string, but no bytes and no f-string.
fn docstring(body: &[Stmt]) -> Option<String> {
    let Stmt::Expr(statement) = body.first()? else { return None };
    let Expr::StringLiteral(literal) = statement.value.as_ref() else { return None };
    Some(dedent(literal.value.to_str()))
}

fn check_nesting(source: &str) -> Result<(), SyntaxError> {
    let mut tokens = lexer::lex(source, Mode::Module);
    let mut nesting = Nesting::default();
    loop {
        let step = match tokens.next_token() {
            TokenKind::EndOfFile => return Ok(()),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace | TokenKind::Indent => Step::Open,
            TokenKind::FStringStart | TokenKind::TStringStart => Step::Open,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::Dedent => Step::Close,
            TokenKind::FStringEnd | TokenKind::TStringEnd => Step::Close,
            TokenKind::Comma | TokenKind::Semi | TokenKind::Newline => Step::Separator,
            // The parts of a long text nest in nothing.
            TokenKind::String | TokenKind::Comment | TokenKind::NonLogicalNewline => continue,
            _ => Step::Other,
        };
        if !nesting.step(step) {
            return Err(too_deep(1));
        }
    }
}

/// The text of a Python file, in the encoding that its first two lines declare.
pub(super) fn decode(bytes: &[u8]) -> Result<String, SyntaxError> {
    match declared_encoding(bytes).as_deref() {
        None | Some("utf-8" | "utf8" | "u8" | "utf-8-sig" | "ascii" | "us-ascii") => decode_utf8(bytes),
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1") => {
            Ok(universal_newlines(&bytes.iter().copied().map(char::from).collect::<String>()))
        }
        Some(_) if bytes.is_ascii() => decode_utf8(bytes),
        Some(other) => Err(SyntaxError {
            line: 1,
            column: 1,
            message: format!("cannot read the encoding `{other}`; save the file as UTF-8"),
        }),
    }
}

/// The name behind `coding:` or `coding=` in a comment of the first two lines.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    bytes.split(|b| *b == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let comment = line.trim_start_matches(['\u{feff}', ' ', '\t', '\x0c']).strip_prefix('#')?;
        let (_, rest) = comment.split_once("coding").filter(|(_, rest)| rest.starts_with([':', '=']))?;
        let rest = rest[1..].trim_start_matches([' ', '\t']);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = rest.split(|c| !is_part(c)).next().filter(|name| !name.is_empty())?;
        Some(name.to_ascii_lowercase().replace('_', "-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decorated_functions_come_first_and_in_order() {
        let source = r#""""usage: module"""
from sqltrack.args import docopt_main as entry, docopt_arguments

def plain():
    """usage: plain"""

if True:
    @docopt_arguments
    def first(args):
        """
        usage: first
          first -a
        """

class C:
    @other
    @sqltrack.args.docopt_main(options_first=True)
    async def second(self, args):
        "usage: " "second"  ' [-b]'

@entry()
def third(args):
    r"""usage: third \d"""
    def docopt_main(): pass

@docopt_main
def undocumented(args):
    f"usage: {third}"
"#;
        let expected =
            ["usage: first\n  first -a", "usage: second [-b]", "usage: third \\d", "usage: module"];
        assert_eq!(python_help_texts(source).unwrap(), expected);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let err = python_help_texts("x = 1\ndef main(:\n    pass\n").unwrap_err();
        assert_eq!((err.line, err.column), (2, 10), "{err}");
        assert!(python_help_texts("x = '''open").is_err());
        assert_eq!(python_help_texts(""), Ok(Vec::new()));
    }

    #[test]
    fn encodings_are_declared() {
        let text = |bytes: &[u8]| decode(bytes).map_err(|err| err.to_string());
        assert_eq!(
            text(b"# -*- coding: latin-1 -*-\n'\xe9'"),
            Ok("# -*- coding: latin-1 -*-\n'é'".to_owned())
        );
        assert_eq!(
            text(b"#!x\n# vim: set fileencoding=cp1252:\na").as_deref(),
            Ok("#!x\n# vim: set fileencoding=cp1252:\na")
        );
        assert_eq!(
            text(b"# coding=cp1252\n'\x80'"),
            Err("1:1: cannot read the encoding `cp1252`; save the file as UTF-8".to_owned())
        );
        assert_eq!(text(b"x\n\xff"), Err("2:1: not valid UTF-8".to_owned()));
    }

    #[test]
    fn hostile_sources_neither_hang_nor_crash() {
        let many = 30_000;
        for source in [
            format!("{}1{}", "[".repeat(many), "]".repeat(many)),
            "(".repeat(many),
            format!("{}x", "-".repeat(many)),
            format!("{}x", "not ".repeat(many)),
            format!("x{}", "+x".repeat(many)),
            format!("x{}", ".a()".repeat(many)),
            format!("x = {}x", "lambda: ".repeat(many)),
        ] {
            assert!(python_help_texts(&source).is_err());
        }
        let blocks: String = (0..300).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert!(python_help_texts(&format!("{blocks}{}pass", " ".repeat(300))).is_ok());
    }

    #[test]
    fn what_the_nesting_check_lets_through_fits_the_stack() {
        for source in [
            format!("{}1{}", "[".repeat(3_900), "]".repeat(3_900)),
            format!("{}x", "-".repeat(3_900)),
            format!("x{}", "+x".repeat(1_900)),
        ] {
            assert_eq!(python_help_texts(&source), Ok(Vec::new()));
        }
    }
}
