//! Abstract values: what an expression may denote.
//!
//! Objects and sets of objects are interned, so values are small copies that compare and hash in one step. A set holds
//! what is known; [`Obj::Unknown`] in it says that there may be more.

use rustc_hash::FxHashMap;

use crate::core::{ClassId, ExprId, FuncId, Symbol};
use crate::knowledge::{SpecId, TypeId};

/// Index of a file of the analysed program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub u32);

/// An expression of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprRef {
    /// The file.
    pub unit: UnitId,
    /// The expression in it.
    pub expr: ExprId,
}

/// A function of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncRef {
    /// The file.
    pub unit: UnitId,
    /// The function in it.
    pub func: FuncId,
}

/// A class of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassRef {
    /// The file.
    pub unit: UnitId,
    /// The class in it.
    pub class: ClassId,
}

/// Index of an object in [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjId(pub u32);

/// Index of a set of objects in [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

/// Index of a variable scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvId(pub u32);

/// Index of a function activation (a function and its arguments).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActId(pub u32);

/// Index of a guard of a library (a retry, a proxy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuardId(pub u32);

/// Index of a prepared round trip that was not awaited yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PendingId(pub u32);

/// Index of the options given to a constructor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OptionsId(pub u32);

/// A driver's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle {
    /// Its type.
    pub ty: TypeId,
    /// Rust: the type of the connection inside of a pool or guard.
    pub inner: Option<TypeId>,
    /// The constructor call that opened the connection behind it, or the expression it was first seen in.
    pub origin: Option<ExprRef>,
    /// What the opening itself was made from: the engine of a session, the pool of a connection.
    pub under: Option<ExprRef>,
    /// For an object made by a method of a connection (a cursor): the expression that made it.
    pub derived: Option<ExprRef>,
    /// For lazy objects: the expression that made it.
    pub created: Option<ExprRef>,
    /// Known by convention only.
    pub likely: bool,
    /// Flags set by methods, as bits of [`Knowledge::flag`](crate::knowledge::Knowledge::flag).
    pub flags: u32,
    /// A library's guard around its round trips.
    pub guard: Option<GuardId>,
    /// What the constructor was given.
    pub options: OptionsId,
}

impl Handle {
    /// An object of this type of which nothing else is known.
    pub fn of(ty: TypeId) -> Self {
        Self {
            ty,
            inner: None,
            origin: None,
            under: None,
            derived: None,
            created: None,
            likely: false,
            flags: 0,
            guard: None,
            options: OptionsId(0),
        }
    }
}

/// Where an object was made. What methods of an object make is told apart by that object: each `Queue` has a list of its own,
/// though one line makes them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Made {
    /// The expression.
    pub at: ExprRef,
    /// The object whose method it stands in; of an object made that way, the one that made it.
    pub owner: Option<ObjId>,
}

impl From<ExprRef> for Made {
    fn from(at: ExprRef) -> Self {
        Self { at, owner: None }
    }
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Obj {
    /// Something not known.
    Unknown,
    /// `None`.
    None,
    /// A truth value, if known which.
    Bool(Option<bool>),
    /// A known integer.
    Int(i64),
    /// A number that is not known.
    Number,
    /// A string; its text if known, and where the literal stands.
    Str(Option<Symbol>, Option<ExprRef>),
    /// Something of the outside by its dotted path, canonical: a module, class or function.
    External(Symbol),
    /// A name of a file that was not read yet.
    Imported(UnitId, Symbol),
    /// A module of the program.
    Module(UnitId),
    /// A variable scope, as a place where things are kept.
    Scope(EnvId),
    /// A driver's object.
    Handle(Handle),
    /// A method of a driver's object as a value, and where it was named.
    Method(ObjId, SpecId, ExprRef),
    /// A driver's method on its class, not yet bound (`Collection.find_one`).
    Unbound(TypeId, SpecId),
    /// A driver's awaitable.
    Pending(PendingId),
    /// A library's function or decorator with a specification, partly applied: `retry(stop=..)`.
    Decorator(SpecId, Option<GuardId>, ExprRef),
    /// A callable behind a library's guard.
    Guarded(ObjId, GuardId),
    /// A guard as a value: a retry object, a `suppress` in a `with`.
    Guard(GuardId),
    /// A function and the scope that it closes over.
    Func(FuncRef, EnvId),
    /// A function bound to its first argument.
    Bound(ObjId, ObjId),
    /// A function inside of a context manager, which is entered for each call: the manager, and the function.
    Within(ObjId, ObjId),
    /// A generator function made into a context manager.
    Managed(ObjId),
    /// A context manager made by calling one: the activation of its generator.
    Manager(ActId),
    /// A class of the program.
    Class(ClassRef),
    /// An object of such a class, told apart by where it was made.
    Instance(ClassRef, Option<Made>),
    /// `super()` in a class, for an object.
    Super(ClassRef, ObjId),
    /// A property, static or class method wrapper: which, and the function.
    Descriptor(Descriptor, ObjId),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A list, set or other collection, by where it was made; the elements are in the heap.
    List(Made),
    /// A dictionary, by where it was made; the entries are in the heap.
    Dict(Made),
    /// Keyword arguments, or another mapping that does not change.
    Record(Vec<(Symbol, Value)>, bool),
    /// `functools.partial`.
    Partial(Value, Vec<Value>, Vec<(Symbol, Value)>),
    /// A generator that was not iterated yet, and the call that made it.
    Generator(ActId, Option<ExprRef>),
    /// A coroutine that was not awaited yet, and the call that made it.
    Coroutine(ActId, Option<ExprRef>),
    /// A lazy iterable over another one (`enumerate(x)`, a generator expression over `x`).
    Lazy(Value, ExprRef),
    /// A generator expression that was not iterated yet: the expression and its scope.
    Comprehension(ExprRef, EnvId),
    /// An exception object of this class.
    Exception(ObjId),
    /// A predicate over exceptions: covers these classes.
    Covers(Vec<ObjId>),
    /// A predicate over exceptions: covers all but these.
    CoversNot(Vec<ObjId>),
    /// A running thread, task or future of that callable's value and errors.
    Running(Value, SpecId, ExprRef),
    /// What a library's method gives that conditions ask for by the method (`type.method`), and nothing else is known of.
    Made(Symbol),
    /// What a middleware calls to go on: raises whatever entries raise.
    Next,
    /// Rust: a `Result`: the value in it, and the errors that it may carry in its place.
    Outcome(Value, OutcomeId),
    /// Rust: an error taken out of a `Result`, or what was made of one: a message, a field, a kind.
    Fault(OutcomeId),
    /// Rust: whether a `Result` failed (`true`) or not, as a condition.
    Tested(OutcomeId, bool),
    /// Rust: a variant of an enum with its payload.
    Variant(ClassRef, Symbol, Vec<Value>),
    /// Rust: awaiting or joining it gives a `Result` around the outcome of that value (`timeout(d, future)`).
    Wrapped(Value),
}

impl Obj {
    /// A function or a method, bare or in whatever wraps it.
    pub fn is_function(&self) -> bool {
        matches!(
            self,
            Self::Func(..)
                | Self::Bound(..)
                | Self::Guarded(..)
                | Self::Method(..)
                | Self::Partial(..)
                | Self::Managed(_)
                | Self::Within(..)
                | Self::Descriptor(..)
        )
    }
}

/// Index of a set of errors that a Rust `Result` carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutcomeId(pub u32);

/// Kinds of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Descriptor {
    /// `@property` and its like.
    Property,
    /// `@staticmethod`.
    Static,
    /// `@classmethod`.
    Class,
}

impl Value {
    /// No object at all: nothing reaches this place, or the name is not bound.
    pub const NOTHING: Self = Self(0);
    /// An unknown object.
    pub const UNKNOWN: Self = Self(1);
    /// `None`.
    pub const NONE: Self = Self(2);
}

/// More objects than this in one set are cut, and the set marked as unknown.
const MAX_SET: usize = 24;

/// What a value has somewhere inside of it. Values share their parts, so to look into all of them each time costs much more
/// than there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Results, or error values.
    pub errors: bool,
    /// Error values outside of results.
    pub faults: bool,
    /// Handles.
    pub handles: bool,
}

impl Inside {
    fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors || other.errors,
            faults: self.faults || other.faults,
            handles: self.handles || other.handles,
        }
    }
}

/// The arenas of objects and sets.
#[derive(Debug)]
pub struct Values {
    objs: Vec<Obj>,
    obj_ids: FxHashMap<Obj, ObjId>,
    /// What is inside of each object, results, tuples and variants looked into.
    obj_insides: Vec<Inside>,
    sets: Vec<Box<[ObjId]>>,
    set_insides: Vec<Inside>,
    set_ids: FxHashMap<Box<[ObjId]>, Value>,
    joins: FxHashMap<(Value, Value), Value>,
}

impl Default for Values {
    fn default() -> Self {
        let mut this = Self {
            objs: Vec::new(),
            obj_ids: FxHashMap::default(),
            obj_insides: Vec::new(),
            sets: Vec::new(),
            set_insides: Vec::new(),
            set_ids: FxHashMap::default(),
            joins: FxHashMap::default(),
        };
        let nothing = this.set(Vec::new());
        let unknown = this.one(Obj::Unknown);
        let none = this.one(Obj::None);
        debug_assert_eq!((nothing, unknown, none), (Value::NOTHING, Value::UNKNOWN, Value::NONE));
        this
    }
}

impl Values {
    /// Interns an object.
    pub fn obj(&mut self, obj: Obj) -> ObjId {
        if let Some(&id) = self.obj_ids.get(&obj) {
            return id;
        }
        let id = ObjId(self.objs.len() as u32);
        let inside = self.inside_of(&obj);
        self.obj_insides.push(inside);
        self.objs.push(obj.clone());
        self.obj_ids.insert(obj, id);
        id
    }

    fn inside_of(&self, obj: &Obj) -> Inside {
        let of = |value: &Value| self.set_insides[value.0 as usize];
        match obj {
            Obj::Handle(_) => Inside {
                handles: true,
                ..Inside::default()
            },
            Obj::Fault(_) => Inside {
                errors: true,
                faults: true,
                ..Inside::default()
            },
            Obj::Outcome(inner, _) => Inside {
                errors: true,
                faults: false,
                ..of(inner)
            },
            Obj::Tuple(items) | Obj::Variant(_, _, items) => items.iter().map(of).fold(Inside::default(), Inside::and),
            _ => Inside::default(),
        }
    }

    /// What is inside of the objects of a set.
    pub fn inside(&self, value: Value) -> Inside {
        self.set_insides[value.0 as usize]
    }

    /// The object behind an id.
    pub fn get(&self, id: ObjId) -> &Obj {
        &self.objs[id.0 as usize]
    }

    /// How many objects exist; a measure of the work done.
    pub fn count(&self) -> usize {
        self.objs.len()
    }

    /// The set of just this object.
    pub fn one(&mut self, obj: Obj) -> Value {
        let id = self.obj(obj);
        self.single(id)
    }

    /// The set of just this object.
    pub fn single(&mut self, id: ObjId) -> Value {
        self.set(vec![id])
    }

    /// The set of these objects.
    pub fn set(&mut self, mut objs: Vec<ObjId>) -> Value {
        objs.sort_unstable();
        objs.dedup();
        if objs.len() > MAX_SET {
            self.widen(&mut objs);
        }
        let key = objs.into_boxed_slice();
        if let Some(&id) = self.set_ids.get(&key) {
            return id;
        }
        let id = Value(self.sets.len() as u32);
        let insides = key.iter().map(|o| self.obj_insides[o.0 as usize]);
        let inside = insides.fold(Inside::default(), Inside::and);
        self.set_insides.push(inside);
        self.sets.push(key.clone());
        self.set_ids.insert(key, id);
        id
    }

    /// Drops constants first, then whatever came last.
    fn widen(&mut self, objs: &mut Vec<ObjId>) {
        let unknown = self.obj(Obj::Unknown);
        objs.retain(|&o| {
            !matches!(
                self.get(o),
                Obj::Int(_) | Obj::Str(..) | Obj::Number | Obj::Bool(_) | Obj::Record(..) | Obj::Tuple(_)
            )
        });
        objs.truncate(MAX_SET - 1);
        objs.push(unknown);
        objs.sort_unstable();
        objs.dedup();
    }

    /// The objects of a set.
    pub fn objs(&self, value: Value) -> &[ObjId] {
        &self.sets[value.0 as usize]
    }

    /// The objects of a set, as a copy that outlives changes.
    pub fn list(&self, value: Value) -> Vec<ObjId> {
        self.objs(value).to_vec()
    }

    /// The union.
    pub fn join(&mut self, a: Value, b: Value) -> Value {
        if a == b || b == Value::NOTHING {
            return a;
        }
        if a == Value::NOTHING {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(&id) = self.joins.get(&key) {
            return id;
        }
        let mut objs = self.list(a);
        objs.extend_from_slice(self.objs(b));
        let id = self.set(objs);
        self.joins.insert(key, id);
        id
    }

    /// The only object of a set.
    pub fn only(&self, value: Value) -> Option<&Obj> {
        match self.objs(value) {
            [one] => Some(self.get(*one)),
            _ => None,
        }
    }

    /// The set with constants replaced by what they are in general, for contexts that need not be told apart.
    pub fn without_constants(&mut self, value: Value) -> Value {
        let objs = self
            .list(value)
            .into_iter()
            .map(|o| match self.get(o) {
                Obj::Int(_) => self.obj(Obj::Number),
                Obj::Str(..) => self.obj(Obj::Str(None, None)),
                Obj::Bool(_) => self.obj(Obj::Bool(None)),
                Obj::Record(..) => self.obj(Obj::Unknown),
                _ => o,
            })
            .collect();
        self.set(objs)
    }

    /// True if something unknown may be in it.
    pub fn may_be_unknown(&self, value: Value) -> bool {
        self.objs(value).iter().any(|&o| matches!(self.get(o), Obj::Unknown))
    }

    /// True if nothing at all is known of it.
    pub fn is_unknown(&self, value: Value) -> bool {
        self.objs(value)
            .iter()
            .all(|&o| matches!(self.get(o), Obj::Unknown | Obj::None))
    }

    /// The text if it is one known string.
    pub fn text(&self, value: Value) -> Option<Symbol> {
        match self.only(value)? {
            Obj::Str(text, _) => *text,
            _ => None,
        }
    }

    /// Whether it is true in a condition, if that is known of every object.
    pub fn truth(&self, value: Value) -> Option<bool> {
        let mut all = None;
        for &obj in self.objs(value) {
            let one = match self.get(obj) {
                Obj::None => false,
                Obj::Bool(Some(b)) => *b,
                Obj::Int(i) => *i != 0,
                Obj::Str(Some(s), _) => !s.as_str().is_empty(),
                Obj::Tuple(items) => !items.is_empty(),
                Obj::Handle(_) | Obj::Func(..) | Obj::Bound(..) | Obj::Class(_) | Obj::Method(..) | Obj::Module(_) => {
                    true
                }
                _ => return None,
            };
            if all.is_some_and(|a| a != one) {
                return None;
            }
            all = Some(one);
        }
        all
    }
}
