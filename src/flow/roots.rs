//! Where evaluation starts: modules, functions that a framework calls, threads and tasks, functions that nothing calls.

use rustc_hash::{FxHashMap, FxHashSet};

use super::call::Args;
use super::flight::{Entry, Flight, Place, Stop};
use super::guard::Cover;
use super::order::{Candidate, callers_first};
use super::{Frame, Interp};
use crate::core::{ExprKind, FuncId, Language, StmtKind, Symbol};
use crate::knowledge::{LibId, Registration, SpecId};
use crate::resolve::value::{ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

/// Objects looked at to find the function inside of wrappers.
const MAX_WRAPPERS: usize = 64;
/// Tasks and threads of one place that are evaluated.
const MAX_SPAWNED: u32 = 64;

impl Interp<'_> {
    pub(super) fn evaluate_all(&mut self) {
        self.rust_evaluate();
        for unit in self.world.seeds() {
            if !self.world.is_aside(unit) && self.language(unit) != Some(Language::Rust) {
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
        let seeds: FxHashSet<UnitId> = self.world.seeds().into_iter().collect();
        for class in self.class_list.clone() {
            let starts = seeds.contains(&class.unit) && !self.world.is_aside(class.unit);
            if self.instances.contains_key(&class) || !starts {
                continue;
            }
            let obj = self.v.obj(Obj::Instance(class, None));
            let Some(init) = self
                .in_frame(class.unit, |this| this.class_attr(class, obj, Symbol::new("__init__")))
                .flatten()
            else {
                continue;
            };
            for bound in self.v.list(init) {
                if let Some(func) = self.function_of(bound)
                    && !self.called.contains(&func)
                    && self.func_class.get(&func) == Some(&class)
                {
                    self.start(bound, func, Entry::Function(func), None);
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
        let mut seen = FxHashSet::default();
        let mut by_place: FxHashMap<ExprRef, u32> = FxHashMap::default();
        while done < self.spawned.len() {
            let (work, at, joined) = self.spawned[done];
            done += 1;
            // Tasks start tasks: each is evaluated once, and no place without end with ever other arguments.
            if !seen.insert((work, at)) {
                continue;
            }
            let started = by_place.entry(at).or_default();
            *started += 1;
            if *started > MAX_SPAWNED {
                continue;
            }
            let mark = self.log_mark();
            let raised = self.in_frame(at.unit, |this| {
                for obj in this.v.list(work) {
                    if let Obj::Partial(..) = this.v.get(obj) {
                        let value = this.call_obj(obj, &Args::default(), at);
                        this.await_value(value, at);
                    } else {
                        let value = this.v.single(obj);
                        this.await_value(value, at);
                    }
                }
                std::mem::take(&mut this.frame().flights)
            });
            self.end_spawned(mark);
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
        let seeds: FxHashSet<UnitId> = self.world.seeds().into_iter().collect();
        // Files that were only read because another one imports them start nothing: they use nothing that matters.
        for unit in self.world.seeds() {
            if self.world.is_aside(unit) || !self.modules_done.contains_key(&unit) {
                continue;
            }
            let Some(module) = self.world.module(unit) else {
                continue;
            };
            if module.language == Language::Rust {
                continue;
            }
            for (index, func) in module.funcs.iter().enumerate() {
                if !func.is_test {
                    all.push(FuncRef {
                        unit,
                        func: FuncId(index as u32),
                    });
                }
            }
        }
        all.extend(self.methods_with_handles(&seeds));
        let mut waiting: Vec<FuncRef> = all.into_iter().filter(|f| !self.called.contains(f)).collect();
        waiting.retain(|f| !self.is_redefined(*f));
        let references = self.references(&waiting);
        let candidates: Vec<Candidate> = waiting
            .into_iter()
            .map(|func| Candidate {
                func,
                name: self.with_func(func, |f| f.name).flatten(),
                nested: self.with_func(func, |f| f.parent.is_some()).unwrap_or(false),
            })
            .collect();
        for func in callers_first(&candidates, &references) {
            if !self.called.contains(&func) {
                self.start_wrappers(func);
            }
            if !self.called.contains(&func) {
                self.start_uncalled(func);
            }
        }
    }

    /// A decorator gave the function back as it is, and another one around it to whoever will call that.
    fn start_wrappers(&mut self, func: FuncRef) {
        let Some(wrappers) = self.wrappers.get(&func).cloned() else {
            return;
        };
        if self.func_class.contains_key(&func) {
            return;
        }
        let env = self.closures.get(&func).and_then(|e| e.first()).copied();
        let Some(plain) = env.map(|env| self.v.obj(Obj::Func(func, env))) else {
            return;
        };
        if self.as_named(func, plain) == plain {
            for wrapper in wrappers {
                if let Some(outer) = self.function_of(wrapper) {
                    self.start(wrapper, outer, Entry::Function(outer), None);
                }
            }
        }
    }

    /// A later definition of the same name in the same block takes the place of this one before anything reads it.
    fn is_redefined(&mut self, func: FuncRef) -> bool {
        let Some(module) = self.world.module(func.unit) else {
            return false;
        };
        let Some(name) = module.func(func.func).name else {
            return false;
        };
        let blocks = std::iter::once(&module.body).chain(module.classes.iter().map(|c| &c.body));
        for block in blocks {
            let mut after = block
                .0
                .iter()
                .skip_while(|s| !matches!(s.kind, StmtKind::Func(id) if id == func.func));
            let Some(own) = after.next() else { continue };
            let later = after.find(|s| matches!(s.kind, StmtKind::Func(id) if module.func(id).name == Some(name)));
            return later.is_some_and(|later| {
                // Decorators of either may keep it: properties, overloads, registrations.
                let StmtKind::Func(id) = later.kind else { return false };
                let plain = [func.func, id].iter().all(|f| module.func(*f).decorators.is_empty());
                plain
                    && !module.exprs.iter().any(|e| {
                        e.span.start >= own.span.end
                            && e.span.end <= later.span.start
                            && matches!(e.kind, ExprKind::Name(n) if n == name)
                    })
            });
        }
        false
    }

    /// Methods of classes in other files whose objects were given something that leads to a driver's object.
    fn methods_with_handles(&mut self, seeds: &FxHashSet<UnitId>) -> Vec<FuncRef> {
        let mut classes = FxHashSet::default();
        for (class, objs) in &self.instances {
            if objs.iter().any(|o| self.leads_to_handle(*o)) {
                classes.extend(self.classes.get(class).map(|i| i.mro.clone()).unwrap_or_default());
            }
        }
        let mut found: Vec<FuncRef> = self
            .func_class
            .iter()
            .filter(|(f, c)| classes.contains(c) && !seeds.contains(&f.unit))
            .map(|(f, _)| *f)
            .collect();
        found.retain(|f| !self.world.is_aside(f.unit));
        found.sort_unstable();
        found
    }

    fn leads_to_handle(&self, obj: ObjId) -> bool {
        let mut todo = vec![(obj, 0)];
        let mut seen = FxHashSet::default();
        while let Some((obj, depth)) = todo.pop() {
            if !seen.insert(obj) || seen.len() > MAX_WRAPPERS {
                continue;
            }
            for (_, value) in self.heap_of(obj) {
                for &held in self.v.objs(value) {
                    match self.v.get(held) {
                        Obj::Handle(_) => return true,
                        Obj::Instance(..) | Obj::List(_) | Obj::Dict(_) if depth < 3 => todo.push((held, depth + 1)),
                        _ => {}
                    }
                }
            }
        }
        false
    }

    /// The names that each function's body mentions as something called or passed on.
    pub(super) fn references(&mut self, funcs: &[FuncRef]) -> FxHashMap<FuncRef, FxHashSet<Symbol>> {
        let mut by_unit: FxHashMap<UnitId, Vec<FuncRef>> = FxHashMap::default();
        for func in funcs {
            by_unit.entry(func.unit).or_default().push(*func);
        }
        let mut result: FxHashMap<FuncRef, FxHashSet<Symbol>> = FxHashMap::default();
        for (unit, funcs) in by_unit {
            let Some(module) = self.world.module(unit) else {
                continue;
            };
            let mut spans: Vec<(u32, u32, FuncRef)> = funcs
                .iter()
                .map(|f| (module.func(f.func).span.start, module.func(f.func).span.end, *f))
                .collect();
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
        // None if it is never defined: in code that is not reached, or nested in a function that was not evaluated.
        let envs = self.closures.get(&func).cloned().unwrap_or_default();
        for env in envs.into_iter().take(4) {
            let obj = self.v.obj(Obj::Func(func, env));
            if let Some(class) = self.func_class.get(&func).copied() {
                // As found through its class, with the decorators that it has there.
                let name = self.with_func(func, |f| f.name).flatten();
                let receivers = self.instances_of(class);
                let mut started = false;
                for receiver in self.v.list(receivers).into_iter().take(4) {
                    let found = name.and_then(|n| {
                        self.in_frame(func.unit, |this| this.class_attr(class, receiver, n))
                            .flatten()
                    });
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
            } else {
                let callable = self.as_named(func, obj);
                self.start(callable, func, Entry::Function(func), None);
            }
        }
    }

    /// A module-level function as its name denotes it: with its decorators.
    fn as_named(&mut self, func: FuncRef, plain: ObjId) -> ObjId {
        let Some(Some(name)) = self.with_func(func, |f| if f.parent.is_none() { f.name } else { None }) else {
            return plain;
        };
        let value = self
            .in_frame(func.unit, |this| this.module_attr(func.unit, name))
            .flatten();
        value
            .map(|v| self.v.list(v))
            .unwrap_or_default()
            .into_iter()
            .find(|&o| self.function_of(o) == Some(func) || self.wraps(o, func))
            .unwrap_or(plain)
    }

    /// True if a wrapper made by the project's own decorators closes over this function, however many there are.
    fn wraps(&self, obj: ObjId, func: FuncRef) -> bool {
        self.wraps_within(obj, func, &mut FxHashSet::default())
    }

    fn wraps_within(&self, obj: ObjId, func: FuncRef, seen: &mut FxHashSet<ObjId>) -> bool {
        if seen.len() > MAX_WRAPPERS || !seen.insert(obj) {
            return false;
        }
        if self.function_of(obj) == Some(func) {
            return true;
        }
        let held: Vec<ObjId> = match self.v.get(obj) {
            Obj::Func(_, env) => {
                let mut held = Vec::new();
                let mut current = Some(*env);
                for _ in 0..6 {
                    let Some(scope) = current.map(|id| &self.envs[id.0 as usize]) else {
                        break;
                    };
                    if scope.parent.is_some() && !scope.is_class {
                        held.extend(scope.vars.values().flat_map(|v| self.v.objs(*v)));
                    }
                    current = scope.parent;
                }
                held
            }
            Obj::Instance(..) => self.heap_of(obj).flat_map(|(_, v)| self.v.objs(v).to_vec()).collect(),
            Obj::Guarded(inner, _)
            | Obj::Bound(_, inner)
            | Obj::Within(_, inner)
            | Obj::Managed(inner)
            | Obj::Descriptor(_, inner) => {
                vec![*inner]
            }
            _ => return false,
        };
        held.into_iter()
            .any(|o| is_callable(self.v.get(o)) && self.wraps_within(o, func, seen))
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
        let at = ExprRef {
            unit: func.unit,
            expr: crate::core::ExprId::OUTSIDE,
        };
        let mark = self.log_mark();
        self.open_transactions.clear();
        self.immediate.clear();
        self.watching.clear();
        self.in_hook = match &entry {
            Entry::Registered(_, spec) => {
                let registers = self.k.call(*spec).call.registers.as_ref();
                registers.is_some_and(|r| r.each || r.what == Registration::Middleware)
            }
            _ => false,
        };
        let raised = self.in_frame(func.unit, |this| {
            let unknown = Args {
                open: true,
                ..Args::default()
            };
            let value = this.call_obj(callable, &unknown, at);
            let value = this.await_value(value, at);
            for obj in this.v.list(value) {
                match *this.v.get(obj) {
                    // A generator function that nothing calls is iterated by whoever does.
                    Obj::Generator(act, made) => {
                        this.run_generator(act, made, at);
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
        let manages = self.with_func(func, |f| {
            f.name.is_some_and(|n| matches!(n.as_str(), "__enter__" | "__aenter__"))
        });
        let per_request = self.func_class.get(&func).copied().is_some_and(|class| {
            let types = self.outside_types(class);
            types.iter().any(|&t| self.k.ty(t).spec.per_call)
        });
        if manages == Some(true) || per_request {
            self.openings_are_per_unit(mark);
        }
        if std::mem::take(&mut self.in_hook) {
            self.note_closed_each(mark);
        }
        if matches!(entry, Entry::Function(_)) {
            self.end_called_unit(mark);
        } else {
            self.end_unit(mark);
        }
        self.log_rewind(mark);
        self.called.insert(func);
        let mut flights = raised.unwrap_or_default();
        for flight in &mut flights {
            // The call of the entry itself is no step of the path.
            flight.path = self.out.paths.without(flight.path, at);
        }
        let flights = self.pass_dispatch(flights, callable, func);
        let flights = self.pass_application(flights, func, &entry, scope);
        for flight in flights {
            self.escape(flight, entry.clone());
        }
    }

    /// The methods by which a library's class calls this one: one that the project puts in their place is around it.
    fn pass_dispatch(&mut self, flights: Vec<Flight>, callable: ObjId, func: FuncRef) -> Vec<Flight> {
        let Some(class) = self.func_class.get(&func).copied() else {
            return flights;
        };
        let Some(name) = self.with_func(func, |f| f.name).flatten() else {
            return flights;
        };
        let receiver = match *self.v.get(callable) {
            Obj::Bound(receiver, _) => receiver,
            _ => self.v.obj(Obj::Instance(class, None)),
        };
        let class = match *self.v.get(receiver) {
            Obj::Instance(class, _) => class,
            _ => class,
        };
        let k = self.k;
        let calls = |names: &[String]| {
            let public = !name.as_str().starts_with('_');
            names.iter().any(|n| n == name.as_str() || n == "*" && public)
        };
        let mut dispatchers: Vec<(Symbol, SpecId)> = Vec::new();
        for ty in self.outside_types(class) {
            let methods = k.ty(ty).methods.iter();
            let mut found: Vec<_> = methods
                .filter(|(own, id)| **own != name && calls(&k.call(**id).call.dispatches))
                .map(|(own, id)| (*own, *id))
                .collect();
            found.sort_unstable_by_key(|(own, _)| own.as_str());
            dispatchers.extend(found);
        }
        let mut rest = flights;
        for (own, spec) in dispatchers {
            if rest.is_empty() {
                break;
            }
            let at = ExprRef {
                unit: func.unit,
                expr: crate::core::ExprId::OUTSIDE,
            };
            if let Some(guard) = &k.call(spec).call.guard {
                let guard = self.guard_from(spec, guard, &Args::default(), at);
                rest = self
                    .in_frame(func.unit, |this| this.filter(std::mem::take(&mut rest), guard))
                    .unwrap_or_default();
            }
            let method = self
                .in_frame(class.unit, |this| this.class_attr(class, receiver, own))
                .flatten();
            let is_own = method.is_some_and(|m| {
                self.v
                    .list(m)
                    .iter()
                    .any(|&o| self.function_of(o).is_some_and(|f| f != func))
            });
            if let (Some(method), true) = (method, is_own) {
                rest = self.around(rest, func.unit, |this| {
                    let unknown = Args {
                        open: true,
                        ..Args::default()
                    };
                    let value = this.call(method, &unknown, at);
                    this.await_value(value, at);
                });
            }
        }
        rest
    }

    /// What gets out of something that calls what has these errors. If it does not call on in a way that is understood, it
    /// changes nothing.
    fn around(&mut self, flights: Vec<Flight>, unit: UnitId, body: impl FnOnce(&mut Self)) -> Vec<Flight> {
        let outer = std::mem::replace(&mut self.next, flights);
        let calls = self.next_calls;
        let mark = self.log_mark();
        let out = self.in_frame(unit, |this| {
            body(this);
            std::mem::take(&mut this.frame().flights)
        });
        self.log_rewind(mark);
        let flights = std::mem::replace(&mut self.next, outer);
        if self.next_calls > calls {
            out.unwrap_or_default()
        } else {
            flights
        }
    }

    /// The errors of what is called on.
    pub(super) fn call_next(&mut self) {
        self.next_calls += 1;
        for flight in self.next.clone() {
            self.emit(flight);
        }
    }

    /// Application-wide handlers and middlewares around what a framework calls.
    fn pass_application(
        &mut self,
        flights: Vec<Flight>,
        func: FuncRef,
        entry: &Entry,
        scope: Option<ExprRef>,
    ) -> Vec<Flight> {
        if flights.is_empty() || self.app_handlers.is_empty() && self.middlewares.is_empty() && self.listed.is_empty() {
            return flights;
        }
        let registered = match entry {
            Entry::Registered(_, spec) => Some(*spec),
            _ => None,
        };
        // A command's method.
        let background = self.func_class.get(&func).is_some_and(|class| {
            let types = self.outside_types(*class);
            types.iter().any(|&t| self.k.ty(t).spec.background)
        });
        let k = self.k;
        let serves = |lib: LibId| match registered {
            Some(spec) => {
                let spec = k.call(spec);
                let alone = spec.call.registers.as_ref().is_some_and(|r| r.alone);
                !alone && (k.akin(spec.lib, lib) || k.akin(lib, spec.lib))
            }
            // Not followed to a request, but most likely part of one.
            None => !background && matches!(entry, Entry::Function(_)),
        };
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
                    self.stop(
                        &flight,
                        Stop {
                            place: handler.place,
                            what,
                            retry: None,
                            guard: None,
                        },
                    );
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
        for listed in self.listed.clone() {
            if !rest.is_empty() && serves(listed.lib) {
                rest = self.pass_listed(listed, rest);
            }
        }
        rest
    }

    /// Asks what a settings module names what it does with each error: it answers by returning something.
    fn pass_listed(&mut self, listed: super::Listed<'_>, flights: Vec<Flight>) -> Vec<Flight> {
        let parts: Vec<Symbol> = listed.path.as_str().split('.').map(Symbol::new).collect();
        let Some((&name, module)) = parts.split_last() else {
            return flights;
        };
        // A module does not find itself.
        let found = self.world.resolve(listed.unit, module, 0);
        let unit = found.first().copied().unwrap_or(listed.unit);
        let value = self.module_attr(unit, name).unwrap_or(Value::UNKNOWN);
        let at = ExprRef {
            unit,
            expr: crate::core::ExprId(u32::MAX),
        };
        // Django's `process_exception(self, request, exception)`; an error handler gets the error first.
        let before = usize::from(listed.registers.what == crate::knowledge::Registration::Middleware);
        let mut rest = Vec::new();
        for flight in flights {
            let answer = self.in_frame(unit, |this| {
                let exception = this.exception_value(std::slice::from_ref(&flight), None);
                let mut pos = vec![Value::UNKNOWN; before];
                pos.push(exception);
                let mut answers = None;
                for obj in this.v.list(value) {
                    let callee = match (this.v.get(obj).clone(), listed.registers.method.as_deref()) {
                        (Obj::Class(class), Some(method)) => {
                            let open = Args {
                                open: true,
                                ..Args::default()
                            };
                            let instance = this.call_obj(obj, &open, at);
                            let instance = this.v.list(instance).first().copied();
                            instance.and_then(|i| this.class_attr(class, i, Symbol::new(method)))
                        }
                        _ if this.function_of(obj).is_some() => Some(this.v.single(obj)),
                        _ => None,
                    };
                    if let Some(callee) = callee {
                        let result = this.call(callee, &Args::positional(pos.clone()), at);
                        let result = this.await_value(result, at);
                        if result != Value::NOTHING && this.v.only(result) != Some(&Obj::None) {
                            answers = this.v.list(callee).into_iter().find_map(|o| this.function_of(o));
                        }
                    }
                }
                answers
            });
            let place = answer.flatten().and_then(|func| {
                let span = self.with_func(func, |f| f.name_span)?;
                Some(Place { unit: func.unit, span })
            });
            match place {
                Some(place) if flight.making.is_none() => self.stop(
                    &flight,
                    Stop {
                        place,
                        what: listed.path.to_string(),
                        retry: None,
                        guard: None,
                    },
                ),
                _ => rest.push(flight),
            }
        }
        rest
    }

    fn pass_middleware(&mut self, value: Value, spec: SpecId, at: ExprRef, flights: Vec<Flight>) -> Vec<Flight> {
        let next = self.k.call(spec).call.registers.as_ref().and_then(|r| r.next);
        self.around(flights, at.unit, |this| {
            let go_on = this.v.one(Obj::Next);
            let callables = this.middleware_callables(value, go_on, at);
            for (callable, position) in callables {
                let index = position.or(next).unwrap_or(1);
                let mut pos = vec![Value::UNKNOWN; index + 1];
                pos[index] = go_on;
                let result = this.call_obj(callable, &Args::positional(pos), at);
                this.await_value(result, at);
            }
        })
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
}

/// Objects that may be or wrap a function of the program.
fn is_callable(obj: &Obj) -> bool {
    matches!(obj, Obj::Instance(..)) || obj.is_function() && !matches!(obj, Obj::Method(..))
}
