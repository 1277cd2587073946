//! Where evaluation starts: modules, functions that a framework calls, threads and tasks, functions that nothing calls.

use rustc_hash::{FxHashMap, FxHashSet};

use super::call::Args;
use super::flight::{Entry, Flight, Stop};
use super::guard::Cover;
use super::{Frame, Interp};
use crate::core::{ExprKind, FuncId, Symbol};
use crate::knowledge::{LibId, SpecId};
use crate::resolve::value::{ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

impl Interp<'_> {
    pub(super) fn evaluate_all(&mut self) {
        for unit in self.world.seeds() {
            if !self.world.is_aside(unit) {
                self.ensure_module(unit);
            }
        }
        self.evaluate_constructors();
        self.evaluate_registered();
        self.evaluate_spawned();
        self.evaluate_uncalled();
        self.evaluate_spawned();
    }

    /// Classes that nobody makes: their attributes come from an `__init__` with unknown arguments.
    fn evaluate_constructors(&mut self) {
        for class in self.class_list.clone() {
            if self.instances.contains_key(&class) || self.world.is_aside(class.unit) {
                continue;
            }
            let obj = self.v.obj(Obj::Instance(class, None));
            let Some(init) = self.in_frame(class.unit, |this| this.class_attr(class, obj, Symbol::new("__init__"))).flatten() else {
                continue;
            };
            for bound in self.v.list(init) {
                if let Some(func) = self.function_of(bound) {
                    if !self.called.contains(&func) && self.func_class.get(&func) == Some(&class) {
                        self.start(bound, func, Entry::Function(func), None);
                    }
                }
            }
        }
    }

    fn evaluate_registered(&mut self) {
        let mut done = 0;
        while done < self.registered.len() {
            let entry = self.registered[done].clone();
            done += 1;
            if let Some(func) = self.function_of(entry.func) {
                if self.world.is_aside(func.unit) {
                    continue;
                }
                self.start(entry.func, func, Entry::Registered(func, entry.spec), entry.scope);
            }
        }
    }

    fn evaluate_spawned(&mut self) {
        let mut done = 0;
        while done < self.spawned.len() {
            let (work, at, joined) = self.spawned[done];
            done += 1;
            let mark = self.log_mark();
            let raised = self.in_frame(at.unit, |this| {
                for obj in this.v.list(work) {
                    match this.v.get(obj) {
                        Obj::Partial(..) => {
                            let value = this.call_obj(obj, &Args::default(), at);
                            this.await_value(value, at);
                        }
                        _ => {
                            let value = this.v.single(obj);
                            this.await_value(value, at);
                        }
                    }
                }
                std::mem::take(&mut this.frame().flights)
            });
            self.end_unit(mark);
            self.log_rewind(mark);
            if joined && self.joined.contains(&at) {
                continue;
            }
            for flight in raised.unwrap_or_default() {
                self.escape(flight, Entry::Spawned(at));
            }
        }
        self.spawned.clear();
    }

    /// Functions that nothing called so far, callers before the called as far as names tell.
    fn evaluate_uncalled(&mut self) {
        let mut all: Vec<FuncRef> = Vec::new();
        for unit in self.module_list.clone() {
            if self.world.is_aside(unit) {
                continue;
            }
            let Some(module) = self.world.module(unit) else { continue };
            for (index, func) in module.funcs.iter().enumerate() {
                if !func.is_test {
                    all.push(FuncRef { unit, func: FuncId(index as u32) });
                }
            }
        }
        let mut waiting: Vec<FuncRef> = all.into_iter().filter(|f| !self.called.contains(f)).collect();
        let references = self.references(&waiting);
        // Passes: first those whose name nothing mentions, then callers of what is left.
        while !waiting.is_empty() {
            let left: FxHashSet<FuncRef> = waiting.iter().copied().collect();
            let names: FxHashSet<Symbol> =
                waiting.iter().flat_map(|f| references.get(f).into_iter().flatten().copied()).collect();
            let mut ready: Vec<FuncRef> = waiting
                .iter()
                .copied()
                .filter(|f| {
                    let name = self.with_func(*f, |f| f.name).flatten();
                    name.is_none_or(|n| {
                        !names.contains(&n)
                            || !left.iter().any(|g| g != f && references.get(g).is_some_and(|r| r.contains(&n)))
                    })
                })
                .collect();
            // Functions inside of others are called by whoever got them from there; what is left of them comes last.
            let nested = |this: &mut Self, f: &FuncRef| this.with_func(*f, |f| f.parent.is_some()).unwrap_or(false);
            if ready.iter().any(|f| !nested(self, f)) {
                ready.retain(|f| !nested(self, f));
            } else if let Some(outer) = waiting.iter().copied().find(|f| !nested(self, f)) {
                ready = vec![outer];
            }
            if ready.is_empty() {
                ready.push(waiting[0]);
            }
            for func in &ready {
                if !self.called.contains(func) {
                    self.start_uncalled(*func);
                }
            }
            let before = waiting.len();
            waiting.retain(|f| !self.called.contains(f) && !ready.contains(f));
            if waiting.len() == before {
                break;
            }
        }
    }

    /// The names that each function's body mentions as something called or passed on.
    fn references(&mut self, funcs: &[FuncRef]) -> FxHashMap<FuncRef, FxHashSet<Symbol>> {
        let mut by_unit: FxHashMap<UnitId, Vec<FuncRef>> = FxHashMap::default();
        for func in funcs {
            by_unit.entry(func.unit).or_default().push(*func);
        }
        let mut result: FxHashMap<FuncRef, FxHashSet<Symbol>> = FxHashMap::default();
        for (unit, funcs) in by_unit {
            let Some(module) = self.world.module(unit) else { continue };
            let mut spans: Vec<(u32, u32, FuncRef)> =
                funcs.iter().map(|f| (module.func(f.func).span.start, module.func(f.func).span.end, *f)).collect();
            spans.sort_unstable();
            for expr in &module.exprs {
                let name = match &expr.kind {
                    ExprKind::Name(name) | ExprKind::Attr { name, .. } => *name,
                    _ => continue,
                };
                let until = spans.partition_point(|s| s.0 <= expr.span.start);
                for (_, end, func) in spans[..until].iter().rev().take(8) {
                    if *end >= expr.span.end {
                        result.entry(*func).or_default().insert(name);
                    }
                }
            }
        }
        result
    }

    fn start_uncalled(&mut self, func: FuncRef) {
        let Some((nested, class)) = self.with_func(func, |f| (f.parent, f.class)) else { return };
        let _ = class;
        let envs = self.closures.get(&func).cloned().unwrap_or_default();
        if envs.is_empty() {
            // Never defined: in code that is not reached, or nested in a function that was not evaluated.
            let _ = nested;
            return;
        }
        for env in envs.into_iter().take(4) {
            let obj = self.v.obj(Obj::Func(func, env));
            match self.func_class.get(&func).copied() {
                Some(class) => {
                    // As found through its class, with the decorators that it has there.
                    let name = self.with_func(func, |f| f.name).flatten();
                    let receivers = self.instances_of(class);
                    let mut started = false;
                    for receiver in self.v.list(receivers).into_iter().take(4) {
                        let found = name.and_then(|n| self.in_frame(func.unit, |this| this.class_attr(class, receiver, n)).flatten());
                        for method in found.map(|f| self.v.list(f)).unwrap_or_default() {
                            if self.function_of(method) == Some(func) || self.wraps(method, func) {
                                let method = match *self.v.get(method) {
                                    Obj::Descriptor(_, inner) => self.v.obj(Obj::Bound(receiver, inner)),
                                    _ => method,
                                };
                                started = true;
                                self.start(method, func, Entry::Function(func), None);
                            }
                        }
                    }
                    if !started && !self.called.contains(&func) {
                        let receiver = self.v.list(receivers)[0];
                        let bound = self.v.obj(Obj::Bound(receiver, obj));
                        self.start(bound, func, Entry::Function(func), None);
                    }
                }
                None => {
                    let callable = self.as_named(func, obj);
                    self.start(callable, func, Entry::Function(func), None);
                }
            }
        }
    }

    /// A module-level function as its name denotes it: with its decorators.
    fn as_named(&mut self, func: FuncRef, plain: ObjId) -> ObjId {
        let Some(Some(name)) = self.with_func(func, |f| if f.parent.is_none() { f.name } else { None }) else { return plain };
        let value = self.in_frame(func.unit, |this| this.module_attr(func.unit, name)).flatten();
        value
            .map(|v| self.v.list(v))
            .unwrap_or_default()
            .into_iter()
            .find(|&o| self.function_of(o) == Some(func) || self.wraps(o, func))
            .unwrap_or(plain)
    }

    /// True if a wrapper made by the project's own decorators closes over this function, however many there are.
    fn wraps(&self, obj: ObjId, func: FuncRef) -> bool {
        self.wraps_within(obj, func, 6)
    }

    fn wraps_within(&self, obj: ObjId, func: FuncRef, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let is_it = |o: ObjId| self.function_of(o) == Some(func) || self.wraps_within(o, func, depth - 1);
        let env = match self.v.get(obj) {
            Obj::Func(_, env) => *env,
            Obj::Instance(..) => {
                return self.heap_of(obj).any(|(_, v)| self.v.objs(v).iter().any(|&x| is_it(x)));
            }
            Obj::Guarded(inner, _) | Obj::Bound(_, inner) | Obj::Managed(inner) | Obj::Descriptor(_, inner) => {
                return is_it(*inner);
            }
            _ => return false,
        };
        let mut current = Some(env);
        for _ in 0..6 {
            let Some(scope) = current.map(|id| &self.envs[id.0 as usize]) else { return false };
            if scope.parent.is_some() && scope.vars.values().any(|&v| self.v.objs(v).iter().any(|&o| is_callable(self.v.get(o)) && is_it(o))) {
                return true;
            }
            current = scope.parent;
        }
        false
    }

    /// Runs something in a bare frame of a module.
    fn in_frame<T>(&mut self, unit: UnitId, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let module = self.world.module(unit)?;
        let env = self.env(super::EnvKey::Module(unit), None);
        let frame = Frame::new(unit, module, env);
        let mut result = None;
        self.run_body(frame, |this, _| result = Some(body(this)));
        result
    }

    /// Calls an entry with unknown arguments; what gets out of it has escaped.
    fn start(&mut self, callable: ObjId, func: FuncRef, entry: Entry, scope: Option<ExprRef>) {
        let at = ExprRef { unit: func.unit, expr: crate::core::ExprId(u32::MAX) };
        let mark = self.log_mark();
        self.open_transactions.clear();
        self.in_hook = matches!(entry, Entry::Registered(..));
        let raised = self.in_frame(func.unit, |this| {
            let params = this.with_func(func, |f| f.params.len()).unwrap_or(0);
            let bound = matches!(this.v.get(callable), Obj::Bound(..));
            let unknown = Args { pos: vec![Value::UNKNOWN; 0], more: None, open: true, ..Args::default() };
            let _ = (params, bound);
            let value = this.call_obj(callable, &unknown, at);
            let value = this.await_value(value, at);
            for obj in this.v.list(value) {
                match *this.v.get(obj) {
                    // A generator function that nothing calls is iterated by whoever does.
                    Obj::Generator(act) => {
                        this.run_generator(act, at);
                    }
                    Obj::Manager(act) => {
                        let summary = this.summary(act);
                        this.forward(&summary, at);
                    }
                    _ => {}
                }
            }
            std::mem::take(&mut this.frame().flights)
        });
        let manages = self.with_func(func, |f| f.name.is_some_and(|n| matches!(n.as_str(), "__enter__" | "__aenter__")));
        if manages == Some(true) {
            self.openings_are_per_unit(mark);
        }
        self.in_hook = false;
        self.end_unit(mark);
        self.log_rewind(mark);
        self.called.insert(func);
        let mut flights = raised.unwrap_or_default();
        for flight in &mut flights {
            // The call of the entry itself is no step of the path.
            flight.path = self.out.paths.without(flight.path, at);
        }
        let flights = self.pass_application(flights, func, &entry, scope);
        for flight in flights {
            self.escape(flight, entry.clone());
        }
    }

    /// Application-wide handlers and middlewares around what a framework calls.
    fn pass_application(&mut self, flights: Vec<Flight>, func: FuncRef, entry: &Entry, scope: Option<ExprRef>) -> Vec<Flight> {
        if flights.is_empty() || self.app_handlers.is_empty() && self.middlewares.is_empty() {
            return flights;
        }
        let registered = match entry {
            Entry::Registered(_, spec) => Some(self.k.call(*spec).lib),
            _ => None,
        };
        let imports = self.world.imports(func.unit);
        let serves = |lib: LibId| registered.is_some() || imports.contains(&lib);
        let mut rest = flights;
        for handler in self.app_handlers.clone() {
            if !serves(handler.lib) || handler.scope.is_some() && handler.scope != scope {
                continue;
            }
            let mut passed = Vec::new();
            for flight in rest {
                let cover = self.in_frame(func.unit, |this| this.covers(handler.classes, &flight.error));
                if matches!(cover, Some(Cover::Whole | Cover::Unclear)) {
                    let what = "the application's error handler".to_owned();
                    self.stop(&flight, Stop { place: handler.place, what, retry: None, guard: None });
                } else {
                    passed.push(flight);
                }
            }
            rest = passed;
        }
        for (value, spec, at) in self.middlewares.clone() {
            if rest.is_empty() {
                break;
            }
            if !serves(self.k.call(spec).lib) {
                continue;
            }
            rest = self.pass_middleware(value, spec, at, rest);
        }
        rest
    }

    fn pass_middleware(&mut self, value: Value, spec: SpecId, at: ExprRef, flights: Vec<Flight>) -> Vec<Flight> {
        let next = self.k.call(spec).call.registers.as_ref().and_then(|r| r.next);
        self.next = flights;
        self.next_called = false;
        let out = self.in_frame(at.unit, |this| {
            let go_on = this.v.one(Obj::Next);
            let callables = this.middleware_callables(value, go_on, at);
            for (callable, position) in callables {
                let index = position.or(next).unwrap_or(1);
                let mut pos = vec![Value::UNKNOWN; index + 1];
                pos[index] = go_on;
                let result = this.call_obj(callable, &Args::positional(pos), at);
                this.await_value(result, at);
            }
            std::mem::take(&mut this.frame().flights)
        });
        let flights = std::mem::take(&mut self.next);
        // One that does not call on in a way that is understood changes nothing.
        if self.next_called { out.unwrap_or_default() } else { flights }
    }

    /// The functions of a middleware: itself, or the methods of its class.
    fn middleware_callables(&mut self, value: Value, go_on: Value, at: ExprRef) -> Vec<(ObjId, Option<usize>)> {
        let mut found = Vec::new();
        for obj in self.v.list(value) {
            match *self.v.get(obj) {
                Obj::Class(class) => {
                    let instance = self.call_obj(obj, &Args::positional(vec![go_on]), at);
                    for instance in self.v.list(instance) {
                        for (name, position) in [("dispatch", 1), ("__call__", 1)] {
                            if let Some(method) = self.class_attr(class, instance, Symbol::new(name)) {
                                found.extend(self.v.list(method).into_iter().map(|m| (m, Some(position))));
                                break;
                            }
                        }
                    }
                }
                _ => found.push((obj, None)),
            }
        }
        found
    }

    /// What a middleware meets when it goes on.
    pub(super) fn next_flights(&mut self, at: ExprRef) -> Vec<Flight> {
        let _ = at;
        self.next.clone()
    }
}

/// Objects that may be or wrap a function.
fn is_callable(obj: &Obj) -> bool {
    matches!(
        obj,
        Obj::Func(..) | Obj::Bound(..) | Obj::Guarded(..) | Obj::Managed(_) | Obj::Descriptor(..) | Obj::Instance(..) | Obj::Partial(..)
    )
}
