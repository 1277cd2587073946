//! What the tokens of a macro look like, as far as syn can tell. Names of macros count only where the tokens are
//! ambiguous (`doc! {}`).

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Ident, LitStr, Pat, Result, Stmt, Token, token};

use super::document::{DOCUMENTS, Node, braces, document, map};
use super::select::{Branch, branches};

/// The forms that macro tokens are recognised in.
pub(super) enum Shape {
    /// `a, name = b, {"k": v}`.
    Args(Vec<Argument>),
    /// `{"k": v}`, `"k": v`, `a => b`, `[..]` of such.
    Data(Box<Node>),
    /// `pattern = future => body, ..`.
    Select(Vec<Branch>),
    /// `value, pattern if guard`.
    Matches(Box<Matches>),
    /// `vec![value; count]`.
    Repeat(Box<(Expr, Expr)>),
    /// Statements.
    Block(Vec<Stmt>),
    /// Statements with a `yield`.
    Generator(Vec<Stmt>),
    /// Nothing of these.
    Opaque,
}

/// `matches!(value, pattern if guard)`.
pub(super) struct Matches {
    pub value: Expr,
    pub pattern: Pat,
    pub guard: Option<Expr>,
}

/// An argument.
pub(super) struct Argument {
    pub name: Option<String>,
    pub value: Node,
}

/// Reads the tokens of a macro of that name. `may_yield`: the word occurs in them.
pub(super) fn shape(name: &str, tokens: TokenStream, may_yield: bool) -> Shape {
    let yields = may_yield && yields(tokens.clone());
    let parser = |input: ParseStream| {
        let shape = recognise(name, yields, input);
        // What was not understood is no error.
        input.step(|cursor| {
            let mut rest = *cursor;
            while let Some((_, next)) = rest.token_tree() {
                rest = next;
            }
            Ok(((), rest))
        })?;
        Ok(shape)
    };
    parser.parse2(tokens).unwrap_or(Shape::Opaque)
}

fn recognise(name: &str, yields: bool, input: ParseStream) -> Shape {
    if yields && let Some(stmts) = attempt(input, |input| input.call(Block::parse_within)) {
        return Shape::Generator(stmts);
    }
    if input.is_empty() && !DOCUMENTS.contains(&name) {
        return Shape::Args(Vec::new());
    }
    if matches!(name, "matches" | "assert_matches" | "debug_assert_matches")
        && let Some(shape) = attempt(input, matches_body)
    {
        return shape;
    }
    if let Some(data) = document(name, input) {
        return Shape::Data(Box::new(data));
    }
    if has_arrow(input) {
        if let Some(branches) = attempt(input, branches) {
            return Shape::Select(branches);
        }
        if let Some(dict) = attempt(input, map) {
            return Shape::Data(Box::new(dict));
        }
    }
    if let Some(args) = attempt(input, arguments) {
        return Shape::Args(args);
    }
    if name == "vec"
        && let Some(pair) = attempt(input, repeat)
    {
        return Shape::Repeat(Box::new(pair));
    }
    if let Some(stmts) = attempt(input, |input| input.call(Block::parse_within)) {
        return Shape::Block(stmts);
    }
    Shape::Opaque
}

/// Parses a fork of the input; counts only if nothing is left.
pub(super) fn attempt<T>(input: ParseStream, parser: impl FnOnce(ParseStream) -> Result<T>) -> Option<T> {
    let fork = input.fork();
    let result = parser(&fork).ok()?;
    fork.is_empty().then_some(result)
}

fn has_arrow(input: ParseStream) -> bool {
    let mut cursor = input.cursor();
    while let Some((tree, next)) = cursor.token_tree() {
        if let TokenTree::Punct(punct) = &tree
            && punct.as_char() == '='
            && let Some((second, _)) = next.punct()
            && second.as_char() == '>'
        {
            return true;
        }
        cursor = next;
    }
    false
}

fn matches_body(input: ParseStream) -> Result<Shape> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    // `assert_matches!(value, pattern, "message {}", x)`
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
        Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
    }
    Ok(Shape::Matches(Box::new(Matches { value, pattern, guard })))
}

fn repeat(input: ParseStream) -> Result<(Expr, Expr)> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok((value, input.parse()?))
}

fn arguments(input: ParseStream) -> Result<Vec<Argument>> {
    let mut out = Vec::new();
    while !input.is_empty() {
        out.push(argument(input)?);
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(out)
}

/// `expr`, `name = expr`, `a.b = %expr`, `?expr`, `target: expr`, `{"k": v}`.
fn argument(input: ParseStream) -> Result<Argument> {
    let fork = input.fork();
    let name = argument_name(&fork);
    if name.is_some() {
        input.advance_to(&fork);
    }
    // Sigils: how tracing shows the value, insta's inline snapshot.
    if input.peek(Token![%]) || input.peek(Token![?]) || input.peek(Token![@]) {
        input.parse::<TokenTree>()?;
    }
    let fork = input.fork();
    if input.peek(token::Brace)
        && let Ok(dict) = braces(&fork, false)
        && (fork.is_empty() || fork.peek(Token![,]))
    {
        input.advance_to(&fork);
        return Ok(Argument { name, value: dict });
    }
    match input.parse()? {
        // `let x = y` is a condition for syn; here it is the first of several statements.
        Expr::Let(_) => Err(input.error("a statement")),
        value => Ok(Argument {
            name,
            value: Node::Expr(value),
        }),
    }
}

fn argument_name(input: ParseStream) -> Option<String> {
    let name = if input.peek(LitStr) {
        input.parse::<LitStr>().ok()?.value()
    } else {
        let mut name = input.call(Ident::parse_any).ok()?.unraw().to_string();
        while input.peek(Token![.]) {
            input.parse::<Token![.]>().ok()?;
            name.push('.');
            name.push_str(&input.call(Ident::parse_any).ok()?.unraw().to_string());
        }
        if input.peek(Token![:]) && !input.peek(Token![::]) && !name.contains('.') {
            input.parse::<Token![:]>().ok()?;
            return Some(name);
        }
        name
    };
    if input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>]) {
        input.parse::<Token![=]>().ok()?;
        return Some(name);
    }
    None
}

/// The arguments of an attribute: what is no expression is skipped up to the next comma.
pub(super) fn lenient_arguments(tokens: TokenStream) -> Vec<Argument> {
    let parser = |input: ParseStream| {
        let mut out = Vec::new();
        while !input.is_empty() {
            let fork = input.fork();
            match argument(&fork) {
                Ok(argument) if fork.is_empty() || fork.peek(Token![,]) => {
                    input.advance_to(&fork);
                    out.push(argument);
                }
                _ => {
                    out.push(Argument {
                        name: None,
                        value: Node::Lost(input.span()),
                    });
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(out)
    };
    parser.parse2(tokens).unwrap_or_default()
}

/// `[pub] static [ref] NAME: T = value;` in `lazy_static!` and `thread_local!`.
pub(super) struct Static {
    pub ident: Ident,
    pub ty: syn::Type,
    pub value: Expr,
    pub start: Span,
    pub end: Span,
}

impl Parse for Static {
    fn parse(input: ParseStream) -> Result<Self> {
        input.call(syn::Attribute::parse_outer)?;
        let start = input.span();
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        let end = input.span();
        input.parse::<Option<Token![;]>>()?;
        Ok(Self {
            ident,
            ty,
            value,
            start,
            end,
        })
    }
}

/// All of a macro as such statics.
pub(super) fn statics(tokens: TokenStream) -> Option<Vec<Static>> {
    let parser = |input: ParseStream| {
        let mut out = Vec::new();
        while !input.is_empty() {
            out.push(input.parse()?);
        }
        Ok(out)
    };
    parser.parse2(tokens).ok()
}

/// The groups in braces of `cfg_if! { if #[cfg(a)] { .. } else { .. } }`, each as statements.
pub(super) fn branches_of_cfg(tokens: TokenStream) -> Vec<Vec<Stmt>> {
    let groups = tokens.into_iter().filter_map(|tree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    });
    groups
        .filter_map(|stream| Block::parse_within.parse2(stream).ok())
        .collect()
}

/// Whether there is a `yield` among the tokens that belongs to this macro and not to one inside.
fn yields(tokens: TokenStream) -> bool {
    let mut after_bang = false;
    for tree in tokens {
        match &tree {
            TokenTree::Ident(ident) if ident == "yield" => return true,
            TokenTree::Group(group) if !after_bang && yields(group.stream()) => return true,
            _ => {}
        }
        after_bang = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '!');
    }
    false
}
