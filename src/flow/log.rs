//! What happens along the way, and from it which connections outlive a unit of work.
//!
//! A unit of work is what an entry point does, or one pass of an endless loop. A connection that is used in a unit and was
//! not opened in it is kept. It is no defect if something replaces it: where the error is handled, or after a look at its
//! health.

use rustc_hash::{FxHashMap, FxHashSet};

use super::flight::{Flight, Place, SiteId};
use super::{Caught, Interp};
use crate::core::Symbol;
use crate::knowledge::{Connection, LibId};
use crate::resolve::value::{ExprRef, Handle, Obj, ObjId, Value};

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    /// A lazy object was made.
    Making(ExprRef),
    /// Something waited.
    Wait,
    /// Something waited until something came.
    Block,
    /// A round trip, and what it went over: the opening, what that was made from, the derived object.
    Trip {
        site: SiteId,
        origin: Option<ExprRef>,
        under: Option<ExprRef>,
        derived: Option<ExprRef>,
    },
    /// A connection was opened, or an object derived from one was made.
    Open(ExprRef),
    /// The same, but only if none was there.
    Cached(ExprRef),
    /// A connection, or all of a library's ambient ones, was made usable again.
    Revive(Option<ExprRef>, LibId),
    /// A handle was stored in an attribute, global or container.
    Store(ObjId, Symbol),
    /// `None` or `False` was stored there, or the entry was removed.
    Clear(ObjId, Symbol),
    /// Somebody looked at the health of a connection; `false`: in a way that does not notice a loss.
    Look(Option<ExprRef>, bool),
    /// Somebody asked whether an iteration that a loss ends is finished.
    AskedEnd,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark(usize);

/// A connection that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The opening; for a library's ambient connection nothing.
    pub opening: Option<ExprRef>,
    /// The library.
    pub lib: LibId,
    /// Where it is reported.
    pub place: Place,
    /// Calls on it.
    pub sites: Vec<SiteId>,
    /// An object derived from it is what is kept, and where that is made.
    pub derived: Option<ExprRef>,
}

/// What is known of openings.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Used in a unit that did not open them, and where.
    kept: FxHashMap<ExprRef, Vec<SiteId>>,
    /// Replaced where an error is handled, or after a look.
    replaced: FxHashSet<ExprRef>,
    /// Opened for one unit by something outside of it.
    per_unit: FxHashSet<ExprRef>,
    /// The kind of each opening, and its library.
    kinds: FxHashMap<ExprRef, (Connection, LibId)>,
    /// A derived object's connection.
    bases: FxHashMap<ExprRef, ExprRef>,
    /// Where a cached opening is stored.
    caches: FxHashMap<ExprRef, Vec<(ObjId, Symbol)>>,
    /// Where each opening or derived object is stored.
    stores: FxHashMap<ExprRef, FxHashSet<(ObjId, Symbol)>>,
    /// Places that get a new object where an error is handled.
    refilled: FxHashSet<(ObjId, Symbol)>,
    /// Entries cleared where an error is handled.
    cleared: FxHashSet<(ObjId, Symbol)>,
    /// Libraries whose ambient connections are renewed where an error is handled.
    revived_libs: FxHashSet<LibId>,
    /// Endless loops over ambient connections that nothing renews.
    loops: Vec<(Place, LibId, Vec<SiteId>)>,
    /// Where an object is opened by a method instead of its constructor.
    places: FxHashMap<ExprRef, ExprRef>,
    /// Used in functions whose callers are not known, and not opened in them, and where.
    carried: FxHashMap<ExprRef, Vec<SiteId>>,
    /// Opened by a `with`, whose end closes them.
    scoped: FxHashSet<ExprRef>,
    /// Such openings that the same function closes again.
    closed: FxHashSet<ExprRef>,
}

/// More events of one function are not remembered.
const MAX_EVENTS: usize = 400;

impl Interp<'_> {
    pub(super) fn log_mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// Forgets what happened since a mark.
    pub(super) fn log_rewind(&mut self, mark: Mark) {
        self.log.truncate(mark.0);
    }

    pub(super) fn note(&mut self, event: Event) {
        if event == Event::Wait
            && let Some(frame) = self.frames.last_mut()
        {
            frame.loops.iter_mut().for_each(|l| l.rust.waits = true);
        }
        self.log.push(event);
    }

    pub(super) fn waited_since(&self, mark: Mark) -> bool {
        self.since(mark).contains(&Event::Wait)
    }

    /// Something waited until something came.
    pub(super) fn blocked_since(&self, mark: Mark) -> bool {
        self.since(mark).contains(&Event::Block)
    }

    /// Where the loop begins that takes up an iteration again after a loss: the innermost one, unless that ends with the
    /// iteration because it asks for its end.
    pub(super) fn taken_up_since(&self) -> Option<Mark> {
        let loops = &self.here().loops;
        let asks = |mark: &Mark| self.since(*mark).contains(&Event::AskedEnd);
        let mut marks = loops.iter().rev().filter_map(|l| l.log);
        let innermost = marks.next()?;
        if asks(&innermost) {
            marks.next().or(Some(innermost))
        } else {
            Some(innermost)
        }
    }

    /// The libraries whose losses a loop survives: a handler in it goes on with it, and no call of theirs lets one out.
    pub(super) fn survived(&self, mark: Mark, raised: &[Flight], caught: &Caught) -> Vec<LibId> {
        let lib_of = |site| self.out.sites.get(site).lib;
        let raised: Vec<LibId> = raised
            .iter()
            .filter(|f| f.making.is_none())
            .map(|f| lib_of(f.site))
            .collect();
        let mut libs = Vec::new();
        for event in self.since(mark) {
            let Event::Trip { site, .. } = *event else { continue };
            let lib = lib_of(site);
            let goes_on = caught.get(&site).copied().unwrap_or_default();
            if goes_on && !raised.contains(&lib) && !libs.contains(&lib) {
                libs.push(lib);
            }
        }
        libs
    }

    pub(super) fn made_since(&self, created: ExprRef, mark: Mark) -> bool {
        self.since(mark).contains(&Event::Making(created))
    }

    fn since(&self, mark: Mark) -> &[Event] {
        &self.log[mark.0.min(self.log.len())..]
    }

    /// The events since a mark, once each, for a summary.
    pub(super) fn events_since(&self, mark: Mark) -> Vec<Event> {
        let mut seen = FxHashSet::default();
        self.since(mark)
            .iter()
            .copied()
            .filter(|e| seen.insert(*e))
            .take(MAX_EVENTS)
            .collect()
    }

    /// A connection was opened here, of this kind.
    pub(super) fn note_opening(&mut self, at: ExprRef, kind: Connection, lib: LibId) {
        self.units.kinds.entry(at).or_insert((kind, lib));
        // Another connection than the one of before: nothing was said on it yet.
        self.open_transactions.remove(&at);
        self.note(Event::Open(at));
    }

    /// The kind of a connection whose opening is not seen.
    pub(super) fn note_kind(&mut self, at: ExprRef, kind: Connection, lib: LibId) {
        self.units.kinds.entry(at).or_insert((kind, lib));
    }

    /// A method opened its own object.
    pub(super) fn note_opened_by(&mut self, origin: ExprRef, at: ExprRef) {
        if !self.units.closed.contains(&at) {
            self.units.places.entry(origin).or_insert(at);
        }
        if self.in_hook {
            self.units.per_unit.insert(origin);
        }
        self.note(Event::Open(origin));
    }

    /// A retry uses a connection that it has not opened or revived since the mark: as if it were kept.
    pub(super) fn note_tried_again(&mut self, site: SiteId, mark: Mark) {
        // In Rust the storage tells (`rust::storage`): which value a variable holds after a handler is known there.
        if !self.here().is_python() {
            return;
        }
        let events = self.since(mark);
        let renewed = |origin: ExprRef| {
            events
                .iter()
                .any(|e| matches!(e, Event::Open(at) | Event::Cached(at) | Event::Revive(Some(at), _) if *at == origin))
        };
        let dead: Vec<ExprRef> = events
            .iter()
            .filter_map(|e| match e {
                Event::Trip {
                    site: id,
                    origin: Some(origin),
                    ..
                } if *id == site && !renewed(*origin) => Some(*origin),
                _ => None,
            })
            .collect();
        for origin in dead {
            let sites = self.units.kept.entry(origin).or_default();
            if !sites.contains(&site) && sites.len() < 16 {
                sites.push(site);
            }
        }
    }

    /// Whether these calls happen at all is a guess: nothing is said of loops around connections that no value shows.
    pub(super) fn forget_ambient(&mut self, mark: Mark) {
        let start = mark.0.min(self.log.len());
        let tail: Vec<Event> = self.log.drain(start..).collect();
        for event in tail {
            let ambient = match event {
                Event::Trip { site, .. } => {
                    let ty = self.out.sites.get(site).ty;
                    ty.and_then(|t| self.k.connection(t)) == Some(Connection::Ambient)
                }
                _ => false,
            };
            if !ambient {
                self.log.push(event);
            }
        }
    }

    /// What is called around each request has closed these: the next one opens them again.
    pub(super) fn note_closed_each(&mut self, mark: Mark) {
        let closed: Vec<ExprRef> = self
            .since(mark)
            .iter()
            .filter_map(|e| match e {
                Event::Revive(at, _) => *at,
                _ => None,
            })
            .collect();
        self.units.replaced.extend(closed);
    }

    /// An object was closed in the function that opened it: what is kept of it later was opened by something else.
    pub(super) fn note_closed(&mut self, origin: ExprRef) {
        let func = self.here().func;
        let Some(at) = self.units.places.get(&origin).copied() else {
            return;
        };
        let kept = self
            .units
            .kept
            .get(&origin)
            .is_some_and(|sites| sites.iter().any(|s| self.out.sites.get(*s).func == func));
        if self.site_func(at) == func && !kept {
            self.units.places.remove(&origin);
            self.units.closed.insert(at);
        }
    }

    /// An object was derived from a connection.
    pub(super) fn note_derived(&mut self, at: ExprRef, base: ExprRef) {
        self.units.bases.entry(at).or_insert(base);
        self.note(Event::Open(at));
    }

    /// A handle, or nothing, was stored.
    pub(super) fn note_store(&mut self, obj: ObjId, name: Symbol, value: Value) {
        if matches!(self.v.only(value), Some(Obj::None | Obj::Bool(Some(false)))) {
            self.note(Event::Clear(obj, name));
        } else if self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Handle(_) | Obj::Instance(..)))
        {
            for item in self.v.list(value) {
                if let Obj::Handle(handle) = self.v.get(item) {
                    let at = handle.derived.or(handle.origin);
                    if let Some(at) = at {
                        self.units.stores.entry(at).or_default().insert((obj, name));
                    }
                }
            }
            self.note(Event::Store(obj, name));
        }
    }

    /// What is stored here lives for one unit of work.
    pub(super) fn note_per_unit(&mut self, value: Value) {
        for obj in self.v.list(value) {
            if let Obj::Handle(handle) = self.v.get(obj) {
                let known = [handle.origin, handle.derived];
                self.units.per_unit.extend(known.into_iter().flatten());
            }
        }
    }

    /// All that was opened since a mark is opened for one unit.
    pub(super) fn openings_are_per_unit(&mut self, mark: Mark) {
        let opened: Vec<ExprRef> = self
            .since(mark)
            .iter()
            .filter_map(|e| match e {
                Event::Open(at) | Event::Cached(at) => Some(*at),
                _ => None,
            })
            .collect();
        self.units.per_unit.extend(opened);
    }

    /// Somebody reads a member of a connection: perhaps to see whether it lives.
    pub(super) fn note_look(&mut self, handle: &Handle, name: Symbol) {
        let spec = &self.k.ty(handle.ty).spec;
        if spec.connection == Some(Connection::Bare) {
            let sees = !spec.blind.iter().any(|b| b == name.as_str());
            self.note(Event::Look(handle.origin, sees));
        }
        if spec.tells_end.iter().any(|t| t == name.as_str()) {
            self.note(Event::AskedEnd);
        }
    }

    /// What a handler of lost connections did since the mark replaces what it opens.
    pub(super) fn note_recovery(&mut self, mark: Mark) {
        let events: Vec<Event> = self.since(mark).to_vec();
        self.recover(&events);
    }

    /// A loop goes on after a loss: what its body opened since the mark, whatever was there before, it opens again.
    pub(super) fn note_renewed(&mut self, mark: Mark) {
        let opened = self.opened_since(mark);
        self.units.replaced.extend(opened);
    }

    fn opened_since(&self, mark: Mark) -> Vec<ExprRef> {
        let opened = |event: &Event| match *event {
            Event::Open(at) => Some(at),
            _ => None,
        };
        self.since(mark).iter().filter_map(opened).collect()
    }

    fn recover(&mut self, events: &[Event]) {
        for event in events {
            match *event {
                Event::Open(at) | Event::Cached(at) => {
                    self.units.replaced.insert(at);
                }
                Event::Revive(Some(at), _) => {
                    self.units.replaced.insert(at);
                }
                Event::Revive(None, lib) => {
                    self.units.revived_libs.insert(lib);
                }
                Event::Store(obj, name) => {
                    self.units.refilled.insert((obj, name));
                }
                Event::Clear(obj, name) => {
                    self.units.cleared.insert((obj, name));
                }
                _ => {}
            }
        }
    }

    /// A branch of an `if` was evaluated: what it opens and stores is opened once, unless the condition looked at the
    /// connection's health. One that looks in a blind way can't replace anything.
    pub(super) fn note_branch(&mut self, test: Mark, branch: Mark, asked: &[(ObjId, Symbol)]) {
        let looks: Vec<bool> = self.log[test.0..branch.0.min(self.log.len())]
            .iter()
            .filter_map(|e| match e {
                Event::Look(_, sees) => Some(*sees),
                _ => None,
            })
            .collect();
        if looks.contains(&true) {
            self.note_recovery(branch);
            return;
        }
        if looks.contains(&false) {
            self.log.truncate_reviving(branch.0);
        }
        self.note_cached(branch, asked);
    }

    /// What was opened and stored since the mark is opened only if none is there, or if a flag (`self.connected`) says so.
    pub(super) fn note_cached(&mut self, mark: Mark, asked: &[(ObjId, Symbol)]) {
        let once = self.here().func.is_some_and(|f| {
            self.here()
                .module
                .func(f.func)
                .name
                .is_none_or(|n| !matches!(n.as_str(), "__init__" | "__enter__" | "__aenter__"))
        });
        let stores: Vec<(ObjId, Symbol)> = self
            .since(mark)
            .iter()
            .filter_map(|e| match e {
                Event::Store(obj, name) if !matches!(self.v.get(*obj), Obj::Scope(_)) => Some((*obj, *name)),
                _ => None,
            })
            .collect();
        if !once || stores.is_empty() {
            return;
        }
        let start = mark.0.min(self.log.len());
        let mut fresh: Vec<ExprRef> = Vec::new();
        for event in &mut self.log[start..] {
            // A call in the same branch, after the opening, is none on what an earlier unit has left there.
            if let Event::Trip {
                origin, under, derived, ..
            } = event
            {
                for at in [origin, under, derived] {
                    *at = at.filter(|at| !fresh.contains(at));
                }
            }
            let Event::Open(at) = *event else { continue };
            let Some(kept_in) = self.units.stores.get(&at) else {
                continue;
            };
            // `cls.instance = cls(); cls.instance.conn = connect()`: whichever of them is cleared, both are made again.
            if stores.iter().any(|s| kept_in.contains(s)) {
                *event = Event::Cached(at);
                fresh.push(at);
                let caches = self.units.caches.entry(at).or_default();
                caches.extend(&stores);
                caches.extend(asked);
            }
        }
    }

    /// What was opened since the mark is opened once, by a function whose result is kept.
    pub(super) fn cache_openings(&mut self, mark: Mark) {
        let start = mark.0.min(self.log.len());
        for event in &mut self.log[start..] {
            if let Event::Open(at) = *event {
                *event = Event::Cached(at);
            }
        }
    }

    /// A thread or task ends. What it was only handed belongs to the unit that started it.
    pub(super) fn end_spawned(&mut self, mark: Mark) {
        let handed: Vec<ExprRef> = self
            .since(mark)
            .iter()
            .filter_map(|e| match e {
                Event::Trip { origin: Some(at), .. } => Some(*at),
                _ => None,
            })
            .filter(|at| {
                // A local variable of a function, as opposed to one of a module or class.
                let is_local = |obj: ObjId| match self.v.get(obj) {
                    Obj::Scope(env) => self.is_function_scope(*env),
                    _ => false,
                };
                let stores = self.units.stores.get(at);
                stores.is_none_or(|s| s.iter().all(|(obj, _)| is_local(*obj)))
            })
            .collect();
        for at in handed {
            self.note(Event::Open(at));
        }
        self.end_unit(mark);
    }

    /// A `with` opened these: they live as long as its body.
    pub(super) fn note_scoped(&mut self, mark: Mark) {
        let opened = self.opened_since(mark);
        self.units.scoped.extend(opened);
    }

    /// A function of the project's own ends, whose callers are not known. What a `with` elsewhere opens and an object carries
    /// here is closed with that `with`: the function is called within it.
    pub(super) fn end_called_unit(&mut self, mark: Mark) {
        let kept = std::mem::take(&mut self.units.kept);
        self.end_unit(mark);
        let carried = std::mem::replace(&mut self.units.kept, kept);
        for (at, sites) in carried {
            self.units.carried.entry(at).or_default().extend(sites);
        }
    }

    /// A unit of work ends.
    pub(super) fn end_unit(&mut self, mark: Mark) {
        let mut opened = FxHashSet::default();
        let mut revived_libs = FxHashSet::default();
        for event in self.since(mark) {
            match event {
                Event::Open(at) | Event::Revive(Some(at), _) => {
                    opened.insert(*at);
                }
                Event::Revive(None, lib) => {
                    revived_libs.insert(*lib);
                }
                _ => {}
            }
        }
        let trips: Vec<Event> = self
            .since(mark)
            .iter()
            .filter(|e| matches!(e, Event::Trip { .. }))
            .copied()
            .collect();
        for trip in trips {
            let Event::Trip {
                site,
                origin,
                under,
                derived,
            } = trip
            else {
                continue;
            };
            // What is made from a connection that nothing is known of says nothing about another one.
            let derived = derived.filter(|_| origin.is_some());
            for at in [origin, under, derived].into_iter().flatten() {
                if !opened.contains(&at) {
                    let sites = self.units.kept.entry(at).or_default();
                    if !sites.contains(&site) && sites.len() < 16 {
                        sites.push(site);
                    }
                }
            }
        }
    }

    /// One pass of an endless loop ends; of a loop that what it finds may end, only these libraries' losses are survived.
    pub(super) fn end_pass(&mut self, mark: Mark, place: Place, only: Option<&[LibId]>) {
        self.end_unit(mark);
        let mut ambient: FxHashMap<LibId, Vec<SiteId>> = FxHashMap::default();
        let mut revived: FxHashSet<LibId> = FxHashSet::default();
        for event in self.since(mark) {
            match *event {
                Event::Trip { site, .. } => {
                    let site_data = self.out.sites.get(site);
                    let is_ambient = site_data
                        .ty
                        .is_some_and(|t| self.k.connection(t) == Some(Connection::Ambient));
                    if is_ambient {
                        ambient.entry(site_data.lib).or_default().push(site);
                    }
                }
                Event::Revive(_, lib) => {
                    revived.insert(lib);
                }
                _ => {}
            }
        }
        for (lib, sites) in ambient {
            if only.is_none_or(|o| o.contains(&lib))
                && !revived.contains(&lib)
                && !self.units.loops.iter().any(|(p, ..)| *p == place)
            {
                self.units.loops.push((place, lib, sites));
            }
        }
    }

    /// At the end of a round: which connections are kept and never replaced.
    pub(super) fn conclude(&mut self) {
        for (at, sites) in std::mem::take(&mut self.units.carried) {
            if !self.units.scoped.contains(&at) {
                let known = self.units.kept.entry(at).or_default();
                for site in sites {
                    if !known.contains(&site) && known.len() < 16 {
                        known.push(site);
                    }
                }
            }
        }
        let mut kept: Vec<(ExprRef, Vec<SiteId>)> =
            self.units.kept.iter().map(|(at, sites)| (*at, sites.clone())).collect();
        kept.sort_by_key(|(at, _)| *at);
        for (at, sites) in kept {
            let base = self.units.bases.get(&at).copied();
            // `with conn.cursor() as cur: report(cur)`: what `report` is handed lives as long as the block.
            if base.is_some() && self.units.scoped.contains(&at) && !sites.iter().any(|s| self.is_made_around(at, *s)) {
                continue;
            }
            self.out.outliving.insert(at);
            let opening = base.unwrap_or(at);
            let Some(&(kind, lib)) = self.units.kinds.get(&opening) else {
                continue;
            };
            if kind != Connection::Bare || self.is_replaced(at) || self.units.per_unit.contains(&opening) {
                continue;
            }
            let shown = self.units.places.get(&opening).copied().unwrap_or(opening);
            let place = self.place_of(shown);
            if let Some(known) = self.out.kept.iter_mut().find(|k| k.opening == Some(opening)) {
                // The connection itself is kept: that says more than what is made from it.
                known.derived = known.derived.filter(|_| base.is_some());
                for site in sites {
                    if !known.sites.contains(&site) {
                        known.sites.push(site);
                    }
                }
            } else {
                let derived = base.map(|_| at);
                self.out.kept.push(Kept {
                    opening: Some(opening),
                    lib,
                    place,
                    sites,
                    derived,
                });
            }
        }
        for (place, lib, sites) in std::mem::take(&mut self.units.loops) {
            if !self.units.revived_libs.contains(&lib) {
                self.out.kept.push(Kept {
                    opening: None,
                    lib,
                    place,
                    sites,
                    derived: None,
                });
            }
        }
        self.rust_conclude();
        self.out.kinds = self.units.kinds.iter().map(|(at, (kind, _))| (*at, *kind)).collect();
        self.conclude_settings();
        self.conclude_configured();
    }

    /// The function of a call site is the one in which the object was made.
    fn is_made_around(&mut self, made: ExprRef, site: SiteId) -> bool {
        let place = self.place_of(made);
        match self.out.sites.get(site).func {
            None => self.out.sites.get(site).place.unit == place.unit,
            Some(func) => {
                func.unit == place.unit
                    && self
                        .with_func(func, |f| f.span.contains(place.span))
                        .unwrap_or_default()
            }
        }
    }

    fn is_replaced(&self, at: ExprRef) -> bool {
        self.units.replaced.contains(&at)
            || self.units.per_unit.contains(&at)
            || self
                .units
                .stores
                .get(&at)
                .is_some_and(|keys| keys.iter().any(|k| self.units.refilled.contains(k)))
            || self
                .units
                .caches
                .get(&at)
                .is_some_and(|keys| keys.iter().any(|k| self.units.cleared.contains(k)))
    }
}

trait Reviving {
    fn truncate_reviving(&mut self, from: usize);
}

impl Reviving for Vec<Event> {
    /// Forgets what was opened or revived since a place, but not the rest.
    fn truncate_reviving(&mut self, from: usize) {
        let tail: Vec<Event> = self.drain(from.min(self.len())..).collect();
        self.extend(
            tail.into_iter()
                .filter(|e| !matches!(e, Event::Open(_) | Event::Revive(..))),
        );
    }
}
