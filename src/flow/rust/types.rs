//! Declared types as values. Wrappers leave no trace: `Arc<Mutex<Connection>>` is the connection.

use super::super::Interp;
use super::impls::SelfType;
use super::paths::Holder;
use crate::core::{ClassKind, ExprId, ExprKind, Generic, Module, Symbol};
use crate::knowledge::{Item, TypeId};
use crate::resolve::value::{ClassRef, ExprRef, Handle, Obj, ObjId, Value};

/// Types within types are followed this far.
const MAX_NESTED: usize = 40;

/// The maker of objects that exist for one call only (an extractor's result).
pub(super) const FRESH: ExprId = ExprId(u32::MAX - 1);

impl Interp<'_> {
    /// The value that a declared type stands for.
    pub(in crate::flow) fn rust_annotation(&mut self, m: &Module, id: ExprId) -> Value {
        if self.rust.following > MAX_NESTED {
            return Value::UNKNOWN;
        }
        self.rust.following += 1;
        let value = self.rust_annotation_once(m, id);
        self.rust.following -= 1;
        value
    }

    fn rust_annotation_once(&mut self, m: &Module, id: ExprId) -> Value {
        match &m.expr(id).kind {
            ExprKind::Same(inner) => self.rust_annotation(m, *inner),
            ExprKind::Name(_) | ExprKind::Attr { .. } => self.rust_named_type(m, id, &[]),
            ExprKind::Index { base, index } => {
                let args = type_arguments(m, *index);
                match m.expr(*base).kind {
                    ExprKind::Name(name) if matches!(name.as_str(), "impl" | "dyn") => {
                        let mut result = Value::NOTHING;
                        for bound in args {
                            let one = self.rust_bound(m, bound);
                            result = self.v.join(result, one);
                        }
                        self.rust_known(result)
                    }
                    _ => self.rust_named_type(m, *base, &args),
                }
            }
            ExprKind::List(items) => match items.first() {
                Some(&item) => self.rust_annotation(m, item),
                None => Value::UNKNOWN,
            },
            ExprKind::Tuple(items) => {
                let items: Vec<Value> = items.iter().map(|&item| self.rust_annotation(m, item)).collect();
                self.v.one(Obj::Tuple(items))
            }
            // `Target = X` among type arguments.
            ExprKind::Assign { value, .. } => self.rust_annotation(m, *value),
            ExprKind::None => Value::NONE,
            _ => Value::UNKNOWN,
        }
    }

    /// Without the unknown if something is known.
    pub(super) fn rust_known(&mut self, value: Value) -> Value {
        let known: Vec<ObjId> = self
            .v
            .list(value)
            .into_iter()
            .filter(|&o| !matches!(self.v.get(o), Obj::Unknown))
            .collect();
        if known.is_empty() {
            Value::UNKNOWN
        } else {
            self.v.set(known)
        }
    }

    /// A trait as a bound: everything that implements it, or the library's type of that name.
    fn rust_bound(&mut self, m: &Module, id: ExprId) -> Value {
        let head = self.rust_type_head(m, id);
        let head = self.rust_resolved(head);
        match self.v.only(head).cloned() {
            Some(Obj::Class(class)) if self.rust_kind(class) == Some(ClassKind::Trait) => self.rust_implementors(class),
            _ => self.rust_annotation(m, id),
        }
    }

    fn rust_implementors(&mut self, of: ClassRef) -> Value {
        self.rust_enter_impls();
        let mut result = Value::NOTHING;
        for this in self
            .rust
            .implementors
            .get(&of)
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .take(8)
        {
            let one = match this {
                SelfType::Class(class) => self.rust_instances(class),
                SelfType::Outside(path) => match self.k.item(path) {
                    Some(Item::Type(ty)) => self.handle(ty, None),
                    _ => continue,
                },
                SelfType::Any => continue,
            };
            result = self.v.join(result, one);
        }
        // An object of which only the trait is known, for methods with a default body.
        if result == Value::NOTHING {
            self.v.one(Obj::Instance(of, None))
        } else {
            result
        }
    }

    /// A path with type arguments.
    fn rust_named_type(&mut self, m: &Module, base: ExprId, args: &[ExprId]) -> Value {
        if let ExprKind::Name(name) = m.expr(base).kind
            && let Some(value) = self.rust_generic(m, name)
        {
            return value;
        }
        let head = self.rust_type_head(m, base);
        let mut result = Value::NOTHING;
        for obj in self.v.list(head) {
            let one = match *self.v.get(obj) {
                Obj::Class(class) => self.rust_class_type(m, class, args),
                Obj::External(path) => match self.k.item(path) {
                    Some(Item::Type(ty)) => self.rust_library_type(m, ty, args),
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

    fn rust_class_type(&mut self, m: &Module, class: ClassRef, args: &[ExprId]) -> Value {
        let Some(module) = self.world.module(class.unit) else {
            return Value::UNKNOWN;
        };
        let definition = module.class(class.class);
        match definition.kind {
            ClassKind::Alias => {
                let values: Vec<Value> = args.iter().map(|&arg| self.rust_annotation(m, arg)).collect();
                let names: Vec<Symbol> = definition.generics.iter().map(|g| g.name).collect();
                let Some(&target) = definition.bases.first() else {
                    return Value::UNKNOWN;
                };
                let value = self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
                    this.frame().rust.generics = names.into_iter().zip(values).collect();
                    this.rust_annotation(m, target)
                });
                value.unwrap_or(Value::UNKNOWN)
            }
            ClassKind::Trait => self.rust_implementors(class),
            ClassKind::Module => Value::UNKNOWN,
            _ => self.rust_instances(class),
        }
    }

    fn rust_library_type(&mut self, m: &Module, ty: TypeId, args: &[ExprId]) -> Value {
        let spec = &self.k.ty(ty).spec;
        if let Some(index) = spec.transparent {
            return match args.get(index).or(args.first()) {
                Some(&arg) => self.rust_annotation(m, arg),
                None => Value::UNKNOWN,
            };
        }
        if spec.connection.is_some() || spec.builder || spec.generic.is_some() || spec.awaited {
            for &arg in args {
                let value = self.rust_annotation(m, arg);
                if self.rust_is_local(value) {
                    return value;
                }
            }
        }
        let generic = spec.generic.and_then(|index| args.get(index).copied());
        let inside = generic.map(|arg| self.rust_annotation(m, arg));
        let inner = self.rust_inner(ty, inside);
        self.v.one(Obj::Handle(Handle {
            inner,
            ..Handle::of(ty)
        }))
    }

    /// True for a database on this machine, or a part of it.
    pub(super) fn rust_is_local(&self, value: Value) -> bool {
        // Where features choose between several databases, the others count.
        self.v.inside(value).handles && self.rust_handles(value).iter().all(|h| self.k.ty(h.ty).spec.local)
    }

    /// The type of the connection inside of this type, given the value inside.
    pub(super) fn rust_inner(&mut self, ty: TypeId, inside: Option<Value>) -> Option<TypeId> {
        let from_value = inside.and_then(|value| {
            self.v.objs(value).iter().find_map(|&o| match self.v.get(o) {
                Obj::Handle(handle) if !self.k.ty(handle.ty).spec.local => Some(*handle),
                _ => None,
            })
        });
        if let Some(handle) = from_value {
            let entry = self.k.ty(handle.ty);
            let here = entry.spec.inner_for.iter().find(|(pool, _)| {
                self.k
                    .type_named(entry.lib, pool)
                    .is_some_and(|pool| self.k.ty(ty).lineage.contains(&pool))
            });
            if let Some(inner) = here.and_then(|(_, inner)| self.k.type_named(entry.lib, inner)) {
                return Some(inner);
            }
            return Some(
                handle
                    .inner
                    .or_else(|| self.rust_default_inner(handle.ty))
                    .unwrap_or(handle.ty),
            );
        }
        self.rust_default_inner(ty)
    }

    pub(super) fn rust_default_inner(&self, ty: TypeId) -> Option<TypeId> {
        let entry = self.k.ty(ty);
        let reference = entry.spec.inner.as_ref()?;
        self.k.type_named(entry.lib, reference)
    }

    /// True if a name is a type parameter here.
    pub(super) fn rust_is_generic(&mut self, m: &Module, name: Symbol) -> bool {
        self.rust_generic(m, name).is_some()
    }

    /// A type parameter: what it was bound to, or anything that has its bounds.
    fn rust_generic(&mut self, m: &Module, name: Symbol) -> Option<Value> {
        if let Some((_, value)) = self.here().rust.generics.iter().find(|(n, _)| *n == name) {
            return Some(*value);
        }
        let mut holder = self.here().rust.holder;
        for _ in 0..16 {
            let (generics, next): (&[Generic], Option<Holder>) = match holder {
                Holder::File => return None,
                Holder::Func(id) => {
                    let f = m.funcs.get(id.0 as usize)?;
                    let next = match (f.parent, f.imp, f.class) {
                        (Some(parent), ..) => Some(Holder::Func(parent)),
                        (_, Some(imp), _) => Some(Holder::Impl(imp)),
                        (_, _, Some(class)) => Some(Holder::Class(class)),
                        _ => None,
                    };
                    (&f.generics, next)
                }
                Holder::Impl(id) => (&m.impls.get(id.0 as usize)?.generics, None),
                Holder::Class(id) => (&m.classes.get(id.0 as usize)?.generics, None),
            };
            let mut found = false;
            let mut result = Value::NOTHING;
            for generic in generics.iter().filter(|g| g.name == name) {
                found = true;
                for &bound in &generic.bounds {
                    let one = self.rust_bound(m, bound);
                    result = self.v.join(result, one);
                }
            }
            // A `where` clause of the function may add to a parameter of the block around it.
            if found && result != Value::NOTHING {
                return Some(self.rust_known(result));
            }
            if found && next.is_none() {
                return Some(Value::UNKNOWN);
            }
            holder = next?;
        }
        None
    }

    /// Objects of a type of the program: those that were made, or one that stands for all.
    pub(super) fn rust_instances(&mut self, class: ClassRef) -> Value {
        if self.rust_made_per_call(class) {
            let made = ExprRef {
                unit: class.unit,
                expr: FRESH,
            };
            return self.v.one(Obj::Instance(class, Some(made.into())));
        }
        match self.instances.get(&class).cloned() {
            Some(known) if !known.is_empty() && known.len() <= 12 => self.v.set(known),
            _ => self.v.one(Obj::Instance(class, None)),
        }
    }

    /// True if the type implements a trait whose implementors are made for each call.
    fn rust_made_per_call(&mut self, class: ClassRef) -> bool {
        self.rust_enter_impls();
        let Some(traits) = self.rust.outside_traits.get(&class) else {
            return false;
        };
        traits
            .iter()
            .any(|&path| matches!(self.k.item(path), Some(Item::Type(ty)) if self.k.ty(ty).spec.per_call))
    }

    /// True if several places may hold the same object of the type: it derives or implements `Clone`.
    pub(super) fn rust_is_clone(&mut self, class: ClassRef) -> bool {
        self.rust_enter_impls();
        let clone = |path: &Symbol| path.as_str().rsplit('.').next() == Some("Clone");
        if self
            .rust
            .outside_traits
            .get(&class)
            .is_some_and(|traits| traits.iter().any(clone))
        {
            return true;
        }
        let Some(m) = self.world.module(class.unit) else {
            return true;
        };
        m.class(class.class).decorators.iter().any(|&attribute| {
            let ExprKind::Call { callee, args } = &m.expr(attribute).kind else {
                return false;
            };
            super::branch::last_name(&m, *callee) == "derive"
                && args.iter().any(|a| super::branch::last_name(&m, a.value) == "Clone")
        })
    }

    /// What the declaration of a field says of it. With the place of the declaration as the place where its connection
    /// was opened: nothing nearer is known.
    pub(super) fn rust_declared_field(&mut self, class: ClassRef, name: Symbol) -> Option<Value> {
        let m = self.world.module(class.unit)?;
        let annotation = m
            .class(class.class)
            .fields
            .iter()
            .find(|f| f.name == name)?
            .annotation?;
        let value = self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
            this.rust_annotation(m, annotation)
        })?;
        Some(value)
    }

    /// The declared type of a field, if it owns what it holds.
    pub(super) fn rust_owned_field(&mut self, class: ClassRef, name: Symbol) -> Option<ExprRef> {
        let m = self.world.module(class.unit)?;
        let annotation = m
            .class(class.class)
            .fields
            .iter()
            .find(|f| f.name == name)?
            .annotation?;
        // A borrowed connection belongs to somebody else.
        let borrowed = matches!(m.expr(annotation).kind, ExprKind::Same(_));
        (!borrowed).then_some(ExprRef {
            unit: class.unit,
            expr: annotation,
        })
    }

    /// A value with what a declaration adds to it: the type where nothing was known, what is inside of a pool.
    pub(super) fn rust_refine(&mut self, value: Value, declared: Value) -> Value {
        if self.v.is_unknown(declared) {
            return value;
        }
        let (inner, flights) = self.rust_split(value);
        if self.rust_is_local(declared) && self.v.inside(inner).handles {
            return declared;
        }
        if self.rust_settings_meet(inner, declared) || self.v.is_unknown(inner) {
            let none = self.v.objs(inner).iter().any(|&o| *self.v.get(o) == Obj::None);
            let joined = if none {
                self.v.join(declared, Value::NONE)
            } else {
                declared
            };
            return if flights.is_empty() {
                joined
            } else {
                self.rust_outcome(joined, flights)
            };
        }
        let known: Vec<(TypeId, TypeId)> = self
            .v
            .objs(declared)
            .iter()
            .filter_map(|&o| match self.v.get(o) {
                Obj::Handle(Handle {
                    ty, inner: Some(inner), ..
                }) => Some((*ty, *inner)),
                _ => None,
            })
            .collect();
        if known.is_empty() {
            return value;
        }
        self.rust_map_handles(value, &mut |_, handle| {
            let inner = known.iter().find(|(ty, _)| *ty == handle.ty).map(|(_, inner)| *inner);
            Handle {
                inner: handle.inner.or(inner),
                ..handle
            }
        })
    }

    /// The wrappers of a declared type, outermost first: their own methods come before those of what they hold.
    pub(super) fn rust_wrappers(&mut self, m: &Module, id: ExprId, into: &mut Vec<TypeId>) {
        if into.len() > 8 || self.rust.following > MAX_NESTED {
            return;
        }
        let (base, args): (ExprId, Vec<ExprId>) = match &m.expr(id).kind {
            ExprKind::Same(inner) => return self.rust_wrappers(m, *inner, into),
            ExprKind::Index { base, index } => (*base, type_arguments(m, *index)),
            ExprKind::Name(_) | ExprKind::Attr { .. } => (id, Vec::new()),
            _ => return,
        };
        self.rust.following += 1;
        let head = self.rust_type_head(m, base);
        match self.v.only(head).cloned() {
            Some(Obj::Class(class)) if self.rust_kind(class) == Some(ClassKind::Alias) => {
                self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
                    if let Some(&target) = m.class(class.class).bases.first() {
                        this.rust_wrappers(m, target, into);
                    }
                });
            }
            Some(Obj::External(path)) => {
                if let Some(Item::Type(ty)) = self.k.item(path)
                    && let Some(index) = self.k.ty(ty).spec.transparent
                {
                    into.push(ty);
                    if let Some(&arg) = args.get(index) {
                        self.rust_wrappers(m, arg, into);
                    }
                }
            }
            _ => {}
        }
        self.rust.following -= 1;
    }
}

/// The arguments in the brackets of a generic type.
pub(super) fn type_arguments(m: &Module, index: ExprId) -> Vec<ExprId> {
    match &m.expr(index).kind {
        ExprKind::Tuple(parts) => parts.clone(),
        _ => vec![index],
    }
}
