//! Expressions.

use syn::{BinOp, Expr, ExprClosure, ExprStruct, Lit, Pat, RangeLimits, UnOp};

use super::lower::Lower;
use super::patterns::first_binding;
use crate::core::{
    Arg, ArgKind, Block, ExprId, ExprKind, FuncId, MAX_DEPTH, Param, ParamKind, Span, Stmt, StmtKind, StrLit, Symbol,
};

/// How deep the arguments inside the cut-off part of a chain may be.
const ROOM: u32 = 100;

impl Lower<'_> {
    /// Any expression.
    pub fn expr(&mut self, expr: &Expr) -> ExprId {
        if !self.down(|me| me.syn_span(expr)) {
            let span = self.syn_span(expr);
            return self.unknown(span);
        }
        let id = self.chain(expr);
        self.up();
        id
    }

    /// The span of an expression by way of its tokens: slow, only for what is rare.
    pub fn syn_span(&self, expr: &Expr) -> Span {
        self.span(syn::spanned::Spanned::span(expr))
    }

    /// An expression whose left side may be long: `a.b()?.c().await`, `a + b + c`. Walks down to its first token and
    /// builds from there, without recursion.
    fn chain(&mut self, expr: &Expr) -> ExprId {
        let mut links = Vec::new();
        let mut inner = expr;
        loop {
            let next = match inner {
                Expr::MethodCall(call) => &*call.receiver,
                Expr::Field(field) => &*field.base,
                Expr::Await(wait) => &*wait.base,
                Expr::Try(propagate) => &*propagate.expr,
                Expr::Call(call) if !matches!(*call.func, Expr::Path(_)) => &*call.func,
                Expr::Index(index) => &*index.expr,
                Expr::Cast(cast) => &*cast.expr,
                Expr::Binary(binary) if !is_compound(&binary.op) => &*binary.left,
                Expr::Group(group) => &*group.expr,
                _ => break,
            };
            links.push(inner);
            inner = next;
        }
        // The tree is as deep as the chain is long, but for a run of one operator. What is too far inside is kept
        // without its order.
        let depth = self.depth;
        let mut depths = Vec::with_capacity(links.len());
        let mut below = depth;
        for (i, link) in links.iter().enumerate() {
            depths.push(below);
            below += u32::from(!links.get(i + 1).is_some_and(|next| same_operator(link, next)));
        }
        let mut base = if below < MAX_DEPTH {
            self.depth = below;
            self.head(inner)
        } else {
            // Room for the arguments of what is cut off.
            let limit = MAX_DEPTH.saturating_sub(ROOM).max(depth);
            let fits = depths.partition_point(|&depth| depth < limit);
            let lost = links.split_off(fits);
            self.depth = limit;
            self.flattened(&lost, inner)
        };
        for (link, depth) in links.iter().zip(depths).rev() {
            self.depth = depth;
            base = self.link(base, link);
        }
        self.depth = depth;
        base
    }

    /// The inner end of a chain that is too long: an `Unknown` with the arguments of its calls.
    fn flattened(&mut self, links: &[&Expr], inner: &Expr) -> ExprId {
        let first = self.head(inner);
        let start = self.expr_span(first).start;
        let mut end = self.expr_span(first).end;
        let mut children = vec![first];
        for link in links.iter().rev() {
            match link {
                Expr::MethodCall(call) => {
                    children.extend(call.args.iter().map(|arg| self.expr(arg)));
                    end = self.spans.end(call.paren_token.span.join());
                }
                Expr::Call(call) => {
                    children.extend(call.args.iter().map(|arg| self.expr(arg)));
                    end = self.spans.end(call.paren_token.span.join());
                }
                Expr::Index(index) => {
                    children.push(self.expr(&index.index));
                    end = self.spans.end(index.bracket_token.span.join());
                }
                Expr::Binary(binary) => {
                    let right = self.expr(&binary.right);
                    children.push(right);
                    end = self.expr_span(right).end;
                }
                _ => {}
            }
        }
        let span = Span { start, end };
        self.too_deep(Span { start, end: start });
        self.add(ExprKind::Unknown(children), span)
    }

    /// One step of a chain, given what is to the left of it.
    fn link(&mut self, base: ExprId, link: &Expr) -> ExprId {
        let start = self.expr_span(base).start;
        match link {
            Expr::MethodCall(call) => {
                let (name, name_span) = self.ident(&call.method);
                let callee = self.add(
                    ExprKind::Attr {
                        base,
                        name,
                        name_span,
                        path: false,
                    },
                    Span {
                        start,
                        end: name_span.end,
                    },
                );
                let args = self.positional(&call.args);
                let end = self.spans.end(call.paren_token.span.join());
                self.add(ExprKind::Call { callee, args }, Span { start, end })
            }
            Expr::Field(field) => {
                let (name, name_span) = self.member(&field.member);
                self.add(
                    ExprKind::Attr {
                        base,
                        name,
                        name_span,
                        path: false,
                    },
                    Span {
                        start,
                        end: name_span.end,
                    },
                )
            }
            Expr::Await(wait) => {
                let end = self.spans.end(wait.await_token.span);
                self.add(ExprKind::Await(base), Span { start, end })
            }
            Expr::Try(propagate) => {
                let end = self.spans.end(propagate.question_token.span);
                self.add(ExprKind::Propagate(base), Span { start, end })
            }
            Expr::Call(call) => {
                let args = self.positional(&call.args);
                let end = self.spans.end(call.paren_token.span.join());
                self.add(ExprKind::Call { callee: base, args }, Span { start, end })
            }
            Expr::Index(index) => {
                let key = self.expr(&index.index);
                let end = self.spans.end(index.bracket_token.span.join());
                self.add(ExprKind::Index { base, index: key }, Span { start, end })
            }
            Expr::Cast(cast) => {
                let ty = self.ty(&cast.ty);
                let end = self.expr_span(ty).end;
                self.add(ExprKind::Same(base), Span { start, end })
            }
            Expr::Binary(binary) => {
                let right = self.expr(&binary.right);
                self.binary(base, &binary.op, right)
            }
            _ => base,
        }
    }

    fn binary(&mut self, left: ExprId, op: &BinOp, right: ExprId) -> ExprId {
        let span = Span {
            start: self.expr_span(left).start,
            end: self.expr_span(right).end,
        };
        let symbol = operator(op);
        // `a + b + c` goes into one node: text and conditions are often long chains of one operator.
        match (&mut self.module.exprs[left.0 as usize].kind, op) {
            (ExprKind::And(operands), BinOp::And(_)) | (ExprKind::Or(operands), BinOp::Or(_)) => {
                operands.push(right);
                self.module.exprs[left.0 as usize].span = span;
                return left;
            }
            (ExprKind::Op { op, operands }, _) if op.as_str() == symbol && operands.len() > 1 => {
                operands.push(right);
                self.module.exprs[left.0 as usize].span = span;
                return left;
            }
            _ => {}
        }
        let operands = vec![left, right];
        let kind = match op {
            BinOp::And(_) => ExprKind::And(operands),
            BinOp::Or(_) => ExprKind::Or(operands),
            _ => ExprKind::Op {
                op: Symbol::new(symbol),
                operands,
            },
        };
        self.add(kind, span)
    }

    /// Arguments by position.
    pub fn positional<'e>(&mut self, args: impl IntoIterator<Item = &'e Expr>) -> Vec<Arg> {
        args.into_iter()
            .map(|arg| Arg {
                kind: ArgKind::Positional,
                value: self.expr(arg),
            })
            .collect()
    }

    fn list<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<ExprId> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    /// What a chain starts with, or is not a chain.
    fn head(&mut self, expr: &Expr) -> ExprId {
        match expr {
            Expr::Path(path) => self.value_path(path.qself.as_ref(), &path.path),
            Expr::Lit(lit) => self.literal(&lit.lit),
            Expr::Call(call) => {
                let callee = self.expr(&call.func);
                let args = self.positional(&call.args);
                let span = self.until_token(callee, call.paren_token.span.join());
                self.add(ExprKind::Call { callee, args }, span)
            }
            Expr::Macro(mac) => self.macro_expr(&mac.mac),
            Expr::Reference(reference) => self.same(reference.and_token.spans[0], &reference.expr),
            Expr::RawAddr(raw) => self.same(raw.and_token.spans[0], &raw.expr),
            Expr::Unary(unary) => self.unary(&unary.op, &unary.expr),
            Expr::Paren(paren) => {
                let inner = self.expr(&paren.expr);
                let span = self.span(paren.paren_token.span.join());
                self.add(ExprKind::Same(inner), span)
            }
            Expr::Closure(closure) => self.closure(closure),
            Expr::Async(block) => {
                let span = self.range(block.async_token.span, block.block.brace_token.span.join());
                self.called_block(&block.block, span, true)
            }
            Expr::TryBlock(block) => {
                let span = self.range(block.try_token.span, block.block.brace_token.span.join());
                self.called_block(&block.block, span, false)
            }
            Expr::Struct(new) => self.new_struct(new),
            Expr::Tuple(tuple) => {
                let span = self.span(tuple.paren_token.span.join());
                if tuple.elems.is_empty() {
                    return self.add(ExprKind::None, span);
                }
                let elements = self.list(&tuple.elems);
                self.add(ExprKind::Tuple(elements), span)
            }
            Expr::Array(array) => {
                let span = self.span(array.bracket_token.span.join());
                let elements = self.list(&array.elems);
                self.add(ExprKind::List(elements), span)
            }
            Expr::Repeat(repeat) => {
                let span = self.span(repeat.bracket_token.span.join());
                self.repeated(&repeat.expr, &repeat.len, span)
            }
            Expr::Range(range) => {
                let mut span = match &range.limits {
                    RangeLimits::HalfOpen(dots) => self.range(dots.spans[0], dots.spans[1]),
                    RangeLimits::Closed(dots) => self.range(dots.spans[0], dots.spans[2]),
                };
                let ends = self.list(range.start.as_deref().into_iter().chain(range.end.as_deref()));
                for &end in &ends {
                    let end = self.expr_span(end);
                    span = Span {
                        start: span.start.min(end.start),
                        end: span.end.max(end.end),
                    };
                }
                self.add(ExprKind::Slice(ends), span)
            }
            Expr::Let(condition) => {
                let pattern = Box::new(self.pattern(&condition.pat));
                let value = self.expr(&condition.expr);
                let span = self.since_token(condition.let_token.span, value);
                self.add(ExprKind::LetCond { pattern, value }, span)
            }
            Expr::Assign(assign) => {
                let value = self.expr(&assign.right);
                let target = self.expr(&assign.left);
                let span = Span {
                    start: self.expr_span(target).start,
                    end: self.expr_span(value).end,
                };
                self.add(ExprKind::Assign { target, value }, span)
            }
            Expr::Yield(yielded) => {
                self.yields = true;
                let value = yielded.expr.as_ref().map(|expr| self.expr(expr));
                let mut span = self.span(yielded.yield_token.span);
                span.end = value.map_or(span.end, |id| self.expr_span(id).end);
                self.add(ExprKind::Yield(value), span)
            }
            _ => {
                let Some(stmt) = self.control(expr, true) else {
                    let span = self.syn_span(expr);
                    return self.unknown(span);
                };
                let span = stmt.span;
                self.add(ExprKind::Control(Box::new(stmt)), span)
            }
        }
    }

    fn since_token(&self, first: proc_macro2::Span, last: ExprId) -> Span {
        Span {
            start: self.spans.start(first),
            end: self.expr_span(last).end,
        }
    }

    fn until_token(&self, first: ExprId, last: proc_macro2::Span) -> Span {
        Span {
            start: self.expr_span(first).start,
            end: self.spans.end(last),
        }
    }

    fn same(&mut self, first: proc_macro2::Span, inner: &Expr) -> ExprId {
        let inner = self.expr(inner);
        let span = self.since_token(first, inner);
        self.add(ExprKind::Same(inner), span)
    }

    fn unary(&mut self, op: &UnOp, operand: &Expr) -> ExprId {
        let inner = self.expr(operand);
        let (kind, token) = match op {
            UnOp::Deref(star) => (ExprKind::Same(inner), star.span),
            UnOp::Not(not) => (ExprKind::Not(inner), not.span),
            UnOp::Neg(minus) => match self.module.expr(inner).kind {
                ExprKind::Int(value) => (ExprKind::Int(-value), minus.span),
                _ => (
                    ExprKind::Op {
                        op: Symbol::new("-"),
                        operands: vec![inner],
                    },
                    minus.span,
                ),
            },
            _ => return inner,
        };
        let span = self.since_token(token, inner);
        self.add(kind, span)
    }

    /// `[x; n]`, `vec![x; n]`: a list of one element, unless the length is computed, for nothing may be lost.
    pub fn repeated(&mut self, element: &Expr, len: &Expr, span: Span) -> ExprId {
        let element = self.expr(element);
        let list = self.add(ExprKind::List(vec![element]), span);
        if matches!(len, Expr::Lit(_) | Expr::Path(_)) {
            return list;
        }
        let len = self.expr(len);
        self.add(ExprKind::Unknown(vec![list, len]), span)
    }

    fn new_struct(&mut self, new: &ExprStruct) -> ExprId {
        let class = self.value_path(new.qself.as_ref(), &new.path);
        let mut fields = Vec::with_capacity(new.fields.len());
        for field in &new.fields {
            let name = self.member(&field.member).0;
            fields.push((name, self.expr(&field.expr)));
        }
        let rest = new.rest.as_ref().map(|rest| self.expr(rest));
        let span = self.until_token(class, new.brace_token.span.join());
        self.add(ExprKind::New { class, fields, rest }, span)
    }

    fn closure(&mut self, closure: &ExprClosure) -> ExprId {
        let mut start = self.spans.start(closure.inputs_begin.spans[0]);
        let before = [
            closure.lifetimes.as_ref().map(|t| t.for_token.span),
            closure.constness.map(|t| t.span),
            closure.asyncness.map(|t| t.span),
            closure.capture.map(|t| t.span),
        ];
        for token in before.into_iter().flatten() {
            start = start.min(self.spans.start(token));
        }
        let id = self.reserve_func(Span { start, end: start });
        let params = closure.inputs.iter().map(|pat| self.closure_param(pat)).collect();
        let returns = self.returns(&closure.output);
        let (body, end) = self.in_func(id, |me| {
            let mut body = Vec::new();
            let end = match &*closure.body {
                Expr::Block(block) if block.label.is_none() => {
                    body = me.block(&block.block).0;
                    me.spans.end(block.block.brace_token.span.join())
                }
                other => {
                    me.tail(other, &mut body);
                    body.last().map_or(start, |stmt| stmt.span.end)
                }
            };
            (Block(body), end)
        });
        let span = Span { start, end };
        let func = self.func_mut(id);
        func.params = params;
        func.returns = returns;
        func.body = body;
        func.is_async = closure.asyncness.is_some();
        func.span = span;
        self.add(ExprKind::Lambda(id), span)
    }

    fn closure_param(&mut self, pat: &Pat) -> Param {
        match pat {
            Pat::Type(typed) => {
                let mut param = self.param(&typed.pat);
                let annotation = self.ty(&typed.ty);
                param.span.end = self.expr_span(annotation).end;
                param.annotation = Some(annotation);
                param
            }
            pat => self.param(pat),
        }
    }

    /// A parameter from its pattern.
    pub fn param(&mut self, pat: &Pat) -> Param {
        let pattern = self.pattern(pat);
        let name = first_binding(&pattern).unwrap_or_else(|| Symbol::new("_"));
        let span = pattern.span;
        let plain = matches!(pat, Pat::Ident(ident) if ident.subpat.is_none()) || matches!(pat, Pat::Wild(_));
        let pattern = (!plain).then_some(pattern);
        Param {
            name,
            pattern,
            annotation: None,
            default: None,
            kind: ParamKind::Normal,
            span,
        }
    }

    /// `async { .. }`: a closure without parameters, called on the spot.
    fn called_block(&mut self, block: &syn::Block, span: Span, is_async: bool) -> ExprId {
        let callee = self.lambda_of(span, is_async, |me| me.block(block));
        self.add(
            ExprKind::Call {
                callee,
                args: Vec::new(),
            },
            span,
        )
    }

    /// A closure without parameters around some body.
    pub fn lambda_of(&mut self, span: Span, is_async: bool, body: impl FnOnce(&mut Self) -> Block) -> ExprId {
        let id: FuncId = self.reserve_func(span);
        let body = self.in_func(id, body);
        let func = self.func_mut(id);
        func.body = body;
        func.is_async = is_async;
        self.add(ExprKind::Lambda(id), span)
    }

    /// A literal.
    pub fn literal(&mut self, lit: &Lit) -> ExprId {
        let span = self.span(lit.span());
        let kind = match lit {
            Lit::Str(text) => return self.string(text.value(), span),
            Lit::ByteStr(bytes) => return self.string(String::from_utf8_lossy(&bytes.value()).into_owned(), span),
            Lit::CStr(text) => return self.string(text.value().to_string_lossy().into_owned(), span),
            Lit::Int(int) => int.base10_parse().map_or(ExprKind::Literal, ExprKind::Int),
            Lit::Bool(value) => ExprKind::Bool(value.value),
            _ => ExprKind::Literal,
        };
        self.add(kind, span)
    }

    /// A string whose text is known.
    pub fn string(&mut self, text: String, span: Span) -> ExprId {
        self.add(
            ExprKind::Str(StrLit {
                parts: vec![Some(text)],
                values: Vec::new(),
            }),
            span,
        )
    }

    /// The statement that an expression such as `x += 1` is, as the only one of a block.
    pub fn tail_block(&mut self, expr: &Expr) -> Block {
        let mut out: Vec<Stmt> = Vec::new();
        self.tail(expr, &mut out);
        Block(out)
    }

    /// Wraps an expression into a statement of its own.
    pub fn value_stmt(&mut self, value: ExprId) -> Stmt {
        Stmt {
            kind: StmtKind::Value(value),
            span: self.expr_span(value),
        }
    }
}

/// `a + b + c`: the right `+` goes into the node of the left one.
fn same_operator(outer: &Expr, inner: &Expr) -> bool {
    match (outer, inner) {
        (Expr::Binary(outer), Expr::Binary(inner)) => operator(&outer.op) == operator(&inner.op),
        _ => false,
    }
}

/// `+=` and its like.
pub(super) fn is_compound(op: &BinOp) -> bool {
    operator(op).ends_with('=') && !matches!(op, BinOp::Eq(_) | BinOp::Le(_) | BinOp::Ne(_) | BinOp::Ge(_))
}

fn operator(op: &BinOp) -> &'static str {
    match op {
        BinOp::Add(_) => "+",
        BinOp::Sub(_) => "-",
        BinOp::Mul(_) => "*",
        BinOp::Div(_) => "/",
        BinOp::Rem(_) => "%",
        BinOp::And(_) => "&&",
        BinOp::Or(_) => "||",
        BinOp::BitXor(_) => "^",
        BinOp::BitAnd(_) => "&",
        BinOp::BitOr(_) => "|",
        BinOp::Shl(_) => "<<",
        BinOp::Shr(_) => ">>",
        BinOp::Eq(_) => "==",
        BinOp::Lt(_) => "<",
        BinOp::Le(_) => "<=",
        BinOp::Ne(_) => "!=",
        BinOp::Ge(_) => ">=",
        BinOp::Gt(_) => ">",
        BinOp::AddAssign(_) => "+=",
        BinOp::SubAssign(_) => "-=",
        BinOp::MulAssign(_) => "*=",
        BinOp::DivAssign(_) => "/=",
        BinOp::RemAssign(_) => "%=",
        BinOp::BitXorAssign(_) => "^=",
        BinOp::BitAndAssign(_) => "&=",
        BinOp::BitOrAssign(_) => "|=",
        BinOp::ShlAssign(_) => "<<=",
        BinOp::ShrAssign(_) => ">>=",
        _ => "?",
    }
}
