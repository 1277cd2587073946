//! Method calls: which function of the program or which line of a library file a method is.
//!
//! A method is looked for as the compiler does: on the declared wrappers of the object, on its own type, on what it derefs
//! to, then among what libraries and traits of the program add to types.

use std::rc::Rc;

use super::super::Interp;
use super::super::call::Args;
use crate::core::{Arg, ClassKind, ExprId, ExprKind, Language, Module, Symbol};
use crate::knowledge::{SpecId, TypeId};
use crate::resolve::value::{ClassRef, ExprRef, Handle, Obj, ObjId, OutcomeId, UnitId, Value};

/// A method call being carried out.
pub(super) struct MethodCall<'m> {
    pub m: &'m Module,
    /// What stands before the dot.
    pub base: ExprId,
    pub name: Symbol,
    pub args: Args,
    pub at: ExprRef,
}

/// Words in the names of questions that are asked about a lost connection.
const OF_LOSS: [&str; 12] = [
    "transient",
    "temporary",
    "connection",
    "connectivity",
    "disconnect",
    "disconnected",
    "retryable",
    "retriable",
    "recoverable",
    "unavailable",
    "network",
    "io",
];

impl Interp<'_> {
    pub(super) fn rust_eval_method(
        &mut self,
        m: &Module,
        at: ExprRef,
        callee: ExprId,
        base: ExprId,
        name: Symbol,
        args: &[Arg],
    ) -> Value {
        let receiver = self.eval(m, base);
        let args = self.rust_args(m, args);
        if self.here().dead {
            return Value::NOTHING;
        }
        self.read_env_call(m, callee, Value::UNKNOWN, &args, at);
        let call = MethodCall {
            m,
            base,
            name,
            args,
            at,
        };
        let before = self.here().dead;
        let objs = self.v.list(receiver);
        let mut all_dead = !objs.is_empty();
        let mut result = Value::NOTHING;
        for obj in objs {
            self.frame().dead = before;
            let one = self.rust_method(&call, obj);
            all_dead &= self.here().dead;
            result = self.v.join(result, one);
        }
        self.frame().dead = before || all_dead;
        result
    }

    /// The method on one object.
    pub(super) fn rust_method(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Value {
        let this = self.v.single(obj);
        if let Some(value) = self.rust_taken_by(call, obj) {
            return value;
        }
        match self.v.get(obj).clone() {
            Obj::Outcome(..) => {
                if let Some(spec) = self.rust_common_method("result", call.name) {
                    return self.rust_role_of(spec, this, call);
                }
                let funcs = self.rust_extension(&Self::rust_result_paths(), call.name);
                if let Some(&func) = funcs.first() {
                    return self.rust_call_func(func, call.args.with_first(this), call.at);
                }
                self.call_closures_quietly(&call.args);
                this
            }
            Obj::Pending(id) => self.rust_pending_method(call, obj, id),
            Obj::Handle(handle) => self.rust_handle_method(call, obj, &handle),
            Obj::Instance(class, _) => self.rust_instance_method(call, obj, class, 0),
            Obj::Variant(class, ..) => match self.rust_class_method(call, obj, class) {
                Some(value) => value,
                None => self.rust_any_method(call, obj),
            },
            Obj::Fault(id) => {
                // An error type of the program has methods of its own.
                if let Some(value) = self.rust_fault_of_program(call, obj) {
                    return value;
                }
                if let Some(spec) = self.rust_common_method("value", call.name) {
                    let spec = &self.k.call(spec).call;
                    if spec.gives.as_deref() == Some("self") || spec.gives.as_deref() == Some("inner") {
                        return this;
                    }
                }
                if let Some(value) = self.rust_asked_by_program(call, obj, id) {
                    return value;
                }
                self.rust_fault_method(id, call.name, &call.args)
            }
            Obj::Running(work, spec, started) => {
                let joins = self.k.call(spec).call.joins.as_deref() == Some(call.name.as_str());
                if joins {
                    return self.rust_join(work, started, call.at);
                }
                match self.rust_common_method("value", call.name) {
                    Some(_) => this,
                    None => Value::UNKNOWN,
                }
            }
            Obj::Guarded(..) => self.rust_guarded_method(call, obj),
            Obj::Coroutine(..) | Obj::Wrapped(_) => self.rust_callable_method(call, obj).unwrap_or(this),
            Obj::Func(..) | Obj::Partial(..) | Obj::Method(..) | Obj::Bound(..) => {
                match self.rust_callable_method(call, obj) {
                    Some(value) => value,
                    None => self.rust_any_method(call, obj),
                }
            }
            Obj::Generator(..) => {
                let next = matches!(
                    call.name.as_str(),
                    "next" | "try_next" | "try_collect" | "collect" | "try_for_each" | "for_each"
                );
                if next { self.rust_iterate(this, call.at) } else { this }
            }
            Obj::Tested(..) => this,
            _ => self.rust_any_method(call, obj),
        }
    }

    /// The paths that `Result` is known by.
    fn rust_result_paths() -> Vec<Symbol> {
        ["Result", "std.result.Result", "core.result.Result", "prelude.Result"]
            .iter()
            .map(|p| Symbol::new(p))
            .collect()
    }

    /// A type of the program: its methods, then those of what it derefs to.
    fn rust_instance_method(&mut self, call: &MethodCall<'_>, obj: ObjId, class: ClassRef, derefs: usize) -> Value {
        if let Some(value) = self.rust_class_method(call, obj, class) {
            return value;
        }
        if derefs < 4
            && let Some(target) = self.rust_deref(obj, class, call.at)
        {
            let mut result = Value::NOTHING;
            for inner in self.v.list(target) {
                let one = match *self.v.get(inner) {
                    Obj::Instance(class, _) => self.rust_instance_method(call, inner, class, derefs + 1),
                    _ => self.rust_method(call, inner),
                };
                result = self.v.join(result, one);
            }
            return result;
        }
        self.rust_any_method(call, obj)
    }

    fn rust_class_method(&mut self, call: &MethodCall<'_>, obj: ObjId, class: ClassRef) -> Option<Value> {
        let funcs = self.rust_methods(class, call.name);
        if funcs.is_empty() {
            if self.rust_kind(class) == Some(ClassKind::Trait) {
                let declared = self.rust_declared_method(class, call.name)?;
                let this = self.v.single(obj);
                return Some(self.rust_call_func(declared, call.args.with_first(this), call.at));
            }
            return None;
        }
        let of_trait = self.rust_kind(class) == Some(ClassKind::Trait);
        let mut result = Value::NOTHING;
        for func in funcs {
            // Of a trait object each implementation is called with an object of its own type.
            let this = match self.func_class.get(&func).copied() {
                Some(owner) if of_trait && owner != class => self.rust_instances(owner),
                _ => self.v.single(obj),
            };
            let env = self.rust_env_of(func, class);
            let one = self.rust_call(func, env, &call.args.with_first(this), call.at);
            result = self.v.join(result, one);
        }
        Some(result)
    }

    /// A method of an error type of the program, called on an error that was wrapped in it.
    fn rust_fault_of_program(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Option<Value> {
        let Obj::Fault(id) = *self.v.get(obj) else { return None };
        let class = self.rust_flights(id).iter().find_map(|f| match &f.error {
            super::super::flight::Error::Raised(raised) => match self.v.get(*raised) {
                Obj::Variant(class, ..) | Obj::Instance(class, _) => Some(*class),
                _ => None,
            },
            _ => None,
        })?;
        self.rust_class_method(call, obj, class)
    }

    /// A question that a type of the program asks about the errors in it: `broker_err.is_connection_error()`. The driver's
    /// errors have none of this name.
    fn rust_asked_by_program(&mut self, call: &MethodCall<'_>, obj: ObjId, id: OutcomeId) -> Option<Value> {
        if !call.name.as_str().starts_with("is_") || !call.args.pos.is_empty() || self.rust_is_predicate(id, call.name)
        {
            return None;
        }
        self.rust_enter_impls();
        let candidates = self.methods_by_name.get(&call.name).cloned().unwrap_or_default();
        let unit = self.here().unit;
        let this = self.v.single(obj);
        let mut result = Value::NOTHING;
        let mut classes = Vec::new();
        for func in candidates {
            let asks = |f: &crate::core::Func| {
                f.imp.is_some()
                    && !f.is_test
                    && !f.is_async
                    && matches!(&f.params[..], [own] if own.name.as_str() == "self")
            };
            let near = !self.world.is_aside(func.unit) && (func.unit == unit || self.world.may_use(unit, func.unit));
            let class = self.func_class.get(&func).copied();
            let Some(class) = class.filter(|_| near) else { continue };
            if !matches!(self.rust_kind(class), Some(ClassKind::Enum | ClassKind::Struct)) {
                continue;
            }
            if !self.with_func(func, asks).unwrap_or(false) || classes.contains(&class) {
                continue;
            }
            classes.push(class);
            if classes.len() > 3 {
                return None;
            }
            let env = self.rust_env_of(func, class);
            let one = self.rust_call(func, env, &call.args.with_first(this), call.at);
            result = self.v.join(result, one);
        }
        if classes.is_empty() {
            return None;
        }
        // `self.transient`, set where the error was converted: the name says what it is about.
        let words = call.name.as_str().split('_');
        if self.v.truth(result).is_none() && words.into_iter().any(|w| OF_LOSS.contains(&w)) {
            self.rust.decided += 1;
            return Some(self.v.one(Obj::Bool(Some(true))));
        }
        let is_answer = self
            .v
            .list(result)
            .iter()
            .all(|&o| matches!(self.v.get(o), Obj::Bool(_) | Obj::Tested(..)));
        is_answer.then_some(result)
    }

    fn rust_handle_method(&mut self, call: &MethodCall<'_>, obj: ObjId, handle: &Handle) -> Value {
        self.rust.endless_met += usize::from(self.k.ty(handle.ty).spec.endless);
        if self.k.ty(handle.ty).spec.local {
            let this = self.v.single(obj);
            self.call_closures(&call.args, this);
            return this;
        }
        for ty in self.rust_declared_wrappers(call.m, call.base).iter() {
            if let Some(&spec) = self.k.ty(*ty).methods.get(&call.name) {
                return self.rust_apply(spec, Some(obj), Some(call), &call.args, call.at);
            }
        }
        if let Some((receiver, spec)) = self.rust_type_method(obj, handle, call.name, call.at) {
            return self.rust_apply(spec, Some(receiver), Some(call), &call.args, call.at);
        }
        if self.k.ty(handle.ty).spec.builder {
            return self.rust_builder(call, obj, handle);
        }
        let paths: Vec<Symbol> = self
            .k
            .ty(handle.ty)
            .spec
            .paths
            .iter()
            .map(|path| self.k.canonical(path))
            .collect();
        let funcs = self.rust_extension(&paths, call.name);
        if let Some(&func) = funcs.first() {
            let this = self.v.single(obj);
            return self.rust_call_func(func, call.args.with_first(this), call.at);
        }
        if self.k.ty(handle.ty).spec.iterate.is_some() {
            // An adaptor of a stream: still the same stream.
            if self.rust_common_method("value", call.name).is_none() {
                let element = self
                    .k
                    .ty(handle.ty)
                    .spec
                    .element
                    .as_ref()
                    .map_or(Value::UNKNOWN, |_| Value::UNKNOWN);
                self.call_closures(&call.args, element);
                return self.v.single(obj);
            }
        }
        self.rust_any_method(call, obj)
    }

    /// A method of a library's type, or of the connection inside, and the object it is called on.
    pub(super) fn rust_type_method(
        &mut self,
        obj: ObjId,
        handle: &Handle,
        name: Symbol,
        at: ExprRef,
    ) -> Option<(ObjId, SpecId)> {
        let mut current = *handle;
        let mut receiver = obj;
        for _ in 0..3 {
            if let Some(&spec) = self.k.ty(current.ty).methods.get(&name) {
                let lib = self.k.call(spec).lib;
                let known = self.assumed(at.unit, lib);
                if !known.known || crate::knowledge::matches(self.k.call(spec).call.versions.as_deref(), known.release)
                {
                    return Some((receiver, spec));
                }
            }
            // Only what derefs to its inside has its methods: a guard, not a pool.
            if !self.k.ty(current.ty).spec.checked_out {
                return None;
            }
            let inner = current.inner.or_else(|| self.rust_default_inner(current.ty))?;
            if inner == current.ty {
                return None;
            }
            current = Handle {
                ty: inner,
                inner: None,
                ..current
            };
            receiver = self.v.obj(Obj::Handle(current));
        }
        None
    }

    /// Methods of anything: what libraries add to all values, closures that are called with what is inside.
    fn rust_any_method(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Value {
        let this = self.v.single(obj);
        if let Some(spec) = self.rust_common_method("result", call.name) {
            return self.rust_role_of(spec, this, call);
        }
        if let Some(spec) = self.rust_common_method("value", call.name) {
            return self.rust_apply(spec, Some(obj), Some(call), &call.args, call.at);
        }
        let element = match self.v.get(obj) {
            Obj::List(_) => self.entries(obj),
            Obj::Unknown | Obj::Str(..) => Value::UNKNOWN,
            _ => this,
        };
        if call.args.pos.iter().any(|&a| self.is_closure(a)) {
            return self.call_closures(&call.args, element);
        }
        if *self.v.get(obj) == Obj::Unknown {
            // Whatever it is, it waits for what others send.
            let waits = matches!(call.name.as_str(), "recv" | "recv_async" | "accept" | "changed");
            self.rust.endless_met += usize::from(waits);
            return self.rust_method_by_name(call);
        }
        // Coroutines and faults that are handed over are not lost.
        self.rust_call_unknown(None, &call.args, call.at)
    }

    /// A method of something unknown: if only one type of the program has it, that one.
    fn rust_method_by_name(&mut self, call: &MethodCall<'_>) -> Value {
        self.rust_enter_impls();
        let mut candidates = self.methods_by_name.get(&call.name).cloned().unwrap_or_default();
        let unit = self.here().unit;
        candidates.retain(|f| !self.world.is_aside(f.unit) && self.world.may_use(unit, f.unit));
        if candidates.is_empty() || self.rust_is_outside(call.m, call.base) {
            return self.rust_call_unknown(None, &call.args, call.at);
        }
        let fitting: Vec<_> = candidates
            .into_iter()
            .filter(|f| {
                self.with_func(*f, |f| {
                    f.imp.is_some()
                        && f.params.len() == call.args.pos.len() + 1
                        && !f.is_test
                        && f.params.first().is_some_and(|p| p.name.as_str() == "self")
                })
                .unwrap_or(false)
            })
            .collect();
        let [func] = fitting[..] else {
            return self.rust_call_unknown(None, &call.args, call.at);
        };
        if super::super::eval::is_common(call.name.as_str()) {
            return self.rust_call_unknown(None, &call.args, call.at);
        }
        let Some(&class) = self.func_class.get(&func) else {
            return Value::UNKNOWN;
        };
        let this = self.rust_instances(class);
        self.rust_call_func(func, call.args.with_first(this), call.at)
    }

    pub(super) fn is_closure(&self, value: Value) -> bool {
        self.v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Func(..) | Obj::Bound(..) | Obj::Partial(..)))
    }

    fn call_closures_quietly(&mut self, args: &Args) {
        let dead = self.here().dead;
        self.call_closures(args, Value::UNKNOWN);
        self.frame().dead = dead;
    }

    /// A method that takes a connection as an argument, whatever it is called on.
    fn rust_taken_by(&mut self, call: &MethodCall<'_>, obj: ObjId) -> Option<Value> {
        let known = match self.v.get(obj) {
            Obj::Handle(handle) => {
                let handle = *handle;
                self.rust_type_method(obj, &handle, call.name, call.at).is_some()
            }
            Obj::Instance(class, _) => {
                let class = *class;
                !self.rust_methods(class, call.name).is_empty()
            }
            Obj::Outcome(..) | Obj::Fault(_) => true,
            _ => false,
        };
        if known {
            return None;
        }
        for &arg in &call.args.pos {
            for handle in self.rust_handles(arg) {
                let mut current = Some(handle.ty);
                while let Some(ty) = current {
                    if let Some(&spec) = self.k.ty(ty).taken_by.get(&call.name) {
                        return Some(self.rust_apply(spec, Some(obj), Some(call), &call.args, call.at));
                    }
                    let inner = if ty == handle.ty {
                        handle.inner.or_else(|| self.rust_default_inner(ty))
                    } else {
                        None
                    };
                    current = inner.filter(|inner| *inner != ty);
                }
            }
        }
        None
    }

    /// A method that the language or an imported library adds to every object of a kind.
    pub(super) fn rust_common_method(&mut self, kind: &'static str, name: Symbol) -> Option<SpecId> {
        let unit = self.here().unit;
        let types = self.rust_common(unit, kind);
        types.iter().find_map(|&ty| self.k.ty(ty).methods.get(&name).copied())
    }

    fn rust_common(&mut self, unit: UnitId, kind: &'static str) -> Rc<[TypeId]> {
        if let Some(known) = self.rust.common.get(&(unit, kind)) {
            return Rc::clone(known);
        }
        let mut found: Vec<TypeId> = Vec::new();
        for lib in self.rust_imported(unit) {
            if let Some(&ty) = self.k.library(lib).types.get(kind) {
                found.push(ty);
            }
        }
        found.extend(self.k.std_type(Language::Rust, kind));
        let found: Rc<[TypeId]> = found.into();
        self.rust.common.insert((unit, kind), Rc::clone(&found));
        found
    }

    /// The libraries that a file names.
    fn rust_imported(&mut self, unit: UnitId) -> Vec<crate::knowledge::LibId> {
        let Some(m) = self.world.module(unit) else {
            return Vec::new();
        };
        let mut names: Vec<Symbol> = Vec::new();
        if let Some(items) = self.rust_unit(unit) {
            let tables = std::iter::once(&items.file)
                .chain(items.inline.values())
                .chain(items.bodies.values());
            for table in tables {
                let imports = table.names.values().flatten().filter_map(|item| match item {
                    super::items::Item::Import(import) => Some(import),
                    _ => None,
                });
                names.extend(
                    imports
                        .chain(&table.globs)
                        .filter_map(|import| import.module.first().copied()),
                );
            }
        }
        names.extend(m.exprs.iter().filter_map(|e| match e.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }));
        names.sort_unstable();
        names.dedup();
        let mut found = Vec::new();
        for name in names {
            let name = self.world.crate_name(unit, name);
            for lib in self.k.imported(name) {
                if !found.contains(lib) && self.k.language(*lib) == Language::Rust {
                    found.push(*lib);
                }
            }
        }
        found
    }

    /// The declared wrappers of what an expression denotes, outermost first.
    pub(super) fn rust_declared_wrappers(&mut self, m: &Module, base: ExprId) -> Rc<[TypeId]> {
        match &m.expr(base).kind {
            ExprKind::Same(inner) => self.rust_declared_wrappers(m, *inner),
            ExprKind::Name(name) => {
                if let Some(known) = self.here().rust.declared.get(name) {
                    return Rc::clone(known);
                }
                if self.rust_local(*name).is_some() {
                    return Rc::from([]);
                }
                self.rust_static_wrappers(m, base)
            }
            ExprKind::Attr { path: true, .. } => self.rust_static_wrappers(m, base),
            ExprKind::Attr {
                base,
                name,
                path: false,
                ..
            } => {
                let object = self.eval(m, *base);
                let mut found = Vec::new();
                for obj in self.v.list(object) {
                    if let Obj::Instance(class, _) = *self.v.get(obj)
                        && let Some(place) = self.rust_field_annotation(class, *name)
                    {
                        self.rust_within(class.unit, super::paths::Holder::Class(class.class), |this, m| {
                            this.rust_wrappers(m, place, &mut found);
                        });
                        break;
                    }
                }
                found.into()
            }
            _ => Rc::from([]),
        }
    }

    fn rust_field_annotation(&mut self, class: ClassRef, name: Symbol) -> Option<ExprId> {
        let m = self.world.module(class.unit)?;
        m.class(class.class).fields.iter().find(|f| f.name == name)?.annotation
    }
}
