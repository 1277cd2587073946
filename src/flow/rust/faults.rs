//! Questions about an error: is it a lost connection?
//!
//! A guard such as `Err(e) if e.is_io_error()` is evaluated as for a lost connection. Where the answer is certain, the
//! arm covers the error or misses it.

use super::super::Interp;
use super::super::call::Args;
use super::super::flight::{Error, Flight};
use crate::core::Symbol;
use crate::resolve::value::{Obj, OutcomeId, Value};

impl Interp<'_> {
    /// The errors of the error values in a value: taken as they are, or wrapped in variants of the program's enums.
    pub(super) fn rust_fault_flights(&mut self, value: Value) -> Vec<Flight> {
        let mut found = Vec::new();
        if !self.v.inside(value).faults {
            return found;
        }
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::Fault(id) => found.extend(self.rust_flights(id).iter().cloned()),
                Obj::Variant(class, name, items) => {
                    let mut inside = Vec::new();
                    for item in items {
                        inside.extend(self.rust_fault_flights(item));
                    }
                    if !inside.is_empty() {
                        let variant = self.v.obj(Obj::Variant(class, name, Vec::new()));
                        for flight in &mut inside {
                            flight.error = Error::Raised(variant);
                        }
                        found.extend(inside);
                    }
                }
                Obj::Tuple(items) => {
                    for item in items {
                        found.extend(self.rust_fault_flights(item));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// A path or text as one of the kinds of errors that stand for a lost connection. `None`: no kind at all, as far as
    /// is known.
    pub(super) fn rust_fault_is_kind(&mut self, id: OutcomeId, path: Symbol) -> Option<bool> {
        let flights = self.rust_flights(id);
        let mut result = None;
        for flight in flights.iter().filter(|f| f.making.is_none()) {
            let one = self.rust_is_kind(flight, path.as_str())?;
            if result.is_some_and(|r| r != one) {
                return None;
            }
            result = Some(one);
        }
        self.rust.decided += usize::from(result.is_some());
        result
    }

    fn rust_is_kind(&mut self, flight: &Flight, path: &str) -> Option<bool> {
        let site = self.out.sites.get(flight.site);
        let libs = [site.lib, site.driver];
        for lib in libs {
            let kinds = &self.k.library(lib).file.errors.kinds;
            if kinds
                .iter()
                .any(|kind| self.k.canonical(&kind.replace("::", ".")).as_str() == path || kind == path)
            {
                return Some(true);
            }
        }
        let first = Symbol::new(path.split('.').next().unwrap_or_default());
        let of_library = self.k.imported(first).iter().any(|lib| libs.contains(lib));
        // Of the driver, or a plain value: another kind. Of somebody else: who knows.
        (of_library || !path.contains('.') || first.as_str() == "std").then_some(false)
    }

    /// Compares an error, or a part of it, with a constant.
    pub(super) fn rust_same_fault(&mut self, a: Value, b: Value) -> Option<bool> {
        let fault_of = |this: &Self, value: Value| {
            this.v.objs(value).iter().find_map(|&o| match this.v.get(o) {
                Obj::Fault(id) => Some(*id),
                _ => None,
            })
        };
        let (id, other) = match (fault_of(self, a), fault_of(self, b)) {
            (Some(id), None) => (id, b),
            (None, Some(id)) => (id, a),
            _ => return None,
        };
        let mut result = None;
        for obj in self.v.list(other) {
            let one = match self.v.get(obj).clone() {
                Obj::External(path) => self.rust_fault_is_kind(id, path),
                Obj::Str(Some(text), _) => self.rust_fault_is_kind(id, text),
                Obj::Int(number) => self.rust_fault_is_kind(id, Symbol::new(&number.to_string())),
                Obj::None => continue,
                _ => None,
            }?;
            result = Some(result.unwrap_or(false) || one);
        }
        result
    }

    /// The driver's own question whether an error is a lost connection.
    pub(super) fn rust_is_predicate(&self, id: OutcomeId, name: Symbol) -> bool {
        let flights = self.rust_flights(id);
        let mut sites = flights
            .iter()
            .filter(|f| f.making.is_none())
            .map(|f| self.out.sites.get(f.site))
            .peekable();
        let known = |lib| {
            let predicates = &self.k.library(lib).file.errors.predicates;
            predicates.iter().any(|p| p == name.as_str())
        };
        sites.peek().is_some() && sites.all(|site| known(site.lib) || known(site.driver))
    }

    /// A method of an error: a question about it, or a part of it.
    pub(super) fn rust_fault_method(&mut self, id: OutcomeId, name: Symbol, args: &Args) -> Value {
        let this = self.v.one(Obj::Fault(id));
        let predicate = self.rust_is_predicate(id, name);
        if predicate && args.pos.is_empty() {
            self.rust.decided += 1;
            return self.v.one(Obj::Bool(Some(true)));
        }
        if let Some(&given) = args.pos.first() {
            if let Some(same) = self.rust_same_fault(this, given) {
                // `e.contains_label(RETRYABLE)`, `e.is(kind)`
                return self.v.one(Obj::Bool(Some(same)));
            }
            if predicate {
                return self.v.one(Obj::Bool(None));
            }
            if self.is_callable(given) {
                // `e.code().is_some_and(|c| c == ..)`, `e.and_then(|e| ..)`
                return self.call_closures(args, this);
            }
            if name.as_str().starts_with("contains") || name.as_str().ends_with("_with") {
                return self.v.one(Obj::Bool(None));
            }
            return this;
        }
        let asks = name.as_str().starts_with("is_") && !matches!(name.as_str(), "is_some" | "is_none" | "is_empty");
        if asks {
            self.rust.decided += 1;
            return self.v.one(Obj::Bool(Some(false)));
        }
        if name.as_str().starts_with("is_") {
            return self.v.one(Obj::Bool(None));
        }
        this
    }

    /// Calls the closures among the arguments with this value, and gives what they give.
    pub(super) fn call_closures(&mut self, args: &Args, with: Value) -> Value {
        let mut result = Value::NOTHING;
        for (index, &arg) in args.pos.iter().enumerate() {
            if !self.is_callable(arg) {
                continue;
            }
            let at = crate::resolve::value::ExprRef {
                unit: self.here().unit,
                expr: args.places.get(index).copied().unwrap_or(crate::core::ExprId(0)),
            };
            let one = self.call(arg, &Args::positional(vec![with]), at);
            result = self.v.join(result, one);
        }
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }
}
