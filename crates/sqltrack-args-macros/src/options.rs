//! What stands in the parentheses of an attribute.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, Path, Token, parse_quote};

/// The settings of an attribute.
pub(crate) struct Options {
    /// Where `sqltrack_args` is.
    pub(crate) krate: Path,
    /// Calls on `Settings`, in order.
    calls: Vec<TokenStream>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self { krate: parse_quote!(::sqltrack_args), calls: Vec::new() };
        for option in Punctuated::<OneOption, Token![,]>::parse_terminated(input)? {
            match option {
                OneOption::Call(call) => options.calls.push(call),
                OneOption::Crate(path) => options.krate = path,
            }
        }
        Ok(options)
    }
}

impl ToTokens for Options {
    /// An expression of type `Settings`.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { krate, calls } = self;
        tokens.extend(quote!(#krate::Settings::new() #(#calls)*));
    }
}

enum OneOption {
    Call(TokenStream),
    Crate(Path),
}

impl Parse for OneOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        match name.to_string().as_str() {
            "options_first" | "default_help" | "simplify_names" => {
                let on = if input.peek(Token![=]) {
                    value::<LitBool>(input)?
                } else {
                    LitBool::new(true, name.span())
                };
                Ok(Self::Call(quote!(.#name(#on))))
            }
            "version" => value::<Expr>(input).map(|version| Self::Call(quote!(.version(#version)))),
            "crate" => {
                input.parse::<Token![=]>()?;
                Path::parse_mod_style(input).map(Self::Crate)
            }
            _ => Err(syn::Error::new(
                name.span(),
                "unknown setting; there are `options_first`, `default_help`, `version`, `simplify_names` and `crate`",
            )),
        }
    }
}

fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}
