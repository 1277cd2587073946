//! Loops: which of them are a worker's, which retry, what they break with.

use super::super::flight::{Flight, Place, SiteId, Stop};
use super::super::retry::RetryLoop;
use super::super::{Interp, LoopState};
use super::Around;
use super::branch::{Way, let_condition};
use crate::core::{Block, ExprId, ExprKind, Module, Pattern, Span, Stmt, StmtKind, Symbol};
use crate::resolve::value::{Obj, UnitId, Value};

/// Loops are evaluated this often: the second pass sees what the first one bound.
const PASSES: usize = 2;

/// Methods that read something to its end: a loop over them is no worker's.
const READERS: [&str; 11] = [
    "next_item",
    "next_line",
    "next_entry",
    "next_field",
    "next_segment",
    "read_line",
    "read_until",
    "chunk",
    "try_next",
    "join_next",
    "try_join_next",
];

/// What is known of a loop beforehand.
#[derive(Clone, Copy)]
struct Shape {
    /// Without a condition.
    endless: bool,
    /// The number of passes is limited.
    limited: bool,
    /// It never ends by itself.
    worker: bool,
    /// A success is remembered in a variable of its condition.
    flagged: bool,
}

impl Interp<'_> {
    /// How often something was asked for its next element that never ends.
    pub(in crate::flow) fn rust_endless_met(&self) -> usize {
        self.rust.endless_met
    }

    pub(in crate::flow) fn rust_decided(&self) -> usize {
        self.rust.decided
    }

    pub(super) fn rust_while(&mut self, m: &Module, stmt: &Stmt, test: Option<ExprId>, body: &Block) -> Value {
        let test = test.filter(|t| !matches!(m.expr(*t).kind, ExprKind::Bool(true)));
        let Some(test) = test else {
            let shape = Shape {
                endless: true,
                limited: false,
                worker: false,
                flagged: false,
            };
            return self.rust_loop(m, stmt, body, shape, &mut |this| this.rust_block(m, body));
        };
        if let Some((pattern, value, rest)) = let_condition(m, test) {
            let shape = Shape {
                endless: false,
                limited: false,
                worker: false,
                flagged: false,
            };
            return self.rust_loop(m, stmt, body, shape, &mut |this| {
                let (met, sites) = (this.rust.endless_met, this.out.sites.len());
                let (propagated, entered) = (this.rust.propagated, this.rust.entered);
                let subject = this.eval(m, value);
                let reads =
                    this.out.sites.len() > sites || this.rust.propagated > propagated || this.rust_carries(subject);
                // What is read to its end may ask for something endless on its way: `tasks.try_next()`.
                let endless = this.rust.endless_met > met;
                // A function of the program says itself what it waits for.
                let waits = endless || !reads && this.rust.entered == entered && this.rust_waits_for_more(m, value);
                let waits = waits && !reads_to_end(m, value) && !asks_for_next(m, value, body);
                if waits {
                    this.rust_is_worker(stmt, body);
                }
                let ways = [
                    Way::of_pattern(pattern).with_guards(rest.clone()),
                    Way::otherwise(m.expr(test).span),
                ];
                this.rust_branch(m, subject, Some(value), &ways, &mut |this, index| {
                    if index == 0 {
                        return this.rust_block(m, body);
                    }
                    this.rust_leave_loop(0, Some(Value::NONE));
                    Value::NOTHING
                })
            });
        }
        let flagged = names(m, test).iter().any(|n| assigned(m, body).contains(n));
        let shape = Shape {
            endless: false,
            limited: true,
            worker: false,
            flagged,
        };
        let span = m.expr(test).span;
        self.rust_loop(m, stmt, body, shape, &mut |this| {
            let value = this.eval(m, test);
            let tested = this.v.objs(value).iter().find_map(|&o| match this.v.get(o) {
                Obj::Tested(id, failed) => Some((*id, *failed)),
                _ => None,
            });
            if let Some((id, failed)) = tested {
                if let Some(around) = this.frame().loops.last_mut() {
                    around.rust.limited = false;
                }
                let flights = this.rust_flights(id).to_vec();
                let subject = this.rust_outcome(Value::UNKNOWN, flights);
                let ways = [Way::tested(failed, span), Way::tested(!failed, span)];
                return this.rust_branch(m, subject, Some(test), &ways, &mut |this, index| {
                    let facts = this.rust_facts(m, test, index == 0);
                    this.rust_learn(&facts);
                    if index == 0 {
                        return this.rust_block(m, body);
                    }
                    this.rust_leave_loop(0, Some(Value::NONE));
                    Value::NOTHING
                });
            }
            let exit = this.save();
            if let Some(around) = this.frame().loops.last_mut() {
                around.breaks.push(exit);
            }
            this.rust_block(m, body)
        })
    }

    pub(super) fn rust_for(&mut self, m: &Module, stmt: &Stmt, target: &Pattern, iter: ExprId, body: &Block) -> Value {
        let met = self.rust.endless_met;
        let iterable = self.eval(m, iter);
        let at = self.expr_ref(iter);
        let element = self.rust_iterate(iterable, at);
        let worker = self.rust.endless_met > met || open_range(m, iter);
        let shape = Shape {
            endless: false,
            limited: !worker,
            worker,
            flagged: false,
        };
        self.rust_loop(m, stmt, body, shape, &mut |this| {
            let exit = this.save();
            if let Some(around) = this.frame().loops.last_mut() {
                around.breaks.push(exit);
            }
            this.frame().rust.hidden.push(Vec::new());
            this.rust_bind(m, target, element);
            this.rust_bound_from(m, target, iter, element);
            let value = this.rust_block(m, body);
            let env = this.here().env;
            for (name, old) in this.frame().rust.hidden.pop().unwrap_or_default().into_iter().rev() {
                let vars = &mut this.envs[env.0 as usize].vars;
                match old {
                    Some(old) => vars.insert(name, old),
                    None => vars.remove(&name),
                };
            }
            value
        })
    }

    /// The value waits for what comes next: `rx.recv().await`, `stream.next().await`.
    fn rust_waits_for_more(&mut self, m: &Module, value: ExprId) -> bool {
        match &m.expr(value).kind {
            ExprKind::Await(inner) => match &m.expr(*inner).kind {
                ExprKind::Call { callee, .. } => match &m.expr(*callee).kind {
                    ExprKind::Attr { base, path: false, .. } => !self.rust_ends(m, *base),
                    _ => true,
                },
                _ => true,
            },
            ExprKind::Propagate(inner) | ExprKind::Same(inner) => self.rust_waits_for_more(m, *inner),
            // `rx.recv().await.ok()`, but not `queue.lock().await.pop()`
            ExprKind::Call { callee, .. } => match m.expr(*callee).kind {
                ExprKind::Attr {
                    base,
                    name,
                    path: false,
                    ..
                } => self.rust_common_method("result", name).is_some() && self.rust_waits_for_more(m, base),
                _ => false,
            },
            _ => false,
        }
    }

    /// A library says of something in the making of this that it has an end: `stream::iter(xs).buffered(8)`.
    fn rust_ends(&mut self, m: &Module, of: ExprId) -> bool {
        let mut of = of;
        for _ in 0..6 {
            match &m.expr(of).kind {
                ExprKind::Same(inner) | ExprKind::Await(inner) => of = *inner,
                ExprKind::Name(name) => match self.here().rust.made.get(name) {
                    Some(&made) if made != of => of = made,
                    _ => return false,
                },
                _ => break,
            }
        }
        let span = m.expr(of).span;
        let parts: Vec<ExprId> = (0..m.exprs.len() as u32)
            .map(ExprId)
            .filter(|id| span.contains(m.expr(*id).span))
            .collect();
        parts.into_iter().any(|id| {
            let (value, name) = match m.expr(id).kind {
                ExprKind::Attr { name, path: false, .. } => (None, name),
                ExprKind::Attr { base, name, .. } => (Some(self.rust_path(m, base, name)), name),
                ExprKind::Name(name) => (Some(self.rust_item_named(name)), name),
                _ => return false,
            };
            match value {
                None => self.k.ends(Symbol::new(&format!(".{name}"))),
                Some(value) => {
                    let value = self.rust_resolved(value);
                    let external = self.v.objs(value).iter().find_map(|&o| match self.v.get(o) {
                        Obj::External(path) => Some(*path),
                        _ => None,
                    });
                    external.is_some_and(|path| self.k.ends(self.k.canonical(path.as_str())))
                }
            }
        })
    }

    /// Evaluates a loop and gives what it breaks with. `pass` runs its head and body once.
    fn rust_loop(
        &mut self,
        m: &Module,
        stmt: &Stmt,
        body: &Block,
        shape: Shape,
        pass: &mut dyn FnMut(&mut Self) -> Value,
    ) -> Value {
        let place = self.place(header(stmt, body));
        let level = self.here().rust.hidden.len();
        let log = self.log_mark();
        let storage = self.rust_storage_mark();
        let endless_met = self.rust.endless_met;
        let worker = shape.worker.then_some(place);
        let (before_flights, before_ret) = (self.here().flights.len(), self.here().ret);
        let around = Around {
            worker,
            endless: shape.endless || shape.worker,
            limited: shape.limited,
            level,
            ..Around::default()
        };
        self.frame().loops.push(LoopState {
            log: Some(log),
            rust: around,
            ..LoopState::default()
        });
        for _ in 0..PASSES {
            let before = self.save();
            pass(self);
            let ends = self.here().dead;
            self.rust_retries(m, stmt, body, shape, ends, storage);
            let continues = match self.frame().loops.last_mut() {
                Some(around) => std::mem::take(&mut around.continues),
                None => Vec::new(),
            };
            for state in continues {
                self.merge(state);
            }
            // A loop that waits for something to do is a worker's, even if it can be told to stop.
            let (exits, gives, waits) = self.here().loops.last().map_or((false, false, false), |l| {
                (l.rust.returned || !l.breaks.is_empty(), l.rust.gives, l.rust.waits)
            });
            if shape.endless && (!exits || waits && !gives && !leaves_with_result(m, body)) {
                self.rust_is_worker(stmt, body);
            }
            self.merge(before);
        }
        let Some(state) = self.frame().loops.pop() else {
            return Value::NONE;
        };
        // Whoever calls a worker does not wait for what the worker's loop waits for.
        self.rust.endless_met = endless_met;
        if state.rust.worker.is_some() {
            self.rust_worker_ended(place, storage);
            self.rust_ended_worker(place, before_flights, before_ret);
        }
        // It is left with the states of its `break`s; a condition that fails is one.
        self.frame().dead = true;
        for left in state.breaks {
            self.merge(left);
        }
        if self.here().dead {
            Value::NOTHING
        } else {
            state.rust.value.unwrap_or(Value::NONE)
        }
    }

    /// What left the loop before it was known to be a worker's ended it all the same.
    fn rust_ended_worker(&mut self, place: Place, from: usize, before: Value) {
        let mark = |flight: &mut Flight| {
            if flight.making.is_none() {
                flight.marks.worker.get_or_insert(place);
                flight.ends_loop = true;
            }
        };
        let from = from.min(self.here().flights.len());
        let mut left = self.frame().flights.split_off(from);
        left.iter_mut().for_each(mark);
        for flight in left {
            if !self.here().flights.contains(&flight) {
                self.frame().flights.push(flight);
            }
        }
        let known: Vec<Flight> = self.rust_carried(before);
        let ret = self.here().ret;
        let ret = self.rust_map_flights(ret, &mut |_, mut flights| {
            flights.iter_mut().filter(|f| !known.contains(f)).for_each(mark);
            flights
        });
        self.frame().ret = ret;
    }

    /// The innermost loop is a worker's.
    fn rust_is_worker(&mut self, stmt: &Stmt, body: &Block) {
        let place = self.place(header(stmt, body));
        if let Some(around) = self.frame().loops.last_mut() {
            around.rust.worker.get_or_insert(place);
        }
    }

    /// Looks at what was handled in this pass: an error arm that goes on where success leaves is a retry.
    fn rust_retries(&mut self, m: &Module, stmt: &Stmt, body: &Block, shape: Shape, ends: bool, storage: usize) {
        let Some(around) = self.frame().loops.last_mut() else {
            return;
        };
        let limited = around.rust.limited;
        let log = around.log;
        let handled = std::mem::take(&mut around.rust.handled);
        for entry in handled {
            let leaves = entry.success_leaves || shape.flagged || entry.skips_rest && ends;
            if leaves && limited {
                self.rust_tried(&entry.flights, stmt.span.end, &entry.stop);
            }
            if !leaves || around_is_worker_only(&entry.flights) {
                continue;
            }
            let place = self.place(header(stmt, body));
            let waited = entry.waited || log.is_some_and(|log| self.waited_since(log));
            let silent = limited && !entry.gives_up && self.rust_falls_off(m, stmt);
            let found = RetryLoop {
                recursive: false,
                span: place.span,
                region: stmt.span,
                limited: limited || entry.gives_up || spends(m, body),
                silent,
            };
            self.note_retry(place, &found, &entry.flights, entry.mark, waited);
            let stop = Stop {
                retry: Some(place),
                ..entry.stop
            };
            self.rust_stop(&entry.flights, &stop, true);
            let sites: Vec<SiteId> = entry
                .flights
                .iter()
                .filter(|f| f.making.is_none())
                .map(|f| f.site)
                .collect();
            if let Some(around) = self.frame().loops.last_mut() {
                // It is left as soon as an attempt succeeds.
                around.rust.gives = true;
            }
            self.rust_repeated(storage, &sites);
            self.rust_strip_frame(&sites);
            self.frame().retried.extend(sites);
        }
    }

    /// Notes what a bounded retry repeats: the same call after it is its last attempt.
    fn rust_tried(&mut self, flights: &[Flight], end: u32, stop: &Stop) {
        for flight in flights.iter().filter(|f| f.making.is_none()) {
            let call = self.out.sites.get(flight.site).call.clone();
            self.frame().rust.tried.push((call, end, stop.clone()));
        }
    }

    /// The errors of a function without those of the last attempts of bounded retries in it.
    pub(super) fn rust_without_last_attempts(
        &mut self,
        unit: UnitId,
        tried: &[(String, u32, Stop)],
        flights: Vec<Flight>,
    ) -> Vec<Flight> {
        let mut left = Vec::new();
        for flight in flights {
            // The making of a lazy object has no call site.
            if flight.making.is_some() {
                left.push(flight);
                continue;
            }
            let site = self.out.sites.get(flight.site);
            let last = tried
                .iter()
                .find(|(call, end, _)| site.place.unit == unit && site.place.span.start >= *end && site.call == *call);
            match last {
                Some((.., stop)) => self.rust_stop(&[flight], &stop.clone(), true),
                None => left.push(flight),
            }
        }
        left
    }

    /// After the loop the function gives nothing.
    fn rust_falls_off(&mut self, m: &Module, stmt: &Stmt) -> bool {
        let Some(func) = self.here().func else { return false };
        let body = &m.func(func.func).body.0;
        let Some(index) = body.iter().position(|s| s.span == stmt.span) else {
            return false;
        };
        match &body[index + 1..] {
            [last] => match &last.kind {
                StmtKind::Value(value) | StmtKind::Return(Some(value)) => is_nothing(m, *value, 0),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Checkouts alone: waiting for a pool is no retry of an operation.
fn around_is_worker_only(flights: &[super::super::flight::Flight]) -> bool {
    flights.iter().all(|f| f.marks.opening || f.making.is_some())
}

/// The first line of a loop.
fn header(stmt: &Stmt, body: &Block) -> Span {
    let end = body.0.first().map_or(stmt.span.end, |s| s.span.start);
    Span {
        start: stmt.span.start,
        end: end.max(stmt.span.start),
    }
}

/// The value is asked for by a method that reads something to its end.
fn reads_to_end(m: &Module, value: ExprId) -> bool {
    match &m.expr(value).kind {
        ExprKind::Await(inner) | ExprKind::Propagate(inner) | ExprKind::Same(inner) => reads_to_end(m, *inner),
        ExprKind::Call { callee, .. } => {
            matches!(&m.expr(*callee).kind, ExprKind::Attr { name, .. } if READERS.contains(&name.as_str()))
        }
        _ => false,
    }
}

/// `pages.fetch(n).await` in a loop that counts `n`: it asks for one after the other.
fn asks_for_next(m: &Module, value: ExprId, body: &Block) -> bool {
    let mut value = value;
    loop {
        match &m.expr(value).kind {
            ExprKind::Await(inner) | ExprKind::Propagate(inner) | ExprKind::Same(inner) => value = *inner,
            ExprKind::Call { args, .. } => {
                let mut changed = assigned(m, body);
                counted(m, body, &mut changed);
                return args
                    .iter()
                    .any(|arg| names(m, arg.value).iter().any(|n| changed.contains(n)));
            }
            _ => return false,
        }
    }
}

/// `0..`
fn open_range(m: &Module, iter: ExprId) -> bool {
    matches!(&m.expr(iter).kind, ExprKind::Slice(ends) if ends.len() < 2)
}

/// The names in an expression.
fn names(m: &Module, within: ExprId) -> Vec<Symbol> {
    let span = m.expr(within).span;
    m.exprs
        .iter()
        .filter(|e| span.contains(e.span))
        .filter_map(|e| match e.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// The names that are counted up or down in a block, or set in the blocks in it.
fn counted(m: &Module, block: &Block, found: &mut Vec<Symbol>) {
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::AugAssign { target, .. } => found.extend(name_of(m, *target)),
            StmtKind::If { then, otherwise, .. } => {
                counted(m, then, found);
                counted(m, otherwise, found);
            }
            StmtKind::Block(body) => counted(m, body, found),
            _ => {}
        }
    }
}

/// The names that are assigned to in a block.
fn assigned(m: &Module, block: &Block) -> Vec<Symbol> {
    let mut found = Vec::new();
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Assign { targets, .. } => {
                found.extend(targets.iter().filter_map(|t| match m.expr(*t).kind {
                    ExprKind::Name(name) => Some(name),
                    _ => None,
                }));
            }
            StmtKind::If { then, otherwise, .. } => {
                found.extend(assigned(m, then));
                found.extend(assigned(m, otherwise));
            }
            StmtKind::Match { arms, .. } => arms.iter().for_each(|a| found.extend(assigned(m, &a.body))),
            StmtKind::Block(body) => found.extend(assigned(m, body)),
            StmtKind::Value(expr) | StmtKind::Expr(expr) => {
                if let ExprKind::Assign { target, .. } = m.expr(*expr).kind
                    && let ExprKind::Name(name) = m.expr(target).kind
                {
                    found.push(name);
                }
            }
            _ => {}
        }
    }
    found
}

/// `if may_retry && .. { may_retry = false; continue; } else { return .. }`: an attempt uses up what the next one needs.
fn spends(m: &Module, block: &Block) -> bool {
    let constants = |block: &Block| -> Vec<Symbol> {
        let mut found = Vec::new();
        for stmt in &block.0 {
            match &stmt.kind {
                StmtKind::Assign {
                    targets,
                    value: Some(value),
                    ..
                } if matches!(m.expr(*value).kind, ExprKind::Bool(_)) => {
                    found.extend(targets.iter().filter_map(|t| name_of(m, *t)));
                }
                StmtKind::AugAssign { target, .. } => found.extend(name_of(m, *target)),
                StmtKind::Value(expr) | StmtKind::Expr(expr) => {
                    if let ExprKind::Assign { target, value } = m.expr(*expr).kind
                        && matches!(m.expr(value).kind, ExprKind::Bool(_))
                    {
                        found.extend(name_of(m, target));
                    }
                }
                _ => {}
            }
        }
        found
    };
    for (index, stmt) in block.0.iter().enumerate() {
        let stmt = match &stmt.kind {
            StmtKind::Value(expr) | StmtKind::Expr(expr) => match &m.expr(*expr).kind {
                ExprKind::Control(inner) => inner,
                _ => stmt,
            },
            _ => stmt,
        };
        let found = match &stmt.kind {
            StmtKind::If { test, then, otherwise } => {
                let asked = names(m, *test);
                let spent = constants(then).iter().any(|n| asked.contains(n));
                let leaves = |block: &[Stmt]| block.iter().any(|s| leaves(m, s));
                spent && (leaves(&otherwise.0) || leaves(&block.0[index + 1..]))
                    || spends(m, then)
                    || spends(m, otherwise)
            }
            StmtKind::Match { arms, .. } => {
                let limited = arms.iter().enumerate().any(|(i, arm)| {
                    let asked = arm.guard.map(|g| names(m, g)).unwrap_or_default();
                    constants(&arm.body).iter().any(|n| asked.contains(n))
                        && arms[i + 1..].iter().any(|a| a.body.0.iter().any(|s| leaves(m, s)))
                });
                limited || arms.iter().any(|a| spends(m, &a.body))
            }
            StmtKind::Block(body) => spends(m, body),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// The statement itself leaves the loop or the function.
fn leaves(m: &Module, stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Return(_) | StmtKind::Break { .. } => true,
        StmtKind::Value(expr) | StmtKind::Expr(expr) => match &m.expr(*expr).kind {
            ExprKind::Control(inner) => leaves(m, inner),
            _ => false,
        },
        _ => false,
    }
}

fn name_of(m: &Module, target: ExprId) -> Option<Symbol> {
    match m.expr(target).kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Same(inner) => name_of(m, inner),
        _ => None,
    }
}

/// Somewhere in the block a variable is set, and then the loop is left: what it waited for is there.
fn leaves_with_result(m: &Module, block: &Block) -> bool {
    let mut set = false;
    for stmt in &block.0 {
        // `if` at the end of a block stands as an expression.
        let stmt = match &stmt.kind {
            StmtKind::Value(expr) | StmtKind::Expr(expr) => match &m.expr(*expr).kind {
                ExprKind::Control(inner) => inner,
                _ => stmt,
            },
            _ => stmt,
        };
        match &stmt.kind {
            StmtKind::Assign { .. } => set |= !assigned_here(m, stmt).is_empty(),
            StmtKind::Break { .. } if set => return true,
            StmtKind::If { then, otherwise, .. } if leaves_with_result(m, then) || leaves_with_result(m, otherwise) => {
                return true;
            }
            StmtKind::Match { arms, .. } if arms.iter().any(|a| leaves_with_result(m, &a.body)) => return true,
            StmtKind::Block(body) if leaves_with_result(m, body) => return true,
            StmtKind::Value(_) | StmtKind::Expr(_) => set |= !assigned_here(m, stmt).is_empty(),
            _ => {}
        }
    }
    false
}

/// The names that a statement itself assigns something to, other than a constant.
fn assigned_here(m: &Module, stmt: &Stmt) -> Vec<Symbol> {
    let (targets, value): (Vec<ExprId>, Option<ExprId>) = match &stmt.kind {
        StmtKind::Assign {
            targets,
            value,
            annotation: None,
        } => (targets.clone(), *value),
        StmtKind::Value(expr) | StmtKind::Expr(expr) => match m.expr(*expr).kind {
            ExprKind::Assign { target, value } => (vec![target], Some(value)),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    if value.is_none_or(|v| matches!(m.expr(v).kind, ExprKind::Bool(_) | ExprKind::Literal | ExprKind::Int(_))) {
        return Vec::new();
    }
    let names = targets.iter().filter_map(|t| match m.expr(*t).kind {
        ExprKind::Name(name) => Some(name),
        _ => None,
    });
    names.collect()
}

/// A loop that is left with this was after it: neither nothing nor an error.
pub(super) fn is_result(m: &Module, value: ExprId) -> bool {
    let error = match &m.expr(value).kind {
        ExprKind::Call { callee, .. } => {
            let name = super::branch::last_name(m, *callee);
            name == "Err" || name.ends_with('!')
        }
        _ => false,
    };
    !error && !is_nothing(m, value, 0)
}

/// `None`, `Ok(None)`, `Ok(vec![])`, `Ok(())`.
fn is_nothing(m: &Module, value: ExprId, depth: usize) -> bool {
    match &m.expr(value).kind {
        ExprKind::None => true,
        ExprKind::List(items) | ExprKind::Tuple(items) => items.is_empty(),
        ExprKind::Name(name) => name.as_str() == "None",
        ExprKind::Call { callee, args } => match (&m.expr(*callee).kind, &args[..]) {
            (ExprKind::Name(name), [one]) if matches!(name.as_str(), "Ok" | "Some") && depth < 3 => {
                is_nothing(m, one.value, depth + 1)
            }
            (ExprKind::Attr { name, path: true, .. }, []) => matches!(name.as_str(), "new" | "default"),
            _ => false,
        },
        ExprKind::Same(inner) => is_nothing(m, *inner, depth),
        _ => false,
    }
}
