//! Attributes: as decorators, and what they say about tests.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Lit, Meta};

use super::lower::Lower;
use crate::core::{Arg, ArgKind, ExprId, ExprKind, Span};

/// Attributes that make a function a test, besides every path that ends in `test`.
const TESTS: [&str; 6] = [
    "rstest",
    "test_case",
    "quickcheck",
    "bench",
    "wasm_bindgen_test",
    "test_log",
];

impl Lower<'_> {
    /// `#[tokio::main]`, `#[derive(A, B)]`, `#[arg(long, env = "X")]` as names and calls. Doc comments are no
    /// decorators.
    pub fn decorators(&mut self, attrs: &[Attribute]) -> Vec<ExprId> {
        attrs
            .iter()
            .filter(|attr| !is_doc(attr))
            .map(|attr| self.meta(&attr.meta))
            .collect()
    }

    fn meta(&mut self, meta: &Meta) -> ExprId {
        let callee = self.value_path(None, meta.path());
        let start = self.expr_span(callee).start;
        match meta {
            Meta::Path(_) => callee,
            Meta::List(list) => {
                let args = self.attribute_args(list.tokens.clone());
                let end = self.spans.end(list.delimiter.span().join());
                self.add(ExprKind::Call { callee, args }, Span { start, end })
            }
            Meta::NameValue(pair) => {
                let value = self.expr(&pair.value);
                let args = vec![Arg {
                    kind: ArgKind::Positional,
                    value,
                }];
                let end = self.expr_span(value).end;
                self.add(ExprKind::Call { callee, args }, Span { start, end })
            }
        }
    }

    /// Where an item starts: at its first attribute, visibility or one of the `first` tokens, but not at its doc
    /// comments.
    pub fn front(&self, attrs: &[Attribute], vis: &syn::Visibility, first: &[Option<proc_macro2::Span>]) -> u32 {
        let vis = match vis {
            syn::Visibility::Public(token) => Some(token.span),
            syn::Visibility::Restricted(restricted) => Some(restricted.pub_token.span),
            syn::Visibility::Inherited => None,
        };
        let outer = |attr: &&Attribute| matches!(attr.style, syn::AttrStyle::Outer) && !is_doc(attr);
        let attr = attrs.iter().find(outer).map(|attr| attr.pound_token.spans[0]);
        let tokens = first.iter().copied().chain([vis, attr]).flatten();
        tokens.map(|token| self.spans.start(token)).min().unwrap_or(u32::MAX)
    }
}

fn is_doc(attr: &Attribute) -> bool {
    attr.path().is_ident("doc")
}

/// `#[test]`, `#[tokio::test]`, `#[sqlx::test(..)]`, `#[rstest]`, ...
pub(super) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path()
            .segments
            .last()
            .is_some_and(|last| last.ident == "test" || TESTS.iter().any(|t| last.ident == t))
    }) || cfg_test(attrs)
}

/// True if a `#[cfg(..)]` holds in tests only: `test`, `all(test, ..)`, `feature = "test-utils"`, but not
/// `any(test, feature = "x")`.
pub(super) fn cfg_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("cfg") => predicates(list.tokens.clone()).first() == Some(&true),
        _ => false,
    })
}

/// True if `cfg!(..)` holds in tests or in builds for debugging only.
pub(super) fn cfg_macro_is_off(tokens: TokenStream) -> bool {
    let debug = tokens.clone().into_iter().count() == 1
        && matches!(tokens.clone().into_iter().next(), Some(TokenTree::Ident(name)) if name == "debug_assertions");
    debug || predicates(tokens).first() == Some(&true)
}

/// True for a feature that is named for tests: `"testutils"`, `"test-support"`, `"testing"`.
fn names_tests(feature: &str) -> bool {
    let mut words = feature.trim_matches('"').split(['-', '_']);
    words.any(|word| matches!(word, "test" | "tests" | "testing" | "testutil" | "testutils"))
}

/// For each of the predicates between commas, whether it implies `test`.
fn predicates(tokens: TokenStream) -> Vec<bool> {
    let mut out = Vec::new();
    let mut name = String::new();
    let mut implied = None;
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                out.push(implied.take().unwrap_or(name == "test"));
                name.clear();
            }
            TokenTree::Ident(ident) if name.is_empty() => name = ident.to_string(),
            TokenTree::Group(group) => {
                let parts = predicates(group.stream());
                implied = Some(match name.as_str() {
                    "all" => parts.contains(&true),
                    "any" => !parts.is_empty() && !parts.contains(&false),
                    _ => false,
                });
            }
            // `feature = "test-utils"`: for the tests of other crates.
            TokenTree::Literal(value) if name == "feature" => implied = Some(names_tests(&value.to_string())),
            // `feature = "x"` is another name.
            _ => implied = implied.or(Some(false)),
        }
    }
    if !name.is_empty() {
        out.push(implied.unwrap_or(name == "test"));
    }
    out
}

/// `#[path = ".."]`.
pub(super) fn path_attribute(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
