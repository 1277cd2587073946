//! Calls: finding what is called, binding arguments, summarising functions.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::flight::{Around, Flight, PathId};
use super::{Act, EnvKey, Frame, Interp, Summary};
use crate::core::{ExprId, Language, Module, ParamKind, Symbol};
use crate::knowledge::{Consumes, Item};
use crate::resolve::value::{ActId, ClassRef, Descriptor, EnvId, ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

/// The arguments of a call, evaluated.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    /// By position.
    pub pos: Vec<Value>,
    /// By name.
    pub kw: Vec<(Symbol, Value)>,
    /// More may follow by position: what is known of them (`*args`).
    pub more: Option<Value>,
    /// More may follow by name (`**kwargs` that could not be read).
    pub open: bool,
    /// Where each argument stands: positional ones first, then named ones.
    pub places: Vec<ExprId>,
    /// Named ones that are given in another file than the rest.
    pub elsewhere: Vec<(Symbol, ExprRef)>,
}

impl Args {
    pub(super) fn positional(pos: Vec<Value>) -> Self {
        Self { pos, ..Self::default() }
    }

    pub(super) fn named(&self, name: &str) -> Option<Value> {
        self.kw.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| *v)
    }

    /// Without the first positional one.
    pub(super) fn rest(&self, skip: usize) -> Self {
        Self {
            pos: self.pos.iter().skip(skip).copied().collect(),
            places: Vec::new(),
            ..self.clone()
        }
    }

    pub(super) fn with_first(&self, first: Value) -> Self {
        let mut pos = vec![first];
        pos.extend(&self.pos);
        Self {
            pos,
            places: Vec::new(),
            ..self.clone()
        }
    }
}

impl Frame {
    pub(super) fn new(unit: UnitId, module: Arc<Module>, env: EnvId) -> Self {
        Self {
            begin: super::log::Mark::default(),
            unit,
            module,
            env,
            func: None,
            owner: None,
            first: None,
            fields: FxHashMap::default(),
            dead: false,
            ret: Value::NOTHING,
            yields: Value::NOTHING,
            flights: Vec::new(),
            made: FxHashMap::default(),
            raises: Vec::new(),
            handlers: Vec::new(),
            loops: Vec::new(),
            thrown: None,
            transactions: 0,
            entered: Vec::new(),
            turned_on: Vec::new(),
            retried: Vec::new(),
            missed: Vec::new(),
            kept: Vec::new(),
            rust: super::rust::Local::default(),
        }
    }
}

/// An argument that may be more things than these is no list of exceptions.
const MAX_CONDITIONS: usize = 12;

/// So many objects are searched for lazy ones that leave a function.
const MAX_SEARCHED: usize = 400;

impl Interp<'_> {
    /// Calls every object that a value may be, and joins what they give.
    pub(super) fn call(&mut self, callee: Value, args: &Args, at: ExprRef) -> Value {
        let callee = self.force(callee);
        let objs = self.v.list(callee);
        let before_dead = self.here().dead;
        let mut all_dead = !objs.is_empty();
        let mut result = Value::NOTHING;
        for obj in objs {
            self.frame().dead = before_dead;
            let one = self.call_obj(obj, args, at);
            all_dead &= self.here().dead;
            result = self.v.join(result, one);
        }
        self.frame().dead = before_dead || all_dead;
        result
    }

    pub(super) fn call_obj(&mut self, obj: ObjId, args: &Args, at: ExprRef) -> Value {
        if self.frames.len() > super::MAX_DEPTH {
            return Value::UNKNOWN;
        }
        if !self.here().is_python() {
            return self.rust_call_obj(obj, args, at);
        }
        match self.v.get(obj).clone() {
            Obj::Func(func, env) => self.call_func(func, env, None, args, at),
            Obj::Bound(receiver, inner) => {
                let first = self.v.single(receiver);
                let args = args.with_first(first);
                if matches!(self.v.get(receiver), Obj::Handle(_)) {
                    // The project put its own function in the place of a driver's method.
                    let outer = self.patched_at.replace(at);
                    let value = self.call_obj(inner, &args, at);
                    self.patched_at = outer;
                    return value;
                }
                match *self.v.get(inner) {
                    Obj::Func(func, env) => {
                        let owner = self.func_class.get(&func).copied();
                        self.call_func(func, env, owner, &args, at)
                    }
                    _ => self.call_obj(inner, &args, at),
                }
            }
            Obj::Class(class) => self.construct(class, args, at),
            Obj::External(path) => self.call_external(path, args, at),
            Obj::Method(receiver, spec, named) => {
                // An operation passed as a value has its call site where it is named.
                let site = if self.encloses(at, named) { at } else { named };
                self.apply(spec, Some(receiver), args, site)
            }
            Obj::Unbound(_, spec) => {
                let receiver = args.pos.first().and_then(|&v| {
                    self.v
                        .list(v)
                        .into_iter()
                        .find(|&o| matches!(self.v.get(o), Obj::Handle(_) | Obj::Instance(..)))
                });
                match receiver {
                    Some(receiver) => self.apply(spec, Some(receiver), &args.rest(1), self.patched_at.unwrap_or(at)),
                    None => Value::UNKNOWN,
                }
            }
            Obj::Within(manager, inner) => {
                let manager = self.v.single(manager);
                self.enter(manager, at);
                let outer = std::mem::take(&mut self.frame().flights);
                let value = self.call_obj(inner, args, at);
                let raised = std::mem::replace(&mut self.frame().flights, outer);
                let dead = std::mem::replace(&mut self.frame().dead, false);
                for flight in self.leave(manager, at, raised) {
                    self.emit(flight);
                }
                self.frame().dead = dead;
                value
            }
            Obj::Manager(_) if self.is_decorated(args) => self.decorated_within(obj, args),
            Obj::Decorator(spec, guard, made) => self.decorate_with(spec, guard, made, args, at),
            Obj::Guarded(inner, guard) => {
                let outer = std::mem::take(&mut self.frame().flights);
                let mark = self.guard_mark.replace(self.log_mark());
                let value = self.call_obj(inner, args, at);
                let raised = std::mem::replace(&mut self.frame().flights, outer);
                // The guard runs around the body of a coroutine function, which runs when it is awaited.
                let value = self.guard_lazily(value, guard);
                for flight in self.filter(raised, guard) {
                    self.emit(flight);
                }
                self.guard_mark = mark;
                value
            }
            Obj::Guard(guard) => {
                // A retry object called with a function and its arguments, or used as a decorator.
                let Some((&first, _)) = args.pos.split_first() else {
                    return Value::UNKNOWN;
                };
                if let (Some(Obj::Class(class)), 1) = (self.v.only(first), args.pos.len()) {
                    let class = *class;
                    self.guard_methods(class, guard);
                    return first;
                }
                self.guarded_call(first, &args.rest(1), guard, at)
            }
            Obj::Managed(inner) => {
                let made = self.call_obj(inner, args, at);
                let mut result = Value::NOTHING;
                for obj in self.v.list(made) {
                    let one = match *self.v.get(obj) {
                        Obj::Generator(act, _) => self.v.one(Obj::Manager(act)),
                        _ => self.v.single(obj),
                    };
                    result = self.v.join(result, one);
                }
                result
            }
            Obj::Partial(func, pos, kw) => {
                if func == Value::NOTHING {
                    // A program's own partial of something unreachable has no receiver and name.
                    let [object, name, ..] = pos[..] else {
                        return Value::UNKNOWN;
                    };
                    return self.builtin_method(object, name, args, at);
                }
                if func == Value::UNKNOWN {
                    return pos.first().copied().unwrap_or(Value::UNKNOWN);
                }
                let mut all = Args {
                    pos,
                    kw,
                    ..Args::default()
                };
                all.pos.extend(&args.pos);
                all.kw.retain(|(n, _)| args.kw.iter().all(|(m, _)| m != n));
                all.kw.extend(args.kw.iter().copied());
                all.more = args.more;
                all.open = args.open;
                self.call(func, &all, at)
            }
            Obj::Instance(class, _) => {
                if let Some(method) = self.class_attr(class, obj, Symbol::new("__call__")) {
                    self.call(method, args, at)
                } else if self.is_decorated(args) && self.class_attr(class, obj, Symbol::new("__exit__")).is_some() {
                    self.decorated_within(obj, args)
                } else {
                    for ty in self.outside_types(class) {
                        if let Some(spec) = self.k.ty(ty).call {
                            return self.apply(spec, Some(obj), args, at);
                        }
                    }
                    self.call_unknown(args)
                }
            }
            Obj::Handle(handle) => match self.k.ty(handle.ty).call {
                Some(spec) => self.apply(spec, Some(obj), args, at),
                None => self.call_unknown(args),
            },
            Obj::Descriptor(_, inner) => self.call_obj(inner, args, at),
            Obj::Next => {
                self.call_next();
                Value::UNKNOWN
            }
            Obj::None => Value::NOTHING,
            _ => self.call_unknown(args),
        }
    }

    /// The arguments of a decorator: one function.
    fn is_decorated(&self, args: &Args) -> bool {
        args.kw.is_empty() && matches!(args.pos[..], [one] if self.is_callable(one))
    }

    /// A context manager used as a decorator.
    fn decorated_within(&mut self, manager: ObjId, args: &Args) -> Value {
        let functions = self.v.list(args.pos[0]).into_iter();
        let wrapped = functions.map(|f| self.v.obj(Obj::Within(manager, f))).collect();
        self.v.set(wrapped)
    }

    /// A call that leads out of what is known: coroutines handed over are taken to run here.
    fn call_unknown(&mut self, args: &Args) -> Value {
        let values: Vec<Value> = args
            .pos
            .iter()
            .copied()
            .chain(args.kw.iter().map(|(_, v)| *v))
            .collect();
        for value in values {
            for obj in self.v.list(value) {
                // A generator expression that is handed over is taken to be used up there.
                if let Obj::Comprehension(expr, env) = *self.v.get(obj) {
                    self.run_comprehension(expr, env, expr);
                }
                if matches!(self.v.get(obj), Obj::Coroutine(..)) {
                    let at = ExprRef {
                        unit: self.here().unit,
                        expr: args.places.first().copied().unwrap_or(ExprId(0)),
                    };
                    let value = self.v.single(obj);
                    self.await_value(value, at);
                }
            }
        }
        Value::UNKNOWN
    }

    /// True if the second expression lies within the first.
    fn encloses(&mut self, outer: ExprRef, inner: ExprRef) -> bool {
        if outer.unit != inner.unit {
            return false;
        }
        let Some(module) = self.world.module(outer.unit) else {
            return false;
        };
        let (a, b) = (module.expr(outer.expr).span, module.expr(inner.expr).span);
        a.start == b.start && a.end >= b.end
    }

    /// The function behind a callable, through wrappers.
    pub(super) fn function_of(&self, obj: ObjId) -> Option<FuncRef> {
        match self.v.get(obj) {
            Obj::Func(func, _) => Some(*func),
            Obj::Bound(_, inner)
            | Obj::Within(_, inner)
            | Obj::Guarded(inner, _)
            | Obj::Managed(inner)
            | Obj::Descriptor(_, inner) => self.function_of(*inner),
            Obj::Partial(func, ..) => self.v.objs(*func).iter().find_map(|&o| self.function_of(o)),
            _ => None,
        }
    }

    /// True for values that can be called with something of the program behind them.
    pub(super) fn is_callable(&self, value: Value) -> bool {
        self.v.objs(value).iter().any(|&o| {
            let obj = self.v.get(o);
            obj.is_function() || matches!(obj, Obj::Unbound(..) | Obj::Class(_))
        })
    }

    fn call_func(&mut self, func: FuncRef, env: EnvId, owner: Option<ClassRef>, args: &Args, at: ExprRef) -> Value {
        let Some(module) = self.world.module(func.unit) else {
            return Value::UNKNOWN;
        };
        let values = self.bind_args(&module, func, env, args);
        self.called.insert(func);
        let act = self.admit(Act {
            func,
            env,
            owner: owner.or_else(|| self.func_class.get(&func).copied()),
            args: values,
        });
        let Some(act) = act else { return Value::UNKNOWN };
        let f = module.func(func.func);
        if f.is_generator && self.coroutine_funcs.contains(&func) {
            self.emit_making(act, at);
            return self.v.one(Obj::Coroutine(act, Some(at)));
        }
        if f.is_generator {
            self.emit_making(act, at);
            return self.v.one(Obj::Generator(act, Some(at)));
        }
        if f.is_async && module.language == Language::Python {
            self.emit_making(act, at);
            return self.v.one(Obj::Coroutine(act, Some(at)));
        }
        let summary = self.summary(act);
        let mark = self.log_mark();
        self.forward(&summary, at);
        if self.cached_funcs.contains(&func) {
            self.cache_openings(mark);
        }
        if summary.diverges && !self.here().handlers.is_empty() && !summary.raises.is_empty() {
            self.raise(summary.raises.to_vec());
        }
        summary.ret
    }

    /// Remembers the making of a generator or coroutine, so that guards around it are known where it runs.
    fn emit_making(&mut self, act: ActId, at: ExprRef) {
        let summary = self.summary(act);
        if let Some(first) = summary.flights.iter().find(|f| f.making.is_none()) {
            let flight = Flight {
                making: Some(at),
                created: None,
                around: Around::Unknown,
                notes: Vec::new(),
                path: PathId::EMPTY,
                ..first.clone()
            };
            self.note(super::log::Event::Making(at));
            self.emit(flight);
        }
    }

    /// An error comes out of a generator or coroutine. If nothing in there encloses the making of what failed alone, the
    /// making of the generator itself is to be looked at.
    fn comes_out(flight: &mut Flight, made: Option<ExprRef>) {
        let told = flight.created.is_some() && flight.around != Around::Nothing;
        if flight.making.is_none() && made.is_some() && !told {
            flight.created = made;
            flight.around = Around::Unknown;
        }
    }

    /// The errors of a summary arrive at the caller.
    pub(super) fn forward(&mut self, summary: &Summary, at: ExprRef) {
        self.log.extend(summary.events.iter().copied());
        for flight in summary.flights.iter() {
            let mut flight = flight.clone();
            flight.path = self.path_prepend(at, flight.path);
            self.emit_joined(flight);
        }
        for (flight, place) in summary.kept.iter() {
            let mut flight = flight.clone();
            flight.path = self.path_prepend(at, flight.path);
            self.frame().kept.push((flight, *place));
        }
    }

    /// An exception is among what is returned, alone or in a tuple.
    fn gives_exception(&self, value: Value) -> bool {
        let is = |o: &ObjId| matches!(self.v.get(*o), Obj::Exception(_));
        self.v.objs(value).iter().any(|o| match self.v.get(*o) {
            Obj::Tuple(items) => items.iter().any(|i| self.v.objs(*i).iter().any(is)),
            _ => is(o),
        })
    }

    /// Emits unless the same error is on its way already along a path that is not longer.
    fn emit_joined(&mut self, mut flight: Flight) {
        self.arrive(&mut flight);
        if flight.making.is_none() && self.here().retried.contains(&flight.site) {
            return;
        }
        self.here().note_missed(&mut flight);
        let length = self.out.paths.length(flight.path);
        let index = self.frame().flights.iter().position(|f| f.is_same(&flight));
        match index {
            Some(index) => {
                let old = &self.frame().flights[index];
                let (old, untaken) = (old.path, old.marks.untaken.is_some());
                if (untaken, self.out.paths.length(old)) > (flight.marks.untaken.is_some(), length) {
                    self.frame().flights[index] = flight;
                }
            }
            None => self.frame().flights.push(flight),
        }
    }

    /// Limits the number of contexts that a function is evaluated in.
    pub(super) fn admit(&mut self, mut act: Act) -> Option<ActId> {
        let key = (act.func, act.env);
        if let Some(&id) = self.act_ids.get(&act)
            && (self.memo.contains_key(&id) || self.running.contains_key(&id))
        {
            return Some(id);
        }
        let count = self.contexts.get(&key).copied().unwrap_or(0);
        let named = |f: &crate::core::Func| {
            f.name
                .is_some_and(|n| matches!(n.as_str(), "__getattr__" | "__getattribute__" | "__getitem__"))
        };
        // A proxy is nothing without the name that it is asked for.
        let (constants, most) = match self.with_func(act.func, named) {
            Some(true) => (PROXY_CONTEXTS, PROXY_CONTEXTS),
            _ => (CONSTANTS, super::MAX_CONTEXTS),
        };
        if count >= constants {
            for value in &mut act.args {
                *value = self.v.without_constants(*value);
            }
            if let Some(&id) = self.act_ids.get(&act)
                && (self.memo.contains_key(&id) || self.running.contains_key(&id))
            {
                return Some(id);
            }
        }
        if count >= most || self.activations >= super::MAX_ACTIVATIONS {
            self.out.truncated |= self.activations >= super::MAX_ACTIVATIONS;
            return None;
        }
        self.contexts.insert(key, count + 1);
        Some(self.act(act))
    }

    /// What an activation does; evaluated once a round. A recursive call sees of the one still running what it returned in
    /// the round before.
    pub(super) fn summary(&mut self, act: ActId) -> Summary {
        if let Some(summary) = self.memo.get(&act) {
            return summary.clone();
        }
        let nothing = Summary::nothing();
        if let std::collections::hash_map::Entry::Occupied(mut e) = self.running.entry(act) {
            e.insert(true);
            let before = self.returned.get(&act).copied();
            return Summary {
                ret: before.filter(|v| !self.rust_carries(*v)).unwrap_or(nothing.ret),
                ..nothing
            };
        }
        let Some(frame) = self.new_frame(act, None) else {
            return nothing;
        };
        let Some(func) = frame.func else { return nothing };
        self.activations += 1;
        self.out.functions_evaluated += 1;
        self.running.insert(act, false);
        let log = self.log_mark();
        let storage = self.rust_storage_mark();
        let next_calls = self.next_calls;
        let endless_met = self.rust_endless_met();
        let decided = self.rust_decided();
        let mut frame = self.run_body(frame, |this, m| match m.language {
            Language::Python => this.exec_block(m, &m.func(func.func).body),
            Language::Rust => this.rust_run_body(m, func.func),
        });
        self.running.remove(&act);
        for ((obj, name), value) in std::mem::take(&mut frame.fields) {
            self.heap_join((obj, name), value);
            if let Some(caller) = self.frames.last_mut()
                && let Some(slot) = caller.fields.get_mut(&(obj, name))
            {
                *slot = value;
            }
        }
        let module = Arc::clone(&frame.module);
        let definition = module.func(func.func);
        let is_python = module.language == Language::Python;
        if !is_python {
            let ret = self.rust_result(&mut frame, func);
            if definition.params.first().is_some_and(|p| p.name.as_str() == "self") {
                self.rust_method_ended(storage, ret);
            }
            let summary = Summary {
                ret,
                yields: frame.yields,
                diverges: frame.dead && ret == Value::NOTHING,
                events: self.events_since(log).into(),
                connections: self.rust_events_since(storage),
                endless: self.rust_endless_met() > endless_met,
                decided: self.rust_decided() > decided,
                ..Summary::nothing()
            };
            self.log_rewind(log);
            self.rust_storage_rewind(storage);
            self.memo.insert(act, summary.clone());
            return summary;
        }
        let diverges = frame.dead && frame.ret == Value::NOTHING && frame.yields == Value::NOTHING;
        let mut ret = frame.ret;
        if is_python && !frame.dead {
            ret = self.v.join(ret, Value::NONE);
        }
        if let Some(annotation) = definition.returns
            && self.v.is_unknown(ret)
        {
            let frame = Frame::new(func.unit, Arc::clone(&module), self.acts[act.0 as usize].env);
            let mut declared = Value::NOTHING;
            self.run_body(frame, |this, m| declared = this.annotation(m, annotation));
            if !self.v.is_unknown(declared) {
                ret = declared;
            }
        }
        let mut flights = frame.flights;
        flights.dedup();
        if flights.iter().any(|f| f.making.is_some()) {
            let args = self.acts[act.0 as usize].args.clone();
            self.drop_consumed(&mut flights, [ret, frame.yields], args);
        }
        let mut kept = frame.kept;
        if !kept.is_empty() && !self.gives_exception(ret) {
            kept.clear();
        }
        let summary = Summary {
            ret,
            yields: frame.yields,
            flights: flights.into(),
            diverges,
            events: self.events_since(log).into(),
            raises: frame.raises.into(),
            kept: kept.into(),
            ..Summary::nothing()
        };
        // Whoever calls it brings the events in with the summary.
        self.log_rewind(log);
        if self.next_calls > next_calls {
            // What it calls on is another thing the next time.
            let act = &self.acts[act.0 as usize];
            if let Some(count) = self.contexts.get_mut(&(act.func, act.env)) {
                *count = count.saturating_sub(1);
            }
        } else {
            self.memo.insert(act, summary.clone());
        }
        summary
    }

    /// The making of a lazy object concerns the callers only if the object leaves the function: in its result, or in
    /// something that it was given. A guard of a caller encloses nothing else.
    fn drop_consumed(&mut self, flights: &mut Vec<Flight>, results: [Value; 2], args: Vec<Value>) {
        let mut left = FxHashSet::default();
        let mut seen: FxHashSet<ObjId> = FxHashSet::default();
        let mut todo: Vec<(Value, bool)> = results.into_iter().map(|v| (v, true)).collect();
        todo.extend(args.into_iter().map(|v| (v, false)));
        while let Some((value, result)) = todo.pop() {
            for obj in self.v.list(value) {
                if !seen.insert(obj) {
                    continue;
                }
                if seen.len() > MAX_SEARCHED {
                    return;
                }
                match self.v.get(obj) {
                    Obj::Handle(handle) => left.extend(handle.created),
                    Obj::Tuple(items) => todo.extend(items.iter().map(|v| (*v, result))),
                    Obj::Lazy(inner, _) => todo.push((*inner, result)),
                    // Their own making, and what they hold, are told by nothing here.
                    Obj::Generator(..)
                    | Obj::Coroutine(..)
                    | Obj::Comprehension(..)
                    | Obj::Pending(_)
                    | Obj::Running(..)
                        if result =>
                    {
                        return;
                    }
                    Obj::Instance(..) | Obj::List(_) | Obj::Dict(_) => {
                        todo.extend(self.heap_of(obj).map(|(_, v)| (v, result)));
                    }
                    _ => {}
                }
            }
        }
        flights.retain(|f| f.making.is_none_or(|made| left.contains(&made)));
    }

    /// A frame with the parameters bound.
    pub(super) fn new_frame(&mut self, act: ActId, thrown: Option<Vec<Flight>>) -> Option<Frame> {
        if self.frames.len() > super::MAX_DEPTH {
            return None;
        }
        let Act {
            func,
            env: parent,
            owner,
            args,
        } = self.acts[act.0 as usize].clone();
        let module = self.world.module(func.unit)?;
        let env = self.env(EnvKey::Act(act), Some(parent));
        let scope = &mut self.envs[env.0 as usize];
        scope.vars.clear();
        scope.elsewhere.clear();
        let first = args.first().copied();
        for (param, value) in module.func(func.func).params.iter().zip(args) {
            scope.vars.insert(param.name, value);
        }
        let scopes = match module.language {
            Language::Rust => Some(self.rust_scopes(func.unit, &module, super::rust::Holder::Func(func.func))),
            Language::Python => None,
        };
        let mut frame = Frame::new(func.unit, module, env);
        if let Some(scopes) = scopes {
            frame.rust.enter(scopes, func.func);
        }
        frame.func = Some(func);
        frame.owner = owner;
        frame.first = first;
        frame.thrown = thrown;
        Some(frame)
    }

    /// One value per parameter.
    pub(super) fn bind_args(&mut self, module: &Arc<Module>, func: FuncRef, env: EnvId, args: &Args) -> Vec<Value> {
        let params = &module.func(func.func).params;
        let defaults = self.defaults.get(&(func, env)).cloned();
        let mut values = vec![Value::NOTHING; params.len()];
        let mut next = 0;
        for (index, param) in params.iter().enumerate() {
            match param.kind {
                ParamKind::Normal | ParamKind::PositionalOnly => {
                    if let Some(&value) = args.pos.get(next) {
                        values[index] = value;
                        next += 1;
                    } else if let Some(more) = args.more {
                        values[index] = self.v.join(more, Value::UNKNOWN);
                    }
                }
                ParamKind::Star => {
                    let rest: Vec<Value> = args.pos.iter().skip(next).copied().collect();
                    next = args.pos.len().max(next);
                    values[index] = match args.more {
                        Some(more) => {
                            let all = self.join_all(&rest);
                            let all = self.v.join(all, more);
                            self.v.one(Obj::Lazy(
                                all,
                                ExprRef {
                                    unit: func.unit,
                                    expr: ExprId::OUTSIDE,
                                },
                            ))
                        }
                        None => self.v.one(Obj::Tuple(rest)),
                    };
                }
                ParamKind::KeywordOnly | ParamKind::DoubleStar => {}
            }
        }
        let mut left = Vec::new();
        for (name, value) in &args.kw {
            match params
                .iter()
                .position(|p| p.name == *name && !matches!(p.kind, ParamKind::Star | ParamKind::DoubleStar))
            {
                Some(index) => values[index] = *value,
                None => left.push((*name, *value)),
            }
        }
        for (index, param) in params.iter().enumerate() {
            match param.kind {
                ParamKind::DoubleStar => values[index] = self.v.one(Obj::Record(left.clone(), args.open)),
                ParamKind::Star => {}
                _ => {
                    if values[index] == Value::NOTHING {
                        values[index] = defaults
                            .as_ref()
                            .and_then(|d| d.get(index))
                            .copied()
                            .unwrap_or(Value::NOTHING);
                        if args.open || values[index] == Value::NOTHING {
                            values[index] = self.v.join(values[index], Value::UNKNOWN);
                        }
                    }
                    if self.v.is_unknown(values[index]) {
                        values[index] = self.declared_param(module, func, env, index, values[index]);
                    }
                }
            }
        }
        values
    }

    /// What the annotation, the default or the name of a parameter says of it.
    pub(super) fn declared_param(
        &mut self,
        module: &Arc<Module>,
        func: FuncRef,
        env: EnvId,
        index: usize,
        value: Value,
    ) -> Value {
        let param = &module.func(func.func).params[index];
        if let Some(annotation) = param.annotation {
            let mut declared = Value::NOTHING;
            let frame = Frame::new(func.unit, Arc::clone(module), env);
            self.run_body(frame, |this, m| declared = this.annotation(m, annotation));
            if !self.v.is_unknown(declared) {
                return self.v.join(declared, value);
            }
            return value;
        }
        let at = ExprRef {
            unit: func.unit,
            expr: ExprId(0),
        };
        match self.convention(param.name, at) {
            Some(handle) if value == Value::UNKNOWN => handle,
            _ => value,
        }
    }

    fn construct(&mut self, class: ClassRef, args: &Args, at: ExprRef) -> Value {
        let class_obj = self.v.obj(Obj::Class(class));
        let is_exception = self.classes.get(&class).is_some_and(|i| {
            i.outside
                .iter()
                .any(|p| self.k.error_class(self.k.canonical(p.as_str())).is_some())
        });
        let obj = if is_exception {
            Obj::Exception(class_obj)
        } else {
            Obj::Instance(class, Some(self.made(at)))
        };
        let id = self.v.obj(obj);
        if is_exception {
            return self.v.single(id);
        }
        let known = self.instances.entry(class).or_default();
        if !known.contains(&id) && known.len() < 64 {
            known.push(id);
        }
        self.construct_outside(class, id, args, at);
        if let Some(new) = self.class_attr(class, class_obj, Symbol::new("__new__")) {
            let first = self.v.single(class_obj);
            let made = self.call(new, &args.with_first(first), at);
            // A singleton: the same object each time, `__init__` is called on it again.
            let general = self.v.obj(Obj::Instance(class, None));
            if self.v.objs(made).contains(&general) {
                if let Some(init) = self.class_attr(class, general, Symbol::new("__init__")) {
                    self.call(init, args, at);
                }
                return self.v.single(general);
            }
            if self.v.objs(made).iter().any(|&o| {
                matches!(self.v.get(o), Obj::Instance(c, _) if *c != class) || matches!(self.v.get(o), Obj::Handle(_))
            }) {
                return made;
            }
            let own: Vec<ObjId> = self
                .v
                .list(made)
                .into_iter()
                .filter(|&o| self.is_object_of(o, class))
                .collect();
            if !own.is_empty() {
                for &obj in &own {
                    let known = self.instances.entry(class).or_default();
                    if !known.contains(&obj) && known.len() < 64 {
                        known.push(obj);
                    }
                    self.initialise(class, obj, args, at);
                }
                return self.v.set(own);
            }
        }
        self.initialise(class, id, args, at);
        self.v.single(id)
    }

    fn is_object_of(&self, obj: ObjId, class: ClassRef) -> bool {
        matches!(self.v.get(obj), Obj::Instance(own, _) if *own == class)
    }

    fn initialise(&mut self, class: ClassRef, id: ObjId, args: &Args, at: ExprRef) {
        if let Some(init) = self.class_attr(class, id, Symbol::new("__init__")) {
            self.call(init, args, at);
        } else {
            self.fill_fields(class, id, args);
        }
        if let Some(post) = self.class_attr(class, id, Symbol::new("__post_init__")) {
            self.call(post, &Args::default(), at);
        }
    }

    /// Classes without an `__init__` whose body declares fields take them as arguments (dataclasses, named tuples, models).
    fn fill_fields(&mut self, class: ClassRef, obj: ObjId, args: &Args) {
        let Some(info) = self.classes.get(&class) else { return };
        let mut fields = Vec::new();
        for ancestor in info.mro.clone().iter().rev() {
            if let Some(info) = self.classes.get(ancestor) {
                fields.extend(info.fields.iter().map(|(n, _)| *n));
            }
        }
        for (name, value) in fields.iter().zip(&args.pos) {
            self.heap_join((obj, *name), *value);
        }
        for (name, value) in &args.kw {
            self.heap_join((obj, *name), *value);
        }
    }

    fn call_external(&mut self, path: Symbol, args: &Args, at: ExprRef) -> Value {
        if let Some((original, flight)) = &self.in_funnel
            && *original == path
        {
            let flight = flight.clone();
            self.emit(flight);
            return Value::UNKNOWN;
        }
        if let Some(value) = self.builtin(path, args, at) {
            return value;
        }
        if let Some(value) = self.made_object(path, args, at) {
            return value;
        }
        match self.k.item(path) {
            Some(Item::Type(ty)) => self.open(ty, args, at),
            Some(Item::Object(_)) => self.call_unknown(args),
            Some(Item::Function(spec)) => {
                self.configured(&[path], args, None, at);
                let value = self.apply(spec, None, args, at);
                if value == Value::UNKNOWN && self.k.error_class(path).is_some() {
                    let class = self.v.obj(Obj::External(path));
                    return self.v.one(Obj::Exception(class));
                }
                value
            }
            Some(Item::Error(_)) => {
                let class = self.v.obj(Obj::External(path));
                self.v.one(Obj::Exception(class))
            }
            None => {
                // A decorator that nothing is known of leaves the function as it is.
                if args.pos.len() == 1 && args.kw.is_empty() && self.is_callable(args.pos[0]) {
                    return args.pos[0];
                }
                match self.unknown_guard(path, args, at) {
                    Some(value) => value,
                    None => self.call_unknown(args),
                }
            }
        }
    }

    /// A function of which nothing is known, but that it is given a driver's exceptions or a retry library's condition:
    /// `@retried(on=AutoReconnect)`, `with ignored(AutoReconnect)`. It receives them, whatever it does then.
    fn unknown_guard(&mut self, path: Symbol, args: &Args, at: ExprRef) -> Option<Value> {
        let mut covers = Vec::new();
        for &value in args.pos.iter().chain(args.kw.iter().map(|(_, v)| v)) {
            self.conditions_in(value, 0, &mut covers);
        }
        let driver = |this: &Self, o: &ObjId| matches!(this.v.get(*o), Obj::External(c) if this.is_driver_error(*c));
        if !covers.iter().any(|o| driver(self, o)) {
            return None;
        }
        let (lib, _) = covers.iter().find_map(|o| match self.v.get(*o) {
            Obj::External(class) => self.k.error_class(*class),
            _ => None,
        })?;
        let guard = super::Guard {
            lib,
            name: path.to_string(),
            covers: Some(covers),
            not: Vec::new(),
            predicates: Vec::new(),
            place: self.place_of(at),
            retries: false,
            limited: true,
            waits: true,
            silent: false,
        };
        let guard = self.push_guard(guard);
        let called = args.pos.first().copied().filter(|f| self.is_callable(*f));
        let Some(function) = called else {
            return Some(self.v.one(Obj::Guard(guard)));
        };
        let mut guarded = Value::NOTHING;
        for obj in self.v.list(function) {
            let one = self.v.one(Obj::Guarded(obj, guard));
            guarded = self.v.join(guarded, one);
        }
        if args.pos.len() == 1 {
            return Some(guarded);
        }
        Some(self.call(guarded, &args.rest(1), at))
    }

    /// A driver's exception classes in an argument, and those of a retry library's condition. Asked of every call of which
    /// nothing is known, so only what is written out is looked at.
    fn conditions_in(&self, value: Value, depth: u32, covers: &mut Vec<ObjId>) {
        let objs = self.v.objs(value);
        if objs.len() > MAX_CONDITIONS {
            return;
        }
        for &obj in objs {
            match self.v.get(obj) {
                Obj::Covers(classes) => covers.extend(classes),
                Obj::External(class) if self.is_driver_error(*class) => covers.push(obj),
                Obj::Tuple(items) if depth < 2 && items.len() <= MAX_CONDITIONS => {
                    for &item in items {
                        self.conditions_in(item, depth + 1, covers);
                    }
                }
                _ => {}
            }
        }
    }

    fn is_driver_error(&self, class: Symbol) -> bool {
        let role = |lib| self.k.library(lib).file.library.role;
        self.k.error_class(class).is_some_and(|(lib, _)| {
            matches!(
                role(lib),
                crate::knowledge::Role::Driver | crate::knowledge::Role::Layer
            )
        })
    }

    /// A guard around each public method of a class.
    fn guard_methods(&mut self, class: ClassRef, guard: crate::resolve::value::GuardId) {
        let Some(env) = self.classes.get(&class).map(|i| i.env) else {
            return;
        };
        let vars: Vec<(Symbol, Value)> = self.envs[env.0 as usize].vars.iter().map(|(n, v)| (*n, *v)).collect();
        for (name, value) in vars {
            if name.as_str().starts_with('_') {
                continue;
            }
            let mut wrapped = Value::NOTHING;
            for obj in self.v.list(value) {
                let one = match self.v.get(obj) {
                    Obj::Func(..) => self.v.one(Obj::Guarded(obj, guard)),
                    _ => self.v.single(obj),
                };
                wrapped = self.v.join(wrapped, one);
            }
            self.envs[env.0 as usize].vars.insert(name, wrapped);
        }
    }

    /// Functions of the language itself whose meaning depends on evaluation.
    fn builtin(&mut self, path: Symbol, args: &Args, at: ExprRef) -> Option<Value> {
        let first = args.pos.first().copied();
        Some(match path.as_str() {
            "super" => self.super_object(args),
            "property" | "functools.cached_property" | "abc.abstractproperty" => {
                let getter = first.or_else(|| args.named("fget"))?;
                if path.as_str() == "functools.cached_property" {
                    for obj in self.v.list(getter) {
                        if let Some(func) = self.function_of(obj) {
                            self.cached_funcs.insert(func);
                        }
                    }
                }
                self.descriptor(Descriptor::Property, getter)
            }
            "staticmethod" => self.descriptor(Descriptor::Static, first?),
            "classmethod" => self.descriptor(Descriptor::Class, first?),
            "getattr" => {
                let name = args.pos.get(1).and_then(|&n| self.v.text(n));
                let found = match name {
                    Some(name) => self.attr(first?, name, at),
                    None => self.any_attr(first?),
                };
                match args.pos.get(2) {
                    Some(&default) if found == Value::UNKNOWN => self.v.join(found, default),
                    _ => found,
                }
            }
            "setattr" => {
                let value = *args.pos.get(2)?;
                if let Some(name) = args.pos.get(1).and_then(|&n| self.v.text(n)) {
                    self.set_attr(first?, name, value);
                }
                Value::NONE
            }
            "hasattr" => self.v.one(Obj::Bool(None)),
            "callable" => {
                let value = first?;
                let known = self.is_callable(value).then_some(true);
                let known = known.or_else(|| self.is_plain(value).then_some(false));
                self.v.one(Obj::Bool(known))
            }
            "inspect.iscoroutinefunction" | "asyncio.iscoroutinefunction" => {
                let known = self.is_function_that(first?, |is_async, is_generator| is_async && !is_generator);
                self.v.one(Obj::Bool(known))
            }
            "inspect.isasyncgenfunction" => {
                let known = self.is_function_that(first?, |is_async, is_generator| is_async && is_generator);
                self.v.one(Obj::Bool(known))
            }
            "inspect.isgeneratorfunction" => {
                let known = self.is_function_that(first?, |is_async, is_generator| !is_async && is_generator);
                self.v.one(Obj::Bool(known))
            }
            "inspect.isfunction" => {
                let functions = |o: &ObjId| matches!(self.v.get(*o), Obj::Func(..));
                let known = self.v.objs(first?).iter().all(functions).then_some(true);
                self.v.one(Obj::Bool(known))
            }
            "isinstance" | "issubclass" => {
                let truth = self.is_instance(first?, *args.pos.get(1)?);
                self.v.one(Obj::Bool(truth))
            }
            "type" if args.pos.len() == 1 => self.type_of(first?),
            "vars" if args.pos.len() == 1 => self.namespace(first?),
            "inspect.getmembers" => {
                let members = self.methods_of(first?, at)?;
                let mut pairs = Vec::new();
                for (name, method) in members {
                    let name = self.v.one(Obj::Str(Some(name), None));
                    pairs.push(self.v.one(Obj::Tuple(vec![name, method])));
                }
                self.v.one(Obj::Tuple(pairs))
            }
            "dir" if args.pos.len() == 1 && matches!(self.v.only(first?), Some(Obj::Instance(..))) => {
                let members = self.methods_of(first?, at)?;
                let names = members
                    .into_iter()
                    .map(|(name, _)| self.v.one(Obj::Str(Some(name), None)));
                let names = names.collect();
                self.v.one(Obj::Tuple(names))
            }
            "dir" if args.pos.len() == 1 => match self.namespace(first?) {
                namespace if self.v.is_unknown(namespace) => Value::UNKNOWN,
                namespace => match self.v.only(namespace).cloned() {
                    Some(Obj::Record(fields, _)) => {
                        let names = fields
                            .into_iter()
                            .map(|(name, _)| self.v.one(Obj::Str(Some(name), None)))
                            .collect();
                        self.v.one(Obj::Tuple(names))
                    }
                    _ => Value::UNKNOWN,
                },
            },
            "globals" => {
                let unit = self.here().unit;
                self.v.one(Obj::Module(unit))
            }
            "vars" | "locals" => Value::UNKNOWN,
            "str" | "repr" | "unicode" | "bytes" => match first {
                Some(value) if self.v.text(value).is_some() => value,
                _ => self.v.one(Obj::Str(None, None)),
            },
            "int" | "float" => self.v.one(Obj::Number),
            "dict" => {
                let mut fields = args.kw.clone();
                let mut open = args.open;
                if let Some(first) = first {
                    for obj in self.v.list(first) {
                        match self.v.get(obj).clone() {
                            Obj::Record(more, more_open) => {
                                open |= more_open;
                                fields.extend(more);
                            }
                            Obj::Dict(_) => {
                                for key in self.keys(obj) {
                                    let name = Symbol::new(&format!("[{key}]"));
                                    if let Some(value) = self.heap_get((obj, name)) {
                                        fields.push((key, value));
                                    }
                                }
                            }
                            _ => {
                                let value = self.v.single(obj);
                                self.iterate(value, at, Consumes::All);
                                open = true;
                            }
                        }
                    }
                }
                let dict = self.new_dict(at);
                for (name, value) in fields {
                    self.heap_join((dict, Symbol::new(&format!("[{name}]"))), value);
                }
                if open {
                    self.heap_join((dict, Symbol::new("*")), Value::UNKNOWN);
                }
                self.v.single(dict)
            }
            _ => return None,
        })
    }

    fn descriptor(&mut self, kind: Descriptor, value: Value) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.v.one(Obj::Descriptor(kind, obj));
            result = self.v.join(result, one);
        }
        result
    }

    /// An attribute whose name is not known: whatever the program stored there.
    fn any_attr(&mut self, value: Value) -> Value {
        let mut result = Value::UNKNOWN;
        for obj in self.v.list(value) {
            if let Obj::Handle(handle) = self.v.get(obj).clone() {
                let entry = self.k.ty(handle.ty);
                if let Some(reference) = entry.spec.attribute.clone() {
                    let lib = entry.lib;
                    let typed = self.typed(&reference, lib, obj, None);
                    result = self.v.join(result, typed);
                }
            }
        }
        result
    }

    fn super_object(&mut self, args: &Args) -> Value {
        let frame = self.here();
        let class = match args.pos.first() {
            Some(&value) => match self.v.only(value) {
                Some(Obj::Class(class)) => Some(*class),
                _ => frame.owner,
            },
            None => frame.owner,
        };
        let object = args.pos.get(1).copied().or(frame.first);
        let (Some(class), Some(object)) = (class, object) else {
            return Value::UNKNOWN;
        };
        let mut result = Value::NOTHING;
        for obj in self.v.list(object) {
            if matches!(self.v.get(obj), Obj::Instance(..) | Obj::Class(_)) {
                let one = self.v.one(Obj::Super(class, obj));
                result = self.v.join(result, one);
            }
        }
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }

    fn type_of(&mut self, value: Value) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Instance(class, _) => self.v.one(Obj::Class(class)),
                Obj::Exception(class) => self.v.single(class),
                Obj::Handle(handle) => match self.k.ty(handle.ty).spec.paths.first().cloned() {
                    Some(path) => self.external(&path),
                    None => Value::UNKNOWN,
                },
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// `isinstance` where it can be told: of exceptions and of objects of the program.
    pub(super) fn is_instance(&mut self, value: Value, classes: Value) -> Option<bool> {
        let classes = self.class_objects(classes);
        if classes
            .iter()
            .any(|&c| !matches!(self.v.get(c), Obj::External(_) | Obj::Class(_)))
        {
            return None;
        }
        let mut all = None;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Exception(_) | Obj::External(_) => {
                    let class = self.exception_class(obj)?;
                    classes.iter().any(|&c| self.is_subclass_obj(class, c))
                }
                Obj::Class(_) => classes.iter().any(|&c| self.is_subclass_obj(obj, c)),
                Obj::Handle(_) | Obj::Method(..) | Obj::Func(..) | Obj::Bound(..) | Obj::List(_) | Obj::Dict(_) => {
                    let handle = match self.v.get(obj) {
                        Obj::Handle(handle) => Some(*handle),
                        _ => None,
                    };
                    let plain = matches!(self.v.get(obj), Obj::List(_) | Obj::Dict(_));
                    let mut any = Some(false);
                    for &class in &classes {
                        let of = self.v.get(class).clone();
                        let one = match of {
                            Obj::External(path) => match self.k.item(path) {
                                Some(Item::Type(_)) if handle.is_none() => Some(false),
                                _ if plain => None,
                                _ => self.is_instance_outside(handle.as_ref(), path),
                            },
                            // A class of the program below the driver's own.
                            Obj::Class(class) if handle.is_some_and(|h| self.is_below(class, h.ty)) => None,
                            _ => Some(false),
                        };
                        any = match (any, one) {
                            (Some(true), _) | (_, Some(true)) => Some(true),
                            (None, _) | (_, None) => None,
                            _ => Some(false),
                        };
                    }
                    any?
                }
                Obj::Instance(class, _) => {
                    let class = self.v.obj(Obj::Class(class));
                    if !classes.iter().any(|&c| matches!(self.v.get(c), Obj::Class(_))) {
                        return None;
                    }
                    let is = classes.iter().any(|&c| self.is_subclass_obj(class, c));
                    // What a query or an annotation gives may be of a class further down.
                    if !is && classes.iter().any(|&c| self.is_subclass_obj(c, class)) {
                        return None;
                    }
                    is
                }
                _ => return None,
            };
            if all.is_some_and(|a| a != one) {
                return None;
            }
            all = Some(one);
        }
        all
    }

    /// Values of built-in types that are no functions.
    fn is_plain(&self, value: Value) -> bool {
        let objs = self.v.objs(value);
        let plain = |&o: &ObjId| {
            matches!(
                self.v.get(o),
                Obj::None
                    | Obj::Bool(_)
                    | Obj::Int(_)
                    | Obj::Number
                    | Obj::Str(..)
                    | Obj::List(_)
                    | Obj::Dict(_)
                    | Obj::Record(..)
                    | Obj::Tuple(_)
            )
        };
        !objs.is_empty() && objs.iter().all(plain)
    }

    /// `iscoroutinefunction` and its kin, of functions of the program and of a driver's methods: `kind` is told whether
    /// one is asynchronous and whether it is a generator.
    fn is_function_that(&mut self, value: Value, kind: fn(bool, bool) -> bool) -> Option<bool> {
        let mut all = None;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Method(recv, spec, _) => {
                    let Obj::Handle(handle) = self.v.get(recv) else {
                        return None;
                    };
                    let call = &self.k.call(spec).call;
                    let waits = call.trip.is_some() || call.consumes.is_some();
                    kind(
                        waits && call.awaited.unwrap_or(self.k.ty(handle.ty).spec.awaited),
                        false,
                    )
                }
                Obj::Func(..) | Obj::Bound(..) => {
                    let func = self.function_of(obj)?;
                    self.with_func(func, |f| kind(f.is_async, f.is_generator))?
                }
                Obj::Handle(_) => false,
                _ => {
                    let one = self.v.single(obj);
                    if !self.is_plain(one) {
                        return None;
                    }
                    false
                }
            };
            if all.is_some_and(|a| a != one) {
                return None;
            }
            all = Some(one);
        }
        all
    }

    /// A driver's object, or a function, and a class of a library: its own class, none that is known to be another, or not known.
    fn is_instance_outside(&self, handle: Option<&crate::resolve::value::Handle>, class: Symbol) -> Option<bool> {
        match (self.k.item(class), handle) {
            (Some(Item::Type(ty)), Some(handle)) if ty == handle.ty => Some(true),
            // Descriptions inherit from each other where the classes do not.
            (Some(Item::Type(ty)), Some(handle)) if self.k.ty(handle.ty).lineage.contains(&ty) => None,
            (Some(Item::Type(_)), _) => Some(false),
            _ if matches!(
                class.as_str(),
                "dict" | "list" | "tuple" | "set" | "frozenset" | "str" | "bytes" | "int" | "float" | "bool"
            ) =>
            {
                Some(false)
            }
            _ => None,
        }
    }

    fn exception_class(&self, obj: ObjId) -> Option<ObjId> {
        match self.v.get(obj) {
            Obj::Exception(class) => Some(*class),
            Obj::External(path) if self.k.error_class(*path).is_some() => Some(obj),
            _ => None,
        }
    }

    /// Made by a call, not by a display.
    fn is_made_by_call(&mut self, at: ExprRef) -> bool {
        self.world
            .module(at.unit)
            .is_some_and(|m| matches!(m.expr(at.expr).kind, crate::core::ExprKind::Call { .. }))
    }

    /// A method of a built-in type: containers, strings, functions.
    fn builtin_method(&mut self, receiver: Value, name: Value, args: &Args, at: ExprRef) -> Value {
        let Some(name) = self.v.text(name) else {
            return Value::UNKNOWN;
        };
        let Some(&obj) = self.v.objs(receiver).first() else {
            return Value::NOTHING;
        };
        let any = Symbol::new("*");
        match (self.v.get(obj).clone(), name.as_str()) {
            (Obj::List(_), "append" | "add" | "appendleft" | "put" | "put_nowait") => {
                if let Some(&value) = args.pos.first() {
                    self.heap_join((obj, any), value);
                }
                Value::NONE
            }
            (Obj::List(_), "insert") => {
                if let Some(&value) = args.pos.get(1) {
                    self.heap_join((obj, any), value);
                }
                Value::NONE
            }
            (Obj::List(_), "extend" | "update") => {
                if let Some(&value) = args.pos.first() {
                    let items = self.iterate(value, at, Consumes::All);
                    self.heap_join((obj, any), items);
                }
                Value::NONE
            }
            (Obj::List(made), "pop" | "popleft" | "copy" | "get" | "get_nowait") => {
                // A queue, as opposed to a list that is written out.
                if name.as_str() == "get" && self.is_made_by_call(made.at) {
                    self.note(super::log::Event::Block);
                }
                if name.as_str() == "copy" {
                    receiver
                } else {
                    self.entries(obj)
                }
            }
            (Obj::Dict(_) | Obj::Record(..), "get" | "pop" | "setdefault" | "__getitem__") => {
                let Some(&key) = args.pos.first() else {
                    return Value::UNKNOWN;
                };
                if name.as_str() == "pop" {
                    let entry = self.item_name(key);
                    self.note(super::log::Event::Clear(obj, entry));
                }
                if name.as_str() == "setdefault"
                    && let Some(&value) = args.pos.get(1)
                {
                    self.set_item(receiver, key, value);
                }
                let found = self.item(receiver, key, at, false);
                let default = args.pos.get(1).copied().unwrap_or(Value::NONE);
                self.v.join(found, default)
            }
            (Obj::Dict(_), "update") => {
                for (key, value) in &args.kw {
                    self.heap_join((obj, Symbol::new(&format!("[{key}]"))), *value);
                }
                if let Some(&other) = args.pos.first() {
                    for from in self.v.list(other) {
                        match self.v.get(from).clone() {
                            Obj::Dict(_) => {
                                for key in self.keys(from) {
                                    let name = Symbol::new(&format!("[{key}]"));
                                    let value = self.heap_get((from, name)).unwrap_or(Value::NOTHING);
                                    self.heap_join((obj, name), value);
                                    self.entry_places.insert((obj, key), at);
                                }
                            }
                            Obj::Record(fields, _) => {
                                for (key, value) in fields {
                                    self.heap_join((obj, Symbol::new(&format!("[{key}]"))), value);
                                }
                            }
                            _ => self.heap_join((obj, any), Value::UNKNOWN),
                        }
                    }
                }
                Value::NONE
            }
            (Obj::Dict(_), "values") => {
                let all = self.entries(obj);
                self.v.one(Obj::Tuple(vec![all]))
            }
            (Obj::Dict(_), "items") => {
                let key = self.v.one(Obj::Str(None, None));
                let all = self.entries(obj);
                let pair = self.v.one(Obj::Tuple(vec![key, all]));
                self.v.one(Obj::Tuple(vec![pair]))
            }
            (Obj::Record(fields, false), "items") if fields.len() <= 16 => {
                let pairs: Vec<Value> = fields
                    .iter()
                    .map(|(name, value)| {
                        let name = self.v.one(Obj::Str(Some(*name), None));
                        self.v.one(Obj::Tuple(vec![name, *value]))
                    })
                    .collect();
                self.v.one(Obj::Tuple(pairs))
            }
            (Obj::Record(fields, _), "items" | "values") => {
                let all: Vec<Value> = fields.iter().map(|(_, v)| *v).collect();
                let all = self.join_all(&all);
                if name.as_str() == "values" {
                    return self.v.one(Obj::Tuple(vec![all]));
                }
                let key = self.v.one(Obj::Str(None, None));
                let pair = self.v.one(Obj::Tuple(vec![key, all]));
                self.v.one(Obj::Tuple(vec![pair]))
            }
            (Obj::Dict(_) | Obj::Record(..), "keys" | "copy") => receiver,
            (Obj::Str(..), "format") => {
                let text = self.v.text(receiver).map(|t| t.as_str().to_owned());
                match text {
                    Some(text) => {
                        let text = blank_fields(&text);
                        self.v.one(Obj::Str(Some(Symbol::new(&text)), None))
                    }
                    None => self.v.one(Obj::Str(None, None)),
                }
            }
            (Obj::Str(..), "join") => {
                if let Some(&items) = args.pos.first() {
                    self.iterate(items, at, Consumes::All);
                }
                self.v.one(Obj::Str(None, None))
            }
            (Obj::Str(..), "strip" | "lower" | "upper" | "rstrip" | "lstrip" | "encode" | "decode") => receiver,
            (Obj::Str(..), _) => self.v.one(Obj::Str(None, None)),
            (
                Obj::Generator(..) | Obj::Lazy(..) | Obj::Comprehension(..),
                "__next__" | "next" | "send" | "__anext__" | "asend",
            ) => self.iterate(receiver, at, Consumes::Next),
            (Obj::Generator(..) | Obj::Lazy(..), "__iter__" | "__aiter__") => receiver,
            (Obj::Func(..) | Obj::Bound(..) | Obj::Guarded(..) | Obj::Partial(..), "__call__") => {
                self.call(receiver, args, at)
            }
            (Obj::Guarded(inner, _), "retry_with" | "__wrapped__") => self.v.single(inner),
            (Obj::Guard(guard), "call" | "__call__" | "acall") => {
                let Some(&func) = args.pos.first() else {
                    return Value::UNKNOWN;
                };
                self.guarded_call(func, &args.rest(1), guard, at)
            }
            (Obj::Guard(guard), "wraps") => match args.pos.first() {
                Some(&func) => self.wrap_guard(func, guard),
                None => Value::UNKNOWN,
            },
            (Obj::Running(value, spec, started), _) => {
                let joins = self.k.call(spec).call.joins.clone();
                if joins.as_deref() == Some(name.as_str()) {
                    self.joined.insert(started);
                    return self.join_running(value, at);
                }
                Value::UNKNOWN
            }
            _ => Value::UNKNOWN,
        }
    }

    // Laziness

    pub(super) fn run_generator(&mut self, act: ActId, made: Option<ExprRef>, at: ExprRef) -> Value {
        let summary = self.summary(act);
        self.log.extend(summary.events.iter().copied());
        for flight in summary.flights.iter() {
            let mut flight = flight.clone();
            Self::comes_out(&mut flight, made.or(Some(at)));
            flight.path = self.path_prepend(at, flight.path);
            self.emit_joined(flight);
        }
        summary.yields
    }

    /// Waits for coroutines and drivers' awaitables here; other values are as they are.
    pub(super) fn await_value(&mut self, value: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Coroutine(act, made) => {
                    let mut summary = self.summary(act);
                    if made.is_some() {
                        let mut flights = summary.flights.to_vec();
                        for flight in &mut flights {
                            Self::comes_out(flight, made);
                        }
                        summary.flights = flights.into();
                    }
                    self.forward(&summary, at);
                    if summary.diverges && !self.here().handlers.is_empty() && !summary.raises.is_empty() {
                        self.raise(summary.raises.to_vec());
                    }
                    summary.ret
                }
                Obj::Pending(id) => self.await_pending(id, at),
                Obj::Handle(handle) => match self.k.ty(handle.ty).on_await {
                    Some(spec) => self.apply(spec, Some(obj), &Args::default(), at),
                    None => self.v.single(obj),
                },
                Obj::Guarded(inner, guard) if matches!(self.v.get(inner), Obj::Coroutine(..) | Obj::Pending(_)) => {
                    let outer = std::mem::take(&mut self.frame().flights);
                    let inner = self.v.single(inner);
                    let value = self.await_value(inner, at);
                    let raised = std::mem::replace(&mut self.frame().flights, outer);
                    for flight in self.filter(raised, guard) {
                        self.emit(flight);
                    }
                    value
                }
                Obj::Running(inner, _, started) => {
                    self.joined.insert(started);
                    self.join_running(inner, at)
                }
                Obj::Tuple(items) => {
                    let items = items.iter().map(|&i| self.await_value(i, at)).collect();
                    self.v.one(Obj::Tuple(items))
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// The value and the errors of something that runs elsewhere arrive here.
    pub(super) fn join_running(&mut self, value: Value, at: ExprRef) -> Value {
        // A task that starts itself again.
        if self.joining.contains(&value) {
            return Value::UNKNOWN;
        }
        self.joining.push(value);
        let result = self.join_running_once(value, at);
        self.joining.pop();
        result
    }

    fn join_running_once(&mut self, value: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                // It runs by itself: what encloses its making says nothing.
                Obj::Coroutine(act, _) => {
                    let value = self.v.one(Obj::Coroutine(act, None));
                    self.await_value(value, at)
                }
                Obj::Pending(_) | Obj::Guarded(..) => {
                    let value = self.v.single(obj);
                    self.await_value(value, at)
                }
                Obj::Partial(..) => {
                    let called = self.call_obj(obj, &Args::default(), at);
                    self.await_value(called, at)
                }
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// A guard around a coroutine function guards when the coroutine is awaited.
    fn guard_lazily(&mut self, value: Value, guard: crate::resolve::value::GuardId) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj) {
                Obj::Coroutine(..) | Obj::Pending(_) => self.v.one(Obj::Guarded(obj, guard)),
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    pub(super) fn guarded_call(
        &mut self,
        func: Value,
        args: &Args,
        guard: crate::resolve::value::GuardId,
        at: ExprRef,
    ) -> Value {
        let outer = std::mem::take(&mut self.frame().flights);
        let mark = self.guard_mark.replace(self.log_mark());
        let value = self.call(func, args, at);
        let raised = std::mem::replace(&mut self.frame().flights, outer);
        for flight in self.filter(raised, guard) {
            self.emit(flight);
        }
        self.guard_mark = mark;
        self.guard_lazily(value, guard)
    }

    pub(super) fn wrap_guard(&mut self, func: Value, guard: crate::resolve::value::GuardId) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(func) {
            let one = match self.v.get(obj) {
                Obj::Unknown | Obj::None => self.v.single(obj),
                _ => self.v.one(Obj::Guarded(obj, guard)),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// Applies a decorator.
    pub(super) fn decorate(&mut self, with: Value, value: Value, at: ExprRef) -> Value {
        let args = Args::positional(vec![value]);
        let result = self.call(with, &args, at);
        let known = self
            .v
            .list(result)
            .into_iter()
            .filter(|&o| !matches!(self.v.get(o), Obj::Unknown | Obj::None))
            .collect::<Vec<_>>();
        if known.is_empty() { value } else { self.v.set(known) }
    }

    // Context managers

    /// What `with value as x` binds.
    pub(super) fn enter(&mut self, value: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Manager(act) => {
                    let summary = self.summary(act);
                    self.forward(&summary, at);
                    summary.yields
                }
                Obj::Instance(class, _) => {
                    let mut entered = Value::NOTHING;
                    for name in ["__enter__", "__aenter__"] {
                        if let Some(method) = self.class_attr(class, obj, Symbol::new(name)) {
                            let called = self.call(method, &Args::default(), at);
                            let called = self.await_value(called, at);
                            entered = self.v.join(entered, called);
                        }
                    }
                    if entered == Value::NOTHING || self.v.is_unknown(entered) {
                        self.v.single(obj)
                    } else {
                        entered
                    }
                }
                Obj::Handle(handle) => {
                    let entry = self.k.ty(handle.ty);
                    let (on_enter, enter, lib) = (entry.on_enter, entry.spec.enter.clone(), entry.lib);
                    if let Some(spec) = on_enter {
                        self.apply(spec, Some(obj), &Args::default(), at);
                    }
                    match enter {
                        Some(reference) => {
                            let entered = self.typed(&reference, lib, obj, None);
                            self.opened(entered, obj, true, at)
                        }
                        None => self.v.single(obj),
                    }
                }
                Obj::Pending(id) => self.await_pending(id, at),
                Obj::Unknown => Value::UNKNOWN,
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }
}

/// Contexts with constants told apart.
const CONSTANTS: u32 = super::CONSTANT_CONTEXTS;
/// Contexts of the methods by which an object answers for another one.
const PROXY_CONTEXTS: u32 = 600;

/// `{name}` in a format string becomes U+FFFD.
fn blank_fields(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => {
                depth += 1;
                if depth == 1 {
                    out.push('\u{fffd}');
                }
            }
            '}' => depth = (depth - 1).max(0),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
