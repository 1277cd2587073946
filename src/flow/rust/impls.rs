//! `impl` blocks: which methods a type has, which types implement a trait.

use std::rc::Rc;

use super::super::{EnvKey, Interp};
use super::paths::Holder;
use crate::core::{ClassKind, ExprId, ExprKind, ImplId, StmtKind, Symbol};
use crate::resolve::value::{ClassRef, EnvId, ExprRef, FuncRef, Obj, UnitId, Value};

/// Whose methods an `impl` block adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SelfType {
    /// A type of the program.
    Class(ClassRef),
    /// A type of the outside, by path.
    Outside(Symbol),
    /// Any type (`impl<T> Trait for T`), or one that could not be read.
    Any,
}

impl Interp<'_> {
    /// Enters the `impl` blocks that were read since.
    pub(super) fn rust_enter_impls(&mut self) {
        while let Some((unit, id)) = self.rust.new_impls.pop() {
            self.rust_enter_impl(unit, id);
        }
    }

    fn rust_enter_impl(&mut self, unit: UnitId, id: ImplId) {
        let Some(module) = self.world.module(unit) else { return };
        let imp = module.imp(id);
        let this = self.rust_impl_self(unit, id);
        let of_trait = imp.of_trait.map(|path| self.rust_trait_of(unit, id, path));
        for &func in &imp.funcs {
            let Some(name) = module.func(func).name else { continue };
            let func = FuncRef { unit, func };
            match this {
                SelfType::Class(class) => {
                    self.func_class.insert(func, class);
                    let known = self.rust.methods.entry((class, name)).or_default();
                    if !known.contains(&func) {
                        // An inherent method hides a trait's.
                        let index = if of_trait.is_none() { 0 } else { known.len() };
                        known.insert(index, func);
                    }
                    let by_name = self.methods_by_name.entry(name).or_default();
                    if !by_name.contains(&func) {
                        by_name.push(func);
                    }
                }
                other => {
                    let known = self.rust.extensions.entry(name).or_default();
                    if !known.contains(&(other, func)) {
                        known.push((other, func));
                    }
                }
            }
        }
        if let SelfType::Class(class) = this {
            for stmt in &imp.consts.0 {
                if let StmtKind::Assign {
                    targets,
                    value: Some(value),
                    ..
                } = &stmt.kind
                {
                    for target in targets {
                        if let ExprKind::Name(name) = module.expr(*target).kind {
                            self.rust.consts.entry((class, name)).or_insert((unit, id, *value));
                        }
                    }
                }
            }
        }
        for obj in of_trait.map(|t| self.v.list(t)).unwrap_or_default() {
            match *self.v.get(obj) {
                Obj::Class(of) => {
                    let implementors = self.rust.implementors.entry(of).or_default();
                    if !implementors.contains(&this) {
                        implementors.push(this);
                    }
                    if let SelfType::Class(class) = this {
                        let traits = self.rust.traits.entry(class).or_default();
                        if !traits.contains(&of) {
                            traits.push(of);
                        }
                    }
                }
                Obj::External(path) => {
                    if let SelfType::Class(class) = this {
                        let traits = self.rust.outside_traits.entry(class).or_default();
                        if !traits.contains(&path) {
                            traits.push(path);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn rust_trait_of(&mut self, unit: UnitId, id: ImplId, path: ExprId) -> Value {
        let head = self.rust_within(unit, Holder::Impl(id), |this, m| this.rust_type_head(m, path));
        self.rust_resolved(head.unwrap_or(Value::UNKNOWN))
    }

    /// Whose methods an `impl` block adds.
    pub(super) fn rust_impl_self(&mut self, unit: UnitId, id: ImplId) -> SelfType {
        if let Some(&known) = self.rust.self_types.get(&(unit, id)) {
            return known;
        }
        // A type that is its own `Self` ends here.
        self.rust.self_types.insert((unit, id), SelfType::Any);
        let found = self.rust_within(unit, Holder::Impl(id), |this, m| {
            let imp = m.imp(id);
            if let ExprKind::Name(name) = m.expr(peel(m, imp.self_type)).kind
                && imp.generics.iter().any(|g| g.name == name)
            {
                return SelfType::Any;
            }
            let head = this.rust_type_head(m, imp.self_type);
            let head = this.rust_resolved(head);
            match this.v.only(head) {
                Some(Obj::Class(class)) => SelfType::Class(*class),
                Some(Obj::External(path)) => SelfType::Outside(*path),
                _ => SelfType::Any,
            }
        });
        let found = found.unwrap_or(SelfType::Any);
        self.rust.self_types.insert((unit, id), found);
        found
    }

    /// `Self` in an `impl` block, as a type.
    pub(super) fn rust_impl_type(&mut self, unit: UnitId, id: ImplId) -> Value {
        match self.rust_impl_self(unit, id) {
            SelfType::Class(class) => self.v.one(Obj::Class(class)),
            SelfType::Outside(path) => self.v.one(Obj::External(path)),
            SelfType::Any => Value::UNKNOWN,
        }
    }

    /// The functions that a method of this type may be: its own, then default ones of its traits. Of a trait all that
    /// implement it.
    pub(super) fn rust_methods(&mut self, class: ClassRef, name: Symbol) -> Vec<FuncRef> {
        self.rust_enter_impls();
        if let Some(own) = self.rust.methods.get(&(class, name)) {
            // The inherent one alone, or those of several traits.
            let first = own[0];
            let inherent = self
                .world
                .module(first.unit)
                .is_some_and(|m| m.func(first.func).imp.is_some_and(|imp| m.imp(imp).of_trait.is_none()));
            return if inherent {
                vec![first]
            } else {
                own.iter().copied().take(4).collect()
            };
        }
        let mut found = Vec::new();
        if self.rust_kind(class) == Some(ClassKind::Trait) {
            for this in self
                .rust
                .implementors
                .get(&class)
                .cloned()
                .unwrap_or_default()
                .into_iter()
                .take(12)
            {
                if let SelfType::Class(this) = this
                    && this != class
                {
                    for func in self.rust.methods.get(&(this, name)).cloned().unwrap_or_default() {
                        found.push(func);
                    }
                }
            }
            found.extend(self.rust_default_method(class, name));
            return found;
        }
        for of in self.rust.traits.get(&class).cloned().unwrap_or_default() {
            found.extend(self.rust_default_method(of, name));
        }
        found
    }

    /// A method with a body in a trait or in those that it extends.
    fn rust_default_method(&mut self, of: ClassRef, name: Symbol) -> Option<FuncRef> {
        let m = self.world.module(of.unit)?;
        m.class(of.class).body.0.iter().find_map(|stmt| match stmt.kind {
            StmtKind::Func(id) if m.func(id).name == Some(name) && !m.func(id).declaration_only => Some(FuncRef {
                unit: of.unit,
                func: id,
            }),
            _ => None,
        })
    }

    /// A method that a trait declares without a body.
    pub(super) fn rust_declared_method(&mut self, of: ClassRef, name: Symbol) -> Option<FuncRef> {
        let m = self.world.module(of.unit)?;
        m.class(of.class).body.0.iter().find_map(|stmt| match stmt.kind {
            StmtKind::Func(id) if m.func(id).name == Some(name) => Some(FuncRef {
                unit: of.unit,
                func: id,
            }),
            _ => None,
        })
    }

    pub(super) fn rust_kind(&mut self, class: ClassRef) -> Option<ClassKind> {
        self.world.module(class.unit).map(|m| m.class(class.class).kind)
    }

    /// `Type::name` for a type of the program: its functions and constants.
    pub(super) fn rust_associated(&mut self, class: ClassRef, name: Symbol) -> Option<Value> {
        let funcs = self.rust_methods(class, name);
        let mut result = Value::NOTHING;
        for func in funcs {
            let env = self.rust_env_of(func, class);
            let one = self.v.one(Obj::Func(func, env));
            result = self.v.join(result, one);
        }
        if result != Value::NOTHING {
            return Some(result);
        }
        self.rust_associated_const(class, name)
    }

    fn rust_associated_const(&mut self, class: ClassRef, name: Symbol) -> Option<Value> {
        let &(unit, id, value) = self.rust.consts.get(&(class, name))?;
        self.rust_within(unit, Holder::Impl(id), |this, m| this.eval(m, value))
    }

    /// The scope of a method of this type. In the default method of a trait it says what `Self` is.
    pub(super) fn rust_env_of(&mut self, func: FuncRef, class: ClassRef) -> EnvId {
        let module = self.env(EnvKey::Module(func.unit), None);
        let of = self.with_func(func, |f| f.class).flatten();
        let of = of.map(|of| ClassRef {
            unit: func.unit,
            class: of,
        });
        let default = of.is_some_and(|of| of != class && self.rust_kind(of) == Some(ClassKind::Trait));
        if !default || self.rust_kind(class) == Some(ClassKind::Trait) {
            return module;
        }
        let this = self.v.one(Obj::Class(class));
        let names: Rc<[(Symbol, Value)]> = Rc::from([(Symbol::new("Self"), this)]);
        let at = ExprRef {
            unit: func.unit,
            expr: ExprId::OUTSIDE,
        };
        let env = self.env(EnvKey::Captured(at, Rc::clone(&names)), Some(module));
        self.envs[env.0 as usize].vars = names.iter().copied().collect();
        env
    }

    /// Methods that the program adds to a type of the outside.
    pub(super) fn rust_extension(&mut self, on: &[Symbol], name: Symbol) -> Vec<FuncRef> {
        self.rust_enter_impls();
        let Some(known) = self.rust.extensions.get(&name) else {
            return Vec::new();
        };
        let exact: Vec<FuncRef> = known
            .iter()
            .filter(|(this, _)| matches!(this, SelfType::Outside(path) if on.contains(path)))
            .map(|(_, func)| *func)
            .collect();
        if !exact.is_empty() {
            return exact;
        }
        known
            .iter()
            .filter(|(this, _)| *this == SelfType::Any)
            .map(|(_, func)| *func)
            .take(2)
            .collect()
    }
}

/// Without references and type arguments.
fn peel(m: &crate::core::Module, mut id: ExprId) -> ExprId {
    while let ExprKind::Same(inner) | ExprKind::Index { base: inner, .. } = m.expr(id).kind {
        id = inner;
    }
    id
}
