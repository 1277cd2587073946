//! Statics and constants: their values, and what is written to them.

use std::rc::Rc;

use super::super::Interp;
use super::items::Item;
use super::paths::{Holder, Scope};
use crate::core::{ExprId, ExprKind, Module, Symbol};
use crate::knowledge::TypeId;
use crate::resolve::value::{ClassRef, ExprRef, Obj, Value};

impl Interp<'_> {
    /// The value of a static: what it starts with and what the program writes to it, or else what its type says.
    pub(super) fn rust_static(&mut self, scope: Scope, item: &Item) -> Option<Value> {
        let Item::Static {
            target,
            annotation,
            value,
        } = *item
        else {
            return None;
        };
        let unit = scope.unit();
        let m = self.world.module(unit)?;
        let ExprKind::Name(name) = m.expr(target).kind else {
            return None;
        };
        let holder = match scope {
            Scope::File(_) => Holder::File,
            Scope::Inline(class) => Holder::Class(class.class),
            Scope::Body(func) => Holder::Func(func.func),
        };
        let module = self.v.obj(Obj::Module(unit));
        if self.rust.statics_done.insert((unit, target))
            && let Some(value) = value
        {
            let mark = self.rust_storage_mark();
            let found = self.rust_within(unit, holder, |this, m| {
                let value = this.eval(m, value);
                let value = this.rust_executed(value);
                this.rust_split(value).0
            });
            // Whoever opens it, it is opened once.
            self.rust_opened_once(mark);
            let value = found.unwrap_or(Value::UNKNOWN);
            let value = self.rust_stored(value);
            self.heap_join((module, name), value);
        }
        let stored = self.heap_get((module, name)).unwrap_or(Value::UNKNOWN);
        let declared = annotation
            .and_then(|annotation| self.rust_within(unit, holder, |this, m| this.rust_annotation(m, annotation)))
            .unwrap_or(Value::UNKNOWN);
        let value = self.rust_refine(stored, declared);
        let value = match annotation {
            Some(annotation) => self.rust_declared_origin(value, ExprRef { unit, expr: annotation }),
            None => value,
        };
        self.rust_keeps(value);
        Some(value)
    }

    /// The file and name of the static that a place denotes.
    fn rust_static_key(&mut self, m: &Module, place: ExprId) -> Option<(Scope, Symbol)> {
        match &m.expr(place).kind {
            ExprKind::Name(name) => {
                let scopes = Rc::clone(&self.here().rust.scopes);
                scopes.iter().find_map(|&scope| self.rust_static_in(scope, *name, 0))
            }
            ExprKind::Attr {
                base, name, path: true, ..
            } => {
                let container = self.rust_type_head(m, *base);
                let scope = self.rust_static_scope(container)?;
                self.rust_static_in(scope, *name, 0)
            }
            _ => None,
        }
    }

    fn rust_static_scope(&self, container: Value) -> Option<Scope> {
        match self.v.only(container)? {
            Obj::Module(unit) => Some(Scope::File(*unit)),
            Obj::Class(class) => Some(Scope::Inline(ClassRef {
                unit: class.unit,
                class: class.class,
            })),
            _ => None,
        }
    }

    fn rust_static_in(&mut self, scope: Scope, name: Symbol, steps: usize) -> Option<(Scope, Symbol)> {
        let unit = self.rust_unit(scope.unit())?;
        let table = match scope {
            Scope::File(_) => &unit.file,
            Scope::Inline(class) => unit.inline.get(&class.class)?,
            Scope::Body(func) => unit.bodies.get(&func.func)?,
        };
        for item in table.names.get(&name)? {
            match item {
                Item::Static { .. } => return Some((scope, name)),
                Item::Import(import) if steps < 6 => {
                    let container = self.rust_import_path(scope, &import.module)?;
                    let next = self.rust_static_scope(container)?;
                    return self.rust_static_in(next, import.name?, steps + 1);
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn rust_store_static(&mut self, m: &Module, place: ExprId, value: Value) {
        let Some((scope, name)) = self.rust_static_key(m, place) else {
            return;
        };
        let module = self.v.obj(Obj::Module(scope.unit()));
        let value = self.rust_stored(value);
        self.heap_join((module, name), value);
    }

    /// The declared wrappers of a static.
    pub(super) fn rust_static_wrappers(&mut self, m: &Module, place: ExprId) -> Rc<[TypeId]> {
        let Some((scope, name)) = self.rust_static_key(m, place) else {
            return Rc::from([]);
        };
        let Some(unit) = self.rust_unit(scope.unit()) else {
            return Rc::from([]);
        };
        let (table, holder) = match scope {
            Scope::File(_) => (Some(&unit.file), Holder::File),
            Scope::Inline(class) => (unit.inline.get(&class.class), Holder::Class(class.class)),
            Scope::Body(func) => (unit.bodies.get(&func.func), Holder::Func(func.func)),
        };
        let annotation = table
            .and_then(|t| t.names.get(&name))
            .into_iter()
            .flatten()
            .find_map(|item| match item {
                Item::Static { annotation, .. } => *annotation,
                _ => None,
            });
        let Some(annotation) = annotation else {
            return Rc::from([]);
        };
        let mut found = Vec::new();
        self.rust_within(scope.unit(), holder, |this, m| {
            this.rust_wrappers(m, annotation, &mut found);
        });
        found.into()
    }

    /// Evaluates the statics of all files that were read.
    pub(super) fn rust_all_statics(&mut self) {
        let mut done = 0;
        while done < self.rust.unit_list.len() {
            let unit = self.rust.unit_list[done];
            done += 1;
            let Some(items) = self.rust_unit(unit) else { continue };
            // Of other files only what something asks for matters.
            if self.world.is_aside(unit) || !self.world.leads(unit) {
                continue;
            }
            for (holder, item) in &items.statics {
                let scope = match holder {
                    Some(class) => Scope::Inline(ClassRef { unit, class: *class }),
                    None => Scope::File(unit),
                };
                self.rust_within(unit, Holder::File, |this, _| this.rust_static(scope, item));
            }
        }
    }
}
