//! Macros that hold a document: `doc! { "a": [1, { "b": x }] }`, `json!({..})`, `hashmap! { a => b }`.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Expr, Ident, LitStr, Result, Token, token};

use super::shape::attempt;

/// A value that may be written as JSON.
pub(super) enum Node {
    Expr(Expr),
    Null(Span),
    Dict(Vec<(Node, Node)>, Span),
    List(Vec<Node>, Span),
    /// Tokens that are no value, in attributes.
    Lost(Span),
}

/// Macros whose braces hold a document even if they are empty or their keys are no strings.
pub(super) const DOCUMENTS: [&str; 5] = ["doc", "rawdoc", "json", "bson", "rawbson"];

/// `doc! {..}`, `json!({..})`, and the same shape under another name.
pub(super) fn document(name: &str, input: ParseStream) -> Option<Node> {
    let named = DOCUMENTS.contains(&name);
    let span = input.span();
    if named && !name.ends_with("doc") {
        let value = attempt(input, node)?;
        return (!matches!(value, Node::Expr(_))).then_some(value);
    }
    if (named || starts_with_key(input))
        && let Some(entries) = attempt(input, entries)
    {
        return Some(Node::Dict(entries, span));
    }
    if input.peek(token::Brace) {
        return attempt(input, |input| braces(input, false));
    }
    None
}

/// `"key": ..`
fn starts_with_key(input: ParseStream) -> bool {
    input.peek(LitStr) && input.peek2(Token![:]) && !input.peek2(Token![::])
}

/// A value of a document: nested braces and brackets are documents and lists again.
fn node(input: ParseStream) -> Result<Node> {
    let ends = |input: ParseStream| input.is_empty() || input.peek(Token![,]);
    let fork = input.fork();
    if input.peek(token::Brace) {
        if let Ok(dict) = braces(&fork, true)
            && ends(&fork)
        {
            input.advance_to(&fork);
            return Ok(dict);
        }
    } else if input.peek(token::Bracket) {
        if let Ok(list) = brackets(&fork)
            && ends(&fork)
        {
            input.advance_to(&fork);
            return Ok(list);
        }
    } else if let Ok(ident) = fork.parse::<Ident>()
        && ident == "null"
        && ends(&fork)
    {
        input.advance_to(&fork);
        return Ok(Node::Null(ident.span()));
    }
    input.parse().map(Node::Expr)
}

/// `{"k": v}`; without `any` only if the keys show that it is no block.
pub(super) fn braces(input: ParseStream, any: bool) -> Result<Node> {
    let content;
    let brace = syn::braced!(content in input);
    if !any && !starts_with_key(&content) {
        return Err(content.error("a block"));
    }
    Ok(Node::Dict(entries(&content)?, brace.span.join()))
}

fn brackets(input: ParseStream) -> Result<Node> {
    let content;
    let bracket = syn::bracketed!(content in input);
    let mut out = Vec::new();
    while !content.is_empty() {
        out.push(node(&content)?);
        if content.is_empty() {
            break;
        }
        content.parse::<Token![,]>()?;
    }
    Ok(Node::List(out, bracket.span.join()))
}

fn entries(input: ParseStream) -> Result<Vec<(Node, Node)>> {
    let mut out = Vec::new();
    while !input.is_empty() {
        let key = Node::Expr(input.parse()?);
        input.parse::<Token![:]>()?;
        out.push((key, node(input)?));
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(out)
}

/// `a => b, c => d`.
pub(super) fn map(input: ParseStream) -> Result<Node> {
    let span = input.span();
    let mut out = Vec::new();
    while !input.is_empty() {
        let key = Node::Expr(input.parse()?);
        input.parse::<Token![=>]>()?;
        out.push((key, node(input)?));
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(Node::Dict(out, span))
}
