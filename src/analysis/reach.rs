//! Which further Rust files are worth parsing: those that name what files with a driver define.
//!
//! `mod` declarations lead from a crate's root to its files, but only evaluation follows them, and nothing leads from a
//! library to the programs that use it. So a file is parsed if it mentions a type of such a file, or a function
//! together with its module, and its package may use that file's.

use std::hash::{Hash, Hasher};
use std::path::Path;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::core::{ClassId, ExprId, ExprKind, FuncId, Module, Span, StmtKind, Symbol};
use crate::project::Crates;

/// Shorter names say nothing.
const MIN_NAME: usize = 4;

/// What a file defines that leads to a driver.
#[derive(Debug)]
struct Offer {
    file: u32,
    /// The name of its module, as others write it.
    module: Option<u64>,
    types: Vec<u64>,
    functions: Vec<u64>,
}

/// The state of the search.
#[derive(Debug, Default)]
pub struct Reach {
    /// Names of all definitions so far that lead to a driver.
    known: FxHashSet<Symbol>,
    offers: Vec<Offer>,
    /// The words of files that were looked at.
    words: FxHashMap<u32, FxHashSet<u64>>,
}

impl Reach {
    /// Adds what a parsed file offers. `drivers` tells whether a crate of this name is a driver.
    pub fn add(&mut self, file: u32, path: &Path, module: &Module, drivers: &dyn Fn(Symbol) -> bool) {
        let mut leads: FxHashSet<Symbol> = self.known.clone();
        for stmt in &module.body.0 {
            if let StmtKind::Import(imports) = &stmt.kind {
                let of_driver = imports
                    .iter()
                    .filter(|i| i.module.first().is_some_and(|&first| drivers(first)));
                leads.extend(of_driver.map(|i| i.binding));
            }
        }
        let definitions = definitions(module);
        let mut mentions: Vec<FxHashSet<Symbol>> = vec![FxHashSet::default(); definitions.len()];
        let mut crates: FxHashMap<Symbol, bool> = FxHashMap::default();
        for expr in &module.exprs {
            let name = match &expr.kind {
                ExprKind::Name(name) => {
                    if *crates.entry(*name).or_insert_with(|| drivers(*name)) {
                        leads.insert(*name);
                    }
                    *name
                }
                ExprKind::Attr { name, .. } => *name,
                _ => continue,
            };
            let index = definitions.partition_point(|d| d.span.start <= expr.span.start);
            if let Some(index) = index.checked_sub(1)
                && definitions[index].span.end >= expr.span.end
            {
                mentions[index].insert(name);
            }
        }
        let mut own: FxHashSet<Symbol> = FxHashSet::default();
        loop {
            let before = own.len();
            for (definition, mentioned) in definitions.iter().zip(&mentions) {
                if !own.contains(&definition.name) && mentioned.iter().any(|m| leads.contains(m) || own.contains(m)) {
                    own.insert(definition.name);
                }
            }
            if own.len() == before {
                break;
            }
        }
        let of = |types: bool| -> Vec<u64> {
            let found = definitions
                .iter()
                .filter(|d| d.is_type == types && own.contains(&d.name));
            found
                .filter(|d| d.name.as_str().len() >= MIN_NAME)
                .map(|d| word(d.name.as_str().as_bytes()))
                .collect()
        };
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let stem = match stem {
            "lib" | "main" => None,
            "mod" => path.parent().and_then(Path::file_name).and_then(|s| s.to_str()),
            stem => Some(stem),
        };
        self.offers.push(Offer {
            file,
            module: stem.map(|s| word(s.as_bytes())),
            types: of(true),
            functions: of(false),
        });
        self.known.extend(
            own.into_iter()
                .filter(|n| n.as_str().len() >= MIN_NAME && n.as_str() != "main"),
        );
    }

    /// Of the given files those that use something offered. What was offered before is not asked again.
    pub fn users(&mut self, candidates: &[(u32, &Path)], crates: &Crates) -> Vec<usize> {
        let offers = std::mem::take(&mut self.offers);
        if offers.is_empty() {
            return Vec::new();
        }
        let unread: Vec<_> = candidates
            .iter()
            .filter(|(file, _)| !self.words.contains_key(file))
            .collect();
        let read: Vec<(u32, FxHashSet<u64>)> = unread
            .par_iter()
            .map(|(file, path)| (*file, words(&std::fs::read(path).unwrap_or_default())))
            .collect();
        self.words.extend(read);
        let words = &self.words;
        candidates
            .par_iter()
            .filter(|(file, _)| {
                let Some(mentioned) = words.get(file) else { return false };
                offers.iter().any(|offer| {
                    let named = || offer.types.iter().any(|t| mentioned.contains(t));
                    let called = || {
                        offer.module.is_none_or(|m| mentioned.contains(&m))
                            && offer.functions.iter().any(|f| mentioned.contains(f))
                    };
                    (named() || called()) && crates.may_use(*file, offer.file)
                })
            })
            .map(|(file, _)| *file as usize)
            .collect()
    }
}

struct Definition {
    name: Symbol,
    is_type: bool,
    span: Span,
}

/// What a file defines at its top level: an `impl` block is a part of its type.
fn definitions(module: &Module) -> Vec<Definition> {
    let mut found = Vec::new();
    for stmt in &module.body.0 {
        let (name, is_type) = match &stmt.kind {
            StmtKind::Func(FuncId(id)) => match module.funcs[*id as usize].name {
                Some(name) if !module.funcs[*id as usize].is_test => (name, false),
                _ => continue,
            },
            StmtKind::Class(ClassId(id)) if !module.classes[*id as usize].is_test => {
                (module.classes[*id as usize].name, true)
            }
            StmtKind::Assign { targets, .. } => match targets.first().map(|t| &module.expr(*t).kind) {
                Some(ExprKind::Name(name)) => (*name, true),
                _ => continue,
            },
            _ => continue,
        };
        let span = stmt.span;
        found.push(Definition { name, is_type, span });
    }
    for imp in module
        .impls
        .iter()
        .filter(|i| i.outer.is_none() && i.parent.is_none() && !i.is_test)
    {
        if let Some(name) = head(module, imp.self_type) {
            let span = imp.span;
            found.push(Definition {
                name,
                is_type: true,
                span,
            });
        }
    }
    found.sort_by_key(|d| d.span.start);
    found
}

/// The last name of a type's path.
fn head(module: &Module, id: ExprId) -> Option<Symbol> {
    match &module.expr(id).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => Some(*name),
        ExprKind::Same(inner) => head(module, *inner),
        ExprKind::Index { base, .. } => head(module, *base),
        _ => None,
    }
}

fn word(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// All words of a text.
fn words(bytes: &[u8]) -> FxHashSet<u64> {
    bytes
        .split(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .filter(|w| w.len() >= 2)
        .map(word)
        .collect()
}
