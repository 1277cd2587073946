//! Calls of functions and closures, awaiting, and what constructors of the language make.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::call::Args;
use super::super::flight::{Error, Flight, PathId, Stop};
use super::super::{Act, EnvKey, Frame, Interp, Summary};
use super::paths::Holder;
use super::pattern::constructor;
use crate::core::{Arg, ClassKind, ExprId, ExprKind, FuncId, Module, Span, Symbol};
use crate::knowledge::Item;
use crate::resolve::value::{ActId, EnvId, ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

impl Interp<'_> {
    pub(super) fn rust_eval_call(&mut self, m: &Module, at: ExprRef, callee: ExprId, args: &[Arg]) -> Value {
        if let ExprKind::Attr {
            base,
            name,
            path: false,
            ..
        } = m.expr(callee).kind
        {
            return self.rust_eval_method(m, at, callee, base, name, args);
        }
        let target = match &m.expr(callee).kind {
            ExprKind::Lambda(func) => self.rust_closure(m, *func, self.expr_ref(callee)),
            _ => self.eval(m, callee),
        };
        let target = self.rust_resolved(target);
        let args = self.rust_args(m, args);
        if self.here().dead {
            return Value::NOTHING;
        }
        self.read_env_call(m, callee, target, &args, at);
        self.call(target, &args, at)
    }

    /// Calls one thing.
    pub(in crate::flow) fn rust_call_obj(&mut self, obj: ObjId, args: &Args, at: ExprRef) -> Value {
        match self.v.get(obj).clone() {
            Obj::Func(func, env) => self.rust_call(func, env, args, at),
            Obj::Bound(receiver, inner) => {
                let first = self.v.single(receiver);
                self.rust_call_obj(inner, &args.with_first(first), at)
            }
            Obj::Class(class) => match self.rust_kind(class) {
                Some(ClassKind::Struct) => {
                    let made = self.rust_make(class, at);
                    for (index, value) in args.pos.iter().enumerate() {
                        self.rust_init_field(made, Symbol::new(&index.to_string()), *value);
                    }
                    self.v.single(made)
                }
                _ => Value::UNKNOWN,
            },
            Obj::Variant(class, name, _) => self.rust_variant(class, name, args.pos.clone()),
            Obj::External(path) => self.rust_call_external(path, args, at),
            Obj::Method(receiver, spec, _) => self.rust_apply(spec, Some(receiver), None, args, at),
            Obj::Unbound(_, spec) => {
                let receiver = args.pos.first().and_then(|&v| {
                    self.v
                        .list(v)
                        .into_iter()
                        .find(|&o| matches!(self.v.get(o), Obj::Handle(_)))
                });
                match receiver {
                    Some(receiver) => self.rust_apply(spec, Some(receiver), None, &args.rest(1), at),
                    None => Value::UNKNOWN,
                }
            }
            Obj::Partial(func, pos, kw) => {
                let mut all = Args {
                    pos,
                    kw,
                    ..Args::default()
                };
                all.pos.extend(&args.pos);
                self.call(func, &all, at)
            }
            Obj::Guarded(inner, guard) => self.rust_guarded(inner, guard, args, at),
            Obj::Handle(handle) if self.k.ty(handle.ty).spec.local => self.v.single(obj),
            Obj::Handle(handle) => match self.k.ty(handle.ty).call {
                Some(spec) => self.rust_apply(spec, Some(obj), None, args, at),
                None => self.rust_call_unknown(None, args, at),
            },
            _ => self.rust_call_unknown(None, args, at),
        }
    }

    /// A function or closure of the program.
    pub(super) fn rust_call(&mut self, func: FuncRef, env: EnvId, args: &Args, at: ExprRef) -> Value {
        let Some(module) = self.world.module(func.unit) else {
            return Value::UNKNOWN;
        };
        let f = module.func(func.func);
        self.called.insert(func);
        self.rust.entered += 1;
        if f.declaration_only {
            return self.rust_declared_return(func);
        }
        let values = self.rust_bind_args(&module, func, args);
        let Some(act) = self.admit(Act {
            func,
            env,
            owner: None,
            args: values,
        }) else {
            return self.rust_declared_return(func);
        };
        if f.is_generator {
            return self.v.one(Obj::Generator(act, None));
        }
        if f.is_async {
            return self.v.one(Obj::Coroutine(act, None));
        }
        self.rust_run(act, at)
    }

    pub(super) fn rust_call_func(&mut self, func: FuncRef, args: Args, at: ExprRef) -> Value {
        let env = self.env(EnvKey::Module(func.unit), None);
        self.rust_call(func, env, &args, at)
    }

    /// Runs an activation here: its result with the call on the path of each error.
    pub(super) fn rust_run(&mut self, act: ActId, at: ExprRef) -> Value {
        let summary = self.summary(act);
        self.log.extend(summary.events.iter().copied());
        self.rust_replay(&summary.connections);
        self.rust.endless_met += usize::from(summary.endless);
        self.rust.decided += usize::from(summary.decided);
        if summary.diverges {
            let frame = self.frame();
            frame.dead = true;
            for arm in &mut frame.rust.arms {
                arm.completes = true;
            }
            return Value::NOTHING;
        }
        if !self.rust_carries(summary.ret) {
            return summary.ret;
        }
        self.rust_map_flights(summary.ret, &mut |this, flights| {
            flights
                .into_iter()
                .map(|flight| {
                    let path = this.path_prepend(at, flight.path);
                    Flight { path, ..flight }
                })
                .collect()
        })
    }

    /// What the declared type says of a result.
    fn rust_declared_return(&mut self, func: FuncRef) -> Value {
        let value = self.rust_within(func.unit, Holder::Func(func.func), |this, m| {
            m.func(func.func)
                .returns
                .map(|returns| this.rust_annotation(m, returns))
        });
        value.flatten().unwrap_or(Value::UNKNOWN)
    }

    /// One value per parameter; what is not known is what the declared type says.
    pub(super) fn rust_bind_args(&mut self, module: &std::sync::Arc<Module>, func: FuncRef, args: &Args) -> Vec<Value> {
        let params = &module.func(func.func).params;
        let mut values = Vec::with_capacity(params.len());
        for (index, param) in params.iter().enumerate() {
            let given = args.pos.get(index).copied().unwrap_or(Value::UNKNOWN);
            let given = if given == Value::NOTHING { Value::UNKNOWN } else { given };
            let (inner, _) = self.rust_split(given);
            let lacking = self.v.is_unknown(inner)
                || self.v.objs(inner).iter().any(|&o| {
                    matches!(self.v.get(o), Obj::Handle(h) if h.inner.is_none() && self.k.ty(h.ty).spec.generic.is_some())
                });
            let value = match param.annotation {
                Some(annotation) if lacking => {
                    let declared = self.rust_within(func.unit, Holder::Func(func.func), |this, m| {
                        this.rust_annotation(m, annotation)
                    });
                    self.rust_refine(given, declared.unwrap_or(Value::UNKNOWN))
                }
                None if lacking && param.name.as_str() == "self" => {
                    let this = self.rust_within(func.unit, Holder::Func(func.func), |this, _| this.rust_self_value());
                    this.unwrap_or(given)
                }
                _ => given,
            };
            values.push(value);
        }
        values
    }

    /// What `self` may be in a method that nothing is known to call.
    pub(super) fn rust_self_value(&mut self) -> Value {
        let this = self.rust_self_type();
        let mut result = Value::NOTHING;
        for obj in self.v.list(this) {
            let one = match *self.v.get(obj) {
                Obj::Class(class) => self.rust_instances(class),
                Obj::External(path) => match self.k.item(path) {
                    Some(Item::Type(ty)) => self.handle(ty, None),
                    _ => Value::UNKNOWN,
                },
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }

    /// Evaluates the body of a function in its frame: parameters that are patterns are taken apart first.
    pub(in crate::flow) fn rust_run_body(&mut self, m: &Module, func: FuncId) {
        let f = m.func(func);
        for param in &f.params {
            if let Some(annotation) = param.annotation {
                let mut wrappers = Vec::new();
                self.rust_wrappers(m, annotation, &mut wrappers);
                if !wrappers.is_empty() {
                    self.frame().rust.declared.insert(param.name, wrappers.into());
                }
                let value = self.rust_local(param.name).unwrap_or(Value::UNKNOWN);
                if self.v.is_unknown(value) && self.rust_type_is_outside(m, annotation, 0) {
                    self.frame().rust.outside.insert(param.name);
                }
            }
            if let Some(pattern) = &param.pattern {
                let value = self.rust_local(param.name).unwrap_or(Value::UNKNOWN);
                self.rust_bind(m, pattern, value);
            }
        }
        self.rust_body(m, &f.body);
    }

    /// The result of an activation from its frame.
    pub(in crate::flow) fn rust_result(&mut self, frame: &mut Frame, func: FuncRef) -> Value {
        let propagated = std::mem::take(&mut frame.flights);
        let is_result = !propagated.is_empty()
            || self
                .v
                .objs(frame.ret)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Outcome(..)));
        let (mut inner, mut flights) = self.rust_split(frame.ret);
        flights.extend(propagated);
        if !frame.rust.tried.is_empty() {
            flights = self.rust_without_last_attempts(func.unit, &frame.rust.tried, flights);
        }
        if inner != Value::NOTHING || frame.ret == Value::NOTHING && !frame.dead {
            let lacking = self.v.is_unknown(inner)
                || self.v.objs(inner).iter().any(|&o| match self.v.get(o) {
                    Obj::Handle(h) => h.inner.is_none(),
                    Obj::External(_) => true,
                    _ => false,
                });
            let declares = self.with_func(func, |f| f.returns.is_some()).unwrap_or(false);
            if lacking && declares {
                let declared = self.rust_declared_return(func);
                inner = self.rust_refine(inner, declared);
            }
        }
        if is_result {
            self.rust_outcome(inner, flights)
        } else {
            inner
        }
    }

    /// A closure with the values of the names that it mentions.
    pub(super) fn rust_closure(&mut self, m: &Module, id: FuncId, at: ExprRef) -> Value {
        let unit = self.here().unit;
        let names = self.rust_mentioned(m, unit);
        let mut captured = Vec::new();
        for name in names.get(&id).into_iter().flatten() {
            if let Some(value) = self.rust_local(*name) {
                captured.push((*name, value));
            }
        }
        let captured: Rc<[(Symbol, Value)]> = captured.into();
        let module_env = self.env(EnvKey::Module(unit), None);
        let env = self.env(EnvKey::Captured(at, Rc::clone(&captured)), Some(module_env));
        self.envs[env.0 as usize].vars = captured.iter().copied().collect();
        let func = FuncRef { unit, func: id };
        let envs = self.closures.entry(func).or_default();
        if !envs.contains(&env) {
            if envs.len() >= 4 {
                envs.remove(0);
            }
            envs.push(env);
        }
        self.v.one(Obj::Func(func, env))
    }

    /// For each closure of a file the names in it.
    fn rust_mentioned(&mut self, m: &Module, unit: UnitId) -> Rc<FxHashMap<FuncId, Vec<Symbol>>> {
        if let Some(known) = self.rust.mentioned.get(&unit) {
            return Rc::clone(known);
        }
        let found = Rc::new(mentioned(m));
        self.rust.mentioned.insert(unit, Rc::clone(&found));
        found
    }

    // Awaiting

    pub(in crate::flow) fn rust_await(&mut self, value: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        let before = self.here().dead;
        let objs = self.v.list(value);
        let mut all_dead = !objs.is_empty();
        for obj in objs {
            self.frame().dead = before;
            let one = self.rust_await_obj(obj, at);
            all_dead &= self.here().dead;
            result = self.v.join(result, one);
        }
        self.frame().dead = before || all_dead;
        result
    }

    fn rust_await_obj(&mut self, obj: ObjId, at: ExprRef) -> Value {
        if self.frames.len() > super::super::MAX_DEPTH {
            return Value::UNKNOWN;
        }
        match self.v.get(obj).clone() {
            Obj::Coroutine(act, _) => self.rust_run(act, at),
            Obj::Pending(id) => self.rust_await_pending(id, at),
            Obj::Wrapped(inner) => {
                let inner = self.rust_finished(inner, at);
                self.rust_outcome(inner, Vec::new())
            }
            Obj::Running(work, _, started) => self.rust_join(work, started, at),
            Obj::Guarded(inner, guard) => self.rust_guarded(inner, guard, &Args::default(), at),
            Obj::Handle(handle) => match self.k.ty(handle.ty).on_await {
                Some(spec) => {
                    if handle.origin.is_some() {
                        self.rust.awaited.push(handle);
                    }
                    self.rust_apply(spec, Some(obj), None, &Args::default(), at)
                }
                None => self.v.single(obj),
            },
            _ => self.v.single(obj),
        }
    }

    /// Calls and awaits until there is a result.
    pub(super) fn rust_finished(&mut self, work: Value, at: ExprRef) -> Value {
        let mut value = work;
        for _ in 0..3 {
            let callable = self.is_callable(value);
            let next = if callable {
                self.call(value, &Args::default(), at)
            } else {
                self.rust_await(value, at)
            };
            if next == value {
                break;
            }
            value = next;
        }
        value
    }

    /// A task or thread is waited for: a `Result` around its result.
    pub(super) fn rust_join(&mut self, work: Value, started: ExprRef, at: ExprRef) -> Value {
        self.joined.insert(started);
        let dead = self.here().dead;
        let value = self.rust_finished(work, at);
        // A task that never ends is waited for in vain, but what follows is code all the same.
        self.frame().dead = dead;
        let value = if value == Value::NOTHING { Value::UNKNOWN } else { value };
        let value = self.rust_map_flights(value, &mut |_, flights| {
            flights
                .into_iter()
                .map(|mut flight| {
                    flight.marks.task = Some(started);
                    flight
                })
                .collect()
        });
        self.rust_outcome(value, Vec::new())
    }

    /// What a generator yields, with the errors of its body.
    pub(super) fn rust_yields(&mut self, act: ActId, at: ExprRef) -> Value {
        let result = self.rust_run(act, at);
        let summary = self.summary(act);
        let flights = self.rust_carried(result);
        let (yields, more) = self.rust_split(summary.yields);
        let flights: Vec<Flight> = flights
            .into_iter()
            .chain(more.into_iter().map(|f| {
                let path = self.path_prepend(at, f.path);
                Flight { path, ..f }
            }))
            .collect();
        if flights.is_empty() {
            yields
        } else {
            self.rust_outcome(yields, flights)
        }
    }

    // Outside

    fn rust_call_external(&mut self, path: Symbol, args: &Args, at: ExprRef) -> Value {
        match constructor(path.as_str()) {
            Some("Ok") => {
                let value = args.pos.first().copied().unwrap_or(Value::NONE);
                let makings = self.rust_makings(value);
                return self.rust_outcome(value, makings);
            }
            Some("Err") => return self.rust_make_error(args),
            Some("Some") => {
                let value = args.pos.first().copied().unwrap_or(Value::UNKNOWN);
                // An option with a result in it is neither of the two: each is opened on its own.
                let (_, flights) = self.rust_split(value);
                return if flights.is_empty() {
                    value
                } else {
                    self.rust_outcome(value, Vec::new())
                };
            }
            _ => {}
        }
        match self.k.item(path) {
            Some(Item::Type(ty)) => {
                if self.k.ty(ty).spec.transparent.is_some() {
                    return self.rust_wrapped(args, at);
                }
                self.rust_open(ty, args, at)
            }
            Some(Item::Function(spec)) => {
                self.configured(&[path], args, None, at);
                self.rust_apply(spec, None, None, args, at)
            }
            Some(Item::Error(_) | Item::Object(_)) | None => {
                if let Some((head, _)) = path.as_str().rsplit_once('.')
                    && let Some(Item::Type(ty)) = self.k.item(Symbol::new(head))
                {
                    if self.k.ty(ty).spec.transparent.is_some() {
                        return self.rust_wrapped(args, at);
                    }
                    if self.k.ty(ty).spec.builder {
                        return self.rust_open(ty, args, at);
                    }
                }
                self.rust_call_unknown(Some(path), args, at)
            }
        }
    }

    /// `Mutex::new(x)`, `LazyLock::new(|| x)`, `Vec::new()`: what is inside.
    fn rust_wrapped(&mut self, args: &Args, at: ExprRef) -> Value {
        let Some(&first) = args.pos.first() else {
            return Value::NONE;
        };
        if self.is_callable(first)
            && !self
                .v
                .objs(first)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Class(_) | Obj::Variant(..)))
        {
            let value = self.call(first, &Args::default(), at);
            return if value == Value::NOTHING { Value::UNKNOWN } else { value };
        }
        if self
            .v
            .objs(first)
            .iter()
            .all(|&o| matches!(self.v.get(o), Obj::Int(_) | Obj::Number))
        {
            // A capacity.
            return Value::NONE;
        }
        first
    }

    /// `Err(x)`: with the errors in `x`, or in their place in an arm that received some.
    fn rust_make_error(&mut self, args: &Args) -> Value {
        let given = args.pos.first().copied().unwrap_or(Value::UNKNOWN);
        let mut flights = self.rust_fault_flights(given);
        if flights.is_empty() {
            flights = self.rust_carried(given);
        }
        if flights.is_empty() {
            flights = self.rust_received();
            let raised = self
                .v
                .objs(given)
                .first()
                .copied()
                .filter(|&o| matches!(self.v.get(o), Obj::Variant(..) | Obj::External(_) | Obj::Instance(..)));
            for flight in &mut flights {
                flight.error = match raised {
                    Some(raised) => {
                        let raised = match self.v.get(raised).clone() {
                            Obj::Variant(class, name, _) => self.v.obj(Obj::Variant(class, name, Vec::new())),
                            _ => raised,
                        };
                        Error::Raised(raised)
                    }
                    None => Error::Opaque,
                };
            }
        }
        self.rust_outcome(Value::NOTHING, flights)
    }

    /// The errors that the innermost open arm received.
    pub(super) fn rust_received(&self) -> Vec<Flight> {
        self.here().rust.arms.last().map_or_else(Vec::new, |arm| {
            arm.flights.iter().filter(|f| f.making.is_none()).cloned().collect()
        })
    }

    /// For lazy objects in a successful result: a guard around this encloses only their making.
    fn rust_makings(&mut self, value: Value) -> Vec<Flight> {
        let mut flights = Vec::new();
        for handle in self.rust_handles(value) {
            let entry = self.k.ty(handle.ty);
            let (Some(created), Some(_)) = (handle.created, &entry.spec.iterate) else {
                continue;
            };
            let lib = entry.lib;
            let release = {
                let driver = self.k.library(lib).driver;
                self.assumed(created.unit, driver).release
            };
            let (classes, any) = match self.k.loss_of(lib, Some(handle.ty), handle.flags, release) {
                Some(loss) => (loss.classes.iter().map(|c| self.k.canonical(c)).collect(), loss.any),
                None => (Vec::new(), false),
            };
            if classes.is_empty() || self.makings_enough(created) {
                continue;
            }
            flights.push(Flight {
                site: super::super::flight::SiteId(u32::MAX),
                error: Error::Loss(lib, classes, any),
                making: Some(created),
                ends_loop: false,
                created: None,
                around: super::super::flight::Around::Unknown,
                notes: Vec::new(),
                path: PathId::EMPTY,
                marks: super::super::flight::Marks::default(),
            });
        }
        flights
    }

    /// A call that leads out of what is known.
    pub(super) fn rust_call_unknown(&mut self, path: Option<Symbol>, args: &Args, at: ExprRef) -> Value {
        let mut flights = Vec::new();
        let mut futures = Value::NOTHING;
        let values: Vec<Value> = args
            .pos
            .iter()
            .copied()
            .chain(args.kw.iter().map(|(_, v)| *v))
            .collect();
        for &value in &values {
            flights.extend(self.rust_fault_flights(value));
            for obj in self.v.list(value) {
                let is_future = matches!(
                    self.v.get(obj),
                    Obj::Coroutine(..) | Obj::Pending(_) | Obj::Running(..) | Obj::Wrapped(_) | Obj::Guarded(..)
                );
                if is_future {
                    let one = self.v.single(obj);
                    futures = self.v.join(futures, one);
                }
            }
        }
        let last = path.map_or("", |p| p.as_str().rsplit('.').next().unwrap_or_default());
        // An error stays one in a constructor or conversion; what else takes it answers for it.
        if !flights.is_empty() && (last.starts_with(char::is_uppercase) || matches!(last, "from" | "new")) {
            return self.rust_fault(flights);
        }
        if futures != Value::NOTHING {
            return futures;
        }
        if last.starts_with(char::is_uppercase) && values.len() == 1 {
            // `State(pool)`, `Json(rows)`, `Poll::Ready(result)`
            return values[0];
        }
        for value in values {
            let (_, received) = self.rust_split(value);
            if !received.is_empty() {
                let place = self.place_of(at);
                let what = if last.is_empty() {
                    "a function".to_owned()
                } else {
                    format!("`{last}`")
                };
                self.rust_stop(
                    &received,
                    &Stop {
                        place,
                        what,
                        retry: None,
                        guard: None,
                    },
                    false,
                );
            }
        }
        Value::UNKNOWN
    }
}

/// For each closure the names in it.
fn mentioned(m: &Module) -> FxHashMap<FuncId, Vec<Symbol>> {
    let mut closures: Vec<(Span, FuncId)> = m
        .funcs
        .iter()
        .enumerate()
        .filter(|(_, f)| f.name.is_none())
        .map(|(index, f)| (f.span, FuncId(index as u32)))
        .collect();
    // Outer ones first.
    closures.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut names: Vec<(u32, Symbol)> = m
        .exprs
        .iter()
        .filter_map(|e| match e.kind {
            ExprKind::Name(name) => Some((e.span.start, name)),
            _ => None,
        })
        .collect();
    names.sort_unstable_by_key(|(start, _)| *start);
    let mut found: FxHashMap<FuncId, Vec<Symbol>> = FxHashMap::default();
    let mut open: Vec<(u32, FuncId)> = Vec::new();
    let mut next = 0;
    for (start, name) in names {
        while let Some((span, id)) = closures.get(next)
            && span.start <= start
        {
            open.retain(|(end, _)| *end > span.start);
            open.push((span.end, *id));
            next += 1;
        }
        open.retain(|(end, _)| *end > start);
        for (_, id) in &open {
            let list = found.entry(*id).or_default();
            if !list.contains(&name) {
                list.push(name);
            }
        }
    }
    for list in found.values_mut() {
        list.sort_unstable();
    }
    found
}

impl Summary {
    /// For an activation that cannot be evaluated now.
    pub(in crate::flow) fn nothing() -> Self {
        Self {
            ret: Value::NOTHING,
            yields: Value::NOTHING,
            flights: Rc::from([]),
            diverges: false,
            events: Rc::from([]),
            raises: Rc::from([]),
            kept: Rc::from([]),
            connections: Rc::from([]),
            endless: false,
            decided: false,
        }
    }
}
