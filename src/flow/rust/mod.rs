//! What is different in Rust: errors are values, names are paths, and a connection is lost where it lives.
//!
//! The interpreter is the same as for Python: sets of objects, summaries of functions, call sites and their fates. Here
//! a round trip gives an [`Obj::Outcome`], a `Result` with the errors that it may carry; `?` moves them into the result
//! of the function, a `match` takes them out. What is in the result of `main`, of a task or of a worker's endless loop
//! has escaped.
//!
//! - [`items`], [`paths`], [`impls`], [`objects`]: what names, paths, methods and fields denote;
//! - [`types`]: the values that declared types stand for;
//! - [`eval`], [`exec`], [`pattern`], [`branch`], [`narrow`], [`loops`]: expressions, statements, patterns, `match`, loops;
//! - [`call`], [`method`], [`roles`], [`library`]: calls, and what library files say about them;
//! - [`outcome`], [`faults`]: results, and questions about errors; [`outside`]: what is certainly not of the program;
//! - [`statics`], [`storage`]: what lives long, and connections that outlive a unit of work;
//! - [`roots`]: `main`, tasks, and what nothing calls; [`environment`]: variables read by attributes.

mod branch;
mod call;
mod environment;
mod eval;
mod exec;
mod faults;
mod impls;
mod items;
mod library;
mod loops;
mod method;
mod narrow;
mod objects;
mod outcome;
mod outside;
mod paths;
mod pattern;
mod roles;
mod roots;
mod statics;
pub mod storage;
mod types;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

pub(super) use paths::Holder;

use super::flight::{Flight, Note, Place, SiteId, Stop};
use super::log::Mark;
use crate::core::{ClassId, ExprId, FuncId, ImplId, Symbol};
use crate::resolve::value::{ClassRef, ExprRef, FuncRef, Handle, OptionsId, OutcomeId, UnitId, Value};

/// What the interpreter knows of the Rust side of the program.
#[derive(Debug, Default)]
pub(super) struct Rust {
    /// The items of every file that was read.
    units: FxHashMap<UnitId, Rc<items::Unit>>,
    /// Those files in the order of reading.
    unit_list: Vec<UnitId>,
    /// The module that declares a file, and the inline module in it.
    parents: FxHashMap<UnitId, (UnitId, Option<ClassId>)>,
    /// `impl` blocks that were read, but not entered below.
    new_impls: Vec<(UnitId, ImplId)>,
    /// Methods by type and name: inherent ones first.
    methods: FxHashMap<(ClassRef, Symbol), Vec<FuncRef>>,
    /// Constants by type and name: where they stand, and their values.
    consts: FxHashMap<(ClassRef, Symbol), (UnitId, ImplId, ExprId)>,
    /// Traits of the program that a type implements.
    traits: FxHashMap<ClassRef, Vec<ClassRef>>,
    /// Traits of the outside that a type implements, by path.
    outside_traits: FxHashMap<ClassRef, Vec<Symbol>>,
    /// Types that implement a trait of the program.
    implementors: FxHashMap<ClassRef, Vec<impls::SelfType>>,
    /// Methods that the program adds to types of the outside, by name.
    extensions: FxHashMap<Symbol, Vec<(impls::SelfType, FuncRef)>>,
    /// The `impl` block of a function gives its `Self`.
    self_types: FxHashMap<(UnitId, ImplId), impls::SelfType>,
    /// Names that were looked up.
    lookups: paths::Lookups,
    /// Aliases and annotations being followed.
    following: usize,
    /// Statics whose initial value was evaluated in this round.
    statics_done: FxHashSet<(UnitId, ExprId)>,
    /// The names that a closure mentions.
    mentioned: FxHashMap<UnitId, Rc<FxHashMap<FuncId, Vec<Symbol>>>>,
    /// Sets of errors that results carry.
    outcomes: Vec<Rc<[Flight]>>,
    outcome_ids: FxHashMap<Rc<[Flight]>, OutcomeId>,
    /// How often a question about an error had a definite answer.
    decided: usize,
    /// How often something was asked for its next element that never ends.
    endless_met: usize,
    /// How often a function of the program was called.
    entered: usize,
    /// How often an error went on with `?`.
    propagated: usize,
    /// Tasks and the errors of theirs that somebody received.
    answered: FxHashSet<(ExprRef, SiteId)>,
    /// Connections: see [`storage`].
    storage: storage::Storage,
    /// Library methods on results, values and callables, by file and kind.
    common: FxHashMap<(UnitId, &'static str), Rc<[crate::knowledge::TypeId]>>,
    /// The options that builders have collected.
    collected: FxHashMap<OptionsId, Vec<(Symbol, Value)>>,
    /// The places of options that builders have collected, and what was put inside of what they built.
    option_places: FxHashMap<OptionsId, Vec<Place>>,
    insides: FxHashMap<Place, FxHashSet<crate::knowledge::LibId>>,
    /// Objects awaited in the task being evaluated.
    awaited: Vec<Handle>,
}

impl Rust {
    pub(super) fn start_round(&mut self) {
        self.statics_done.clear();
        self.lookups = paths::Lookups::default();
        self.answered.clear();
        self.storage.start_round();
    }
}

/// What a frame of Rust code has besides.
#[derive(Debug, Default)]
pub(super) struct Local {
    /// Where names are looked up, innermost first.
    scopes: Rc<[paths::Scope]>,
    /// The part of the file that the code belongs to.
    holder: Holder,
    /// What `Self` is.
    self_type: Option<Value>,
    /// Type parameters and what they stand for.
    generics: Vec<(Symbol, Value)>,
    /// Names bound in the open blocks, with what they hid.
    hidden: Vec<Vec<(Symbol, Option<Value>)>>,
    /// Arms being evaluated that received an error.
    arms: Vec<Arm>,
    /// The place that a local name was taken from (`let mut c = self.conn.lock()`).
    aliases: FxHashMap<Symbol, ExprId>,
    /// What local names were bound to last.
    made: FxHashMap<Symbol, ExprId>,
    /// Conditions `x.is_none()` that hold here, as written.
    empty: Vec<String>,
    /// Local names of objects of types that nothing is known of, and that are not the program's.
    outside: FxHashSet<Symbol>,
    /// The calls that bounded retries repeat, where these end, and what they stop.
    tried: Vec<(String, u32, Stop)>,
    /// Declared wrappers of local names, outermost first.
    declared: FxHashMap<Symbol, Rc<[crate::knowledge::TypeId]>>,
}

impl Local {
    /// The body of a function.
    pub(super) fn enter(&mut self, scopes: Rc<[paths::Scope]>, func: FuncId) {
        self.scopes = scopes;
        self.holder = Holder::Func(func);
    }
}

/// An arm that received errors.
#[derive(Debug)]
struct Arm {
    /// What it received.
    flights: Vec<Flight>,
    /// Loops open when it was entered.
    loops: usize,
    /// Some path leaves it without the error.
    completes: bool,
    /// Some path goes on with the next pass of a loop.
    continues: bool,
    /// Call sites whose error leaves it.
    passed: FxHashSet<SiteId>,
    /// A test of the error in it that failed, on the way to the errors that leave.
    missed: Option<Note>,
}

/// What a loop of Rust code has besides.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// The values of its `break`s.
    value: Option<Value>,
    /// It goes on until the program ends: where it is.
    worker: Option<Place>,
    /// Results taken apart in it whose error arm goes on.
    handled: Vec<Handled>,
    /// It has no condition, or never ends.
    endless: bool,
    /// The number of passes is limited.
    limited: bool,
    /// The function returns from inside, other than with an error.
    returned: bool,
    /// It waits for something to do, in its own body.
    pub(in crate::flow) waits: bool,
    /// It is left with something that it was after: it is no worker's.
    gives: bool,
    /// Blocks open when it was entered.
    level: usize,
}

/// An arm in a loop that received errors and goes on.
#[derive(Debug)]
struct Handled {
    flights: Vec<Flight>,
    stop: Stop,
    /// Success leaves the loop at the same place.
    success_leaves: bool,
    /// The arm skips the rest of the pass.
    skips_rest: bool,
    /// Some path gives up.
    gives_up: bool,
    waited: bool,
    mark: Mark,
}
