//! Where connections live, and whether somebody replaces them.
//!
//! A connection that does not heal must not outlive a unit of work: what one call of a handler does, one pass of a
//! worker's loop. So the evaluation keeps a log of connections opened, used and replaced. What a unit uses without having
//! opened it lived before, and will live after a loss. It is a finding unless the program replaces it: where a loss is
//! handled, or before the next unit of work.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Interp;
use super::super::flight::{Place, SiteId};
use super::super::log::Kept;
use crate::core::{ExprId, ExprKind, Module, Symbol};
use crate::knowledge::{Connection, LibId};
use crate::resolve::value::{ExprRef, Handle, Obj, ObjId, Value};

/// What happened to a connection, named by where it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::flow) enum Event {
    Opened(ExprRef),
    Used(ExprRef, SiteId),
    Replaced(ExprRef),
    /// Somebody asked whether it is lost.
    Asked(ExprRef),
}

/// A connection that does not heal.
#[derive(Clone, Copy, Debug)]
struct Bare {
    lib: LibId,
    /// It comes out of a pool.
    checked_out: bool,
}

/// The state of the search.
#[derive(Debug, Default)]
pub(in crate::flow) struct Storage {
    log: Vec<Event>,
    /// Openings of connections that do not heal, or the declarations that stand for them.
    bare: FxHashMap<ExprRef, Bare>,
    /// Used in a unit of work that did not open them, or held by what lives as long as the program.
    kept: Vec<ExprRef>,
    /// Used in a call of a method that did not open them: kept, unless each call gets its own.
    met: Vec<ExprRef>,
    /// Opened in calls of methods, for their callers.
    per_call: FxHashSet<ExprRef>,
    /// Opened, used and dropped in calls of methods.
    used_per_call: FxHashSet<ExprRef>,
    /// Opened while the program starts.
    at_start: FxHashSet<ExprRef>,
    /// Written to a place that was there before.
    stored: FxHashSet<ExprRef>,
    replaced: FxHashSet<ExprRef>,
    /// Call sites whose error ends a worker's loop, which somebody starts again.
    restarted: FxHashSet<SiteId>,
    /// Openings in the place of others.
    replacements: FxHashSet<ExprRef>,
    uses: FxHashMap<ExprRef, Vec<SiteId>>,
    /// Connections whose end ends the process: somebody starts it again.
    supervised: FxHashSet<ExprRef>,
    /// The loops in which a task is started, and what they open.
    pub(super) loops: FxHashMap<ExprRef, Place>,
    opened_in: FxHashMap<Place, FxHashSet<ExprRef>>,
}

impl Storage {
    pub(super) fn start_round(&mut self) {
        // A use may be evaluated before the opening: what the round before found out about openings holds.
        *self = Self {
            bare: std::mem::take(&mut self.bare),
            ..Self::default()
        };
    }

    /// A connection of which only the declaration is known.
    pub(super) fn declared(&mut self, place: ExprRef, lib: LibId) {
        self.bare.entry(place).or_insert(Bare {
            lib,
            checked_out: false,
        });
    }
}

impl Interp<'_> {
    pub(in crate::flow) fn rust_storage_mark(&self) -> usize {
        self.rust.storage.log.len()
    }

    /// What happened since, each thing once, for a summary.
    pub(in crate::flow) fn rust_events_since(&self, mark: usize) -> Rc<[Event]> {
        let mut seen = FxHashSet::default();
        let log = &self.rust.storage.log;
        log[mark.min(log.len())..]
            .iter()
            .copied()
            .filter(|e| seen.insert(*e))
            .collect()
    }

    /// Forgets what happened since a mark: whoever calls the function brings it in again.
    pub(in crate::flow) fn rust_storage_rewind(&mut self, mark: usize) {
        self.rust.storage.log.truncate(mark);
    }

    /// A function that was evaluated does the same at each call.
    pub(in crate::flow) fn rust_replay(&mut self, events: &[Event]) {
        self.rust.storage.log.extend_from_slice(events);
    }

    /// A connection was opened or taken out of a pool here. A transaction ends with its unit of work wherever it is held.
    pub(super) fn rust_opened(&mut self, at: ExprRef, handle: &Handle) {
        if self.k.ty(handle.ty).spec.transaction {
            return;
        }
        let checked_out = self.k.ty(handle.ty).spec.checked_out;
        let bare = checked_out || self.k.connection(handle.ty) == Some(Connection::Bare);
        if bare {
            let lib = self.k.ty(handle.ty).lib;
            self.rust.storage.bare.insert(at, Bare { lib, checked_out });
            self.rust.storage.log.push(Event::Opened(at));
        }
    }

    /// A round trip was made on a connection.
    pub(in crate::flow) fn rust_used(&mut self, handle: &Handle, site: SiteId) {
        let Some(origin) = handle.origin else { return };
        if self.rust.storage.bare.contains_key(&origin) {
            self.rust.storage.log.push(Event::Used(origin, site));
            let uses = self.rust.storage.uses.entry(origin).or_default();
            if !uses.contains(&site) {
                uses.push(site);
            }
        }
    }

    /// The program looks whether a connection is lost.
    pub(super) fn rust_asked(&mut self, handle: &Handle) {
        if let Some(origin) = handle.origin
            && self.rust.storage.bare.contains_key(&origin)
        {
            self.rust.storage.log.push(Event::Asked(origin));
        }
    }

    /// Something is written to a place that held `old`: connections in it are replaced. Filling what was empty replaces
    /// nothing.
    pub(super) fn rust_replaces(&mut self, m: &Module, target: ExprId, old: Value, new: Value) {
        let handles: Vec<Handle> = self.rust_reachable(old);
        self.rust_stores(new);
        if handles.is_empty() && self.here().rust.empty.is_empty() {
            return;
        }
        let text = self.source_text(m, peeled(m, target));
        if self
            .here()
            .rust
            .empty
            .iter()
            .any(|empty| stripped(empty) == stripped(&text))
        {
            // Opened once, not in each unit.
            let filled: Vec<Option<ExprRef>> = self.rust_reachable(new).iter().map(|h| h.origin).collect();
            self.rust
                .storage
                .log
                .retain(|e| !matches!(e, Event::Opened(at) if filled.contains(&Some(*at))));
            return;
        }
        let (new, _) = self.rust_split(new);
        let others: Vec<ExprRef> = self.rust_reachable(new).iter().filter_map(|h| h.origin).collect();
        let own: Vec<ExprRef> = handles.iter().filter_map(|h| h.origin).collect();
        self.rust
            .storage
            .replacements
            .extend(others.into_iter().filter(|o| own.iter().any(|x| x != o)));
        let emptied = self
            .v
            .objs(new)
            .iter()
            .all(|&o| matches!(self.v.get(o), Obj::None | Obj::Unknown));
        if emptied || !self.rust_reachable(new).is_empty() {
            self.rust_replaced(&handles);
        }
    }

    /// A value is written to a place that was there before.
    pub(super) fn rust_stores(&mut self, value: Value) {
        let origins: Vec<ExprRef> = self.rust_reachable(value).iter().filter_map(|h| h.origin).collect();
        self.rust.storage.stored.extend(origins);
    }

    /// The program has started: what was opened since then is not opened for a unit of work.
    pub(super) fn rust_started(&mut self, mark: usize) {
        let (opened, _) = self.rust_opened_and_used(mark);
        self.rust.storage.at_start.extend(opened);
    }

    /// These connections are given up here.
    pub(super) fn rust_replaced(&mut self, handles: &[Handle]) {
        for handle in handles {
            if let Some(origin) = handle.origin
                && self.rust.storage.bare.contains_key(&origin)
            {
                self.rust.storage.log.push(Event::Replaced(origin));
            }
        }
    }

    /// The handles in a value and in the objects that it holds.
    pub(super) fn rust_reachable(&mut self, value: Value) -> Vec<Handle> {
        let mut found = Vec::new();
        let mut seen: FxHashSet<ObjId> = FxHashSet::default();
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            for obj in self.v.list(value) {
                if seen.len() > 200 || !seen.insert(obj) {
                    continue;
                }
                match self.v.get(obj) {
                    Obj::Handle(handle) => found.push(*handle),
                    Obj::Outcome(inner, _) => todo.push(*inner),
                    Obj::Tuple(items) | Obj::Variant(_, _, items) => todo.extend(items),
                    Obj::Instance(class, _) => {
                        let class = *class;
                        let Some(m) = self.world.module(class.unit) else {
                            continue;
                        };
                        for field in &m.class(class.class).fields {
                            todo.extend(self.field(obj, field.name));
                            // The payloads of a variant.
                            for index in 0..field.fields.len().min(8) {
                                let name = Symbol::new(&format!("{}.{index}", field.name));
                                todo.extend(self.field(obj, name));
                            }
                        }
                    }
                    Obj::List(_) => todo.push(self.entries(obj)),
                    _ => {}
                }
            }
        }
        found
    }

    /// What was replaced since is replaced where a loss is handled.
    pub(super) fn rust_replaced_after_loss(&mut self, mark: usize) {
        let storage = &mut self.rust.storage;
        for event in &storage.log[mark.min(storage.log.len())..] {
            if let Event::Replaced(origin) = event {
                storage.replaced.insert(*origin);
            }
        }
    }

    /// In one unit of work it is asked of a connection whether it is lost, and one of that library is opened: in its
    /// place (a pool of the program's own).
    fn rust_replaced_if_lost(&mut self, mark: usize) {
        let storage = &mut self.rust.storage;
        let log = &storage.log[mark.min(storage.log.len())..];
        let opened: FxHashSet<LibId> = log
            .iter()
            .filter_map(|e| match e {
                Event::Opened(origin) => storage.bare.get(origin).map(|b| b.lib),
                _ => None,
            })
            .collect();
        let asked = log.iter().filter_map(|e| match e {
            Event::Asked(origin) => Some(*origin),
            _ => None,
        });
        let replaced: Vec<ExprRef> = asked
            .filter(|origin| storage.bare.get(origin).is_some_and(|b| opened.contains(&b.lib)))
            .collect();
        storage.replaced.extend(replaced);
    }

    /// What was opened since is opened once, for whoever comes first.
    pub(super) fn rust_opened_once(&mut self, mark: usize) {
        let log = &mut self.rust.storage.log;
        let mark = mark.min(log.len());
        let rest: Vec<Event> = log.drain(mark..).filter(|e| matches!(e, Event::Used(..))).collect();
        log.extend(rest);
    }

    /// What was replaced since is replaced for another reason than a loss.
    pub(super) fn rust_forget_replaced(&mut self, mark: usize) {
        let log = &mut self.rust.storage.log;
        let mark = mark.min(log.len());
        let rest: Vec<Event> = log.drain(mark..).filter(|e| !matches!(e, Event::Replaced(_))).collect();
        log.extend(rest);
    }

    /// The errors of these calls ended a worker that is started again.
    pub(super) fn rust_restarted(&mut self, site: SiteId) {
        self.rust.storage.restarted.insert(site);
    }

    /// What was evaluated since the mark is repeated after a loss: what it opened is opened again if the loss got out of
    /// the worker that uses it.
    pub(super) fn rust_reopens(&mut self, mark: usize) {
        let (opened, _) = self.rust_opened_and_used(mark);
        let storage = &mut self.rust.storage;
        let again = opened.into_iter().filter(|origin| {
            let uses = storage.uses.get(origin);
            uses.is_some_and(|sites| sites.iter().any(|site| storage.restarted.contains(site)))
        });
        let again: Vec<ExprRef> = again.collect();
        storage.replaced.extend(again);
    }

    /// These calls are repeated after a loss, all since the mark with them: a connection that was opened before is as dead
    /// in the next attempt.
    pub(super) fn rust_repeated(&mut self, mark: usize, sites: &[SiteId]) {
        self.rust_reopens(mark);
        let (opened, used) = self.rust_opened_and_used(mark);
        let storage = &mut self.rust.storage;
        for origin in used.into_iter().filter(|o| !opened.contains(o)) {
            let repeated = storage
                .uses
                .get(&origin)
                .is_some_and(|uses| uses.iter().any(|site| sites.contains(site)));
            if repeated {
                storage.kept.push(origin);
            }
        }
    }

    /// A worker's loop was evaluated: what it used and did not open lives longer than a pass.
    pub(super) fn rust_worker_ended(&mut self, place: Place, mark: usize) {
        self.rust_replaced_after_loss(mark);
        self.rust_replaced_if_lost(mark);
        self.rust_reopens(mark);
        let (opened, used) = self.rust_opened_and_used(mark);
        for origin in used {
            if !opened.contains(&origin) {
                self.rust.storage.kept.push(origin);
            }
        }
        self.rust.storage.opened_in.entry(place).or_default().extend(opened);
    }

    /// A function that is called for each unit of work was evaluated. What was handed over to it ends with it. What a
    /// method of an object opens, it opens for whoever calls it.
    pub(super) fn rust_unit_ended(&mut self, mark: usize, given: &FxHashSet<ExprRef>, method: bool) {
        self.rust_replaced_if_lost(mark);
        let (opened, used) = self.rust_opened_and_used(mark);
        if !used.is_empty() {
            // Before or after its use in the same unit.
            self.rust_replaced_after_loss(mark);
        }
        let storage = &mut self.rust.storage;
        if method {
            storage.per_call.extend(&opened);
        }
        storage
            .met
            .extend(used.into_iter().filter(|o| !opened.contains(o) && !given.contains(o)));
    }

    /// A method was evaluated. What it opened, used and does not give back was for this call of it.
    pub(in crate::flow) fn rust_method_ended(&mut self, mark: usize, ret: Value) {
        let (opened, used) = self.rust_opened_and_used(mark);
        if opened.is_empty() || used.is_empty() {
            return;
        }
        let given: Vec<ExprRef> = self.rust_reachable(ret).iter().filter_map(|h| h.origin).collect();
        let own = used.into_iter().filter(|o| opened.contains(o) && !given.contains(o));
        self.rust.storage.used_per_call.extend(own);
    }

    /// A task was evaluated that a worker's loop starts again and again.
    pub(super) fn rust_task_ended(&mut self, started: ExprRef, mark: usize) {
        let Some(&place) = self.rust.storage.loops.get(&started) else {
            return;
        };
        let (opened, used) = self.rust_opened_and_used(mark);
        let outer = self.rust.storage.opened_in.get(&place).cloned().unwrap_or_default();
        for origin in used {
            if !opened.contains(&origin) && !outer.contains(&origin) {
                self.rust.storage.kept.push(origin);
            }
        }
    }

    fn rust_opened_and_used(&self, mark: usize) -> (FxHashSet<ExprRef>, Vec<ExprRef>) {
        let mut opened = FxHashSet::default();
        let mut used = Vec::new();
        let log = &self.rust.storage.log;
        for event in &log[mark.min(log.len())..] {
            match event {
                Event::Opened(origin) => {
                    opened.insert(*origin);
                }
                Event::Used(origin, _) => {
                    if !used.contains(origin) {
                        used.push(*origin);
                    }
                }
                Event::Replaced(_) | Event::Asked(_) => {}
            }
        }
        (opened, used)
    }

    /// A value lives as long as the program from here on.
    pub(super) fn rust_keeps(&mut self, value: Value) {
        for handle in self.rust_reachable(value) {
            if let Some(origin) = handle.origin
                && self.rust.storage.bare.contains_key(&origin)
            {
                self.rust.storage.kept.push(origin);
            }
        }
    }

    /// The process ends with these connections.
    pub(super) fn rust_supervises(&mut self, handles: &[Handle]) {
        self.rust
            .storage
            .supervised
            .extend(handles.iter().filter_map(|h| h.origin));
    }

    /// At the end of a round: what outlives a unit of work, and of that what nothing replaces.
    pub(in crate::flow) fn rust_conclude(&mut self) {
        let mut storage = std::mem::take(&mut self.rust.storage);
        for &origin in &storage.met {
            // A guard that methods take out of the pool for their callers (`repository.connection().await?.load()`).
            let passing = storage.bare.get(&origin).is_some_and(|b| b.checked_out)
                && (storage.used_per_call.contains(&origin)
                    || storage.per_call.contains(&origin) && !storage.at_start.contains(&origin))
                && !storage.stored.contains(&origin);
            if !passing {
                storage.kept.push(origin);
            }
        }
        let mut seen = FxHashSet::default();
        for &origin in &storage.kept {
            if !seen.insert(origin) {
                continue;
            }
            self.out.outliving.insert(origin);
            let Some(bare) = storage.bare.get(&origin) else {
                continue;
            };
            if storage.replaced.contains(&origin) || storage.supervised.contains(&origin) {
                continue;
            }
            // One finding per storage: where it was filled first.
            let shares = |other: &ExprRef| {
                *other != origin
                    && !storage.replacements.contains(other)
                    && storage.uses.get(other).is_some_and(|theirs| {
                        storage
                            .uses
                            .get(&origin)
                            .is_some_and(|own| own.iter().any(|site| theirs.contains(site)))
                    })
            };
            if storage.replacements.contains(&origin) && storage.kept.iter().any(shares) {
                continue;
            }
            let mut sites = storage.uses.get(&origin).cloned().unwrap_or_default();
            sites.sort_unstable();
            let place = self.place_of(origin);
            self.out.kept.push(Kept {
                opening: Some(origin),
                lib: bare.lib,
                place,
                sites,
                derived: None,
            });
        }
        self.rust.storage.bare = storage.bare;
    }
}

/// Without `*` and `&`.
fn peeled(m: &Module, mut id: ExprId) -> ExprId {
    while let ExprKind::Same(inner) = m.expr(id).kind {
        id = inner;
    }
    id
}

/// The text of a place without what takes a reference to it or locks it.
fn stripped(text: &str) -> &str {
    let mut text = text
        .trim_start_matches(['&', '*', ' '])
        .trim_start_matches("mut ")
        .trim_start_matches(['&', '*']);
    while let Some(rest) = TAKEN.iter().find_map(|end| text.strip_suffix(end)) {
        text = rest;
    }
    text
}

/// Calls at the end of a place that lead to the same place.
const TAKEN: [&str; 9] = [
    ".as_ref()",
    ".as_mut()",
    ".await",
    ".unwrap()",
    ".lock()",
    ".read()",
    ".write()",
    ".borrow()",
    ".borrow_mut()",
];
