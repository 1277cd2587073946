//! Expressions.

use std::sync::Arc;

use super::call::Args;
use super::{EnvKey, EnvRead, Frame, Interp};
use crate::core::{
    ArgKind, Clause, CompKind, ExprId, ExprKind, Language, Module, ParamKind, PatternKind, StrLit, Symbol,
};
use crate::knowledge::{Consumes, Item};
use crate::resolve::value::{EnvId, ExprRef, FuncRef, Obj, Value};

/// Expressions evaluated within expressions, over all calls, before evaluation gives up.
const MAX_NESTING: usize = 4000;

impl Interp<'_> {
    pub(super) fn eval(&mut self, m: &Module, id: ExprId) -> Value {
        if self.depth >= MAX_NESTING {
            self.out.truncated = true;
            return Value::UNKNOWN;
        }
        self.depth += 1;
        let value = match m.language {
            Language::Python => self.eval_kind(m, id),
            Language::Rust => self.rust_eval(m, id),
        };
        self.depth -= 1;
        value
    }

    pub(super) fn eval_kind(&mut self, m: &Module, id: ExprId) -> Value {
        let expr = m.expr(id);
        let at = self.expr_ref(id);
        match &expr.kind {
            ExprKind::Name(name) => self.name(*name),
            ExprKind::Attr { base, name, .. } => {
                let base = self.eval(m, *base);
                let value = self.attr(base, *name, at);
                self.force(value)
            }
            ExprKind::Call { callee, args } => self.eval_call(m, at, *callee, args),
            ExprKind::Index { base, index } => {
                let base_value = self.eval(m, *base);
                let key = self.eval(m, *index);
                self.read_env_item(m, *base, base_value, key, at);
                let sliced = matches!(m.expr(*index).kind, ExprKind::Slice(_));
                self.item(base_value, key, at, sliced)
            }
            ExprKind::Slice(parts) | ExprKind::Unknown(parts) => {
                for part in parts {
                    self.eval(m, *part);
                }
                Value::UNKNOWN
            }
            ExprKind::Str(lit) => {
                for value in &lit.values {
                    self.eval(m, *value);
                }
                self.string(lit, at)
            }
            ExprKind::Int(i) => self.v.one(Obj::Int(*i)),
            ExprKind::Literal => self.v.one(Obj::Number),
            ExprKind::Bool(b) => self.v.one(Obj::Bool(Some(*b))),
            ExprKind::None => Value::NONE,
            ExprKind::Tuple(items) => {
                if items.iter().any(|i| matches!(m.expr(*i).kind, ExprKind::Star(_))) {
                    return self.collection(m, at, items);
                }
                let items: Vec<Value> = items.iter().map(|i| self.eval(m, *i)).collect();
                if items.len() > 32 {
                    let all = self.join_all(&items);
                    return self.v.one(Obj::Tuple(vec![all]));
                }
                self.v.one(Obj::Tuple(items))
            }
            ExprKind::List(items) | ExprKind::Set(items) => self.collection(m, at, items),
            ExprKind::Dict(entries) => {
                // Later entries take the place of earlier ones.
                let mut display: Vec<(Symbol, Value)> = Vec::new();
                for (key, value) in entries {
                    let key = key.map(|k| self.eval(m, k));
                    let value = self.eval(m, *value);
                    let more = match key {
                        Some(key) => vec![(self.item_name(key), value)],
                        None => self.spread_entries(value),
                    };
                    for (name, value) in more {
                        if name.as_str() != "*" {
                            display.retain(|(n, _)| *n != name);
                        }
                        display.push((name, value));
                    }
                }
                let dict = self.new_dict(at);
                for (name, value) in display {
                    self.heap_join((dict, name), value);
                }
                self.v.single(dict)
            }
            ExprKind::Comp { kind, clauses, element } => self.eval_comprehension(m, at, *kind, clauses, element),
            ExprKind::Lambda(func) => self.closure(m, *func),
            ExprKind::Await(inner) => {
                let value = self.eval(m, *inner);
                self.await_value(value, at)
            }
            ExprKind::Yield(inner) => {
                let value = inner.map_or(Value::NONE, |i| self.eval(m, i));
                let joined = self.v.join(self.here().yields, value);
                self.frame().yields = joined;
                if self.here().func.is_some_and(|f| self.coroutine_funcs.contains(&f)) {
                    return self.await_value(value, at);
                }
                if let Some(thrown) = self.here().thrown.clone() {
                    for flight in thrown {
                        self.emit(flight);
                    }
                }
                Value::UNKNOWN
            }
            ExprKind::YieldFrom(inner) => {
                let value = self.eval(m, *inner);
                let inner = self.expr_ref(*inner);
                let element = self.iterate(value, inner, Consumes::All);
                let joined = self.v.join(self.here().yields, element);
                self.frame().yields = joined;
                Value::UNKNOWN
            }
            ExprKind::Star(inner) | ExprKind::Same(inner) => self.eval(m, *inner),
            ExprKind::Cond { test, then, otherwise } => {
                self.eval(m, *test);
                let a = self.eval(m, *then);
                let b = self.eval(m, *otherwise);
                self.v.join(a, b)
            }
            ExprKind::And(parts) => {
                let mut result = Value::NOTHING;
                let mut known = Some(true);
                for part in parts {
                    let value = self.eval(m, *part);
                    known = match (known, self.v.truth(value)) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    };
                    result = value;
                }
                match known {
                    Some(false) => self.v.one(Obj::Bool(Some(false))),
                    _ => result,
                }
            }
            ExprKind::Or(parts) => {
                let mut result = Value::NOTHING;
                for part in parts {
                    let value = self.eval(m, *part);
                    let value = if self.v.only(value) == Some(&Obj::None) {
                        Value::NOTHING
                    } else {
                        value
                    };
                    result = self.v.join(result, value);
                }
                if result == Value::NOTHING { Value::NONE } else { result }
            }
            ExprKind::Not(inner) => {
                let value = self.eval(m, *inner);
                let truth = self.v.truth(value).map(|t| !t);
                self.v.one(Obj::Bool(truth))
            }
            ExprKind::Op { op, operands } => self.eval_op(m, at, *op, operands),
            ExprKind::Assign { target, value } => {
                let value = self.eval(m, *value);
                self.assign(m, *target, value);
                value
            }
            ExprKind::Propagate(inner) => self.eval(m, *inner),
            ExprKind::LetCond { pattern, value } => {
                let value = self.eval(m, *value);
                self.bind_pattern(m, pattern, value);
                self.v.one(Obj::Bool(None))
            }
            ExprKind::New { class, fields, rest } => {
                self.eval(m, *class);
                for (_, value) in fields {
                    self.eval(m, *value);
                }
                if let Some(rest) = rest {
                    self.eval(m, *rest);
                }
                Value::UNKNOWN
            }
            ExprKind::Select(_) => Value::UNKNOWN,
            ExprKind::Control(stmt) => {
                self.exec_block(m, &crate::core::Block(Vec::new()));
                let _ = stmt;
                Value::UNKNOWN
            }
        }
    }

    /// A string by its known parts.
    pub(super) fn string(&mut self, lit: &StrLit, at: ExprRef) -> Value {
        let text: String = lit.parts.iter().map(|p| p.as_deref().unwrap_or("\u{fffd}")).collect();
        if text.len() > 400 || text.is_empty() && !lit.values.is_empty() {
            return self.v.one(Obj::Str(None, None));
        }
        self.v
            .one(Obj::Str(Some(Symbol::new(&text)), env_literal(&text).then_some(at)))
    }

    fn collection(&mut self, m: &Module, at: ExprRef, items: &[ExprId]) -> Value {
        let list = self.new_list(at);
        let mut all = Value::NOTHING;
        for (index, item) in items.iter().enumerate() {
            let value = self.eval(m, *item);
            if matches!(m.expr(*item).kind, ExprKind::Star(_)) {
                let at = self.expr_ref(*item);
                let items = self.iterate(value, at, Consumes::All);
                all = self.v.join(all, items);
            } else if items.len() <= 16 {
                self.heap_join((list, Symbol::new(&format!("[{index}]"))), value);
            } else {
                all = self.v.join(all, value);
            }
        }
        self.heap_join((list, Symbol::new("*")), all);
        self.v.single(list)
    }

    #[allow(clippy::many_single_char_names)] // the operands
    fn eval_op(&mut self, m: &Module, at: ExprRef, op: Symbol, operands: &[ExprId]) -> Value {
        let values: Vec<Value> = operands.iter().map(|o| self.eval(m, *o)).collect();
        match (op.as_str(), &values[..]) {
            ("+", &[a, b]) => {
                let text = self.concat(a, b);
                if text != Value::UNKNOWN {
                    return text;
                }
                // Tuples of exception classes, lists of handles.
                match (self.v.only(a).cloned(), self.v.only(b).cloned()) {
                    (Some(Obj::Tuple(mut x)), Some(Obj::Tuple(y))) => {
                        x.extend(y);
                        self.v.one(Obj::Tuple(x))
                    }
                    _ => self.v.join(a, b),
                }
            }
            ("%", &[a, _]) => match self.v.text(a) {
                Some(text) => {
                    let text = blank_percent(text.as_str());
                    self.v.one(Obj::Str(Some(Symbol::new(&text)), None))
                }
                None => Value::UNKNOWN,
            },
            ("|" | "&", &[a, b]) => self.combine(op.as_str(), a, b),
            ("is" | "==" | "is not" | "!=", &[a, b]) => {
                let same = match (self.v.only(a), self.v.only(b)) {
                    (Some(Obj::None), Some(Obj::None)) => Some(true),
                    (Some(x), Some(Obj::None)) | (Some(Obj::None), Some(x)) if is_something(x) => Some(false),
                    (Some(Obj::Bool(Some(x))), Some(Obj::Bool(Some(y)))) => Some(x == y),
                    // Classes: `type(cursor) is Cursor`
                    (Some(Obj::External(x)), Some(Obj::External(y))) if self.is_type(*x) && self.is_type(*y) => {
                        Some(x == y)
                    }
                    _ => None,
                };
                let truth = if op.as_str().contains("not") || op.as_str() == "!=" {
                    same.map(|s| !s)
                } else {
                    same
                };
                self.v.one(Obj::Bool(truth))
            }
            ("in" | "not in", &[item, container]) => {
                self.truth_trip(container, at);
                let truth = self.is_member(item, container).map(|t| t == (op.as_str() == "in"));
                self.v.one(Obj::Bool(truth))
            }
            ("<" | ">" | "<=" | ">=", _) => self.v.one(Obj::Bool(None)),
            ("-" | "*" | "/" | "//" | "**", [a, ..]) => match self.v.only(*a) {
                Some(Obj::Int(i)) if values.len() == 1 && op.as_str() == "-" => {
                    let negative = Obj::Int(-*i);
                    self.v.one(negative)
                }
                Some(Obj::Int(_) | Obj::Number) => self.v.one(Obj::Number),
                _ => Value::UNKNOWN,
            },
            _ => Value::UNKNOWN,
        }
    }

    fn is_type(&self, path: Symbol) -> bool {
        matches!(self.k.item(path), Some(crate::knowledge::Item::Type(_)))
    }

    /// Whether a known text is in a display of known texts.
    fn is_member(&mut self, item: Value, container: Value) -> Option<bool> {
        let text = self.v.text(item)?;
        let items = match self.v.only(container)?.clone() {
            Obj::Tuple(items) => items,
            Obj::List(_) => {
                let list = self.v.objs(container)[0];
                self.heap_of(list)
                    .map(|(_, v)| v)
                    .filter(|v| *v != Value::NOTHING)
                    .collect()
            }
            Obj::Dict(_) => {
                let dict = self.v.objs(container)[0];
                let open = self.heap_of(dict).any(|(name, _)| !name.as_str().starts_with('['));
                return (!open).then(|| self.keys(dict).contains(&text));
            }
            _ => return None,
        };
        let texts: Option<Vec<Symbol>> = items.iter().map(|i| self.v.text(*i)).collect();
        Some(texts?.contains(&text))
    }

    /// Joined strings; unknown if neither is one.
    pub(super) fn concat(&mut self, a: Value, b: Value) -> Value {
        let (left, right) = (self.piece(a), self.piece(b));
        match (left, right) {
            (None, None) => Value::UNKNOWN,
            (left, right) => {
                let text = format!(
                    "{}{}",
                    left.as_deref().unwrap_or("\u{fffd}"),
                    right.as_deref().unwrap_or("\u{fffd}")
                );
                if text.len() > 400 {
                    return self.v.one(Obj::Str(None, None));
                }
                self.v.one(Obj::Str(Some(Symbol::new(&text)), None))
            }
        }
    }

    fn piece(&self, value: Value) -> Option<String> {
        match self.v.only(value) {
            Some(Obj::Str(Some(text), _)) => Some(text.as_str().to_owned()),
            Some(Obj::Str(None, _)) => Some("\u{fffd}".into()),
            _ => None,
        }
    }

    fn eval_call(&mut self, m: &Module, at: ExprRef, callee: ExprId, args: &[crate::core::Arg]) -> Value {
        let callee_value = self.eval(m, callee);
        let mut evaluated = Args::default();
        let mut named_places = Vec::new();
        for arg in args {
            let value = self.eval(m, arg.value);
            match arg.kind {
                ArgKind::Positional => {
                    if evaluated.more.is_none() {
                        evaluated.pos.push(value);
                        evaluated.places.push(arg.value);
                    }
                }
                ArgKind::Keyword(name) => {
                    evaluated.kw.push((name, value));
                    named_places.push(arg.value);
                }
                ArgKind::Star => self.spread(&mut evaluated, value, self.expr_ref(arg.value)),
                ArgKind::DoubleStar => self.spread_named(&mut evaluated, value, &mut named_places, arg.value),
            }
        }
        let missing = evaluated.pos.len() - evaluated.places.len();
        evaluated.places.extend(std::iter::repeat_n(callee, missing));
        evaluated.places.extend(named_places);
        self.note_settings_of_call(m, callee, &evaluated);
        if let ExprKind::Attr { base, name, .. } = &m.expr(callee).kind {
            self.change_named(m, *base, *name, &evaluated);
        }
        self.read_env_call(m, callee, callee_value, &evaluated, at);
        if self.v.is_unknown(callee_value)
            && let ExprKind::Attr { name, .. } = m.expr(callee).kind
        {
            // `super().__new__(cls)` makes the object.
            if name.as_str() == "__new__"
                && let Some(&first) = evaluated.pos.first()
                && let Some(Obj::Class(class)) = self.v.only(first)
            {
                return self.v.one(Obj::Instance(*class, None));
            }
            if self.is_told(m, callee) {
                return self.call(Value::UNKNOWN, &evaluated, at);
            }
            return self.call_by_name(name, &evaluated, at);
        }
        self.call(callee_value, &evaluated, at)
    }

    /// `kwargs.setdefault("name", value)`, `kwargs.update(name=value)`.
    fn change_named(&mut self, m: &Module, base: ExprId, method: Symbol, args: &Args) {
        if !matches!(method.as_str(), "setdefault" | "update") || !matches!(m.expr(base).kind, ExprKind::Name(_)) {
            return;
        }
        let held = self.eval(m, base);
        let Some(Obj::Record(fields, _)) = self.v.only(held).cloned() else {
            return;
        };
        let mut changes: Vec<(Symbol, Value)> = Vec::new();
        if method.as_str() == "update" {
            let mut all = args.clone();
            if let Some(&other) = args.pos.first() {
                self.spread_named(&mut all, other, &mut Vec::new(), base);
            }
            changes.extend(all.kw);
        } else if let Some(&[key, value]) = args.pos.get(..2)
            && let Some(key) = self.v.text(key)
            && fields.iter().all(|(n, _)| *n != key)
        {
            changes.push((key, value));
        }
        for (key, value) in changes {
            let key = self.v.one(Obj::Str(Some(key), None));
            self.set_named(m, base, key, value);
        }
    }

    fn spread(&mut self, args: &mut Args, value: Value, at: ExprRef) {
        if args.more.is_none()
            && let Some(Obj::Tuple(items)) = self.v.only(value).cloned()
        {
            args.pos.extend(items);
            return;
        }
        let element = match self.v.only(value).cloned() {
            Some(Obj::Lazy(inner, _)) => inner,
            _ => self.iterate(value, at, Consumes::All),
        };
        let more = args.more.unwrap_or(Value::NOTHING);
        args.more = Some(self.v.join(more, element));
    }

    /// The entries of a mapping spread into a dictionary display.
    fn spread_entries(&mut self, value: Value) -> Vec<(Symbol, Value)> {
        let mut found = Vec::new();
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::Record(fields, open) => {
                    found.extend(fields.into_iter().map(|(n, v)| (Symbol::new(&format!("[{n}]")), v)));
                    if open {
                        found.push((Symbol::new("*"), Value::UNKNOWN));
                    }
                }
                Obj::Dict(_) => {
                    found.extend(self.heap_of(obj));
                }
                _ => found.push((Symbol::new("*"), Value::UNKNOWN)),
            }
        }
        found
    }

    fn spread_named(&mut self, args: &mut Args, value: Value, places: &mut Vec<ExprId>, at: ExprId) {
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::Record(fields, open) => {
                    args.open |= open;
                    for (name, value) in fields {
                        args.kw.push((name, value));
                        places.push(at);
                    }
                }
                Obj::Dict(_) => {
                    for key in self.keys(obj) {
                        let name = Symbol::new(&format!("[{key}]"));
                        if let Some(value) = self.heap_get((obj, name)) {
                            let value = self.force(value);
                            args.kw.push((key, value));
                            places.push(at);
                        }
                    }
                    args.open |= self.heap_get((obj, Symbol::new("*"))).is_some();
                }
                _ => args.open = true,
            }
        }
    }

    /// The object whose method is asked for is known to be made of a class of the program (`Parser().process`, `super()`):
    /// what that class does not define is its library's.
    fn is_told(&mut self, m: &Module, callee: ExprId) -> bool {
        let ExprKind::Attr { base, .. } = m.expr(callee).kind else {
            return false;
        };
        match &m.expr(base).kind {
            ExprKind::Name(name) => {
                let own = matches!(name.as_str(), "self" | "cls");
                let value = self.name(*name);
                let objs = self.v.list(value);
                !objs.is_empty()
                    && objs.into_iter().all(|o| match *self.v.get(o) {
                        // A mixin's methods call those of classes that it is mixed with; a library's class has its own.
                        Obj::Instance(class, origin) => {
                            let outside = self
                                .classes
                                .get(&class)
                                .is_some_and(|i| i.outside.iter().any(|p| p.as_str() != "object"));
                            if own { outside } else { origin.is_some() }
                        }
                        _ => false,
                    })
            }
            ExprKind::Call { callee, .. } => match m.expr(*callee).kind {
                ExprKind::Name(name) if name.as_str() == "super" => true,
                ExprKind::Name(_) => {
                    let value = self.eval(m, *callee);
                    matches!(self.v.only(value), Some(Obj::Class(_)))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// A method of something unknown: if the program has few methods of that name, it may be one of them.
    fn call_by_name(&mut self, name: Symbol, args: &Args, at: ExprRef) -> Value {
        let candidates = self.methods_named(name);
        if candidates.is_empty() {
            return self.call(Value::UNKNOWN, args, at);
        }
        let mut result = Value::UNKNOWN;
        let mark = self.log_mark();
        for func in candidates {
            let Some(&class) = self.func_class.get(&func) else {
                continue;
            };
            if !self.takes(func, args) {
                continue;
            }
            let receivers = self.instances_of(class);
            for receiver in self.v.list(receivers).into_iter().take(2) {
                if let Some(method) = self.class_attr(class, receiver, name) {
                    let value = self.call(method, args, at);
                    result = self.v.join(result, value);
                }
            }
        }
        self.forget_ambient(mark);
        result
    }

    /// A method could be called with these arguments: it knows the names, and has room for the rest.
    fn takes(&mut self, func: FuncRef, args: &Args) -> bool {
        self.with_func(func, |f| {
            let has = |kind| f.params.iter().any(|p| p.kind == kind);
            let named =
                has(ParamKind::DoubleStar) || args.kw.iter().all(|(n, _)| f.params.iter().any(|p| p.name == *n));
            let room = f
                .params
                .iter()
                .filter(|p| matches!(p.kind, ParamKind::Normal | ParamKind::PositionalOnly))
                .count();
            named && (has(ParamKind::Star) || args.pos.len() <= room)
        })
        .unwrap_or(true)
    }

    // Comprehensions

    fn eval_comprehension(
        &mut self,
        m: &Module,
        at: ExprRef,
        kind: CompKind,
        clauses: &[Clause],
        element: &[ExprId],
    ) -> Value {
        if kind == CompKind::Generator {
            // The first iterable is evaluated at once, the rest when somebody iterates.
            let env = self.here().env;
            if let Some(first) = clauses.first() {
                self.eval(m, first.iter);
            }
            return self.v.one(Obj::Comprehension(at, env));
        }
        if let Some(kept) = self.kept_names(m, clauses, element).filter(|_| kind != CompKind::Dict) {
            return kept;
        }
        let element = self.comprehension(m, clauses, element);
        let list = if kind == CompKind::Dict {
            Obj::Dict(self.made(at))
        } else {
            Obj::List(self.made(at))
        };
        let list = self.v.obj(list);
        self.heap_join((list, Symbol::new("*")), element);
        self.v.single(list)
    }

    fn comprehension(&mut self, m: &Module, clauses: &[Clause], element: &[ExprId]) -> Value {
        for clause in clauses {
            let iterable = self.eval(m, clause.iter);
            let at = self.expr_ref(clause.iter);
            let item = self.iterate(iterable, at, Consumes::All);
            self.bind_pattern(m, &clause.target, item);
            for condition in &clause.conditions {
                self.eval(m, *condition);
            }
        }
        let mut last = Value::UNKNOWN;
        for expr in element {
            last = self.eval(m, *expr);
        }
        last
    }

    /// `[name for name in dir(cls) if not name.startswith("_")]`: of known texts those that no condition rules out.
    fn kept_names(&mut self, m: &Module, clauses: &[Clause], element: &[ExprId]) -> Option<Value> {
        let ([clause], [element]) = (clauses, element) else {
            return None;
        };
        let (PatternKind::Bind(target, None), ExprKind::Name(name)) = (&clause.target.kind, &m.expr(*element).kind)
        else {
            return None;
        };
        if target != name || matches!(m.expr(clause.iter).kind, ExprKind::Name(_)) {
            return None;
        }
        let iterable = self.eval(m, clause.iter);
        let Some(Obj::Tuple(items)) = self.v.only(iterable).cloned() else {
            return None;
        };
        if items.len() > MAX_NAMES || items.iter().any(|i| self.v.text(*i).is_none()) {
            return None;
        }
        let mut kept = Vec::new();
        for item in items {
            self.bind_pattern(m, &clause.target, item);
            let mut passes = true;
            for condition in &clause.conditions {
                let value = self.eval(m, *condition);
                passes &= self.v.truth(value) != Some(false);
            }
            if passes {
                kept.push(item);
            }
        }
        Some(self.v.one(Obj::Tuple(kept)))
    }

    /// Iterates a generator expression here.
    pub(super) fn run_comprehension(&mut self, expr: ExprRef, env: EnvId, at: ExprRef) -> Value {
        // `x = (f(y) for y in x)` in a loop iterates itself, as far as can be told.
        if !self.comprehensions.insert(expr) {
            return Value::UNKNOWN;
        }
        let value = self.run_comprehension_once(expr, env, at);
        self.comprehensions.remove(&expr);
        value
    }

    fn run_comprehension_once(&mut self, expr: ExprRef, env: EnvId, at: ExprRef) -> Value {
        let Some(module) = self.world.module(expr.unit) else {
            return Value::UNKNOWN;
        };
        let ExprKind::Comp { clauses, element, .. } = &module.expr(expr.expr).kind else {
            return Value::UNKNOWN;
        };
        if self.here().env == env {
            return self.comprehension(&module, clauses, element);
        }
        if self.frames.len() > super::MAX_DEPTH {
            return Value::UNKNOWN;
        }
        let scope = self.env(EnvKey::Comprehension(expr, env), Some(env));
        let mut frame = Frame::new(expr.unit, Arc::clone(&module), scope);
        frame.func = self.env_func(env);
        let mut value = Value::UNKNOWN;
        let frame = self.run_body(frame, |this, m| {
            if let ExprKind::Comp { clauses, element, .. } = &m.expr(expr.expr).kind {
                value = this.comprehension(m, clauses, element);
            }
        });
        for mut flight in frame.flights {
            flight.path = self.path_prepend(at, flight.path);
            self.emit(flight);
        }
        value
    }

    fn env_func(&self, env: EnvId) -> Option<FuncRef> {
        self.frames.iter().rev().find(|f| f.env == env).and_then(|f| f.func)
    }

    // Annotations

    /// The value that a declared type stands for.
    pub(super) fn annotation(&mut self, m: &Module, id: ExprId) -> Value {
        let at = self.expr_ref(id);
        match &m.expr(id).kind {
            ExprKind::Name(_) | ExprKind::Attr { .. } => {
                let value = self.eval(m, id);
                self.instance_of(value, at)
            }
            ExprKind::Index { base, index } => {
                let head = self.eval(m, *base);
                let name = match self.v.only(head) {
                    Some(Obj::External(path)) => path.as_str().rsplit('.').next().unwrap_or_default().to_owned(),
                    _ => String::new(),
                };
                match name.as_str() {
                    "Optional" | "Annotated" | "Final" | "ClassVar" | "Union" | "Awaitable" | "Coroutine" => {
                        let parts = match &m.expr(*index).kind {
                            ExprKind::Tuple(parts) => parts.clone(),
                            _ => vec![*index],
                        };
                        // `Annotated[T, Depends(f)]`: what is injected says more than the type.
                        let mut result = Value::NOTHING;
                        for (i, part) in parts.iter().enumerate() {
                            let one = if name == "Annotated" && i > 0 {
                                self.injected(m, *part)
                            } else {
                                self.annotation(m, *part)
                            };
                            result = self.v.join(result, one);
                        }
                        self.drop_unknown(result)
                    }
                    "List" | "list" | "Iterable" | "Sequence" | "Iterator" | "Generator" | "AsyncIterator"
                    | "AsyncGenerator" | "AsyncIterable" | "Set" | "set" => {
                        let part = match &m.expr(*index).kind {
                            ExprKind::Tuple(parts) => parts.first().copied().unwrap_or(*index),
                            _ => *index,
                        };
                        let element = self.annotation(m, part);
                        if self.v.is_unknown(element) {
                            return Value::UNKNOWN;
                        }
                        let list = self.new_list(at);
                        self.heap_join((list, Symbol::new("*")), element);
                        self.v.single(list)
                    }
                    "Type" | "type" | "Dict" | "dict" | "Callable" | "Tuple" | "tuple" | "Mapping" => Value::UNKNOWN,
                    // `Collection[Document]`, `AsyncIOMotorCollection[..]`
                    _ => self.instance_of(head, at),
                }
            }
            ExprKind::Op { op, operands } if op.as_str() == "|" => {
                let mut result = Value::NOTHING;
                for operand in operands {
                    let one = self.annotation(m, *operand);
                    result = self.v.join(result, one);
                }
                self.drop_unknown(result)
            }
            ExprKind::None => Value::NONE,
            _ => Value::UNKNOWN,
        }
    }

    fn injected(&mut self, m: &Module, id: ExprId) -> Value {
        let value = self.eval(m, id);
        if matches!(self.v.only(value), Some(Obj::Str(..) | Obj::Int(_))) {
            Value::UNKNOWN
        } else {
            value
        }
    }

    fn drop_unknown(&mut self, value: Value) -> Value {
        let objs: Vec<_> = self.v.list(value);
        let known: Vec<_> = objs
            .iter()
            .copied()
            .filter(|&o| !matches!(self.v.get(o), Obj::Unknown))
            .collect();
        if known.iter().any(|&o| !matches!(self.v.get(o), Obj::None)) {
            self.v.set(known)
        } else {
            value
        }
    }

    /// An object of the class that a value denotes.
    fn instance_of(&mut self, class: Value, at: ExprRef) -> Value {
        let mut result = Value::NOTHING;
        for obj in self.v.list(class) {
            let one = match *self.v.get(obj) {
                Obj::External(path) => match self.k.item(path) {
                    Some(Item::Type(ty)) => self.handle(ty, None),
                    _ => Value::UNKNOWN,
                },
                Obj::Class(class) => {
                    let known = self.instances_of(class);
                    let all_known = self
                        .v
                        .list(known)
                        .iter()
                        .any(|&o| !matches!(self.v.get(o), Obj::Instance(_, None)));
                    if all_known {
                        known
                    } else {
                        self.v.one(Obj::Instance(class, None))
                    }
                }
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        let _ = at;
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }

    // Environment variables

    pub(super) fn read_env_item(&mut self, m: &Module, base: ExprId, base_value: Value, key: Value, at: ExprRef) {
        let Some(name) = self.env_name(key) else { return };
        let certain = self.is_environment(base_value);
        // A constructor or type subscripted with a name is no mapping.
        if matches!(m.expr(base).kind, ExprKind::Str(_)) {
            return;
        }
        self.add_env_read(&name, certain, key, at);
    }

    fn is_environment(&self, value: Value) -> bool {
        self.v.objs(value).iter().any(|&o| match self.v.get(o) {
            Obj::External(path) => {
                matches!(self.k.item(*path), Some(Item::Function(spec)) if self.k.call(spec).call.reads_env.is_some())
            }
            Obj::Handle(handle) => self
                .k
                .ty(handle.ty)
                .index
                .is_some_and(|s| self.k.call(s).call.reads_env.is_some()),
            _ => false,
        })
    }

    pub(super) fn read_env_call(&mut self, m: &Module, callee: ExprId, callee_value: Value, args: &Args, at: ExprRef) {
        let Some(&first) = args.pos.first() else { return };
        let Some(name) = self.env_name(first) else { return };
        let by_spec = self.v.objs(callee_value).iter().any(|&o| match self.v.get(o) {
            Obj::External(path) => {
                matches!(self.k.item(*path), Some(Item::Function(spec)) if self.k.call(spec).call.reads_env.is_some())
            }
            Obj::Method(_, spec, _) => self.k.call(*spec).call.reads_env.is_some(),
            Obj::Handle(handle) => self
                .k
                .ty(handle.ty)
                .call
                .is_some_and(|s| self.k.call(s).call.reads_env.is_some()),
            _ => false,
        });
        let by_name = matches!(&m.expr(callee).kind, ExprKind::Attr { name, .. } if matches!(name.as_str(), "get" | "pop" | "getenv" | "__getitem__"));
        if !by_spec && !by_name {
            return;
        }
        self.add_env_read(&name, by_spec, first, at);
    }

    fn env_name(&self, value: Value) -> Option<String> {
        let text = self.v.text(value)?;
        env_literal(text.as_str()).then(|| text.as_str().to_owned())
    }

    /// A read is reported where it stands, but for a helper that is given the name at the call that passes it.
    fn add_env_read(&mut self, name: &str, certain: bool, key: Value, at: ExprRef) {
        let literal = match self.v.only(key) {
            Some(Obj::Str(_, Some(literal))) => Some(*literal),
            _ => None,
        };
        let func = self.here().func;
        let from_parameter = literal.is_some_and(|l| {
            func.is_some_and(|f| {
                let Some(module) = self.world.module(f.unit) else {
                    return false;
                };
                let span = module.func(f.func).span;
                l.unit != f.unit || !span.contains(module.expr(l.expr).span)
            })
        });
        let at = match literal {
            Some(literal) if from_parameter && self.is_argument(literal) => literal,
            _ => at,
        };
        let place = self.place_of(at);
        let read = EnvRead {
            place,
            name: name.to_owned(),
            certain,
        };
        match self.out.env_reads.iter_mut().find(|r| r.place == place) {
            Some(known) => known.certain |= certain,
            None => self.out.env_reads.push(read),
        }
    }

    /// True if this literal is an argument of some call of its module.
    fn is_argument(&mut self, literal: ExprRef) -> bool {
        let Some(module) = self.world.module(literal.unit) else {
            return false;
        };
        module
            .exprs
            .iter()
            .any(|e| matches!(&e.kind, ExprKind::Call { args, .. } if args.iter().any(|a| a.value == literal.expr)))
    }
}

/// Text that may be the name of an environment variable; where it stands is remembered.
fn env_literal(text: &str) -> bool {
    text.len() >= 4
        && text.len() <= 80
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Objects that are never `None`.
fn is_something(obj: &Obj) -> bool {
    !matches!(obj, Obj::Unknown | Obj::None)
}

/// Conversions of a format string become U+FFFD.
fn blank_percent(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.peek() == Some(&'(') {
            for c in chars.by_ref() {
                if c == ')' {
                    break;
                }
            }
        }
        match chars.next() {
            Some('%') => out.push('%'),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

/// Method names that say nothing about the object.
pub fn is_common(name: &str) -> bool {
    name.starts_with("__")
        || matches!(
            name,
            "get"
                | "set"
                | "add"
                | "append"
                | "update"
                | "pop"
                | "remove"
                | "insert"
                | "extend"
                | "items"
                | "keys"
                | "values"
                | "copy"
                | "close"
                | "open"
                | "read"
                | "write"
                | "run"
                | "start"
                | "stop"
                | "join"
                | "send"
                | "save"
                | "load"
                | "find"
                | "delete"
                | "execute"
                | "call"
                | "next"
                | "split"
                | "strip"
                | "format"
                | "replace"
                | "index"
                | "count"
                | "sort"
                | "clear"
                | "encode"
                | "decode"
                | "commit"
                | "connect"
                | "put"
                | "flush"
                | "create"
                | "filter"
                | "all"
                | "first"
                | "query"
                | "info"
                | "debug"
                | "error"
                | "warning"
                | "log"
                | "json"
        )
}

/// Of more names than these the first says as much as the last.
const MAX_NAMES: usize = 64;
