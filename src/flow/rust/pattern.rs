//! Patterns: whether a value matches, as far as can be told, and what is bound.

use super::super::Interp;
use super::super::flight::{Error, SiteId};
use crate::core::{ClassKind, ExprId, ExprKind, Module, Pattern, PatternKind, Symbol};
use crate::resolve::value::{ClassRef, Obj, ObjId, OutcomeId, Value};

/// Whether a pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// `None`: perhaps.
    pub certain: Option<bool>,
    /// It looks at an error in the value, or drops it; otherwise the error stays in what is bound.
    pub opened: bool,
}

impl Match {
    const YES: Self = Self {
        certain: Some(true),
        opened: false,
    };
    const NO: Self = Self {
        certain: Some(false),
        opened: false,
    };
    const MAYBE: Self = Self {
        certain: None,
        opened: false,
    };

    fn opened(self) -> Self {
        Self { opened: true, ..self }
    }

    /// Either of two values may be there.
    fn either(self, other: Self) -> Self {
        let certain = if self.certain == other.certain {
            self.certain
        } else {
            None
        };
        Self {
            certain,
            opened: self.opened || other.opened,
        }
    }

    /// Both must match.
    fn and(self, other: Self) -> Self {
        let certain = match (self.certain, other.certain) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        Self {
            certain,
            opened: self.opened || other.opened,
        }
    }

    /// One of two patterns must match.
    fn or(self, other: Self) -> Self {
        let certain = match (self.certain, other.certain) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        Self {
            certain,
            opened: self.opened || other.opened,
        }
    }
}

/// Whether a variant holds an error of a driver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Itself,
    /// In an enum of the program.
    Inside,
    Not,
}

/// What the path of a pattern names.
enum Head {
    Ok,
    Err,
    Some,
    None,
    Variant(ClassRef, Symbol),
    Struct,
    Outside(Symbol),
    Unknown,
}

impl Interp<'_> {
    pub(super) fn rust_match(&mut self, m: &Module, pattern: &Pattern, value: Value) -> Match {
        let mut result: Option<Match> = None;
        for obj in self.v.list(value) {
            let one = self.rust_match_obj(m, pattern, obj);
            result = Some(result.map_or(one, |r| r.either(one)));
        }
        result.unwrap_or(Match::MAYBE)
    }

    fn rust_match_obj(&mut self, m: &Module, pattern: &Pattern, obj: ObjId) -> Match {
        let value = self.v.single(obj);
        match &pattern.kind {
            PatternKind::Wild => {
                // The result of a task inside of the result of joining it is not looked at.
                let dropped = self.rust_carried(value).iter().any(|f| f.marks.task.is_none());
                if dropped { Match::YES.opened() } else { Match::YES }
            }
            PatternKind::Bind(_, None) | PatternKind::Star(_) | PatternKind::Target(_) => Match::YES,
            PatternKind::Bind(_, Some(inner)) => self.rust_match_obj(m, inner, obj),
            PatternKind::Or(options) => {
                let mut result = Match::NO;
                for option in options {
                    let one = self.rust_match_obj(m, option, obj);
                    result = result.or(one);
                }
                result
            }
            PatternKind::Literal(expr) => {
                let literal = self.eval(m, *expr);
                match self.rust_same_fault(value, literal) {
                    Some(same) => Match {
                        certain: Some(same),
                        opened: true,
                    },
                    None => Match::MAYBE,
                }
            }
            PatternKind::Tuple(items) => match self.v.get(obj).clone() {
                Obj::Tuple(values) if values.len() == items.len() => {
                    let mut result = Match::YES;
                    for (item, value) in items.iter().zip(values) {
                        let one = self.rust_match(m, item, value);
                        result = result.and(one);
                    }
                    result
                }
                _ => Match::MAYBE,
            },
            PatternKind::Path(path) => self.rust_match_path(m, *path, &[], &[], obj),
            PatternKind::TupleStruct(path, items) => {
                let items: Vec<&Pattern> = items.iter().collect();
                self.rust_match_path(m, *path, &items, &[], obj)
            }
            PatternKind::Struct(path, fields) => {
                let fields: Vec<(Symbol, &Pattern)> = fields.iter().map(|(n, p)| (*n, p)).collect();
                self.rust_match_path(m, *path, &[], &fields, obj)
            }
        }
    }

    fn rust_match_path(
        &mut self,
        m: &Module,
        path: ExprId,
        items: &[&Pattern],
        fields: &[(Symbol, &Pattern)],
        obj: ObjId,
    ) -> Match {
        let value = self.v.single(obj);
        let kind = self.v.get(obj).clone();
        match self.rust_head(m, path) {
            Head::Ok => match kind {
                Obj::Outcome(Value::NOTHING, id) if !self.rust_flights(id).is_empty() => Match::NO.opened(),
                Obj::Outcome(inner, _) => self.rust_match_first(m, items, inner),
                Obj::Unknown => Match::MAYBE,
                Obj::Fault(_) => Match::NO,
                _ => self.rust_match_first(m, items, value),
            },
            Head::Err => match kind {
                Obj::Outcome(_, id) if !self.rust_flights(id).is_empty() => {
                    let fault = self.v.one(Obj::Fault(id));
                    self.rust_match_first(m, items, fault).opened()
                }
                Obj::Outcome(..) => Match::NO,
                _ => Match::MAYBE,
            },
            Head::Some => match kind {
                Obj::None => Match::NO,
                Obj::Unknown => Match::MAYBE,
                Obj::Outcome(inner, id) if self.rust_is_option(inner, id) => self.rust_match_first(m, items, inner),
                _ => self.rust_match_first(m, items, value),
            },
            Head::None => match kind {
                Obj::None => Match::YES,
                Obj::Fault(_) => Match::NO,
                Obj::Outcome(Value::NOTHING, id) if !self.rust_flights(id).is_empty() => Match::NO,
                _ => Match::MAYBE,
            },
            Head::Variant(class, name) => match kind {
                Obj::Variant(c, n, _) if c == class && n != name => Match::NO,
                Obj::Variant(c, _, values) if c == class => {
                    let mut result = Match::YES;
                    for (item, value) in items.iter().zip(&values) {
                        let one = self.rust_match(m, item, *value);
                        result = result.and(one);
                    }
                    if self.rust_carries(value) {
                        result.opened()
                    } else {
                        result
                    }
                }
                Obj::Fault(id) => {
                    let result = self.rust_fault_is_variant(id, class, name);
                    Match {
                        certain: result,
                        opened: true,
                    }
                }
                Obj::Outcome(..) | Obj::Unknown | Obj::Instance(..) => Match::MAYBE,
                _ => Match::MAYBE,
            },
            Head::Struct => {
                let mut result = Match::YES;
                for (name, pattern) in fields {
                    let at = crate::resolve::value::ExprRef {
                        unit: self.here().unit,
                        expr: path,
                    };
                    let part = self.rust_field(value, *name, at);
                    let one = self.rust_match(m, pattern, part);
                    result = result.and(one);
                }
                result
            }
            Head::Outside(outside) => match kind {
                Obj::Fault(id) => {
                    let known = self.rust_fault_is_kind(id, outside);
                    Match {
                        certain: known,
                        opened: true,
                    }
                }
                Obj::Unknown => Match::MAYBE,
                // A newtype or variant of the outside leaves no trace.
                _ if items.len() == 1 => Match {
                    certain: None,
                    ..self.rust_match_first(m, items, value)
                },
                _ => Match::MAYBE,
            },
            Head::Unknown => match kind {
                Obj::Fault(_) => Match::MAYBE.opened(),
                _ => Match::MAYBE,
            },
        }
    }

    /// An option around results, not a result.
    fn rust_is_option(&self, inner: Value, id: OutcomeId) -> bool {
        self.rust_flights(id).is_empty()
            && self
                .v
                .objs(inner)
                .iter()
                .any(|&o| matches!(self.v.get(o), Obj::Outcome(..)))
    }

    fn rust_match_first(&mut self, m: &Module, items: &[&Pattern], value: Value) -> Match {
        match items.first() {
            Some(item) => self.rust_match(m, item, value),
            None => Match::YES,
        }
    }

    fn rust_head(&mut self, m: &Module, path: ExprId) -> Head {
        let value = match &m.expr(path).kind {
            ExprKind::Name(name) => self.rust_item_named(*name),
            ExprKind::Attr { base, name, .. } => self.rust_path(m, *base, *name),
            _ => Value::UNKNOWN,
        };
        let value = self.rust_resolved(value);
        match self.v.only(value).cloned() {
            Some(Obj::Variant(class, name, _)) => Head::Variant(class, name),
            Some(Obj::Class(class)) if self.rust_kind(class) != Some(ClassKind::Module) => Head::Struct,
            Some(Obj::External(path)) => match constructor(path.as_str()) {
                Some("Ok") => Head::Ok,
                Some("Err") => Head::Err,
                Some("Some") => Head::Some,
                Some("None") => Head::None,
                _ => Head::Outside(path),
            },
            _ => Head::Unknown,
        }
    }

    /// Whether errors are this variant of an enum of the program: as they were wrapped, or by what the variant holds.
    fn rust_fault_is_variant(&mut self, id: OutcomeId, class: ClassRef, name: Symbol) -> Option<bool> {
        let mut result = None;
        for flight in self.rust_flights(id).iter().filter(|f| f.making.is_none()) {
            let one = match &flight.error {
                Error::Raised(raised) => match self.v.get(*raised) {
                    Obj::Variant(c, n, _) if *c == class => Some(*n == name),
                    _ => None,
                },
                Error::Loss(..) => self.rust_variant_takes(class, name, flight.site),
                Error::Opaque => None,
            }?;
            if result.is_some_and(|r| r != one) {
                return None;
            }
            result = Some(one);
        }
        self.rust.decided += usize::from(result.is_some());
        result
    }

    /// True if the payload of a variant is an error of this call site's library, itself or in an enum of the program.
    fn rust_variant_takes(&mut self, class: ClassRef, name: Symbol, site: SiteId) -> Option<bool> {
        let takes = self.rust_payload_takes(class, name, site, 0)?;
        if takes != Takes::Inside {
            return Some(takes == Takes::Itself);
        }
        // Where another variant takes it as well, who knows which way it came.
        let m = self.world.module(class.unit)?;
        let others = m.class(class.class).fields.iter().map(|f| f.name);
        let others: Vec<Symbol> = others.filter(|n| *n != name).collect();
        let alone = others
            .into_iter()
            .all(|other| matches!(self.rust_payload_takes(class, other, site, 0), None | Some(Takes::Not)));
        alone.then_some(true)
    }

    fn rust_payload_takes(&mut self, class: ClassRef, name: Symbol, site: SiteId, depth: usize) -> Option<Takes> {
        let m = self.world.module(class.unit)?;
        let variant = m.class(class.class).fields.iter().find(|f| f.name == name)?;
        if variant.fields.is_empty() {
            return Some(Takes::Not);
        }
        let libs = {
            let site = self.out.sites.get(site);
            [site.lib, site.driver]
        };
        let annotations: Vec<ExprId> = variant.fields.iter().filter_map(|f| f.annotation).collect();
        let mut any_unclear = false;
        for annotation in annotations {
            let head = self
                .rust_within(class.unit, super::paths::Holder::Class(class.class), |this, m| {
                    this.rust_type_head(m, annotation)
                })
                .unwrap_or(Value::UNKNOWN);
            let head = self.rust_resolved(head);
            match self.v.only(head).cloned() {
                Some(Obj::External(path)) => {
                    let first = Symbol::new(path.as_str().split('.').next().unwrap_or_default());
                    if self.k.imported(first).iter().any(|lib| libs.contains(lib)) {
                        return Some(Takes::Itself);
                    }
                    // An error of another library, or a plain value, is none of this driver's.
                    any_unclear |= self.k.imported(first).is_empty() && !is_plain(path.as_str());
                }
                Some(Obj::Class(inner)) => {
                    if depth < 3 && inner != class && self.rust_kind(inner) == Some(ClassKind::Enum) {
                        let names: Vec<Symbol> = self
                            .world
                            .module(inner.unit)
                            .map(|m| m.class(inner.class).fields.iter().map(|f| f.name).collect())
                            .unwrap_or_default();
                        let takes = |this: &mut Self, name| {
                            let found = this.rust_payload_takes(inner, name, site, depth + 1);
                            matches!(found, Some(Takes::Itself | Takes::Inside))
                        };
                        if names.into_iter().any(|name| takes(self, name)) {
                            return Some(Takes::Inside);
                        }
                    }
                }
                _ => any_unclear = true,
            }
        }
        if any_unclear { None } else { Some(Takes::Not) }
    }

    /// A pattern as a condition.
    pub(super) fn rust_matches(&mut self, m: &Module, pattern: &Pattern, value: Value) -> Value {
        self.rust_bind(m, pattern, value);
        let (inner, flights) = self.rust_split(value);
        let _ = inner;
        if !flights.is_empty() {
            let id = self.rust_outcome_id(flights);
            let failed = match self.rust_match(m, pattern, value) {
                Match { opened: true, .. } => true,
                Match { certain: Some(_), .. } => return self.v.one(Obj::Bool(None)),
                _ => false,
            };
            return self.v.one(Obj::Tested(id, failed));
        }
        let is_fault = self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Fault(_)));
        let truth = if is_fault {
            self.rust_match(m, pattern, value).certain
        } else {
            None
        };
        self.rust.decided += usize::from(truth.is_some());
        self.v.one(Obj::Bool(truth))
    }

    /// Binds the names of a pattern.
    pub(super) fn rust_bind(&mut self, m: &Module, pattern: &Pattern, value: Value) {
        match &pattern.kind {
            PatternKind::Wild | PatternKind::Literal(_) | PatternKind::Path(_) => {}
            PatternKind::Bind(name, inner) => {
                self.rust_bind_name(*name, value);
                if let Some(inner) = inner {
                    self.rust_bind(m, inner, value);
                }
            }
            PatternKind::Target(expr) => self.rust_store(m, *expr, value, true),
            PatternKind::Star(name) => {
                if let Some(name) = name {
                    self.rust_bind_name(*name, value);
                }
            }
            PatternKind::Or(options) => {
                for option in options {
                    self.rust_bind(m, option, value);
                }
            }
            PatternKind::Tuple(items) => {
                let parts = self.rust_parts(value, items.len());
                for (item, part) in items.iter().zip(parts) {
                    self.rust_bind(m, item, part);
                }
            }
            PatternKind::TupleStruct(path, items) => {
                for (index, item) in items.iter().enumerate() {
                    let part = self.rust_part(m, *path, index, None, items.len(), value);
                    self.rust_bind(m, item, part);
                }
            }
            PatternKind::Struct(path, fields) => {
                for (index, (name, item)) in fields.iter().enumerate() {
                    let part = self.rust_part(m, *path, index, Some(*name), fields.len(), value);
                    self.rust_bind(m, item, part);
                }
            }
        }
    }

    /// The parts of a tuple or slice; an error's parts are the error.
    fn rust_parts(&mut self, value: Value, count: usize) -> Vec<Value> {
        let faults = self
            .v
            .objs(value)
            .iter()
            .all(|&o| matches!(self.v.get(o), Obj::Fault(_)));
        if faults && value != Value::NOTHING {
            return vec![value; count];
        }
        let slice = self
            .v
            .objs(value)
            .iter()
            .any(|&o| matches!(self.v.get(o), Obj::Handle(_) | Obj::Instance(..)));
        if slice {
            return vec![value; count];
        }
        self.unpack(value, count)
    }

    /// What a constructor's pattern binds at a position or field.
    fn rust_part(
        &mut self,
        m: &Module,
        path: ExprId,
        index: usize,
        field: Option<Symbol>,
        count: usize,
        value: Value,
    ) -> Value {
        let head = self.rust_head(m, path);
        let at = crate::resolve::value::ExprRef {
            unit: self.here().unit,
            expr: path,
        };
        let mut result = Value::NOTHING;
        for obj in self.v.list(value) {
            let this = self.v.single(obj);
            let one = match (&head, self.v.get(obj).clone()) {
                (Head::Ok, Obj::Outcome(inner, _)) => inner,
                (Head::Ok, Obj::Fault(_)) => Value::NOTHING,
                (Head::Ok, _) => this,
                (Head::Err, Obj::Outcome(_, id)) => {
                    let flights = self.rust_flights(id).to_vec();
                    self.rust_fault(flights)
                }
                (Head::Err, Obj::Fault(_)) => this,
                (Head::Err, _) => Value::UNKNOWN,
                (Head::Some, Obj::None) => Value::NOTHING,
                (Head::Some, Obj::Outcome(inner, id)) if self.rust_is_option(inner, id) => inner,
                (Head::Some, _) => this,
                (_, Obj::Fault(_)) => this,
                (Head::Variant(class, name), Obj::Variant(c, n, values)) => {
                    if c == *class && n == *name {
                        let index = field.map_or(Some(index), |field| self.rust_variant_index(*class, *name, field));
                        index.and_then(|i| values.get(i).copied()).unwrap_or(Value::UNKNOWN)
                    } else {
                        Value::NOTHING
                    }
                }
                (Head::Variant(class, name), Obj::Instance(c, _)) if c == *class => {
                    let index = field.map_or(Some(index), |field| self.rust_variant_index(*class, *name, field));
                    index.map_or(Value::UNKNOWN, |i| self.rust_payload(*class, *name, i))
                }
                (Head::Variant(..), _) => Value::UNKNOWN,
                (Head::Struct, Obj::Instance(..)) => {
                    let name = field.unwrap_or_else(|| Symbol::new(&index.to_string()));
                    self.rust_field(this, name, at)
                }
                (Head::Outside(_) | Head::Struct | Head::Unknown, Obj::Unknown) => Value::UNKNOWN,
                (Head::Outside(_), Obj::Handle(_)) if field.is_some() => {
                    self.rust_field(this, field.unwrap_or_else(|| Symbol::new("0")), at)
                }
                // `State(pool)`: the wrapper leaves no trace.
                (Head::Outside(_) | Head::Unknown, _) if count == 1 => this,
                _ => Value::UNKNOWN,
            };
            result = self.v.join(result, one);
        }
        if result == Value::NOTHING {
            Value::UNKNOWN
        } else {
            result
        }
    }

    fn rust_variant_index(&mut self, class: ClassRef, name: Symbol, field: Symbol) -> Option<usize> {
        let m = self.world.module(class.unit)?;
        let variant = m.class(class.class).fields.iter().find(|f| f.name == name)?;
        variant.fields.iter().position(|f| f.name == field)
    }
}

/// `Ok`, `Err`, `Some`, `None` by whatever path.
pub(super) fn constructor(path: &str) -> Option<&'static str> {
    let (head, last) = path.rsplit_once('.').unwrap_or(("", path));
    let known = match last {
        "Ok" => "Ok",
        "Err" => "Err",
        "Some" => "Some",
        "None" => "None",
        _ => return None,
    };
    let of = head.rsplit('.').next().unwrap_or_default();
    (head.is_empty() || matches!(of, "Result" | "Option" | "prelude" | "result" | "option")).then_some(known)
}

/// A type of the language that is no error.
fn is_plain(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) || last == "String"
}
