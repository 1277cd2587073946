//! Macro calls: their tokens, read as far as their shape tells.

mod document;
mod format;
mod select;
mod shape;

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Block as SynBlock, Expr, ImplItem, Macro, Stmt as SynStmt};

use super::lower::Lower;
use crate::core::{Arg, ArgKind, ExprId, ExprKind, Pattern, PatternKind, SelectArm, Span, Stmt, StmtKind, Symbol};
use document::Node;
use select::Branch;
use shape::{Argument, Shape};

/// Macros that take code apart instead of running it.
const QUOTING: [&str; 6] = [
    "macro_rules",
    "quote",
    "quote_spanned",
    "parse_quote",
    "parse_quote_spanned",
    "stringify",
];

impl Lower<'_> {
    /// A macro call as an expression.
    pub fn macro_expr(&mut self, mac: &Macro) -> ExprId {
        let callee = self.macro_path(&mac.path, mac.bang_token.span);
        let group = self.spans.end(mac.delimiter.span().join());
        let span = Span {
            start: self.expr_span(callee).start,
            end: group,
        };
        let name = last_segment(mac);
        if QUOTING.contains(&name.as_str()) {
            return self.add(
                ExprKind::Call {
                    callee,
                    args: Vec::new(),
                },
                span,
            );
        }
        if name == "cfg" && super::attrs::cfg_macro_is_off(mac.tokens.clone()) {
            return self.add(ExprKind::Bool(false), span);
        }
        let source = self.text.get(span.range()).unwrap_or_default();
        let may_yield = memchr::memmem::find(source.as_bytes(), b"yield").is_some();
        let args = match shape::shape(&name, mac.tokens.clone(), may_yield) {
            Shape::Args(args) => return self.call_of_args(&name, callee, &args, span),
            Shape::Data(data) => {
                let id = self.node(&data);
                // The document is the value, from the name of the macro to its last bracket.
                self.module.exprs[id.0 as usize].span = span;
                return id;
            }
            Shape::Select(branches) => {
                let arms = branches.iter().map(|branch| self.select_arm(branch)).collect();
                return self.add(ExprKind::Select(arms), span);
            }
            Shape::Matches(matched) => {
                let value = self.expr(&matched.value);
                let pattern = Box::new(self.pattern(&matched.pattern));
                let mut id = self.add(ExprKind::LetCond { pattern, value }, span);
                if let Some(guard) = &matched.guard {
                    let guard = self.expr(guard);
                    id = self.add(ExprKind::And(vec![id, guard]), span);
                }
                if name == "matches" {
                    return id;
                }
                vec![positional(id)]
            }
            Shape::Repeat(pair) => return self.repeated(&pair.0, &pair.1, span),
            Shape::Block(stmts) => {
                // Run on the spot, as far as anybody knows.
                let place = self.span(mac.delimiter.span().join());
                let stmt = Stmt {
                    kind: StmtKind::Block(self.statements(&stmts)),
                    span: place,
                };
                vec![positional(self.add(ExprKind::Control(Box::new(stmt)), place))]
            }
            Shape::Generator(stmts) => {
                let place = self.span(mac.delimiter.span().join());
                vec![positional(self.lambda_of(place, true, |me| me.statements(&stmts)))]
            }
            Shape::Opaque => Vec::new(),
        };
        self.add(ExprKind::Call { callee, args }, span)
    }

    fn call_of_args(&mut self, name: &str, callee: ExprId, args: &[Argument], span: Span) -> ExprId {
        if format::takes_format(name) {
            let args = self.formatted(args);
            return self.add(ExprKind::Call { callee, args }, span);
        }
        let args = self.arguments(args);
        let plain = args.iter().all(|arg| arg.kind == ArgKind::Positional);
        match (name, &args[..]) {
            ("vec", _) if plain => {
                let elements = args.iter().map(|arg| arg.value).collect();
                self.add(ExprKind::List(elements), span)
            }
            // The `?` of 2015.
            ("try", [one]) if plain => self.add(ExprKind::Propagate(one.value), span),
            ("concat", _) if plain => match self.concatenated(&args) {
                Some(text) => self.string(text, span),
                None => self.add(ExprKind::Call { callee, args }, span),
            },
            _ => self.add(ExprKind::Call { callee, args }, span),
        }
    }

    fn concatenated(&self, args: &[Arg]) -> Option<String> {
        args.iter()
            .map(|arg| match &self.module.expr(arg.value).kind {
                ExprKind::Str(text) => text.known(),
                ExprKind::Int(value) => Some(value.to_string()),
                _ => None,
            })
            .collect()
    }

    fn arguments(&mut self, args: &[Argument]) -> Vec<Arg> {
        args.iter().map(|arg| self.argument_of(arg)).collect()
    }

    fn argument_of(&mut self, arg: &Argument) -> Arg {
        let kind = arg
            .name
            .as_ref()
            .map_or(ArgKind::Positional, |name| ArgKind::Keyword(Symbol::new(name)));
        Arg {
            kind,
            value: self.node(&arg.value),
        }
    }

    /// The arguments of `#[name(..)]`.
    pub fn attribute_args(&mut self, tokens: TokenStream) -> Vec<Arg> {
        let args = self.arguments(&shape::lenient_arguments(tokens));
        for arg in &args {
            self.name_arguments(arg.value);
        }
        args
    }

    /// In `#[cfg_attr(a, arg(env = "X"))]` the inner `=` names an argument too.
    fn name_arguments(&mut self, id: ExprId) {
        let ExprKind::Call { args, .. } = &mut self.module.exprs[id.0 as usize].kind else {
            return;
        };
        let mut args = std::mem::take(args);
        for arg in &mut args {
            if let ExprKind::Assign { target, value } = self.module.expr(arg.value).kind
                && let ExprKind::Name(name) = self.module.expr(target).kind
            {
                *arg = Arg {
                    kind: ArgKind::Keyword(name),
                    value,
                };
            }
            self.name_arguments(arg.value);
        }
        if let ExprKind::Call { args: place, .. } = &mut self.module.exprs[id.0 as usize].kind {
            *place = args;
        }
    }

    fn node(&mut self, node: &Node) -> ExprId {
        match node {
            Node::Expr(expr) => self.expr(expr),
            Node::Null(span) => {
                let span = self.span(*span);
                self.add(ExprKind::None, span)
            }
            Node::Dict(entries, span) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (Some(self.node(key)), self.node(value)))
                    .collect();
                let span = self.span(*span);
                self.add(ExprKind::Dict(entries), span)
            }
            Node::List(elements, span) => {
                let elements = elements.iter().map(|element| self.node(element)).collect();
                let span = self.span(*span);
                self.add(ExprKind::List(elements), span)
            }
            Node::Lost(span) => {
                let span = self.span(*span);
                self.unknown(span)
            }
        }
    }

    fn select_arm(&mut self, branch: &Branch) -> SelectArm {
        let start = self.spans.start(branch.start);
        let guard = branch.guard.as_ref().map(|guard| self.expr(guard));
        let future = branch.future.as_ref().map(|future| {
            let id = self.expr(future);
            if branch.blocking {
                return id;
            }
            let span = self.expr_span(id);
            self.add(ExprKind::Await(id), span)
        });
        let pattern = match &branch.pattern {
            Some(pattern) => self.pattern(pattern),
            None => Pattern {
                kind: PatternKind::Wild,
                span: Span { start, end: start },
            },
        };
        let (body, end) = self.body(&branch.body);
        SelectArm {
            pattern,
            future,
            guard,
            body,
            span: Span {
                start,
                end: end.unwrap_or(start),
            },
        }
    }

    /// Macros that stand for statements of another form. False if it is an ordinary call.
    pub fn macro_statements(&mut self, mac: &Macro, out: &mut Vec<Stmt>) -> bool {
        let name = last_segment(mac);
        match name.as_str() {
            "macro_rules" => true,
            "lazy_static" | "thread_local" => self.statics(&name, mac, out),
            "cfg_if" => {
                for branch in shape::branches_of_cfg(mac.tokens.clone()) {
                    out.extend(self.statements(&branch).0);
                }
                true
            }
            _ => false,
        }
    }

    /// `lazy_static! { static ref X: T = value; }` as `X: T = lazy_static!(|| value)`: the value is made later, by
    /// whoever comes first.
    fn statics(&mut self, name: &str, mac: &Macro, out: &mut Vec<Stmt>) -> bool {
        let Some(statics) = shape::statics(mac.tokens.clone()) else {
            return false;
        };
        for item in &statics {
            let (symbol, name_span) = self.ident(&item.ident);
            let target = self.add(ExprKind::Name(symbol), name_span);
            let annotation = Some(self.ty(&item.ty));
            let place = self.range(item.start, item.end);
            let span = self.syn_span(&item.value);
            let lambda = self.lambda_of(span, false, |me| match &item.value {
                // `const { .. }` of `thread_local!`
                Expr::Const(block) => me.block(&block.block),
                value => me.body(value).0,
            });
            let callee = self.name(
                &format!("{name}!"),
                Span {
                    start: span.start,
                    end: span.start,
                },
            );
            let args = vec![positional(lambda)];
            let value = Some(self.add(ExprKind::Call { callee, args }, span));
            out.push(Stmt {
                kind: StmtKind::Assign {
                    targets: vec![target],
                    value,
                    annotation,
                },
                span: place,
            });
        }
        true
    }

    /// A macro in the place of an item: further items (`cfg_unix! { fn a() {} }`), or a call.
    pub fn macro_item(&mut self, mac: &Macro, end: u32, out: &mut Vec<Stmt>) {
        if self.macro_statements(mac, out) || QUOTING.contains(&last_segment(mac).as_str()) {
            return;
        }
        if !self.down(|me| me.span(mac.bang_token.span)) {
            return;
        }
        match SynBlock::parse_within.parse2(mac.tokens.clone()) {
            Ok(stmts) if !stmts.is_empty() && stmts.iter().all(is_item) => out.extend(self.statements(&stmts).0),
            _ => {
                let id = self.macro_expr(mac);
                let span = self.expr_span(id);
                let span = Span {
                    start: span.start,
                    end: span.end.max(end),
                };
                out.push(Stmt {
                    kind: StmtKind::Expr(id),
                    span,
                });
            }
        }
        self.up();
    }
}

fn is_item(stmt: &SynStmt) -> bool {
    matches!(stmt, SynStmt::Item(_) | SynStmt::Macro(_))
}

fn positional(value: ExprId) -> Arg {
    Arg {
        kind: ArgKind::Positional,
        value,
    }
}

/// The name of a macro without path, `r#` and `!`.
fn last_segment(mac: &Macro) -> String {
    use syn::ext::IdentExt;
    mac.path
        .segments
        .last()
        .map(|segment| segment.ident.unraw().to_string())
        .unwrap_or_default()
}

/// The tokens of a macro inside an `impl` block as members of the block; none if they are something else.
pub(super) fn impl_members(mac: &Macro) -> Vec<ImplItem> {
    let parser = |input: ParseStream| {
        let mut out = Vec::new();
        while !input.is_empty() {
            out.push(input.parse()?);
        }
        Ok(out)
    };
    parser.parse2(mac.tokens.clone()).unwrap_or_default()
}
