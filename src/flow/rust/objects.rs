//! Objects of the program's types: structs, variants, their fields, and what they deref to.

use super::super::Interp;
use super::super::call::Args;
use super::types::FRESH;
use crate::core::{ClassKind, Symbol};
use crate::knowledge::Connection;
use crate::resolve::value::{ClassRef, ExprRef, Handle, Obj, ObjId, Value};

/// Objects of one type that are told apart.
const MAX_OBJECTS: usize = 64;
/// A type derefs to a type that derefs ... this far.
const MAX_DEREFS: usize = 4;

impl Interp<'_> {
    /// The object that this expression makes.
    pub(super) fn rust_make(&mut self, class: ClassRef, at: ExprRef) -> ObjId {
        let obj = self.v.obj(Obj::Instance(class, Some(at.into())));
        let known = self.instances.entry(class).or_default();
        if !known.contains(&obj) && known.len() < MAX_OBJECTS {
            known.push(obj);
            self.heap_changed = true;
        }
        obj
    }

    pub(super) fn rust_init_field(&mut self, obj: ObjId, name: Symbol, value: Value) {
        let value = self.rust_stored(value);
        let value = if value == Value::NOTHING { Value::UNKNOWN } else { value };
        self.frame().fields.remove(&(obj, name));
        self.heap_join((obj, name), value);
    }

    /// `..base`: the fields that are not given.
    pub(super) fn rust_init_rest(&mut self, class: ClassRef, obj: ObjId, rest: Value, given: &[(Symbol, Value)]) {
        let Some(m) = self.world.module(class.unit) else { return };
        let at = ExprRef {
            unit: self.here().unit,
            expr: crate::core::ExprId(0),
        };
        for field in &m.class(class.class).fields {
            if given.iter().all(|(name, _)| *name != field.name) {
                let value = self.rust_field(rest, field.name, at);
                self.rust_init_field(obj, field.name, value);
            }
        }
    }

    /// A variant with its payload in the order of declaration.
    pub(super) fn rust_variant_fields(
        &mut self,
        class: ClassRef,
        name: Symbol,
        given: &[(Symbol, Value)],
    ) -> Vec<Value> {
        let Some(m) = self.world.module(class.unit) else {
            return Vec::new();
        };
        let Some(variant) = m.class(class.class).fields.iter().find(|f| f.name == name) else {
            return Vec::new();
        };
        let find = |name: Symbol| {
            given
                .iter()
                .find(|(n, _)| *n == name)
                .map_or(Value::UNKNOWN, |(_, v)| *v)
        };
        variant.fields.iter().map(|field| find(field.name)).collect()
    }

    /// Makes a variant; an object of which only the enum is known may hold this payload.
    pub(super) fn rust_variant(&mut self, class: ClassRef, name: Symbol, values: Vec<Value>) -> Value {
        let general = self.v.obj(Obj::Instance(class, None));
        for (index, value) in values.iter().enumerate().take(8) {
            let value = self.rust_stored(*value);
            if !self.v.is_unknown(value) {
                self.heap_join((general, Symbol::new(&format!("{name}.{index}"))), value);
            }
        }
        self.v.one(Obj::Variant(class, name, values))
    }

    /// The payload of a variant of an object of which only the enum is known.
    pub(super) fn rust_payload(&mut self, class: ClassRef, name: Symbol, index: usize) -> Value {
        let general = self.v.obj(Obj::Instance(class, None));
        let stored = self.heap_get((general, Symbol::new(&format!("{name}.{index}"))));
        if let Some(stored) = stored {
            return stored;
        }
        let annotation = self.world.module(class.unit).and_then(|m| {
            let variant = m.class(class.class).fields.iter().find(|f| f.name == name)?;
            variant.fields.get(index)?.annotation
        });
        let Some(annotation) = annotation else {
            return Value::UNKNOWN;
        };
        let declared = self.rust_within(class.unit, super::paths::Holder::Class(class.class), |this, m| {
            this.rust_annotation(m, annotation)
        });
        declared.unwrap_or(Value::UNKNOWN)
    }

    /// `value.name` where it is not called.
    pub(super) fn rust_field(&mut self, value: Value, name: Symbol, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.rust_field_of(obj, name, at, 0);
            result = self.v.join(result, one);
        }
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }

    fn rust_field_of(&mut self, obj: ObjId, name: Symbol, at: ExprRef, derefs: usize) -> Value {
        match self.v.get(obj).clone() {
            Obj::Instance(class, made) => {
                if let Some(value) = self.rust_own_field(obj, class, made.map(|m| m.at), name) {
                    return value;
                }
                if derefs < MAX_DEREFS
                    && let Some(target) = self.rust_deref(obj, class, at)
                {
                    let mut result = Value::NOTHING;
                    for inner in self.v.list(target) {
                        let one = self.rust_field_of(inner, name, at, derefs + 1);
                        result = self.v.join(result, one);
                    }
                    return result;
                }
                Value::UNKNOWN
            }
            Obj::Handle(handle) => {
                let shared = self.shared(obj);
                if let Some(value) = self.field(shared, name) {
                    return value;
                }
                let entry = self.k.ty(handle.ty);
                if let Some(reference) = entry.spec.attributes.get(name.as_str()) {
                    return self.typed(reference, entry.lib, obj, None);
                }
                // `State(pool)`, `Extension(pool)` leave no trace, nor does looking into them.
                if name.as_str() == "0" {
                    self.v.single(obj)
                } else {
                    Value::UNKNOWN
                }
            }
            Obj::Tuple(items) => {
                let index: Option<usize> = name.as_str().parse().ok();
                index.and_then(|i| items.get(i).copied()).unwrap_or(Value::UNKNOWN)
            }
            Obj::Fault(_) => self.v.single(obj),
            // A newtype of the outside, or a result that is no `Result` any more.
            Obj::Outcome(..) if name.as_str() == "0" => self.v.single(obj),
            Obj::None => Value::NOTHING,
            _ => Value::UNKNOWN,
        }
    }

    /// A declared field of an object.
    fn rust_own_field(&mut self, obj: ObjId, class: ClassRef, made: Option<ExprRef>, name: Symbol) -> Option<Value> {
        let m = self.world.module(class.unit)?;
        let definition = m.class(class.class);
        if definition.kind == ClassKind::Trait || !definition.fields.iter().any(|f| f.name == name) {
            return None;
        }
        let per_call = made.is_some_and(|made| made.expr == FRESH);
        if per_call {
            // Nothing in it was there before the call.
            return self.rust_declared_field(class, name);
        }
        let mut value = self.field(obj, name).unwrap_or(Value::NOTHING);
        if value == Value::NOTHING && made.is_none() {
            for other in self.instances.get(&class).cloned().unwrap_or_default() {
                if let Some(other) = self.field(other, name) {
                    value = self.v.join(value, other);
                }
            }
        }
        if value == Value::NOTHING && made.is_some() {
            let general = self.v.obj(Obj::Instance(class, None));
            value = self.field(general, name).unwrap_or(Value::NOTHING);
        }
        let declared = if value == Value::NOTHING || self.rust_needs_declaration(value) {
            self.rust_declared_field(class, name).unwrap_or(Value::UNKNOWN)
        } else {
            Value::UNKNOWN
        };
        let value = if value == Value::NOTHING {
            declared
        } else {
            self.rust_refine(value, declared)
        };
        let value = if value == Value::NOTHING { Value::UNKNOWN } else { value };
        // Where nothing tells who opened the connection, the declaration stands for it.
        match self.rust_owned_field(class, name) {
            Some(place) => Some(self.rust_declared_origin(value, place)),
            None => Some(value),
        }
    }

    /// Something in it is less than the declaration says.
    fn rust_needs_declaration(&self, value: Value) -> bool {
        self.v.is_unknown(value)
            || self
                .v
                .objs(value)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Handle(Handle { inner: None, .. })))
    }

    /// Connections of unknown origin count as opened where they are declared.
    pub(super) fn rust_declared_origin(&mut self, value: Value, place: ExprRef) -> Value {
        let needs = |this: &Self, handle: &Handle| {
            handle.origin.is_none()
                && !this.k.ty(handle.ty).spec.transaction
                && (this.k.connection(handle.ty) == Some(Connection::Bare) || this.k.ty(handle.ty).spec.checked_out)
        };
        if !self.rust_handles(value).iter().any(|h| needs(self, h)) {
            return value;
        }
        self.rust_map_handles(value, &mut |this, handle| {
            if needs(this, &handle) {
                let lib = this.k.ty(handle.ty).lib;
                this.rust.storage.declared(place, lib);
                Handle {
                    origin: Some(place),
                    ..handle
                }
            } else {
                handle
            }
        })
    }

    /// What an object derefs to, if its type says so.
    pub(super) fn rust_deref(&mut self, obj: ObjId, class: ClassRef, at: ExprRef) -> Option<Value> {
        if self.rust.following > 16 {
            return None;
        }
        let funcs = self.rust_methods(class, Symbol::new("deref"));
        let &func = funcs.first()?;
        let this = self.v.single(obj);
        self.rust.following += 1;
        let value = self.rust_call_func(func, Args::positional(vec![this]), at);
        self.rust.following -= 1;
        // An implementation that leads back to the object itself leads nowhere.
        (value != this && value != Value::UNKNOWN).then_some(value)
    }
}
