//! What methods do with a `Result`: pass it on, handle it, panic, make another one.

use super::super::Interp;
use super::super::call::Args;
use super::super::flight::{Error, Flight, Stop};
use super::method::MethodCall;
use crate::knowledge::{OutcomeRole, SpecId};
use crate::resolve::value::{ExprRef, Obj, Value};

impl Interp<'_> {
    /// A method of the kind `result`.
    pub(super) fn rust_role_of(&mut self, spec: SpecId, value: Value, call: &MethodCall<'_>) -> Value {
        let Some(role) = self.k.call(spec).call.outcome else {
            let obj = self.v.objs(value)[0];
            return self.rust_apply(spec, Some(obj), Some(call), &call.args, call.at);
        };
        self.rust_role(role, value, &call.args, call.at, call.name.as_str())
    }

    pub(super) fn rust_role(&mut self, role: OutcomeRole, value: Value, args: &Args, at: ExprRef, name: &str) -> Value {
        let (inner, flights) = self.rust_split(value);
        let is_result = self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Outcome(..)));
        let again = |this: &mut Self, value: Value, flights: Vec<Flight>| {
            if is_result {
                this.rust_outcome(value, flights)
            } else {
                value
            }
        };
        let fault = self.rust_fault(flights.clone());
        match role {
            OutcomeRole::Pass => {
                self.rust_closure_at(args, 0, fault, at);
                value
            }
            OutcomeRole::Handle => {
                self.rust_handled(&flights, at, name);
                let mut result = inner;
                for index in 0..args.pos.len() {
                    let one = match self.rust_closure_at(args, index, fault, at) {
                        Some(value) => value,
                        None => args.pos[index],
                    };
                    if one != Value::UNKNOWN || result == Value::NOTHING {
                        result = self.v.join(result, one);
                    }
                }
                result
            }
            OutcomeRole::Panic => {
                self.rust_panics(&flights, at);
                if self.v.objs(inner).iter().any(|&o| *self.v.get(o) == Obj::None) && self.v.objs(inner).len() > 1 {
                    let some = self
                        .v
                        .list(inner)
                        .into_iter()
                        .filter(|&o| *self.v.get(o) != Obj::None)
                        .collect();
                    return self.v.set(some);
                }
                inner
            }
            OutcomeRole::Map => {
                let made = self.rust_closure_at(args, 0, inner, at);
                let result = match made {
                    Some(made) if made != Value::NONE && made != Value::NOTHING => made,
                    _ => inner,
                };
                again(self, result, flights)
            }
            OutcomeRole::MapError => {
                let made = self.rust_closure_at(args, 0, fault, at);
                let flights = match made {
                    Some(made) => self.rust_translated(flights, made),
                    None => flights,
                };
                again(self, inner, flights)
            }
            OutcomeRole::Then => {
                let made = self.rust_closure_at(args, 0, inner, at).unwrap_or(Value::UNKNOWN);
                let (result, more) = self.rust_split(made);
                let made_result = self
                    .v
                    .objs(made)
                    .iter()
                    .any(|&o| matches!(self.v.get(o), Obj::Outcome(..)));
                let all = flights.into_iter().chain(more).collect();
                if is_result || made_result {
                    self.rust_outcome(result, all)
                } else {
                    result
                }
            }
            OutcomeRole::Else => {
                let made = self.rust_closure_at(args, 0, fault, at).unwrap_or(Value::NOTHING);
                let (result, left) = self.rust_split(made);
                let again: Vec<_> = left.iter().map(|f| f.site).collect();
                let stopped: Vec<Flight> = flights.into_iter().filter(|f| !again.contains(&f.site)).collect();
                self.rust_handled(&stopped, at, name);
                let result = self.v.join(inner, result);
                if is_result {
                    self.rust_outcome(result, left)
                } else {
                    result
                }
            }
            OutcomeRole::Either => {
                self.rust_handled(&flights, at, name);
                let bad = self.rust_closure_at(args, 0, fault, at).unwrap_or(Value::UNKNOWN);
                let good = self.rust_closure_at(args, 1, inner, at).unwrap_or(Value::UNKNOWN);
                self.v.join(bad, good)
            }
            OutcomeRole::Flatten => {
                let (value, more) = self.rust_split(inner);
                again(self, value, flights.into_iter().chain(more).collect())
            }
            OutcomeRole::Error => {
                if flights.is_empty() {
                    return Value::UNKNOWN;
                }
                self.v.join(fault, Value::NONE)
            }
            OutcomeRole::Failed | OutcomeRole::Succeeded => {
                for index in 0..args.pos.len() {
                    let with = if role == OutcomeRole::Failed { fault } else { inner };
                    self.rust_closure_at(args, index, with, at);
                }
                if flights.is_empty() {
                    return self.v.one(Obj::Bool(None));
                }
                let asked: Vec<Flight> = flights.iter().filter(|f| f.marks.worker.is_none()).cloned().collect();
                self.rust_handled(&asked, at, name);
                let id = self.rust_outcome_id(flights);
                self.v.one(Obj::Tested(id, role == OutcomeRole::Failed))
            }
        }
    }

    /// Calls an argument if it is a closure or function. That it never returns does not end the caller.
    fn rust_closure_at(&mut self, args: &Args, index: usize, with: Value, at: ExprRef) -> Option<Value> {
        let closure = args.pos.get(index).copied()?;
        let callable = self.is_callable(closure)
            || self
                .v
                .objs(closure)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Variant(_, _, items) if items.is_empty()));
        if !callable {
            return None;
        }
        let dead = self.here().dead;
        let value = self.call(closure, &Args::positional(vec![with]), at);
        self.frame().dead = dead;
        Some(value)
    }

    fn rust_handled(&mut self, flights: &[Flight], at: ExprRef, name: &str) {
        if flights.is_empty() {
            return;
        }
        let place = self.place_of(at);
        let restarts = !self.here().loops.is_empty();
        self.rust_stop(
            flights,
            &Stop {
                place,
                what: format!(".{name}()"),
                retry: None,
                guard: None,
            },
            restarts,
        );
    }

    /// A panic on these errors.
    fn rust_panics(&mut self, flights: &[Flight], at: ExprRef) {
        let in_worker = self
            .frames
            .iter()
            .any(|f| f.loops.iter().any(|l| l.rust.worker.is_some()));
        let place = self.place_of(at);
        for flight in flights {
            if flight.making.is_some() || flight.marks.opening && !in_worker {
                continue;
            }
            self.out.sites.get_mut(flight.site).panics.get_or_insert(place);
            self.rust.answered_by_panic(flight);
            self.stop(
                flight,
                Stop {
                    place,
                    what: "a panic".into(),
                    retry: None,
                    guard: None,
                },
            );
        }
    }

    /// Errors after `map_err`: as what the closure made of them.
    fn rust_translated(&mut self, flights: Vec<Flight>, made: Value) -> Vec<Flight> {
        let kept = self.rust_fault_flights(made);
        if !kept.is_empty() {
            return kept;
        }
        match self.v.only(made).cloned() {
            Some(Obj::Variant(class, name, _)) => {
                let raised = self.v.obj(Obj::Variant(class, name, Vec::new()));
                flights
                    .into_iter()
                    .map(|flight| Flight {
                        error: Error::Raised(raised),
                        ..flight
                    })
                    .collect()
            }
            Some(Obj::External(path)) => {
                let raised = self.v.obj(Obj::External(path));
                flights
                    .into_iter()
                    .map(|flight| Flight {
                        error: Error::Raised(raised),
                        ..flight
                    })
                    .collect()
            }
            _ => flights,
        }
    }
}

impl super::Rust {
    /// A task's error that panics where it is joined was received there.
    fn answered_by_panic(&mut self, flight: &Flight) {
        if let Some(task) = flight.marks.task {
            self.answered.insert((task, flight.site));
        }
    }
}
