//! `select! { pattern = future => body, .. }`, of tokio, futures and crossbeam.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Expr, Ident, Pat, Result, Token, token};

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

/// All arms.
pub(super) fn branches(input: ParseStream) -> Result<Vec<Branch>> {
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
    let mut branch = Branch {
        pattern: None,
        future: None,
        blocking: false,
        guard: None,
        body: Expr::PLACEHOLDER,
        start,
    };
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
        Expr::Block(syn::ExprBlock {
            attrs: Vec::new(),
            label: None,
            block,
        })
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
