//! `match`, `if let`, `let else`: where a value goes that may be an error, and what becomes of the error there.
//!
//! A value with errors in it is looked at once as a success and once per place that may have failed. Each of these goes
//! to the first way that takes it. A way that receives an error survives it, unless the error leaves it again: returned,
//! given as its value, or broken out with.

use rustc_hash::FxHashSet;

use super::super::flight::{Error, Flight, Note, SiteId, Stop};
use super::super::log::Event;
use super::super::{Interp, State};
use super::pattern::Match;
use super::{Arm, Handled};
use crate::core::{self, Block, ExprId, ExprKind, Module, Pattern, PatternKind, Span};
use crate::resolve::value::{Obj, Value};

/// More places that may have failed than this are taken together.
const MAX_FAILURES: usize = 6;

/// One of several ways that a value may take.
#[derive(Clone)]
pub(super) struct Way<'m> {
    /// What it takes; `None` takes the rest.
    pattern: Option<&'m Pattern>,
    /// Conditions, all of which must hold.
    guards: Vec<ExprId>,
    /// Taken if a condition about a result is so.
    failed: Option<bool>,
    span: Span,
}

impl<'m> Way<'m> {
    pub(super) fn of_arm(arm: &'m core::Arm) -> Self {
        Self {
            pattern: Some(&arm.pattern),
            guards: arm.guard.into_iter().collect(),
            failed: None,
            span: arm.pattern.span,
        }
    }

    pub(super) fn of_pattern(pattern: &'m Pattern) -> Self {
        Self {
            pattern: Some(pattern),
            guards: Vec::new(),
            failed: None,
            span: pattern.span,
        }
    }

    /// Whatever no other way took.
    pub(super) fn otherwise(span: Span) -> Self {
        Self {
            pattern: None,
            guards: Vec::new(),
            failed: None,
            span,
        }
    }

    /// Taken if the tested result failed, or if it did not.
    pub(super) fn tested(failed: bool, span: Span) -> Self {
        Self {
            pattern: None,
            guards: Vec::new(),
            failed: Some(failed),
            span,
        }
    }

    pub(super) fn with_guards(self, guards: Vec<ExprId>) -> Self {
        Self { guards, ..self }
    }
}

/// A value as it is if nothing failed, or if one thing did.
struct Case {
    value: Value,
    flights: Vec<Flight>,
    /// A way before that takes other errors only.
    missed: Option<Note>,
    /// A way before looked at the result that failed.
    looked: bool,
}

/// What happened on a way.
struct Outcome {
    state: State,
    value: Value,
    /// The arm, if it received errors.
    arm: Option<Arm>,
    /// A success takes this way.
    success: bool,
    /// Something waits on it.
    waited: bool,
}

impl Interp<'_> {
    pub(super) fn rust_branch(
        &mut self,
        m: &Module,
        subject: Value,
        of: Option<ExprId>,
        ways: &[Way<'_>],
        run: &mut dyn FnMut(&mut Self, usize) -> Value,
    ) -> Value {
        self.rust_branch_with(m, subject, of, ways, &mut |this, index, _| run(this, index))
    }

    /// Evaluates the ways that a value may take, and gives the value of all of them. `run` gets the part of the value
    /// that takes the way.
    pub(super) fn rust_branch_with(
        &mut self,
        m: &Module,
        subject: Value,
        of: Option<ExprId>,
        ways: &[Way<'_>],
        run: &mut dyn FnMut(&mut Self, usize, Value) -> Value,
    ) -> Value {
        if self.here().dead {
            return Value::NOTHING;
        }
        let subject = self.rust_executed(subject);
        let mut cases = self.rust_cases(subject);
        let mark = self.log_mark();
        let mut reached: Vec<Vec<(usize, Match)>> = vec![Vec::new(); ways.len()];
        for index in 0..cases.len() {
            self.rust_sort_case(m, &mut cases, index, ways, &mut reached);
        }
        let chosen = cases.len() == 1 && self.rust_is_chosen(m, subject, of);
        let looked_at = match of {
            Some(of) if cases.len() > 1 => self.rust_looks_at(m, of),
            _ => None,
        };
        let before = self.save();
        let mut outcomes = Vec::new();
        for (index, way) in ways.iter().enumerate() {
            self.restore(before.clone());
            if let Some(name) = looked_at
                && !reached[index].is_empty()
                && reached[index].iter().all(|(case, _)| *case == 0)
            {
                let sites: Vec<SiteId> = cases.iter().flat_map(|c| c.flights.iter().map(|f| f.site)).collect();
                self.rust_learn_way(name, &sites);
            }
            let mut value = Value::NOTHING;
            let mut caught: Vec<Flight> = Vec::new();
            let mut missed = None;
            let mut success = false;
            for (case, found) in &reached[index] {
                value = self.v.join(value, cases[*case].value);
                if let Some(note) = &cases[*case].missed {
                    self.rust_misses_for_outer(&cases[*case].flights, note);
                }
                if *case == 0 {
                    success = true;
                } else if found.opened || way.pattern.is_none() {
                    let looked = cases[*case].looked || way.pattern.is_some() || way.failed.is_some();
                    caught.extend(
                        cases[*case]
                            .flights
                            .iter()
                            .filter(|f| looked || f.marks.task.is_none())
                            .cloned(),
                    );
                    missed = missed.or_else(|| cases[*case].missed.clone());
                }
            }
            let unreached = reached[index].is_empty();
            if unreached && chosen {
                // The caller asks for another variant; who asks for this one has a call of its own.
                let flights = self.here().flights.len();
                self.rust_unreached(|this| {
                    this.rust_way(m, way, index, value, (Vec::new(), None), of, true, run);
                });
                self.frame().flights.truncate(flights);
                continue;
            }
            if unreached {
                value = self.rust_stored(subject);
                if cases.len() > 1 && cases[0].value == Value::NOTHING {
                    // For other errors than this one; there may be calls in it all the same.
                    self.rust_unreached(|this| {
                        this.rust_way(m, way, index, value, (Vec::new(), None), of, true, run);
                    });
                    continue;
                }
            }
            let outcome = self.rust_way(m, way, index, value, (caught, missed), of, unreached, run);
            outcomes.push((way.clone(), Outcome { success, ..outcome }));
        }
        self.restore(before);
        self.rust_settle(outcomes, mark)
    }

    /// The subject is a parameter for which the caller gives a variant of an enum.
    fn rust_is_chosen(&mut self, m: &Module, subject: Value, of: Option<ExprId>) -> bool {
        let Some(mut of) = of else { return false };
        while let ExprKind::Same(inner) = m.expr(of).kind {
            of = inner;
        }
        let (ExprKind::Name(name), Some(func)) = (&m.expr(of).kind, self.here().func) else {
            return false;
        };
        let params = &m.func(func.func).params;
        let is_given = name.as_str() != "self" && params.iter().any(|p| p.name == *name);
        let objs = self.v.objs(subject);
        is_given && !objs.is_empty() && objs.iter().all(|&o| matches!(self.v.get(o), Obj::Variant(..)))
    }

    /// `Err(e) => match e.kind() { A => .., _ => return Err(e) }`: the outer arm passes on what the inner one missed.
    fn rust_misses_for_outer(&mut self, flights: &[Flight], note: &Note) {
        let holds = |arm: &Arm| arm.flights.iter().any(|f| flights.iter().any(|c| c.site == f.site));
        for outer in self.frame().rust.arms.iter_mut().filter(|arm| holds(arm)) {
            outer.missed.get_or_insert_with(|| note.clone());
        }
    }

    /// The success first, then the failures.
    fn rust_cases(&mut self, subject: Value) -> Vec<Case> {
        let (success, failures) = self.rust_alternatives(subject, 0);
        let mut cases = vec![Case {
            value: success,
            flights: Vec::new(),
            missed: None,
            looked: false,
        }];
        for (value, flights) in failures {
            if cases.len() > MAX_FAILURES {
                let last = cases.len() - 1;
                cases[last].value = self.v.join(cases[last].value, value);
                cases[last].flights.extend(flights);
            } else {
                cases.push(Case {
                    value,
                    flights,
                    missed: None,
                    looked: false,
                });
            }
        }
        cases
    }

    fn rust_alternatives(&mut self, value: Value, depth: usize) -> (Value, Vec<(Value, Vec<Flight>)>) {
        let mut success = Value::NOTHING;
        let mut failures: Vec<(Value, Vec<Flight>)> = Vec::new();
        for obj in self.v.list(value) {
            let this = self.v.single(obj);
            let kept = match self.v.get(obj).clone() {
                Obj::Outcome(inner, id) => {
                    let flights = self.rust_flights(id).to_vec();
                    let (inside, more) = if depth < 4 {
                        self.rust_alternatives(inner, depth + 1)
                    } else {
                        (inner, Vec::new())
                    };
                    if !flights.is_empty() {
                        let failed = self.v.one(Obj::Outcome(Value::NOTHING, id));
                        failures.push((failed, flights));
                    }
                    for (value, flights) in more {
                        let failed = self.rust_outcome(value, Vec::new());
                        failures.push((failed, flights));
                    }
                    if inner == Value::NOTHING {
                        Value::NOTHING
                    } else {
                        self.rust_outcome(inside, Vec::new())
                    }
                }
                Obj::Fault(id) => {
                    failures.push((this, self.rust_flights(id).to_vec()));
                    Value::NOTHING
                }
                Obj::Variant(..) => {
                    let flights = self.rust_fault_flights(this);
                    if flights.is_empty() {
                        this
                    } else {
                        failures.push((this, flights));
                        Value::NOTHING
                    }
                }
                Obj::Tuple(items) if depth < 4 => {
                    let parts: Vec<_> = items.iter().map(|&i| self.rust_alternatives(i, depth + 1)).collect();
                    let good: Vec<Value> = parts.iter().map(|(s, _)| *s).collect();
                    for (index, (_, failed)) in parts.iter().enumerate() {
                        for (value, flights) in failed {
                            let mut items = good.clone();
                            items[index] = *value;
                            let tuple = self.v.one(Obj::Tuple(items));
                            failures.push((tuple, flights.clone()));
                        }
                    }
                    self.v.one(Obj::Tuple(good))
                }
                _ => this,
            };
            success = self.v.join(success, kept);
        }
        // The same failure by several objects is one.
        let mut merged: Vec<(Value, Vec<Flight>)> = Vec::new();
        for (value, flights) in failures {
            match merged.iter_mut().find(|(v, _)| *v == value) {
                Some((_, known)) => known.extend(flights),
                None => merged.push((value, flights)),
            }
        }
        (success, merged)
    }

    /// Finds the ways that a case may take.
    fn rust_sort_case(
        &mut self,
        m: &Module,
        cases: &mut [Case],
        index: usize,
        ways: &[Way<'_>],
        reached: &mut [Vec<(usize, Match)>],
    ) {
        let value = cases[index].value;
        if index == 0 && value == Value::NOTHING {
            return;
        }
        for (number, way) in ways.iter().enumerate() {
            let mut found = match (way.pattern, way.failed) {
                (Some(pattern), _) => self.rust_match(m, pattern, value),
                (None, Some(failed)) => Match {
                    certain: Some(failed == (index > 0)),
                    opened: true,
                },
                (None, None) => Match {
                    certain: Some(true),
                    opened: true,
                },
            };
            let mut tested = None;
            if !way.guards.is_empty() && found.certain != Some(false) {
                let truth = self.rust_guard(m, way, value);
                tested = if truth.is_some() {
                    way.guards.last().copied()
                } else {
                    None
                };
                found = match truth {
                    Some(true) => found,
                    Some(false) => Match {
                        certain: Some(false),
                        opened: true,
                    },
                    None => Match { certain: None, ..found },
                };
            }
            cases[index].looked |= found.opened && way.pattern.is_some();
            if found.certain == Some(false) {
                if index > 0 && (tested.is_some() || way.pattern.is_some_and(|p| names_kind(m, p))) && found.opened {
                    let span = tested.map_or(way.span, |guard| Span {
                        end: m.expr(guard).span.end,
                        ..way.span
                    });
                    let note = self.rust_missed(span);
                    cases[index].missed = Some(note.clone());
                    for flight in &mut cases[index].flights {
                        add_note(flight, note.clone());
                    }
                    let flights = cases[index].flights.clone();
                    cases[index].value = self.rust_renoted(value, &flights);
                    // Later ways see the value with its history.
                    return self.rust_sort_rest(m, cases, index, ways, number + 1, reached);
                }
                continue;
            }
            reached[number].push((index, found));
            if found.certain == Some(true) {
                return;
            }
        }
    }

    fn rust_sort_rest(
        &mut self,
        m: &Module,
        cases: &mut [Case],
        index: usize,
        ways: &[Way<'_>],
        from: usize,
        reached: &mut [Vec<(usize, Match)>],
    ) {
        let (_, rest) = reached.split_at_mut(from);
        self.rust_sort_case(m, cases, index, &ways[from..], rest);
    }

    /// The value with these errors in the place of those of the same call sites.
    fn rust_renoted(&mut self, value: Value, flights: &[Flight]) -> Value {
        self.rust_map_flights(value, &mut |_, old| {
            old.into_iter()
                .map(|f| {
                    flights
                        .iter()
                        .find(|n| n.site == f.site && n.making == f.making)
                        .cloned()
                        .unwrap_or(f)
                })
                .collect()
        })
    }

    /// Whether a guard holds for this value, if that can be told of an error.
    fn rust_guard(&mut self, m: &Module, way: &Way<'_>, value: Value) -> Option<bool> {
        let before = self.save();
        self.frame().rust.hidden.push(Vec::new());
        if let Some(pattern) = way.pattern {
            self.rust_bind(m, pattern, value);
        }
        let mut all = Some(true);
        for &guard in &way.guards {
            let decided = self.rust.decided;
            let (result, _) = self.rust_captured(|this| this.eval(m, guard));
            let truth = if self.rust.decided > decided {
                self.v.truth(result)
            } else {
                None
            };
            all = match (all, truth) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        self.frame().rust.hidden.pop();
        self.restore(before);
        all
    }

    /// Evaluates code that a lost connection does not lead to: for the calls in it alone.
    fn rust_unreached(&mut self, run: impl FnOnce(&mut Self)) {
        let before = self.save();
        let ret = self.here().ret;
        let arms = std::mem::take(&mut self.frame().rust.arms);
        let loops: Vec<_> = self
            .here()
            .loops
            .iter()
            .map(|l| (l.breaks.len(), l.continues.len(), l.rust.handled.len(), l.rust.value))
            .collect();
        run(self);
        let frame = self.frame();
        frame.rust.arms = arms;
        frame.ret = ret;
        for (around, (breaks, continues, handled, value)) in frame.loops.iter_mut().zip(loops) {
            around.breaks.truncate(breaks);
            around.continues.truncate(continues);
            around.rust.handled.truncate(handled);
            around.rust.value = value;
        }
        self.restore(before);
    }

    /// A note about a guard that misses the error.
    pub(super) fn rust_missed(&mut self, span: Span) -> Note {
        let unit = self.here().unit;
        let classes = self.text_between(unit, span, 80);
        let handler = self.place(span);
        Note::Missed {
            handler,
            classes,
            part: false,
            lookalike: None,
            near: true,
            about: true,
        }
    }

    /// Evaluates one way.
    #[allow(clippy::too_many_arguments)] // one way of one branch needs all of this
    fn rust_way(
        &mut self,
        m: &Module,
        way: &Way<'_>,
        index: usize,
        value: Value,
        (caught, missed): (Vec<Flight>, Option<Note>),
        of: Option<ExprId>,
        unreached: bool,
        run: &mut dyn FnMut(&mut Self, usize, Value) -> Value,
    ) -> Outcome {
        let mark = self.log_mark();
        let loops = self.here().loops.len();
        let has_arm = !caught.is_empty();
        // Code that only another error than a lost connection reaches replaces no connection after a loss.
        let is_error = way.pattern.is_some_and(|p| is_error_pattern(m, p)) || way.failed == Some(true);
        let log = self.rust_storage_mark();
        if has_arm {
            let arm = Arm {
                flights: caught,
                loops,
                completes: false,
                continues: false,
                passed: FxHashSet::default(),
                missed,
            };
            self.frame().rust.arms.push(arm);
        }
        self.frame().rust.hidden.push(Vec::new());
        if let Some(pattern) = way.pattern {
            self.rust_bind(m, pattern, value);
            if let Some(of) = of {
                self.rust_bound_from(m, pattern, of, value);
            }
            if is_none_pattern(m, pattern) {
                let text = of.map(|of| self.source_text(m, of)).unwrap_or_default();
                self.frame().rust.empty.push(text);
            }
        }
        for &guard in &way.guards {
            self.eval(m, guard);
            let facts = self.rust_facts(m, guard, true);
            self.rust_learn(&facts);
        }
        let result = run(self, index, value);
        if way.pattern.is_some_and(|p| is_none_pattern(m, p)) {
            self.frame().rust.empty.pop();
        }
        self.rust_end_names();
        let result = if self.here().dead { Value::NOTHING } else { result };
        let mut arm = if has_arm { self.frame().rust.arms.pop() } else { None };
        if let Some(arm) = &mut arm {
            let carried: Vec<SiteId> = self.rust_results(result).into_iter().map(|f| f.site).collect();
            if !self.here().dead {
                let all = arm.flights.iter().all(|f| carried.contains(&f.site));
                arm.completes |= !all;
                arm.continues |= !all;
            }
            for flight in &arm.flights {
                if carried.contains(&flight.site) {
                    arm.passed.insert(flight.site);
                }
            }
        }
        if has_arm || is_error && !unreached {
            self.rust_replaced_after_loss(log);
        } else if is_error {
            self.rust_forget_replaced(log);
        }
        let waited = self.waited_since(mark);
        let state = self.save();
        Outcome {
            state,
            value: result,
            arm,
            success: false,
            waited,
        }
    }

    /// Ends the names of the innermost block.
    fn rust_end_names(&mut self) {
        let env = self.here().env;
        for (name, old) in self.frame().rust.hidden.pop().unwrap_or_default().into_iter().rev() {
            let vars = &mut self.envs[env.0 as usize].vars;
            match old {
                Some(old) => vars.insert(name, old),
                None => vars.remove(&name),
            };
        }
    }

    /// Decides what became of the errors, and goes on with the state of all ways.
    fn rust_settle(&mut self, outcomes: Vec<(Way<'_>, Outcome)>, mark: super::super::log::Mark) -> Value {
        let success_leaves = !self.here().loops.is_empty()
            && outcomes.iter().any(|(_, o)| o.success)
            && outcomes.iter().filter(|(_, o)| o.success).all(|(_, o)| o.state.dead);
        // Some error arm ends the attempts.
        let gives_up = outcomes.iter().any(|(_, o)| {
            o.arm
                .as_ref()
                .is_some_and(|arm| !arm.passed.is_empty() || o.state.dead && !arm.continues)
        });
        let mut total = Value::NOTHING;
        let mut end: Option<State> = None;
        for (way, outcome) in outcomes {
            let mut value = outcome.value;
            if let Some(arm) = outcome.arm {
                let place = self.place(way.span);
                let what = self.rust_way_text(&way);
                let stop = Stop {
                    place,
                    what,
                    retry: None,
                    guard: None,
                };
                let in_loop = !self.here().loops.is_empty();
                if arm.completes {
                    let sites: Vec<SiteId> = arm.flights.iter().map(|f| f.site).collect();
                    // Some path survives the error: what the others do with it does not count.
                    self.rust_strip(&sites, &mut value, &arm.passed);
                    let restarts = in_loop && arm.continues;
                    if restarts {
                        self.note_resumed(place, &arm.flights, mark);
                    }
                    self.rust_stop(&arm.flights, &stop, restarts);
                    if restarts {
                        let handled = Handled {
                            gives_up,
                            flights: arm.flights,
                            stop,
                            success_leaves,
                            skips_rest: outcome.state.dead,
                            waited: outcome.waited,
                            mark,
                        };
                        if let Some(around) = self.frame().loops.last_mut() {
                            around.rust.handled.push(handled);
                        }
                    }
                } else {
                    let stopped: Vec<Flight> = arm
                        .flights
                        .iter()
                        .filter(|f| !arm.passed.contains(&f.site))
                        .cloned()
                        .collect();
                    self.rust_stop(&stopped, &stop, false);
                    self.rust_note_passed(&arm, place, &mut value);
                }
            }
            total = self.v.join(total, value);
            match end.take() {
                None => end = Some(outcome.state),
                Some(known) => {
                    self.restore(known);
                    self.merge(outcome.state);
                    end = Some(self.save());
                }
            }
        }
        if let Some(end) = end {
            self.restore(end);
        }
        if self.here().dead { Value::NOTHING } else { total }
    }

    /// Takes the errors of these sites out of everything that leaves the arm.
    fn rust_strip(&mut self, sites: &[SiteId], value: &mut Value, passed: &FxHashSet<SiteId>) {
        if passed.is_empty() {
            return;
        }
        *value = self.rust_without(*value, sites);
        self.rust_strip_frame(sites);
    }

    /// Takes the errors of these sites out of what leaves the function or its loops.
    pub(super) fn rust_strip_frame(&mut self, sites: &[SiteId]) {
        let gone = |f: &Flight| sites.contains(&f.site);
        self.frame().flights.retain(|f| !gone(f));
        let ret = self.here().ret;
        let ret = self.rust_without(ret, sites);
        self.frame().ret = ret;
        for index in 0..self.here().loops.len() {
            if let Some(value) = self.here().loops[index].rust.value {
                let value = self.rust_without(value, sites);
                self.frame().loops[index].rust.value = Some(value);
            }
        }
    }

    /// An arm that only passes an error on is a step on its way.
    fn rust_note_passed(&mut self, arm: &Arm, place: super::super::flight::Place, value: &mut Value) {
        let note = |flight: &Flight| match (&arm.missed, &flight.error) {
            (Some(missed), _) => missed.clone(),
            (None, Error::Raised(_)) => Note::Reraised {
                handler: place,
                raised: Some("another error".into()),
            },
            (None, _) => Note::Reraised {
                handler: place,
                raised: None,
            },
        };
        let passed = arm.passed.clone();
        let received: Vec<(SiteId, Vec<Note>)> = arm.flights.iter().map(|f| (f.site, f.notes.clone())).collect();
        let change = |flights: Vec<Flight>| {
            flights
                .into_iter()
                .map(|mut flight| {
                    let same = received
                        .iter()
                        .any(|(site, notes)| *site == flight.site && *notes == flight.notes);
                    if passed.contains(&flight.site) && same && flight.making.is_none() {
                        let note = note(&flight);
                        add_note(&mut flight, note);
                    }
                    flight
                })
                .collect::<Vec<_>>()
        };
        let flights = std::mem::take(&mut self.frame().flights);
        self.frame().flights = change(flights);
        *value = self.rust_map_flights(*value, &mut |_, flights| change(flights));
        let ret = self.here().ret;
        let ret = self.rust_map_flights(ret, &mut |_, flights| change(flights));
        self.frame().ret = ret;
        for index in 0..self.here().loops.len() {
            if let Some(broken) = self.here().loops[index].rust.value {
                let broken = self.rust_map_flights(broken, &mut |_, flights| change(flights));
                self.frame().loops[index].rust.value = Some(broken);
            }
        }
    }

    fn rust_way_text(&mut self, way: &Way<'_>) -> String {
        if way.pattern.is_none() {
            return "the other case of the result".into();
        }
        let unit = self.here().unit;
        self.text_between(unit, way.span, 60)
    }

    /// `if`: with patterns in its condition, with a question about a result or an error, or plain.
    pub(super) fn rust_if(&mut self, m: &Module, test: ExprId, then: &Block, otherwise: &Block) -> Value {
        let span = m.expr(test).span;
        if let Some((pattern, value, rest)) = let_condition(m, test) {
            let subject = self.eval(m, value);
            let ways = [Way::of_pattern(pattern).with_guards(rest), Way::otherwise(span)];
            return self.rust_branch(m, subject, Some(value), &ways, &mut |this, index| {
                this.rust_block(m, if index == 0 { then } else { otherwise })
            });
        }
        if let Some(holds) = constant(m, test) {
            // `if cfg!(test)`: the other block is not in the program.
            return self.rust_block(m, if holds { then } else { otherwise });
        }
        let decided = self.rust.decided;
        let value = self.eval(m, test);
        if let Some((id, failed)) = self.v.objs(value).iter().find_map(|&o| match self.v.get(o) {
            Obj::Tested(id, failed) => Some((*id, *failed)),
            _ => None,
        }) {
            let flights = self.rust_flights(id).to_vec();
            let subject = self.rust_outcome(Value::UNKNOWN, flights);
            let ways = [Way::tested(failed, span), Way::tested(!failed, span)];
            return self.rust_branch(m, subject, Some(test), &ways, &mut |this, index| {
                this.rust_block_if(m, (test, index == 0), if index == 0 { then } else { otherwise })
            });
        }
        let truth = if self.rust.decided > decided {
            self.v.truth(value)
        } else {
            None
        };
        if let Some(truth) = truth {
            if truth == is_negated(m, test) {
                let note = self.rust_missed(span);
                if let Some(arm) = self.frame().rust.arms.last_mut() {
                    arm.missed = Some(note);
                }
            }
            self.rust_unreached(|this| {
                this.rust_block(m, if truth { otherwise } else { then });
            });
            return self.rust_block(m, if truth { then } else { otherwise });
        }
        let checks = self.rust_empty_check(m, test);
        let before = self.save();
        if let Some((text, true)) = &checks {
            self.frame().rust.empty.push(text.clone());
        }
        let first = self.rust_block_if(m, (test, true), then);
        if matches!(checks, Some((_, true))) {
            self.frame().rust.empty.pop();
        }
        let left = self.here().dead;
        let after = self.rust_end_way(before);
        if let Some((text, false)) = &checks {
            self.frame().rust.empty.push(text.clone());
        }
        let second = self.rust_block_if(m, (test, false), otherwise);
        // `if slot.is_some() { return; }`: what follows finds it empty.
        if matches!(checks, Some((_, false))) && !left {
            self.frame().rust.empty.pop();
        }
        self.merge(after);
        self.v.join(first, second)
    }

    /// A block that is entered if a condition is so.
    fn rust_block_if(&mut self, m: &Module, (test, truth): (ExprId, bool), block: &Block) -> Value {
        let facts = self.rust_facts(m, test, truth);
        self.rust_learn(&facts);
        self.rust_block(m, block)
    }

    /// `x.is_none()`, `!x.is_some()`: the text of `x`, and whether it is empty if the condition holds.
    fn rust_empty_check(&mut self, m: &Module, test: ExprId) -> Option<(String, bool)> {
        match &m.expr(test).kind {
            ExprKind::Not(inner) => self.rust_empty_check(m, *inner).map(|(text, empty)| (text, !empty)),
            ExprKind::Same(inner) => self.rust_empty_check(m, *inner),
            ExprKind::Call { callee, args } if args.is_empty() => match m.expr(*callee).kind {
                ExprKind::Attr {
                    base,
                    name,
                    path: false,
                    ..
                } => match name.as_str() {
                    "is_none" => Some((self.source_text(m, base), true)),
                    "is_some" => Some((self.source_text(m, base), false)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// `select!`: any of the arms runs.
    pub(super) fn rust_select(&mut self, m: &Module, arms: &[core::SelectArm]) -> Value {
        let mut total = Value::NOTHING;
        let before = self.save();
        let mut end: Option<State> = None;
        self.note(Event::Wait);
        for arm in arms {
            self.restore(before.clone());
            let value = match arm.future {
                Some(future) => self.eval(m, future),
                None => Value::UNKNOWN,
            };
            if let Some(guard) = arm.guard {
                self.eval(m, guard);
            }
            let ways = [Way::of_pattern(&arm.pattern), Way::otherwise(arm.span)];
            let wild = matches!(arm.pattern.kind, PatternKind::Wild | PatternKind::Bind(_, None));
            let value = if wild {
                self.frame().rust.hidden.push(Vec::new());
                if matches!(arm.pattern.kind, PatternKind::Wild) {
                    if let Some(future) = arm.future {
                        let at = self.expr_ref(future);
                        self.rust_dropped(value, at, true);
                    }
                } else {
                    self.rust_bind(m, &arm.pattern, value);
                }
                let value = self.rust_block(m, &arm.body);
                self.rust_end_names();
                value
            } else {
                self.rust_branch(m, value, arm.future, &ways, &mut |this, index| {
                    if index == 0 {
                        this.rust_block(m, &arm.body)
                    } else {
                        Value::NOTHING
                    }
                })
            };
            total = self.v.join(total, value);
            let state = self.save();
            end = Some(match end {
                None => state,
                Some(known) => {
                    self.restore(known);
                    self.merge(state);
                    self.save()
                }
            });
        }
        if let Some(end) = end {
            self.restore(end);
        }
        total
    }
}

/// What a condition written as a constant is.
fn constant(m: &Module, test: ExprId) -> Option<bool> {
    match &m.expr(test).kind {
        ExprKind::Bool(value) => Some(*value),
        ExprKind::Not(inner) => constant(m, *inner).map(|value| !value),
        ExprKind::Same(inner) => constant(m, *inner),
        ExprKind::And(parts) => parts.iter().any(|&p| constant(m, p) == Some(false)).then_some(false),
        ExprKind::Or(parts) => parts.iter().any(|&p| constant(m, p) == Some(true)).then_some(true),
        _ => None,
    }
}

/// `!x`
fn is_negated(m: &Module, test: ExprId) -> bool {
    match &m.expr(test).kind {
        ExprKind::Not(inner) => !is_negated(m, *inner),
        ExprKind::Same(inner) => is_negated(m, *inner),
        _ => false,
    }
}

/// The pattern of a condition with `let`, what it takes apart, and the rest of the condition.
pub(super) fn let_condition(m: &Module, test: ExprId) -> Option<(&Pattern, ExprId, Vec<ExprId>)> {
    match &m.expr(test).kind {
        ExprKind::LetCond { pattern, value } => Some((pattern, *value, Vec::new())),
        ExprKind::Same(inner) => let_condition(m, *inner),
        ExprKind::And(parts) => {
            let index = parts
                .iter()
                .position(|&p| matches!(m.expr(p).kind, ExprKind::LetCond { .. }))?;
            let (pattern, value, _) = let_condition(m, parts[index])?;
            // The other conditions guard the way.
            let rest = parts
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != index)
                .map(|(_, p)| *p)
                .collect();
            Some((pattern, value, rest))
        }
        _ => None,
    }
}

/// A pattern that names a kind of error inside of `Err(..)`.
pub(super) fn names_kind(m: &Module, pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::TupleStruct(path, items) => match last_name(m, *path) {
            "Ok" | "Some" => items.iter().any(|i| names_kind(m, i)),
            "Err" => items
                .iter()
                .any(|i| !matches!(i.kind, PatternKind::Bind(_, None) | PatternKind::Wild)),
            _ => true,
        },
        PatternKind::Path(path) => !matches!(last_name(m, *path), "None"),
        PatternKind::Struct(..) | PatternKind::Literal(_) => true,
        PatternKind::Or(items) => items.iter().any(|i| names_kind(m, i)),
        PatternKind::Bind(_, Some(inner)) => names_kind(m, inner),
        _ => false,
    }
}

/// `Err(..)`, also inside of others.
pub(super) fn is_error_pattern(m: &Module, pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::TupleStruct(path, items) => {
            last_name(m, *path) == "Err" || items.iter().any(|i| is_error_pattern(m, i))
        }
        PatternKind::Or(items) | PatternKind::Tuple(items) => items.iter().any(|i| is_error_pattern(m, i)),
        PatternKind::Bind(_, Some(inner)) => is_error_pattern(m, inner),
        _ => false,
    }
}

fn is_none_pattern(m: &Module, pattern: &Pattern) -> bool {
    matches!(&pattern.kind, PatternKind::Path(path) if last_name(m, *path) == "None")
}

/// The last name of a path.
pub(super) fn last_name(m: &Module, path: ExprId) -> &'static str {
    match &m.expr(path).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => name.as_str(),
        _ => "",
    }
}

pub(super) fn add_note(flight: &mut Flight, note: Note) {
    if flight.notes.len() < 6 && !flight.notes.contains(&note) {
        flight.notes.push(note);
    }
}
