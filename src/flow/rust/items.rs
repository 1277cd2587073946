//! The items of a file: what its modules and function bodies define, without evaluating anything.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::super::Interp;
use crate::core::{
    Block, ClassId, ClassKind, ExprId, ExprKind, FuncId, ImplId, Import, Module, Stmt, StmtKind, Symbol,
};
use crate::resolve::value::UnitId;

/// An item of a scope.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Func(FuncId),
    Class(ClassId),
    Import(Import),
    /// A `static` or `const`: its name, type and initial value.
    Static { target: ExprId, annotation: Option<ExprId>, value: Option<ExprId> },
}

/// The names of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub names: FxHashMap<Symbol, Vec<Item>>,
    pub globs: Vec<Import>,
}

/// All scopes of a file.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub file: Table,
    /// Inline modules.
    pub inline: FxHashMap<ClassId, Table>,
    /// Function bodies that define items.
    pub bodies: FxHashMap<FuncId, Table>,
    /// Statics anywhere in modules, for their initial values.
    pub statics: Vec<(Option<ClassId>, Item)>,
}

impl Interp<'_> {
    /// Reads a file and enters its items; `None` if it cannot be read or is no Rust.
    pub(super) fn rust_unit(&mut self, unit: UnitId) -> Option<Rc<Unit>> {
        if let Some(known) = self.rust.units.get(&unit) {
            return Some(Rc::clone(known));
        }
        let module = self.world.module(unit)?;
        if module.language != crate::core::Language::Rust {
            return None;
        }
        let items = Rc::new(collect(&module));
        self.rust.units.insert(unit, Rc::clone(&items));
        self.rust.unit_list.push(unit);
        if !self.module_list.contains(&unit) {
            self.module_list.push(unit);
        }
        for index in 0..module.impls.len() {
            self.rust.new_impls.push((unit, ImplId(index as u32)));
        }
        // The root of the crate says who calls all this.
        let root = self.world.crate_root(unit);
        if root != unit {
            self.rust_unit(root);
        }
        Some(items)
    }
}

fn collect(m: &Module) -> Unit {
    let mut unit = Unit::default();
    let mut file = Table::default();
    table(m, &m.body, None, &mut file, &mut unit);
    unit.file = file;
    for (index, func) in m.funcs.iter().enumerate() {
        let mut body = Table::default();
        nested(m, &func.body, &mut body, &mut unit);
        if !body.names.is_empty() || !body.globs.is_empty() {
            unit.bodies.insert(FuncId(index as u32), body);
        }
    }
    unit
}

fn table(m: &Module, block: &Block, holder: Option<ClassId>, into: &mut Table, unit: &mut Unit) {
    for stmt in &block.0 {
        enter(m, stmt, into, unit);
        if let StmtKind::Assign { targets, annotation, value } = &stmt.kind
            && let [target] = targets[..]
        {
            let item = Item::Static { target, annotation: *annotation, value: *value };
            unit.statics.push((holder, item));
        }
    }
}

/// Items among the statements of a body, in all its blocks.
fn nested(m: &Module, block: &Block, into: &mut Table, unit: &mut Unit) {
    for stmt in &block.0 {
        match &stmt.kind {
            StmtKind::Func(_) | StmtKind::Class(_) | StmtKind::Import(_) => enter(m, stmt, into, unit),
            // A constant has a type and a name in capitals; an assignment has no type.
            StmtKind::Assign { annotation: Some(_), .. } => enter(m, stmt, into, unit),
            StmtKind::If { then, otherwise, .. } => {
                nested(m, then, into, unit);
                nested(m, otherwise, into, unit);
            }
            StmtKind::While { body, .. } | StmtKind::For { body, .. } => nested(m, body, into, unit),
            StmtKind::Block(body) | StmtKind::Labelled(body) => nested(m, body, into, unit),
            StmtKind::Match { arms, .. } => arms.iter().for_each(|arm| nested(m, &arm.body, into, unit)),
            _ => {}
        }
    }
}

fn enter(m: &Module, stmt: &Stmt, into: &mut Table, unit: &mut Unit) {
    match &stmt.kind {
        StmtKind::Func(id) => {
            if let Some(name) = m.func(*id).name {
                into.names.entry(name).or_default().push(Item::Func(*id));
            }
        }
        StmtKind::Class(id) => {
            let class = m.class(*id);
            into.names.entry(class.name).or_default().push(Item::Class(*id));
            if class.kind == ClassKind::Module {
                let mut inner = Table::default();
                table(m, &class.body, Some(*id), &mut inner, unit);
                unit.inline.insert(*id, inner);
            }
        }
        StmtKind::Import(imports) => {
            for import in imports {
                if import.glob {
                    into.globs.push(import.clone());
                } else {
                    into.names.entry(import.binding).or_default().push(Item::Import(import.clone()));
                }
            }
        }
        StmtKind::Assign { targets, annotation, value } => {
            for target in targets {
                if let ExprKind::Name(name) = m.expr(*target).kind {
                    let item = Item::Static { target: *target, annotation: *annotation, value: *value };
                    into.names.entry(name).or_default().push(item);
                }
            }
        }
        _ => {}
    }
}
