//! The functions that take the place of those with an attribute.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, Ident, ItemFn, PatType, Signature};

use crate::help::help_text;
use crate::options::Options;

/// Which attribute it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Arguments,
}

/// Wraps a function into one that reads the arguments. If that cannot be, the error comes with the function
/// as it is, so that no other errors follow from its absence.
pub(crate) fn expand(options: &Options, function: ItemFn, kind: Kind) -> TokenStream {
    wrapped(options, function.clone(), kind).unwrap_or_else(|err| {
        let err = err.to_compile_error();
        let function = placeholder(function);
        quote!(#err #function)
    })
}

fn placeholder(mut function: ItemFn) -> TokenStream {
    if function.sig.ident != "main" {
        return quote!(#function);
    }
    function.sig.ident = inner_name(&function);
    function.attrs.clear();
    quote! {
        #[allow(dead_code)]
        #function
        fn main() {}
    }
}

/// Not the same name: a call of the function in its own body means the new one, and runtimes treat `main`
/// specially.
fn inner_name(function: &ItemFn) -> Ident {
    format_ident!("sqltrack_{}", function.sig.ident)
}

fn wrapped(options: &Options, mut function: ItemFn, kind: Kind) -> syn::Result<TokenStream> {
    let argument = argument(&function.sig)?.clone();
    check(&function, kind)?;
    let text = help_text(&function)?;

    let (krate, name, vis) = (&options.krate, function.sig.ident.clone(), function.vis.clone());
    let (ty, output) = (&argument.ty, function.sig.output.clone());
    let outer_attributes: Vec<Attribute> =
        function.attrs.iter().filter(|attribute| is_outer(attribute)).cloned().collect();
    function.attrs.retain(|attribute| !is_outer(attribute) || attribute.path().is_ident("allow"));
    let is_async = function.sig.asyncness.is_some() && !has_runtime(&function);
    let (asyncness, wait) = if is_async { (quote!(async), quote!(.await)) } else { (quote!(), quote!()) };
    let (parameter, overrides) = match kind {
        Kind::Main => (quote!(), quote!(#krate::ParsedOptions::new())),
        Kind::Arguments => {
            (quote!(overrides: impl ::core::convert::Into<#krate::ParsedOptions>), quote!(overrides.into()))
        }
    };
    let inner = inner_name(&function);
    function.sig.ident = inner.clone();
    function.vis = syn::Visibility::Inherited;

    // Arguments belong to the function that gets them, even if it only looks at them: hence the `allow`.
    // A type that cannot be deserialized is reported where it stands.
    let read = quote_spanned!(ty.span()=> #krate::runtime::arguments::<#ty>);
    Ok(quote! {
        #(#outer_attributes)*
        #vis #asyncness fn #name(#parameter) #output {
            #[allow(clippy::needless_pass_by_value)]
            #function
            #inner(#read(#text, &#options, #overrides)) #wait
        }
    })
}

/// The one parameter.
fn argument(signature: &Signature) -> syn::Result<&PatType> {
    let mut inputs = signature.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (Some(FnArg::Typed(argument)), None) => Ok(argument),
        _ => Err(Error::new_spanned(
            signature,
            "this function must have one parameter, for the arguments: `args: ParsedOptions`",
        )),
    }
}

fn check(function: &ItemFn, kind: Kind) -> syn::Result<()> {
    let signature = &function.sig;
    if let Some(parameter) = signature.generics.params.first() {
        return Err(Error::new_spanned(
            parameter,
            "a function that gets its arguments from a help text cannot be generic",
        ));
    }
    if kind == Kind::Arguments {
        return Ok(());
    }
    if signature.ident != "main" {
        let message = "`#[docopt_main]` is for `main`; use `#[docopt_arguments]` for other functions";
        return Err(Error::new_spanned(&signature.ident, message));
    }
    match signature.asyncness {
        Some(asyncness) if !has_runtime(function) => Err(Error::new_spanned(
            asyncness,
            "an async `main` needs a runtime: put its attribute, such as `#[tokio::main]`, below `#[docopt_main]`",
        )),
        _ => Ok(()),
    }
}

/// Whether an attribute below makes the function run to its end, as `#[tokio::main]` does.
fn has_runtime(function: &ItemFn) -> bool {
    let is_main = |attribute: &Attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "main")
    };
    function.attrs.iter().any(is_main)
}

/// Whether an attribute concerns those who use the function.
fn is_outer(attribute: &Attribute) -> bool {
    ["doc", "cfg", "deprecated", "must_use", "allow"].iter().any(|name| attribute.path().is_ident(name))
}
