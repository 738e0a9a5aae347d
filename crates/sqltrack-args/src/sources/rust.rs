//! Help texts in Rust sources: doc comments.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, ImplItem, Item, Lit, Meta};

use super::nesting::{Nesting, Step};
use super::{SyntaxError, too_deep, with_deep_stack};

const ATTRIBUTES: [&str; 2] = ["docopt_main", "docopt_arguments"];

/// The help texts of a Rust source: the docs of functions with `#[docopt_main]` or `#[docopt_arguments]` in
/// order, then the docs of the file.
///
/// # Errors
///
/// [`SyntaxError`] if the source is no valid Rust.
pub fn rust_help_texts(source: &str) -> Result<Vec<String>, SyntaxError> {
    with_deep_stack(|| {
        let tokens = tokens(source)?;
        check_nesting(&tokens)?;
        let file = syn::parse2::<syn::File>(tokens).map_err(|err| error_at(&err))?;
        let mut texts = Vec::new();
        function_docs(&file.items, &mut texts);
        texts.extend(doc_of(&file.attrs));
        Ok(texts)
    })
}

/// The docs of a Rust file itself (`//!`), if it has any.
///
/// # Errors
///
/// [`SyntaxError`] if the source is no valid Rust.
pub fn rust_module_doc(source: &str) -> Result<Option<String>, SyntaxError> {
    let file = syn::parse_file(source).map_err(|err| error_at(&err))?;
    Ok(doc_of(&file.attrs))
}

/// The text of doc comments, given as the values of their `doc` attributes: without the indentation that all
/// lines share, without stars in front of block comments. Lines that open or close a code block (people put
/// help texts into these, for rustdoc's sake) become empty. The number of lines stays the same.
#[must_use]
pub fn rust_doc_text(docs: &[String]) -> String {
    let is_line = |doc: &&String| !doc.contains('\n');
    let margin = docs.iter().filter(is_line).filter_map(|doc| indentation(doc)).min().unwrap_or(0);
    let lines = docs.iter().flat_map(|doc| match is_line(&doc) {
        true => vec![doc.get(margin..).unwrap_or_default().to_owned()],
        false => block_lines(doc),
    });
    lines.map(|line| if is_fence(&line) { String::new() } else { line }).collect::<Vec<_>>().join("\n")
}

/// The lines of one block comment, of which the first stands on the line that opens it.
fn block_lines(doc: &str) -> Vec<String> {
    let mut lines: Vec<&str> = doc.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let rest = lines.split_off(1);
    let has_stars = rest.iter().all(|line| line.trim().is_empty() || line.trim_start().starts_with('*'));
    let unstarred = |line: &'_ str| match line.trim_start().strip_prefix('*') {
        Some(text) if has_stars => text.to_owned(),
        _ if line.trim().is_empty() => String::new(),
        _ => line.to_owned(),
    };
    let rest: Vec<String> = rest.into_iter().map(unstarred).collect();
    let margin = rest.iter().filter_map(|line| indentation(line)).min().unwrap_or(0);
    let rest = rest.iter().map(|line| line.get(margin..).unwrap_or_default().to_owned());
    lines.into_iter().map(|line| line.trim_start().to_owned()).chain(rest).collect()
}

/// How many spaces and tabs a line begins with, if anything follows.
fn indentation(line: &str) -> Option<usize> {
    line.find(|c| c != ' ' && c != '\t')
}

fn is_fence(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("```") || line.starts_with("~~~")
}

fn function_docs(items: &[Item], texts: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Fn(function) => texts.extend(marked_doc(&function.attrs)),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    function_docs(items, texts);
                }
            }
            Item::Impl(block) => {
                for item in &block.items {
                    if let ImplItem::Fn(method) = item {
                        texts.extend(marked_doc(&method.attrs));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The docs of a function that has one of our attributes.
fn marked_doc(attributes: &[Attribute]) -> Option<String> {
    let is_ours = |attribute: &Attribute| {
        attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| ATTRIBUTES.iter().any(|name| segment.ident == name))
    };
    attributes.iter().any(is_ours).then(|| doc_of(attributes)).flatten()
}

fn doc_of(attributes: &[Attribute]) -> Option<String> {
    let docs: Vec<String> = attributes.iter().filter_map(doc_value).collect();
    (!docs.is_empty()).then(|| rust_doc_text(&docs))
}

fn doc_value(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn tokens(source: &str) -> Result<TokenStream, SyntaxError> {
    let source = if source.starts_with("#!") && !source.starts_with("#![") {
        // A shebang is no Rust token; its line stays, so that places stay right.
        source.find('\n').map_or("", |end| &source[end..])
    } else {
        source
    };
    source.parse().map_err(|err: proc_macro2::LexError| place(err.span(), "brackets or quotes do not match"))
}

fn error_at(err: &syn::Error) -> SyntaxError {
    place(err.span(), &err.to_string())
}

fn place(span: proc_macro2::Span, message: &str) -> SyntaxError {
    let start = span.start();
    SyntaxError { line: start.line.max(1), column: start.column + 1, message: message.replace('\n', " ") }
}

/// Refuses what the recursive parser could not read, without recursion.
fn check_nesting(tokens: &TokenStream) -> Result<(), SyntaxError> {
    let mut nesting = Nesting::default();
    let mut open = vec![(tokens.clone().into_iter().peekable(), Delimiter::None)];
    while let Some((stream, delimiter)) = open.last_mut() {
        let Some(token) = stream.next() else {
            let is_block = *delimiter == Delimiter::Brace;
            open.pop();
            nesting.step(Step::Close);
            if is_block && open.last_mut().is_some_and(|(outer, _)| !outer.peek().is_some_and(continues)) {
                nesting.step(Step::Separator);
            }
            continue;
        };
        let line = token.span().start().line;
        let step = match &token {
            TokenTree::Group(group) => {
                open.push((group.stream().into_iter().peekable(), group.delimiter()));
                Step::Open
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => Step::Separator,
            _ => Step::Other,
        };
        if !nesting.step(step) {
            return Err(too_deep(line));
        }
    }
    Ok(())
}

/// Whether a token behind a block may belong to the same expression.
fn continues(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == "else" || ident == "as",
        TokenTree::Punct(punct) => punct.as_char() != '#',
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(docs: &[&str]) -> String {
        rust_doc_text(&docs.iter().map(|doc| (*doc).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn marked_functions_come_first_and_in_order() {
        let source = r#"
            //! usage: file
            /// not ours
            fn plain() {}
            mod inner {
                /// usage: second
                #[sqltrack::args::docopt_arguments(options_first)]
                pub async fn second(args: ParsedOptions) {}
            }
            struct S;
            impl S {
                #[doc = "usage: third"]
                #[docopt_arguments]
                fn third() {}
            }
            #[docopt_main]
            fn undocumented() {}
        "#;
        assert_eq!(rust_help_texts(source).unwrap(), ["usage: second", "usage: third", "usage: file"]);
        assert_eq!(rust_module_doc(source).unwrap().as_deref(), Some("usage: file"));
        assert_eq!(rust_help_texts("#!/usr/bin/env run\nfn main() {}").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn doc_comments_lose_their_margin_and_fences() {
        assert_eq!(text(&[" usage: prog [options]", "", "   -a  All"]), "usage: prog [options]\n\n  -a  All");
        assert_eq!(text(&[" ```text", " usage: prog", " ```"]), "\nusage: prog\n");
        assert_eq!(
            text(&[" usage: prog\n   *   prog -a\n   *\n   * Rest\n   "]),
            "usage: prog\n  prog -a\n\nRest\n"
        );
        assert_eq!(text(&["\n    usage: prog\n      prog -a\n"]), "\nusage: prog\n  prog -a\n");
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let err = rust_help_texts("fn main() {}\nfn broken( {}").unwrap_err();
        assert_eq!((err.line, err.column), (2, 10), "{err}");
        let err = rust_help_texts("fn main() {}\nfn fn() {}").unwrap_err();
        assert_eq!((err.line, err.column), (2, 4), "{err}");
    }

    #[test]
    fn hostile_sources_neither_hang_nor_crash() {
        let many = 30_000;
        for body in [
            format!("{}1{}", "(".repeat(many), ")".repeat(many)),
            format!("{}1{}", "{".repeat(many), "}".repeat(many)),
            "(".repeat(many),
            format!("{}x", "!".repeat(many)),
            format!("x{}", "+x".repeat(many)),
            format!("x{}", ".a()".repeat(many)),
            format!("if x {{}}{}", " else if x {}".repeat(many)),
        ] {
            assert!(rust_help_texts(&format!("fn main() {{ {body} }}")).is_err());
        }
        let long = "fn a() { let x = f(1, 2); if x {} match x { _ => {} } }\n".repeat(2_000);
        assert_eq!(rust_help_texts(&long), Ok(Vec::new()));
    }

    #[test]
    fn what_the_nesting_check_lets_through_fits_the_stack() {
        let deep = 3_900;
        for body in [format!("{}x", "!".repeat(deep)), format!("x{}", "+x".repeat(deep / 2)), {
            format!("{}1{}", "(".repeat(deep), ")".repeat(deep))
        }] {
            assert_eq!(rust_help_texts(&format!("fn main() {{ {body} }}")), Ok(Vec::new()));
        }
    }
}
