//! Collects mistakes, so that one run of the compiler shows them all.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// `what` is wrong at `tokens`; `help` says what to type.
pub(crate) fn mistake(tokens: impl ToTokens, what: impl Display, help: impl Display) -> Error {
    Error::new_spanned(tokens, format_args!("{what}\nhelp: {help}"))
}

/// The mistakes found so far. Emptied by value only, so they cannot be forgotten.
#[must_use]
#[derive(Default)]
pub(crate) struct Diag {
    errors: Option<Error>,
}

impl Diag {
    /// Reports `what` at `tokens`.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, what: impl Display, help: impl Display) {
        self.push(mistake(tokens, what, help));
    }

    /// Reports that something is not there, which only the attribute itself can show.
    pub(crate) fn missing(&mut self, what: impl Display, help: impl Display) {
        self.error(TokenStream::new(), what, help);
    }

    /// Reports an error made elsewhere.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// How many mistakes were found so far.
    pub(crate) fn count(&self) -> usize {
        self.errors.iter().flatten().count()
    }

    /// One `compile_error!` for each mistake, in the order they were found.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        self.errors.map(Error::into_compile_error)
    }
}
