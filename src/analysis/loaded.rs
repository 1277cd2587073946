//! What a program uses without importing it: classes loaded by their names (plugins, backends, engines), and the names of
//! a settings module, read through the framework's settings object.
//!
//! No import leads from their users to them. What does is the name of the method that is called or of the setting that
//! is read; so files that mention one are worth parsing too.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::run::offered_to;
use super::select::Offers;
use super::world::ProjectWorld;
use crate::core::{ExprKind, Language, StmtKind, Symbol};
use crate::flow::is_common_method;
use crate::project::is_package;
use crate::project::scan::Scanner;

/// Shorter names say nothing.
const MIN_NAME: usize = 5;
/// A name that more files call is no plugin's own.
const MAX_FILES: usize = 30;

/// The methods of classes that lead to a driver and are not imported anywhere, the settings that do, and the files that
/// mention them.
pub fn users(world: &ProjectWorld<'_>, relevant: &[usize], offers: &Offers) -> (FxHashSet<Symbol>, Vec<usize>) {
    let mut names = methods(world, offers);
    let methods = names.len();
    names.extend(settings(world, offers));
    if names.is_empty() {
        return (FxHashSet::default(), Vec::new());
    }
    let words: Vec<String> = names.iter().map(|n| n.as_str().to_owned()).collect();
    let scanner = Scanner::new(&words);
    let known: FxHashSet<usize> = relevant.iter().copied().collect();
    let calls: Vec<(usize, FxHashSet<usize>)> = (0..world.files.len())
        .into_par_iter()
        .filter(|i| {
            let file = &world.files[*i];
            !known.contains(i) && !file.aside && file.entry.language == Language::Python
        })
        .filter_map(|index| {
            let bytes = world.bytes(index).ok()?;
            let mut found = FxHashSet::default();
            scanner.each(&bytes, |word, end| {
                let start = end - words[word].len();
                let next = bytes.get(end).copied().unwrap_or(b'\n');
                let whole = if word < methods {
                    next == b'('
                } else {
                    !next.is_ascii_alphanumeric() && next != b'_'
                };
                if whole && start > 0 && bytes[start - 1] == b'.' {
                    found.insert(word);
                }
                true
            });
            (!found.is_empty()).then_some((index, found))
        })
        .collect();
    let mut counts = vec![0_usize; words.len()];
    for (_, found) in &calls {
        for word in found {
            counts[*word] += 1;
        }
    }
    let telling = |word: &usize| counts[*word] <= MAX_FILES;
    let files = calls
        .iter()
        .filter(|(_, found)| found.iter().any(telling))
        .map(|(index, _)| *index)
        .collect();
    let names = names
        .into_iter()
        .enumerate()
        .filter(|(i, _)| telling(i))
        .map(|(_, n)| n);
    (names.collect(), files)
}

/// The names that settings modules give to what leads to a driver, in order.
fn settings(world: &ProjectWorld<'_>, offers: &Offers) -> Vec<Symbol> {
    let mut found = Vec::new();
    for (&file, names) in offers {
        let objects = world
            .knowledge
            .settings_objects(|part| world.file_bears(file as usize, part));
        if let (Some(Some(module)), false) = (&world.files[file as usize].module, objects.is_empty()) {
            let assigned = module.body.0.iter().filter_map(|s| match &s.kind {
                StmtKind::Assign { targets, .. } => targets.first(),
                _ => None,
            });
            found.extend(assigned.filter_map(|t| match module.expr(*t).kind {
                ExprKind::Name(name) if names.contains(&name) => Some(name),
                _ => None,
            }));
        }
    }
    found.retain(|n| n.as_str().len() >= MIN_NAME);
    found.sort_unstable();
    found.dedup();
    found
}

/// The names of the methods of classes that nothing imports, in order.
fn methods(world: &ProjectWorld<'_>, offers: &Offers) -> Vec<Symbol> {
    let mut importers: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (index, file) in world.files.iter().enumerate().filter(|(_, f)| !f.aside) {
        for line in &file.lines {
            for target in offered_to(world, index, line, offers) {
                importers.entry(target).or_default().push(index as u32);
            }
        }
    }
    // A package that brings names up for others is no user itself.
    let is_init = |file: u32| is_package(&world.files[file as usize].entry.path);
    let mut used: FxHashSet<u32> = FxHashSet::default();
    loop {
        let before = used.len();
        for (target, by) in &importers {
            if by.iter().any(|b| b != target && (!is_init(*b) || used.contains(b))) {
                used.insert(*target);
            }
        }
        if used.len() == before {
            break;
        }
    }
    let mut found = Vec::new();
    for (&file, names) in offers.iter().filter(|(f, _)| !used.contains(f)) {
        let Some(Some(module)) = &world.files[file as usize].module else {
            continue;
        };
        let classes = module.body.0.iter().filter_map(|s| match s.kind {
            StmtKind::Class(id) => Some(module.class(id)),
            _ => None,
        });
        for class in classes.filter(|c| names.contains(&c.name)) {
            found.extend(class.body.0.iter().filter_map(|s| match s.kind {
                StmtKind::Func(id) => module.func(id).name,
                _ => None,
            }));
        }
    }
    found.retain(|n| n.as_str().len() >= MIN_NAME && !n.as_str().starts_with('_') && !is_common_method(n.as_str()));
    found.sort_unstable();
    found.dedup();
    found
}
