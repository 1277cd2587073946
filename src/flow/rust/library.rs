//! What library files say about a call, carried out for Rust: results, connections given as arguments, wrappers that
//! are filled and emptied, builders, retries.

use super::super::call::Args;
use super::super::flight::{Flight, Note, SiteId, Stop};
use super::super::log::Event;
use super::super::{Guard, Interp};
use super::branch::add_note;
use super::method::MethodCall;
use crate::core::{ExprId, ExprKind, Module, Span, Symbol};
use crate::knowledge::{ArgRef, CallSpec, Connection, OutcomeRole, Predicate, Registration, Repeat, SpecId, TypeId};
use crate::resolve::value::{ExprRef, GuardId, Handle, Obj, ObjId, OptionsId, PendingId, Value};

impl Interp<'_> {
    /// Carries out a call that a library file describes. `call` says where it stands, if it is a method call.
    pub(super) fn rust_apply(
        &mut self,
        id: SpecId,
        recv: Option<ObjId>,
        call: Option<&MethodCall<'_>>,
        args: &Args,
        at: ExprRef,
    ) -> Value {
        let spec = &self.k.call(id).call;
        if let Some(role) = spec.outcome {
            let value = match (recv, args.pos.first()) {
                (Some(recv), _) => self.v.single(recv),
                // A function or macro that makes an error of its arguments: `format!`, `anyhow!`.
                (None, _) if role == OutcomeRole::Pass => {
                    let all = args.pos.iter().copied().chain(args.kw.iter().map(|(_, v)| *v));
                    let flights = all.flat_map(|v| self.rust_fault_flights(v)).collect();
                    return self.rust_fault(flights);
                }
                (None, Some(&first)) => first,
                _ => return Value::UNKNOWN,
            };
            let args = if recv.is_some() { args.clone() } else { args.rest(1) };
            let name = self.k.call(id).name;
            return self.rust_role(role, value, &args, at, name.as_str());
        }
        if spec.fails {
            return self.rust_fails(spec, args);
        }
        if spec.exits {
            let awaited = self.rust.awaited.clone();
            self.rust_supervises(&awaited);
            let frame = self.frame();
            for arm in &mut frame.rust.arms {
                arm.completes = true;
            }
            frame.dead = true;
            return Value::NOTHING;
        }
        if let Some(value) = recv.and_then(|recv| self.rust_joined_of(id, recv, at)) {
            return value;
        }
        if let Some(value) = self.rust_storage_call(spec, recv, call, args, at) {
            return value;
        }
        if let Some(wrapped) = &spec.wraps {
            let mut work = Self::arg(args, wrapped).unwrap_or(Value::UNKNOWN);
            if let (Some(reference), Some(recv)) = (spec.gives.as_deref(), recv) {
                // A closure that gets the connection: `conn.interact(|conn| ..)`.
                let given = self.typed(reference, self.k.call(id).lib, recv, None);
                work = self.v.one(Obj::Partial(work, vec![given], Vec::new()));
            }
            return self.v.one(Obj::Wrapped(work));
        }
        if spec.awaits.is_some() {
            return self.rust_awaits(spec, args, at);
        }
        if let Some(called) = &spec.calls {
            return self.rust_calls(id, called, recv, args, at);
        }
        if spec.spawns.is_some() {
            return self.rust_spawns(id, recv, args, at);
        }
        if let Some(registers) = &spec.registers
            && registers.what == Registration::Entry
        {
            // The function is called for each request: it is a unit of work of its own.
            return self.rust_call_unknown(None, args, at);
        }
        if spec.settings {
            return self.rust_settings_of(recv, at);
        }
        if spec.gives.as_deref() == Some("inner") {
            return self.rust_gives_inner(recv, args);
        }
        self.rust_plain(id, recv, call, args, at)
    }

    /// Gives what is inside of a pool or wrapper.
    fn rust_gives_inner(&mut self, recv: Option<ObjId>, args: &Args) -> Value {
        let Some(recv) = recv else {
            return args.pos.first().copied().unwrap_or(Value::UNKNOWN);
        };
        match *self.v.get(recv) {
            Obj::Handle(handle) if self.k.ty(handle.ty).spec.generic.is_some() || handle.inner.is_some() => {
                match handle.inner.or_else(|| self.rust_default_inner(handle.ty)) {
                    Some(inner) => self.v.one(Obj::Handle(Handle {
                        ty: inner,
                        inner: None,
                        ..handle
                    })),
                    None => Value::UNKNOWN,
                }
            }
            _ => self.v.single(recv),
        }
    }

    /// A round trip, a constructor, a step of a chain.
    fn rust_plain(
        &mut self,
        id: SpecId,
        recv: Option<ObjId>,
        call: Option<&MethodCall<'_>>,
        args: &Args,
        at: ExprRef,
    ) -> Value {
        let spec = &self.k.call(id).call;
        let given = [spec.on.as_ref(), spec.holds.as_ref()];
        for value in given.into_iter().flatten().filter_map(|on| Self::arg(args, on)) {
            if self.rust_is_local(value) {
                let (inner, _) = self.rust_split(value);
                return inner;
            }
        }
        let receivers = self.rust_on(spec, recv, args);
        let statement = recv.and_then(|recv| self.heap_get((recv, Symbol::new(STATEMENT))));
        let mut args = args.clone();
        if let (Some(statement), Some(Repeat::Statement)) = (statement, spec.repeat) {
            args.pos.insert(0, statement);
        }
        args.kw.extend(self.rust_collected(recv));
        // Options that a builder among the arguments has collected (`connect_with(config)`).
        for value in args.pos.clone() {
            for handle in self.rust_handles(value) {
                let obj = self.v.obj(Obj::Handle(handle));
                args.kw.extend(self.rust_collected(Some(obj)));
            }
        }
        let mut result = Value::NOTHING;
        for receiver in receivers {
            let (value, mut flights) = self.rust_captured(|this| this.apply(id, receiver, &args, at));
            if spec.opens {
                for flight in &mut flights {
                    flight.marks.opening = true;
                }
            }
            let value = self.rust_made(id, receiver, value, &args, (at, call.is_none()));
            let makes_trip = flights.iter().any(|f| f.making.is_none()) || may_trip(spec);
            let one = if makes_trip
                && !self
                    .v
                    .objs(value)
                    .iter()
                    .all(|&o| matches!(self.v.get(o), Obj::Pending(_)))
            {
                self.rust_outcome(value, flights)
            } else {
                value
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// The objects whose connection is used: the argument that `on` names, else the receiver.
    fn rust_on(&mut self, spec: &CallSpec, recv: Option<ObjId>, args: &Args) -> Vec<Option<ObjId>> {
        let Some(on) = &spec.on else { return vec![recv] };
        let Some(value) = Self::arg(args, on) else {
            return vec![recv];
        };
        let mut found: Vec<Option<ObjId>> = Vec::new();
        for handle in self.rust_handles(value) {
            if self.k.ty(handle.ty).spec.local {
                continue;
            }
            let obj = self.v.obj(Obj::Handle(handle));
            if !found.contains(&Some(obj)) {
                found.push(Some(obj));
            }
        }
        if found.is_empty() { vec![recv] } else { found }
    }

    /// What a call made, with what it opens, what is inside and which statement it carries.
    pub(super) fn rust_made(
        &mut self,
        id: SpecId,
        recv: Option<ObjId>,
        value: Value,
        args: &Args,
        (at, by_path): (ExprRef, bool),
    ) -> Value {
        let k = self.k;
        let spec = &k.call(id).call;
        if self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Pending(_)))
        {
            return value;
        }
        let inside = spec.holds.as_ref().and_then(|holds| Self::arg(args, holds));
        let from = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) => Some(*handle),
            _ => None,
        });
        // A method that gives its object makes nothing, nor does its path (`Arc::clone(&x)`).
        let by_path = by_path && spec.gives.as_deref() != Some("self");
        let same = !by_path && recv.is_some_and(|r| value == self.v.single(r));
        let starts = !same && from.is_none_or(|h| h.origin.is_none());
        let built = from.is_some_and(|h| k.ty(h.ty).spec.builder);
        if let (Some(inside), Some(builder)) = (inside, from) {
            self.rust_put_inside(builder.options, inside);
        }
        let text = spec.statement.as_ref().and_then(|s| Self::arg(args, s));
        let given = self.rust_given_options(args);
        let mut opened: Vec<Handle> = Vec::new();
        let mut value = self.rust_map_handles(value, &mut |this, mut handle| {
            let described = &k.ty(handle.ty).spec;
            if let Some(inside) = inside {
                handle.inner = this.rust_inner(handle.ty, Some(inside)).or(handle.inner);
            }
            let holds = described.connection.is_some() || described.builder;
            let opens = spec.opens && holds && handle.origin != Some(at);
            let ends = built && described.connection.is_some();
            if opens || ends || starts && handle.origin.is_none() && (holds || spec.opens) {
                if opens && !built {
                    handle.under = handle.origin.or(handle.under);
                }
                handle.origin = Some(at);
            }
            if handle.origin == Some(at) && holds {
                // A connection that a client opens is its own, not one of a pool.
                if described.checked_out {
                    handle.under = handle.under.or_else(|| this.rust_pool_of(from, at));
                }
                if let Some(kind) = described.connection {
                    this.note_opening(at, kind, k.ty(handle.ty).lib);
                }
                opened.push(handle);
            }
            if by_path && handle.origin.is_none() {
                handle.origin = Some(at);
            }
            if text.is_some() || spec.begins && described.transaction {
                handle.created = Some(at);
            }
            handle
        });
        if spec.begins {
            self.note(Event::Making(at));
        }
        for handle in opened {
            let options = self.opening(handle.ty, args, at);
            let options = given.filter(|_| options == OptionsId(0)).unwrap_or(options);
            if handle.options == OptionsId(0) && options != OptionsId(0) {
                value = self.rust_map_handles(value, &mut |_, h| {
                    if h.origin == Some(at) {
                        Handle { options, ..h }
                    } else {
                        h
                    }
                });
            }
            self.rust_opened(at, &handle);
        }
        if let Some(text) = text {
            for obj in self.v.list(value) {
                self.heap_join((obj, Symbol::new(STATEMENT)), text);
            }
        }
        value
    }

    /// The place that stands for a pool of which nobody saw how it was made, for what is checked out of it.
    fn rust_pool_of(&mut self, from: Option<Handle>, at: ExprRef) -> Option<ExprRef> {
        let from = from?;
        if self.k.connection(from.ty) != Some(Connection::Pooled) {
            return None;
        }
        let m = self.world.module(at.unit)?;
        let ExprKind::Call { callee, .. } = m.exprs.get(at.expr.0 as usize)?.kind else {
            return None;
        };
        let place = ExprRef {
            unit: at.unit,
            expr: callee,
        };
        self.note_kind(place, Connection::Pooled, self.k.ty(from.ty).lib);
        Some(place)
    }

    /// The options that a builder among the arguments carries.
    fn rust_given_options(&self, args: &Args) -> Option<OptionsId> {
        let values = args.pos.iter().chain(args.kw.iter().map(|(_, v)| v));
        values
            .flat_map(|&v| self.rust_handles(v))
            .find_map(|h| (self.k.ty(h.ty).spec.builder && h.options != OptionsId(0)).then_some(h.options))
    }

    /// Constructing a library's type.
    pub(super) fn rust_open(&mut self, ty: TypeId, args: &Args, at: ExprRef) -> Value {
        if self.k.ty(ty).spec.local {
            return self.handle(ty, None);
        }
        let (value, flights) = self.rust_captured(|this| this.open(ty, args, at));
        let value = self.rust_map_handles(value, &mut |this, handle| {
            let inner = handle.inner.or_else(|| {
                let inside = args.pos.first().copied();
                this.k
                    .ty(handle.ty)
                    .spec
                    .generic
                    .and_then(|_| this.rust_inner(handle.ty, inside))
            });
            Handle {
                inner: inner.or_else(|| this.rust_default_inner(handle.ty)),
                ..handle
            }
        });
        for handle in self.rust_handles(value) {
            if handle.origin == Some(at) {
                self.rust_opened(at, &handle);
            }
        }
        if flights.is_empty() {
            value
        } else {
            self.rust_outcome(value, flights)
        }
    }

    // Awaitables

    /// A prepared round trip that was not carried out, where the version at hand has no such step.
    pub(super) fn rust_executed(&mut self, value: Value) -> Value {
        if !self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Pending(_) | Obj::Guarded(..)))
        {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Pending(id) if !self.rust_run_by(id).is_empty() => {
                    let at = self.pendings[id.0 as usize].at;
                    self.rust_await_pending(id, at)
                }
                Obj::Guarded(inner, guard) => {
                    let place = self.out.guards[guard.0 as usize].place;
                    let at = ExprRef {
                        unit: place.unit,
                        expr: ExprId(0),
                    };
                    self.rust_guarded(inner, guard, &Args::default(), at)
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    fn rust_run_by(&self, id: PendingId) -> &[String] {
        match self.v.get(self.pendings[id.0 as usize].recv) {
            Obj::Handle(handle) => &self.k.ty(handle.ty).spec.run_by,
            _ => &[],
        }
    }

    pub(super) fn rust_await_pending(&mut self, id: PendingId, at: ExprRef) -> Value {
        let pending = self.pendings[id.0 as usize].clone();
        let recv = (pending.recv != ObjId(0)).then_some(pending.recv);
        let (value, mut flights) = self.rust_captured(|this| {
            let value = this.await_pending(id, at);
            // The first batch is here, the others come later: a guard around this encloses only the making.
            if this.k.call(pending.spec).call.lazy {
                this.making(this.k.call(pending.spec).lib, pending.at);
            }
            value
        });
        let spec = &self.k.call(pending.spec).call;
        if spec.opens {
            for flight in &mut flights {
                flight.marks.opening = true;
            }
        }
        let args = Args {
            pos: pending.args.clone(),
            kw: pending.kw.clone(),
            ..Args::default()
        };
        let mut value = value;
        if spec.lazy {
            value = self.rust_map_handles(value, &mut |_, handle| Handle {
                created: Some(pending.at),
                ..handle
            });
        }
        let value = self.rust_made(pending.spec, recv, value, &args, (pending.at, false));
        self.rust_outcome(value, flights)
    }

    /// A method of a prepared round trip: an option of it, or what carries it out.
    pub(super) fn rust_pending_method(&mut self, call: &MethodCall<'_>, obj: ObjId, id: PendingId) -> Value {
        let this = self.v.single(obj);
        let run_by = self.rust_run_by(id);
        if run_by.iter().any(|name| name == call.name.as_str()) {
            return self.rust_await_pending(id, call.at);
        }
        let has_step = !run_by.is_empty();
        if has_step && self.rust_common_method("result", call.name).is_some() {
            let value = self.rust_executed(this);
            let mut result = Value::NOTHING;
            for obj in self.v.list(value) {
                let one = self.rust_method(call, obj);
                result = self.v.join(result, one);
            }
            return result;
        }
        // Options that change what the operation does.
        let pending = self.pendings[id.0 as usize].clone();
        let mut args = pending.args.clone();
        args.extend(call.args.pos.iter().copied());
        let named = (call.name, call.args.pos.first().copied().unwrap_or(Value::NONE));
        self.rust_redone(&pending, args, named).unwrap_or(this)
    }

    /// A prepared round trip with one more option, if its description looks at that.
    fn rust_redone(
        &mut self,
        pending: &super::super::Pending,
        _args: Vec<Value>,
        named: (Symbol, Value),
    ) -> Option<Value> {
        let spec = &self.k.call(pending.spec).call;
        let asked = spec.when.iter().any(|w| match &w.arg {
            Some(ArgRef::Name(name) | ArgRef::Either(_, name)) => name == named.0.as_str(),
            _ => false,
        });
        if !asked {
            return None;
        }
        let mut kw = pending.kw.clone();
        kw.push(named);
        let args = Args {
            pos: pending.args.clone(),
            kw,
            ..Args::default()
        };
        let recv = (pending.recv != ObjId(0)).then_some(pending.recv);
        let (value, _) = self.rust_captured(|this| this.apply(pending.spec, recv, &args, pending.at));
        Some(value)
    }

    /// `join!`, `try_join!`, `join_all`, `block_on`.
    fn rust_awaits(&mut self, spec: &CallSpec, args: &Args, at: ExprRef) -> Value {
        let Some(reference) = &spec.awaits else {
            return Value::UNKNOWN;
        };
        let values: Vec<Value> = match reference {
            ArgRef::Name(name) if name == "*" => args.pos.clone(),
            _ => Self::arg(args, reference).into_iter().collect(),
        };
        let mut results = Vec::new();
        for value in values {
            let list = self
                .v
                .objs(value)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::List(_)));
            let value = if list { self.rust_iterate(value, at) } else { value };
            results.push(self.rust_await(value, at));
        }
        if spec.tries {
            let mut flights = Vec::new();
            let mut inner = Vec::new();
            for value in results {
                let (value, more) = self.rust_split(value);
                inner.push(value);
                flights.extend(more);
            }
            let value = match inner[..] {
                [one] => one,
                _ => self.v.one(Obj::Tuple(inner)),
            };
            return self.rust_outcome(value, flights);
        }
        match results[..] {
            [one] => one,
            _ => self.v.one(Obj::Tuple(results)),
        }
    }

    // Calls of arguments

    fn rust_calls(&mut self, id: SpecId, called: &ArgRef, recv: Option<ObjId>, args: &Args, at: ExprRef) -> Value {
        let Some(func) = Self::arg(args, called).or_else(|| recv.map(|r| self.v.single(r))) else {
            return Value::UNKNOWN;
        };
        let spec = &self.k.call(id).call;
        if let Some(guard) = &spec.guard {
            let guard = self.rust_guard_from(id, guard, args, at);
            // It runs when it is awaited or called at last; a method may add to it until then.
            let mut result = Value::NOTHING;
            for obj in self.v.list(func) {
                let one = match self.v.get(obj) {
                    Obj::Unknown | Obj::None => continue,
                    _ => self.v.one(Obj::Guarded(obj, guard)),
                };
                result = self.v.join(result, one);
            }
            let waits = spec.awaited.unwrap_or(true);
            if result == Value::NOTHING {
                Value::UNKNOWN
            } else if waits {
                result
            } else {
                self.call(result, &Args::default(), at)
            }
        } else {
            // A closure that gets the connection: `conn.transaction(|conn| ..)`.
            let with = recv.map_or(Value::UNKNOWN, |r| self.v.single(r));
            let given = match spec.gives.as_deref() {
                Some(reference) if recv.is_some() => {
                    let from = recv.unwrap_or(ObjId(0));
                    self.typed(reference, self.k.call(id).lib, from, None)
                }
                _ => with,
            };
            let callable = self.is_callable(func);
            let value = if callable {
                self.call(func, &Args::positional(vec![given]), at)
            } else {
                func
            };
            let value = if spec.awaited == Some(true) {
                self.rust_await(value, at)
            } else {
                value
            };
            let ((), flights) = self.rust_captured(|this| {
                if let Some(trip) = spec.trip.as_deref() {
                    this.round_trip(id, recv, &[trip], (None, None), at, None);
                }
            });
            if flights.is_empty() {
                return value;
            }
            let (inner, more) = self.rust_split(value);
            let all = more.into_iter().chain(flights).collect();
            self.rust_outcome(inner, all)
        }
    }

    /// The guard that a retry makes; without anything said it repeats after every error.
    fn rust_guard_from(&mut self, id: SpecId, spec: &crate::knowledge::GuardSpec, args: &Args, at: ExprRef) -> GuardId {
        let predicates: Vec<Value> = spec
            .predicate
            .iter()
            .filter_map(|r| Self::arg(args, r))
            .filter(|&v| self.is_callable(v))
            .collect();
        let has = |list: &[ArgRef]| list.iter().any(|r| Self::arg(args, r).is_some());
        let (limited, waits) = (spec.limited || has(&spec.limits), spec.waiting || has(&spec.waits));
        let retries = spec.retries;
        self.add_guard(id, at, |guard| {
            guard.covers = None;
            guard.predicates = predicates;
            guard.retries = retries;
            guard.limited = limited;
            guard.waits = waits;
        })
    }

    /// Runs something behind a guard.
    pub(super) fn rust_guarded(&mut self, inner: ObjId, guard: GuardId, args: &Args, at: ExprRef) -> Value {
        let mark = self.guard_mark.replace(self.log_mark());
        let storage = self.rust_storage_mark();
        let mut value = self.v.single(inner);
        for _ in 0..3 {
            let next = if self.is_callable(value) {
                self.call(value, args, at)
            } else {
                self.rust_await(value, at)
            };
            if next == value {
                break;
            }
            value = next;
        }
        let (inner, flights) = self.rust_split(value);
        let sites: Vec<SiteId> = flights.iter().filter(|f| f.making.is_none()).map(|f| f.site).collect();
        let rest = self.rust_filter(flights, guard);
        // What each attempt opens anew is replaced after a loss.
        self.rust_replaced_after_loss(storage);
        if self.out.guards[guard.0 as usize].retries {
            let caught: Vec<SiteId> = sites
                .into_iter()
                .filter(|s| rest.iter().all(|f| f.site != *s))
                .collect();
            self.rust_repeated(storage, &caught);
        }
        self.guard_mark = mark;
        self.rust_outcome(inner, rest)
    }

    /// Takes out what a guard catches.
    fn rust_filter(&mut self, flights: Vec<Flight>, id: GuardId) -> Vec<Flight> {
        let guard: Guard = self.out.guards[id.0 as usize].clone();
        let mut rest = Vec::new();
        for mut flight in flights {
            let mut covers = None;
            if !guard.predicates.is_empty() && flight.making.is_none() {
                let fault = self.rust_fault(vec![flight.clone()]);
                for predicate in &guard.predicates {
                    let at = ExprRef {
                        unit: guard.place.unit,
                        expr: ExprId(0),
                    };
                    let decided = self.rust.decided;
                    let (result, _) =
                        self.rust_captured(|this| this.call(*predicate, &Args::positional(vec![fault]), at));
                    if self.rust.decided > decided {
                        covers = self.v.truth(result);
                    }
                }
            }
            if covers == Some(false) {
                let note = Note::Missed {
                    handler: guard.place,
                    classes: guard.name.clone(),
                    part: false,
                    lookalike: None,
                    near: true,
                    about: true,
                };
                add_note(&mut flight, note);
                rest.push(flight);
                continue;
            }
            let retry = guard.retries.then_some(guard.place);
            if retry.is_some() && !flight.marks.opening {
                self.note_guard_retry(&guard, &flight);
            }
            let stop = Stop {
                place: guard.place,
                what: guard.name.clone(),
                retry,
                guard: Some(id),
            };
            self.rust_stop(&[flight], &stop, true);
        }
        rest
    }

    /// A method of a retry that was not started yet: another condition, or the start.
    pub(super) fn rust_guarded_method(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Value {
        let Obj::Guarded(inner, guard) = *self.v.get(obj) else {
            return Value::UNKNOWN;
        };
        let this = self.v.single(obj);
        let Some(spec) = self.rust_common_method("callable", call.name) else {
            return this;
        };
        let described = &self.k.call(spec).call;
        if described.predicate == Some(Predicate::Function) {
            let mut changed = self.out.guards[guard.0 as usize].clone();
            changed.predicates.extend(call.args.pos.first().copied());
            let guard = self.push_guard(changed);
            return self.v.one(Obj::Guarded(inner, guard));
        }
        if described.calls.is_some() && described.guard.is_none() {
            return self.rust_guarded(inner, guard, &Args::default(), call.at);
        }
        this
    }

    /// A method that a library adds to functions (`(|| ..).retry(policy)`).
    pub(super) fn rust_callable_method(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Option<Value> {
        let spec = self.rust_common_method("callable", call.name)?;
        Some(self.rust_apply(spec, Some(obj), Some(call), &call.args, call.at))
    }

    fn rust_spawns(&mut self, id: SpecId, recv: Option<ObjId>, args: &Args, at: ExprRef) -> Value {
        let k = self.k;
        let Some(reference) = &k.call(id).call.spawns else {
            return Value::UNKNOWN;
        };
        if let Some(place) = self
            .frames
            .iter()
            .rev()
            .find_map(|f| f.loops.iter().find_map(|l| l.rust.worker))
        {
            self.rust.storage.loops.insert(at, place);
        }
        let value = self.spawn(id, reference, args, at);
        if let Some(recv) = recv {
            // A set of tasks.
            self.heap_join((recv, Symbol::new(TASKS)), value);
        }
        value
    }

    /// The next of a set of tasks that ended.
    fn rust_joined_of(&mut self, id: SpecId, recv: ObjId, at: ExprRef) -> Option<Value> {
        if !matches!(self.v.get(recv), Obj::Handle(_)) {
            return None;
        }
        let tasks = self.heap_get((recv, Symbol::new(TASKS)))?;
        let name = self.k.call(id).name;
        let mut result = Value::NOTHING;
        for obj in self.v.list(tasks) {
            if let Obj::Running(work, spec, started) = *self.v.get(obj)
                && self.k.call(spec).call.joins.as_deref() == Some(name.as_str())
            {
                let one = self.rust_join(work, started, at);
                result = self.v.join(result, one);
            }
        }
        (result != Value::NOTHING).then_some(result)
    }

    /// `bail!(..)`: the function returns an error.
    fn rust_fails(&mut self, spec: &CallSpec, args: &Args) -> Value {
        let mut flights: Vec<Flight> = args
            .pos
            .iter()
            .copied()
            .flat_map(|v| self.rust_fault_flights(v))
            .collect();
        if flights.is_empty() {
            flights = self.rust_received();
            for flight in &mut flights {
                flight.error = super::super::flight::Error::Opaque;
            }
        }
        let value = self.rust_outcome(Value::NOTHING, flights);
        if spec.tests_argument.is_some() {
            // `ensure!`: perhaps.
            let before = self.save();
            self.rust_return(value);
            self.restore(before);
            return Value::NONE;
        }
        self.rust_return(value);
        Value::NOTHING
    }

    // Cells and containers

    /// Calls that change what a cell or container holds.
    fn rust_storage_call(
        &mut self,
        spec: &CallSpec,
        recv: Option<ObjId>,
        call: Option<&MethodCall<'_>>,
        args: &Args,
        at: ExprRef,
    ) -> Option<Value> {
        if let Some(keeps) = &spec.keeps {
            let value = Self::arg(args, keeps)?;
            self.rust_keeps(value);
            return match spec.gives.as_deref() {
                Some("argument") => Some(value),
                Some("self") => recv.map(|r| self.v.single(r)),
                _ => Some(Value::UNKNOWN),
            };
        }
        if spec.asks {
            let asked = recv.map_or(Value::NOTHING, |r| self.v.single(r));
            for handle in self.rust_reachable(asked) {
                self.rust_asked(&handle);
            }
            return None;
        }
        if spec.empties {
            let value = recv.map_or_else(
                || args.pos.first().copied().unwrap_or(Value::UNKNOWN),
                |r| self.v.single(r),
            );
            if recv.is_some() && !args.pos.is_empty() {
                // `iterator.take(5)` is another method.
                return Some(value);
            }
            let handles = self.rust_reachable(value);
            self.rust_replaced(&handles);
            match (call, args.places.first()) {
                (Some(call), _) => self.rust_store(call.m, call.base, Value::NONE, true),
                // `mem::take(&mut self.conn)`
                (None, Some(&target)) => {
                    let m = self.module();
                    self.rust_store(&m, target, Value::NONE, true);
                }
                _ => {}
            }
            return Some(value);
        }
        if let Some(replaces) = &spec.replaces {
            let new = Self::arg(args, replaces).unwrap_or(Value::UNKNOWN);
            let old = recv.map_or_else(
                || args.pos.first().copied().unwrap_or(Value::UNKNOWN),
                |r| self.v.single(r),
            );
            if let Some(call) = call {
                self.rust_replaces(call.m, call.base, old, new);
                self.rust_store(call.m, call.base, new, true);
            } else {
                let handles = self.rust_reachable(old);
                self.rust_replaced(&handles);
                // `mem::replace(&mut self.conn, new)`
                if let Some(&target) = args.places.first() {
                    let m = self.module();
                    self.rust_store(&m, target, new, true);
                }
            }
            return Some(old);
        }
        if let Some(fills) = &spec.fills {
            let given = Self::arg(args, fills).unwrap_or(Value::UNKNOWN);
            let mark = self.rust_storage_mark();
            let made = if self.is_callable(given) {
                self.call(given, &Args::default(), at)
            } else {
                given
            };
            let made = self.rust_await(made, at);
            let (inner, flights) = self.rust_split(made);
            self.rust_opened_once(mark);
            self.rust_stores(inner);
            if let Some(call) = call {
                self.rust_store(call.m, call.base, inner, false);
            }
            let held = recv.map_or(Value::NOTHING, |r| self.v.single(r));
            let held = if self.v.only(held) == Some(&Obj::None) {
                Value::NOTHING
            } else {
                held
            };
            // What it is filled with says more than its declaration.
            let value = if self.rust_handles(inner).is_empty() {
                self.v.join(held, inner)
            } else {
                inner
            };
            return Some(if flights.is_empty() {
                value
            } else {
                self.rust_outcome(value, flights)
            });
        }
        if let Some(adds) = &spec.adds {
            let value = Self::arg(args, adds)
                .or_else(|| args.pos.last().copied())
                .unwrap_or(Value::UNKNOWN);
            self.rust_stores(value);
            if let Some(recv) = recv {
                match self.v.get(recv) {
                    Obj::List(_) => self.heap_join((recv, Symbol::new("*")), value),
                    _ => {
                        if let Some(call) = call {
                            self.rust_store(call.m, call.base, value, false);
                        }
                    }
                }
            }
            return Some(Value::NONE);
        }
        None
    }

    // Builders

    /// A method of a builder that is not described: an option, or a step.
    pub(super) fn rust_builder(&mut self, call: &MethodCall<'_>, obj: ObjId, handle: &Handle) -> Value {
        let value = call
            .args
            .pos
            .first()
            .copied()
            .unwrap_or_else(|| self.v.one(Obj::Bool(Some(true))));
        self.call_closures(&call.args, Value::UNKNOWN);
        // The line of the option in a long chain.
        let end = self.place_of(call.at).span.end;
        let start = match call.m.expr(call.at.expr).kind {
            ExprKind::Call { callee, .. } => match call.m.expr(callee).kind {
                ExprKind::Attr { name_span, .. } => name_span.start,
                _ => end,
            },
            _ => end,
        };
        let place = self.place(Span { start, end });
        let _ = obj;
        let changed = self.rust_option(handle, call.name, value, place, call.at);
        // `builder.option(..);`: methods of many builders take `&mut self`.
        if matches!(call.m.expr(call.base).kind, ExprKind::Name(_) | ExprKind::Attr { .. }) {
            self.rust_store(call.m, call.base, changed, true);
        }
        changed
    }

    /// `options.name = value`.
    pub(super) fn rust_set_option(
        &mut self,
        m: &Module,
        target: ExprId,
        obj: ObjId,
        name: Symbol,
        value: Value,
        at: Span,
    ) {
        let Obj::Handle(handle) = *self.v.get(obj) else { return };
        if !self.k.ty(handle.ty).spec.builder {
            let shared = self.shared(obj);
            self.heap_join((shared, name), value);
            return;
        }
        let place = self.place(at);
        let changed = self.rust_option(&handle, name, value, place, self.expr_ref(target));
        if let ExprKind::Attr { base, .. } = m.expr(target).kind {
            self.rust_store(m, base, changed, true);
        }
    }

    /// A builder with one more option.
    fn rust_option(
        &mut self,
        handle: &Handle,
        name: Symbol,
        value: Value,
        place: super::super::flight::Place,
        at: ExprRef,
    ) -> Value {
        let name = Symbol::new(&name.as_str().to_ascii_lowercase());
        // A path is as good as a literal: `RecyclingMethod::Fast`.
        let value = match self.v.only(value) {
            Some(Obj::External(path)) => {
                let last = path.as_str().rsplit('.').next().unwrap_or_default();
                let last = Symbol::new(last);
                self.v.one(Obj::Str(Some(last), None))
            }
            _ => value,
        };
        let keys = self.k.keys(handle.ty, None);
        let args = Args {
            kw: vec![(name, value)],
            ..Args::default()
        };
        let mut name = name;
        for (lib, option) in self.k.options_of(&keys) {
            let mut names = std::iter::once(&option.name).chain(&option.spellings);
            if option.missing || !names.any(|n| n.eq_ignore_ascii_case(name.as_str())) {
                continue;
            }
            name = Symbol::new(&option.name.to_ascii_lowercase());
            if let Some(mut found) = self.option(lib, option, &args, at) {
                found.place = place;
                self.add_configured(found);
            }
        }
        let mut collected = self.rust.collected.get(&handle.options).cloned().unwrap_or_default();
        collected.retain(|(n, _)| *n != name);
        collected.push((name, value));
        let texts = collected
            .iter()
            .map(|(n, v)| {
                (
                    n.as_str().to_owned(),
                    self.value_text(*v).or_else(|| Some(format!("#{}", v.0))),
                )
            })
            .collect();
        let options = self.options_id(texts);
        self.rust.collected.insert(options, collected);
        let mut places = self
            .rust
            .option_places
            .get(&handle.options)
            .cloned()
            .unwrap_or_default();
        places.push(place);
        self.rust.option_places.insert(options, places);
        self.v.one(Obj::Handle(Handle { options, ..*handle }))
    }

    /// Notes what is inside of something that was built with these options.
    fn rust_put_inside(&mut self, options: OptionsId, inside: Value) {
        let places = self.rust.option_places.get(&options).cloned().unwrap_or_default();
        for handle in self.rust_handles(inside) {
            let inner = handle.inner.or_else(|| self.rust_default_inner(handle.ty));
            for place in &places {
                let libs = self.rust.insides.entry(*place).or_default();
                libs.insert(self.k.ty(handle.ty).lib);
                libs.extend(inner.map(|inner| self.k.ty(inner).lib));
            }
        }
    }

    /// True if one of these libraries is inside of what was built with an option that stands there.
    pub(in crate::flow) fn rust_is_inside(&self, place: super::super::flight::Place, names: &[String]) -> bool {
        self.rust.insides.get(&place).is_some_and(|libs| {
            libs.iter()
                .any(|lib| names.contains(&self.k.library(*lib).file.library.name))
        })
    }

    /// The options that a builder has collected, as named arguments of what is called on it.
    fn rust_collected(&self, recv: Option<ObjId>) -> Vec<(Symbol, Value)> {
        match recv.map(|r| self.v.get(r)) {
            Some(Obj::Handle(handle)) if self.k.ty(handle.ty).spec.builder => {
                self.rust.collected.get(&handle.options).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

fn may_trip(spec: &CallSpec) -> bool {
    spec.trip.is_some() || spec.when.iter().any(|w| w.trip.is_some()) || spec.consumes.is_some()
}

/// The heap entry for the statement that an object will execute.
pub(super) const STATEMENT: &str = "<statement>";
/// The heap entry for the tasks in a set.
pub(super) const TASKS: &str = "<tasks>";
