//! Names and paths: `use`, `crate`, `self`, `super`, `Self`, modules in files and inline, globs, re-exports.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::{EnvKey, Frame, Interp};
use super::items::{Item, Table};
use crate::core::{ClassId, ClassKind, ExprId, ExprKind, FuncId, ImplId, Import, Module, Symbol};
use crate::resolve::value::{ClassRef, ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

/// Aliases of aliases are followed this far.
const MAX_FOLLOWED: usize = 24;

/// Where a name may be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The top level of a file.
    File(UnitId),
    /// An inline module.
    Inline(ClassRef),
    /// The items in a function's body.
    Body(FuncRef),
}

impl Scope {
    pub(super) fn unit(self) -> UnitId {
        match self {
            Self::File(unit) => unit,
            Self::Inline(class) => class.unit,
            Self::Body(func) => func.unit,
        }
    }
}

/// The part of a file that code belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::flow) enum Holder {
    #[default]
    File,
    Class(ClassId),
    Func(FuncId),
    Impl(ImplId),
}

/// Names that were looked up in this round, and those that are being looked up.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    found: FxHashMap<(Scope, Symbol), Option<Value>>,
    /// Crates and names of the prelude.
    crates: FxHashMap<(UnitId, Symbol), Value>,
    open: FxHashSet<(Scope, Symbol)>,
    /// Not found, but a circle was cut on the way: true for the outermost search alone.
    given_up: FxHashSet<(Scope, Symbol)>,
    /// How often a circle was cut.
    circles: usize,
    /// How often a static was evaluated, whose value may be another one later.
    statics: usize,
}

impl Interp<'_> {
    /// A frame for code of this part of a file.
    pub(in crate::flow) fn rust_frame(&mut self, unit: UnitId, holder: Holder) -> Option<Frame> {
        let module = self.world.module(unit)?;
        let env = self.env(EnvKey::Module(unit), None);
        let scopes = self.rust_scopes(unit, &module, holder);
        let mut frame = Frame::new(unit, module, env);
        frame.rust.scopes = scopes;
        frame.rust.holder = holder;
        if let Holder::Func(func) = holder {
            frame.func = Some(FuncRef { unit, func });
        }
        Some(frame)
    }

    /// Evaluates something in such a frame.
    pub(super) fn rust_within<T>(
        &mut self,
        unit: UnitId,
        holder: Holder,
        body: impl FnOnce(&mut Self, &Module) -> T,
    ) -> Option<T> {
        if self.frames.len() > super::super::MAX_DEPTH * 2 {
            return None;
        }
        let frame = self.rust_frame(unit, holder)?;
        let mut result = None;
        self.run_body(frame, |this, m| result = Some(body(this, m)));
        result
    }

    pub(in crate::flow) fn rust_scopes(&mut self, unit: UnitId, m: &Module, holder: Holder) -> Rc<[Scope]> {
        let items = self.rust_unit(unit);
        let mut scopes = Vec::new();
        let (mut func, mut outer) = match holder {
            Holder::File => (None, None),
            Holder::Class(id) => {
                let class = m.class(id);
                match class.kind {
                    ClassKind::Module => (None, Some(id)),
                    _ => (class.parent, class.outer),
                }
            }
            Holder::Func(id) => (Some(id), None),
            Holder::Impl(id) => (m.imp(id).parent, m.imp(id).outer),
        };
        while let Some(id) = func {
            if items.as_ref().is_some_and(|items| items.bodies.contains_key(&id)) {
                scopes.push(Scope::Body(FuncRef { unit, func: id }));
            }
            let f = m.func(id);
            (func, outer) = match f.imp {
                _ if f.parent.is_some() => (f.parent, None),
                Some(imp) => (m.imp(imp).parent, m.imp(imp).outer),
                None => (f.class.and_then(|class| m.class(class).parent), f.class),
            };
            if scopes.len() > 64 {
                break;
            }
        }
        while let Some(id) = outer {
            if m.class(id).kind == ClassKind::Module {
                scopes.push(Scope::Inline(ClassRef { unit, class: id }));
                return scopes.into();
            }
            outer = m.class(id).outer;
        }
        scopes.push(Scope::File(unit));
        scopes.into()
    }

    /// The value of a name: a local, then an item, then a crate.
    pub(super) fn rust_name(&mut self, name: Symbol) -> Value {
        if let Some(value) = self.rust_local(name) {
            return value;
        }
        self.rust_item_named(name)
    }

    /// A local variable, a parameter, or what a closure captured.
    pub(super) fn rust_local(&self, name: Symbol) -> Option<Value> {
        let mut current = Some(self.here().env);
        while let Some(id) = current {
            let env = &self.envs[id.0 as usize];
            // The outermost scope is the module's, which has items only.
            env.parent?;
            if let Some(&value) = env.vars.get(&name) {
                return Some(value);
            }
            current = env.parent;
        }
        None
    }

    /// An item by the name that it has here.
    pub(super) fn rust_item_named(&mut self, name: Symbol) -> Value {
        let scopes = Rc::clone(&self.here().rust.scopes);
        let unit = self.here().unit;
        let Some(&module_scope) = scopes.last() else {
            return Value::UNKNOWN;
        };
        match name.as_str() {
            "crate" => return self.rust_root(unit),
            "self" => return self.scope_value(module_scope),
            "super" => return self.rust_super(module_scope),
            "Self" => return self.rust_self_type(),
            _ => {}
        }
        for &scope in scopes.iter() {
            if let Some(value) = self.rust_lookup(scope, name) {
                return value;
            }
        }
        self.rust_extern(unit, name)
    }

    /// A crate, or a name of the language's prelude.
    fn rust_extern(&mut self, unit: UnitId, name: Symbol) -> Value {
        if let Some(&known) = self.rust.lookups.crates.get(&(unit, name)) {
            return known;
        }
        let value = self.rust_extern_once(unit, name);
        self.rust.lookups.crates.insert((unit, name), value);
        value
    }

    fn rust_extern_once(&mut self, unit: UnitId, name: Symbol) -> Value {
        let name = self.world.crate_name(unit, name);
        if self.k.imported(name).is_empty()
            && let Some(root) = self.world.extern_crate(unit, name)
        {
            return self.v.one(Obj::Module(root));
        }
        let known = format!("prelude.{name}");
        let canonical = self.k.canonical(&known);
        if canonical.as_str() == known {
            self.external(name.as_str())
        } else {
            self.v.one(Obj::External(canonical))
        }
    }

    fn rust_root(&mut self, unit: UnitId) -> Value {
        let root = self.world.crate_root(unit);
        self.v.one(Obj::Module(root))
    }

    fn scope_value(&mut self, scope: Scope) -> Value {
        match scope {
            Scope::File(unit) => self.v.one(Obj::Module(unit)),
            Scope::Inline(class) => self.v.one(Obj::Class(class)),
            Scope::Body(func) => self.v.one(Obj::Module(func.unit)),
        }
    }

    fn rust_super(&mut self, scope: Scope) -> Value {
        match scope {
            Scope::Inline(class) => {
                let outer = self.world.module(class.unit).and_then(|m| m.class(class.class).outer);
                match outer {
                    Some(outer) => self.v.one(Obj::Class(ClassRef {
                        unit: class.unit,
                        class: outer,
                    })),
                    None => self.v.one(Obj::Module(class.unit)),
                }
            }
            Scope::File(unit) | Scope::Body(FuncRef { unit, .. }) => {
                if let Some(&(parent, outer)) = self.rust.parents.get(&unit) {
                    return match outer {
                        Some(outer) => self.v.one(Obj::Class(ClassRef {
                            unit: parent,
                            class: outer,
                        })),
                        None => self.v.one(Obj::Module(parent)),
                    };
                }
                match self.world.module_parent(unit) {
                    Some(parent) => self.v.one(Obj::Module(parent)),
                    None => self.rust_root(unit),
                }
            }
        }
    }

    /// What `Self` stands for here: the class or path of the `impl` block, or the trait.
    pub(super) fn rust_self_type(&mut self) -> Value {
        let unit = self.here().unit;
        if let Some(known) = self.here().rust.self_type {
            return known;
        }
        // In the default method of a trait.
        if let Some(known) = self.rust_local(Symbol::new("Self")) {
            return known;
        }
        let m = self.module();
        let mut holder = self.here().rust.holder;
        loop {
            match holder {
                Holder::Func(id) => {
                    let f = m.func(id);
                    holder = match (f.parent, f.imp, f.class) {
                        (Some(parent), ..) => Holder::Func(parent),
                        (_, Some(imp), _) => Holder::Impl(imp),
                        (_, _, Some(class)) => Holder::Class(class),
                        _ => return Value::UNKNOWN,
                    };
                }
                Holder::Impl(id) => return self.rust_impl_type(unit, id),
                Holder::Class(id) => return self.v.one(Obj::Class(ClassRef { unit, class: id })),
                Holder::File => return Value::UNKNOWN,
            }
        }
    }

    /// A name in one scope, its globs included.
    pub(super) fn rust_lookup(&mut self, scope: Scope, name: Symbol) -> Option<Value> {
        let key = (scope, name);
        if let Some(known) = self.rust.lookups.found.get(&key) {
            return *known;
        }
        // Globs lead in circles: where this search has been already, it finds nothing new.
        if self.rust.lookups.given_up.contains(&key) || !self.rust.lookups.open.insert(key) {
            self.rust.lookups.circles += 1;
            return None;
        }
        let outermost = self.rust.lookups.open.len() == 1;
        let (circles, statics) = (self.rust.lookups.circles, self.rust.lookups.statics);
        let value = self.rust_lookup_once(scope, name);
        let lookups = &mut self.rust.lookups;
        lookups.open.remove(&key);
        if lookups.statics == statics && (outermost || lookups.circles == circles) {
            lookups.found.insert(key, value);
        } else if value.is_none() {
            lookups.given_up.insert(key);
        }
        if outermost {
            lookups.given_up.clear();
        }
        value
    }

    fn rust_lookup_once(&mut self, scope: Scope, name: Symbol) -> Option<Value> {
        let unit = self.rust_unit(scope.unit())?;
        let table: &Table = match scope {
            Scope::File(_) => &unit.file,
            Scope::Inline(class) => unit.inline.get(&class.class)?,
            Scope::Body(func) => unit.bodies.get(&func.func)?,
        };
        let mut result = Value::NOTHING;
        for item in table.names.get(&name).into_iter().flatten() {
            if let Some(value) = self.rust_item(scope, item) {
                result = self.v.join(result, value);
            }
        }
        if result != Value::NOTHING {
            return Some(result);
        }
        for glob in &table.globs {
            if let Some(value) = self.rust_through_glob(scope, glob, name) {
                return Some(value);
            }
        }
        None
    }

    fn rust_through_glob(&mut self, scope: Scope, glob: &Import, name: Symbol) -> Option<Value> {
        let source = self.rust_import_path(scope, &glob.module)?;
        for obj in self.v.list(source) {
            match *self.v.get(obj) {
                Obj::External(path) => {
                    let written = format!("{path}.{name}");
                    let full = self.k.canonical(&written);
                    if self.k.item(full).is_some() || full.as_str() != written {
                        return Some(self.v.one(Obj::External(full)));
                    }
                }
                Obj::Module(unit) => {
                    if let Some(value) = self.rust_lookup(Scope::File(unit), name) {
                        return Some(value);
                    }
                }
                Obj::Class(class) => {
                    let member = self.rust_class_member(class, obj, name);
                    if let Some(value) = member {
                        return Some(value);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn rust_item(&mut self, scope: Scope, item: &Item) -> Option<Value> {
        let unit = scope.unit();
        match item {
            Item::Func(func) => {
                let env = self.env(EnvKey::Module(unit), None);
                Some(self.v.one(Obj::Func(FuncRef { unit, func: *func }, env)))
            }
            Item::Class(class) => Some(self.v.one(Obj::Class(ClassRef { unit, class: *class }))),
            Item::Static { .. } => {
                // What it holds changes.
                self.rust.lookups.statics += 1;
                self.rust_static(scope, item)
            }
            Item::Import(import) => {
                if let Some(file) = self.rust_submodule(scope, import) {
                    return file;
                }
                let Some(name) = import.name else {
                    // `extern crate a as b;`
                    let first = *import.module.first()?;
                    return Some(self.rust_extern(unit, first));
                };
                let container = if import.module.is_empty() {
                    // `use serde;`
                    return Some(self.rust_first_segment(scope, name));
                } else {
                    self.rust_import_path(scope, &import.module)?
                };
                self.rust_member(container, name)
            }
        }
    }

    /// `mod name;`: the file. The outer `None` says that it is another kind of import.
    #[allow(clippy::option_option)] // "no such declaration" and "no such file" are two answers
    fn rust_submodule(&mut self, scope: Scope, import: &Import) -> Option<Option<Value>> {
        let unit = scope.unit();
        if import.module.len() != 1 || import.module[0].as_str() != "self" {
            return None;
        }
        let m = self.world.module(unit)?;
        let holder = match scope {
            Scope::Inline(class) => Some(class.class),
            _ => None,
        };
        let declared = m
            .submodules
            .iter()
            .find(|s| Some(s.name) == import.name && s.outer == holder && s.span == import.span)?;
        let mut outer = Vec::new();
        let mut current = holder;
        while let Some(id) = current {
            outer.insert(0, m.class(id).name);
            current = m.class(id).outer;
        }
        let found = self
            .world
            .submodule(unit, &outer, declared.name, declared.path.as_deref());
        Some(found.filter(|&file| file != unit).map(|file| {
            self.rust.parents.entry(file).or_insert((unit, holder));
            self.v.one(Obj::Module(file))
        }))
    }

    /// The module, type or crate that the path of an import leads to.
    pub(super) fn rust_import_path(&mut self, scope: Scope, path: &[Symbol]) -> Option<Value> {
        let (&first, rest) = path.split_first()?;
        let mut value = self.rust_first_segment(scope, first);
        for &name in rest {
            value = match name.as_str() {
                "super" => {
                    let scope = self.rust_scope_of(value)?;
                    self.rust_super(scope)
                }
                "self" => value,
                _ => self.rust_member(value, name)?,
            };
        }
        Some(value)
    }

    fn rust_scope_of(&self, value: Value) -> Option<Scope> {
        match self.v.only(value)? {
            Obj::Module(unit) => Some(Scope::File(*unit)),
            Obj::Class(class) => Some(Scope::Inline(*class)),
            _ => None,
        }
    }

    fn rust_first_segment(&mut self, scope: Scope, first: Symbol) -> Value {
        let unit = scope.unit();
        // In a body `self` is the module around it.
        let module_scope = match scope {
            Scope::Body(func) => match self.world.module(unit) {
                Some(m) => *self
                    .rust_scopes(unit, &m, Holder::Func(func.func))
                    .last()
                    .unwrap_or(&Scope::File(unit)),
                None => Scope::File(unit),
            },
            other => other,
        };
        match first.as_str() {
            "crate" => self.rust_root(unit),
            "self" => self.scope_value(module_scope),
            "super" => self.rust_super(module_scope),
            _ => {
                for place in [scope, module_scope] {
                    if let Some(value) = self.rust_lookup(place, first) {
                        return value;
                    }
                }
                self.rust_extern(unit, first)
            }
        }
    }

    /// `container::name`; `None` if the container is of the program and has no such name.
    pub(super) fn rust_member(&mut self, container: Value, name: Symbol) -> Option<Value> {
        let mut result = Value::NOTHING;
        for obj in self.v.list(container) {
            let one = match *self.v.get(obj) {
                Obj::Module(unit) => self.rust_lookup(Scope::File(unit), name),
                Obj::Class(class) => self.rust_class_member(class, obj, name),
                Obj::External(path) => {
                    let at = ExprRef {
                        unit: self.frames.last().map_or(UnitId(0), |f| f.unit),
                        expr: ExprId(0),
                    };
                    Some(self.rust_external_member(path, name, at))
                }
                Obj::Handle(handle) => {
                    // `Self::method` and `T::method` where the type is a library's.
                    let path = self.k.ty(handle.ty).spec.paths.first().map(|p| Symbol::new(p));
                    let at = ExprRef {
                        unit: self.frames.last().map_or(UnitId(0), |f| f.unit),
                        expr: ExprId(0),
                    };
                    path.map(|path| self.rust_external_member(path, name, at))
                }
                _ => None,
            };
            result = self.v.join(result, one.unwrap_or(Value::NOTHING));
        }
        (result != Value::NOTHING).then_some(result)
    }

    /// `path::name` outside of the program.
    pub(super) fn rust_external_member(&mut self, path: Symbol, name: Symbol, at: ExprRef) -> Value {
        if let Some(crate::knowledge::Item::Type(ty)) = self.k.item(path) {
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
        self.v.one(Obj::External(full))
    }

    /// `Type::name`: a variant, an associated function or constant; in a module an item; through an alias.
    pub(super) fn rust_class_member(&mut self, class: ClassRef, obj: ObjId, name: Symbol) -> Option<Value> {
        let m = self.world.module(class.unit)?;
        let definition = m.class(class.class);
        match definition.kind {
            ClassKind::Module => self.rust_lookup(Scope::Inline(class), name),
            ClassKind::Alias => {
                let target = self.rust_unalias(class)?;
                self.rust_member(target, name)
            }
            _ => {
                if definition.kind == ClassKind::Enum && definition.fields.iter().any(|f| f.name == name) {
                    return Some(self.v.one(Obj::Variant(class, name, Vec::new())));
                }
                let _ = obj;
                self.rust_associated(class, name)
            }
        }
    }

    /// What a type alias stands for, without its arguments.
    pub(super) fn rust_unalias(&mut self, class: ClassRef) -> Option<Value> {
        if self.rust.following > MAX_FOLLOWED {
            return None;
        }
        self.rust.following += 1;
        let value = self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
            m.class(class.class)
                .bases
                .first()
                .map(|base| this.rust_type_head(m, *base))
        });
        self.rust.following -= 1;
        value.flatten()
    }

    /// The class, path or module that a path names, type arguments left aside.
    pub(super) fn rust_type_head(&mut self, m: &Module, id: ExprId) -> Value {
        match &m.expr(id).kind {
            ExprKind::Name(name) => self.rust_item_named(*name),
            ExprKind::Attr { base, name, .. } => {
                let base = self.rust_type_head(m, *base);
                self.rust_member(base, *name).unwrap_or(Value::UNKNOWN)
            }
            ExprKind::Index { base, .. } => self.rust_type_head(m, *base),
            ExprKind::Same(inner) => self.rust_type_head(m, *inner),
            _ => Value::UNKNOWN,
        }
    }

    /// A path as a value. Unlike a type's, its first name may be a local one.
    pub(super) fn rust_path(&mut self, m: &Module, base: ExprId, name: Symbol) -> Value {
        // `Pool::<Sqlite>::connect`
        if let ExprKind::Index { .. } = m.expr(base).kind {
            let value = self.rust_annotation(m, base);
            if self.rust_is_local(value) {
                return value;
            }
        }
        let container = self.rust_type_head(m, base);
        let container = self.rust_resolved(container);
        self.rust_member(container, name).unwrap_or(Value::UNKNOWN)
    }

    /// With aliases replaced by what they stand for.
    pub(super) fn rust_resolved(&mut self, value: Value) -> Value {
        let is_alias = |this: &mut Self, class: ClassRef| {
            this.world
                .module(class.unit)
                .is_some_and(|m| m.class(class.class).kind == ClassKind::Alias)
        };
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let kind = self.v.get(obj).clone();
            let one = match kind {
                Obj::Class(class) if is_alias(self, class) => {
                    let target = self.rust_unalias(class).unwrap_or(Value::UNKNOWN);
                    if self.rust.following > MAX_FOLLOWED {
                        return Value::UNKNOWN;
                    }
                    self.rust.following += 1;
                    let target = self.rust_resolved(target);
                    self.rust.following -= 1;
                    target
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }
}
