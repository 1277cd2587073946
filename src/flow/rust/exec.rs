//! Statements and blocks. A block has a value, and names of its own.

use super::super::{Interp, LoopState, State};
use super::branch::Way;
use crate::core::{Block, ExprId, ExprKind, Module, Pattern, PatternKind, Stmt, StmtKind, Symbol};
use crate::resolve::value::{Obj, Value};

impl Interp<'_> {
    /// Evaluates the body of a function whose parameters are bound.
    pub(in crate::flow) fn rust_body(&mut self, m: &Module, body: &Block) {
        let value = self.rust_block(m, body);
        if !self.here().dead {
            let joined = self.v.join(self.here().ret, value);
            self.frame().ret = joined;
        }
    }

    /// The value of a block; nothing if it does not come to its end.
    pub(super) fn rust_block(&mut self, m: &Module, block: &Block) -> Value {
        self.frame().rust.hidden.push(Vec::new());
        let mut value = Value::NONE;
        for stmt in &block.0 {
            if self.here().dead {
                break;
            }
            value = self.rust_stmt(m, stmt);
        }
        let env = self.here().env;
        for (name, old) in self.frame().rust.hidden.pop().unwrap_or_default().into_iter().rev() {
            let vars = &mut self.envs[env.0 as usize].vars;
            match old {
                Some(old) => vars.insert(name, old),
                None => vars.remove(&name),
            };
        }
        if self.here().dead { Value::NOTHING } else { value }
    }

    /// Binds a name in the innermost block.
    pub(super) fn rust_bind_name(&mut self, name: Symbol, value: Value) {
        let env = self.here().env;
        let old = self.envs[env.0 as usize].vars.insert(name, value);
        let rust = &mut self.frame().rust;
        rust.aliases.remove(&name);
        rust.declared.remove(&name);
        rust.outside.remove(&name);
        if let Some(level) = rust.hidden.last_mut()
            && !level.iter().any(|(n, _)| *n == name)
        {
            level.push((name, old));
        }
    }

    pub(in crate::flow) fn rust_stmt(&mut self, m: &Module, stmt: &Stmt) -> Value {
        match &stmt.kind {
            StmtKind::Value(expr) => return self.eval(m, *expr),
            StmtKind::Expr(expr) => {
                let value = self.eval(m, *expr);
                let at = self.expr_ref(*expr);
                self.rust_dropped(value, at, false);
            }
            StmtKind::Let {
                pattern,
                annotation,
                value,
                otherwise,
            } => {
                self.rust_let(m, stmt, pattern, *annotation, *value, otherwise.as_ref());
            }
            // A constant: an item.
            StmtKind::Assign {
                annotation: Some(_), ..
            } => {}
            StmtKind::Assign {
                targets,
                value: Some(value),
                ..
            } => {
                let value = self.eval(m, *value);
                for target in targets {
                    self.rust_assign(m, *target, value);
                }
            }
            StmtKind::AugAssign { target, value } => {
                let old = self.eval(m, *target);
                let added = self.eval(m, *value);
                let text = self.concat(old, added);
                let result = if text == Value::UNKNOWN {
                    self.v.one(Obj::Number)
                } else {
                    text
                };
                self.rust_store(m, *target, result, true);
            }
            StmtKind::If { test, then, otherwise } => return self.rust_if(m, *test, then, otherwise),
            StmtKind::Match { subject, arms } => {
                let value = self.eval(m, *subject);
                let ways: Vec<Way<'_>> = arms.iter().map(Way::of_arm).collect();
                return self.rust_branch(m, value, Some(*subject), &ways, &mut |this, index| {
                    this.rust_block(m, &arms[index].body)
                });
            }
            StmtKind::While { test, body, .. } => return self.rust_while(m, stmt, *test, body),
            StmtKind::For { target, iter, body, .. } => return self.rust_for(m, stmt, target, *iter, body),
            StmtKind::Block(block) => return self.rust_block(m, block),
            StmtKind::Labelled(block) => return self.rust_labelled(m, block),
            StmtKind::Return(value) => {
                let gives = value.is_some_and(|v| super::loops::is_result(m, v));
                let value = value.map_or(Value::NONE, |v| self.eval(m, v));
                if gives && !self.here().dead {
                    for around in &mut self.frame().loops {
                        around.rust.gives = true;
                    }
                }
                self.rust_return(value);
                return Value::NOTHING;
            }
            StmtKind::Break { depth, value } => {
                let gives = value.is_some_and(|v| super::loops::is_result(m, v));
                let value = value.map_or(Value::NONE, |v| self.eval(m, v));
                if gives && !self.here().dead {
                    let left = self.here().loops.len().saturating_sub(1 + *depth as usize);
                    for around in self.frame().loops.iter_mut().skip(left) {
                        around.rust.gives = true;
                    }
                }
                self.rust_leave_loop(*depth, Some(value));
                return Value::NOTHING;
            }
            StmtKind::Continue { depth } => {
                self.rust_leave_loop(*depth, None);
                return Value::NOTHING;
            }
            StmtKind::Unknown(parts) | StmtKind::Delete(parts) | StmtKind::Assert(parts) => {
                for part in parts {
                    self.eval(m, *part);
                }
            }
            // Items are read beforehand; the rest is Python's.
            _ => {}
        }
        Value::NONE
    }

    /// A statement in the place of an expression.
    pub(super) fn rust_stmt_value(&mut self, m: &Module, stmt: &Stmt) -> Value {
        if self.here().dead {
            return Value::NOTHING;
        }
        self.rust_stmt(m, stmt)
    }

    fn rust_let(
        &mut self,
        m: &Module,
        stmt: &Stmt,
        pattern: &Pattern,
        annotation: Option<ExprId>,
        value: Option<ExprId>,
        otherwise: Option<&Block>,
    ) {
        let mut result = value.map_or(Value::UNKNOWN, |v| self.eval(m, v));
        if let (PatternKind::Bind(name, None), Some(value)) = (&pattern.kind, value) {
            self.frame().rust.made.insert(*name, value);
        }
        if let Some(annotation) = annotation {
            let declared = self.rust_annotation(m, annotation);
            result = self.rust_refine(result, declared);
        }
        if self.here().dead {
            return;
        }
        if let Some(block) = otherwise {
            let ways = [Way::of_pattern(pattern), Way::otherwise(stmt.span)];
            // What the pattern binds stays bound, so it is bound once more after the branches.
            let mut bound = Value::NOTHING;
            self.rust_branch_with(m, result, value, &ways, &mut |this, index, reached| {
                if index == 0 {
                    bound = reached;
                    Value::NONE
                } else {
                    this.rust_block(m, block)
                }
            });
            if !self.here().dead {
                let bound = if bound == Value::NOTHING { result } else { bound };
                self.rust_bind(m, pattern, bound);
            }
        } else if matches!(pattern.kind, PatternKind::Wild) {
            if let Some(value) = value {
                let at = self.expr_ref(value);
                self.rust_dropped(result, at, true);
            }
        } else {
            self.rust_bind(m, pattern, result);
        }
        if self.v.may_be_unknown(result) {
            match (annotation, value) {
                (Some(annotation), _) => {
                    if self.rust_type_is_outside(m, annotation, 0) {
                        self.rust_bound_outside(pattern);
                    }
                }
                (None, Some(value)) => self.rust_bound_from(m, pattern, value, result),
                (None, None) => {}
            }
        }
        if let Some(name) = first_name(pattern) {
            if let Some(place) = value.and_then(|v| place_of(m, v)) {
                self.frame().rust.aliases.insert(name, place);
            }
            if let Some(annotation) = annotation {
                let mut wrappers = Vec::new();
                self.rust_wrappers(m, annotation, &mut wrappers);
                self.frame().rust.declared.insert(name, wrappers.into());
            }
        }
    }

    /// The function returns this.
    pub(super) fn rust_return(&mut self, value: Value) {
        if self.here().dead {
            return;
        }
        let value = self.rust_executed(value);
        let value = self.rust_map_flights(value, &mut |this, flights| {
            let retried = this.here().retried.clone();
            let left = flights
                .into_iter()
                .filter(|f| f.making.is_some() || !retried.contains(&f.site))
                .collect();
            this.rust_out_of_loops(left)
        });
        self.rust_leaves_arms(value, 0);
        let only_error = value != Value::NOTHING
            && self
                .v
                .objs(value)
                .iter()
                .all(|&o| matches!(self.v.get(o), Obj::Outcome(Value::NOTHING, _)));
        if !only_error {
            for around in &mut self.frame().loops {
                around.rust.returned = true;
            }
        }
        let joined = self.v.join(self.here().ret, value);
        let frame = self.frame();
        frame.ret = joined;
        frame.dead = true;
    }

    /// Control leaves arms with this value: with their errors in it they pass, without they are done.
    fn rust_leaves_arms(&mut self, value: Value, above: usize) {
        if self.here().rust.arms.is_empty() {
            return;
        }
        let carried: Vec<_> = self.rust_results(value).into_iter().map(|f| f.site).collect();
        for arm in &mut self.frame().rust.arms {
            if arm.loops < above {
                continue;
            }
            let mut all = true;
            for flight in &arm.flights {
                if carried.contains(&flight.site) {
                    arm.passed.insert(flight.site);
                } else {
                    all = false;
                }
            }
            arm.completes |= !all;
        }
    }

    /// `break` with a value, `continue` without.
    pub(super) fn rust_leave_loop(&mut self, depth: u32, value: Option<Value>) {
        if self.here().dead {
            return;
        }
        let open = self.here().loops.len();
        let Some(index) = open.checked_sub(1 + depth as usize) else {
            self.frame().dead = true;
            return;
        };
        match value {
            Some(value) => {
                let value = self.rust_executed(value);
                self.rust_leaves_arms(value, index + 1);
                let old = self.here().loops[index].rust.value.unwrap_or(Value::NOTHING);
                let joined = self.v.join(old, value);
                self.frame().loops[index].rust.value = Some(joined);
            }
            None => {
                for arm in &mut self.frame().rust.arms {
                    if arm.loops > index {
                        arm.completes = true;
                        arm.continues = true;
                    }
                }
            }
        }
        let mut state = self.save();
        let level = self.here().loops[index].rust.level;
        // Names of the blocks inside of the loop end with them.
        for names in self.here().rust.hidden[level.min(self.here().rust.hidden.len())..]
            .iter()
            .rev()
        {
            for (name, old) in names.iter().rev() {
                match old {
                    Some(old) => state.vars.insert(*name, *old),
                    None => state.vars.remove(name),
                };
            }
        }
        let frame = self.frame();
        if value.is_some() {
            frame.loops[index].breaks.push(state);
        } else {
            frame.loops[index].continues.push(state);
        }
        frame.dead = true;
    }

    fn rust_labelled(&mut self, m: &Module, block: &Block) -> Value {
        let level = self.here().rust.hidden.len();
        let around = super::Around {
            level,
            ..super::Around::default()
        };
        self.frame().loops.push(LoopState {
            rust: around,
            ..LoopState::default()
        });
        let value = self.rust_block(m, block);
        let Some(state) = self.frame().loops.pop() else {
            return value;
        };
        for left in state.breaks {
            self.merge(left);
        }
        let broken = state.rust.value.unwrap_or(Value::NOTHING);
        self.v.join(value, broken)
    }

    /// Assigns to a place that held something.
    pub(super) fn rust_assign(&mut self, m: &Module, target: ExprId, value: Value) {
        if self.here().dead {
            return;
        }
        if let ExprKind::Tuple(items) = &m.expr(target).kind {
            let parts = self.unpack(value, items.len());
            for (item, part) in items.iter().zip(parts) {
                self.rust_assign(m, *item, part);
            }
            return;
        }
        let value = self.rust_executed(value);
        let (old, _) = self.rust_captured(|this| this.rust_place_value(m, target));
        self.rust_replaces(m, target, old, value);
        self.rust_store(m, target, value, true);
    }

    /// What a place holds, without the calls in it.
    fn rust_place_value(&mut self, m: &Module, place: ExprId) -> Value {
        match &m.expr(place).kind {
            ExprKind::Same(inner) | ExprKind::Await(inner) | ExprKind::Propagate(inner) => {
                self.rust_place_value(m, *inner)
            }
            ExprKind::Call { callee, .. } => match &m.expr(*callee).kind {
                ExprKind::Attr { base, path: false, .. } => self.rust_place_value(m, *base),
                _ => Value::UNKNOWN,
            },
            ExprKind::Index { base, .. } => self.rust_place_value(m, *base),
            ExprKind::Name(_) | ExprKind::Attr { .. } => {
                let value = self.eval(m, place);
                self.rust_split(value).0
            }
            _ => Value::UNKNOWN,
        }
    }

    /// Writes to a place: a local, a static, a field, through wrappers and guards of locks.
    pub(super) fn rust_store(&mut self, m: &Module, place: ExprId, value: Value, strong: bool) {
        self.rust_store_at(m, place, value, strong, false, 0);
    }

    fn rust_store_at(&mut self, m: &Module, place: ExprId, value: Value, strong: bool, through: bool, steps: usize) {
        if steps > 16 {
            return;
        }
        match &m.expr(place).kind {
            ExprKind::Same(inner) | ExprKind::Await(inner) | ExprKind::Propagate(inner) => {
                self.rust_store_at(m, *inner, value, strong, true, steps + 1);
            }
            ExprKind::Call { callee, .. } => {
                if let ExprKind::Attr { base, path: false, .. } = m.expr(*callee).kind {
                    self.rust_store_at(m, base, value, strong, true, steps + 1);
                }
            }
            ExprKind::Index { base, .. } => self.rust_store_at(m, *base, value, false, true, steps + 1),
            ExprKind::Name(name) => {
                let Some(old) = self.rust_local(*name) else {
                    return self.rust_store_static(m, place, value);
                };
                let new = if strong { value } else { self.v.join(old, value) };
                let env = self.here().env;
                self.envs[env.0 as usize].vars.insert(*name, new);
                let alias = self.here().rust.aliases.get(name).copied();
                if let Some(alias) = alias.filter(|_| through) {
                    self.rust_store_at(m, alias, value, strong, true, steps + 1);
                }
            }
            ExprKind::Attr {
                base,
                name,
                path: false,
                ..
            } => {
                let base = self.eval(m, *base);
                let value = self.rust_stored(value);
                let objs = self.v.list(base);
                let single = objs.len() == 1;
                for obj in objs {
                    match *self.v.get(obj) {
                        Obj::Instance(..) => self.write_field(obj, *name, value, strong && single),
                        Obj::Handle(_) => {
                            let target = m.expr(place).span;
                            self.rust_set_option(m, place, obj, *name, value, target);
                        }
                        _ => {}
                    }
                }
            }
            ExprKind::Attr { path: true, .. } => self.rust_store_static(m, place, value),
            _ => {}
        }
    }

    /// Forgets a state, keeping only whether it is dead.
    pub(super) fn rust_end_way(&mut self, before: State) -> State {
        self.take_state(before)
    }
}

/// The name that a pattern binds, if it is one, perhaps inside of `Some(..)`.
fn first_name(pattern: &Pattern) -> Option<Symbol> {
    match &pattern.kind {
        PatternKind::Bind(name, None) => Some(*name),
        PatternKind::TupleStruct(_, parts) if parts.len() == 1 => first_name(&parts[0]),
        _ => None,
    }
}

/// The local, static or field that a chain of method calls starts with (`self.conn.lock().await?`).
pub(super) fn place_of(m: &Module, mut id: ExprId) -> Option<ExprId> {
    let mut called = false;
    for _ in 0..12 {
        match &m.expr(id).kind {
            ExprKind::Same(inner) | ExprKind::Await(inner) | ExprKind::Propagate(inner) => {
                id = *inner;
                called = true;
            }
            ExprKind::Call { callee, .. } => match m.expr(*callee).kind {
                ExprKind::Attr { base, path: false, .. } => {
                    id = base;
                    called = true;
                }
                _ => return None,
            },
            ExprKind::Attr { path: false, .. } | ExprKind::Name(_) => return called.then_some(id),
            _ => return None,
        }
    }
    None
}
