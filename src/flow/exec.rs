//! Statements: what they bind, where control goes, which errors they let through.

use std::sync::Arc;

use super::flight::Untaken;
use super::{Caught, Frame, HandlerState, Interp, LoopState, Raise, State};
use crate::core::{
    Arm, Block, ClassId, ExprId, ExprKind, FuncId, Import, Language, Module, Pattern, PatternKind, Span, Stmt,
    StmtKind, Symbol,
};
use crate::knowledge::{Consumes, LibId};
use crate::resolve::value::{ClassRef, EnvId, FuncRef, Obj, ObjId, Value};

/// Loops are evaluated this often: the second pass sees what the first one bound.
const LOOP_PASSES: usize = 2;

/// Loops over so many names are evaluated for each of them.
const MAX_TOLD_APART: usize = 16;
/// And the methods of an object, which are told apart up to this number.
const MAX_MEMBERS: usize = 160;
/// Wrappers around one function that are remembered.
const MAX_WRAPPERS: usize = 4;

impl Interp<'_> {
    pub(super) fn exec_block(&mut self, m: &Module, block: &Block) {
        for stmt in &block.0 {
            if self.here().dead {
                // Definitions after a `return` or in a branch not taken are still seen by nobody.
                break;
            }
            self.exec(m, stmt);
        }
    }

    fn exec(&mut self, m: &Module, stmt: &Stmt) {
        if m.language == Language::Rust {
            self.rust_stmt(m, stmt);
            return;
        }
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                self.eval(m, *expr);
            }
            StmtKind::Value(expr) => {
                let value = self.eval(m, *expr);
                self.frame().ret = value;
            }
            StmtKind::Assign {
                targets,
                value,
                annotation,
            } => {
                let mut result = value.map_or(Value::NOTHING, |v| self.eval(m, v));
                if let Some(annotation) = annotation
                    && (result == Value::NOTHING || self.v.is_unknown(result))
                {
                    let declared = self.annotation(m, *annotation);
                    result = self.v.join(result, declared);
                }
                if value.is_some() || result != Value::NOTHING {
                    if let Some(value) = value {
                        self.note_setting(m, targets, *value, result);
                    }
                    if let Some(value) = value
                        && targets
                            .iter()
                            .any(|t| matches!(m.expr(*t).kind, ExprKind::Tuple(_) | ExprKind::List(_)))
                    {
                        result = self.unpacked(*value, result);
                    }
                    for target in targets {
                        self.assign(m, *target, result);
                    }
                    if let Some(value) = value {
                        self.note_parts(m, targets, *value);
                    }
                }
            }
            StmtKind::AugAssign { target, value } => {
                let old = self.eval(m, *target);
                let added = self.eval(m, *value);
                let text = self.concat(old, added);
                let result = if text == Value::UNKNOWN {
                    self.v.join(old, added)
                } else {
                    text
                };
                self.assign(m, *target, result);
            }
            StmtKind::Let {
                pattern,
                annotation,
                value,
                otherwise,
            } => {
                let mut result = value.map_or(Value::NOTHING, |v| self.eval(m, v));
                if let Some(annotation) = annotation
                    && (result == Value::NOTHING || self.v.is_unknown(result))
                {
                    result = self.annotation(m, *annotation);
                }
                if let Some(block) = otherwise {
                    let before = self.save();
                    self.exec_block(m, block);
                    self.restore(before);
                }
                self.bind_pattern(m, pattern, result);
            }
            StmtKind::If { test, then, otherwise } => self.exec_if(m, *test, then, otherwise),
            StmtKind::While { test, body, otherwise } => self.exec_while(m, stmt.span, *test, body, otherwise),
            StmtKind::For {
                target,
                iter,
                body,
                otherwise,
                ..
            } => {
                let iterable = self.eval(m, *iter);
                let at = self.expr_ref(*iter);
                let endless = self.is_endless(iterable);
                let mark = self.log_mark();
                let outer = endless.then(|| std::mem::take(&mut self.frame().flights));
                let element = self.iterate(iterable, at, Consumes::All);
                if let Some(items) = self.told_apart(iterable) {
                    let head = |this: &mut Self, pass: usize| this.bind_pattern(m, target, items[pass]);
                    self.exec_loop(m, body, items.len(), head, false, otherwise);
                } else {
                    let head = |this: &mut Self, _| this.bind_pattern(m, target, element);
                    self.exec_loop(m, body, LOOP_PASSES, head, false, otherwise);
                }
                if let Some(outer) = outer {
                    let place = self.place(header(body, stmt.span));
                    let raised = std::mem::replace(&mut self.frame().flights, outer);
                    self.end_pass(mark, place, None);
                    for mut flight in raised {
                        flight.ends_loop = true;
                        self.emit(flight);
                    }
                }
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                self.exec_try(m, stmt, body, handlers, otherwise, finally);
            }
            StmtKind::With { items, body, .. } => self.exec_with(m, items, body),
            StmtKind::Match { subject, arms } => {
                let value = self.eval(m, *subject);
                let exception = self.is_exception(m, *subject);
                self.exec_match(m, value, exception, arms);
            }
            StmtKind::Block(block) | StmtKind::Labelled(block) => self.exec_block(m, block),
            StmtKind::Return(value) => {
                let value = value.map_or(Value::NONE, |v| self.eval(m, v));
                if self.here().dead {
                    // What was called for the value raises, always.
                    return;
                }
                let joined = self.v.join(self.here().ret, value);
                let frame = self.frame();
                frame.ret = joined;
                for handler in &mut frame.handlers {
                    handler.completes = true;
                }
                frame.dead = true;
            }
            StmtKind::Raise { exc, cause } => {
                if let Some(cause) = cause {
                    self.eval(m, *cause);
                }
                self.exec_raise(m, *exc);
            }
            StmtKind::Break { depth, value } => {
                if let Some(value) = value {
                    self.eval(m, *value);
                }
                self.leave_loop(*depth, true);
            }
            StmtKind::Continue { depth } => self.leave_loop(*depth, false),
            StmtKind::Func(id) => self.define_func(m, *id),
            StmtKind::Class(id) => self.define_class(m, *id),
            StmtKind::Import(imports) => {
                for import in imports {
                    self.import(import);
                }
            }
            StmtKind::Global(names) => self.declare_global(names),
            StmtKind::Nonlocal(names) => self.declare_nonlocal(names),
            StmtKind::Delete(targets) | StmtKind::Assert(targets) | StmtKind::Unknown(targets) => {
                for target in targets {
                    self.eval(m, *target);
                }
            }
        }
    }

    /// The elements of a short display of names, or of pairs that begin with one: a loop over them does something else for each
    /// (`setattr(cls, name, ...)`).
    fn told_apart(&mut self, iterable: Value) -> Option<Vec<Value>> {
        // Not within each other: the passes would multiply.
        if self.here().loops.iter().any(|l| l.told_apart) {
            return None;
        }
        let items = match self.v.only(iterable)?.clone() {
            Obj::Tuple(items) => items,
            Obj::List(_) => {
                let list = self.v.objs(iterable)[0];
                if self
                    .heap_get((list, Symbol::new("*")))
                    .is_some_and(|v| v != Value::NOTHING)
                {
                    return None;
                }
                (0..self.keys(list).len())
                    .map(|index| self.heap_get((list, Symbol::new(&format!("[{index}]")))))
                    .collect::<Option<Vec<_>>>()?
            }
            _ => return None,
        };
        let named = |this: &Self, item: Value| match this.v.only(item) {
            Some(Obj::Str(text, _)) => text.is_some(),
            Some(Obj::Tuple(parts)) => parts.first().is_some_and(|p| this.v.text(*p).is_some()),
            _ => false,
        };
        let member = |this: &Self, item: Value| match this.v.only(item) {
            Some(Obj::Tuple(parts)) => parts.get(1).is_some_and(|p| this.is_callable(*p)),
            // A name that stands nowhere: `dir` gave it.
            Some(Obj::Str(Some(_), None)) => true,
            _ => false,
        };
        let few = items.len() <= MAX_TOLD_APART || items.len() <= MAX_MEMBERS && items.iter().all(|i| member(self, *i));
        (items.len() >= 2 && few && items.iter().all(|i| named(self, *i))).then_some(items)
    }

    /// Taking apart what is still to be fetched fetches it.
    fn unpacked(&mut self, from: ExprId, value: Value) -> Value {
        let at = self.expr_ref(from);
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.v.single(obj);
            let one = match self.v.get(obj) {
                Obj::Handle(_) | Obj::Generator(..) | Obj::Comprehension(..) => {
                    let element = self.iterate(one, at, Consumes::All);
                    self.v.one(Obj::Tuple(vec![element]))
                }
                _ => one,
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// An iteration that a listener waits in for ever.
    fn is_endless(&self, iterable: Value) -> bool {
        self.v
            .objs(iterable)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Handle(h) if self.k.ty(h.ty).spec.endless))
    }

    fn exec_if(&mut self, m: &Module, test: ExprId, then: &Block, otherwise: &Block) {
        let before_test = self.log_mark();
        let mut other_kinds = false;
        self.foreseen = None;
        let truth = self.decide(m, test, &mut other_kinds);
        let before_branches = self.log_mark();
        if let Some(taken) = truth {
            let (block, skipped) = if taken { (then, otherwise) } else { (otherwise, then) };
            self.narrow(m, test, taken);
            self.exec_block(m, block);
            // A handler that goes on for other errors than the one at hand, and raises this one.
            if other_kinds && (leaves(skipped) || self.here().dead && !raises(skipped)) {
                for handler in &mut self.frame().handlers {
                    handler.misses = true;
                }
            }
        } else {
            let mut asked = Vec::new();
            self.asked_attributes(m, test, &mut asked);
            if let Some(taken) = self.foreseen_here(m, test) {
                let (block, skipped) = if taken { (then, otherwise) } else { (otherwise, then) };
                self.exec_untaken(m, test, !taken, skipped);
                self.narrow(m, test, taken);
                self.exec_block(m, block);
                self.note_branch(before_test, before_branches, &asked);
                return;
            }
            let before = self.save();
            self.narrow(m, test, true);
            self.exec_block(m, then);
            let after = self.take_state(before);
            self.narrow(m, test, false);
            self.exec_block(m, otherwise);
            self.merge(after);
            self.note_branch(before_test, before_branches, &asked);
        }
    }

    /// A branch that no context takes: its errors may get away all the same, for a caller as the author foresaw, but what
    /// it binds and returns reaches none of the callers that there are.
    fn exec_untaken(&mut self, m: &Module, test: ExprId, truth: bool, block: &Block) {
        let before = self.save();
        let ret = self.here().ret;
        let known = self.here().flights.len();
        self.narrow(m, test, truth);
        self.exec_block(m, block);
        self.restore(before);
        let func = self.here().func;
        let frame = self.frame();
        frame.ret = ret;
        for flight in frame.flights.iter_mut().skip(known) {
            flight.marks.untaken = flight.marks.untaken.or(func.map(|func| Untaken {
                func,
                path: flight.path,
                notes: flight.notes.len() as u32,
            }));
        }
    }

    /// The branch of a simple condition that all contexts so far take, this one too.
    fn foreseen_here(&mut self, m: &Module, test: ExprId) -> Option<bool> {
        let truth = self.foreseen.take()?;
        let mut test = test;
        let mut truth = truth;
        while let ExprKind::Not(inner) = m.expr(test).kind {
            test = inner;
            truth = !truth;
        }
        let simple = !matches!(m.expr(test).kind, ExprKind::And(_) | ExprKind::Or(_));
        simple.then_some(truth)
    }

    /// The attributes that a condition asks for: `not self.connected`.
    fn asked_attributes(&mut self, m: &Module, test: ExprId, found: &mut Vec<(ObjId, Symbol)>) {
        match &m.expr(test).kind {
            ExprKind::Not(inner) => self.asked_attributes(m, *inner, found),
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                for part in parts {
                    self.asked_attributes(m, *part, found);
                }
            }
            ExprKind::Attr { base, name, .. } if matches!(m.expr(*base).kind, ExprKind::Name(_)) => {
                let base = self.eval(m, *base);
                for obj in self.v.list(base) {
                    if matches!(self.v.get(obj), Obj::Instance(..) | Obj::Class(_)) {
                        found.push((obj, *name));
                    }
                }
            }
            _ => {}
        }
    }

    /// Removes `None` from a name that a condition speaks of.
    fn narrow(&mut self, m: &Module, test: ExprId, truth: bool) {
        match &m.expr(test).kind {
            ExprKind::Not(inner) => self.narrow(m, *inner, !truth),
            ExprKind::And(parts) if truth => parts.iter().for_each(|p| self.narrow(m, *p, true)),
            ExprKind::Or(parts) if !truth => parts.iter().for_each(|p| self.narrow(m, *p, false)),
            ExprKind::Name(name) if truth => self.drop_none(*name),
            ExprKind::Call { args, .. } if args.len() == 2 && is_call_of(m, test, &["isinstance"]) => {
                if let ExprKind::Name(name) = m.expr(args[0].value).kind {
                    self.keep_instances(m, name, args[1].value, truth);
                }
            }
            ExprKind::Op { op, operands } if operands.len() == 2 => {
                let not_none = match op.as_str() {
                    "is" | "==" => !truth,
                    "is not" | "!=" => truth,
                    _ => return,
                };
                if let (true, ExprKind::Name(name), ExprKind::None) =
                    (not_none, &m.expr(operands[0]).kind, &m.expr(operands[1]).kind)
                {
                    self.drop_none(*name);
                }
            }
            _ => {}
        }
    }

    /// Of what a name may be, only what `isinstance` lets pass, or only what it does not.
    fn keep_instances(&mut self, m: &Module, name: Symbol, classes: ExprId, truth: bool) {
        let env = self.here().env;
        let Some(&value) = self.envs[env.0 as usize].vars.get(&name) else {
            return;
        };
        let objs = self.v.list(value);
        if objs.len() < 2 {
            return;
        }
        let classes = self.eval(m, classes);
        let mut kept = Vec::new();
        for obj in objs {
            let one = self.v.single(obj);
            let passes = match self.v.get(obj) {
                Obj::None => Some(false),
                _ => self.is_instance(one, classes),
            };
            if passes.is_none_or(|p| p == truth) {
                kept.push(obj);
            }
        }
        if !kept.is_empty() {
            let kept = self.v.set(kept);
            self.envs[env.0 as usize].vars.insert(name, kept);
        }
    }

    fn drop_none(&mut self, name: Symbol) {
        let env = self.here().env;
        let Some(&value) = self.envs[env.0 as usize].vars.get(&name) else {
            return;
        };
        let objs = self.v.list(value);
        if objs.len() > 1 {
            let kept = objs
                .into_iter()
                .filter(|&o| !matches!(self.v.get(o), Obj::None))
                .collect();
            let kept = self.v.set(kept);
            self.envs[env.0 as usize].vars.insert(name, kept);
        }
    }

    /// Which branch this context takes, where that can be told. A branch that no context takes is followed in all of them,
    /// from the second round on: `def drop(name, keep=True)` may yet be called as its author foresaw.
    pub(super) fn decided(&mut self, m: &Module, test: ExprId, value: Value) -> Option<bool> {
        if !self.decides(m, test) {
            return None;
        }
        let truth = self.v.truth(value)?;
        if !asks_parameter(m, test) {
            return Some(truth);
        }
        let at = self.expr_ref(test);
        let seen = self.branches.entry(at).or_default();
        *seen |= 1 << u8::from(truth);
        if self.first_round || *seen == 0b11 {
            return Some(truth);
        }
        self.foreseen = Some(truth);
        None
    }

    /// Evaluates a condition, and tells its value if that is known and says something about this context (see `decides`).
    /// Notes if a test of the caught exception says that it is of another kind.
    fn decide(&mut self, m: &Module, test: ExprId, other_kinds: &mut bool) -> Option<bool> {
        match &m.expr(test).kind {
            ExprKind::Not(inner) => self.decide(m, *inner, other_kinds).map(|t| !t),
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                // What decides alone: a false one of `and`, a true one of `or`.
                let alone = matches!(m.expr(test).kind, ExprKind::Or(_));
                let mut all = Some(!alone);
                for part in parts {
                    match self.decide(m, *part, other_kinds) {
                        Some(truth) if truth == alone => all = Some(alone),
                        None if all != Some(alone) => all = None,
                        _ => {}
                    }
                }
                all
            }
            _ => {
                let value = self.eval(m, test);
                if let Some(truth) = self.asks_code(m, test) {
                    *other_kinds = true;
                    return Some(truth);
                }
                let truth = self.decided(m, test, value);
                *other_kinds |= truth == Some(false) && self.asks_exception(m, test);
                truth
            }
        }
    }

    /// A call that is given the exception of a handler around it.
    fn asks_exception(&self, m: &Module, test: ExprId) -> bool {
        let ExprKind::Call { args, .. } = &m.expr(test).kind else {
            return false;
        };
        args.iter().any(|arg| self.is_exception(m, arg.value))
    }

    /// True for conditions whose constant value says something about this context, not about the configuration of the
    /// program: tests of an exception's class, comparisons with `None`, parameters.
    fn decides(&self, m: &Module, test: ExprId) -> bool {
        match &m.expr(test).kind {
            ExprKind::Op { op, operands } => match op.as_str() {
                "is" | "is not" => true,
                // `type(cursor) == Cursor`
                "==" | "!=" => operands.iter().any(|&o| is_call_of(m, o, &["type"])),
                // `name not in RETRIED`
                "in" | "not in" => operands.first().is_some_and(|&o| self.is_param(m, o)),
                _ => false,
            },
            ExprKind::Call { .. } => is_call_of(m, test, &TESTS) || self.asks_exception(m, test),
            ExprKind::Name(_) => self.is_param(m, test),
            _ => false,
        }
    }

    /// A parameter of the function at hand.
    fn is_param(&self, m: &Module, expr: ExprId) -> bool {
        matches!(m.expr(expr).kind, ExprKind::Name(name)
            if self.here().func.is_some_and(|f| m.func(f.func).params.iter().any(|p| p.name == name)))
    }

    /// Ends one branch: gives its state and goes back to the one before.
    pub(super) fn take_state(&mut self, before: State) -> State {
        let after = self.save();
        self.restore(before);
        after
    }

    fn exec_while(&mut self, m: &Module, span: Span, test: Option<ExprId>, body: &Block, otherwise: &Block) {
        let endless = test.is_none_or(|t| matches!(m.expr(t).kind, ExprKind::Bool(true) | ExprKind::Int(1)));
        let head = |this: &mut Self, _| {
            if let Some(test) = test {
                this.eval(m, test);
                this.narrow(m, test, true);
            }
        };
        let place = self.place(header(body, span));
        let mark = self.log_mark();
        let outer = std::mem::take(&mut self.frame().flights);
        let caught = self.exec_loop(m, body, LOOP_PASSES, head, endless, otherwise);
        let mut raised = std::mem::replace(&mut self.frame().flights, outer);
        if super::retry::ends_from_outside(m, test, body) {
            // What it finds may end it too: then it is a worker's only if it waits for more, or goes on after a loss.
            let every = !super::retry::ends_by_data(m, body) || self.blocked_since(mark);
            let survived = if every {
                Vec::new()
            } else {
                self.survived(mark, &raised, &caught)
            };
            if every || !survived.is_empty() {
                self.end_pass(mark, place, (!every).then_some(&survived[..]));
                // An error that leaves an endless loop ends the worker.
                for flight in &mut raised {
                    let of_survived = || survived.contains(&self.out.sites.get(flight.site).lib);
                    flight.ends_loop |= every || flight.making.is_none() && of_survived();
                }
            }
        }
        for flight in raised {
            self.emit(flight);
        }
    }

    /// Evaluates a loop: `head` before each pass binds the target or tests the condition. Gives what handlers in it caught.
    fn exec_loop(
        &mut self,
        m: &Module,
        body: &Block,
        passes: usize,
        head: impl Fn(&mut Self, usize),
        endless: bool,
        otherwise: &Block,
    ) -> Caught {
        let log = Some(self.log_mark());
        self.frame().loops.push(LoopState {
            log,
            told_apart: passes > LOOP_PASSES,
            ..LoopState::default()
        });
        let mut exit = None;
        for pass in 0..passes {
            let before = self.save();
            head(self, pass);
            if exit.is_none() && !endless {
                exit = Some(before.clone());
            }
            self.exec_block(m, body);
            let retries = std::mem::take(&mut self.frame().loops.last_mut().expect("pushed above").retries);
            for (place, handled) in retries {
                self.note_wait_after(place, handled);
            }
            let continues = std::mem::take(&mut self.frame().loops.last_mut().expect("pushed above").continues);
            for state in continues {
                self.merge(state);
            }
            self.merge(before);
        }
        if endless {
            self.frame().dead = true;
        }
        let done = self.frame().loops.pop().expect("pushed above");
        if !endless && !otherwise.0.is_empty() {
            self.exec_block(m, otherwise);
        }
        for state in done.breaks {
            self.merge(state);
        }
        done.caught
    }

    fn leave_loop(&mut self, depth: u32, is_break: bool) {
        let state = self.save();
        let frame = self.frame();
        let open = frame.loops.len();
        let Some(index) = open.checked_sub(1 + depth as usize) else {
            frame.dead = true;
            return;
        };
        for handler in &mut frame.handlers {
            if handler.loops > index {
                handler.completes = true;
                handler.goes_on |= !is_break;
            }
        }
        if is_break {
            frame.loops[index].breaks.push(state);
        } else {
            frame.loops[index].continues.push(state);
        }
        frame.dead = true;
    }

    /// `exception`: the subject is what a handler received, whose class is known.
    fn exec_match(&mut self, m: &Module, value: Value, exception: bool, arms: &[Arm]) {
        let before = self.save();
        let mut ends = Vec::new();
        let (mut decided, mut for_others) = (false, false);
        for arm in arms {
            let matches = match arm.guard {
                None if exception => self.pattern_matches(m, &arm.pattern, value),
                _ => None,
            };
            if matches == Some(false) {
                for_others |= !raises(&arm.body);
                continue;
            }
            self.bind_pattern(m, &arm.pattern, value);
            if let Some(guard) = arm.guard {
                self.eval(m, guard);
            }
            self.exec_block(m, &arm.body);
            ends.push(self.take_state(before.clone()));
            if matches == Some(true) {
                decided = true;
                break;
            }
        }
        self.frame().dead |= decided;
        for end in ends {
            self.merge(end);
        }
        if for_others && self.here().dead {
            for handler in &mut self.frame().handlers {
                handler.misses = true;
            }
        }
    }

    /// Whether an exception is of the class that a pattern names.
    fn pattern_matches(&mut self, m: &Module, pattern: &Pattern, value: Value) -> Option<bool> {
        match &pattern.kind {
            PatternKind::Bind(_, None) => Some(true),
            PatternKind::Wild => {
                let unit = self.here().unit;
                (self.text_between(unit, pattern.span, 4) == "_").then_some(true)
            }
            PatternKind::Bind(_, Some(inner)) => self.pattern_matches(m, inner, value),
            PatternKind::TupleStruct(class, _) | PatternKind::Struct(class, _) => {
                let class = self.eval(m, *class);
                self.is_instance(value, class)
            }
            PatternKind::Or(options) => {
                let mut all = Some(false);
                for option in options {
                    match self.pattern_matches(m, option, value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => all = None,
                    }
                }
                all
            }
            _ => None,
        }
    }

    /// The name that a handler around this place gives to its exception.
    fn is_exception(&self, m: &Module, expr: ExprId) -> bool {
        matches!(m.expr(expr).kind, ExprKind::Name(name) if self.here().handlers.iter().any(|h| h.name == Some(name)))
    }

    fn exec_raise(&mut self, m: &Module, exc: Option<ExprId>) {
        let raise = match exc {
            None => vec![Raise::Same],
            Some(expr) => {
                let named = matches!(&m.expr(expr).kind, ExprKind::Name(n)
                    if self.here().handlers.iter().any(|h| h.name == Some(*n)));
                let value = self.eval(m, expr);
                if named {
                    vec![Raise::Same]
                } else {
                    if matches!(m.expr(expr).kind, ExprKind::Name(_) | ExprKind::Attr { .. }) {
                        self.raise_kept(value);
                    }
                    self.raised_by(value)
                }
            }
        };
        if self.here().dead {
            return;
        }
        self.raise(raise);
    }

    /// What raising this value raises.
    fn raised_by(&mut self, value: Value) -> Vec<Raise> {
        let mut raises = Vec::new();
        for obj in self.v.list(value) {
            let raise = match self.v.get(obj).clone() {
                Obj::Exception(class) => self.raise_of_class(class),
                Obj::Class(_) | Obj::External(_) => self.raise_of_class(obj),
                Obj::None => continue,
                _ => Raise::Opaque,
            };
            if !raises.contains(&raise) {
                raises.push(raise);
            }
        }
        if raises.is_empty() {
            raises.push(Raise::Opaque);
        }
        raises
    }

    fn raise_of_class(&mut self, class: crate::resolve::value::ObjId) -> Raise {
        if self.is_answer(class) {
            Raise::Answer
        } else {
            Raise::Class(class)
        }
    }

    /// Control leaves by an exception.
    pub(super) fn raise(&mut self, raises: Vec<Raise>) {
        let frame = self.frame();
        let target = match frame.handlers.last_mut() {
            Some(handler) => &mut handler.raises,
            None => &mut frame.raises,
        };
        for raise in raises {
            if !target.contains(&raise) {
                target.push(raise);
            }
        }
        frame.dead = true;
    }

    pub(super) fn define_func(&mut self, m: &Module, id: FuncId) {
        let func = m.func(id);
        let value = self.closure(m, id);
        let mut value = value;
        for decorator in func.decorators.iter().rev() {
            let with = self.eval(m, *decorator);
            let at = self.expr_ref(*decorator);
            value = self.decorate(with, value, at);
        }
        if let Some(name) = func.name {
            self.set_var(name, value);
        }
    }

    /// The function object of a definition or lambda in the current scope.
    pub(super) fn closure(&mut self, m: &Module, id: FuncId) -> Value {
        let env = self.here().env;
        let func = FuncRef {
            unit: self.here().unit,
            func: id,
        };
        let defaults: Vec<Value> = m
            .func(id)
            .params
            .iter()
            .map(|p| p.default.map_or(Value::NOTHING, |d| self.eval(m, d)))
            .collect();
        let known = self.defaults.get(&(func, env)).cloned();
        let defaults = match known {
            Some(known) => known.iter().zip(defaults).map(|(a, b)| self.v.join(*a, b)).collect(),
            None => defaults,
        };
        self.defaults.insert((func, env), defaults.into());
        let envs = self.closures.entry(func).or_default();
        if !envs.contains(&env) && envs.len() < 8 {
            envs.push(env);
        }
        let defined = self.v.obj(Obj::Func(func, env));
        if self.here().func.is_some() {
            self.note_wrapper(defined, env);
        }
        self.v.single(defined)
    }

    /// A function that a decorator of the project defines around the decorated one.
    fn note_wrapper(&mut self, wrapper: ObjId, env: EnvId) {
        let scope = &self.envs[env.0 as usize];
        let held = scope.vars.values().flat_map(|v| self.v.objs(*v));
        let inside: Vec<FuncRef> = held
            .filter_map(|&o| match self.v.get(o) {
                Obj::Func(func, at) if *at != env => Some(*func),
                _ => None,
            })
            .collect();
        for func in inside {
            let decorated = self.with_func(func, |f| f.parent.is_none() && !f.decorators.is_empty());
            let known = self.wrappers.entry(func).or_default();
            if decorated == Some(true) && known.len() < MAX_WRAPPERS && !known.contains(&wrapper) {
                known.push(wrapper);
            }
        }
    }

    fn define_class(&mut self, m: &Module, id: ClassId) {
        let class = ClassRef {
            unit: self.here().unit,
            class: id,
        };
        let value = self.make_class(m, class);
        let mut value = value;
        for decorator in m.class(id).decorators.iter().rev() {
            let with = self.eval(m, *decorator);
            let at = self.expr_ref(*decorator);
            value = self.decorate(with, value, at);
        }
        self.set_var(m.class(id).name, value);
    }

    /// Binds a pattern; what it selects from is approximated by the whole or by its elements.
    pub(super) fn bind_pattern(&mut self, m: &Module, pattern: &Pattern, value: Value) {
        match &pattern.kind {
            PatternKind::Wild => {}
            PatternKind::Literal(expr) | PatternKind::Path(expr) => {
                self.eval(m, *expr);
            }
            PatternKind::Bind(name, inner) => {
                self.set_var(*name, value);
                if let Some(inner) = inner {
                    self.bind_pattern(m, inner, value);
                }
            }
            PatternKind::Target(expr) => self.assign(m, *expr, value),
            PatternKind::TupleStruct(_, items) => {
                for (index, item) in items.iter().enumerate() {
                    let part = self.payload(value, index);
                    self.bind_pattern(m, item, part);
                }
            }
            PatternKind::Struct(_, fields) => {
                for (name, item) in fields {
                    let part = self.attr_quiet(value, *name);
                    self.bind_pattern(m, item, part);
                }
            }
            PatternKind::Tuple(items) => {
                let parts = self.unpack(value, items.len());
                for (item, part) in items.iter().zip(parts) {
                    self.bind_pattern(m, item, part);
                }
            }
            PatternKind::Or(options) => {
                for option in options {
                    self.bind_pattern(m, option, value);
                }
            }
            PatternKind::Star(name) => {
                if let Some(name) = name {
                    self.set_var(*name, value);
                }
            }
        }
    }

    /// Assigns to a name, attribute, subscript or tuple.
    pub(super) fn assign(&mut self, m: &Module, target: ExprId, value: Value) {
        match &m.expr(target).kind {
            ExprKind::Name(name) => self.set_var(*name, value),
            ExprKind::Attr { base, name, .. } => {
                let base = self.eval(m, *base);
                self.set_attr(base, *name, value);
            }
            ExprKind::Index { base: base_expr, index } => {
                let base = self.eval(m, *base_expr);
                let key = self.eval(m, *index);
                self.set_item(base, key, value);
                self.set_named(m, *base_expr, key, value);
                if let Some(key) = self.v.text(key) {
                    let at = self.expr_ref(target);
                    for obj in self.v.list(base) {
                        if matches!(self.v.get(obj), Obj::Dict(_)) {
                            self.entry_places.insert((obj, key), at);
                        }
                    }
                }
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                let parts = self.unpack(value, items.len());
                for (item, part) in items.iter().zip(parts) {
                    self.assign(m, *item, part);
                }
            }
            ExprKind::Star(inner) | ExprKind::Same(inner) => self.assign(m, *inner, value),
            _ => {}
        }
    }

    /// `kwargs["name"] = value`: the variable holds another set of named arguments from here on.
    pub(super) fn set_named(&mut self, m: &Module, base: ExprId, key: Value, value: Value) {
        let ExprKind::Name(variable) = m.expr(base).kind else {
            return;
        };
        let held = self.name(variable);
        if let Some(Obj::Record(fields, open)) = self.v.only(held).cloned()
            && let Some(key) = self.v.text(key)
        {
            let mut fields: Vec<_> = fields.iter().filter(|(n, _)| *n != key).copied().collect();
            fields.push((key, value));
            let changed = self.v.one(Obj::Record(fields, open));
            self.set_var(variable, changed);
        }
    }

    /// Evaluates a body in a frame of its own and gives the frame back.
    pub(super) fn run_body(&mut self, mut frame: Frame, body: impl FnOnce(&mut Self, &Module)) -> Frame {
        let module = Arc::clone(&frame.module);
        frame.begin = self.log_mark();
        self.frames.push(frame);
        body(self, &module);
        self.frames.pop().expect("pushed above")
    }

    /// Evaluates a handler's body and tells how it ends.
    pub(super) fn run_handler(
        &mut self,
        m: &Module,
        body: &Block,
        name: Option<Symbol>,
        losses: Vec<LibId>,
    ) -> HandlerState {
        let loops = self.here().loops.len();
        // What is done about a loss stands between no statements of a transaction.
        let open = std::mem::take(&mut self.open_transactions);
        self.frame().handlers.push(HandlerState {
            name,
            losses,
            loops,
            ..HandlerState::default()
        });
        self.exec_block(m, body);
        self.open_transactions = open;
        let mut state = self.frame().handlers.pop().expect("pushed above");
        if !self.here().dead {
            state.completes = true;
            state.goes_on = true;
        }
        state
    }
}

/// Ends by leaving the function or the pass of a loop.
fn leaves(block: &Block) -> bool {
    block.0.last().is_some_and(|s| {
        matches!(
            s.kind,
            StmtKind::Return(_) | StmtKind::Break { .. } | StmtKind::Continue { .. }
        )
    })
}

/// Ends by raising.
fn raises(block: &Block) -> bool {
    block.0.last().is_some_and(|s| matches!(s.kind, StmtKind::Raise { .. }))
}

/// The first line of a loop.
fn header(body: &Block, span: Span) -> Span {
    let end = body.0.first().map_or(span.end, |s| s.span.start);
    Span {
        start: span.start,
        end: end.max(span.start),
    }
}

/// An import as the engine needs it.
pub(super) fn import_path(import: &Import) -> String {
    import.module.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".")
}

/// Functions whose answer depends on the value in this context, not on the program's configuration.
const TESTS: [&str; 8] = [
    "isinstance",
    "issubclass",
    "callable",
    "hasattr",
    "iscoroutinefunction",
    "isasyncgenfunction",
    "isgeneratorfunction",
    "isfunction",
];

/// `name(...)` or `module.name(...)` with one of these names.
fn is_call_of(m: &Module, expr: ExprId, names: &[&str]) -> bool {
    let ExprKind::Call { callee, .. } = &m.expr(expr).kind else {
        return false;
    };
    match &m.expr(*callee).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => names.contains(&name.as_str()),
        _ => false,
    }
}

/// The condition tests a parameter by itself.
fn asks_parameter(m: &Module, test: ExprId) -> bool {
    match &m.expr(test).kind {
        ExprKind::Not(inner) => asks_parameter(m, *inner),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().any(|p| asks_parameter(m, *p)),
        ExprKind::Name(_) => true,
        _ => false,
    }
}
