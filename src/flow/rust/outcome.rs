//! Results: values that carry errors.

use std::hash::BuildHasher;
use std::rc::Rc;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::super::Interp;
use super::super::flight::{Entry, Flight, Marks, SiteId, Stop};
use crate::resolve::value::{ExprRef, Handle, Obj, ObjId, OutcomeId, Value};

/// Values within values are searched this deep.
const MAX_DEPTH: usize = 5;
/// Ways of one error to one end that are told apart.
const MAX_WAYS: usize = 6;

impl Interp<'_> {
    pub(super) fn rust_outcome_id(&mut self, mut flights: Vec<Flight>) -> OutcomeId {
        let mut unique: Vec<Flight> = Vec::with_capacity(flights.len());
        // Found by their hash: there may be thousands behind one call of a trait object.
        let mut places: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        for flight in flights.drain(..) {
            let same = |f: &Flight| {
                f.site == flight.site
                    && f.error == flight.error
                    && f.notes == flight.notes
                    && f.created == flight.created
                    && f.making == flight.making
                    && f.marks == flight.marks
            };
            let hash = FxBuildHasher.hash_one((flight.site, &flight.error, &flight.notes, flight.created));
            let known = places.entry(hash).or_default();
            if let Some(index) = known.iter().copied().find(|index| same(&unique[*index])) {
                if self.out.paths.length(flight.path) < self.out.paths.length(unique[index].path) {
                    unique[index] = flight;
                }
            } else {
                known.push(unique.len());
                unique.push(flight);
            }
        }
        self.rust_thin_out(&mut unique);
        let key: Rc<[Flight]> = unique.into();
        if let Some(&id) = self.rust.outcome_ids.get(&key) {
            return id;
        }
        let id = OutcomeId(self.rust.outcomes.len() as u32);
        self.rust.outcomes.push(Rc::clone(&key));
        self.rust.outcome_ids.insert(key, id);
        id
    }

    /// Of the ways that one error has come to the same end those past the fewest guards: they are what is reported.
    fn rust_thin_out(&self, flights: &mut Vec<Flight>) {
        if flights.len() <= MAX_WAYS {
            return;
        }
        let mut ways: FxHashMap<(SiteId, Marks, bool), Vec<usize>> = FxHashMap::default();
        for (index, flight) in flights.iter().enumerate() {
            ways.entry((flight.site, flight.marks, flight.making.is_some()))
                .or_default()
                .push(index);
        }
        let mut gone: FxHashSet<usize> = FxHashSet::default();
        for indices in ways.values_mut().filter(|i| i.len() > MAX_WAYS) {
            indices.sort_by_key(|&i| (flights[i].notes.len(), self.out.paths.length(flights[i].path), i));
            gone.extend(&indices[MAX_WAYS..]);
        }
        if gone.is_empty() {
            return;
        }
        let mut index = 0;
        flights.retain(|_| {
            index += 1;
            !gone.contains(&(index - 1))
        });
    }

    pub(super) fn rust_flights(&self, id: OutcomeId) -> Rc<[Flight]> {
        Rc::clone(&self.rust.outcomes[id.0 as usize])
    }

    /// A `Result` with this value or one of these errors.
    pub(super) fn rust_outcome(&mut self, value: Value, flights: Vec<Flight>) -> Value {
        let id = self.rust_outcome_id(flights);
        self.v.one(Obj::Outcome(value, id))
    }

    /// An error value that stands for these.
    pub(super) fn rust_fault(&mut self, flights: Vec<Flight>) -> Value {
        if flights.is_empty() {
            return Value::UNKNOWN;
        }
        let id = self.rust_outcome_id(flights);
        self.v.one(Obj::Fault(id))
    }

    /// The value in a `Result` and the errors in its place. What is no `Result` is the value itself.
    pub(super) fn rust_split(&mut self, value: Value) -> (Value, Vec<Flight>) {
        if !self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Outcome(..)))
        {
            return (value, Vec::new());
        }
        let mut inner = Value::NOTHING;
        let mut flights = Vec::new();
        for obj in self.v.list(value) {
            if let Obj::Outcome(value, id) = *self.v.get(obj) {
                inner = self.v.join(inner, value);
                flights.extend(self.rust_flights(id).iter().cloned());
            } else {
                let one = self.v.single(obj);
                inner = self.v.join(inner, one);
            }
        }
        (inner, flights)
    }

    /// All errors in a value, at any depth.
    pub(super) fn rust_carried(&self, value: Value) -> Vec<Flight> {
        let mut found = Vec::new();
        let mut todo = vec![(value, 0)];
        while let Some((value, depth)) = todo.pop() {
            if !self.v.inside(value).errors {
                continue;
            }
            for &obj in self.v.objs(value) {
                match self.v.get(obj) {
                    Obj::Outcome(inner, id) => {
                        found.extend(self.rust.outcomes[id.0 as usize].iter().cloned());
                        if depth < MAX_DEPTH {
                            todo.push((*inner, depth + 1));
                        }
                    }
                    Obj::Fault(id) => found.extend(self.rust.outcomes[id.0 as usize].iter().cloned()),
                    Obj::Tuple(items) | Obj::Variant(_, _, items) if depth < MAX_DEPTH => {
                        todo.extend(items.iter().map(|&item| (item, depth + 1)));
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The errors of the results in a value: not those of bare error values, which nobody needs to look at.
    pub(super) fn rust_results(&self, value: Value) -> Vec<Flight> {
        let mut found = Vec::new();
        let mut todo = vec![(value, 0)];
        while let Some((value, depth)) = todo.pop() {
            if !self.v.inside(value).errors {
                continue;
            }
            for &obj in self.v.objs(value) {
                match self.v.get(obj) {
                    Obj::Outcome(inner, id) => {
                        found.extend(self.rust.outcomes[id.0 as usize].iter().cloned());
                        if depth < MAX_DEPTH {
                            todo.push((*inner, depth + 1));
                        }
                    }
                    Obj::Tuple(items) if depth < MAX_DEPTH => {
                        todo.extend(items.iter().map(|&item| (item, depth + 1)));
                    }
                    _ => {}
                }
            }
        }
        found
    }

    pub(in crate::flow) fn rust_carries(&self, value: Value) -> bool {
        self.v.inside(value).errors && !self.rust_carried(value).is_empty()
    }

    /// The value with its sets of errors changed, at any depth. An error value without errors left is unknown.
    pub(super) fn rust_map_flights(
        &mut self,
        value: Value,
        change: &mut dyn FnMut(&mut Self, Vec<Flight>) -> Vec<Flight>,
    ) -> Value {
        self.rust_map_flights_at(value, change, 0)
    }

    fn rust_map_flights_at(
        &mut self,
        value: Value,
        change: &mut dyn FnMut(&mut Self, Vec<Flight>) -> Vec<Flight>,
        depth: usize,
    ) -> Value {
        if depth > MAX_DEPTH || !self.v.inside(value).errors {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Outcome(inner, id) => {
                    let inner = self.rust_map_flights_at(inner, change, depth + 1);
                    let flights = self.rust_flights(id).to_vec();
                    let flights = change(self, flights);
                    self.rust_outcome(inner, flights)
                }
                Obj::Fault(id) => {
                    let flights = self.rust_flights(id).to_vec();
                    let flights = change(self, flights);
                    self.rust_fault(flights)
                }
                Obj::Tuple(items) => {
                    let items = items
                        .iter()
                        .map(|&i| self.rust_map_flights_at(i, change, depth + 1))
                        .collect();
                    self.v.one(Obj::Tuple(items))
                }
                Obj::Variant(class, name, items) => {
                    let items = items
                        .iter()
                        .map(|&i| self.rust_map_flights_at(i, change, depth + 1))
                        .collect();
                    self.v.one(Obj::Variant(class, name, items))
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// The value as it may be kept beyond this round: without errors, whose numbers are this round's.
    pub(in crate::flow) fn rust_stored(&mut self, value: Value) -> Value {
        self.rust_map_flights(value, &mut |_, _| Vec::new())
    }

    /// The value without the errors of these call sites.
    pub(super) fn rust_without(&mut self, value: Value, sites: &[SiteId]) -> Value {
        self.rust_map_flights(value, &mut |_, flights| {
            flights.into_iter().filter(|f| !sites.contains(&f.site)).collect()
        })
    }

    /// The value with each handle in it changed, also inside of results and tuples.
    pub(super) fn rust_map_handles(
        &mut self,
        value: Value,
        change: &mut dyn FnMut(&mut Self, Handle) -> Handle,
    ) -> Value {
        self.rust_map_handles_at(value, change, 0)
    }

    fn rust_map_handles_at(
        &mut self,
        value: Value,
        change: &mut dyn FnMut(&mut Self, Handle) -> Handle,
        depth: usize,
    ) -> Value {
        if depth > MAX_DEPTH || !self.v.inside(value).handles {
            return value;
        }
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match self.v.get(obj).clone() {
                Obj::Handle(handle) => {
                    let handle = change(self, handle);
                    self.v.one(Obj::Handle(handle))
                }
                Obj::Outcome(inner, id) => {
                    let inner = self.rust_map_handles_at(inner, change, depth + 1);
                    self.v.one(Obj::Outcome(inner, id))
                }
                Obj::Tuple(items) => {
                    let items = items
                        .iter()
                        .map(|&i| self.rust_map_handles_at(i, change, depth + 1))
                        .collect();
                    self.v.one(Obj::Tuple(items))
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// The handles in a value, also inside of results and tuples.
    pub(super) fn rust_handles(&self, value: Value) -> Vec<Handle> {
        let mut found = Vec::new();
        let mut todo = vec![(value, 0)];
        while let Some((value, depth)) = todo.pop() {
            if !self.v.inside(value).handles {
                continue;
            }
            for &obj in self.v.objs(value) {
                match self.v.get(obj) {
                    Obj::Handle(handle) => found.push(*handle),
                    Obj::Outcome(inner, _) if depth < MAX_DEPTH => todo.push((*inner, depth + 1)),
                    Obj::Tuple(items) | Obj::Variant(_, _, items) if depth < MAX_DEPTH => {
                        todo.extend(items.iter().map(|&item| (item, depth + 1)));
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// Runs something, and gives the errors that it emitted instead of letting them fly.
    pub(super) fn rust_captured<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> (T, Vec<Flight>) {
        let outer = std::mem::take(&mut self.frame().flights);
        let result = run(self);
        let flights = std::mem::replace(&mut self.frame().flights, outer);
        (result, flights)
    }

    /// `value?`: the errors leave the function, the value stays.
    pub(super) fn rust_propagate(&mut self, value: Value) -> Value {
        let value = self.rust_executed(value);
        let (inner, flights) = self.rust_split(value);
        self.rust.propagated += usize::from(!flights.is_empty());
        self.rust_leave(flights);
        let kept: Vec<ObjId> = self.v.list(inner);
        // `None?` leaves as well.
        let some: Vec<ObjId> = kept.iter().copied().filter(|&o| *self.v.get(o) != Obj::None).collect();
        if some.is_empty() { inner } else { self.v.set(some) }
    }

    /// Errors leave the function as its result.
    pub(super) fn rust_leave(&mut self, flights: Vec<Flight>) {
        if flights.is_empty() || self.here().dead {
            return;
        }
        let flights = self.rust_out_of_loops(flights);
        let retried = self.here().retried.clone();
        for flight in flights {
            if flight.making.is_none() && retried.contains(&flight.site) {
                continue;
            }
            self.rust_passing(flight.site);
            let known = self.here().flights.iter().position(|f| {
                f.site == flight.site
                    && Flight {
                        path: f.path,
                        ..flight.clone()
                    } == *f
            });
            match known {
                Some(index) => {
                    let old = self.here().flights[index].path;
                    if self.out.paths.length(flight.path) < self.out.paths.length(old) {
                        self.frame().flights[index] = flight;
                    }
                }
                None => self.frame().flights.push(flight),
            }
        }
    }

    /// Marks errors that end the worker's loop around this place.
    pub(super) fn rust_out_of_loops(&mut self, mut flights: Vec<Flight>) -> Vec<Flight> {
        if let Some(worker) = self.here().loops.iter().find_map(|l| l.rust.worker) {
            for flight in &mut flights {
                if flight.making.is_none() {
                    flight.marks.worker.get_or_insert(worker);
                    flight.ends_loop = true;
                }
            }
        }
        flights
    }

    /// An open arm's error leaves it.
    pub(super) fn rust_passing(&mut self, site: SiteId) {
        for arm in &mut self.frame().rust.arms {
            if arm.flights.iter().any(|f| f.site == site) {
                arm.passed.insert(site);
            }
        }
    }

    /// Somebody received these errors. One that ended a worker's loop is survived only if it is started again.
    pub(super) fn rust_stop(&mut self, flights: &[Flight], stop: &Stop, restarts: bool) {
        // A caller's endless loop calls the worker anew after this.
        let callers = self.frames.len().saturating_sub(1);
        let restarts = restarts
            || self.frames[..callers]
                .iter()
                .any(|f| f.loops.iter().any(|l| l.rust.endless));
        for flight in flights {
            if restarts && flight.marks.worker.is_some() {
                self.rust_restarted(flight.site);
            }
            if let Some(task) = flight.marks.task {
                self.rust.answered.insert((task, flight.site));
            }
            if flight.marks.opening && flight.making.is_none() && !restarts && flight.marks.worker.is_none() {
                continue;
            }
            match flight.marks.worker {
                Some(worker) if !restarts && flight.making.is_none() => {
                    self.escape(flight.clone(), Entry::Worker(worker));
                }
                _ => self.stop(flight, stop.clone()),
            }
        }
    }

    /// A value is dropped: errors in it are ignored. Those of a task, inside of the result of joining it, are overlooked.
    pub(super) fn rust_dropped(&mut self, value: Value, at: ExprRef, explicit: bool) {
        let value = self.rust_executed(value);
        let flights = if explicit {
            // `let _ = task.await`: the outer result is ignored, nobody looks into it.
            self.rust_split(value).1
        } else {
            self.rust_split(value)
                .1
                .into_iter()
                .filter(|f| f.marks.task.is_none())
                .collect()
        };
        if flights.is_empty() {
            return;
        }
        let place = self.place_of(at);
        self.rust_stop(
            &flights,
            &Stop {
                place,
                what: "the result is ignored".into(),
                retry: None,
                guard: None,
            },
            false,
        );
    }
}
