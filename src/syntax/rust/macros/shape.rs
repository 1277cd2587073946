//! What the tokens of a macro look like, as far as syn can tell. Names of macros count only where the tokens are
//! ambiguous (`doc! {}`).

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Ident, LitStr, Pat, Result, Stmt, Token, token};

/// The forms that macro tokens are recognised in.
pub(super) enum Shape {
    /// `a, name = b, {"k": v}`.
    Args(Vec<Argument>),
    /// `{"k": v}`, `"k": v`, `a => b`, `[..]` of such.
    Data(Node),
    /// `pattern = future => body, ..`.
    Select(Vec<Branch>),
    /// `value, pattern if guard`.
    Matches { value: Expr, pattern: Pat, guard: Option<Expr> },
    /// `value; count`.
    Repeat(Expr, Expr),
    /// Statements.
    Block(Vec<Stmt>),
    /// Nothing of these.
    Opaque,
}

/// An argument.
pub(super) struct Argument {
    pub name: Option<String>,
    pub value: Node,
}

/// A value that may be written as JSON.
pub(super) enum Node {
    Expr(Expr),
    Null(Span),
    Dict(Vec<(Node, Node)>, Span),
    List(Vec<Node>, Span),
    /// Tokens that are no value, in attributes.
    Lost(Span),
}

/// An arm of `select!`.
pub(super) struct Branch {
    pub pattern: Option<Pat>,
    pub future: Option<Expr>,
    /// Crossbeam's `recv(r) -> x`: the operation blocks, there is no future.
    pub blocking: bool,
    pub guard: Option<Expr>,
    pub body: Expr,
    pub start: Span,
}

/// Macros whose braces hold a document even if they are empty or their keys are no strings.
const DOCUMENTS: [&str; 5] = ["doc", "rawdoc", "json", "bson", "rawbson"];

/// Reads the tokens of a macro of that name.
pub(super) fn shape(name: &str, tokens: TokenStream) -> Shape {
    let parser = |input: ParseStream| {
        let shape = recognise(name, input);
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

fn recognise(name: &str, input: ParseStream) -> Shape {
    if input.is_empty() && !DOCUMENTS.contains(&name) {
        return Shape::Args(Vec::new());
    }
    if matches!(name, "matches" | "assert_matches" | "debug_assert_matches") {
        if let Some(shape) = attempt(input, matches_body) {
            return shape;
        }
    }
    if let Some(data) = document(name, input) {
        return Shape::Data(data);
    }
    if has_arrow(input) {
        if let Some(branches) = attempt(input, branches) {
            return Shape::Select(branches);
        }
        if let Some(dict) = attempt(input, map) {
            return Shape::Data(dict);
        }
    }
    if let Some(args) = attempt(input, arguments) {
        return Shape::Args(args);
    }
    if let Some((value, count)) = attempt(input, repeat) {
        return Shape::Repeat(value, count);
    }
    if let Some(stmts) = attempt(input, |input| input.call(Block::parse_within)) {
        return Shape::Block(stmts);
    }
    Shape::Opaque
}

/// Parses a fork of the input; counts only if nothing is left.
fn attempt<T>(input: ParseStream, parser: impl FnOnce(ParseStream) -> Result<T>) -> Option<T> {
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
    Ok(Shape::Matches { value, pattern, guard })
}

fn repeat(input: ParseStream) -> Result<(Expr, Expr)> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok((value, input.parse()?))
}

/// `doc! {..}`, `json!({..})`, and the same shape under another name.
fn document(name: &str, input: ParseStream) -> Option<Node> {
    let named = DOCUMENTS.contains(&name);
    let span = input.span();
    if named && !name.ends_with("doc") {
        let value = attempt(input, node)?;
        return (!matches!(value, Node::Expr(_))).then_some(value);
    }
    if named || starts_with_key(input) {
        if let Some(entries) = attempt(input, entries) {
            return Some(Node::Dict(entries, span));
        }
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
fn braces(input: ParseStream, any: bool) -> Result<Node> {
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
fn map(input: ParseStream) -> Result<Node> {
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

fn branches(input: ParseStream) -> Result<Vec<Branch>> {
    // `biased;`
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    let mut out = Vec::new();
    while !input.is_empty() {
        out.push(branch(input)?);
    }
    if out.iter().all(|branch| branch.future.is_none()) {
        return Err(input.error("nothing to select from"));
    }
    Ok(out)
}

fn branch(input: ParseStream) -> Result<Branch> {
    let start = input.span();
    let mut branch = Branch { pattern: None, future: None, blocking: false, guard: None, body: Expr::PLACEHOLDER, start };
    let fork = input.fork();
    if let Ok(pattern) = Pat::parse_multi_with_leading_vert(&fork)
        && fork.peek(Token![=])
        && !fork.peek(Token![=>])
    {
        input.advance_to(&fork);
        input.parse::<Token![=]>()?;
        branch.pattern = Some(pattern);
        branch.future = Some(input.parse()?);
        if input.peek(Token![,]) && input.peek2(Token![if]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![if]>()?;
            branch.guard = Some(input.parse()?);
        }
    } else if input.peek(Token![else]) || (input.peek(Ident) && input.peek2(Token![=>])) {
        // `else`, `default`, `complete`
        input.call(Ident::parse_any)?;
    } else {
        branch.future = Some(input.parse()?);
        branch.blocking = true;
        if input.peek(Token![->]) {
            input.parse::<Token![->]>()?;
            branch.pattern = Some(Pat::parse_single(input)?);
        } else if !is_operation(branch.future.as_ref()) {
            return Err(input.error("not an operation on a channel"));
        }
    }
    input.parse::<Token![=>]>()?;
    branch.body = if input.peek(token::Brace) {
        let block = input.parse()?;
        Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block })
    } else {
        input.parse()?
    };
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
    }
    Ok(branch)
}

/// Crossbeam's `default(timeout) => ..`, `recv(r) => ..`, and no entry of a map.
fn is_operation(expr: Option<&Expr>) -> bool {
    match expr {
        Some(Expr::Call(call)) => match &*call.func {
            Expr::Path(path) => ["recv", "send", "default"].iter().any(|name| path.path.is_ident(name)),
            _ => false,
        },
        _ => false,
    }
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
    // Sigils of tracing: how the value is shown.
    if input.peek(Token![%]) {
        input.parse::<Token![%]>()?;
    } else if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
    }
    let fork = input.fork();
    if input.peek(token::Brace)
        && let Ok(dict) = braces(&fork, false)
        && (fork.is_empty() || fork.peek(Token![,]))
    {
        input.advance_to(&fork);
        return Ok(Argument { name, value: dict });
    }
    Ok(Argument { name, value: Node::Expr(input.parse()?) })
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
                    out.push(Argument { name: None, value: Node::Lost(input.span()) });
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
        Ok(Self { ident, ty, value, start, end })
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
    groups.filter_map(|stream| Block::parse_within.parse2(stream).ok()).collect()
}

/// Whether there is a `yield` among the tokens that belongs to this macro and not to one inside.
pub(super) fn yields(tokens: TokenStream) -> bool {
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
