//! Retries written as loops or recursion, found in the syntax: a `try` in a loop whose success leaves the loop and
//! whose handler goes on with it.

use rustc_hash::FxHashMap;

use super::Interp;
use super::flight::Place;
use crate::core::{Block, ExprId, ExprKind, Func, Handler, Module, Pattern, Span, Stmt, StmtKind, Symbol};
use crate::resolve::value::UnitId;

/// A retry around a `try`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryLoop {
    /// The first line of the loop, or the handler for a recursion.
    pub span: Span,
    /// All that is evaluated again: the whole loop, or the function.
    pub region: Span,
    /// The function calls itself.
    pub recursive: bool,
    /// The number of attempts is limited.
    pub limited: bool,
    /// After the last attempt it goes on as if nothing had happened.
    pub silent: bool,
}

/// Retries of a module: by the start of the `try`, per handler.
pub(super) type Retries = FxHashMap<u32, Vec<Option<RetryLoop>>>;

impl Interp<'_> {
    /// The retry that this handler of this `try` goes on with.
    pub(super) fn retry_at(&mut self, m: &Module, stmt: &Stmt, handler: usize) -> Option<(Place, RetryLoop)> {
        let unit: UnitId = self.here().unit;
        self.retries.entry(unit).or_insert_with(|| find(m));
        let found = self
            .retries
            .get(&unit)?
            .get(&stmt.span.start)?
            .get(handler)
            .copied()
            .flatten()?;
        Some((Place { unit, span: found.span }, found))
    }
}

/// All retries of a module.
pub(super) fn find(m: &Module) -> Retries {
    let mut retries = Retries::default();
    block(m, &m.body, None, None, &mut retries);
    for func in &m.funcs {
        block(m, &func.body, None, Some(func), &mut retries);
    }
    for class in &m.classes {
        block(m, &class.body, None, None, &mut retries);
    }
    retries
}

/// The loop around a statement: its header, and what follows the statement in its body.
#[derive(Clone, Copy)]
struct Around<'m> {
    span: Span,
    region: Span,
    rest: &'m [Stmt],
    test: Option<ExprId>,
    /// A `for`, or a `while` with a condition that can become false.
    limited: bool,
    /// What follows the loop in its block, its own `else` first.
    after: &'m [Stmt],
    otherwise: &'m Block,
    /// The block around the loop is the function's own.
    outermost: bool,
    /// What a `for` binds, unless it only counts the attempts.
    target: Option<&'m Pattern>,
    /// What each pass does.
    body: &'m Block,
}

fn block<'m>(m: &'m Module, body: &'m Block, around: Option<Around<'m>>, func: Option<&'m Func>, out: &mut Retries) {
    for (index, stmt) in body.0.iter().enumerate() {
        let rest = &body.0[index + 1..];
        let here = around.map(|a| Around {
            rest: if rest.is_empty() { a.rest } else { rest },
            ..a
        });
        match &stmt.kind {
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                let found = handlers
                    .iter()
                    .map(|h| retry(m, body, otherwise, h, here, func))
                    .collect();
                out.insert(stmt.span.start, found);
                block(m, body, here, func, out);
                block(m, otherwise, here, func, out);
                block(m, finally, here, func, out);
                for handler in handlers {
                    block(m, &handler.body, here, func, out);
                }
            }
            StmtKind::While { test, body, otherwise } => {
                let endless = test.is_none_or(|t| matches!(m.expr(t).kind, ExprKind::Bool(true) | ExprKind::Int(1)));
                let inner = Around {
                    span: header(stmt, body),
                    region: stmt.span,
                    rest: &[],
                    test: *test,
                    limited: !endless,
                    after: rest,
                    otherwise,
                    outermost: around.is_none(),
                    target: None,
                    body,
                };
                block(m, body, Some(inner), func, out);
                block(m, otherwise, here, func, out);
            }
            StmtKind::For {
                target,
                body,
                otherwise,
                iter,
                ..
            } => {
                let inner = Around {
                    span: header(stmt, body),
                    region: stmt.span,
                    rest: &[],
                    test: None,
                    limited: !is_count(m, *iter),
                    after: rest,
                    otherwise,
                    outermost: around.is_none(),
                    target: (!counts(m, *iter)).then_some(target),
                    body,
                };
                block(m, body, Some(inner), func, out);
                block(m, otherwise, here, func, out);
            }
            StmtKind::If { then, otherwise, .. } => {
                block(m, then, here, func, out);
                block(m, otherwise, here, func, out);
            }
            StmtKind::With { body, .. } | StmtKind::Block(body) => block(m, body, here, func, out),
            StmtKind::Match { arms, .. } => arms.iter().for_each(|a| block(m, &a.body, here, func, out)),
            _ => {}
        }
    }
}

/// The first line of a loop.
fn header(stmt: &Stmt, body: &Block) -> Span {
    let end = body.0.first().map_or(stmt.span.end, |s| s.span.start);
    Span {
        start: stmt.span.start,
        end: end.max(stmt.span.start),
    }
}

fn retry(
    m: &Module,
    body: &Block,
    otherwise: &Block,
    handler: &Handler,
    around: Option<Around<'_>>,
    func: Option<&Func>,
) -> Option<RetryLoop> {
    if let Some((func, name)) = func.and_then(|f| Some((f, f.name?)))
        && mentions_call(m, &handler.body, name)
    {
        // `if attempts: return again(attempts - 1)`: limited, and silent if nothing is raised in the other case.
        let conditional = !handler
            .body
            .0
            .iter()
            .any(|s| !matches!(s.kind, StmtKind::If { .. }) && stmt_calls(m, s, name));
        // `if error.args[0] in LOST: again()`: the other case is another error, not the last attempt.
        let by_kind = handler.name.is_some_and(|e| asks_again_by(m, &handler.body, name, e));
        let silent = conditional && !by_kind && !raises(&handler.body) && !returns_something(m, &handler.body, name);
        return Some(RetryLoop {
            span: handler.span,
            region: func.span,
            recursive: true,
            limited: conditional,
            silent,
        });
    }
    let around = around?;
    // `for host in hosts: try: return connect(host)`: each pass does something else.
    if let Some(target) = around.target {
        let mut names = target.names();
        derive(m, around.body, &mut names);
        if uses(m, body, &names) {
            return None;
        }
    }
    let flags = Flags::of(m, around.body);
    // What follows the `try` leaves after a success only if the handler does not go there, or says so.
    let after_success = |s: &Stmt| {
        goes_back(&handler.body) && stmt_leaves(s)
            || matches!(&s.kind, StmtKind::If { test, .. } if stmt_leaves(s)
                && assigned(m, body).iter().chain(&assigned(m, otherwise)).chain(&assigned(m, &handler.body))
                    .any(|n| mentions_name(m, *test, *n)))
    };
    let success_leaves = flags.leaves(body)
        || flags.leaves(otherwise)
        || around.rest.iter().any(after_success)
        || around.test.is_some_and(|t| {
            // `while not done:` with `done = True` in the body.
            assigned(m, body)
                .iter()
                .chain(&assigned(m, otherwise))
                .any(|n| mentions_name(m, t, *n))
        });
    let goes_on = !always_leaves(&handler.body);
    if !(success_leaves && goes_on) {
        return None;
    }
    let gives_up = raises(&handler.body) || leaves(&handler.body);
    let limited = around.limited || gives_up;
    let falls_off = around.otherwise.0.is_empty()
        && (around.after.is_empty() && around.outermost || around.after.first().is_some_and(|s| returns_nothing(m, s)));
    let gives_value =
        returns(body) || returns(otherwise) || around.rest.iter().any(stmt_leaves) || around.after.is_empty();
    let silent = around.limited && !gives_up && falls_off && gives_value;
    Some(RetryLoop {
        span: around.span,
        region: around.region,
        recursive: false,
        limited,
        silent,
    })
}

/// `range(5)`, `itertools.count()`, `(0.1, 1, 5)`: the loop variable is a number of an attempt, or a time to wait.
fn counts(m: &Module, iter: ExprId) -> bool {
    let is_number = |e: &ExprId| matches!(m.expr(*e).kind, ExprKind::Int(_) | ExprKind::Literal | ExprKind::None);
    match &m.expr(iter).kind {
        ExprKind::Call { callee, .. } => {
            is_count(m, iter)
                || matches!(&m.expr(*callee).kind, ExprKind::Name(n) if matches!(n.as_str(), "range" | "xrange"))
        }
        ExprKind::Tuple(items) | ExprKind::List(items) => items.iter().all(is_number),
        _ => false,
    }
}

/// Adds the names that the loop binds to something made of these: `host, port = address`.
fn derive(m: &Module, block: &Block, names: &mut Vec<Symbol>) {
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } if names.iter().any(|n| mentions_name(m, *value, *n)) => {
                for target in targets {
                    names_in(m, *target, names);
                }
            }
            StmtKind::If { then, otherwise, .. } => {
                derive(m, then, names);
                derive(m, otherwise, names);
            }
            StmtKind::With { body, .. } | StmtKind::Block(body) => derive(m, body, names),
            _ => {}
        }
    }
}

/// The block uses one of the names.
fn uses(m: &Module, body: &Block, names: &[Symbol]) -> bool {
    let (Some(first), Some(last)) = (body.0.first(), body.0.last()) else {
        return false;
    };
    let span = Span {
        start: first.span.start,
        end: last.span.end,
    };
    m.exprs
        .iter()
        .any(|e| span.contains(e.span) && matches!(&e.kind, ExprKind::Name(n) if names.contains(n)))
}

/// `itertools.count()`: a `for` that never ends.
fn is_count(m: &Module, iter: ExprId) -> bool {
    let ExprKind::Call { callee, .. } = &m.expr(iter).kind else {
        return false;
    };
    let name = match &m.expr(*callee).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => name.as_str(),
        _ => return false,
    };
    matches!(name, "count" | "cycle" | "repeat")
}

/// `return`, `return None`, `return []`.
fn returns_nothing(m: &Module, stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Return(None) => true,
        StmtKind::Return(Some(value)) => match &m.expr(*value).kind {
            ExprKind::None => true,
            ExprKind::List(items) | ExprKind::Tuple(items) => items.is_empty(),
            ExprKind::Dict(items) => items.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

/// The handler returns something other than the result of trying again.
fn returns_something(m: &Module, block: &Block, name: Symbol) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::Return(Some(_)) => !returns_nothing(m, s) && !stmt_calls(m, s, name),
        StmtKind::If { then, otherwise, .. } => {
            returns_something(m, then, name) || returns_something(m, otherwise, name)
        }
        _ => false,
    })
}

/// The condition under which a function calls itself speaks of the exception.
fn asks_again_by(m: &Module, block: &Block, name: Symbol, exception: Symbol) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::If { test, then, otherwise } => {
            mentions_call(m, then, name) && mentions_name(m, *test, exception)
                || asks_again_by(m, then, name, exception)
                || asks_again_by(m, otherwise, name, exception)
        }
        _ => false,
    })
}

fn stmt_calls(m: &Module, stmt: &Stmt, name: Symbol) -> bool {
    calls_in(m, stmt.span, name)
}

/// Some path of the block raises.
fn raises(block: &Block) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::Raise { .. } => true,
        StmtKind::If { then, otherwise, .. } => raises(then) || raises(otherwise),
        StmtKind::With { body, .. } | StmtKind::Block(body) => raises(body),
        _ => false,
    })
}

/// Nothing but the outside ends a loop with this condition: none at all, or a flag that others set.
pub(super) fn ends_from_outside(m: &Module, test: Option<ExprId>, body: &Block) -> bool {
    test.is_none_or(|t| {
        matches!(m.expr(t).kind, ExprKind::Bool(true) | ExprKind::Int(1)) || Flags::of(m, body).is_flag(t)
    })
}

/// What a pass of the loop finds ends it: a queue is drained, a valid answer given, the last batch done. A loop that ends
/// because it is told to (`if stop.is_set(): return`, `if options["once"]: break`) does not.
pub(super) fn ends_by_data(m: &Module, body: &Block) -> bool {
    leaves(body) && Flags::of(m, body).data_leaves(body)
}

/// What tells a flag, which somebody else sets, from data that the loop itself works on.
struct Flags<'m> {
    m: &'m Module,
    span: Span,
    bound: Vec<Symbol>,
}

impl<'m> Flags<'m> {
    fn of(m: &'m Module, body: &'m Block) -> Self {
        let mut bound = Vec::new();
        bound_in(m, body, &mut bound);
        let start = body.0.first().map_or(0, |s| s.span.start);
        let end = body.0.last().map_or(0, |s| s.span.end);
        Self {
            m,
            span: Span { start, end },
            bound,
        }
    }

    fn is_flag(&self, test: ExprId) -> bool {
        match &self.m.expr(test).kind {
            ExprKind::Not(inner) => self.is_flag(*inner),
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(|p| self.is_flag(*p)),
            ExprKind::Name(name) => !self.bound.contains(name) && self.switched(*name) == Some(true),
            ExprKind::Attr { name, .. } => {
                self.is_still(test) && self.switched(*name).unwrap_or_else(|| !self.works_on(*name))
            }
            ExprKind::Call { args, .. } => {
                asks_for_the_end(self.m, test) && args.iter().all(|a| self.is_still(a.value))
            }
            _ => false,
        }
    }

    /// A condition of an exit that this pass does not decide.
    fn is_told(&self, test: ExprId) -> bool {
        match &self.m.expr(test).kind {
            ExprKind::Not(inner) => self.is_told(*inner),
            ExprKind::And(parts) => parts.iter().any(|p| self.is_told(*p)),
            ExprKind::Or(parts) => parts.iter().all(|p| self.is_told(*p)),
            ExprKind::Name(name) => !self.bound.contains(name),
            ExprKind::Index { .. } => self.is_still(test),
            ExprKind::Op { operands, .. } => operands.iter().all(|o| self.is_still(*o)),
            _ => self.is_flag(test),
        }
    }

    /// Made of names that the loop binds nowhere, and of no calls.
    fn is_still(&self, expr: ExprId) -> bool {
        match &self.m.expr(expr).kind {
            ExprKind::Name(name) => !self.bound.contains(name),
            ExprKind::Attr { base, .. } => self.is_still(*base),
            ExprKind::Index { base, index } => self.is_still(*base) && self.is_still(*index),
            ExprKind::Op { operands, .. } => operands.iter().all(|o| self.is_still(*o)),
            ExprKind::Call { .. } => false,
            _ => true,
        }
    }

    /// `running = False` somewhere in the module; `None` if nothing is assigned to it there.
    fn switched(&self, name: Symbol) -> Option<bool> {
        let mut found = None;
        let bodies = self.m.funcs.iter().map(|f| &f.body);
        for body in bodies
            .chain([&self.m.body])
            .chain(self.m.classes.iter().map(|c| &c.body))
        {
            switches(self.m, body, name, &mut found);
        }
        found
    }

    /// The loop calls or indexes something of it: `self.pending.pop()`.
    fn works_on(&self, name: Symbol) -> bool {
        let is_it = |e: ExprId| matches!(&self.m.expr(e).kind, ExprKind::Attr { name: n, .. } if *n == name);
        self.m
            .exprs
            .iter()
            .filter(|e| self.span.contains(e.span))
            .any(|e| match &e.kind {
                ExprKind::Attr { base, .. } | ExprKind::Index { base, .. } => is_it(*base),
                _ => false,
            })
    }

    /// Some path of the block leaves the loop, whatever was decided before: of what an unchanging condition chooses between
    /// (`if self.process: .. break`), all do.
    fn leaves(&self, block: &Block) -> bool {
        block.0.iter().any(|s| match &s.kind {
            StmtKind::If { test, then, otherwise } if self.is_still(*test) => {
                self.leaves(then) && self.leaves(otherwise)
            }
            StmtKind::If { then, otherwise, .. } => self.leaves(then) || self.leaves(otherwise),
            StmtKind::With { body, .. } | StmtKind::Block(body) => self.leaves(body),
            StmtKind::Try { body, otherwise, .. } => self.leaves(body) || self.leaves(otherwise),
            _ => stmt_leaves(s),
        })
    }

    fn data_leaves(&self, block: &Block) -> bool {
        block.0.iter().any(|s| match &s.kind {
            StmtKind::Return(_) | StmtKind::Break { depth: 0, .. } => true,
            StmtKind::If { test, then, otherwise } => {
                !self.is_told(*test) && (self.data_leaves(then) || self.data_leaves(otherwise))
            }
            StmtKind::With { body, .. } | StmtKind::Block(body) => self.data_leaves(body),
            StmtKind::Try { body, otherwise, .. } => self.data_leaves(body) || self.data_leaves(otherwise),
            StmtKind::Match { arms, .. } => arms.iter().any(|a| self.data_leaves(&a.body)),
            StmtKind::For { body, .. } | StmtKind::While { body, .. } => returns(body),
            _ => false,
        })
    }
}

/// Parts of the names of functions that tell whether the program is to end.
const ASKS_FOR_THE_END: [&str; 10] = [
    "is_set", "isset", "stop", "shut", "exit", "quit", "terminat", "kill", "cancel", "abort",
];

/// A call that by its name tells whether the program is to end: `stop.is_set()`, `stop.wait(5)`, `self.should_exit()`.
fn asks_for_the_end(m: &Module, expr: ExprId) -> bool {
    let ExprKind::Call { callee, .. } = &m.expr(expr).kind else {
        return false;
    };
    let name = match &m.expr(*callee).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => name.as_str().to_ascii_lowercase(),
        _ => return false,
    };
    name == "wait" || ASKS_FOR_THE_END.iter().any(|w| name.contains(w))
}

/// The names that a block binds to what it works on.
fn bound_in(m: &Module, block: &Block, names: &mut Vec<Symbol>) {
    let mut target = |e: ExprId| names_in(m, e, names);
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Assign { targets, value, .. } if !value.is_some_and(|v| asks_for_the_end(m, v)) => {
                for t in targets {
                    target(*t);
                }
            }
            StmtKind::AugAssign { target: t, .. } => target(*t),
            _ => {}
        }
    }
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::For { target, body, .. } => {
                names.extend(target.names());
                bound_in(m, body, names);
            }
            StmtKind::With { items, body, .. } => {
                items.iter().filter_map(|(_, t)| *t).for_each(|t| names_in(m, t, names));
                bound_in(m, body, names);
            }
            StmtKind::While { body, .. } | StmtKind::Block(body) => bound_in(m, body, names),
            StmtKind::If { then, otherwise, .. } => {
                bound_in(m, then, names);
                bound_in(m, otherwise, names);
            }
            // What a handler sets, it sets because something happened to the program.
            StmtKind::Try { body, otherwise, .. } => {
                bound_in(m, body, names);
                bound_in(m, otherwise, names);
            }
            StmtKind::Match { arms, .. } => arms.iter().for_each(|a| bound_in(m, &a.body, names)),
            _ => {}
        }
    }
}

fn names_in(m: &Module, target: ExprId, names: &mut Vec<Symbol>) {
    match &m.expr(target).kind {
        ExprKind::Name(name) => names.push(*name),
        ExprKind::Tuple(items) | ExprKind::List(items) => items.iter().for_each(|i| names_in(m, *i, names)),
        ExprKind::Star(inner) | ExprKind::Same(inner) => names_in(m, *inner, names),
        _ => {}
    }
}

/// Whether a block assigns something to a name or attribute, and whether that is ever `True` or `False`.
fn switches(m: &Module, block: &Block, name: Symbol, found: &mut Option<bool>) {
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } => {
                let named = targets.iter().any(|t| match &m.expr(*t).kind {
                    ExprKind::Name(n) | ExprKind::Attr { name: n, .. } => *n == name,
                    _ => false,
                });
                if named {
                    let switch = matches!(m.expr(*value).kind, ExprKind::Bool(_));
                    *found = Some(found.unwrap_or(false) || switch);
                }
            }
            StmtKind::For { body, otherwise, .. } | StmtKind::While { body, otherwise, .. } => {
                switches(m, body, name, found);
                switches(m, otherwise, name, found);
            }
            StmtKind::With { body, .. } | StmtKind::Block(body) => switches(m, body, name, found),
            StmtKind::If { then, otherwise, .. } => {
                switches(m, then, name, found);
                switches(m, otherwise, name, found);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                for block in [body, otherwise, finally] {
                    switches(m, block, name, found);
                }
                for handler in handlers {
                    switches(m, &handler.body, name, found);
                }
            }
            StmtKind::Match { arms, .. } => arms.iter().for_each(|a| switches(m, &a.body, name, found)),
            _ => {}
        }
    }
}

/// Some path of the block leaves the loop.
fn leaves(block: &Block) -> bool {
    block.0.iter().any(stmt_leaves)
}

/// Some path of a handler goes back to the head of the loop by itself.
fn goes_back(block: &Block) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::Continue { .. } => true,
        StmtKind::If { then, otherwise, .. } => goes_back(then) || goes_back(otherwise),
        StmtKind::With { body, .. } | StmtKind::Block(body) => goes_back(body),
        StmtKind::Try {
            body,
            handlers,
            otherwise,
            ..
        } => goes_back(body) || goes_back(otherwise) || handlers.iter().any(|h| goes_back(&h.body)),
        _ => false,
    })
}

fn stmt_leaves(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Return(_) => true,
        StmtKind::Break { depth: 0, .. } => true,
        StmtKind::If { then, otherwise, .. } => leaves(then) || leaves(otherwise),
        StmtKind::With { body, .. } | StmtKind::Block(body) => leaves(body),
        StmtKind::Try { body, otherwise, .. } => leaves(body) || leaves(otherwise),
        StmtKind::Match { arms, .. } => arms.iter().any(|a| leaves(&a.body)),
        // A `return` in an inner loop leaves the outer one too.
        StmtKind::For { body, .. } | StmtKind::While { body, .. } => returns(body),
        _ => false,
    }
}

pub(super) fn returns(block: &Block) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::Return(_) => true,
        StmtKind::If { then, otherwise, .. } => returns(then) || returns(otherwise),
        StmtKind::With { body, .. }
        | StmtKind::Block(body)
        | StmtKind::For { body, .. }
        | StmtKind::While { body, .. } => returns(body),
        StmtKind::Try { body, otherwise, .. } => returns(body) || returns(otherwise),
        _ => false,
    })
}

/// Every path of the block leaves the loop or raises.
fn always_leaves(block: &Block) -> bool {
    block.0.iter().any(|s| match &s.kind {
        StmtKind::Return(_) | StmtKind::Raise { .. } | StmtKind::Break { .. } => true,
        StmtKind::If { then, otherwise, .. } => {
            !otherwise.0.is_empty() && always_leaves(then) && always_leaves(otherwise)
        }
        StmtKind::With { body, .. } | StmtKind::Block(body) => always_leaves(body),
        _ => false,
    })
}

fn assigned(m: &Module, block: &Block) -> Vec<Symbol> {
    let mut names = Vec::new();
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Assign { targets, .. } => {
                names.extend(targets.iter().filter_map(|t| match &m.expr(*t).kind {
                    ExprKind::Name(name) => Some(*name),
                    _ => None,
                }));
            }
            StmtKind::If { then, otherwise, .. } => {
                names.extend(assigned(m, then));
                names.extend(assigned(m, otherwise));
            }
            StmtKind::With { body, .. } => names.extend(assigned(m, body)),
            _ => {}
        }
    }
    names
}

fn mentions_name(m: &Module, within: ExprId, name: Symbol) -> bool {
    let span = m.expr(within).span;
    m.exprs
        .iter()
        .any(|e| span.contains(e.span) && matches!(&e.kind, ExprKind::Name(n) if *n == name))
}

fn mentions_call(m: &Module, block: &Block, name: Symbol) -> bool {
    let (Some(first), Some(last)) = (block.0.first(), block.0.last()) else {
        return false;
    };
    calls_in(
        m,
        Span {
            start: first.span.start,
            end: last.span.end,
        },
        name,
    )
}

fn calls_in(m: &Module, span: Span, name: Symbol) -> bool {
    m.exprs.iter().any(|e| {
        span.contains(e.span)
            && match &e.kind {
                ExprKind::Call { callee, .. } => match &m.expr(*callee).kind {
                    ExprKind::Name(n) => *n == name,
                    ExprKind::Attr { base, name: n, .. } => {
                        *n == name
                            && matches!(&m.expr(*base).kind, ExprKind::Name(b) if matches!(b.as_str(), "self" | "cls"))
                    }
                    _ => false,
                },
                _ => false,
            }
    })
}
