//! What is of a type of the outside that no library file describes: nothing is known of it, but no method of the program
//! is one of its own, so a method is not looked for by its name alone.

use super::super::Interp;
use super::paths::Holder;
use super::types::type_arguments;
use crate::core::{Arg, ClassKind, ExprId, ExprKind, Module, Pattern, Symbol};
use crate::knowledge::Item;
use crate::resolve::value::{FuncRef, Obj, Value};

/// Chains of calls are followed this far.
const MAX_STEPS: usize = 24;

impl Interp<'_> {
    /// True if an expression gives an object of such a type.
    pub(super) fn rust_is_outside(&mut self, m: &Module, id: ExprId) -> bool {
        self.rust_is_outside_at(m, id, 0)
    }

    fn rust_is_outside_at(&mut self, m: &Module, id: ExprId, steps: usize) -> bool {
        if steps > MAX_STEPS {
            return false;
        }
        match &m.expr(id).kind {
            ExprKind::Same(inner) | ExprKind::Await(inner) | ExprKind::Propagate(inner) => {
                self.rust_is_outside_at(m, *inner, steps + 1)
            }
            ExprKind::Index { base, .. } => self.rust_is_outside_at(m, *base, steps + 1),
            ExprKind::Str(_) => true,
            ExprKind::Name(name) => self.here().rust.outside.contains(name),
            ExprKind::Attr {
                base,
                name,
                path: false,
                ..
            } => self.rust_is_outside_at(m, *base, steps + 1) || self.rust_field_is_outside(m, *base, *name),
            ExprKind::Call { args, .. } if takes_closure(m, args) => false,
            ExprKind::Call { callee, .. } => match &m.expr(*callee).kind {
                ExprKind::Attr { base, path: false, .. } => self.rust_is_outside_at(m, *base, steps + 1),
                ExprKind::Name(_) | ExprKind::Attr { .. } => self.rust_call_is_outside(m, *callee),
                _ => false,
            },
            _ => false,
        }
    }

    /// `PathBuf::from(..)`, or a function of the program that says so.
    fn rust_call_is_outside(&mut self, m: &Module, callee: ExprId) -> bool {
        if let ExprKind::Name(name) = m.expr(callee).kind
            && self.rust_local(name).is_some()
        {
            return false;
        }
        let target = self.rust_type_head(m, callee);
        match self.v.only(target).cloned() {
            Some(Obj::External(path)) => {
                let Some((head, _)) = path.as_str().rsplit_once('.') else {
                    return false;
                };
                let of = head.rsplit('.').next().unwrap_or_default();
                of.starts_with(char::is_uppercase)
                    && head.contains('.')
                    && self.k.item(path).is_none()
                    && self.k.item(Symbol::new(head)).is_none()
            }
            Some(Obj::Func(func, _)) => self.rust_returns_outside(func),
            _ => false,
        }
    }

    fn rust_returns_outside(&mut self, func: FuncRef) -> bool {
        let found = self.rust_within(func.unit, Holder::Func(func.func), |this, m| {
            let returns = m.func(func.func).returns;
            returns.is_some_and(|returns| this.rust_type_is_outside(m, returns, 0))
        });
        found.unwrap_or(false)
    }

    fn rust_field_is_outside(&mut self, m: &Module, base: ExprId, name: Symbol) -> bool {
        if !matches!(
            m.expr(base).kind,
            ExprKind::Name(_) | ExprKind::Attr { path: false, .. }
        ) {
            return false;
        }
        let object = self.eval(m, base);
        let Some(&Obj::Instance(class, _)) = self.v.only(object) else {
            return false;
        };
        let Some(module) = self.world.module(class.unit) else {
            return false;
        };
        let field = module.class(class.class).fields.iter().find(|f| f.name == name);
        let Some(annotation) = field.and_then(|f| f.annotation) else {
            return false;
        };
        let found = self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
            this.rust_type_is_outside(m, annotation, 0)
        });
        found.unwrap_or(false)
    }

    /// True if a declared type is such a type, in wrappers or not.
    pub(super) fn rust_type_is_outside(&mut self, m: &Module, id: ExprId, steps: usize) -> bool {
        if steps > 8 {
            return false;
        }
        let (base, args) = match &m.expr(id).kind {
            ExprKind::Same(inner) => return self.rust_type_is_outside(m, *inner, steps + 1),
            ExprKind::Index { base, index } => (*base, type_arguments(m, *index)),
            ExprKind::Name(_) | ExprKind::Attr { .. } => (id, Vec::new()),
            _ => return false,
        };
        if let ExprKind::Name(name) = m.expr(base).kind
            && (matches!(name.as_str(), "impl" | "dyn" | "Self") || self.rust_is_generic(m, name))
        {
            return false;
        }
        let head = self.rust_type_head(m, base);
        match self.v.only(head).cloned() {
            Some(Obj::External(path)) => match self.k.item(path) {
                Some(Item::Type(ty)) => match self.k.ty(ty).spec.transparent {
                    Some(index) => {
                        let arg = args.get(index).or(args.first());
                        arg.is_some_and(|&arg| self.rust_type_is_outside(m, arg, steps + 1))
                    }
                    None => false,
                },
                Some(_) => false,
                None => {
                    let known = path.as_str().contains('.') || path.as_str().starts_with(char::is_lowercase);
                    known && args.iter().all(|&arg| self.rust_type_is_outside(m, arg, steps + 1))
                }
            },
            Some(Obj::Class(class)) if self.rust_kind(class) == Some(ClassKind::Alias) => {
                let found = self.rust_within(class.unit, Holder::Class(class.class), |this, m| {
                    let target = m.class(class.class).bases.first().copied();
                    target.is_some_and(|target| this.rust_type_is_outside(m, target, steps + 1))
                });
                found.unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Notes that the names of a pattern are bound to such objects.
    pub(super) fn rust_bound_outside(&mut self, pattern: &Pattern) {
        for name in pattern.names() {
            if self.rust_local(name).is_some_and(|value| self.v.is_unknown(value)) {
                self.frame().rust.outside.insert(name);
            }
        }
    }

    /// The same, if what is taken apart is such an object.
    pub(super) fn rust_bound_from(&mut self, m: &Module, pattern: &Pattern, of: ExprId, value: Value) {
        if self.v.may_be_unknown(value) && self.rust_is_outside(m, of) {
            self.rust_bound_outside(pattern);
        }
    }
}

fn takes_closure(m: &Module, args: &[Arg]) -> bool {
    args.iter()
        .any(|arg| matches!(m.expr(arg.value).kind, ExprKind::Lambda(_)))
}
