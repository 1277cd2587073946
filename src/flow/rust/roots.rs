//! Where evaluation starts in Rust: `main`, tasks and threads, and functions that nothing of the program calls.
//!
//! An error that leaves `main` or a task has escaped. A function that nothing calls has a caller elsewhere, who sees in
//! its type that it fails; only the end of a worker's loop is a worker's end whoever called it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Interp;
use super::super::call::Args;
use super::super::flight::{Entry, Flight};
use super::paths::Holder;
use crate::core::{ExprId, ExprKind, FuncId, Language};
use crate::resolve::value::{EnvId, ExprRef, FuncRef, Obj, ObjId, UnitId, Value};

impl Interp<'_> {
    /// Reads the files to start with and evaluates what starts the program.
    pub(in crate::flow) fn rust_evaluate(&mut self) {
        for unit in self.world.seeds() {
            if !self.world.is_aside(unit) {
                self.rust_unit(unit);
            }
        }
        if self.rust.unit_list.is_empty() {
            return;
        }
        self.rust_enter_impls();
        for unit in self.rust.unit_list.clone() {
            self.rust_main(unit);
        }
        self.rust_all_statics();
        for unit in self.rust.unit_list.clone() {
            if !self.world.is_aside(unit) {
                self.rust_attributes(unit);
            }
        }
        self.rust_tasks();
        self.rust_uncalled();
        self.rust_tasks();
    }

    /// `fn main` at the root of a crate.
    fn rust_main(&mut self, unit: UnitId) {
        let Some(m) = self.world.module(unit) else { return };
        if self.world.is_aside(unit) || self.world.crate_root(unit) != unit {
            return;
        }
        let found = m.funcs.iter().position(|f| {
            f.name.is_some_and(|n| n.as_str() == "main")
                && f.parent.is_none()
                && f.class.is_none()
                && f.imp.is_none()
                && !f.is_test
        });
        let Some(index) = found else { return };
        let func = FuncRef {
            unit,
            func: FuncId(index as u32),
        };
        let env = self.env(super::super::EnvKey::Module(unit), None);
        let mark = self.rust_storage_mark();
        let flights = self.rust_start(func, env);
        self.rust_started(mark);
        for flight in flights {
            self.rust_escape(flight, &Entry::Function(func));
        }
    }

    /// Calls a function with unknown arguments and gives the errors in its result.
    fn rust_start(&mut self, func: FuncRef, env: EnvId) -> Vec<Flight> {
        let at = ExprRef {
            unit: func.unit,
            expr: ExprId::OUTSIDE,
        };
        let obj = self.v.obj(Obj::Func(func, env));
        let flights = self.rust_within(func.unit, Holder::File, |this, _| {
            let value = this.rust_call_obj(obj, &Args::default(), at);
            let value = this.rust_finished_once(value, at);
            this.rust_results(value)
        });
        let mut flights = flights.unwrap_or_default();
        for flight in &mut flights {
            // The call of the entry itself is no step of the path.
            flight.path = self.out.paths.without(flight.path, at);
        }
        flights
    }

    /// Awaits a coroutine, or iterates a generator; other values are results already.
    fn rust_finished_once(&mut self, value: Value, at: ExprRef) -> Value {
        let value = self.rust_await(value, at);
        let generators: Vec<ObjId> = self
            .v
            .list(value)
            .into_iter()
            .filter(|&o| matches!(self.v.get(o), Obj::Generator(..)))
            .collect();
        if generators.is_empty() {
            return value;
        }
        self.rust_iterate(value, at)
    }

    /// An error got away. Opening a connection is no call site unless it ends a worker.
    fn rust_escape(&mut self, flight: Flight, entry: &Entry) {
        if flight.making.is_some() || flight.marks.opening && flight.marks.worker.is_none() {
            return;
        }
        self.escape(flight, entry.clone());
    }

    /// Tasks and threads: what their errors meet if nobody looks at their result.
    fn rust_tasks(&mut self) {
        let mut done = 0;
        let mut seen: FxHashSet<(Value, ExprRef)> = FxHashSet::default();
        while done < self.spawned.len() {
            let (work, started, _) = self.spawned[done];
            done += 1;
            if self.language(started.unit) != Some(Language::Rust) || !seen.insert((work, started)) {
                continue;
            }
            self.rust.awaited.clear();
            let mark = self.rust_storage_mark();
            let flights = self.rust_within(started.unit, Holder::File, |this, _| {
                let value = this.rust_finished(work, started);
                let value = this.rust_finished_once(value, started);
                this.rust_results(value)
            });
            self.rust.awaited.clear();
            self.rust_task_ended(started, mark);
            for flight in flights.unwrap_or_default() {
                if !self.rust.answered.contains(&(started, flight.site)) || flight.marks.worker.is_some() {
                    self.rust_escape(flight, &Entry::Spawned(started));
                }
            }
        }
        self.spawned.retain(|(_, at, _)| {
            let rust = self.rust.units.contains_key(&at.unit);
            !rust
        });
    }

    pub(in crate::flow) fn language(&mut self, unit: UnitId) -> Option<Language> {
        self.world.module(unit).map(|m| m.language)
    }

    /// Functions and closures that nothing called so far: the framework's, a library's users', or nobody's.
    fn rust_uncalled(&mut self) {
        let mut waiting: Vec<FuncRef> = Vec::new();
        // Nothing in the other files leads to a connection, unless something of these calls it.
        for unit in self.rust.unit_list.clone() {
            if self.world.is_aside(unit) || !self.world.leads(unit) {
                continue;
            }
            let Some(m) = self.world.module(unit) else { continue };
            for (index, f) in m.funcs.iter().enumerate() {
                if !f.is_test && !f.declaration_only {
                    waiting.push(FuncRef {
                        unit,
                        func: FuncId(index as u32),
                    });
                }
            }
        }
        waiting.retain(|f| !self.called.contains(f));
        let references = self.references(&waiting);
        // First those whose name no other of them mentions: they call the rest.
        for pass in 0..3 {
            let mut names: FxHashMap<_, usize> = FxHashMap::default();
            for func in waiting.iter().filter(|f| !self.called.contains(f)) {
                for name in references.get(func).into_iter().flatten() {
                    *names.entry(*name).or_default() += 1;
                }
            }
            for func in waiting.clone() {
                if self.called.contains(&func) {
                    continue;
                }
                let (name, nested) = self
                    .with_func(func, |f| (f.name, f.parent.is_some()))
                    .unwrap_or((None, false));
                // A handler may have the name of the method that it calls.
                let mentioned = name.is_some_and(|n| {
                    let own = references.get(&func).is_some_and(|names| names.contains(&n));
                    names.get(&n).is_some_and(|count| *count > usize::from(own))
                });
                let ready = match pass {
                    0 => !mentioned && !nested,
                    1 => !nested,
                    _ => true,
                };
                if ready {
                    self.rust_start_uncalled(func);
                }
            }
            waiting.retain(|f| !self.called.contains(f));
        }
    }

    fn rust_start_uncalled(&mut self, func: FuncRef) {
        let named = self.with_func(func, |f| f.name.is_some()).unwrap_or(false);
        let envs = if named {
            vec![self.env(super::super::EnvKey::Module(func.unit), None)]
        } else {
            // A closure that was never made is in code that is not reached.
            self.closures.get(&func).cloned().unwrap_or_default()
        };
        for env in envs.into_iter().take(4) {
            let mark = self.rust_storage_mark();
            let flights = self.rust_start(func, env);
            let given = self.rust_given_over(func);
            let method = self
                .with_func(func, |f| f.params.first().is_some_and(|p| p.name.as_str() == "self"))
                .unwrap_or(false);
            self.rust_unit_ended(mark, &given, method);
            for flight in flights {
                if let Some(worker) = flight.marks.worker {
                    self.rust_escape(flight, &Entry::Worker(worker));
                }
            }
        }
    }

    /// Connections in parameters that nobody else has: objects handed over as they are, of types that are not cloned, and
    /// objects that borrow, which live no longer than what they are made for.
    fn rust_given_over(&mut self, func: FuncRef) -> FxHashSet<ExprRef> {
        let mut found = FxHashSet::default();
        let Some(module) = self.world.module(func.unit) else {
            return found;
        };
        let values = self.rust_bind_args(&module, func, &Args::default());
        let params = &module.func(func.func).params;
        for (param, value) in params.iter().zip(values) {
            let named = match param.annotation {
                Some(annotation) => {
                    let head = self.rust_within(func.unit, Holder::Func(func.func), |this, m| {
                        let borrowed = matches!(m.expr(annotation).kind, ExprKind::Same(_));
                        let head = this.rust_type_head(m, annotation);
                        if borrowed {
                            Value::UNKNOWN
                        } else {
                            this.rust_resolved(head)
                        }
                    });
                    head.and_then(|head| self.v.only(head).cloned())
                }
                // `self`, not `&self`.
                None if param.name.as_str() == "self"
                    && !self.text_between(func.unit, param.span, 80).starts_with('&') =>
                {
                    self.func_class.get(&func).map(|class| Obj::Class(*class))
                }
                None => None,
            };
            for obj in self.v.list(value) {
                let Obj::Instance(class, _) = *self.v.get(obj) else {
                    continue;
                };
                let borrows = self
                    .world
                    .module(class.unit)
                    .is_some_and(|m| m.class(class.class).borrows);
                if borrows || named == Some(Obj::Class(class)) && !self.rust_is_clone(class) {
                    let value = self.v.single(obj);
                    found.extend(self.rust_reachable(value).iter().filter_map(|h| h.origin));
                }
            }
        }
        found
    }
}
