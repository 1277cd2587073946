//! Guards: which errors a `try`, a `with` or a library's retry takes out of the stream, and what becomes of them.

use super::flight::{Around, Error, Flight, Note, Place, Stop};
use super::{Frame, HandlerState, Interp, Raise};
use crate::core::{Block, ExprId, Handler, Module, Span, Stmt, Symbol};
use crate::knowledge::{LibId, Role};
use crate::resolve::value::{ActId, ClassRef, GuardId, Obj, ObjId, Value};

/// How much of an error a guard covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// All of it.
    Whole,
    /// Its classes could not be read.
    Unclear,
    /// Some of it.
    Part,
    /// Nothing, and a name in it only looks as if.
    Lookalike(String),
    /// Nothing.
    Nothing,
}

impl Interp<'_> {
    pub(super) fn exec_try(
        &mut self,
        m: &Module,
        stmt: &Stmt,
        body: &Block,
        handlers: &[Handler],
        otherwise: &Block,
        finally: &Block,
    ) {
        let outer = std::mem::take(&mut self.frame().flights);
        let before = self.save();
        let log = self.log_mark();
        self.exec_block(m, body);
        let raised = std::mem::replace(&mut self.frame().flights, outer);
        let after_body = self.save();

        // A handler starts anywhere in the body.
        let mut entry = before.clone();
        entry.dead = false;
        self.restore(entry);
        if !after_body.dead {
            self.merge(after_body.clone());
        }
        let at_handlers = self.save();

        let classes: Vec<Option<Value>> = handlers.iter().map(|h| h.class.map(|c| self.eval(m, c))).collect();
        let later: Vec<Error> = self.later_errors(&raised);
        let mut caught: Vec<Vec<Flight>> = vec![Vec::new(); handlers.len()];
        let mut passed = Vec::new();
        for flight in raised {
            self.sort_flight(m, handlers, &classes, flight, &mut caught, &mut passed);
        }

        // `else` runs after the body, outside of the handlers.
        self.restore(after_body);
        if !self.here().dead {
            self.exec_block(m, otherwise);
        }
        let mut ends = vec![self.save()];
        let mut retried = Vec::new();

        for (index, handler) in handlers.iter().enumerate() {
            self.restore(at_handlers.clone());
            let flights = std::mem::take(&mut caught[index]);
            if let Some(name) = handler.name {
                let bound = self.exception_value(&flights, classes[index]);
                self.set_var(name, bound);
            }
            let handler_log = self.log_mark();
            let losses = flights.iter().filter(|f| f.making.is_none()).map(|f| match f.error {
                Error::Loss(lib, ..) => Some(lib),
                _ => None,
            });
            let losses = losses.collect::<Option<Vec<_>>>().unwrap_or_default();
            let state = self.run_handler(m, &handler.body, handler.name, losses);
            let waited = self.waited_since(handler_log);
            // The calls after the first failure raise something else: who waits for that recovers too, only later.
            let recovers = |this: &mut Self, error: &Error| match classes[index] {
                None => true,
                Some(value) => this.covers(value, error) == Cover::Whole,
            };
            // So does one that names a loss around calls that no file describes (`conn._read_packet()`).
            let named = |this: &mut Self| classes[index].is_some_and(|c| this.names_loss(c));
            if flights.iter().any(|f| f.making.is_none()) || later.iter().any(|e| recovers(self, e)) || named(self) {
                self.note_recovery(handler_log);
            } else {
                self.note_cached(handler_log, &[]);
            }
            ends.push(self.save());
            let place = self.place(handler.span);
            let what = self.handler_text(handler.span);
            let retry = self.retry_at(m, stmt, index);
            if flights.is_empty() {
                // Raising here is an ordinary exception of the function, unless it answers an outer handler.
                if !state.completes && !body.0.is_empty() {
                    self.note_raises(&state.raises);
                }
                continue;
            }
            let for_others = state.misses && !state.completes;
            if let Some((place, found)) = retry.filter(|_| !state.unclear && !for_others) {
                let repeated: Vec<_> = flights.iter().filter(|f| !f.marks.try_again).cloned().collect();
                self.note_retry(place, &found, &repeated, log, waited);
                let end = self.log_mark();
                if !ends.last().is_some_and(|s| s.dead)
                    && let Some(around) = self.frame().loops.last_mut()
                {
                    around.retries.push((place, end));
                }
                let sites: Vec<_> = flights.iter().filter(|f| f.making.is_none()).map(|f| f.site).collect();
                retried.extend(sites);
            }
            if !for_others {
                let breaks = state.completes && !state.goes_on && !super::retry::returns(&handler.body);
                let open = self.here().loops.len();
                for (index, around) in self.frame().loops.iter_mut().enumerate() {
                    let goes_on = state.goes_on || breaks && index + 1 < open;
                    for flight in flights.iter().filter(|f| f.making.is_none()) {
                        *around.caught.entry(flight.site).or_default() |= goes_on;
                    }
                }
            }
            if state.goes_on {
                if !state.unclear {
                    self.note_resumed(place, &flights, log);
                }
                // The next round of the loop opens anew what this one has opened.
                if flights.iter().any(|f| f.making.is_none())
                    && let Some(Some(mark)) = self.here().loops.last().map(|l| l.log)
                {
                    self.note_renewed(mark);
                }
            }
            let retry = retry.map(|(place, _)| place);
            let stop = Stop {
                place,
                what,
                retry,
                guard: None,
            };
            if handler.name.is_some() && state.completes && retry.is_none() && self.here().loops.is_empty() {
                let kept = flights
                    .iter()
                    .filter(|f| f.making.is_none())
                    .map(|f| (f.clone(), place));
                let kept: Vec<_> = kept.collect();
                self.frame().kept.extend(kept);
            }
            if for_others && state.raises == [Raise::Same] {
                passed.extend(flights.into_iter().map(|flight| missed_by_test(flight, &stop)));
                continue;
            }
            self.settle(flights, &state.raises, state.completes, &stop);
        }
        let repeats = (0..handlers.len()).any(|index| self.retry_at(m, stmt, index).is_some());
        for flight in passed {
            if let (true, None, Some(note @ Note::Missed { .. })) = (repeats, flight.making, flight.notes.last()) {
                let missed = (flight.site, note.clone());
                self.frame().missed.push(missed);
            }
            self.emit(flight);
        }
        self.frame().retried.extend(retried);
        let first = ends.swap_remove(0);
        self.restore(first);
        for end in ends {
            self.merge(end);
        }
        let dead = self.here().dead;
        if !finally.0.is_empty() {
            self.frame().dead = false;
            let pending = std::mem::take(&mut self.frame().flights);
            self.exec_block(m, finally);
            let swallows = self.here().dead;
            if swallows {
                // `return` in `finally` drops whatever was raised.
                let place = self.place(stmt.span);
                for flight in pending {
                    self.stop(
                        &flight,
                        Stop {
                            place,
                            what: "finally".into(),
                            retry: None,
                            guard: None,
                        },
                    );
                }
            } else {
                for flight in pending {
                    self.emit(flight);
                }
            }
            self.frame().dead = dead || swallows;
        }
    }

    /// What later calls on the same dead connections raise.
    fn later_errors(&mut self, raised: &[Flight]) -> Vec<Error> {
        let mut found = Vec::new();
        for flight in raised.iter().filter(|f| f.making.is_none()) {
            let Error::Loss(lib, ..) = flight.error else { continue };
            let unit = self.here().unit;
            let release = self.assumed(unit, self.k.library(lib).driver).release;
            let then = self
                .k
                .loss_of(lib, None, 0, release)
                .map(|l| l.then.clone())
                .unwrap_or_default();
            if !then.is_empty() {
                let classes = then.iter().map(|c| self.k.canonical(c)).collect();
                let error = Error::Loss(lib, classes, true);
                if !found.contains(&error) {
                    found.push(error);
                }
            }
        }
        found
    }

    /// In a handler that is reached by no known error: remember what the function itself may raise.
    fn note_raises(&mut self, raises: &[Raise]) {
        let frame = self.frame();
        for raise in raises {
            if !frame.raises.contains(raise) && !matches!(raise, Raise::Same) {
                frame.raises.push(raise.clone());
            }
        }
    }

    /// Decides which handler an error goes to.
    fn sort_flight(
        &mut self,
        m: &Module,
        handlers: &[Handler],
        classes: &[Option<Value>],
        mut flight: Flight,
        caught: &mut [Vec<Flight>],
        passed: &mut Vec<Flight>,
    ) {
        if flight.making.is_some() && flight.around != Around::Unknown {
            passed.push(flight);
            return;
        }
        let mut best: Option<Note> = None;
        for (index, handler) in handlers.iter().enumerate() {
            let cover = match classes[index] {
                None => Cover::Whole,
                Some(value) if flight.marks.group && !handler.group => self.covers_group(value),
                Some(value) => self.covers(value, &flight.error),
            };
            match cover {
                Cover::Whole | Cover::Unclear => {
                    caught[index].push(flight);
                    return;
                }
                miss => {
                    if let Some(note) = self.miss_note(m, handler, classes[index], &flight, miss) {
                        best = Some(better_miss(best, note));
                    }
                }
            }
        }
        if let Some(note) = best {
            add_note(&mut flight, note);
        }
        passed.push(flight);
    }

    /// Whether the classes of a plain handler cover an exception group.
    fn covers_group(&mut self, value: Value) -> Cover {
        let classes = self.class_objects(value);
        let group = |this: &Self, class: ObjId| match this.v.get(class) {
            Obj::External(path) => path.as_str().ends_with("ExceptionGroup") || this.is_broad(class),
            _ => false,
        };
        if classes.iter().any(|&c| group(self, c)) {
            Cover::Whole
        } else {
            Cover::Nothing
        }
    }

    /// A note about a handler that does not cover, unless its classes have nothing to do with failing calls.
    fn miss_note(
        &mut self,
        m: &Module,
        handler: &Handler,
        class: Option<Value>,
        flight: &Flight,
        miss: Cover,
    ) -> Option<Note> {
        let value = class?;
        if flight.making.is_some() {
            return None;
        }
        let place = self.place(handler.span);
        let site = self.out.sites.get(flight.site).clone();
        let same_function = site.func == self.here().func && site.at.unit == self.here().unit;
        let near = same_function && self.is_ordinary(value) || self.names_library(value, site.driver, site.lib);
        let classes = handler.class.map_or_else(String::new, |c| self.source_text(m, c));
        let (part, lookalike) = match miss {
            Cover::Part => (true, None),
            Cover::Lookalike(why) => (false, Some(why)),
            _ => (false, None),
        };
        Some(Note::Missed {
            handler: place,
            classes,
            part,
            lookalike,
            near,
            about: self.names_connections(value),
        })
    }

    /// Some class of the handler is one that a failing call could raise at all: not `KeyboardInterrupt`, `ImportError`.
    fn is_ordinary(&mut self, value: Value) -> bool {
        self.class_objects(value).iter().any(|&o| match self.v.get(o) {
            Obj::External(path) => !matches!(
                path.as_str(),
                "KeyboardInterrupt"
                    | "SystemExit"
                    | "GeneratorExit"
                    | "StopIteration"
                    | "StopAsyncIteration"
                    | "ImportError"
                    | "ModuleNotFoundError"
            ),
            _ => true,
        })
    }

    /// Some class of the handler, or a base of one, is an error of a database library or of the system's connections.
    fn names_connections(&mut self, value: Value) -> bool {
        let k = self.k;
        let is_one = |path: Symbol| {
            let stores = |lib| matches!(k.library(lib).file.library.role, Role::Driver | Role::Layer);
            // A class that no file describes still belongs to its library.
            let first = path.as_str().split('.').next().unwrap_or_default();
            let of_import = || k.imported(Symbol::new(first)).iter().any(|&lib| stores(lib));
            k.is_subclass(path, Symbol::new("OSError"))
                || k.error_class(path).map_or_else(of_import, |(lib, _)| stores(lib))
        };
        self.class_objects(value).iter().any(|&o| match self.v.get(o).clone() {
            Obj::External(path) => is_one(path),
            Obj::Class(class) => {
                let outside = self.classes.get(&class).map(|c| c.outside.clone()).unwrap_or_default();
                outside.iter().any(|p| is_one(k.canonical(p.as_str())))
            }
            _ => false,
        })
    }

    /// Some class of the handler is one that a driver's file gives to a lost connection.
    fn names_loss(&mut self, value: Value) -> bool {
        let unit = self.here().unit;
        self.class_objects(value).iter().any(|&o| match *self.v.get(o) {
            Obj::External(path) => self.k.error_class(path).is_some_and(|(lib, _)| {
                let release = self.assumed(unit, self.k.library(lib).driver).release;
                self.k.loss(lib, release).contains(&path)
            }),
            _ => false,
        })
    }

    /// Some class of the handler belongs to the driver or the layer above it, or is a look-alike.
    fn names_library(&mut self, value: Value, driver: LibId, lib: LibId) -> bool {
        self.class_objects(value).iter().any(|&o| match self.v.get(o) {
            Obj::External(path) => {
                self.k.error_class(*path).is_some_and(|(l, _)| l == driver || l == lib)
                    || self.k.lookalike(*path, driver).is_some()
                    || self.k.lookalike(*path, lib).is_some()
            }
            _ => false,
        })
    }

    /// An error that an earlier handler of this body received and kept is raised after all.
    pub(super) fn raise_kept(&mut self, value: Value) {
        for (flight, handler) in self.here().kept.clone() {
            let own = self.exception_value(std::slice::from_ref(&flight), None);
            if !self.v.objs(own).iter().any(|o| self.v.objs(value).contains(o)) {
                continue;
            }
            let mut flight = flight;
            add_note(&mut flight, Note::Reraised { handler, raised: None });
            self.emit(flight);
        }
    }

    /// What becomes of errors that a handler received.
    pub(super) fn settle(&mut self, flights: Vec<Flight>, raises: &[Raise], completes: bool, stop: &Stop) {
        let answered = raises.iter().any(|r| matches!(r, Raise::Answer));
        for flight in flights {
            if completes || answered || stop.retry.is_some() || raises.is_empty() {
                self.stop(&flight, stop.clone());
                continue;
            }
            if flight.making.is_some() {
                // A handler that only raises again guards neither the making nor what comes of it.
                self.emit(flight);
                continue;
            }
            for raise in raises {
                let mut next = flight.clone();
                let raised = match raise {
                    Raise::Same | Raise::Answer => None,
                    Raise::Class(class) => {
                        next.error = Error::Raised(*class);
                        Some(self.class_name(*class))
                    }
                    Raise::Opaque => {
                        next.error = Error::Opaque;
                        Some("another error".into())
                    }
                };
                add_note(
                    &mut next,
                    Note::Reraised {
                        handler: stop.place,
                        raised,
                    },
                );
                self.emit(next);
            }
        }
    }

    /// The value that a handler's name is bound to.
    pub(super) fn exception_value(&mut self, flights: &[Flight], class: Option<Value>) -> Value {
        let mut objs = Vec::new();
        for flight in flights {
            match &flight.error {
                Error::Loss(_, classes, _) => {
                    for class in classes.clone() {
                        let class = self.v.obj(Obj::External(class));
                        objs.push(self.v.obj(Obj::Exception(class)));
                    }
                }
                Error::Raised(class) => objs.push(self.v.obj(Obj::Exception(*class))),
                Error::Opaque => objs.push(self.v.obj(Obj::Unknown)),
            }
        }
        if objs.is_empty() {
            for class in class.map(|c| self.class_objects(c)).unwrap_or_default() {
                objs.push(self.v.obj(Obj::Exception(class)));
            }
        }
        if objs.is_empty() {
            return Value::UNKNOWN;
        }
        self.v.set(objs)
    }

    /// The classes in a handler's expression: tuples and lists opened.
    pub(super) fn class_objects(&mut self, value: Value) -> Vec<ObjId> {
        let mut found = Vec::new();
        let mut todo = vec![(value, 0)];
        while let Some((value, depth)) = todo.pop() {
            let value = self.force(value);
            for obj in self.v.list(value) {
                match self.v.get(obj).clone() {
                    Obj::Tuple(items) if depth < 4 => todo.extend(items.iter().map(|&i| (i, depth + 1))),
                    Obj::List(_) if depth < 4 => {
                        let key = Symbol::new("*");
                        if let Some(items) = self.heap_get((obj, key)) {
                            todo.push((items, depth + 1));
                        }
                    }
                    _ => found.push(obj),
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How much of an error the classes of a handler cover.
    pub(super) fn covers(&mut self, value: Value, error: &Error) -> Cover {
        let classes = self.class_objects(value);
        if classes.is_empty() {
            return Cover::Unclear;
        }
        if classes.iter().any(|&c| self.is_unreadable(c)) {
            // One unreadable class among others: only if none of the others decides.
            let readable: Vec<ObjId> = classes.iter().copied().filter(|&c| !self.is_unreadable(c)).collect();
            return match self.covers_classes(&readable, error) {
                Cover::Whole => Cover::Whole,
                _ => Cover::Unclear,
            };
        }
        self.covers_classes(&classes, error)
    }

    fn is_unreadable(&self, class: ObjId) -> bool {
        !matches!(self.v.get(class), Obj::External(_) | Obj::Class(_))
    }

    pub(super) fn covers_classes(&mut self, classes: &[ObjId], error: &Error) -> Cover {
        match error {
            Error::Opaque => {
                let broad = classes
                    .iter()
                    .any(|&c| self.is_broad(c) || matches!(self.v.get(c), Obj::Class(_)));
                if broad { Cover::Whole } else { Cover::Nothing }
            }
            Error::Raised(raised) => {
                if classes.iter().any(|&c| self.is_subclass_obj(*raised, c)) {
                    Cover::Whole
                } else {
                    Cover::Nothing
                }
            }
            // Whatever the driver, and whether its file was read or not.
            Error::Loss(..) if classes.iter().any(|&c| self.is_broad(c)) => Cover::Whole,
            Error::Loss(lib, losses, any) => {
                let paths: Vec<Symbol> = classes
                    .iter()
                    .filter_map(|&c| match self.v.get(c) {
                        Obj::External(path) => Some(*path),
                        _ => None,
                    })
                    .collect();
                let unit = self.here().unit;
                let driver = self.k.library(*lib).driver;
                let release = self.assumed(unit, driver).release;
                let exists = |path: &Symbol| {
                    // The classes of another library come and go with its versions, not with these.
                    self.k.error_class(*path).is_none_or(|(own, class)| {
                        self.k.library(own).driver != driver
                            || crate::knowledge::matches(class.versions.as_deref(), release)
                    })
                };
                let covered = losses
                    .iter()
                    .filter(|&&l| paths.iter().any(|p| exists(p) && self.k.is_subclass(l, *p)))
                    .count();
                if covered > 0 && (covered == losses.len() || *any) {
                    return Cover::Whole;
                }
                for path in &paths {
                    let why = self
                        .k
                        .lookalike(*path, *lib)
                        .or_else(|| self.k.lookalike(*path, driver));
                    if let Some(why) = why {
                        return Cover::Lookalike(why.to_owned());
                    }
                    if !exists(path) {
                        let versions = self
                            .k
                            .error_class(*path)
                            .and_then(|(_, c)| c.versions.clone())
                            .unwrap_or_default();
                        let name = &self.k.library(driver).file.library.name;
                        return Cover::Lookalike(format!("it exists only in {name} {versions}"));
                    }
                }
                let part = covered > 0
                    || paths
                        .iter()
                        .any(|p| losses.iter().any(|&l| *p != l && self.k.is_subclass(*p, l)));
                if part { Cover::Part } else { Cover::Nothing }
            }
        }
    }

    /// `Exception`, `BaseException`.
    fn is_broad(&self, class: ObjId) -> bool {
        matches!(self.v.get(class), Obj::External(path) if matches!(path.as_str(), "Exception" | "BaseException"))
    }

    /// The source of an expression of the current module, on one line.
    pub(super) fn source_text(&mut self, m: &Module, expr: ExprId) -> String {
        let unit = self.here().unit;
        self.text_between(unit, m.expr(expr).span, 80)
    }

    pub(super) fn text_between(&mut self, unit: crate::resolve::value::UnitId, span: Span, limit: usize) -> String {
        let text = self.world.text(unit);
        let line = text
            .get(span.range())
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if line.chars().count() > limit {
            line.chars().take(limit - 3).collect::<String>() + "..."
        } else {
            line
        }
    }

    fn handler_text(&mut self, span: Span) -> String {
        let unit = self.here().unit;
        self.text_between(unit, span, 80).trim_end_matches(':').to_owned()
    }

    // `with`

    pub(super) fn exec_with(&mut self, m: &Module, items: &[(ExprId, Option<ExprId>)], body: &Block) {
        let Some(((expr, target), rest)) = items.split_first() else {
            self.exec_block(m, body);
            return;
        };
        let before = self.log_mark();
        let manager = self.eval(m, *expr);
        let at = self.expr_ref(*expr);
        let entered = self.enter(manager, at);
        self.note_scoped(before);
        if let Some(target) = target {
            self.assign(m, *target, entered);
        }
        let transaction = self.is_transaction(manager);
        self.frame().transactions += usize::from(transaction);
        let options = self.turned_on(manager);
        let before = self.here().turned_on.len();
        self.frame().turned_on.extend(options);
        let outer = std::mem::take(&mut self.frame().flights);
        let entered_before = self.here().entered.len();
        let mark = self.log_mark();
        let started = self.spawned.len();
        self.exec_with(m, rest, body);
        self.join_group(manager, started, at);
        let mut raised = std::mem::replace(&mut self.frame().flights, outer);
        self.frame().transactions -= usize::from(transaction);
        self.frame().turned_on.truncate(before);
        let dead = self.here().dead;
        self.frame().dead = false;
        let mark = self.guard_mark.replace(mark);
        let objs = self.v.list(manager);
        let entered = &mut self.frame().entered;
        let late = entered.split_off(entered_before.min(entered.len()));
        let (late, others) = late.into_iter().partition::<Vec<_>, _>(|(o, _)| objs.contains(o));
        self.frame().entered.extend(others);
        for (_, value) in late.into_iter().rev() {
            let transaction = usize::from(self.is_transaction(value));
            self.frame().transactions = self.here().transactions.saturating_sub(transaction);
            raised = self.leave(value, at, raised);
        }
        for flight in self.leave(manager, at, raised) {
            self.emit(flight);
        }
        self.guard_mark = mark;
        self.frame().dead = dead;
    }

    /// The errors of the tasks that were started in the body of a task group.
    fn join_group(&mut self, manager: Value, started: usize, at: crate::resolve::value::ExprRef) {
        let joins = self.v.objs(manager).iter().any(|&o| match self.v.get(o) {
            Obj::Handle(h) => self.k.ty(h.ty).spec.joins_tasks,
            _ => false,
        });
        if !joins {
            return;
        }
        let before = std::mem::take(&mut self.frame().flights);
        let mut tasks = self.spawned[started.min(self.spawned.len())..].to_vec();
        tasks.dedup();
        for (work, task, _) in tasks {
            self.joined.insert(task);
            self.join_running(work, at);
        }
        let mut raised = std::mem::replace(&mut self.frame().flights, before);
        for flight in &mut raised {
            flight.marks.group = true;
        }
        self.frame().flights.append(&mut raised);
    }

    fn turned_on(&self, manager: Value) -> Vec<String> {
        self.v
            .objs(manager)
            .iter()
            .filter_map(|&o| match self.v.get(o) {
                Obj::Handle(h) => self.k.ty(h.ty).spec.turns_on.as_ref().map(|t| t.to_ascii_lowercase()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn is_transaction(&mut self, manager: Value) -> bool {
        self.v.list(manager).iter().any(|&o| match self.v.get(o) {
            Obj::Handle(h) => self.k.ty(h.ty).spec.transaction,
            _ => false,
        })
    }

    /// Passes errors of the body through the managers that may be behind a value.
    pub(super) fn leave(
        &mut self,
        manager: Value,
        at: crate::resolve::value::ExprRef,
        raised: Vec<Flight>,
    ) -> Vec<Flight> {
        let objs = self.v.list(manager);
        let mut rest = raised;
        for obj in objs {
            rest = match self.v.get(obj).clone() {
                Obj::Guard(guard) => self.filter(rest, guard),
                Obj::Manager(act) => self.throw(act, rest),
                Obj::Instance(class, _) => self.leave_instance(obj, class, at, rest),
                Obj::Handle(handle) => {
                    if let Some(spec) = self.k.ty(handle.ty).on_exit {
                        self.apply(spec, Some(obj), &super::call::Args::default(), at);
                    }
                    match (self.k.ty(handle.ty).spec.attempt, handle.guard) {
                        (true, Some(guard)) => self.filter(rest, guard),
                        _ => rest,
                    }
                }
                _ => rest,
            };
        }
        rest
    }

    /// Runs a context manager's generator with the errors arriving at its `yield`, and gives what comes out.
    fn throw(&mut self, act: ActId, raised: Vec<Flight>) -> Vec<Flight> {
        // A manager that enters itself, as a patched method that keeps the original does, adds nothing to what it does already.
        if raised.is_empty() || self.frames.len() > super::MAX_DEPTH || self.throwing.contains(&act) {
            return raised;
        }
        let outer = std::mem::take(&mut self.frame().flights);
        self.throwing.push(act);
        let thrown = self.evaluate_thrown(act, raised);
        self.throwing.pop();
        self.frame().flights = outer;
        thrown.map(|frame| frame.flights).unwrap_or_default()
    }

    /// Asks a class's `__exit__` what it does with the errors.
    fn leave_instance(
        &mut self,
        obj: ObjId,
        class: ClassRef,
        at: crate::resolve::value::ExprRef,
        raised: Vec<Flight>,
    ) -> Vec<Flight> {
        let mut exit = Value::NOTHING;
        for name in ["__exit__", "__aexit__"] {
            let found = self.class_attr(class, obj, Symbol::new(name));
            exit = self.v.join(exit, found.unwrap_or(Value::NOTHING));
        }
        if exit == Value::NOTHING {
            return raised;
        }
        let mut groups: Vec<(Error, Vec<Flight>)> = Vec::new();
        for flight in raised {
            match groups.iter_mut().find(|(e, _)| *e == flight.error) {
                Some((_, list)) => list.push(flight),
                None => groups.push((flight.error.clone(), vec![flight])),
            }
        }
        let mut rest = Vec::new();
        for (_, flights) in groups {
            let exception = self.exception_value(&flights[..1], None);
            let kinds = self.exception_classes(exception);
            let args = super::call::Args::positional(vec![kinds, exception, Value::UNKNOWN]);
            // The result of a guarded body must be awaited for `__aexit__`; both forms give the value here.
            let frame_dead = self.here().dead;
            self.frame().handlers.push(HandlerState::default());
            let result = self.call(exit, &args, at);
            let result = self.await_value(result, at);
            let raises = self.frame().handlers.pop().expect("pushed above").raises;
            let dead = self.here().dead;
            self.frame().dead = frame_dead;
            let place = self.exit_place(exit).unwrap_or(Place {
                unit: at.unit,
                span: Span::default(),
            });
            let stop = Stop {
                place,
                what: format!("{}.__exit__", self.class_name_of(class)),
                retry: None,
                guard: None,
            };
            if dead && !raises.is_empty() {
                self.settle_into(flights, &raises, &stop, &mut rest);
            } else if self.v.truth(result) == Some(false) || result == Value::NOTHING {
                for mut flight in flights {
                    let note = Note::Reraised {
                        handler: place,
                        raised: None,
                    };
                    // A manager that has nothing to do with errors is no handler at all.
                    if self.exit_looks_at_errors(exit) {
                        add_note(&mut flight, note);
                    }
                    rest.push(flight);
                }
            } else {
                for flight in flights {
                    self.stop(&flight, stop.clone());
                }
            }
        }
        rest
    }

    fn settle_into(&mut self, flights: Vec<Flight>, raises: &[Raise], stop: &Stop, rest: &mut Vec<Flight>) {
        let outer = std::mem::take(&mut self.frame().flights);
        self.settle(flights, raises, false, stop);
        rest.append(&mut self.frame().flights);
        self.frame().flights = outer;
    }

    fn exit_place(&mut self, exit: Value) -> Option<Place> {
        let func = self.v.list(exit).into_iter().find_map(|o| self.function_of(o))?;
        let span = self.with_func(func, |f| f.name_span)?;
        Some(Place { unit: func.unit, span })
    }

    /// The `__exit__` reads its exception parameters.
    fn exit_looks_at_errors(&mut self, exit: Value) -> bool {
        let Some(func) = self.v.list(exit).into_iter().find_map(|o| self.function_of(o)) else {
            return false;
        };
        let Some(module) = self.world.module(func.unit) else {
            return false;
        };
        let f = module.func(func.func);
        let names: Vec<Symbol> = f.params.iter().skip(1).map(|p| p.name).collect();
        module
            .exprs
            .iter()
            .any(|e| f.span.contains(e.span) && matches!(&e.kind, crate::core::ExprKind::Name(n) if names.contains(n)))
    }

    fn exception_classes(&mut self, exception: Value) -> Value {
        let classes = self
            .v
            .list(exception)
            .into_iter()
            .map(|o| match self.v.get(o) {
                Obj::Exception(class) => *class,
                _ => o,
            })
            .collect();
        self.v.set(classes)
    }

    // Guards of libraries

    /// Takes out what a library's guard catches; the rest goes on.
    pub(super) fn filter(&mut self, flights: Vec<Flight>, id: GuardId) -> Vec<Flight> {
        let guard = self.out.guards[id.0 as usize].clone();
        let mut rest = Vec::new();
        for mut flight in flights {
            match self.guard_covers(&guard, &flight.error) {
                Cover::Whole | Cover::Unclear => {
                    let retry = guard.retries.then_some(guard.place);
                    if retry.is_some() {
                        self.note_guard_retry(&guard, &flight);
                    }
                    self.stop(
                        &flight,
                        Stop {
                            place: guard.place,
                            what: guard.name.clone(),
                            retry,
                            guard: Some(id),
                        },
                    );
                }
                miss => {
                    let (part, lookalike) = match miss {
                        Cover::Part => (true, None),
                        Cover::Lookalike(why) => (false, Some(why)),
                        _ => (false, None),
                    };
                    let classes = guard
                        .covers
                        .clone()
                        .unwrap_or_default()
                        .iter()
                        .map(|&c| self.class_name(c))
                        .collect::<Vec<_>>()
                        .join(", ");
                    let classes = if classes.is_empty() {
                        guard.name.clone()
                    } else {
                        classes
                    };
                    add_note(
                        &mut flight,
                        Note::Missed {
                            handler: guard.place,
                            classes,
                            part,
                            lookalike,
                            near: true,
                            about: true,
                        },
                    );
                    rest.push(flight);
                }
            }
        }
        rest
    }

    fn guard_covers(&mut self, guard: &super::Guard, error: &Error) -> Cover {
        if !guard.not.is_empty() && self.covers_classes(&guard.not.clone(), error) == Cover::Whole {
            return Cover::Nothing;
        }
        let mut cover = match &guard.covers {
            None => Cover::Whole,
            Some(classes) if classes.iter().any(|&c| self.is_unreadable(c)) => Cover::Unclear,
            Some(classes) => self.covers_classes(&classes.clone(), error),
        };
        if guard.predicates.is_empty() || matches!(cover, Cover::Whole if guard.covers.is_some()) {
            return cover;
        }
        let exception = match error {
            Error::Loss(_, losses, _) => {
                let class = losses.first().map(|&l| self.v.obj(Obj::External(l)));
                class.map_or(Value::UNKNOWN, |c| self.v.one(Obj::Exception(c)))
            }
            Error::Raised(class) => self.v.one(Obj::Exception(*class)),
            Error::Opaque => Value::UNKNOWN,
        };
        for &predicate in &guard.predicates.clone() {
            let at = crate::resolve::value::ExprRef {
                unit: guard.place.unit,
                expr: ExprId(0),
            };
            let outer = std::mem::take(&mut self.frame().flights);
            let result = self.call(predicate, &super::call::Args::positional(vec![exception]), at);
            self.frame().flights = outer;
            match self.v.truth(result) {
                Some(true) => return Cover::Whole,
                Some(false) => cover = Cover::Nothing,
                None => return Cover::Unclear,
            }
        }
        cover
    }

    /// The name of an exception class, for people.
    pub(super) fn class_name(&mut self, class: ObjId) -> String {
        match self.v.get(class).clone() {
            Obj::External(path) => path.as_str().rsplit('.').next().unwrap_or_default().to_owned(),
            Obj::Class(class) => self.class_name_of(class),
            Obj::Exception(class) => self.class_name(class),
            _ => "an unknown error".into(),
        }
    }

    pub(super) fn class_name_of(&mut self, class: ClassRef) -> String {
        self.world
            .module(class.unit)
            .map_or_else(String::new, |m| m.class(class.class).name.to_string())
    }

    /// Evaluates a context manager's generator with errors thrown in at `yield`.
    fn evaluate_thrown(&mut self, act: ActId, raised: Vec<Flight>) -> Option<Frame> {
        let frame = self.new_frame(act, Some(raised))?;
        let func = frame.func?;
        Some(self.run_body(frame, |this, m| this.exec_block(m, &m.func(func.func).body)))
    }
}

/// A handler for other kinds, by a test in its body, let it pass.
fn missed_by_test(mut flight: Flight, stop: &Stop) -> Flight {
    add_note(
        &mut flight,
        Note::Missed {
            handler: stop.place,
            classes: stop.what.clone(),
            part: false,
            lookalike: None,
            near: true,
            about: true,
        },
    );
    flight
}

fn add_note(flight: &mut Flight, note: Note) {
    if flight.notes.len() < 6 && !flight.notes.contains(&note) {
        flight.notes.push(note);
    }
}

/// Of two handlers of one `try` that miss, the one that is nearer to covering.
fn better_miss(old: Option<Note>, new: Note) -> Note {
    let rank = |note: &Note| match note {
        Note::Missed { lookalike: Some(_), .. } => 3,
        Note::Missed { part: true, .. } => 2,
        Note::Missed { near: true, .. } => 1,
        _ => 0,
    };
    match old {
        Some(old) if rank(&old) >= rank(&new) => old,
        _ => new,
    }
}
