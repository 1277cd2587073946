//! Where the error of a lost connection goes.
//!
//! An abstract interpreter over the core: it evaluates the modules, then every function that nothing calls, on sets of
//! objects. A call gives a summary (what it returns, which errors get out); a guard takes errors out of the stream of
//! its body. What is left at an entry point has escaped. Evaluation is repeated until the heap (attributes, globals,
//! containers) no longer grows.
//!
//! In: modules, knowledge. Out: [`Outcomes`]: per call site what stops its error and how it escapes.
//! May not know: syntax trees, any library by name, rules, reports.

mod attr;
mod call;
mod class;
mod codes;
pub mod configure;
mod eval;
mod exec;
pub mod flight;
mod guard;
mod library;
pub mod log;
mod names;
mod order;
pub mod repeat;
mod retry;
mod roots;
pub mod rust;
mod settings;
mod standard;
pub mod verdict;

pub use eval::is_common as is_common_method;

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::core::{ExprId, Func, Module, Span, Symbol};
use crate::findings::Confidence;
use crate::knowledge::{Knowledge, LibId, SpecId, TypeId};
use crate::resolve::program::{Assumed, World};
use crate::resolve::value::{
    ActId, ClassRef, EnvId, ExprRef, FuncRef, Handle, Made, Obj, ObjId, OptionsId, PendingId, UnitId, Value, Values,
};
use flight::{Around, Entry, Escape, Flight, PathId, Paths, Place, SiteId, Sites, Stop};

/// Calls nested deeper than this are not followed.
const MAX_DEPTH: usize = 48;
/// Activations evaluated in one round, over the whole program; more are unknown.
const MAX_ACTIVATIONS: usize = 400_000;
/// Contexts of one function with constants told apart; more get the constants dropped.
const CONSTANT_CONTEXTS: u32 = 12;
/// Contexts of one function; more are answered by an unknown value without errors.
const MAX_CONTEXTS: u32 = 160;
/// Rounds until the heap must have settled.
const MAX_ROUNDS: usize = 4;

/// A variable scope.
#[derive(Debug, Default)]
struct Env {
    vars: FxHashMap<Symbol, Value>,
    parent: Option<EnvId>,
    /// Names declared `global` or `nonlocal` here, and the scope that they live in.
    elsewhere: FxHashMap<Symbol, EnvId>,
    /// Class bodies are not seen from the functions in them.
    is_class: bool,
}

/// What a scope belongs to; the same key always gives the same scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum EnvKey {
    Module(UnitId),
    Class(ClassRef),
    Act(ActId),
    Comprehension(ExprRef, EnvId),
    /// Rust: a closure with the values of the names that it mentions.
    Captured(ExprRef, Rc<[(Symbol, Value)]>),
}

/// A function, the scope it closes over and its arguments, one value per parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Act {
    func: FuncRef,
    env: EnvId,
    /// The class it was found in and the object, for `super()`.
    owner: Option<ClassRef>,
    args: Vec<Value>,
}

/// What an evaluated activation does.
#[derive(Clone, Debug)]
struct Summary {
    ret: Value,
    yields: Value,
    flights: Rc<[Flight]>,
    /// It never returns normally.
    diverges: bool,
    /// What happens in it, for those who look at a stretch of the program.
    events: Rc<[log::Event]>,
    /// What it raises explicitly.
    raises: Rc<[Raise]>,
    /// Errors that a handler in it received and that it gives back as values: a caller may raise them.
    kept: Rc<[(Flight, Place)]>,
    /// Rust: what happens to connections in it.
    connections: Rc<[rust::storage::Event]>,
    /// Rust: it waits for what never ends.
    endless: bool,
    /// A question about an error had a definite answer in it.
    decided: bool,
}

/// An explicit raise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Raise {
    /// The error being handled.
    Same,
    /// Another exception of this class.
    Class(ObjId),
    /// Something unknown.
    Opaque,
    /// An answer to whoever asked: handled.
    Answer,
}

/// A handler being evaluated.
#[derive(Debug, Default)]
struct HandlerState {
    /// The name that the exception is bound to.
    name: Option<Symbol>,
    /// Some path leaves the handler without raising.
    completes: bool,
    /// Some path goes on with what follows, or with the next pass of the loop.
    goes_on: bool,
    /// A test of the exception says that it is none of those that the handler is for.
    misses: bool,
    /// A test of the exception, of which it can't be told what it says of a loss.
    unclear: bool,
    /// The libraries whose losses are received, if nothing else is.
    losses: Vec<LibId>,
    /// Variables that hold a part of the exception.
    parts: Vec<Symbol>,
    /// What the raising paths raise.
    raises: Vec<Raise>,
    /// Loops open when it was entered.
    loops: usize,
}

/// A loop being evaluated.
#[derive(Debug, Default)]
struct LoopState {
    /// The log of makings when the loop was entered.
    log: Option<log::Mark>,
    /// Retries whose handler goes on with what follows in the body: a wait there is on the way to the next attempt.
    retries: Vec<(Place, log::Mark)>,
    /// Evaluated for each of its elements.
    told_apart: bool,
    caught: Caught,
    breaks: Vec<State>,
    continues: Vec<State>,
    rust: rust::Around,
}

/// What was done to objects, and in which functions: it holds in what those call.
type Noted = FxHashSet<(ObjId, Option<FuncRef>)>;

/// Lost connections that handlers in a loop's body received; `true`: and the loop goes on.
type Caught = FxHashMap<SiteId, bool>;

/// What changes from statement to statement.
#[derive(Clone, Debug, Default)]
struct State {
    vars: FxHashMap<Symbol, Value>,
    fields: FxHashMap<(ObjId, Symbol), Value>,
    dead: bool,
}

/// A function or module body being evaluated.
#[derive(Debug)]
struct Frame {
    unit: UnitId,
    module: Arc<Module>,
    env: EnvId,
    func: Option<FuncRef>,
    owner: Option<ClassRef>,
    first: Option<Value>,
    /// Attributes written here, before they reach the heap.
    fields: FxHashMap<(ObjId, Symbol), Value>,
    dead: bool,
    /// Where in the log its body begins.
    begin: log::Mark,
    ret: Value,
    yields: Value,
    flights: Vec<Flight>,
    /// The lazy objects made here or by what was called, and what encloses the making.
    made: FxHashMap<ExprRef, Vec<Around>>,
    raises: Vec<Raise>,
    handlers: Vec<HandlerState>,
    loops: Vec<LoopState>,
    /// Errors thrown into a context manager's generator at its `yield`.
    thrown: Option<Vec<Flight>>,
    /// Open transactions.
    transactions: usize,
    /// Context managers entered by a call, and the object that leaves them.
    entered: Vec<(ObjId, Value)>,
    /// Options that a `with` around the current place turns on, in lower case.
    turned_on: Vec<String>,
    rust: rust::Local,
    /// Call sites that a loop of this body retries: trying once more after it is its last attempt.
    retried: Vec<SiteId>,
    /// Call sites that a loop of this body would repeat for other errors: trying once more after it is its last attempt, too.
    missed: Vec<(SiteId, flight::Note)>,
    /// Errors that a handler received under a name, and where: the name may be raised later.
    kept: Vec<(Flight, Place)>,
}

impl Frame {
    fn is_python(&self) -> bool {
        self.module.language == crate::core::Language::Python
    }

    /// What is tried for the last time after a loop that does not repeat it after this error.
    fn note_missed(&self, flight: &mut Flight) {
        if flight.making.is_none()
            && flight.notes.is_empty()
            && let Some((_, note)) = self.missed.iter().find(|(site, _)| *site == flight.site)
        {
            flight.notes.push(note.clone());
        }
    }
}

/// An inner method of a driver that the program replaced by a function of its own.
#[derive(Clone, Copy, Debug)]
struct Funnel {
    ty: TypeId,
    name: Symbol,
    /// The method's path, by which the function calls it.
    original: Symbol,
    func: ObjId,
}

/// A library's guard: a retry decorator, a proxy.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The library.
    pub lib: LibId,
    /// Its function.
    pub name: String,
    /// Classes it catches (objects of [`Values`]); `None` stands for every exception.
    pub covers: Option<Vec<ObjId>>,
    /// Caught unless among these.
    pub not: Vec<ObjId>,
    /// A predicate function to ask.
    pub predicates: Vec<Value>,
    /// Where it is configured.
    pub place: Place,
    /// It repeats the call.
    pub retries: bool,
    /// The attempts are limited.
    pub limited: bool,
    /// It waits between attempts.
    pub waits: bool,
    /// After the last attempt it returns quietly.
    pub silent: bool,
}

/// A round trip prepared by an asynchronous driver's method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    at: ExprRef,
    recv: ObjId,
    spec: SpecId,
    trip: Option<Symbol>,
    gives: Value,
    repeat: (Option<crate::knowledge::Repeat>, Option<ExprRef>),
    args: Vec<Value>,
    kw: Vec<(Symbol, Value)>,
}

/// A constructor call of a library's type.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The call.
    pub at: ExprRef,
    /// What it makes.
    pub ty: TypeId,
    /// What is known of the options: name in lower case, and the value as text if known.
    pub options: Vec<(String, Option<String>)>,
    /// There may be options that could not be read (`**kwargs`, an unknown connection string).
    pub open_ended: bool,
    /// The connection string, with U+FFFD for unknown parts.
    pub uri: Option<String>,
    /// Where an option stands, by name: its own argument.
    pub places: Vec<(String, Place)>,
    /// The function around it.
    pub func: Option<FuncRef>,
}

/// A read of an environment variable by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvRead {
    /// Where the read is reported.
    pub place: Place,
    /// The variable.
    pub name: String,
    /// True if the mapping or function is known to read the environment.
    pub certain: bool,
}

/// What happened to the error of one call site.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// What stopped it, on the paths where something did.
    pub stops: Vec<Stop>,
    /// How it got away, on the paths where nothing did.
    pub escapes: Vec<Escape>,
    /// The driver itself repeats it until it succeeds.
    pub heals: bool,
}

/// The result of the analysis.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// The call sites.
    pub sites: Sites,
    /// By [`SiteId`].
    pub fates: Vec<Fate>,
    /// Chains of calls.
    pub paths: Paths,
    /// Makings of lazy objects that a guard encloses, and the guard.
    pub guarded_makings: FxHashMap<ExprRef, Vec<Stop>>,
    /// Guards that enclose the making of a lazy object.
    pub making_guards: Vec<Stop>,
    /// Makings of lazy objects that left the program's functions past no guard.
    pub bare_makings: FxHashSet<ExprRef>,
    /// Constructor calls.
    pub openings: Vec<Opening>,
    /// Options given or left out, and parts known not to work.
    pub configured: Vec<configure::Configured>,
    /// Connections that outlive a unit of work and are never replaced: the opening, and calls on it.
    pub kept: Vec<log::Kept>,
    /// Calls that revive a connection while a transaction is open on it.
    pub revived_within: Vec<ExprRef>,
    /// The kind of each opening's connection.
    pub kinds: FxHashMap<ExprRef, crate::knowledge::Connection>,
    /// Libraries whose ambient connections outlive a unit of work.
    pub pooled_ambient: FxHashSet<LibId>,
    /// Makers of connections that are none themselves (`sessionmaker(engine)`), and what they were made from.
    pub factories: FxHashMap<ExprRef, ExprRef>,
    /// Where objects are made that open no connection: documents, queries.
    pub makings: FxHashSet<ExprRef>,
    /// Openings whose object outlives the unit of work, replaced or not.
    pub outliving: FxHashSet<ExprRef>,
    /// Environment variables read.
    pub env_reads: Vec<EnvRead>,
    /// Retries met.
    pub retried: Vec<repeat::Retried>,
    /// Library guards by [`crate::resolve::value::GuardId`].
    pub guards: Vec<Guard>,
    /// Names of the exceptions in notes and flights.
    pub functions_evaluated: usize,
    /// The work limit was reached; some code was not followed.
    pub truncated: bool,
}

/// Where a registered function is called from.
#[derive(Clone, Debug)]
struct Registered {
    func: ObjId,
    spec: SpecId,
    scope: Option<ExprRef>,
}

/// What a settings module registers by its dotted path.
#[derive(Clone, Copy, Debug)]
struct Listed<'w> {
    /// `shop.middleware.Shield`
    path: Symbol,
    /// The settings module.
    unit: UnitId,
    lib: LibId,
    registers: &'w crate::knowledge::Registers,
}

/// So many objects are told apart in what one line of their methods makes.
const MAX_OWNERS: usize = 4;

/// So many guards around the making of one lazy object are remembered.
const MAX_GUARDED_MAKINGS: usize = 16;

/// An application-wide handler of exceptions.
#[derive(Clone, Debug)]
struct AppHandler {
    classes: Value,
    lib: LibId,
    place: Place,
    scope: Option<ExprRef>,
}

/// The interpreter.
struct Interp<'w> {
    world: &'w mut dyn World,
    k: &'w Knowledge,
    v: Values,
    envs: Vec<Env>,
    env_ids: FxHashMap<EnvKey, EnvId>,
    modules_done: FxHashMap<UnitId, bool>,
    module_list: Vec<UnitId>,
    heap: FxHashMap<ObjId, FxHashMap<Symbol, Value>>,
    /// By the name of an attribute: what the program stores there, in whatever object.
    stored: FxHashMap<Symbol, Value>,
    heap_changed: bool,
    first_round: bool,
    /// By a condition on a parameter: the branches that contexts took (bit 0: false, bit 1: true).
    branches: FxHashMap<ExprRef, u8>,
    classes: FxHashMap<ClassRef, class::ClassInfo>,
    class_list: Vec<ClassRef>,
    subclasses: FxHashMap<ClassRef, Vec<ClassRef>>,
    instances: FxHashMap<ClassRef, Vec<ObjId>>,
    methods_by_name: FxHashMap<Symbol, Vec<FuncRef>>,
    func_class: FxHashMap<FuncRef, ClassRef>,
    frames: Vec<Frame>,
    acts: Vec<Act>,
    act_ids: FxHashMap<Act, ActId>,
    memo: FxHashMap<ActId, Summary>,
    /// What each activation returned in the round before: what a recursive call of one still running is taken to give.
    returned: FxHashMap<ActId, Value>,
    running: FxHashMap<ActId, bool>,
    contexts: FxHashMap<(FuncRef, EnvId), u32>,
    called: FxHashSet<FuncRef>,
    closures: FxHashMap<FuncRef, Vec<EnvId>>,
    /// What the condition at hand is in this context and in all others so far, if the other branch is to be followed too.
    foreseen: Option<bool>,
    /// The keys by which options name a method of a type: made once.
    method_keys: FxHashMap<(TypeId, SpecId), Rc<[Symbol]>>,
    /// By decorated function: those that its decorators define around it.
    wrappers: FxHashMap<FuncRef, Vec<ObjId>>,
    defaults: FxHashMap<(FuncRef, EnvId), Rc<[Value]>>,
    pendings: Vec<Pending>,
    pending_ids: FxHashMap<Pending, PendingId>,
    options: Vec<Vec<(String, Option<String>)>>,
    assumed: FxHashMap<(UnitId, LibId), Rc<Assumed>>,
    registered: Vec<Registered>,
    app_handlers: Vec<AppHandler>,
    middlewares: Vec<(Value, SpecId, ExprRef)>,
    listed: Vec<Listed<'w>>,
    monkey: FxHashMap<(TypeId, Symbol), Value>,
    funnels: Vec<Funnel>,
    /// While such a function is evaluated: the method that it stands for, and what that raises.
    in_funnel: Option<(Symbol, Flight)>,
    /// The objects that are told apart in what an expression makes.
    owners: FxHashMap<ExprRef, Vec<ObjId>>,
    /// Wrappers that took the place of what the body of a class defines, in this round so far.
    wrapped: FxHashMap<(ClassRef, Symbol), Value>,
    out: Outcomes,
    activations: usize,
    /// What is around something calls it: the errors of that, and how often it did.
    next: Vec<Flight>,
    next_calls: usize,
    /// What registered functions are besides.
    becomes: FxHashMap<FuncRef, TypeId>,
    spawned: Vec<(Value, ExprRef, bool)>,
    /// The context managers that errors are thrown into right now, outermost first.
    throwing: Vec<ActId>,
    joined: FxHashSet<ExprRef>,
    decorator_scopes: FxHashMap<ExprRef, Option<ExprRef>>,
    retries: FxHashMap<UnitId, retry::Retries>,
    /// What happened, in the order of evaluation.
    log: Vec<log::Event>,
    /// What is known of openings.
    units: log::Units,
    /// A function that a framework calls is being evaluated.
    in_hook: bool,
    /// Settings met: name, value, and the expression of the value.
    settings: Vec<(Symbol, Value, ExprRef)>,
    /// Constructors whose options may stand in settings: keys, arguments, place.
    awaiting: Vec<(Vec<Symbol>, call::Args, Option<ClassRef>, ExprRef)>,
    /// Generator functions whose `yield` waits.
    coroutine_funcs: FxHashSet<FuncRef>,
    /// Connections with a transaction open at the current place.
    open_transactions: FxHashSet<ExprRef>,
    /// Functions whose results are kept (`lru_cache`).
    cached_funcs: FxHashSet<FuncRef>,
    /// Calls that conditions of library files ask for, with their arguments.
    called_keys: FxHashMap<Symbol, Vec<call::Args>>,
    /// Names of modules being looked up, to stop at circles.
    looked_up: FxHashSet<(UnitId, Symbol)>,
    /// Tasks being joined.
    joining: Vec<Value>,
    /// Generator expressions being iterated.
    comprehensions: FxHashSet<ExprRef>,
    /// Where entries of dictionaries are set after their display: `OPTIONS["pool_size"] = 5`.
    entry_places: FxHashMap<(ObjId, Symbol), ExprRef>,
    /// Objects that queue nothing at the current place.
    immediate: Noted,
    /// Objects on which the first of their `immediate` methods was called, and where.
    watching: Noted,
    /// Objects being iterated.
    iterating: Vec<ObjId>,
    /// Expressions being evaluated.
    depth: usize,
    rust: rust::Rust,
    /// Where the project calls a driver's method that it replaced: the call site of what the replacement calls.
    patched_at: Option<ExprRef>,
    /// The log when the innermost library guard was entered.
    guard_mark: Option<log::Mark>,
}

/// Analyses the program.
pub fn run(world: &mut dyn World, knowledge: &Knowledge) -> Outcomes {
    let mut interp = Interp::new(world, knowledge);
    for round in 0..MAX_ROUNDS {
        interp.first_round = round == 0;
        interp.start_round();
        interp.evaluate_all();
        interp.conclude();
        if round > 0 && !interp.heap_changed {
            break;
        }
    }
    interp.out
}

impl<'w> Interp<'w> {
    fn new(world: &'w mut dyn World, k: &'w Knowledge) -> Self {
        Self {
            world,
            k,
            v: Values::default(),
            envs: Vec::new(),
            env_ids: FxHashMap::default(),
            modules_done: FxHashMap::default(),
            module_list: Vec::new(),
            heap: FxHashMap::default(),
            stored: FxHashMap::default(),
            heap_changed: false,
            first_round: true,
            branches: FxHashMap::default(),
            classes: FxHashMap::default(),
            class_list: Vec::new(),
            subclasses: FxHashMap::default(),
            instances: FxHashMap::default(),
            methods_by_name: FxHashMap::default(),
            func_class: FxHashMap::default(),
            frames: Vec::new(),
            acts: Vec::new(),
            act_ids: FxHashMap::default(),
            memo: FxHashMap::default(),
            returned: FxHashMap::default(),
            running: FxHashMap::default(),
            contexts: FxHashMap::default(),
            called: FxHashSet::default(),
            closures: FxHashMap::default(),
            foreseen: None,
            method_keys: FxHashMap::default(),
            wrappers: FxHashMap::default(),
            defaults: FxHashMap::default(),
            pendings: Vec::new(),
            pending_ids: FxHashMap::default(),
            options: vec![Vec::new()],
            assumed: FxHashMap::default(),
            registered: Vec::new(),
            app_handlers: Vec::new(),
            middlewares: Vec::new(),
            listed: Vec::new(),
            monkey: FxHashMap::default(),
            funnels: Vec::new(),
            in_funnel: None,
            owners: FxHashMap::default(),
            wrapped: FxHashMap::default(),
            out: Outcomes::default(),
            activations: 0,
            next: Vec::new(),
            next_calls: 0,
            becomes: FxHashMap::default(),
            spawned: Vec::new(),
            joined: FxHashSet::default(),
            throwing: Vec::new(),
            decorator_scopes: FxHashMap::default(),
            retries: FxHashMap::default(),
            log: Vec::new(),
            units: log::Units::default(),
            in_hook: false,
            settings: Vec::new(),
            awaiting: Vec::new(),
            coroutine_funcs: FxHashSet::default(),
            open_transactions: FxHashSet::default(),
            cached_funcs: FxHashSet::default(),
            called_keys: FxHashMap::default(),
            guard_mark: None,
            patched_at: None,
            joining: Vec::new(),
            comprehensions: FxHashSet::default(),
            entry_places: FxHashMap::default(),
            immediate: FxHashSet::default(),
            watching: FxHashSet::default(),
            iterating: Vec::new(),
            depth: 0,
            rust: rust::Rust::default(),
            looked_up: FxHashSet::default(),
        }
    }

    /// Forgets what the last round concluded, but not what it learned about the heap.
    fn start_round(&mut self) {
        self.heap_changed = false;
        self.modules_done.clear();
        self.returned = self.memo.drain().map(|(act, summary)| (act, summary.ret)).collect();
        self.wrapped.clear();
        self.contexts.clear();
        self.called.clear();
        self.registered.clear();
        self.app_handlers.clear();
        self.middlewares.clear();
        self.listed.clear();
        self.spawned.clear();
        self.log.clear();
        self.units = log::Units::default();
        self.called_keys.clear();
        self.settings.clear();
        self.awaiting.clear();
        self.rust.start_round();
        self.activations = 0;
        self.out = Outcomes {
            guards: std::mem::take(&mut self.out.guards),
            ..Outcomes::default()
        };
    }

    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("code is evaluated only inside a frame")
    }

    fn here(&self) -> &Frame {
        self.frames.last().expect("code is evaluated only inside a frame")
    }

    fn module(&self) -> Arc<Module> {
        Arc::clone(&self.here().module)
    }

    /// What identifies an object made here. Where many objects come to the same line, the later ones share what it makes.
    fn made(&mut self, at: ExprRef) -> Made {
        let frame = self.here();
        let this = frame.owner.and(frame.first).map(|first| self.v.objs(first));
        let owner = match this {
            Some(&[this]) => match self.v.get(this) {
                Obj::Instance(_, Some(made)) => Some(made.owner.unwrap_or(this)),
                _ => None,
            },
            _ => None,
        };
        let owner = owner.filter(|owner| {
            let known = self.owners.entry(at).or_default();
            if !known.contains(owner) && known.len() < MAX_OWNERS {
                known.push(*owner);
            }
            known.contains(owner)
        });
        Made { at, owner }
    }

    fn new_list(&mut self, at: ExprRef) -> ObjId {
        let made = self.made(at);
        self.v.obj(Obj::List(made))
    }

    fn new_dict(&mut self, at: ExprRef) -> ObjId {
        let made = self.made(at);
        self.v.obj(Obj::Dict(made))
    }

    fn expr_ref(&self, expr: ExprId) -> ExprRef {
        ExprRef {
            unit: self.here().unit,
            expr,
        }
    }

    fn place(&self, span: Span) -> Place {
        Place {
            unit: self.here().unit,
            span,
        }
    }

    fn place_of(&mut self, at: ExprRef) -> Place {
        let span = self
            .world
            .module(at.unit)
            .map_or_else(Span::default, |m| m.expr(at.expr).span);
        Place { unit: at.unit, span }
    }

    fn with_func<T>(&mut self, func: FuncRef, ask: impl FnOnce(&Func) -> T) -> Option<T> {
        self.world.module(func.unit).map(|m| ask(m.func(func.func)))
    }

    fn env(&mut self, key: EnvKey, parent: Option<EnvId>) -> EnvId {
        if let Some(&id) = self.env_ids.get(&key) {
            return id;
        }
        let id = EnvId(self.envs.len() as u32);
        self.envs.push(Env {
            parent,
            is_class: matches!(key, EnvKey::Class(_)),
            ..Env::default()
        });
        self.env_ids.insert(key, id);
        id
    }

    fn act(&mut self, act: Act) -> ActId {
        if let Some(&id) = self.act_ids.get(&act) {
            return id;
        }
        let id = ActId(self.acts.len() as u32);
        self.acts.push(act.clone());
        self.act_ids.insert(act, id);
        id
    }

    fn pending(&mut self, pending: Pending) -> PendingId {
        if let Some(&id) = self.pending_ids.get(&pending) {
            return id;
        }
        let id = PendingId(self.pendings.len() as u32);
        self.pendings.push(pending.clone());
        self.pending_ids.insert(pending, id);
        id
    }

    fn options_id(&mut self, options: Vec<(String, Option<String>)>) -> OptionsId {
        if let Some(found) = self.options.iter().position(|o| *o == options) {
            return OptionsId(found as u32);
        }
        self.options.push(options);
        OptionsId(self.options.len() as u32 - 1)
    }

    fn assumed(&mut self, unit: UnitId, lib: LibId) -> Rc<Assumed> {
        if let Some(known) = self.assumed.get(&(unit, lib)) {
            return Rc::clone(known);
        }
        let known = Rc::new(self.world.assumed(unit, lib));
        self.assumed.insert((unit, lib), Rc::clone(&known));
        known
    }

    /// Adds to what an attribute or container entry may hold.
    fn heap_join(&mut self, key: (ObjId, Symbol), value: Value) {
        if value == Value::NOTHING {
            return;
        }
        // The numbers of errors are a round's; what is kept carries none.
        let value = if self.rust_carries(value) {
            self.rust_stored(value)
        } else {
            value
        };
        let slot = self
            .heap
            .entry(key.0)
            .or_default()
            .entry(key.1)
            .or_insert(Value::NOTHING);
        let new = self.v.join(*slot, value);
        if new != *slot {
            *slot = new;
            self.heap_changed = true;
            if !key.1.as_str().starts_with(['[', '*', '<']) {
                let stored = self.stored.entry(key.1).or_insert(Value::NOTHING);
                *stored = self.v.join(*stored, value);
            }
        }
    }

    fn heap_get(&self, key: (ObjId, Symbol)) -> Option<Value> {
        self.heap.get(&key.0)?.get(&key.1).copied()
    }

    /// All entries of an object in the heap.
    fn heap_of(&self, obj: ObjId) -> impl Iterator<Item = (Symbol, Value)> + '_ {
        self.heap.get(&obj).into_iter().flatten().map(|(n, v)| (*n, *v))
    }

    // States: what branches copy and merge.

    fn save(&mut self) -> State {
        let env = self.here().env;
        State {
            vars: self.envs[env.0 as usize].vars.clone(),
            fields: self.here().fields.clone(),
            dead: self.here().dead,
        }
    }

    fn restore(&mut self, state: State) {
        let env = self.here().env;
        self.envs[env.0 as usize].vars = state.vars;
        let frame = self.frame();
        frame.fields = state.fields;
        frame.dead = state.dead;
    }

    /// Continues with either the current state or the other one.
    fn merge(&mut self, other: State) {
        if other.dead {
            return;
        }
        if self.here().dead {
            self.restore(other);
            return;
        }
        let env = self.here().env;
        for (name, value) in other.vars {
            let old = self.envs[env.0 as usize]
                .vars
                .get(&name)
                .copied()
                .unwrap_or(Value::NOTHING);
            let new = self.v.join(old, value);
            self.envs[env.0 as usize].vars.insert(name, new);
        }
        let missing: Vec<_> = self
            .here()
            .fields
            .keys()
            .filter(|k| !other.fields.contains_key(k))
            .copied()
            .collect();
        for key in missing {
            // Written on one way only: the other way keeps what was there before.
            let before = self.heap_get(key).unwrap_or(Value::NOTHING);
            let now = self.here().fields[&key];
            let joined = self.v.join(now, before);
            self.frame().fields.insert(key, joined);
        }
        for (key, value) in other.fields {
            let old = match self.here().fields.get(&key) {
                Some(&old) => old,
                None => self.heap_get(key).unwrap_or(Value::NOTHING),
            };
            let joined = self.v.join(old, value);
            self.frame().fields.insert(key, joined);
        }
    }

    /// Sends errors on outwards.
    fn emit(&mut self, mut flight: Flight) {
        self.arrive(&mut flight);
        let frame = self.frame();
        if flight.making.is_none() && frame.retried.contains(&flight.site) {
            return;
        }
        frame.note_missed(&mut flight);
        if !frame.flights.contains(&flight) {
            frame.flights.push(flight);
        }
    }

    /// Where the object was made or called for, what encloses its making is known.
    fn arrive(&mut self, flight: &mut Flight) {
        let frame = self.frame();
        // In Rust errors are values; the guards of a making are known by the object alone.
        if !frame.is_python() {
            return;
        }
        if let Some(made) = flight.making {
            let known = frame.made.entry(made).or_default();
            if !known.contains(&flight.around) {
                known.push(flight.around);
            }
        } else if let (Some(made), Around::Unknown) = (flight.created, flight.around)
            && let Some(known) = frame.made.get(&made)
        {
            flight.around = match known[..] {
                [Around::Guard(guard)] => Around::Guard(guard),
                _ => Around::Nothing,
            };
        }
    }

    /// A guard encloses the making of a lazy object. That goes on outwards as long as the object does.
    fn guard_making(&mut self, making: ExprRef, flight: &Flight, stop: Stop) {
        let outermost = self.frames.is_empty();
        if flight.around != Around::Unknown {
            // Something further in encloses it already.
            if !outermost {
                self.emit(flight.clone());
            }
            return;
        }
        let stops = self.out.guarded_makings.entry(making).or_default();
        if stops.len() < MAX_GUARDED_MAKINGS && !stops.contains(&stop) {
            stops.push(stop.clone());
        }
        if outermost || !self.here().is_python() {
            return;
        }
        let index = self
            .out
            .making_guards
            .iter()
            .position(|s| *s == stop)
            .unwrap_or_else(|| {
                self.out.making_guards.push(stop);
                self.out.making_guards.len() - 1
            });
        if let Some(known) = self.frame().made.get_mut(&making) {
            known.retain(|a| *a != flight.around);
        }
        let around = Around::Guard(u32::try_from(index).unwrap_or(u32::MAX));
        self.emit(Flight {
            around,
            ..flight.clone()
        });
    }

    fn fate(&mut self, site: SiteId) -> &mut Fate {
        let index = site.0 as usize;
        if self.out.fates.len() <= index {
            self.out.fates.resize_with(index + 1, Fate::default);
        }
        &mut self.out.fates[index]
    }

    fn stop(&mut self, flight: &Flight, stop: Stop) {
        if let Some(making) = flight.making {
            self.guard_making(making, flight, stop);
            return;
        }
        let fate = self.fate(flight.site);
        if !fate.stops.contains(&stop) {
            fate.stops.push(stop);
        }
    }

    fn escape(&mut self, flight: Flight, entry: Entry) {
        if let Some(making) = flight.making {
            let python = |m: Arc<Module>| m.language == crate::core::Language::Python;
            if flight.around == Around::Unknown && self.world.module(making.unit).is_some_and(python) {
                self.out.bare_makings.insert(making);
            }
            return;
        }
        let length = self.out.paths.length(flight.path);
        let site = flight.site;
        let known: Option<usize> = self.fate(site).escapes.iter().position(|e| e.flight.is_same(&flight));
        if let Some(index) = known {
            let old = &self.fate(site).escapes[index].flight;
            let (old, untaken) = (old.path, old.marks.untaken.is_some());
            if (untaken, self.out.paths.length(old)) <= (flight.marks.untaken.is_some(), length) {
                return;
            }
            self.fate(site).escapes[index] = Escape { flight, entry };
        } else {
            self.fate(site).escapes.push(Escape { flight, entry });
        }
    }

    /// The text of an expression, shortened to one line.
    fn text_of(&mut self, at: ExprRef) -> String {
        let Some(module) = self.world.module(at.unit) else {
            return String::new();
        };
        let text = self.world.text(at.unit);
        let span = module.expr(at.expr).span;
        let raw = text.get(span.range()).unwrap_or_default();
        let mut line: String = raw.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() > 60 {
            line = line.chars().take(57).collect::<String>() + "...";
        }
        line
    }

    fn confidence(handle: &Handle) -> Confidence {
        if handle.likely {
            Confidence::Likely
        } else {
            Confidence::Certain
        }
    }

    fn external(&mut self, path: &str) -> Value {
        let symbol = self.k.canonical(path);
        self.external_value(symbol)
    }

    /// What a canonical path of the outside denotes: mostly itself, or an object that a library holds there.
    fn external_value(&mut self, path: Symbol) -> Value {
        match self.k.item(path) {
            Some(crate::knowledge::Item::Object(ty)) => self.handle(ty, None),
            _ => self.v.one(Obj::External(path)),
        }
    }

    fn path_prepend(&mut self, at: ExprRef, rest: PathId) -> PathId {
        self.out.paths.prepend(at, rest)
    }
}
