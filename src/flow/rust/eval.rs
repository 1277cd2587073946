//! Expressions.

use super::super::Interp;
use super::super::call::Args;
use crate::core::{ArgKind, ExprId, ExprKind, Module, Symbol};
use crate::knowledge::Consumes;
use crate::resolve::value::{ExprRef, Obj, Value};

impl Interp<'_> {
    pub(in crate::flow) fn rust_eval(&mut self, m: &Module, id: ExprId) -> Value {
        let at = self.expr_ref(id);
        match &m.expr(id).kind {
            ExprKind::Name(name) => {
                let value = self.rust_name(*name);
                self.rust_constant(value)
            }
            ExprKind::Attr {
                base, name, path: true, ..
            } => {
                let value = self.rust_path(m, *base, *name);
                self.rust_constant(value)
            }
            ExprKind::Attr { base, name, .. } => {
                let base = self.eval(m, *base);
                let base = self.rust_executed(base);
                self.rust_field(base, *name, at)
            }
            ExprKind::Call { callee, args } => self.rust_eval_call(m, at, *callee, args),
            ExprKind::Index { base, index } => {
                let value = self.eval(m, *base);
                let key = self.eval(m, *index);
                self.read_env_item(m, *base, value, key, at);
                self.rust_element(value, key, at)
            }
            ExprKind::Slice(parts) | ExprKind::Unknown(parts) => {
                for part in parts {
                    let value = self.eval(m, *part);
                    self.rust_dropped(value, at, false);
                }
                Value::UNKNOWN
            }
            ExprKind::Str(lit) => {
                let mut flights = Vec::new();
                for value in &lit.values {
                    let value = self.eval(m, *value);
                    flights.extend(self.rust_fault_flights(value));
                }
                if !flights.is_empty() {
                    return self.rust_fault(flights);
                }
                self.string(lit, at)
            }
            ExprKind::Tuple(items) => {
                let mut items: Vec<Value> = items.iter().map(|i| self.eval(m, *i)).collect();
                items.truncate(32);
                self.v.one(Obj::Tuple(items))
            }
            ExprKind::List(items) | ExprKind::Set(items) => self.rust_list(m, at, items),
            ExprKind::Lambda(func) => self.rust_closure(m, *func, at),
            ExprKind::Await(inner) => {
                let value = self.eval(m, *inner);
                self.rust_await(value, at)
            }
            ExprKind::Yield(inner) => {
                let value = inner.map_or(Value::NONE, |i| self.eval(m, i));
                let joined = self.v.join(self.here().yields, value);
                self.frame().yields = joined;
                Value::UNKNOWN
            }
            ExprKind::Star(inner) | ExprKind::Same(inner) => self.eval(m, *inner),
            ExprKind::And(parts) => self.rust_logic(m, parts, false),
            ExprKind::Or(parts) => self.rust_logic(m, parts, true),
            ExprKind::Not(inner) => {
                let value = self.eval(m, *inner);
                self.rust_negated(value)
            }
            ExprKind::Op { op, operands } => {
                let values: Vec<Value> = operands.iter().map(|o| self.eval(m, *o)).collect();
                self.rust_op(m, *op, &values)
            }
            ExprKind::Assign { target, value } => {
                let value = self.eval(m, *value);
                self.rust_assign(m, *target, value);
                Value::NONE
            }
            ExprKind::Propagate(inner) => {
                let value = self.eval(m, *inner);
                self.rust_propagate(value)
            }
            ExprKind::LetCond { pattern, value } => {
                let value = self.eval(m, *value);
                let value = self.rust_executed(value);
                self.rust_matches(m, pattern, value)
            }
            ExprKind::New { class, fields, rest } => self.rust_new(m, at, *class, fields, *rest),
            ExprKind::Select(arms) => self.rust_select(m, arms),
            ExprKind::Control(stmt) => self.rust_stmt_value(m, stmt),
            // Literals and dictionaries are the same in both languages.
            _ => self.eval_kind(m, id),
        }
    }

    /// `None` as a value.
    fn rust_constant(&self, value: Value) -> Value {
        match self.v.only(value) {
            Some(Obj::External(path)) if super::pattern::constructor(path.as_str()) == Some("None") => Value::NONE,
            _ => value,
        }
    }

    fn rust_list(&mut self, m: &Module, at: ExprRef, items: &[ExprId]) -> Value {
        let list = self.v.obj(Obj::List(at.into()));
        for (index, item) in items.iter().enumerate() {
            let value = self.eval(m, *item);
            let value = self.rust_stored(value);
            let key = if items.len() <= 16 {
                format!("[{index}]")
            } else {
                "*".to_owned()
            };
            self.heap_join((list, Symbol::new(&key)), value);
        }
        self.v.single(list)
    }

    /// `a && b`, `a || b`: the right side is evaluated in any case, for the calls in it.
    fn rust_logic(&mut self, m: &Module, parts: &[ExprId], or: bool) -> Value {
        let mut known = Some(!or);
        let mut tested = Value::NOTHING;
        let mut learned = Vec::new();
        for part in parts {
            let value = self.eval(m, *part);
            // The next part is looked at only if this one does not decide.
            let facts = self.rust_facts(m, *part, !or);
            learned.extend(self.rust_learn(&facts));
            if self
                .v
                .objs(value)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Tested(..)))
            {
                tested = if tested == Value::NOTHING {
                    value
                } else {
                    self.v.join(tested, value)
                };
            }
            let truth = self.v.truth(value);
            known = match (known, truth) {
                // One false decides `&&`, one true decides `||`.
                (Some(decided), _) if decided == or => Some(or),
                (_, Some(t)) if t == or => Some(or),
                (Some(_), Some(_)) => Some(!or),
                _ => None,
            };
        }
        self.rust_unlearn(learned);
        match known {
            Some(known) => self.v.one(Obj::Bool(Some(known))),
            None if tested != Value::NOTHING => tested,
            None => self.v.one(Obj::Bool(None)),
        }
    }

    pub(super) fn rust_negated(&mut self, value: Value) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = match *self.v.get(obj) {
                Obj::Bool(truth) => self.v.one(Obj::Bool(truth.map(|t| !t))),
                Obj::Tested(id, failed) => self.v.one(Obj::Tested(id, !failed)),
                _ => self.v.one(Obj::Bool(None)),
            };
            result = self.v.join(result, one);
        }
        result
    }

    fn rust_op(&mut self, m: &Module, op: Symbol, values: &[Value]) -> Value {
        let _ = m;
        match (op.as_str(), values) {
            ("==" | "!=", &[a, b]) => {
                let same = self.rust_same_fault(a, b).or_else(|| self.rust_same_constant(a, b));
                let truth = if op.as_str() == "!=" { same.map(|s| !s) } else { same };
                self.v.one(Obj::Bool(truth))
            }
            ("<" | ">" | "<=" | ">=", _) => self.v.one(Obj::Bool(None)),
            ("+", _) => {
                let flights: Vec<_> = values.iter().flat_map(|&v| self.rust_fault_flights(v)).collect();
                if !flights.is_empty() {
                    return self.rust_fault(flights);
                }
                let mut all = values[0];
                for &value in &values[1..] {
                    all = self.concat(all, value);
                }
                all
            }
            ("|" | "&", _) => self.join_all(values),
            ("-", &[a]) => match self.v.only(a) {
                Some(&Obj::Int(i)) => self.v.one(Obj::Int(i.wrapping_neg())),
                _ => self.v.one(Obj::Number),
            },
            _ => self.v.one(Obj::Number),
        }
    }

    /// Two known constants that do not depend on the configuration.
    #[allow(clippy::many_single_char_names)] // two of a kind
    fn rust_same_constant(&self, a: Value, b: Value) -> Option<bool> {
        match (self.v.only(a)?, self.v.only(b)?) {
            (Obj::Variant(x, n, _), Obj::Variant(y, k, _)) if x == y => Some(n == k),
            _ => None,
        }
    }

    /// An element of a container. Wrappers hold their elements themselves.
    pub(super) fn rust_element(&mut self, value: Value, key: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let one = self.v.single(obj);
            let one = match self.v.get(obj) {
                Obj::List(_) | Obj::Dict(_) | Obj::Record(..) => self.item(one, key, at, false),
                Obj::Tuple(items) if items.len() == 1 => items[0],
                Obj::Tuple(_) => self.item(one, key, at, false),
                Obj::Unknown => Value::UNKNOWN,
                _ => one,
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// What a loop over a value binds; a lazy object of a library makes its round trips here.
    pub(super) fn rust_iterate(&mut self, value: Value, at: ExprRef) -> Value {
        let value = self.rust_executed(value);
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            if let Obj::Handle(handle) = self.v.get(obj) {
                self.rust.endless_met += usize::from(self.k.ty(handle.ty).spec.endless);
            }
            let one = match self.v.get(obj).clone() {
                Obj::Handle(handle) if self.k.ty(handle.ty).spec.iterate.is_some() => {
                    let (element, flights) =
                        self.rust_captured(|this| this.iterate_handle(obj, &handle, at, Consumes::All));
                    self.rust_outcome(element, flights)
                }
                Obj::Handle(handle) => match &self.k.ty(handle.ty).spec.element {
                    Some(element) => {
                        let lib = self.k.ty(handle.ty).lib;
                        self.typed(element, lib, obj, None)
                    }
                    None => self.v.single(obj),
                },
                Obj::Generator(act, _) => self.rust_yields(act, at),
                Obj::List(_) => {
                    let value = self.entries(obj);
                    if value == Value::NOTHING { Value::UNKNOWN } else { value }
                }
                Obj::Tuple(items) => self.join_all(&items),
                Obj::Lazy(inner, _) => inner,
                Obj::Str(..) | Obj::Int(_) => Value::UNKNOWN,
                Obj::Outcome(inner, id) => {
                    // `for row in rows?` without the `?`: an `Option`, or a result taken as an iterator.
                    let element = self.rust_iterate(inner, at);
                    let flights = self.rust_flights(id).to_vec();
                    if flights.is_empty() {
                        element
                    } else {
                        self.rust_outcome(element, flights)
                    }
                }
                _ => self.v.single(obj),
            };
            result = self.v.join(result, one);
        }
        result
    }

    /// `Path { field: value, ..base }`.
    fn rust_new(
        &mut self,
        m: &Module,
        at: ExprRef,
        class: ExprId,
        fields: &[(Symbol, ExprId)],
        rest: Option<ExprId>,
    ) -> Value {
        let head = match &m.expr(class).kind {
            ExprKind::Name(name) => self.rust_item_named(*name),
            _ => self.rust_type_head(m, class),
        };
        let head = self.rust_resolved(head);
        let mut given = Vec::new();
        for (name, value) in fields {
            let value = self.eval(m, *value);
            given.push((*name, value));
        }
        let rest = rest.map(|rest| self.eval(m, rest));
        let mut result = Value::NOTHING;
        for obj in self.v.list(head) {
            let one = match self.v.get(obj).clone() {
                Obj::Class(class) => {
                    let made = self.rust_make(class, at);
                    for (name, value) in &given {
                        self.rust_init_field(made, *name, *value);
                    }
                    if let Some(rest) = rest {
                        self.rust_init_rest(class, made, rest, &given);
                    }
                    self.v.single(made)
                }
                Obj::Variant(class, name, _) => {
                    let values = self.rust_variant_fields(class, name, &given);
                    self.rust_variant(class, name, values)
                }
                Obj::External(path) => self.rust_new_outside(path, &given, fields, rest, at),
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        // An error type of the outside around an error of the driver's.
        if result == Value::UNKNOWN || result == Value::NOTHING {
            let flights: Vec<_> = given.iter().flat_map(|(_, v)| self.rust_fault_flights(*v)).collect();
            return self.rust_fault(flights);
        }
        result
    }

    fn rust_new_outside(
        &mut self,
        path: Symbol,
        given: &[(Symbol, Value)],
        fields: &[(Symbol, ExprId)],
        rest: Option<Value>,
        at: ExprRef,
    ) -> Value {
        match self.k.item(path) {
            Some(crate::knowledge::Item::Type(ty)) => {
                let places = fields.iter().map(|(_, value)| *value).collect();
                let args = Args {
                    kw: given.to_vec(),
                    places,
                    open: false,
                    ..Args::default()
                };
                let value = self.open(ty, &args, at);
                // What the base was given counts as well.
                match rest {
                    Some(rest) if !self.v.is_unknown(rest) => self.v.join(value, Value::NOTHING),
                    _ => value,
                }
            }
            _ => Value::UNKNOWN,
        }
    }

    /// Evaluates the arguments of a call.
    pub(super) fn rust_args(&mut self, m: &Module, args: &[crate::core::Arg]) -> Args {
        let mut evaluated = Args::default();
        let mut named = Vec::new();
        for arg in args {
            let value = self.eval(m, arg.value);
            if let ArgKind::Keyword(name) = arg.kind {
                evaluated.kw.push((name, value));
                named.push(arg.value);
            } else {
                evaluated.pos.push(value);
                evaluated.places.push(arg.value);
            }
        }
        evaluated.places.extend(named);
        evaluated
    }
}
