//! Attributes, subscripts, elements: what leads from one object to another.

use super::Interp;
use super::call::Args;
use crate::core::Symbol;
use crate::knowledge::{Connection, Consumes, Item, TypeId};
use crate::resolve::value::{ClassRef, Descriptor, EnvId, ExprRef, FuncRef, Handle, Obj, ObjId, UnitId, Value};

/// The heap entry for elements whose key is not known.
const ANY: &str = "*";

/// Objects iterated within each other; beyond, an element is unknown.
const MAX_ITERATORS: usize = 64;

/// So many classes below one are asked for what it does not define.
const MAX_BELOW: usize = 16;

impl Interp<'_> {
    pub(super) fn handle(&mut self, ty: TypeId, from: Option<&Handle>) -> Value {
        let handle = match from {
            Some(from) => Handle {
                ty,
                created: None,
                ..*from
            },
            None => Handle::of(ty),
        };
        self.v.one(Obj::Handle(handle))
    }

    /// The object that stands for all objects of a handle's type, for attributes that the project puts on them.
    pub(super) fn shared(&mut self, obj: ObjId) -> ObjId {
        match self.v.get(obj) {
            Obj::Handle(handle) => {
                let ty = handle.ty;
                let value = self.handle(ty, None);
                self.v.objs(value)[0]
            }
            _ => obj,
        }
    }

    /// `value.name`, with the round trips and calls that reading it makes.
    pub(super) fn attr(&mut self, value: Value, name: Symbol, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.attr_of(obj, name, at);
            result = self.v.join(result, one);
        }
        // Properties are called by reading them.
        if self
            .v
            .objs(result)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Descriptor(Descriptor::Property, _)))
        {
            let mut read = Value::NOTHING;
            for obj in self.v.list(result) {
                let one = match *self.v.get(obj) {
                    Obj::Descriptor(Descriptor::Property, inner) => {
                        let mut got = Value::NOTHING;
                        for receiver in self.v.list(value) {
                            if matches!(self.v.get(receiver), Obj::Instance(..) | Obj::Super(..)) {
                                let receiver = self.receiver(receiver);
                                let args = Args::positional(vec![receiver]);
                                let inner = self.v.single(inner);
                                let one = self.call(inner, &args, at);
                                got = self.v.join(got, one);
                            }
                        }
                        got
                    }
                    _ => self.v.single(obj),
                };
                read = self.v.join(read, one);
            }
            return read;
        }
        result
    }

    fn receiver(&mut self, obj: ObjId) -> Value {
        match *self.v.get(obj) {
            Obj::Super(_, inner) => self.v.single(inner),
            _ => self.v.single(obj),
        }
    }

    /// As `attr`, for patterns: without calls.
    pub(super) fn attr_quiet(&mut self, value: Value, name: Symbol) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.field(obj, name).unwrap_or(Value::UNKNOWN);
            result = self.v.join(result, one);
        }
        result
    }

    /// What the program stored in an attribute of this object, if anything.
    pub(super) fn field(&mut self, obj: ObjId, name: Symbol) -> Option<Value> {
        let key = (obj, name);
        for frame in self.frames.iter().rev() {
            if let Some(&value) = frame.fields.get(&key) {
                let value = self.force(value);
                return Some(value);
            }
        }
        let value = self.heap_get(key)?;
        Some(self.force(value))
    }

    fn attr_of(&mut self, obj: ObjId, name: Symbol, at: ExprRef) -> Value {
        match self.v.get(obj).clone() {
            Obj::Unknown => self
                .stored_as(name)
                .or_else(|| self.convention(name, at))
                .unwrap_or(Value::UNKNOWN),
            Obj::None => Value::NOTHING,
            Obj::Module(unit) => match self.module_attr(unit, name) {
                Some(value) => value,
                None => self.submodule(unit, name),
            },
            Obj::External(path) => {
                if let Some(value) = self.field(obj, name) {
                    return value;
                }
                self.external_attr(path, name, at)
            }
            Obj::Handle(handle) => {
                let shared = self.shared(obj);
                if let Some(value) = self.field(shared, name) {
                    return value;
                }
                self.handle_attr(obj, &handle, name, at)
            }
            Obj::Class(_) if name.as_str() == "__dict__" => {
                let value = self.v.single(obj);
                self.namespace(value)
            }
            Obj::Instance(class, _) => self.instance_attr(obj, class, name, at),
            Obj::Class(class) => {
                let field = self.field(obj, name);
                if let Some(value) = self.class_attr(class, obj, name) {
                    return match field {
                        Some(field) => self.v.join(field, value),
                        None => value,
                    };
                }
                if let Some(value) = field {
                    return value;
                }
                self.outside_class_attr(class, name, at).unwrap_or(Value::UNKNOWN)
            }
            Obj::Super(after, inner) => match self.super_attr(after, inner, name) {
                Some(value) => value,
                None if name.as_str() == "__new__" => self.external("object.__new__"),
                None => self.outside_attr(after, inner, name, at).unwrap_or(Value::UNKNOWN),
            },
            Obj::Descriptor(..) if matches!(name.as_str(), "setter" | "deleter" | "getter") => {
                // `@name.setter` leaves the property as it is.
                let inner = self.v.single(obj);
                self.v.one(Obj::Partial(Value::UNKNOWN, vec![inner], Vec::new()))
            }
            // What `functools.wraps` leaves behind: the one function that the wrapper closes over.
            Obj::Func(_, env) if name.as_str() == "__wrapped__" => self.closed_over(env).unwrap_or(Value::UNKNOWN),
            Obj::Func(func, _) if name.as_str() == "__name__" => {
                let name = self.with_func(func, |f| f.name).flatten();
                self.v.one(Obj::Str(name, None))
            }
            Obj::List(_)
            | Obj::Dict(_)
            | Obj::Record(..)
            | Obj::Tuple(_)
            | Obj::Str(..)
            | Obj::Generator(..)
            | Obj::Lazy(..)
            | Obj::Comprehension(..)
            | Obj::Func(..)
            | Obj::Bound(..)
            | Obj::Partial(..)
            | Obj::Guarded(..)
            | Obj::Running(..)
            | Obj::Coroutine(..)
            | Obj::Manager(_)
            | Obj::Guard(_)
            | Obj::Decorator(..) => {
                if let Some(value) = self.field(obj, name) {
                    return value;
                }
                if let Some(ty) = self.function_of(obj).and_then(|f| self.becomes.get(&f).copied()) {
                    let handle = Handle::of(ty);
                    let id = self.v.obj(Obj::Handle(handle));
                    return self.handle_attr(id, &handle, name, at);
                }
                // A method of a built-in type: the call decides by the name.
                let receiver = self.v.single(obj);
                let text = self.v.one(Obj::Str(Some(name), None));
                self.v
                    .one(Obj::Partial(Value::NOTHING, vec![receiver, text], Vec::new()))
            }
            _ => Value::UNKNOWN,
        }
    }

    fn closed_over(&self, env: EnvId) -> Option<Value> {
        let scope = &self.envs[env.0 as usize];
        scope.parent?;
        // Parameters come first: the wrapper itself is a name of that scope, too.
        let mut held = scope.vars.values().copied().filter(|&value| {
            let objs = self.v.objs(value);
            objs.iter().any(|&o| self.is_callable_obj(o))
                && !objs
                    .iter()
                    .any(|&o| matches!(self.v.get(o), Obj::Func(_, own) if *own == env))
        });
        let first = held.next()?;
        held.next().is_none().then_some(first)
    }

    fn is_callable_obj(&self, obj: ObjId) -> bool {
        self.function_of(obj).is_some()
    }

    fn submodule(&mut self, unit: UnitId, name: Symbol) -> Value {
        match self.world.resolve(unit, &[name], 1).first() {
            Some(&target) if target != unit => self.v.one(Obj::Module(target)),
            _ => Value::UNKNOWN,
        }
    }

    fn external_attr(&mut self, path: Symbol, name: Symbol, at: ExprRef) -> Value {
        if let Some(Item::Type(ty)) = self.k.item(path) {
            // A method of a driver's class, or one that the project put in its place.
            if let Some(&patched) = self.monkey.get(&(ty, name)) {
                return patched;
            }
            if let Some(&spec) = self.k.ty(ty).class_methods.get(&name) {
                let receiver = self.handle(ty, None);
                let receiver = self.v.objs(receiver)[0];
                return self.v.one(Obj::Method(receiver, spec, at));
            }
            if let Some(&spec) = self.k.ty(ty).methods.get(&name) {
                return self.v.one(Obj::Unbound(ty, spec));
            }
        }
        let full = self.k.canonical(&format!("{path}.{name}"));
        if self.k.item(full).is_none() && self.k.imported(first_part(path)).is_empty() {
            // A package of the program without a file of its own.
            let parts: Vec<Symbol> = full.as_str().split('.').map(Symbol::new).collect();
            if parts.len() <= 8
                && let Some(&unit) = self.world.resolve(at.unit, &parts, 0).first()
            {
                return self.v.one(Obj::Module(unit));
            }
        }
        self.external_value(full)
    }

    fn handle_attr(&mut self, obj: ObjId, handle: &Handle, name: Symbol, at: ExprRef) -> Value {
        if let Some(&patched) = self.monkey.get(&(handle.ty, name)) {
            let mut result = Value::NOTHING;
            for item in self.v.list(patched) {
                let one = self.v.one(Obj::Bound(obj, item));
                result = self.v.join(result, one);
            }
            return result;
        }
        self.type_attr(obj, handle, name, at)
    }

    fn type_attr(&mut self, obj: ObjId, handle: &Handle, name: Symbol, at: ExprRef) -> Value {
        self.note_look(handle, name);
        let ty = self.k.ty(handle.ty);
        if let Some(&spec) = ty.methods.get(&name) {
            // A layer's type inherits the driver's methods, and those are gated by the driver's version.
            let known = self.assumed(at.unit, self.k.call(spec).lib);
            let versions = self.k.call(spec).call.versions.as_deref();
            if !known.known || crate::knowledge::matches(versions, known.release) {
                return self.v.one(Obj::Method(obj, spec, at));
            }
        }
        if let Some(&spec) = ty.properties.get(&name) {
            return self.apply(spec, Some(obj), &Args::default(), at);
        }
        let starred = |key: &&String| key.strip_prefix('*').is_some_and(|end| name.as_str().ends_with(end));
        let named = ty.spec.attributes.get(name.as_str());
        let named = named.or_else(|| {
            ty.spec
                .attributes
                .keys()
                .find(starred)
                .and_then(|k| ty.spec.attributes.get(k))
        });
        if let Some(reference) = named.cloned() {
            return self.typed(&reference, ty.lib, obj, None);
        }
        if let Some(reference) = ty.spec.attribute.clone()
            && !name.as_str().starts_with("__")
        {
            return self.typed(&reference, ty.lib, obj, None);
        }
        Value::UNKNOWN
    }

    /// The value that a type reference of a library file stands for, derived from this object.
    pub(super) fn typed(
        &mut self,
        reference: &str,
        lib: crate::knowledge::LibId,
        from: ObjId,
        created: Option<ExprRef>,
    ) -> Value {
        if let Some(parts) = reference.strip_prefix("tuple:") {
            let parts = parts
                .split(',')
                .map(|part| self.typed(part.trim(), lib, from, created))
                .collect();
            return self.v.one(Obj::Tuple(parts));
        }
        if let Some(inner) = reference.strip_prefix("list:") {
            return self.typed(inner, lib, from, created);
        }
        if let Some(class) = reference.strip_prefix("class:") {
            let path = self
                .k
                .type_named(lib, class)
                .and_then(|t| self.k.ty(t).spec.paths.first().cloned());
            return match path {
                Some(path) => self.external(&path),
                // A class or function by its path.
                None if class.contains('.') => self.external(class),
                None => Value::UNKNOWN,
            };
        }
        match reference {
            "self" => self.v.single(from),
            "unknown" | "none" => Value::UNKNOWN,
            _ => {
                let Some(ty) = self.k.type_named(lib, reference) else {
                    return Value::UNKNOWN;
                };
                let mut handle = match self.v.get(from) {
                    Obj::Handle(handle) => *handle,
                    Obj::Instance(class, origin) => {
                        let (class, origin) = (*class, *origin);
                        let opens = self.outside_types(class).into_iter().any(|t| self.opens(t));
                        Handle {
                            origin: origin.filter(|_| opens).map(|o| o.at),
                            ..Handle::of(ty)
                        }
                    }
                    _ => Handle::of(ty),
                };
                handle.ty = ty;
                handle.created = created.or(if self.k.ty(ty).spec.iterate.is_some() {
                    handle.created
                } else {
                    None
                });
                self.v.one(Obj::Handle(handle))
            }
        }
    }

    fn instance_attr(
        &mut self,
        obj: ObjId,
        class: crate::resolve::value::ClassRef,
        name: Symbol,
        at: ExprRef,
    ) -> Value {
        let mut value = self.field(obj, name).unwrap_or(Value::NOTHING);
        // What is known of all objects of the class also holds for one that nothing is known of, and the other way round.
        let general = self.v.obj(Obj::Instance(class, None));
        if general == obj {
            if value == Value::NOTHING {
                for other in self.instances.get(&class).cloned().unwrap_or_default() {
                    if let Some(other) = self.field(other, name) {
                        value = self.v.join(value, other);
                    }
                }
            }
            // What a constructor further up keeps.
            if value == Value::NOTHING {
                let mro = self.classes.get(&class).map(|c| c.mro.clone()).unwrap_or_default();
                for ancestor in mro.into_iter().skip(1) {
                    let above = self.v.obj(Obj::Instance(ancestor, None));
                    if let Some(kept) = self.field(above, name) {
                        value = kept;
                        break;
                    }
                }
            }
        } else if value == Value::NOTHING {
            value = self.field(general, name).unwrap_or(Value::NOTHING);
        }
        if value != Value::NOTHING {
            if value == Value::UNKNOWN {
                return self.convention(name, at).unwrap_or(value);
            }
            return value;
        }
        if let Some(value) = self.class_attr(class, obj, name) {
            let value = self.or_overrides(class, name, value, general != obj);
            return self.described(value, obj, class, at);
        }
        if let Some(value) = self.outside_attr(class, obj, name, at) {
            return value;
        }
        let getter = Symbol::new("__getattr__");
        if name != getter && !name.as_str().starts_with("__") {
            let own = self.class_attr(class, obj, getter);
            let own = match own {
                Some(own) => Some(own),
                None => self.class_attr(class, obj, Symbol::new("__getattribute__")),
            };
            if let Some(getter) = own {
                let text = self.v.one(Obj::Str(Some(name), None));
                let found = self.call(getter, &Args::positional(vec![text]), at);
                return self.named_here(found, at);
            }
        }
        // Declared in the class body without a value.
        let declared = self.classes.get(&class).and_then(|info| {
            info.mro.iter().find_map(|c| {
                self.classes
                    .get(c)?
                    .fields
                    .iter()
                    .find(|(n, v)| *n == name && *v != Value::NOTHING)
                    .map(|(_, v)| *v)
            })
        });
        if let Some(declared) = declared {
            return declared;
        }
        if general == obj
            && let Some(below) = self.attr_below(class, name)
        {
            return below;
        }
        self.convention(name, at).unwrap_or(Value::UNKNOWN)
    }

    /// A method that only classes further down define, for an object of which no more is known than the class.
    fn attr_below(&mut self, class: ClassRef, name: Symbol) -> Option<Value> {
        let below = self.classes_below(class);
        let found = self.attr_of_any(below.into_iter().take(MAX_BELOW), name);
        (found != Value::NOTHING).then_some(found)
    }

    /// Objects in a class that have a `__get__` are asked for what they stand for.
    fn described(&mut self, value: Value, obj: ObjId, class: ClassRef, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for item in self.v.list(value) {
            let getter = match *self.v.get(item) {
                Obj::Instance(own, _) => self.class_attr(own, item, Symbol::new("__get__")),
                _ => None,
            };
            let one = match getter {
                Some(getter) => {
                    let owner = self.v.one(Obj::Class(class));
                    let instance = self.v.single(obj);
                    self.call(getter, &Args::positional(vec![instance, owner]), at)
                }
                None => self.v.single(item),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// The operations that a `__getattr__` hands out have their name from the place that asks for the attribute.
    fn named_here(&mut self, value: Value, at: ExprRef) -> Value {
        let objs = self.v.list(value).into_iter();
        let named = objs.map(|obj| match *self.v.get(obj) {
            Obj::Method(receiver, spec, _) => self.v.obj(Obj::Method(receiver, spec, at)),
            _ => obj,
        });
        let named = named.collect();
        self.v.set(named)
    }

    /// Attributes that a class's objects have from a library's class it extends.
    fn outside_attr(
        &mut self,
        class: crate::resolve::value::ClassRef,
        obj: ObjId,
        name: Symbol,
        at: ExprRef,
    ) -> Option<Value> {
        for ty in self.outside_types(class) {
            let mut handle = self.model_handle(ty, class, at)?;
            if let (Obj::Instance(_, origin), true) = (self.v.get(obj), self.opens(ty)) {
                handle.origin = origin.map(|o| o.at);
            }
            let id = self.v.obj(Obj::Handle(handle));
            let value = self.handle_attr(id, &handle, name, at);
            if value != Value::UNKNOWN {
                return Some(value);
            }
        }
        None
    }

    /// The handle through which a class of the program that extends a library's one talks to the store. `None` if that
    /// leads through an attribute (`Meta.database`) that holds no handle.
    fn model_handle(&mut self, ty: TypeId, class: crate::resolve::value::ClassRef, at: ExprRef) -> Option<Handle> {
        let Some(through) = self.k.ty(ty).spec.through.clone() else {
            return Some(Handle::of(ty));
        };
        let class_obj = self.v.obj(Obj::Class(class));
        let mut parts = through.split('.').map(Symbol::new);
        let mut value = self.class_attr(class, class_obj, parts.next()?)?;
        for part in parts {
            value = self.attr(value, part, at);
        }
        let found = self.v.list(value).into_iter().find_map(|o| match self.v.get(o) {
            Obj::Handle(handle) => Some(*handle),
            // An object of a class of the program that extends the library's database.
            Obj::Instance(_, origin) => Some(Handle {
                origin: origin.map(|o| o.at),
                ..Handle::of(ty)
            }),
            _ => None,
        })?;
        Some(Handle {
            ty,
            created: None,
            derived: None,
            ..found
        })
    }

    /// Attributes of a class from a library's class that it extends (`Model.objects`).
    fn outside_class_attr(
        &mut self,
        class: crate::resolve::value::ClassRef,
        name: Symbol,
        at: ExprRef,
    ) -> Option<Value> {
        for ty in self.outside_types(class) {
            let lib = self.k.ty(ty).lib;
            let handle = self.model_handle(ty, class, at)?;
            let id = self.v.obj(Obj::Handle(handle));
            let entry = self.k.ty(ty);
            if let Some(&spec) = entry.class_methods.get(&name) {
                return Some(self.v.one(Obj::Method(id, spec, at)));
            }
            if let Some(class) = entry.spec.class_errors.get(name.as_str()) {
                let class = self.k.canonical(class);
                return Some(self.v.one(Obj::External(class)));
            }
            if let Some(reference) = entry.spec.class_attributes.get(name.as_str()).cloned() {
                let value = self.typed(&reference, lib, id, Some(at));
                let lazy = self
                    .v
                    .objs(value)
                    .iter()
                    .any(|&o| matches!(self.v.get(o), Obj::Handle(h) if self.k.ty(h.ty).spec.iterate.is_some()));
                if lazy {
                    self.making(lib, at);
                }
                return Some(value);
            }
            if let Some(&spec) = entry.methods.get(&name) {
                return Some(self.v.one(Obj::Unbound(ty, spec)));
            }
        }
        None
    }

    /// An attribute of an object that nothing is known of: what the program keeps under this name elsewhere, if that is
    /// never anything else than a connection, or an object that answers for one.
    fn stored_as(&mut self, name: Symbol) -> Option<Value> {
        let stored = *self.stored.get(&name)?;
        let mut found = Vec::new();
        let mut proxies = Vec::new();
        let unknown = self.v.list(stored).into_iter().any(|o| *self.v.get(o) == Obj::Unknown);
        for obj in self.v.list(stored) {
            match self.v.get(obj).clone() {
                Obj::None | Obj::Unknown => {}
                Obj::Handle(handle)
                    if handle.created.is_none()
                        && is_driver(self.k.library(self.k.ty(handle.ty).lib).file.library.role) =>
                {
                    // Where something is kept under this name of which nothing is known, whose connection this is is a guess.
                    let bare = self.k.connection(handle.ty) == Some(Connection::Bare);
                    let likely = Handle {
                        likely: true,
                        origin: handle.origin.filter(|_| !(bare && unknown)),
                        derived: handle.derived.filter(|_| !(bare && unknown)),
                        ..handle
                    };
                    found.push(self.v.obj(Obj::Handle(likely)));
                }
                Obj::Instance(class, _) if self.is_proxy(class, obj) => proxies.push(obj),
                _ => return None,
            }
        }
        // With both it is not known which of them is meant here; a program that has a proxy means to use it.
        let found = if proxies.is_empty() { found } else { proxies };
        (!found.is_empty()).then(|| self.v.set(found))
    }

    /// A class of the program whose objects answer for a driver's object that they hold.
    fn is_proxy(&mut self, class: crate::resolve::value::ClassRef, obj: ObjId) -> bool {
        let answers = ["__getattr__", "__getitem__"]
            .into_iter()
            .any(|n| self.class_attr(class, obj, Symbol::new(n)).is_some());
        let held: Vec<Value> = self.heap_of(obj).map(|(_, v)| v).collect();
        let holds = |v: &Value| self.v.objs(*v).iter().any(|&o| matches!(self.v.get(o), Obj::Handle(_)));
        answers && held.iter().any(holds)
    }

    /// A name that by convention holds a handle, in a module that imports its library.
    pub(super) fn convention(&mut self, name: Symbol, at: ExprRef) -> Option<Value> {
        let named = name;
        let name = name.as_str().trim_start_matches('_');
        let libs = self.world.imports(at.unit);
        for lib in libs {
            let file = &self.k.library(lib).file;
            for (key, names) in &file.conventions {
                if names.iter().any(|n| n == name)
                    && let Some(ty) = self.k.type_named(lib, key)
                {
                    // What the program itself keeps under the name is better known.
                    if let Some(stored) = self.stored_as(named) {
                        return Some(stored);
                    }
                    let handle = Handle {
                        likely: true,
                        ..Handle::of(ty)
                    };
                    return Some(self.v.one(Obj::Handle(handle)));
                }
            }
        }
        None
    }

    pub(super) fn set_attr(&mut self, base: Value, name: Symbol, value: Value) {
        let objs = self.v.list(base);
        let strong = objs.len() == 1;
        for obj in objs {
            self.note_store(obj, name, value);
            if let Obj::External(path) = *self.v.get(obj)
                && self.k.is_scope(path)
            {
                self.note_per_unit(value);
            }
            match self.v.get(obj).clone() {
                Obj::Instance(..) => self.write_field(obj, name, value, strong),
                Obj::Class(class) => {
                    self.wrap_method(class, name, value);
                    self.heap_join((obj, name), value);
                }
                Obj::Module(_) | Obj::Func(..) | Obj::Dict(_) => self.heap_join((obj, name), value),
                Obj::External(path) => {
                    if let Some(Item::Type(ty)) = self.k.item(path) {
                        self.patch(ty, path, name, value);
                    } else {
                        self.heap_join((obj, name), value);
                    }
                }
                Obj::Handle(_) => {
                    let shared = self.shared(obj);
                    self.heap_join((shared, name), value);
                }
                Obj::Super(_, inner) => self.write_field(inner, name, value, strong),
                _ => {}
            }
        }
    }

    /// A function that calls the method in whose place it is put (`cls.save = guarded(cls.save)`) is all that is left of it.
    fn wrap_method(&mut self, class: ClassRef, name: Symbol, value: Value) {
        let Some(env) = self.classes.get(&class).map(|i| i.env) else {
            return;
        };
        let Some(&old) = self.envs[env.0 as usize].vars.get(&name) else {
            return;
        };
        let old: Vec<FuncRef> = self.v.objs(old).iter().filter_map(|&o| self.function_of(o)).collect();
        let wraps = |this: &Self, obj: ObjId| {
            let mut obj = obj;
            // What a library's decorator made of it.
            while let Obj::Guarded(inner, _) | Obj::Within(_, inner) = *this.v.get(obj) {
                obj = inner;
            }
            if this.function_of(obj).is_some_and(|f| old.contains(&f)) {
                return true;
            }
            let Obj::Func(_, env) = *this.v.get(obj) else {
                return false;
            };
            let scope = &this.envs[env.0 as usize];
            // The module's own names are everybody's.
            scope.parent.is_some()
                && scope.vars.values().any(|&held| {
                    let mut held = this.v.objs(held).iter().filter_map(|&o| this.function_of(o));
                    held.any(|f| old.contains(&f))
                })
        };
        if self.v.list(value).into_iter().any(|obj| wraps(self, obj)) {
            self.wrapped.insert((class, name), value);
        }
    }

    /// The project replaces a method of a driver's class. Only a function of its own counts.
    fn patch(&mut self, ty: TypeId, path: Symbol, name: Symbol, value: Value) {
        let Some(func) = self.v.list(value).into_iter().find(|&o| self.function_of(o).is_some()) else {
            return;
        };
        if self.k.ty(ty).spec.funnels.contains_key(name.as_str()) {
            let original = self.k.canonical(&format!("{path}.{name}"));
            let funnel = super::Funnel {
                ty,
                name,
                original,
                func,
            };
            if !self.funnels.iter().any(|f| f.original == original && f.func == func) {
                self.funnels.push(funnel);
                self.heap_changed = true;
            }
            return;
        }
        let old = self.monkey.get(&(ty, name)).copied();
        if old != Some(value) {
            self.monkey.insert((ty, name), value);
            self.heap_changed = true;
        }
    }

    pub(super) fn write_field(&mut self, obj: ObjId, name: Symbol, value: Value, strong: bool) {
        let key = (obj, name);
        let value = if strong {
            value
        } else {
            let old = self.field(obj, name).unwrap_or(Value::NOTHING);
            self.v.join(old, value)
        };
        // Callers that wrote the same attribute before see the new value.
        let frames = self.frames.len();
        for frame in &mut self.frames[..frames - 1] {
            if let Some(slot) = frame.fields.get_mut(&key) {
                *slot = value;
            }
        }
        self.frame().fields.insert(key, value);
    }

    // Subscripts

    pub(super) fn set_item(&mut self, base: Value, key: Value, value: Value) {
        let name = self.item_name(key);
        for obj in self.v.list(base) {
            let obj = self.shared(obj);
            self.note_store(obj, name, value);
            match self.v.get(obj) {
                Obj::None | Obj::Str(..) => {}
                // `globals()[name] = value`
                Obj::Module(_) => {
                    if let Some(name) = self.v.text(key) {
                        self.heap_join((obj, name), value);
                    }
                }
                Obj::Unknown => {
                    if name.as_str() != ANY {
                        self.heap_join((obj, name), value);
                    }
                }
                Obj::Handle(_) => {
                    self.heap_join((obj, name), value);
                    let unknown = self.v.obj(Obj::Unknown);
                    if name.as_str() != ANY {
                        self.heap_join((unknown, name), value);
                    }
                }
                _ => self.heap_join((obj, name), value),
            }
        }
    }

    /// The heap entry for a key: `[text]`, or the one for all.
    pub(super) fn item_name(&mut self, key: Value) -> Symbol {
        match self.v.text(key) {
            Some(text) => Symbol::new(&format!("[{text}]")),
            None => match self.v.only(key) {
                Some(Obj::Int(i)) => Symbol::new(&format!("[{i}]")),
                // An object made for being a key: the place that made it tells it from others.
                Some(Obj::Handle(Handle { origin: Some(at), .. })) => {
                    Symbol::new(&format!("[{}:{}]", at.unit.0, at.expr.0))
                }
                _ => Symbol::new(ANY),
            },
        }
    }

    pub(super) fn item(&mut self, base: Value, key: Value, at: ExprRef, sliced: bool) -> Value {
        let mut result = Value::NOTHING;
        let name = self.item_name(key);
        for obj in self.v.list(base) {
            let one = match self.v.get(obj).clone() {
                Obj::Handle(handle) => {
                    let shared = self.shared(obj);
                    if let Some(value) = self.field(shared, name) {
                        value
                    } else if let Some(spec) = self
                        .k
                        .ty(handle.ty)
                        .slice
                        .filter(|_| sliced)
                        .or(self.k.ty(handle.ty).index)
                    {
                        self.apply(spec, Some(obj), &Args::positional(vec![key]), at)
                    } else {
                        Value::UNKNOWN
                    }
                }
                Obj::Instance(class, _) => {
                    let getter = self.class_attr(class, obj, Symbol::new("__getitem__"));
                    match getter {
                        Some(getter) => self.call(getter, &Args::positional(vec![key]), at),
                        None => match self.outside_index(class, obj, key, at) {
                            Some(value) => value,
                            None => self.entry(obj, name),
                        },
                    }
                }
                Obj::Tuple(_) | Obj::List(_) | Obj::Lazy(..) if sliced => self.v.single(obj),
                Obj::Tuple(items) => match self.v.only(key) {
                    Some(Obj::Int(i)) => {
                        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                        let index = if *i < 0 { length.saturating_add(*i) } else { *i };
                        usize::try_from(index)
                            .ok()
                            .and_then(|i| items.get(i))
                            .copied()
                            .unwrap_or(Value::UNKNOWN)
                    }
                    _ => self.join_all(&items),
                },
                Obj::Module(unit) => match self.v.text(key) {
                    Some(name) => self.module_attr(unit, name).unwrap_or(Value::UNKNOWN),
                    None => Value::UNKNOWN,
                },
                Obj::Record(fields, open) => {
                    let found = self
                        .v
                        .text(key)
                        .and_then(|t| fields.iter().find(|(n, _)| *n == t).map(|(_, v)| *v));
                    match found {
                        Some(value) => value,
                        None if open => Value::UNKNOWN,
                        None => {
                            let all: Vec<Value> = fields.iter().map(|(_, v)| *v).collect();
                            self.join_all(&all)
                        }
                    }
                }
                Obj::List(_) | Obj::Dict(_) | Obj::External(_) | Obj::Class(_) => self.entry(obj, name),
                Obj::Unknown => self.heap_get((obj, name)).unwrap_or(Value::UNKNOWN),
                Obj::Made(_) => self.v.single(obj),
                _ => Value::UNKNOWN,
            };
            let one = self.force(one);
            result = self.v.join(result, one);
        }
        result
    }

    fn outside_index(
        &mut self,
        class: crate::resolve::value::ClassRef,
        obj: ObjId,
        key: Value,
        at: ExprRef,
    ) -> Option<Value> {
        for ty in self.outside_types(class) {
            if let Some(spec) = self.k.ty(ty).index {
                let shared = self.handle(ty, None);
                let Some(Obj::Handle(handle)) = self.v.only(shared) else {
                    continue;
                };
                let mut handle = *handle;
                if let (Obj::Instance(_, origin), true) = (self.v.get(obj), self.opens(ty)) {
                    handle.origin = origin.map(|o| o.at);
                }
                let id = self.v.obj(Obj::Handle(handle));
                return Some(self.apply(spec, Some(id), &Args::positional(vec![key]), at));
            }
        }
        None
    }

    /// An entry of a container, by key; with the entries whose key was not known.
    fn entry(&mut self, obj: ObjId, name: Symbol) -> Value {
        let any = Symbol::new(ANY);
        let mut value = self.heap_get((obj, any)).unwrap_or(Value::NOTHING);
        if name == any {
            let all = self.entries(obj);
            value = self.v.join(value, all);
        } else if let Some(found) = self.heap_get((obj, name)) {
            value = self.v.join(value, found);
        }
        if value == Value::NOTHING { Value::UNKNOWN } else { value }
    }

    /// All values in a container.
    pub(super) fn entries(&mut self, obj: ObjId) -> Value {
        let keys: Vec<Value> = self
            .heap_of(obj)
            .filter(|(n, _)| n.as_str() == ANY || n.as_str().starts_with('['))
            .map(|(_, v)| v)
            .collect();
        self.join_all(&keys)
    }

    /// The known keys of a dictionary.
    /// Some known key of a dictionary passes the test.
    pub(super) fn any_key(&self, obj: ObjId, test: impl Fn(&str) -> bool) -> bool {
        let key = |name: Symbol| name.as_str().strip_prefix('[')?.strip_suffix(']');
        self.heap_of(obj).any(|(name, _)| key(name).is_some_and(&test))
    }

    pub(super) fn keys(&self, obj: ObjId) -> Vec<Symbol> {
        let mut keys: Vec<Symbol> = self
            .heap_of(obj)
            .filter(|(n, _)| n.as_str().starts_with('['))
            .map(|(n, _)| Symbol::new(n.as_str().trim_start_matches('[').trim_end_matches(']')))
            .collect();
        keys.sort_unstable();
        keys
    }

    pub(super) fn join_all(&mut self, values: &[Value]) -> Value {
        values.iter().fold(Value::NOTHING, |all, &v| self.v.join(all, v))
    }

    /// The parts of a value that is unpacked into so many targets.
    pub(super) fn unpack(&mut self, value: Value, count: usize) -> Vec<Value> {
        let mut parts = vec![Value::NOTHING; count];
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::Tuple(items) if items.len() == count => {
                    for (part, item) in parts.iter_mut().zip(items) {
                        *part = self.v.join(*part, item);
                    }
                }
                Obj::Tuple(items) => {
                    let all = self.join_all(&items);
                    for part in &mut parts {
                        *part = self.v.join(*part, all);
                    }
                }
                Obj::Made(_) => {
                    let whole = self.v.single(obj);
                    for part in &mut parts {
                        *part = self.v.join(*part, whole);
                    }
                }
                Obj::List(_) => {
                    for (index, part) in parts.iter_mut().enumerate() {
                        let value = self.entry(obj, Symbol::new(&format!("[{index}]")));
                        *part = self.v.join(*part, value);
                    }
                }
                _ => {
                    for part in &mut parts {
                        *part = self.v.join(*part, Value::UNKNOWN);
                    }
                }
            }
        }
        for part in &mut parts {
            *part = self.force(*part);
        }
        parts
    }

    /// The value inside of `Some(x)`, `Ok(x)`, or at a position of a tuple variant.
    pub(super) fn payload(&mut self, value: Value, index: usize) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Outcome(inner, _) if index == 0 => inner,
                Obj::Tuple(items) => items.get(index).copied().unwrap_or(Value::UNKNOWN),
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        result
    }

    // Iteration

    /// Iterates a value at this place: the round trips happen here. Gives what the loop variable may be.
    pub(super) fn iterate(&mut self, value: Value, at: ExprRef, how: Consumes) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            // `__iter__` may give another object of the same class, and that this one again.
            if self.iterating.contains(&obj) || self.iterating.len() >= MAX_ITERATORS {
                result = self.v.join(result, Value::UNKNOWN);
                continue;
            }
            self.iterating.push(obj);
            let one = self.iterate_obj(obj, at, how);
            self.iterating.pop();
            result = self.v.join(result, one);
        }
        self.force(result)
    }

    fn iterate_obj(&mut self, obj: ObjId, at: ExprRef, how: Consumes) -> Value {
        match self.v.get(obj).clone() {
            Obj::Handle(handle) => self.iterate_handle(obj, &handle, at, how),
            Obj::Generator(act, made) => self.run_generator(act, made, at),
            Obj::Lazy(inner, _) => self.iterate(inner, at, how),
            Obj::Comprehension(expr, env) => self.run_comprehension(expr, env, at),
            Obj::Tuple(items) => self.join_all(&items),
            Obj::List(_) => {
                let value = self.entries(obj);
                if value == Value::NOTHING { Value::UNKNOWN } else { value }
            }
            Obj::Dict(_) => {
                // Keys: their texts matter to code that loops over names of settings or collections.
                let keys = self.keys(obj);
                if keys.is_empty() || keys.len() > 12 {
                    return self.v.one(Obj::Str(None, None));
                }
                let keys: Vec<Value> = keys.into_iter().map(|k| self.v.one(Obj::Str(Some(k), None))).collect();
                self.join_all(&keys)
            }
            Obj::Coroutine(..) | Obj::Pending(_) => {
                let value = self.v.single(obj);
                let awaited = self.await_value(value, at);
                if awaited == value {
                    Value::UNKNOWN
                } else {
                    self.iterate(awaited, at, how)
                }
            }
            Obj::Instance(class, _) => self.iterate_instance(obj, class, at, how),
            _ => Value::UNKNOWN,
        }
    }

    fn iterate_instance(
        &mut self,
        obj: ObjId,
        class: crate::resolve::value::ClassRef,
        at: ExprRef,
        how: Consumes,
    ) -> Value {
        for (iter, next) in [
            ("__iter__", "__next__"),
            ("__aiter__", "__anext__"),
            ("__iter__", "next"),
        ] {
            let next_method = self.class_attr(class, obj, Symbol::new(next));
            if how != Consumes::Next
                && let Some(method) = self.class_attr(class, obj, Symbol::new(iter))
            {
                let iterator = self.call(method, &Args::default(), at);
                let own = self.v.single(obj);
                if iterator != own && !self.v.is_unknown(iterator) {
                    return self.iterate(iterator, at, how);
                }
            }
            if let Some(method) = next_method {
                let item = self.call(method, &Args::default(), at);
                return self.await_value(item, at);
            }
        }
        for ty in self.outside_types(class) {
            if self.k.ty(ty).spec.iterate.is_some() {
                let value = self.handle(ty, None);
                return self.iterate(value, at, how);
            }
        }
        if let Some(method) = self.class_attr(class, obj, Symbol::new("__getitem__")) {
            return self.call(method, &Args::positional(vec![Value::UNKNOWN]), at);
        }
        Value::UNKNOWN
    }
}

fn first_part(path: Symbol) -> Symbol {
    Symbol::new(path.as_str().split('.').next().unwrap_or_default())
}

fn is_driver(role: crate::knowledge::Role) -> bool {
    matches!(role, crate::knowledge::Role::Driver | crate::knowledge::Role::Layer)
}
