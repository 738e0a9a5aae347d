//! The help text of a function: from its docs, else from those of its file.

use std::fs;

use proc_macro2::Span;
use sqltrack_args::{HelpText, HelpTextError, HelpTextProblem, rust_doc_text, rust_module_doc};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, ItemFn, Lit, Meta};

/// The text, which is known to be valid.
pub(crate) fn help_text(function: &ItemFn) -> syn::Result<String> {
    let docs: Vec<(String, Span)> = function.attrs.iter().filter_map(doc).collect();
    let lines: Vec<String> = docs.iter().map(|(line, _)| line.clone()).collect();
    let text = rust_doc_text(&lines);
    match HelpText::parse(&text) {
        Ok(_) => Ok(text),
        Err(err) if *err.problem() == HelpTextProblem::NoUsage => file_help_text(function),
        Err(err) => Err(Error::new(place(&err, &docs), err.problem())),
    }
}

fn file_help_text(function: &ItemFn) -> syn::Result<String> {
    let none = || {
        let message = "no help text: neither the docs of this function nor those of its file (`//!`) have a `usage:` section";
        Error::new(function.sig.ident.span(), message)
    };
    let Some(text) = file_doc() else { return Err(none()) };
    match HelpText::parse(&text) {
        Ok(_) => Ok(text),
        Err(err) if *err.problem() == HelpTextProblem::NoUsage => Err(none()),
        Err(err) => Err(Error::new(Span::call_site(), format!("in the docs of this file: {err}"))),
    }
}

/// The docs of the file that is being compiled, which an attribute of a function cannot see otherwise.
fn file_doc() -> Option<String> {
    let path = proc_macro::Span::call_site().local_file()?;
    let source = fs::read_to_string(path).ok()?;
    rust_module_doc(&source).ok().flatten()
}

/// The text of a doc attribute, and where it stands.
fn doc(attribute: &Attribute) -> Option<(String, Span)> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if meta.path.is_ident("doc") => {
            Some((text.value(), attribute.span()))
        }
        _ => None,
    }
}

/// The doc comment that holds the line of an error.
fn place(err: &HelpTextError, docs: &[(String, Span)]) -> Span {
    let mut lines = docs.iter().flat_map(|(text, span)| text.split('\n').map(|_| *span));
    err.line().and_then(|line| lines.nth(line.saturating_sub(1))).unwrap_or_else(Span::call_site)
}
