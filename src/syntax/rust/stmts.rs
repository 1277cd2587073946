//! Blocks, statements and control flow.

use syn::{Expr, ExprIf, Label, Lifetime, Local, Pat, Stmt as SynStmt};

use super::exprs::is_compound;
use super::lower::{Loop, Lower};
use crate::core::{Arm, Block, Pattern, PatternKind, Span, Stmt, StmtKind, Symbol};

impl Lower<'_> {
    /// The statements between braces.
    pub fn block(&mut self, block: &syn::Block) -> Block {
        self.statements(&block.stmts)
    }

    /// Statements, the last of which may be the value.
    pub fn statements(&mut self, stmts: &[SynStmt]) -> Block {
        let mut out = Vec::with_capacity(stmts.len());
        for (i, stmt) in stmts.iter().enumerate() {
            self.statement(stmt, i + 1 == stmts.len(), &mut out);
        }
        Block(out)
    }

    fn statement(&mut self, stmt: &SynStmt, last: bool, out: &mut Vec<Stmt>) {
        match stmt {
            SynStmt::Local(local) => self.local(local, out),
            SynStmt::Item(item) => self.item(item, out),
            SynStmt::Macro(mac) => self.macro_stmt(&mac.mac, last && mac.semi_token.is_none(), mac.semi_token, out),
            SynStmt::Expr(Expr::Macro(mac), semi) => self.macro_stmt(&mac.mac, last && semi.is_none(), *semi, out),
            SynStmt::Expr(expr, Some(semi)) => {
                let mut stmt = self.dropped(expr);
                stmt.span.end = self.spans.end(semi.spans[0]);
                out.push(stmt);
            }
            SynStmt::Expr(expr, None) if last => self.tail(expr, out),
            SynStmt::Expr(expr, None) => out.push(self.dropped(expr)),
        }
    }

    fn local(&mut self, local: &Local, out: &mut Vec<Stmt>) {
        let (pat, annotation) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(self.ty(&typed.ty))),
            pat => (pat, None),
        };
        // In the order of evaluation, so that later passes may number by it.
        let value = local.init.as_ref().map(|init| self.expr(&init.expr));
        let otherwise = local
            .init
            .as_ref()
            .and_then(|init| init.diverge.as_ref())
            .map(|(_, expr)| match &**expr {
                Expr::Block(block) => self.block(&block.block),
                other => self.tail_block(other),
            });
        let pattern = self.pattern(pat);
        let span = self.range(local.let_token.span, local.semi_token.spans[0]);
        out.push(Stmt {
            kind: StmtKind::Let {
                pattern,
                annotation,
                value,
                otherwise,
            },
            span,
        });
    }

    /// An expression whose value nobody takes.
    fn dropped(&mut self, expr: &Expr) -> Stmt {
        self.control(expr, false).unwrap_or_else(|| {
            let id = self.expr(expr);
            Stmt {
                kind: StmtKind::Expr(id),
                span: self.expr_span(id),
            }
        })
    }

    /// The last expression of a block: its value, or a statement that has none.
    pub fn tail(&mut self, expr: &Expr, out: &mut Vec<Stmt>) {
        let has_value = match expr {
            Expr::If(test) => test.else_branch.is_some(),
            Expr::While(_)
            | Expr::ForLoop(_)
            | Expr::Return(_)
            | Expr::Break(_)
            | Expr::Continue(_)
            | Expr::Assign(_) => false,
            Expr::Binary(binary) => !is_compound(&binary.op),
            _ => true,
        };
        let stmt = if has_value {
            let value = self.expr(expr);
            self.value_stmt(value)
        } else {
            self.dropped(expr)
        };
        out.push(stmt);
    }

    /// The statement that an expression is, if it is one: control flow, blocks, assignments. `value` says whether
    /// somebody takes its value.
    pub fn control(&mut self, expr: &Expr, value: bool) -> Option<Stmt> {
        if !matches!(
            expr,
            Expr::If(_)
                | Expr::Match(_)
                | Expr::Loop(_)
                | Expr::While(_)
                | Expr::ForLoop(_)
                | Expr::Block(_)
                | Expr::Unsafe(_)
                | Expr::Const(_)
                | Expr::Return(_)
                | Expr::Break(_)
                | Expr::Continue(_)
                | Expr::Assign(_)
                | Expr::Binary(_)
        ) {
            return None;
        }
        if !self.down(|me| me.syn_span(expr)) {
            return Some(Stmt {
                kind: StmtKind::Unknown(Vec::new()),
                span: self.syn_span(expr),
            });
        }
        let stmt = self.control_inner(expr, value);
        self.up();
        stmt
    }

    fn control_inner(&mut self, expr: &Expr, value: bool) -> Option<Stmt> {
        Some(match expr {
            Expr::If(test) => self.if_stmt(test, value),
            Expr::Match(subject) => self.match_stmt(subject),
            Expr::Loop(endless) => {
                let span = self.with_label(
                    endless.label.as_ref(),
                    self.range(endless.loop_token.span, endless.body.brace_token.span.join()),
                );
                let body = self.loop_body(endless.label.as_ref(), &endless.body);
                Stmt {
                    kind: StmtKind::While {
                        test: None,
                        body,
                        otherwise: Block::default(),
                    },
                    span,
                }
            }
            Expr::While(repeat) => {
                let span = self.with_label(
                    repeat.label.as_ref(),
                    self.range(repeat.while_token.span, repeat.body.brace_token.span.join()),
                );
                let test = Some(self.expr(&repeat.cond));
                let body = self.loop_body(repeat.label.as_ref(), &repeat.body);
                Stmt {
                    kind: StmtKind::While {
                        test,
                        body,
                        otherwise: Block::default(),
                    },
                    span,
                }
            }
            Expr::ForLoop(each) => {
                let span = self.with_label(
                    each.label.as_ref(),
                    self.range(each.for_token.span, each.body.brace_token.span.join()),
                );
                let iter = self.expr(&each.expr);
                let target = self.pattern(&each.pat);
                let body = self.loop_body(each.label.as_ref(), &each.body);
                let kind = StmtKind::For {
                    target,
                    iter,
                    body,
                    otherwise: Block::default(),
                    is_async: false,
                };
                Stmt { kind, span }
            }
            Expr::Block(block) => {
                let span = self.with_label(block.label.as_ref(), self.span(block.block.brace_token.span.join()));
                let kind = match &block.label {
                    None => StmtKind::Block(self.block(&block.block)),
                    Some(label) => {
                        let label = Some(self.symbol(&label.name.ident));
                        self.loops.push(Loop { label, block: true });
                        let body = self.block(&block.block);
                        self.loops.pop();
                        StmtKind::Labelled(body)
                    }
                };
                Stmt { kind, span }
            }
            Expr::Unsafe(block) => {
                let span = self.range(block.unsafe_token.span, block.block.brace_token.span.join());
                Stmt {
                    kind: StmtKind::Block(self.block(&block.block)),
                    span,
                }
            }
            Expr::Const(block) => {
                let span = self.range(block.const_token.span, block.block.brace_token.span.join());
                Stmt {
                    kind: StmtKind::Block(self.block(&block.block)),
                    span,
                }
            }
            Expr::Return(leave) => {
                let value = leave.expr.as_ref().map(|expr| self.expr(expr));
                let span = self.keyword_span(leave.return_token.span, value);
                Stmt {
                    kind: StmtKind::Return(value),
                    span,
                }
            }
            Expr::Break(leave) => {
                let value = leave.expr.as_ref().map(|expr| self.expr(expr));
                let mut span = self.keyword_span(leave.break_token.span, value);
                span.end = span.end.max(
                    leave
                        .label
                        .as_ref()
                        .map_or(0, |label| self.spans.end(label.ident.span())),
                );
                let depth = self.loop_depth(leave.label.as_ref());
                Stmt {
                    kind: StmtKind::Break { depth, value },
                    span,
                }
            }
            Expr::Continue(next) => {
                let mut span = self.span(next.continue_token.span);
                span.end = span.end.max(
                    next.label
                        .as_ref()
                        .map_or(0, |label| self.spans.end(label.ident.span())),
                );
                Stmt {
                    kind: StmtKind::Continue {
                        depth: self.loop_depth(next.label.as_ref()),
                    },
                    span,
                }
            }
            Expr::Assign(assign) => {
                let value = self.expr(&assign.right);
                let end = self.expr_span(value).end;
                if let Expr::Infer(wild) = &*assign.left {
                    // `_ = f()` is `let _ = f()`.
                    let place = self.span(wild.underscore_token.span);
                    let pattern = Pattern {
                        kind: PatternKind::Wild,
                        span: place,
                    };
                    let kind = StmtKind::Let {
                        pattern,
                        annotation: None,
                        value: Some(value),
                        otherwise: None,
                    };
                    return Some(Stmt {
                        kind,
                        span: Span {
                            start: place.start,
                            end,
                        },
                    });
                }
                let target = self.expr(&assign.left);
                let span = Span {
                    start: self.expr_span(target).start,
                    end,
                };
                Stmt {
                    kind: StmtKind::Assign {
                        targets: vec![target],
                        value: Some(value),
                        annotation: None,
                    },
                    span,
                }
            }
            Expr::Binary(binary) if is_compound(&binary.op) => {
                let value = self.expr(&binary.right);
                let target = self.expr(&binary.left);
                let span = Span {
                    start: self.expr_span(target).start,
                    end: self.expr_span(value).end,
                };
                Stmt {
                    kind: StmtKind::AugAssign { target, value },
                    span,
                }
            }
            _ => return None,
        })
    }

    fn keyword_span(&self, keyword: proc_macro2::Span, value: Option<crate::core::ExprId>) -> Span {
        let span = self.span(keyword);
        Span {
            start: span.start,
            end: value.map_or(span.end, |id| self.expr_span(id).end),
        }
    }

    fn with_label(&self, label: Option<&Label>, span: Span) -> Span {
        Span {
            start: label.map_or(span.start, |label| self.spans.start(label.name.apostrophe)),
            end: span.end,
        }
    }

    fn loop_body(&mut self, label: Option<&Label>, body: &syn::Block) -> Block {
        let label = label.map(|label| self.symbol(&label.name.ident));
        self.loops.push(Loop { label, block: false });
        let body = self.block(body);
        self.loops.pop();
        body
    }

    /// How many loops and labelled blocks lie between a `break` or `continue` and the one that it means.
    fn loop_depth(&self, label: Option<&Lifetime>) -> u32 {
        let label: Option<Symbol> = label.map(|label| self.symbol(&label.ident));
        let found = self.loops.iter().rev().position(|around| match label {
            Some(label) => around.label == Some(label),
            None => !around.block,
        });
        found.unwrap_or(0) as u32
    }

    fn if_stmt(&mut self, test: &ExprIf, value: bool) -> Stmt {
        let condition = self.expr(&test.cond);
        let then = self.block(&test.then_branch);
        let mut end = self.spans.end(test.then_branch.brace_token.span.join());
        let otherwise = match &test.else_branch {
            None => Block::default(),
            Some((_, branch)) => {
                let block = match &**branch {
                    Expr::Block(block) if block.label.is_none() => {
                        end = self.spans.end(block.block.brace_token.span.join());
                        self.block(&block.block)
                    }
                    branch if value => self.tail_block(branch),
                    branch => Block(vec![self.dropped(branch)]),
                };
                end = block.0.last().map_or(end, |stmt| end.max(stmt.span.end));
                block
            }
        };
        let span = Span {
            start: self.spans.start(test.if_token.span),
            end,
        };
        Stmt {
            kind: StmtKind::If {
                test: condition,
                then,
                otherwise,
            },
            span,
        }
    }

    fn match_stmt(&mut self, matched: &syn::ExprMatch) -> Stmt {
        let subject = self.expr(&matched.expr);
        let arms = matched.arms.iter().map(|arm| self.arm(arm)).collect();
        let span = self.range(matched.match_token.span, matched.brace_token.span.join());
        Stmt {
            kind: StmtKind::Match { subject, arms },
            span,
        }
    }

    fn arm(&mut self, arm: &syn::Arm) -> Arm {
        let (pat, guard) = match &arm.pat {
            Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
            pat => (pat, None),
        };
        let pattern = self.pattern(pat);
        let guard = guard.map(|guard| self.expr(guard));
        let (body, end) = self.body(&arm.body);
        let end = end.unwrap_or_else(|| self.spans.end(arm.fat_arrow_token.spans[1]));
        let span = Span {
            start: pattern.span.start,
            end,
        };
        Arm {
            pattern,
            guard,
            body,
            span,
        }
    }

    /// The right side of an arm, `{ .. }` or any expression, and its end.
    pub fn body(&mut self, expr: &Expr) -> (Block, Option<u32>) {
        match expr {
            Expr::Block(block) if block.label.is_none() => {
                let end = self.spans.end(block.block.brace_token.span.join());
                (self.block(&block.block), Some(end))
            }
            Expr::Tuple(unit) if unit.elems.is_empty() => {
                (Block::default(), Some(self.spans.end(unit.paren_token.span.join())))
            }
            other => {
                let block = self.tail_block(other);
                let end = block.0.last().map(|stmt| stmt.span.end);
                (block, end)
            }
        }
    }

    /// Lowers a macro in the place of a statement.
    fn macro_stmt(&mut self, mac: &syn::Macro, value: bool, semi: Option<syn::Token![;]>, out: &mut Vec<Stmt>) {
        if self.macro_statements(mac, out) {
            return;
        }
        if !self.down(|me| me.span(mac.bang_token.span)) {
            return;
        }
        let id = self.macro_expr(mac);
        self.up();
        let mut span = self.expr_span(id);
        if value {
            out.push(self.value_stmt(id));
            return;
        }
        if let Some(semi) = semi {
            span.end = self.spans.end(semi.spans[0]);
        }
        out.push(Stmt {
            kind: StmtKind::Expr(id),
            span,
        });
    }
}
