//! Which files are worth parsing: those that import a driver, then those that use by name what such files offer.
//!
//! A transitive import closure would take most of every tree. So the closure goes by names: a definition matters if its
//! text mentions something of a driver or another definition that matters, and a file is parsed if it imports such a
//! name, or the module that offers it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::core::{ClassId, ExprKind, FuncId, Module, Span, StmtKind, Symbol};

/// The names at the top level of a module whose definitions lead to a driver.
pub fn names_that_matter(module: &Module, imported: &FxHashSet<Symbol>) -> FxHashSet<Symbol> {
    let definitions = definitions(module);
    let mut mentions: Vec<FxHashSet<Symbol>> = vec![FxHashSet::default(); definitions.len()];
    for expr in &module.exprs {
        let name = match &expr.kind {
            ExprKind::Name(name) | ExprKind::Attr { name, .. } => *name,
            _ => continue,
        };
        // Definitions are in order and do not overlap.
        let index = definitions.partition_point(|(_, span)| span.start <= expr.span.start);
        if let Some(index) = index.checked_sub(1)
            && definitions[index].1.end >= expr.span.end
        {
            mentions[index].insert(name);
        }
    }
    let mut matter: FxHashSet<Symbol> = imported.clone();
    loop {
        let before = matter.len();
        for ((names, _), mentioned) in definitions.iter().zip(&mentions) {
            if mentioned.iter().any(|m| matter.contains(m)) {
                matter.extend(names.iter().copied());
            }
        }
        if matter.len() == before {
            break;
        }
    }
    matter
}

/// The definitions at the top level: the names that they bind, and where they are.
fn definitions(module: &Module) -> Vec<(Vec<Symbol>, Span)> {
    let mut found = Vec::new();
    collect(module, &module.body.0, &mut found);
    found.sort_by_key(|(_, span)| span.start);
    found
}

fn collect(module: &Module, body: &[crate::core::Stmt], found: &mut Vec<(Vec<Symbol>, Span)>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Func(FuncId(id)) => {
                let func = &module.funcs[*id as usize];
                found.push((func.name.into_iter().collect(), stmt.span));
            }
            StmtKind::Class(ClassId(id)) => {
                found.push((vec![module.classes[*id as usize].name], stmt.span));
            }
            StmtKind::Assign { targets, .. } => {
                let names = targets
                    .iter()
                    .filter_map(|t| match &module.expr(*t).kind {
                        ExprKind::Name(name) => Some(*name),
                        _ => None,
                    })
                    .collect();
                found.push((names, stmt.span));
            }
            StmtKind::If { then, otherwise, .. } => {
                collect(module, &then.0, found);
                collect(module, &otherwise.0, found);
            }
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                collect(module, &body.0, found);
                for handler in handlers {
                    collect(module, &handler.body.0, found);
                }
                collect(module, &otherwise.0, found);
                collect(module, &finally.0, found);
            }
            StmtKind::With { body, .. } => collect(module, &body.0, found),
            _ => {}
        }
    }
}

/// For each file that offers something: the names that matter there.
pub type Offers = FxHashMap<u32, FxHashSet<Symbol>>;
