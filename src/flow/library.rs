//! What library files say about a call, carried out: round trips, lazy objects, guards, options.

use std::rc::Rc;

use super::call::Args;
use super::flight::{Around, Error, Flight, Marks, PathId, Place, Site};
use super::log::Event;
use super::{AppHandler, Guard, Interp, Noted, Opening, Pending, Raise, Registered};
use crate::core::{Language, Symbol};
use crate::findings::Confidence;
use crate::knowledge::{
    ArgRef, CallSpec, Connection, Consumes, GuardSpec, LibId, Literal, Predicate, Registers, Registration, Repeat,
    Retry, SpecId, TypeId, When,
};
use crate::resolve::value::{ClassRef, ExprRef, GuardId, Handle, Obj, ObjId, OptionsId, PendingId, Value};

/// A call specification with the overrides that apply.
#[derive(Debug)]
struct Effective<'k> {
    trip: Option<&'k str>,
    gives: Option<&'k str>,
    sets: u32,
    repeat: Option<Repeat>,
    document: Option<ExprRef>,
    revives: bool,
    begins: bool,
    raises: Option<&'k str>,
    consumes: Option<Consumes>,
}

impl<'w> Interp<'w> {
    /// The value of an argument.
    pub(super) fn arg(args: &Args, reference: &ArgRef) -> Option<Value> {
        match reference {
            ArgRef::Position(index) => args.pos.get(*index).copied(),
            ArgRef::Name(name) => args.named(name),
            ArgRef::Either(index, name) => args.named(name).or_else(|| args.pos.get(*index).copied()),
        }
    }

    /// The values of an argument; `*` stands for all positional ones.
    fn arg_values(args: &Args, reference: &ArgRef) -> Vec<Value> {
        match reference {
            ArgRef::Name(name) if name == "*" => args.pos.iter().copied().chain(args.more).collect(),
            _ => Self::arg(args, reference).into_iter().collect(),
        }
    }

    /// The first argument is an exception, and of none of these classes.
    fn is_none_of(&mut self, args: &Args, classes: &[String]) -> bool {
        let Some(&given) = args.pos.first() else { return false };
        let ancestors: Vec<ObjId> = classes
            .iter()
            .map(|c| self.v.obj(Obj::External(self.k.canonical(c))))
            .collect();
        let objs = self.v.list(given);
        !objs.is_empty()
            && objs.into_iter().all(|obj| match *self.v.get(obj) {
                Obj::Exception(class) => !ancestors.iter().any(|&a| self.is_subclass_obj(class, a)),
                _ => false,
            })
    }

    /// Carries out a call that a library file describes.
    pub(super) fn apply(&mut self, id: SpecId, recv: Option<ObjId>, args: &Args, at: ExprRef) -> Value {
        let k = self.k;
        let spec = k.call(id);
        let call = &spec.call;
        if let Some(predicate) = call.predicate {
            return self.predicate(predicate, args);
        }
        if !call.only_for.is_empty() && self.is_none_of(args, &call.only_for) {
            return Value::NONE;
        }
        if call.partial {
            let Some((&func, rest)) = args.pos.split_first() else {
                return Value::UNKNOWN;
            };
            return self.v.one(Obj::Partial(func, rest.to_vec(), args.kw.clone()));
        }
        if call.suppresses {
            let classes: Vec<ObjId> = args.pos.iter().flat_map(|&v| self.class_objects(v)).collect();
            let guard = self.add_guard(id, at, |g| g.covers = Some(classes));
            return self.v.one(Obj::Guard(guard));
        }
        if !call.dispatches.is_empty() {
            self.call_next();
            return Value::UNKNOWN;
        }
        let is_decorator = call.calls.is_none()
            && (call.guard.is_some() || call.transparent || call.context_manager || call.coroutine)
            || call
                .registers
                .as_ref()
                .is_some_and(|r| r.function.is_none() && !matches!(r.what, Registration::Dependency));
        if is_decorator {
            return self.decorator(id, recv, args, at);
        }
        let mut effective = self.effective(call, spec.lib, recv, args, at);
        self.settle_repeat(&mut effective, spec.lib, args);
        if let Some(Obj::Handle(handle)) = recv.map(|r| self.v.get(r)) {
            let origin = handle.origin;
            let k = self.k;
            let made = || k.keys(handle.ty, Some(spec.name.as_str())).into();
            let keys: Rc<[Symbol]> = Rc::clone(self.method_keys.entry((handle.ty, id)).or_insert_with(made));
            self.configured_on(&keys, args, None, at, origin);
        }
        if let Some(registers) = &call.registers
            && let Some(value) = self.register_as(id, registers, recv, args, at)
        {
            return value;
        }
        let mut result = Value::NOTHING;
        for registers in &call.also_registers {
            let given = registers.classes.as_ref().or(registers.function.as_ref());
            if given.is_some_and(|g| Self::arg(args, g).is_some()) {
                self.register_as(id, registers, recv, args, at);
            }
        }
        if let Some(called) = &call.calls {
            let guard = recv.and_then(|r| match self.v.get(r) {
                Obj::Handle(handle) => handle.guard,
                _ => None,
            });
            result = self.call_argument(id, called, args, guard, at);
        }
        if let Some(spawned) = &call.spawns {
            result = self.spawn(id, spawned, args, at);
        }
        if let Some(awaited) = &call.awaits {
            let values: Vec<Value> = Self::arg_values(args, awaited);
            let kept = call.returns_errors.as_ref().and_then(|r| Self::arg(args, r));
            let kept = kept.is_some_and(|v| self.v.truth(v) != Some(false));
            let outer = kept.then(|| std::mem::take(&mut self.frame().flights));
            let mut got = Vec::new();
            for value in values {
                // A list of awaitables: each of them.
                let value = if self
                    .v
                    .objs(value)
                    .iter()
                    .any(|&o| matches!(self.v.get(o), Obj::List(_) | Obj::Comprehension(..)))
                {
                    self.iterate(value, at, Consumes::All)
                } else {
                    value
                };
                got.push(self.await_value(value, at));
            }
            if let Some(outer) = outer {
                // The errors are among the results.
                let place = self.place_of(at);
                let what = spec.name.to_string();
                for flight in std::mem::replace(&mut self.frame().flights, outer) {
                    self.stop(
                        &flight,
                        super::flight::Stop {
                            place,
                            what: what.clone(),
                            retry: None,
                            guard: None,
                        },
                    );
                }
            }
            result = match got[..] {
                [one] => one,
                _ => self.v.one(Obj::Tuple(got)),
            };
        }
        if let Some(consumed) = &call.consumes_argument {
            for value in Self::arg_values(args, consumed) {
                let element = self.iterate(value, at, Consumes::All);
                let list = self.new_list(at);
                match self.v.only(value).cloned() {
                    // Its elements are known one by one.
                    Some(Obj::Tuple(items)) if items.len() <= 16 => {
                        for (index, item) in items.into_iter().enumerate() {
                            self.heap_join((list, Symbol::new(&format!("[{index}]"))), item);
                        }
                    }
                    _ => self.heap_join((list, Symbol::new("*")), element),
                }
                result = self.v.single(list);
            }
        }
        if let Some(stepped) = &call.steps_argument {
            for value in Self::arg_values(args, stepped) {
                let fresh = args.places.first().is_some_and(|p| self.is_fresh(*p));
                result = self.iterate(value, at, if fresh { Consumes::First } else { Consumes::Next });
            }
        }
        if let Some(tested) = &call.tests_argument {
            for value in Self::arg_values(args, tested) {
                self.truth_trip(value, at);
            }
        }
        if let (Some(entered), Some(recv)) = (&call.enters, recv) {
            let manager = Self::arg(args, entered).unwrap_or(Value::UNKNOWN);
            let given = self.enter(manager, at);
            self.frame().entered.push((recv, manager));
            self.frame().transactions += usize::from(self.is_transaction(manager));
            return given;
        }
        if let Some(given) = &call.gives_argument {
            for value in Self::arg_values(args, given) {
                result = self.v.join(result, value);
            }
        }
        if let Some(passed) = &call.passes_iterable {
            let mut inner = Value::NOTHING;
            for value in Self::arg_values(args, passed) {
                inner = self.v.join(inner, value);
            }
            result = self.v.one(Obj::Lazy(inner, at));
        }
        if let (Some(how), Some(recv)) = (effective.consumes, recv)
            && let Obj::Handle(handle) = self.v.get(recv).clone()
        {
            let asynchronous = call.awaited.unwrap_or(k.ty(handle.ty).spec.awaited);
            if asynchronous {
                return self.prepare(id, recv, Some("consume"), &effective, args, at);
            }
            self.iterate_handle(recv, &handle, at, how);
        }
        let lib = spec.lib;
        // A function works on the handle that is its argument.
        let over = call.over.as_ref().and_then(|r| Self::arg(args, r));
        let over = over.and_then(|v| {
            self.v
                .list(v)
                .into_iter()
                .find(|&o| matches!(self.v.get(o), Obj::Handle(_)))
        });
        if call.over.is_some() && recv.is_none() && over.is_none() {
            return Value::UNKNOWN;
        }
        let recv = recv.or(over);
        let rust = !self.here().is_python();
        self.connection_events(id, recv, &effective, at);
        if let Some(obj) = recv
            && let Obj::Handle(handle) = self.v.get(obj)
            && let Some(at) = k
                .ty(handle.ty)
                .spec
                .immediate
                .iter()
                .position(|n| n == spec.name.as_str())
        {
            if at == 0 {
                let here = (obj, self.here().func);
                self.immediate.insert(here);
                self.watching.insert(here);
            } else {
                self.immediate.retain(|(o, _)| *o != obj);
            }
        }
        if spec.queued == Some(true) && !recv.is_some_and(|r| self.is_around(&self.immediate, r)) {
            return recv.map_or(Value::UNKNOWN, |r| self.v.single(r));
        }
        if let Some(trip) = effective.trip.filter(|_| !call.opens || rust) {
            let asynchronous = call.awaited.unwrap_or_else(|| {
                recv.is_some_and(|r| matches!(self.v.get(r), Obj::Handle(h) if k.ty(h.ty).spec.awaited))
            });
            if asynchronous {
                return self.prepare(id, recv.unwrap_or(ObjId(0)), Some(trip), &effective, args, at);
            }
            self.round_trip(
                id,
                recv,
                &[trip],
                (effective.repeat, effective.document),
                at,
                effective.raises,
            );
        }
        // A statement whose rows arrive while they are read (`stream_results`).
        let streams = effective.gives != call.gives.as_deref()
            && effective
                .gives
                .and_then(|g| k.type_named(lib, g))
                .is_some_and(|t| k.ty(t).spec.iterate.as_ref().is_some_and(|i| i.rest.is_some()));
        let lazy = call.lazy || streams && !rust;
        if lazy {
            self.making(lib, at);
        }
        if call.waits {
            self.note(Event::Wait);
        }
        let blocks = |h: &Handle| self.k.ty(h.ty).spec.blocks.iter().any(|b| b == spec.name.as_str());
        if call.blocks || recv.is_some_and(|r| matches!(self.v.get(r), Obj::Handle(h) if blocks(h))) {
            self.note(Event::Block);
        }
        if call.exits {
            self.raise(vec![Raise::Answer]);
        }
        let given = self.given(&effective, lib, recv, args, lazy, call.opens, at);
        match given {
            Some(value) => value,
            None if result != Value::NOTHING => result,
            None => match recv.map(|r| self.v.get(r)) {
                Some(Obj::Handle(handle)) => {
                    let made = Symbol::new(&format!("{}.{}", k.ty(handle.ty).key, spec.name));
                    if k.is_asked_for(made) {
                        self.v.one(Obj::Made(made))
                    } else {
                        Value::UNKNOWN
                    }
                }
                _ => Value::UNKNOWN,
            },
        }
    }

    /// An argument that is a call: nobody else holds its result.
    fn is_fresh(&self, place: crate::core::ExprId) -> bool {
        let module = &self.here().module;
        module
            .exprs
            .get(place.0 as usize)
            .is_some_and(|e| matches!(e.kind, crate::core::ExprKind::Call { .. }))
    }

    fn effective(
        &mut self,
        call: &'w CallSpec,
        lib: LibId,
        recv: Option<ObjId>,
        args: &Args,
        at: ExprRef,
    ) -> Effective<'w> {
        let mut effective = Effective {
            trip: call.trip.as_deref(),
            gives: call.gives.as_deref(),
            sets: if call.when.iter().all(|w| w.sets.is_none()) {
                call.sets.as_ref().map_or(0, |f| self.k.flag(f))
            } else {
                0
            },
            repeat: call.repeat,
            document: None,
            revives: call.revives,
            begins: call.begins,
            raises: call.raises.as_deref(),
            consumes: call.consumes,
        };
        for when in &call.when {
            if self.holds(when, lib, recv, args, at) {
                effective.trip = when.trip.as_deref().or(effective.trip);
                effective.gives = when.gives.as_deref().or(effective.gives);
                effective.repeat = when.repeat.or(effective.repeat);
                effective.revives = when.revives.unwrap_or(effective.revives);
                effective.begins = when.begins.unwrap_or(effective.begins);
                effective.raises = when.raises.as_deref().or(effective.raises);
                effective.consumes = when.consumes.or(effective.consumes);
                if let Some(flag) = when.sets.as_ref().or(call.sets.as_ref()) {
                    effective.sets |= self.k.flag(flag);
                }
                break;
            }
        }
        if effective.trip == Some("none") {
            effective.trip = None;
        }
        effective
    }

    pub(super) fn holds(&mut self, when: &When, lib: LibId, recv: Option<ObjId>, args: &Args, at: ExprRef) -> bool {
        if when.versions.is_some() {
            let release = self.assumed(at.unit, self.k.library(lib).driver).release;
            if !crate::knowledge::matches(when.versions.as_deref(), release) {
                return false;
            }
        }
        if let Some(flag) = &when.flag {
            let bit = self.k.flag(flag);
            let set = recv.is_some_and(|r| matches!(self.v.get(r), Obj::Handle(h) if h.flags & bit != 0));
            if !set {
                return false;
            }
        }
        let Some(reference) = &when.arg else {
            return when.flag.is_some() || when.versions.is_some();
        };
        let value = Self::arg(args, reference);
        if let Some(given) = when.given {
            return given == value.is_some() && (given || !args.open);
        }
        let Some(value) = value else { return false };
        if let Some(literal) = &when.is_not {
            return !self.is_literal(value, literal);
        }
        if let Some(flag) = &when.flagged {
            let bit = self.k.flag(flag);
            let carries = |&o: &ObjId| matches!(self.v.get(o), Obj::Handle(h) if h.flags & bit != 0);
            return self.v.objs(value).iter().any(carries);
        }
        if !when.starts.is_empty() {
            return self.starts(value, &when.starts);
        }
        if !when.names.is_empty() {
            let wanted: Vec<Symbol> = when.names.iter().map(|p| self.k.canonical(p)).collect();
            return self.contains(
                value,
                &|this, obj| matches!(this.v.get(obj), Obj::External(path) if wanted.contains(path)),
            );
        }
        if let Some(literal) = &when.is {
            return self.is_literal(value, literal);
        }
        if when.min.is_some() || when.max.is_some() {
            return match self.v.only(value) {
                Some(Obj::Int(i)) => when.min.is_none_or(|min| *i >= min) && when.max.is_none_or(|max| *i <= max),
                _ => false,
            };
        }
        if !when.contains.is_empty() {
            return self.contains(value, &|this, obj| match this.v.get(obj) {
                Obj::Str(Some(text), _) => when.contains.iter().any(|c| c == text.as_str()),
                Obj::Dict(_) => this.any_key(obj, |k| when.contains.iter().any(|c| c == k)),
                Obj::Record(fields, _) => fields
                    .iter()
                    .any(|(k, _)| when.contains.iter().any(|c| c == k.as_str())),
                _ => false,
            });
        }
        if !when.holds.is_empty() {
            let wanted: Vec<Symbol> = when.holds.iter().map(|p| self.k.canonical(p)).collect();
            let made: Vec<Symbol> = when.holds.iter().map(|p| Symbol::new(p)).collect();
            return self.contains(value, &|this, obj| match this.v.get(obj) {
                Obj::External(path) => wanted.contains(path),
                Obj::Made(by) => made.contains(by),
                Obj::Handle(handle) => this
                    .k
                    .ty(handle.ty)
                    .spec
                    .paths
                    .iter()
                    .any(|p| wanted.contains(&this.k.canonical(p))),
                _ => false,
            });
        }
        true
    }

    /// The text, or the text that a handle was made from, begins with one of these.
    fn starts(&self, value: Value, prefixes: &[String]) -> bool {
        let begins = |text: &str| {
            prefixes
                .iter()
                .any(|p| text.to_ascii_lowercase().starts_with(p.as_str()))
        };
        self.v.objs(value).iter().any(|&o| match self.v.get(o) {
            Obj::Str(Some(text), _) => begins(text.as_str()),
            Obj::Handle(handle) => handle
                .origin
                .and_then(|at| self.out.openings.iter().find(|o| o.at == at))
                .and_then(|o| o.uri.as_deref())
                .is_some_and(begins),
            _ => false,
        })
    }

    fn is_literal(&self, value: Value, literal: &Literal) -> bool {
        match (self.v.only(value), literal) {
            (Some(Obj::Bool(Some(a))), Literal::Bool(b)) => a == b,
            (Some(Obj::Int(a)), Literal::Int(b)) => a == b,
            (Some(Obj::Str(Some(a), _)), Literal::Text(b)) => a.as_str() == b,
            (Some(Obj::None), Literal::Text(b)) => b == "none",
            _ => false,
        }
    }

    /// Something in a value, at any depth, that the test holds for.
    pub(super) fn contains(&self, value: Value, test: &dyn Fn(&Self, ObjId) -> bool) -> bool {
        let mut todo = vec![(value, 0)];
        let mut budget = 400;
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some((value, depth)) = todo.pop() {
            for &obj in self.v.objs(value) {
                if !seen.insert(obj) {
                    continue;
                }
                budget -= 1;
                if budget == 0 {
                    return false;
                }
                if test(self, obj) {
                    return true;
                }
                if depth > 6 {
                    continue;
                }
                match self.v.get(obj) {
                    Obj::Tuple(items) => todo.extend(items.iter().map(|&i| (i, depth + 1))),
                    Obj::List(_) | Obj::Dict(_) => {
                        todo.extend(self.heap_of(obj).map(|(_, v)| (v, depth + 1)));
                    }
                    Obj::Record(fields, _) => todo.extend(fields.iter().map(|(_, v)| (*v, depth + 1))),
                    _ => {}
                }
            }
        }
        false
    }

    /// Looks at the arguments of a write: what repeating it does.
    fn settle_repeat(&mut self, effective: &mut Effective<'_>, lib: LibId, args: &Args) {
        let values: Vec<Value> = args
            .pos
            .iter()
            .copied()
            .chain(args.kw.iter().map(|(_, v)| *v))
            .collect();
        match effective.repeat {
            Some(Repeat::Updates) => {
                let library = self.k.library(lib);
                let own = &library.file.changing;
                let changing = if own.is_empty() {
                    &self.k.library(library.driver).file.changing
                } else {
                    own
                };
                let changes = values.iter().any(|&v| {
                    self.contains(v, &|this, obj| match this.v.get(obj) {
                        Obj::Dict(_) => this.any_key(obj, |k| changing.iter().any(|c| c == k)),
                        _ => false,
                    })
                });
                effective.repeat = Some(if changes { Repeat::Changes } else { Repeat::Same });
            }
            Some(Repeat::Statement) => {
                let text = values.first().and_then(|&v| self.v.text(v));
                // A transaction that has only read so far loses nothing.
                effective.begins &= !text.is_some_and(|t| statement_reads(t.as_str()));
                let changes = text.is_some_and(|t| statement_changes(t.as_str()));
                effective.repeat = Some(if changes { Repeat::Changes } else { Repeat::Same });
            }
            Some(Repeat::Inserts) => {
                let mut documents = Vec::new();
                for &value in values.iter().take(1) {
                    for obj in self.v.list(value) {
                        match *self.v.get(obj) {
                            Obj::Dict(literal) => documents.push((obj, literal.at)),
                            Obj::List(_) => {
                                let items = self.entries(obj);
                                for item in self.v.list(items) {
                                    if let Obj::Dict(literal) = *self.v.get(item) {
                                        documents.push((item, literal.at));
                                    }
                                }
                            }
                            _ => {}
                        }
                    }
                }
                let any = Symbol::new("*");
                effective.document = documents
                    .iter()
                    .find(|(obj, _)| {
                        self.heap_get((*obj, any)).is_none() && !self.keys(*obj).iter().any(|k| k.as_str() == "_id")
                    })
                    .map(|(_, literal)| *literal);
            }
            _ => {}
        }
    }

    /// A connection that a method opens is an opening of its own; a bare one's cursor is derived from it.
    pub(super) fn opened(&mut self, value: Value, from: ObjId, opens: bool, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let Obj::Handle(handle) = *self.v.get(obj) else {
                let one = self.v.single(obj);
                result = self.v.join(result, one);
                continue;
            };
            let kind = self.k.connection(handle.ty);
            let before = match self.v.get(from) {
                Obj::Handle(before) => Some(*before),
                _ => None,
            };
            let changed = before.is_some_and(|b| b.ty != handle.ty);
            let one = match kind {
                Some(kind) if before.is_none() => {
                    let lib = self.k.ty(handle.ty).lib;
                    self.note_opening(at, kind, lib);
                    Handle {
                        origin: Some(at),
                        ..handle
                    }
                }
                Some(kind) if opens || changed && before.is_some_and(|b| self.k.connection(b.ty) != Some(kind)) => {
                    let lib = self.k.ty(handle.ty).lib;
                    self.note_opening(at, kind, lib);
                    Handle {
                        origin: Some(at),
                        under: handle.origin.or(handle.under),
                        derived: None,
                        ..handle
                    }
                }
                None if changed && before.is_some_and(|b| self.k.connection(b.ty) == Some(Connection::Bare)) => {
                    if let Some(origin) = handle.origin {
                        self.note_derived(at, origin);
                    }
                    Handle {
                        derived: Some(at),
                        ..handle
                    }
                }
                _ => handle,
            };
            let one = self.v.one(Obj::Handle(one));
            result = self.v.join(result, one);
        }
        result
    }

    /// Options given to a function or method that makes a client travel with the client.
    pub(super) fn with_options(&mut self, value: Value, args: &Args) -> Value {
        if args.kw.is_empty() {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj) {
                Obj::Handle(handle) if self.k.connection(handle.ty).is_some() => {
                    let handle = *handle;
                    let keys = self.k.keys(handle.ty, None);
                    let names: Vec<String> = self
                        .k
                        .options_of(&keys)
                        .iter()
                        .map(|(_, o)| o.name.to_ascii_lowercase())
                        .collect();
                    let mut options = self.options[handle.options.0 as usize].clone();
                    for (name, value) in &args.kw {
                        let name = name.as_str().to_ascii_lowercase();
                        if names.contains(&name) {
                            let text = self.option_text(*value);
                            options.retain(|(n, _)| *n != name);
                            options.push((name, text));
                        }
                    }
                    let options = self.options_id(options);
                    self.v.one(Obj::Handle(Handle { options, ..handle }))
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// Openings, revivals, the begin and end of transactions.
    fn connection_events(&mut self, id: SpecId, recv: Option<ObjId>, effective: &Effective<'_>, at: ExprRef) {
        let spec = self.k.call(id);
        let handle = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) => Some(*handle),
            _ => None,
        });
        if let Some(origin) = handle.and_then(|h| h.origin) {
            if effective.revives && spec.call.trip.is_some() && self.open_transactions.contains(&origin) {
                self.out.revived_within.push(at);
            }
            if effective.begins {
                self.open_transactions.insert(origin);
            }
            if spec.call.ends || effective.revives {
                self.open_transactions.remove(&origin);
            }
        }
        if effective.revives {
            let origin = handle.and_then(|h| h.origin);
            if let Some(origin) = origin.filter(|_| spec.call.ends) {
                self.note_closed(origin);
            }
            self.note(Event::Revive(origin, spec.lib));
        }
        if spec.call.opens
            && effective.gives.is_none()
            && let Some(origin) = handle.and_then(|h| h.origin).filter(|o| *o != at)
        {
            self.note_opened_by(origin, at);
        }
    }

    /// What the call gives.
    /// A value whose handles carry these flags too.
    fn flagged(&mut self, value: Value, flags: u32) -> Value {
        if flags == 0 {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Handle(handle) => self.v.one(Obj::Handle(Handle {
                    flags: handle.flags | flags,
                    ..handle
                })),
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    #[allow(clippy::too_many_arguments)] // the parts of one call
    fn given(
        &mut self,
        effective: &Effective<'_>,
        lib: LibId,
        recv: Option<ObjId>,
        args: &Args,
        lazy: bool,
        opens: bool,
        at: ExprRef,
    ) -> Option<Value> {
        let reference = effective.gives?;
        if reference == "argument" {
            return args.pos.first().copied();
        }
        match reference {
            "list" => return Some(self.v.one(Obj::List(at.into()))),
            "dict" => return Some(self.v.one(Obj::Dict(at.into()))),
            _ => {}
        }
        let from = recv.unwrap_or_else(|| self.v.obj(Obj::Unknown));
        let value = self.typed(reference, lib, from, lazy.then_some(at));
        let value = self.opened(value, from, opens, at);
        let value = self.with_options(value, args);
        if effective.sets == 0 && (recv.is_some() || lazy) {
            return Some(value);
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Handle(handle) => {
                    let origin = if recv.is_none() { Some(at) } else { handle.origin };
                    self.v.one(Obj::Handle(Handle {
                        flags: handle.flags | effective.sets,
                        origin,
                        ..handle
                    }))
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        Some(result)
    }

    fn prepare(
        &mut self,
        id: SpecId,
        recv: ObjId,
        trip: Option<&str>,
        effective: &Effective<'_>,
        args: &Args,
        at: ExprRef,
    ) -> Value {
        let lib = self.k.call(id).lib;
        let gives = match effective.gives {
            Some(reference) if reference != "argument" => {
                let call = &self.k.call(id).call;
                let (lazy, opens) = (call.lazy, call.opens);
                let given = self.typed(reference, lib, recv, lazy.then_some(at));
                let given = self.opened(given, recv, opens, at);
                self.flagged(given, effective.sets)
            }
            _ => Value::UNKNOWN,
        };
        let pending = Pending {
            at,
            recv,
            spec: id,
            trip: trip.map(Symbol::new),
            gives,
            repeat: (effective.repeat, effective.document),
            args: args.pos.clone(),
            kw: args.kw.clone(),
        };
        let id = self.pending(pending);
        self.v.one(Obj::Pending(id))
    }

    pub(super) fn await_pending(&mut self, id: PendingId, at: ExprRef) -> Value {
        let pending = self.pendings[id.0 as usize].clone();
        let site = if self.within(at, pending.at) || !self.is_written(at) {
            pending.at
        } else {
            at
        };
        let recv = (pending.recv != ObjId(0)).then_some(pending.recv);
        match pending.trip.map(Symbol::as_str) {
            Some("consume") => {
                if let Obj::Handle(handle) = self.v.get(pending.recv).clone() {
                    let how = self.k.call(pending.spec).call.consumes.unwrap_or(Consumes::All);
                    self.iterate_handle(pending.recv, &handle, site, how);
                }
            }
            Some(trip) => {
                let raises = self.k.call(pending.spec).call.raises.as_deref();
                self.round_trip(pending.spec, recv, &[trip], pending.repeat, site, raises);
            }
            None => {}
        }
        pending.gives
    }

    /// True for an expression of a text; false for a call that only the analysis makes.
    fn is_written(&mut self, at: ExprRef) -> bool {
        self.world
            .module(at.unit)
            .is_some_and(|m| (at.expr.0 as usize) < m.exprs.len())
    }

    /// True if `inner` lies in `outer`, both of one file.
    fn within(&mut self, outer: ExprRef, inner: ExprRef) -> bool {
        if outer.unit != inner.unit {
            return false;
        }
        let (a, b) = (self.place_of(outer).span, self.place_of(inner).span);
        a.contains(b)
    }

    pub(super) fn iterate_handle(&mut self, obj: ObjId, handle: &Handle, at: ExprRef, how: Consumes) -> Value {
        let k = self.k;
        let ty = k.ty(handle.ty);
        let Some(iteration) = &ty.spec.iterate else {
            return match &ty.spec.element {
                Some(element) => self.typed(element, ty.lib, obj, None),
                None => match handle.guard {
                    // A retry object that is iterated gives attempts, each of which is a guard.
                    Some(guard) => self.v.one(Obj::Guard(guard)),
                    None => Value::UNKNOWN,
                },
            };
        };
        let one_batch = handle.flags & k.flag("one-batch") != 0;
        let mut trips = vec![iteration.first.as_str()];
        if let (Some(rest), false, true) = (&iteration.rest, one_batch, how != Consumes::First) {
            trips.push(rest);
        }
        self.iteration_trip(obj, handle, &trips, at, how);
        match &ty.spec.element {
            Some(element) => self.typed(element, ty.lib, obj, None),
            None => Value::UNKNOWN,
        }
    }

    pub(super) fn truth_trip(&mut self, value: Value, at: ExprRef) {
        for obj in self.v.list(value) {
            if let Obj::Handle(handle) = self.v.get(obj).clone() {
                let k = self.k;
                if let Some(trip) = &k.ty(handle.ty).spec.truth {
                    self.iteration_trip(obj, &handle, &[trip.as_str()], at, Consumes::First);
                }
            }
        }
    }

    fn iteration_trip(&mut self, obj: ObjId, handle: &Handle, trips: &[&str], at: ExprRef, how: Consumes) {
        let lib = self.k.ty(handle.ty).lib;
        let operation = self.k.ty(handle.ty).key;
        self.trip(
            (lib, operation, None),
            Some(obj),
            trips,
            (None, None),
            at,
            handle.created.or(Some(at)),
            Some(how),
            None,
        );
    }

    pub(super) fn round_trip(
        &mut self,
        id: SpecId,
        recv: Option<ObjId>,
        trips: &[&str],
        repeat: (Option<Repeat>, Option<ExprRef>),
        at: ExprRef,
        raises: Option<&str>,
    ) {
        let k = self.k;
        let spec = k.call(id);
        let of = (spec.lib, spec.name, Some(id));
        self.trip(of, recv, trips, repeat, at, None, None, raises);
    }

    fn is_around(&self, noted: &Noted, obj: ObjId) -> bool {
        self.frames.iter().any(|f| noted.contains(&(obj, f.func)))
    }

    /// The program waits for the database here.
    #[allow(clippy::too_many_arguments)] // one place makes sites, and it needs all of this
    fn trip(
        &mut self,
        (lib, operation, spec): (LibId, Symbol, Option<SpecId>),
        recv: Option<ObjId>,
        trips: &[&str],
        (repeat, document): (Option<Repeat>, Option<ExprRef>),
        at: ExprRef,
        created: Option<ExprRef>,
        iterated: Option<Consumes>,
        raises: Option<&str>,
    ) {
        let iteration = iterated.is_some();
        let k = self.k;
        let handle = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) => Some(*handle),
            _ => None,
        });
        let unit = at.unit;
        let in_transaction = self.frames.iter().any(|f| f.transactions > 0)
            || handle.is_some_and(|h| self.language(unit) == Some(Language::Rust) && k.ty(h.ty).spec.transaction);
        let mut retry = Retry::Many;
        let turned_on: Vec<String> = self.frames.iter().flat_map(|f| f.turned_on.iter().cloned()).collect();
        for trip in trips {
            let this = match k.behaviour(lib, trip) {
                Some((owner, gates)) => {
                    let release = self.assumed(unit, owner).release;
                    let options = handle.map_or(OptionsId(0), |h| h.options);
                    let options = &self.options[options.0 as usize];
                    let flags = handle.map_or(0, |h| h.flags);
                    crate::knowledge::retry(gates, release, |name| {
                        if k.is_flag(name) {
                            return Some(flags & k.flag(name) != 0);
                        }
                        let name = name.to_ascii_lowercase();
                        if turned_on.contains(&name) {
                            return Some(true);
                        }
                        let value = options.iter().find(|(n, _)| *n == name)?.1.as_deref()?;
                        Some(!matches!(
                            value.to_ascii_lowercase().as_str(),
                            "false" | "0" | "no" | "none"
                        ))
                    })
                }
                None => Retry::Never,
            };
            retry = retry.min(this);
        }
        if in_transaction {
            retry = Retry::Never;
        }
        let driver = k.library(lib).driver;
        let release = self.assumed(unit, driver).release;
        let watched: &[String] = match (recv, handle) {
            (Some(obj), Some(h)) if self.is_around(&self.watching, obj) => {
                let spec = &k.ty(h.ty).spec;
                let again = spec.immediate.first().is_some_and(|n| n == operation.as_str());
                if again { &[] } else { &spec.immediate_loss }
            }
            _ => &[],
        };
        let (classes, any) = match raises {
            Some(path) => (vec![k.canonical(path)], false),
            None if !watched.is_empty() => (watched.iter().map(|c| k.canonical(c)).collect(), true),
            None => match k.loss_of(lib, handle.map(|h| h.ty), handle.map_or(0, |h| h.flags), release) {
                Some(loss) => (loss.classes.iter().map(|c| k.canonical(c)).collect(), loss.any),
                None => (Vec::new(), false),
            },
        };
        if classes.is_empty() {
            return;
        }
        let place = self.place_of(at);
        let (receiver, call) = self.receiver_text(at, operation, iteration);
        let receiver = spec
            .and_then(|spec| self.given_connection(spec, at))
            .unwrap_or(receiver);
        let reads = trips.iter().all(|t| matches!(*t, "read" | "getmore"));
        let site = Site {
            at,
            place,
            lib,
            driver,
            operation,
            iteration,
            ty: handle.map(|h| h.ty),
            receiver,
            call,
            reads,
            retry,
            confidence: handle.map_or(Confidence::Certain, |h| Self::confidence(&h)),
            origin: handle.and_then(|h| h.origin),
            under: handle.and_then(|h| h.under),
            repeat,
            document,
            steps: iterated == Some(Consumes::Next),
            in_transaction,
            func: self.site_func(at),
            panics: None,
        };
        let site = self.out.sites.add(site);
        self.fate(site);
        if let Some(handle) = handle {
            let (origin, under, derived) = (handle.origin, handle.under, handle.derived);
            self.note(Event::Trip {
                site,
                origin,
                under,
                derived,
            });
            self.rust_used(&handle, site);
        }
        // Its error is followed all the same: a handler that names a look-alike is wrong whatever the driver does.
        self.fate(site).heals |= retry == Retry::Many;
        // A transaction that is retried from outside goes on after a loss, as if it was still open.
        let created = created.or_else(|| handle.filter(|h| k.ty(h.ty).spec.transaction).and_then(|h| h.created));
        let flight = Flight {
            site,
            error: Error::Loss(lib, classes, any),
            making: None,
            ends_loop: false,
            created,
            around: Around::Unknown,
            notes: Vec::new(),
            path: PathId::EMPTY,
            marks: Marks {
                try_again: !watched.is_empty(),
                ..Marks::default()
            },
        };
        match handle.and_then(|h| h.guard) {
            Some(guard) if !iteration => {
                for flight in self.filter(vec![flight], guard) {
                    self.emit(flight);
                }
            }
            _ => {
                for flight in self.through_funnels(driver, trips, flight) {
                    self.emit(flight);
                }
            }
        }
    }

    /// What is left of an error after the functions that the program put in the place of the driver's inner methods.
    fn through_funnels(&mut self, driver: LibId, trips: &[&str], flight: Flight) -> Vec<Flight> {
        if self.funnels.is_empty() || self.in_funnel.is_some() {
            return vec![flight];
        }
        let passes = |this: &Self, funnel: &super::Funnel, trip: &str| {
            let ty = this.k.ty(funnel.ty);
            let sends = ty.spec.funnels.get(funnel.name.as_str());
            ty.lib == driver && sends.is_some_and(|s| s.iter().any(|t| t == trip))
        };
        let funnels = self.funnels.clone();
        // All of its round trips must pass through one.
        let all = trips.iter().all(|t| funnels.iter().any(|f| passes(self, f, t)));
        let funnel = funnels.iter().find(|f| trips.iter().any(|t| passes(self, f, t)));
        let (true, Some(funnel)) = (all, funnel) else {
            return vec![flight];
        };
        let Obj::Func(func, env) = *self.v.get(funnel.func) else {
            return vec![flight];
        };
        let Some(module) = self.world.module(func.unit) else {
            return vec![flight];
        };
        let open = Args {
            open: true,
            ..Args::default()
        };
        let args = self.bind_args(&module, func, env, &open);
        let act = self.act(super::Act {
            func,
            env,
            owner: None,
            args,
        });
        let Some(frame) = self.new_frame(act, None) else {
            return vec![flight];
        };
        self.in_funnel = Some((funnel.original, flight));
        let frame = self.run_body(frame, |this, m| this.exec_block(m, &m.func(func.func).body));
        self.in_funnel = None;
        frame.flights
    }

    /// The function in which an expression stands: the current one, unless the operation was passed on.
    pub(super) fn site_func(&self, at: ExprRef) -> Option<crate::resolve::value::FuncRef> {
        self.frames
            .iter()
            .rev()
            .find(|f| {
                f.unit == at.unit && {
                    let span = f.module.expr(at.expr).span;
                    f.func.is_none_or(|func| f.module.func(func.func).span.contains(span))
                }
            })?
            .func
    }

    /// Rust: the argument that is the connection, as written, without what borrows it.
    fn given_connection(&mut self, id: SpecId, at: ExprRef) -> Option<String> {
        use crate::core::ExprKind;
        let Some(ArgRef::Position(index)) = self.k.call(id).call.on else {
            return None;
        };
        let module = self.world.module(at.unit)?;
        let ExprKind::Call { args, .. } = &module.expr(at.expr).kind else {
            return None;
        };
        let given = args.get(index).filter(|_| module.language == Language::Rust)?;
        Some(self.unborrowed_text(ExprRef {
            unit: at.unit,
            expr: given.value,
        }))
    }

    /// `&mut *tx` as `tx`.
    fn unborrowed_text(&mut self, at: ExprRef) -> String {
        let text = self.text_of(at);
        let mut text = text.as_str();
        while let Some(rest) = text.strip_prefix(['&', '*', ' ']).or_else(|| text.strip_prefix("mut ")) {
            text = rest;
        }
        text.to_owned()
    }

    /// What the operation is called on, and the call without its arguments, as written.
    fn receiver_text(&mut self, at: ExprRef, operation: Symbol, iteration: bool) -> (String, String) {
        use crate::core::ExprKind;
        let Some(module) = self.world.module(at.unit) else {
            return (String::new(), operation.to_string());
        };
        let of = |expr| ExprRef { unit: at.unit, expr };
        let mut written = at.expr;
        while let ExprKind::Await(inner) = module.expr(written).kind {
            written = inner;
        }
        let call = match &module.expr(written).kind {
            ExprKind::Call { callee, args } => Some((*callee, args)),
            _ => None,
        };
        if iteration {
            let whole = self.text_of(of(written));
            // `list(orders)`, `next(orders)`: a function of the language, called with the object.
            let inner = match call {
                Some((callee, args)) if matches!(module.expr(callee).kind, ExprKind::Name(_)) => args.first(),
                _ => None,
            };
            let receiver = inner.map_or_else(|| whole.clone(), |a| self.text_of(of(a.value)));
            return (receiver, whole);
        }
        let named = call.map_or(written, |(callee, _)| callee);
        match &module.expr(named).kind {
            ExprKind::Attr { base, name, .. } if *name == operation => {
                let base = self.text_of(of(*base));
                let call = format!("{base}.{operation}");
                (base, call)
            }
            // `tokio::time::timeout(wait, query)`: what is before the last name is no object.
            ExprKind::Attr { path: true, .. } if module.language == Language::Rust => {
                let text = self.text_of(of(named));
                let given = call.and_then(|(_, args)| args.last().map(|a| a.value));
                let receiver = given.map_or_else(|| text.clone(), |given| self.unborrowed_text(of(given)));
                (receiver, text)
            }
            // A function that does it, a value passed on, a subscript.
            ExprKind::Attr { base, .. } if call.is_some() => {
                let call = self.text_of(of(named));
                (self.text_of(of(*base)), call)
            }
            ExprKind::Index { base, .. } => (self.text_of(of(*base)), self.text_of(of(named))),
            _ => {
                let text = self.text_of(of(named));
                (text.clone(), text)
            }
        }
    }

    /// More guards around the making of this object would not be remembered.
    pub(super) fn makings_enough(&self, at: ExprRef) -> bool {
        self.out
            .guarded_makings
            .get(&at)
            .is_some_and(|stops| stops.len() >= super::MAX_GUARDED_MAKINGS)
    }

    /// A lazy object is made: guards around this place are remembered.
    pub(super) fn making(&mut self, lib: LibId, at: ExprRef) {
        let driver = self.k.library(lib).driver;
        let release = self.assumed(at.unit, driver).release;
        let classes = self.k.loss(lib, release);
        self.note(Event::Making(at));
        if classes.is_empty() {
            return;
        }
        // Sites are numbered from what is really called; a making borrows the number of none.
        let flight = Flight {
            site: super::flight::SiteId(u32::MAX),
            error: Error::Loss(lib, classes, false),
            making: Some(at),
            ends_loop: false,
            created: None,
            around: Around::Unknown,
            notes: Vec::new(),
            path: PathId::EMPTY,
            marks: Marks::default(),
        };
        self.emit(flight);
    }

    // Constructors

    /// Calling a library's class.
    pub(super) fn open(&mut self, ty: TypeId, args: &Args, at: ExprRef) -> Value {
        let k = self.k;
        let entry = k.ty(ty);
        if let Some(guards) = &entry.spec.guards {
            return self.proxy(ty, guards, args, at);
        }
        let keys = self.type_keys(ty);
        if self.has_settings(ty) {
            self.awaiting.push((keys, args.clone(), None, at));
        } else {
            self.configured(&keys, args, None, at);
        }
        let options = self.opening(ty, args, at);
        let over = entry.constructor.and_then(|c| k.call(c).call.over.as_ref());
        let base = over.and_then(|r| Self::arg(args, r));
        let over = over.is_some();
        let base = base.and_then(|v| {
            self.v.list(v).into_iter().find_map(|o| match self.v.get(o) {
                Obj::Handle(handle) => Some(*handle),
                _ => None,
            })
        });
        if !self.opens(ty) {
            self.out.makings.insert(at);
        }
        let mut handle = Handle {
            origin: Some(at),
            options,
            ..Handle::of(ty)
        };
        if let Some(base) = base {
            handle.under = base.origin.or(base.under);
            if let (Some(under), None) = (handle.under, k.connection(ty)) {
                self.out.factories.insert(at, under);
            }
            handle.flags = base.flags;
            handle.likely = base.likely;
        }
        if let Some(kind) = k.connection(ty) {
            self.note_opening(at, kind, entry.lib);
        } else if let Some(base) = base.filter(|b| k.connection(b.ty) == Some(Connection::Bare)) {
            // A cursor made by its class.
            handle.origin = base.origin;
            handle.derived = Some(at);
            if let Some(origin) = base.origin {
                self.note_derived(at, origin);
            }
        } else if over {
            // It opens nothing itself.
            handle.origin = base.and_then(|b| b.origin);
        }
        if let Some(spec) = entry.constructor {
            let call = &k.call(spec).call;
            handle.flags |= self.effective(call, entry.lib, None, args, at).sets;
            if let Some(guard) = &call.guard {
                let guard = self.guard_from(spec, guard, args, at);
                let handle = Handle {
                    guard: Some(guard),
                    ..handle
                };
                return self.v.one(Obj::Handle(handle));
            }
            if call.gives.is_some() || call.spawns.is_some() || call.trip.is_some() || call.registers.is_some() {
                let id = self.v.obj(Obj::Handle(handle));
                let value = self.apply(spec, Some(id), args, at);
                if call.gives.is_some() || call.spawns.is_some() {
                    return value;
                }
            }
        }
        self.v.one(Obj::Handle(handle))
    }

    /// Making an object of this type opens a connection, at once or by its first use: no document or query does.
    pub(super) fn opens(&self, ty: TypeId) -> bool {
        let constructor = self.k.ty(ty).constructor.map(|c| self.k.call(c).call.opens);
        self.k.connection(ty).is_some() || constructor == Some(true)
    }

    /// The words by which library files name a type's constructor.
    fn type_keys(&self, ty: TypeId) -> Vec<Symbol> {
        let mut keys = self.k.keys(ty, None);
        keys.extend(self.k.ty(ty).spec.paths.iter().map(|p| self.k.canonical(p)));
        keys
    }

    /// A project's class that extends a library's one is constructed.
    pub(super) fn construct_outside(&mut self, class: ClassRef, obj: ObjId, args: &Args, at: ExprRef) {
        let _ = obj;
        for ty in self.outside_types(class) {
            if let Some(kind) = self.k.connection(ty) {
                let keys = self.type_keys(ty);
                if self.has_settings(ty) {
                    self.awaiting.push((keys, args.clone(), Some(class), at));
                } else {
                    self.configured(&keys, args, Some(class), at);
                }
                self.opening(ty, args, at);
                let lib = self.k.ty(ty).lib;
                self.note_opening(at, kind, lib);
            }
        }
    }

    /// Records what a constructor is given.
    pub(super) fn opening(&mut self, ty: TypeId, args: &Args, at: ExprRef) -> OptionsId {
        let mut options: Vec<(String, Option<String>)> = Vec::new();
        let mut places = Vec::new();
        let mut uri = None;
        let mut open_ended = args.open || args.more.is_some();
        for (index, value) in args.pos.iter().enumerate() {
            if let Some(text) = self.v.text(*value) {
                if text.as_str().contains("://") {
                    uri = Some(text.as_str().to_owned());
                }
            } else if index == 0 {
                open_ended |= !matches!(self.v.only(*value), Some(Obj::Int(_) | Obj::Handle(_)));
            }
        }
        for (index, (name, value)) in args.kw.iter().enumerate() {
            let text = self.option_text(*value);
            if let Some(text) = &text
                && text.contains("://")
            {
                uri = Some(text.clone());
            }
            let name = name.as_str().to_ascii_lowercase();
            if let Some(place) = args.places.get(args.pos.len() + index) {
                let place = self.place_of(ExprRef {
                    unit: at.unit,
                    expr: *place,
                });
                places.push((name.clone(), place));
            }
            options.retain(|(n, _)| *n != name);
            options.push((name, text));
        }
        if let Some(uri) = &uri {
            open_ended |= uri.contains('\u{fffd}');
            if let Some((_, query)) = uri.split_once('?') {
                for pair in query.split('&') {
                    if let Some((name, value)) = pair.split_once('=') {
                        let name = name.to_ascii_lowercase();
                        let value = (!value.contains('\u{fffd}')).then(|| value.to_owned());
                        if !options.iter().any(|(n, _)| *n == name) {
                            options.push((name, value));
                        }
                    }
                }
            }
        }
        let opening = Opening {
            at,
            ty,
            options: options.clone(),
            open_ended,
            uri,
            places,
            func: self.here().func,
        };
        match self.out.openings.iter_mut().find(|o| o.at == at && o.ty == ty) {
            Some(known) => {
                // Several contexts: only what holds in all of them is known.
                known.open_ended |= opening.open_ended || known.options != opening.options;
            }
            None => self.out.openings.push(opening),
        }
        // Only what changes a behaviour needs to travel with the handle.
        let keys = self.k.keys(ty, None);
        let known: Vec<String> = self
            .k
            .options_of(&keys)
            .iter()
            .map(|(_, o)| o.name.to_ascii_lowercase())
            .collect();
        options.retain(|(n, _)| known.contains(n));
        self.options_id(options)
    }

    /// The value of an option: its text, or `given` for an object that is not `None` or false.
    fn option_text(&self, value: Value) -> Option<String> {
        let is_object = |o: &Obj| matches!(o, Obj::List(_) | Obj::Dict(_) | Obj::Instance(..));
        let on = self.v.truth(value) == Some(true) || self.v.only(value).is_some_and(is_object);
        self.literal_text(value).or_else(|| on.then(|| "given".to_owned()))
    }

    pub(super) fn literal_text(&self, value: Value) -> Option<String> {
        match self.v.only(value)? {
            Obj::Str(Some(text), _) => Some(text.as_str().to_owned()),
            Obj::Bool(Some(b)) => Some(b.to_string()),
            Obj::Int(i) => Some(i.to_string()),
            Obj::None => Some("none".into()),
            _ => None,
        }
    }

    /// A library's proxy around a handle.
    fn proxy(&mut self, ty: TypeId, guards: &'w GuardSpec, args: &Args, at: ExprRef) -> Value {
        let Some(&inner) = args.pos.first() else {
            return Value::UNKNOWN;
        };
        let lib = self.k.ty(ty).lib;
        let keys = self.type_keys(ty);
        self.configured(&keys, args, None, at);
        self.opening(ty, args, at);
        let driver = self.k.library(lib).driver;
        let own = self.assumed(at.unit, lib).release;
        let driver = self.assumed(at.unit, driver).release;
        let guard = guards.applies(own, driver).then(|| {
            let name = self.k.ty(ty).spec.name.clone();
            let classes: Vec<ObjId> = guards
                .default
                .iter()
                .map(|c| self.v.obj(Obj::External(self.k.canonical(c))))
                .collect();
            let place = self.place_of(at);
            self.push_guard(Guard {
                lib,
                name,
                covers: Some(classes),
                not: Vec::new(),
                predicates: Vec::new(),
                place,
                retries: guards.retries,
                limited: guards.limited,
                waits: guards.waiting,
                silent: false,
            })
        });
        let mut result = Value::NOTHING;
        for obj in self.v.list(inner) {
            let one = match (self.v.get(obj).clone(), guard) {
                (Obj::Handle(handle), Some(guard)) => self.v.one(Obj::Handle(Handle {
                    guard: Some(guard),
                    ..handle
                })),
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    // Guards

    pub(super) fn push_guard(&mut self, guard: Guard) -> GuardId {
        // The same guard made again in another round or context keeps its number.
        let same = |g: &Guard| {
            g.place == guard.place
                && g.name == guard.name
                && g.covers == guard.covers
                && g.not == guard.not
                && g.predicates == guard.predicates
        };
        if let Some(index) = self.out.guards.iter().position(same) {
            return GuardId(index as u32);
        }
        self.out.guards.push(guard);
        GuardId(self.out.guards.len() as u32 - 1)
    }

    pub(super) fn add_guard(&mut self, id: SpecId, at: ExprRef, fill: impl FnOnce(&mut Guard)) -> GuardId {
        let spec = self.k.call(id);
        let library = &self.k.library(spec.lib).file.library.name;
        let name = if library == "python" || library == "std" {
            spec.name.to_string()
        } else {
            format!("{library} {}", spec.name)
        };
        let place = self.place_of(at);
        let mut guard = Guard {
            lib: spec.lib,
            name,
            covers: None,
            not: Vec::new(),
            predicates: Vec::new(),
            place,
            retries: false,
            limited: true,
            waits: true,
            silent: false,
        };
        fill(&mut guard);
        self.push_guard(guard)
    }

    /// The arguments, and for those that a guard looks at and that are not given the attributes of the class among them.
    fn with_class_attributes(&mut self, spec: &GuardSpec, args: &Args) -> Args {
        let mut args = args.clone();
        let class = spec.from_class.as_ref().and_then(|r| Self::arg(&args, r));
        let classes = class.map(|v| self.v.list(v)).unwrap_or_default();
        let wanted = [
            &spec.exceptions,
            &spec.predicate,
            &spec.limits,
            &spec.waits,
            &spec.needs,
        ];
        for obj in classes {
            let Obj::Class(class) = *self.v.get(obj) else { continue };
            for reference in wanted.into_iter().flatten() {
                if let ArgRef::Name(name) = reference
                    && Self::arg(&args, reference).is_none()
                    && let Some(value) = self.class_attr(class, obj, Symbol::new(name))
                {
                    args.kw.push((Symbol::new(name), value));
                }
            }
        }
        args
    }

    /// The guard that a retry function or decorator makes with these arguments.
    pub(super) fn guard_from(&mut self, id: SpecId, spec: &'w GuardSpec, args: &Args, at: ExprRef) -> GuardId {
        let mut covers: Vec<ObjId> = Vec::new();
        let mut not = Vec::new();
        let mut predicates = Vec::new();
        let mut given = false;
        for reference in &spec.exceptions {
            for value in Self::arg_values(args, reference) {
                given = true;
                for obj in self.class_objects(value) {
                    match self.v.get(obj).clone() {
                        Obj::Covers(classes) => covers.extend(classes),
                        Obj::CoversNot(classes) => {
                            not.extend(classes);
                            covers.push(self.v.obj(Obj::External(Symbol::new("BaseException"))));
                        }
                        Obj::None => given = false,
                        Obj::Func(..) | Obj::Bound(..) | Obj::Partial(..) => predicates.push(self.v.single(obj)),
                        _ => covers.push(obj),
                    }
                }
            }
        }
        for reference in &spec.predicate {
            for value in Self::arg_values(args, reference) {
                if self.v.only(value) != Some(&Obj::None) {
                    given = true;
                    predicates.push(value);
                }
            }
        }
        if !given && !args.open {
            covers = spec
                .default
                .iter()
                .map(|c| self.v.obj(Obj::External(self.k.canonical(c))))
                .collect();
        }
        if args.open && !given {
            covers.push(self.v.obj(Obj::Unknown));
        }
        let has = |list: &[ArgRef]| list.iter().any(|r| Self::arg(args, r).is_some());
        let (limited, waits) = (
            spec.limited || has(&spec.limits) || args.open,
            spec.waiting || has(&spec.waits) || args.open,
        );
        let silent = spec.silent.as_ref().is_some_and(|r| Self::arg(args, r).is_some());
        let missing_need = !spec.needs.is_empty() && !has(&spec.needs) && !args.open;
        self.add_guard(id, at, |guard| {
            guard.covers = Some(if missing_need { Vec::new() } else { covers });
            guard.not = not;
            guard.predicates = predicates;
            guard.retries = spec.retries;
            guard.limited = limited;
            guard.waits = waits;
            guard.silent = silent;
        })
    }

    fn predicate(&mut self, kind: Predicate, args: &Args) -> Value {
        match kind {
            Predicate::Types | Predicate::NotTypes => {
                let mut classes: Vec<ObjId> = Vec::new();
                for value in args.pos.iter().chain(args.kw.iter().map(|(_, v)| v)) {
                    classes.extend(self.class_objects(*value));
                }
                if args.pos.is_empty() && args.kw.is_empty() {
                    classes.push(self.v.obj(Obj::External(Symbol::new("Exception"))));
                }
                self.v.one(if kind == Predicate::Types {
                    Obj::Covers(classes)
                } else {
                    Obj::CoversNot(classes)
                })
            }
            Predicate::Function => args.pos.first().copied().unwrap_or(Value::UNKNOWN),
            Predicate::Any => {
                let mut all = Value::NOTHING;
                for value in &args.pos {
                    all = if all == Value::NOTHING {
                        *value
                    } else {
                        self.combine("|", all, *value)
                    };
                }
                all
            }
            Predicate::All => {
                let mut all = Value::NOTHING;
                for value in &args.pos {
                    all = if all == Value::NOTHING {
                        *value
                    } else {
                        self.combine("&", all, *value)
                    };
                }
                all
            }
            Predicate::Nothing => self.v.one(Obj::Covers(Vec::new())),
            Predicate::Everything => {
                let class = self.v.obj(Obj::External(Symbol::new("BaseException")));
                self.v.one(Obj::Covers(vec![class]))
            }
        }
    }

    /// `a | b` and `a & b` of predicates; of other things their union.
    pub(super) fn combine(&mut self, op: &str, a: Value, b: Value) -> Value {
        match (self.v.only(a).cloned(), self.v.only(b).cloned()) {
            (Some(Obj::Covers(mut x)), Some(Obj::Covers(y))) if op == "|" => {
                x.extend(y);
                self.v.one(Obj::Covers(x))
            }
            (Some(Obj::Covers(x)), Some(Obj::Covers(y))) => {
                // Both must hold: the narrower one as far as that can be told.
                let narrower = if x.len() <= y.len() { x } else { y };
                self.v.one(Obj::Covers(narrower))
            }
            _ => self.v.join(a, b),
        }
    }

    fn decorator(&mut self, id: SpecId, recv: Option<ObjId>, args: &Args, at: ExprRef) -> Value {
        let k = self.k;
        let call = &k.call(id).call;
        let direct = args.pos.len() == 1 && args.pos.first().is_some_and(|&v| self.is_function(v));
        let filled = call.guard.as_ref().map(|spec| self.with_class_attributes(spec, args));
        let args = filled.as_ref().unwrap_or(args);
        let guard = call.guard.as_ref().filter(|spec| {
            let lib = k.call(id).lib;
            let own = self.assumed(at.unit, lib).release;
            let needed = spec.needs.is_empty() || args.open || spec.needs.iter().any(|r| Self::arg(args, r).is_some());
            needed && spec.applies(own, own)
        });
        let guard = match guard {
            Some(spec) => {
                let own_args = if direct { args.rest(1) } else { args.clone() };
                Some(self.guard_from(id, spec, &own_args, at))
            }
            None => None,
        };
        if let Some(registers) = &call.registers
            && let Some(classes) = &registers.classes
        {
            // `@app.errorhandler(E)`: the decorated function answers those errors.
            let given = Self::arg_values(args, classes);
            let classes = if given.is_empty() {
                Value::UNKNOWN
            } else {
                self.v.one(Obj::Tuple(given))
            };
            self.add_app_handler(id, recv, classes, at);
        }
        let scope = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) => handle.origin,
            _ => None,
        });
        if scope.is_some() {
            self.decorator_scopes.insert(at, scope);
        }
        if direct {
            return self.decorate_with(id, guard, at, args, at);
        }
        self.v.one(Obj::Decorator(id, guard, at))
    }

    fn is_function(&self, value: Value) -> bool {
        self.v.objs(value).iter().any(|&o| self.v.get(o).is_function())
    }

    /// A decorator meets its function.
    pub(super) fn decorate_with(
        &mut self,
        id: SpecId,
        guard: Option<GuardId>,
        made: ExprRef,
        args: &Args,
        at: ExprRef,
    ) -> Value {
        let k = self.k;
        let call = &k.call(id).call;
        let Some(&func) = args.pos.first() else {
            // `retry()` called again without a function: a decorator still.
            return self.v.one(Obj::Decorator(id, guard, made));
        };
        if let Some(guard) = guard {
            if !self.is_callable(func) && !args.pos.is_empty() {
                return Value::UNKNOWN;
            }
            if args.pos.len() > 1 {
                return self.guarded_call(func, &args.rest(1), guard, at);
            }
        }
        let mut value = func;
        if call.coroutine {
            for obj in self.v.list(func) {
                if let Some(func) = self.function_of(obj) {
                    self.coroutine_funcs.insert(func);
                }
            }
        }
        if call.caches {
            for obj in self.v.list(func) {
                if let Some(func) = self.function_of(obj) {
                    self.cached_funcs.insert(func);
                }
            }
        }
        if let Some(guard) = guard {
            value = self.wrap_guard(value, guard);
        }
        if call.context_manager {
            let mut result = Value::NOTHING;
            for obj in self.v.list(value) {
                let one = match self.v.get(obj) {
                    Obj::Unknown => Value::UNKNOWN,
                    _ => self.v.one(Obj::Managed(obj)),
                };
                result = self.v.join(result, one);
            }
            value = result;
        }
        if let Some(ty) = call.becomes.as_ref().and_then(|t| k.type_named(k.call(id).lib, t)) {
            for obj in self.v.list(func) {
                if let Some(func) = self.function_of(obj) {
                    self.becomes.insert(func, ty);
                }
            }
        }
        if let Some(registers) = &call.registers {
            let scope = self.decorator_scopes.get(&made).copied().flatten();
            match registers.what {
                // A handler of errors is called by the framework too; its own calls start there.
                Registration::Entry | Registration::ErrorHandler | Registration::Dependency => {
                    for obj in self.v.list(value) {
                        if self.function_of(obj).is_some() {
                            let entry = Registered {
                                func: obj,
                                spec: id,
                                scope,
                            };
                            if !self.registered.iter().any(|r| r.func == entry.func) {
                                self.registered.push(entry);
                            }
                        }
                    }
                }
                Registration::Middleware => self.middlewares.push((value, id, made)),
            }
        }
        value
    }

    fn add_app_handler(&mut self, id: SpecId, recv: Option<ObjId>, classes: Value, at: ExprRef) {
        let registers = self.k.call(id).call.registers.clone();
        let local = registers.as_ref().is_some_and(|r| r.local);
        // A status stands for no class, except those that stand for everything.
        let everything = registers.map(|r| r.everything).unwrap_or_default();
        let mut kept = Vec::new();
        for class in self.class_objects(classes) {
            let stands = everything.iter().any(|e| match (e, self.v.get(class)) {
                (Literal::Int(a), Obj::Int(b)) => a == b,
                (Literal::Text(a), Obj::External(b)) => self.k.canonical(a) == *b,
                _ => false,
            });
            match self.v.get(class) {
                _ if stands => kept.push(self.v.obj(Obj::External(Symbol::new("BaseException")))),
                Obj::Int(_) => {}
                _ => kept.push(class),
            }
        }
        if kept.is_empty() {
            return;
        }
        let classes = self.v.set(kept);
        let scope = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) if local => handle.origin,
            _ => None,
        });
        let place: Place = self.place_of(at);
        let handler = AppHandler {
            classes,
            lib: self.k.call(id).lib,
            place,
            scope,
        };
        if !self
            .app_handlers
            .iter()
            .any(|h| h.place == handler.place && h.classes == handler.classes)
        {
            self.app_handlers.push(handler);
        }
    }

    /// Registrations by an argument. `None`: go on as with any call.
    fn register_as(
        &mut self,
        id: SpecId,
        registers: &'w Registers,
        recv: Option<ObjId>,
        args: &Args,
        at: ExprRef,
    ) -> Option<Value> {
        let what = registers.what;
        let function = registers.function.clone().unwrap_or(ArgRef::Position(0));
        let values = Self::arg_values(args, &function);
        let scope = recv.and_then(|r| match self.v.get(r) {
            Obj::Handle(handle) => handle.origin,
            _ => None,
        });
        match what {
            Registration::Dependency => {
                let mut result = Value::NOTHING;
                for value in values {
                    for obj in self.v.list(value) {
                        if self.function_of(obj).is_some() {
                            let entry = Registered {
                                func: obj,
                                spec: id,
                                scope: None,
                            };
                            if !self.registered.iter().any(|r| r.func == entry.func) {
                                self.registered.push(entry);
                            }
                        }
                    }
                    // Its errors start where the framework calls it, not here.
                    let outer = std::mem::take(&mut self.frame().flights);
                    let mark = self.log_mark();
                    let called = self.call(value, &Args::default(), at);
                    let called = self.await_value(called, at);
                    let given = self.generated(called, at);
                    self.openings_are_per_unit(mark);
                    self.log_rewind(mark);
                    self.frame().flights = outer;
                    result = self.v.join(result, given);
                }
                Some(if result == Value::NOTHING {
                    Value::UNKNOWN
                } else {
                    result
                })
            }
            Registration::Entry => {
                for value in values {
                    for obj in self.callables_in(value) {
                        let entry = Registered {
                            func: obj,
                            spec: id,
                            scope,
                        };
                        if !self.registered.iter().any(|r| r.func == entry.func) {
                            self.registered.push(entry);
                        }
                    }
                }
                None
            }
            Registration::ErrorHandler => {
                let classes = registers.classes.as_ref().and_then(|c| Self::arg(args, c));
                if let Some(classes) = classes {
                    self.add_app_handler(id, recv, classes, at);
                } else {
                    // `exception_handlers={Error: handler}`
                    for value in values {
                        for obj in self.v.list(value) {
                            if let Obj::Dict(literal) = *self.v.get(obj) {
                                let classes = self.dict_keys(literal.at);
                                self.add_app_handler(id, recv, classes, at);
                            }
                        }
                    }
                }
                None
            }
            Registration::Middleware => {
                for value in values {
                    let items = if self
                        .v
                        .objs(value)
                        .iter()
                        .any(|&o| matches!(self.v.get(o), Obj::List(_) | Obj::Tuple(_)))
                    {
                        self.iterate(value, at, Consumes::All)
                    } else {
                        value
                    };
                    if !self.v.is_unknown(items) && !self.middlewares.iter().any(|(v, ..)| *v == items) {
                        self.middlewares.push((items, id, at));
                    }
                }
                None
            }
        }
    }

    /// The keys of a dictionary display, evaluated.
    fn dict_keys(&mut self, literal: ExprRef) -> Value {
        let Some(module) = self.world.module(literal.unit) else {
            return Value::UNKNOWN;
        };
        let crate::core::ExprKind::Dict(entries) = &module.expr(literal.expr).kind else {
            return Value::UNKNOWN;
        };
        if self.here().unit != literal.unit {
            return Value::UNKNOWN;
        }
        let mut all = Vec::new();
        for (key, _) in entries {
            if let Some(key) = key {
                all.push(self.eval(&module, *key));
            }
        }
        self.v.one(Obj::Tuple(all))
    }

    pub(super) fn callables_in(&mut self, value: Value) -> Vec<ObjId> {
        let mut found = Vec::new();
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::List(_) => {
                    let items = self.entries(obj);
                    found.extend(self.v.list(items));
                }
                Obj::Tuple(items) => {
                    for item in items {
                        found.extend(self.v.list(item));
                    }
                }
                _ => found.push(obj),
            }
        }
        found.retain(|&o| self.function_of(o).is_some());
        found
    }

    /// What a generator yields; other values as they are.
    pub(super) fn generated(&mut self, value: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Generator(act, made) => self.run_generator(act, made, at),
                Obj::Manager(act) => self.summary(act).yields,
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// A function that calls its argument (`run(main)`, `executor.map(f, xs)`, `with_transaction(callback)`).
    fn call_argument(&mut self, id: SpecId, called: &ArgRef, args: &Args, own: Option<GuardId>, at: ExprRef) -> Value {
        let k = self.k;
        let Some(func) = Self::arg(args, called) else {
            return Value::UNKNOWN;
        };
        let skip = match called {
            ArgRef::Position(index) | ArgRef::Either(index, _) => index + 1,
            ArgRef::Name(_) => 0,
        };
        let rest = args.rest(skip);
        let guard = k
            .call(id)
            .call
            .guard
            .as_ref()
            .map(|spec| self.guard_from(id, spec, args, at));
        match guard.or(own) {
            Some(guard) => self.guarded_call(func, &rest, guard, at),
            None => self.call(func, &rest, at),
        }
    }

    /// A thread or task: its errors do not come back unless somebody joins it.
    pub(super) fn spawn(&mut self, id: SpecId, spawned: &ArgRef, args: &Args, at: ExprRef) -> Value {
        let k = self.k;
        let call = &k.call(id).call;
        let Some(func) = Self::arg(args, spawned) else {
            return Value::UNKNOWN;
        };
        let skip = match spawned {
            ArgRef::Position(index) => index + 1,
            _ => 0,
        };
        // Arguments for the function: the further positional ones, or `args=(..)`.
        let mut rest = args.rest(skip);
        if let Some(listed) = args.named("args") {
            rest.pos = if let Some(Obj::Tuple(items)) = self.v.only(listed).cloned() {
                items
            } else {
                let all = self.iterate(listed, at, Consumes::All);
                rest.more = Some(all);
                Vec::new()
            };
        }
        rest.kw
            .retain(|(n, _)| !matches!(n.as_str(), "args" | "kwargs" | "target" | "name" | "daemon"));
        let work = if self.is_callable(func) {
            self.v.one(Obj::Partial(func, rest.pos.clone(), rest.kw.clone()))
        } else {
            // It runs by itself: what encloses its making says nothing.
            let objs = self.v.list(func).into_iter();
            let started = objs.map(|o| match *self.v.get(o) {
                Obj::Coroutine(act, _) => self.v.obj(Obj::Coroutine(act, None)),
                _ => o,
            });
            let started = started.collect();
            self.v.set(started)
        };
        self.spawned.push((work, at, call.joins.is_some()));
        if call.joins.is_some() {
            return self.v.one(Obj::Running(work, id, at));
        }
        Value::UNKNOWN
    }
}

/// True if the SQL statement leaves nothing behind on the server, no lock either.
fn statement_reads(sql: &str) -> bool {
    let text = sql.trim_start().to_ascii_uppercase();
    let reads = ["SELECT", "SHOW", "DESCRIBE", "EXPLAIN"]
        .iter()
        .any(|w| text.starts_with(w));
    reads
        && ![
            " FOR UPDATE",
            " FOR SHARE",
            " LOCK IN ",
            " INTO ",
            "GET_LOCK",
            "NEXTVAL",
            "\u{fffd}",
        ]
        .iter()
        .any(|w| text.contains(w))
}

/// True if running the SQL statement twice changes the result: a plain `INSERT`, an update of a value by itself.
fn statement_changes(sql: &str) -> bool {
    let text = sql.trim_start().to_ascii_uppercase();
    if text.starts_with("INSERT") {
        return ![
            "ON CONFLICT",
            "ON DUPLICATE",
            "INSERT IGNORE",
            "OR IGNORE",
            "OR REPLACE",
            "WHERE NOT EXISTS",
        ]
        .iter()
        .any(|safe| text.contains(safe));
    }
    if let Some((_, set)) = text.strip_prefix("UPDATE").and_then(|t| t.split_once(" SET ")) {
        return set
            .split(" WHERE ")
            .next()
            .unwrap_or_default()
            .split(',')
            .any(|assignment| {
                assignment.split_once('=').is_some_and(|(name, value)| {
                    let name = name.trim().trim_matches(['`', '"']);
                    value
                        .split(|c: char| !c.is_alphanumeric() && c != '_')
                        .any(|word| word == name)
                        && value.contains(['+', '-', '*', '/', '|'])
                })
            });
    }
    false
}
