//! Errors on their way: what flies, from where, past which guards, along which calls.

use rustc_hash::FxHashMap;

use crate::core::{Span, Symbol};
use crate::findings::Confidence;
use crate::knowledge::{LibId, Repeat, Retry, SpecId, TypeId};
use crate::resolve::value::{ExprRef, FuncRef, GuardId, ObjId, UnitId};

/// A place in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub unit: UnitId,
    /// The bytes.
    pub span: Span,
}

/// Index of a call site in [`Sites`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

/// An expression at which the program waits for the database.
#[derive(Clone, Debug)]
pub struct Site {
    /// The expression.
    pub at: ExprRef,
    /// Where it is.
    pub place: Place,
    /// The library whose object it is called on.
    pub lib: LibId,
    /// The driver whose version and errors count.
    pub driver: LibId,
    /// The operation's name as the project writes it.
    pub operation: Symbol,
    /// Iteration of a lazy object.
    pub iteration: bool,
    /// The receiver's type.
    pub ty: Option<TypeId>,
    /// The receiver as written, or what is iterated.
    pub receiver: String,
    /// The call as people read it, without its arguments: `orders.find_one`, `orders[0]`.
    pub call: String,
    /// It only reads, as far as the driver's description of the operation tells.
    pub reads: bool,
    /// The least that the driver repeats it, over all contexts.
    pub retry: Retry,
    /// The least sure of its contexts.
    pub confidence: Confidence,
    /// Where the connection behind it was opened.
    pub origin: Option<ExprRef>,
    /// What the opening was made from.
    pub under: Option<ExprRef>,
    /// What repeating it does, with the arguments looked at: never `Updates` or `Statement`.
    pub repeat: Option<Repeat>,
    /// For an insert: the display of the document without a key of its own.
    pub document: Option<ExprRef>,
    /// Takes one item of an iteration that goes on elsewhere.
    pub steps: bool,
    /// Inside an open transaction.
    pub in_transaction: bool,
    /// The function around it.
    pub func: Option<FuncRef>,
    /// Rust: where its result is unwrapped.
    pub panics: Option<Place>,
}

/// All call sites met in this round.
#[derive(Debug, Default)]
pub struct Sites {
    list: Vec<Site>,
    ids: FxHashMap<ExprRef, SiteId>,
}

impl Sites {
    /// Adds a site or weakens the known one by what this context says.
    pub fn add(&mut self, site: Site) -> SiteId {
        if let Some(&id) = self.ids.get(&site.at) {
            let known = &mut self.list[id.0 as usize];
            known.retry = known.retry.min(site.retry);
            known.confidence = known.confidence.max(site.confidence);
            known.in_transaction |= site.in_transaction;
            known.repeat = known.repeat.max_of(site.repeat);
            if known.document.is_none() {
                known.document = site.document;
            }
            known.under = known.under.or(site.under);
            known.steps |= site.steps;
            if known.origin.is_none() {
                known.origin = site.origin;
            }
            return id;
        }
        let id = SiteId(self.list.len() as u32);
        self.ids.insert(site.at, id);
        self.list.push(site);
        id
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True if none was met.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The site behind an id.
    pub fn get(&self, id: SiteId) -> &Site {
        &self.list[id.0 as usize]
    }

    /// To change a site.
    pub fn get_mut(&mut self, id: SiteId) -> &mut Site {
        &mut self.list[id.0 as usize]
    }

    /// All sites.
    pub fn iter(&self) -> impl Iterator<Item = (SiteId, &Site)> {
        self.list.iter().enumerate().map(|(i, s)| (SiteId(i as u32), s))
    }
}

trait MaxRepeat {
    fn max_of(self, other: Self) -> Self;
}

impl MaxRepeat for Option<Repeat> {
    /// The worse of two: something over nothing, a change over the same.
    fn max_of(self, other: Self) -> Self {
        match (self, other) {
            (None | Some(Repeat::Same), Some(_)) => other,
            _ => self,
        }
    }
}

/// What flies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The driver's own error for a lost connection: all of these classes, or any one of them if the flag is set.
    Loss(LibId, Vec<Symbol>, bool),
    /// What a handler made of it: an exception class of the project or of a library.
    Raised(ObjId),
    /// A handler raised something that is not known.
    Opaque,
}

/// Why a guard on the way did not stop it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Its classes do not cover the error.
    Missed {
        /// The handler's header, or the guard.
        handler: Place,
        /// Its classes as written.
        classes: String,
        /// They cover a part of it.
        part: bool,
        /// A name that never fires or does not exist, and why.
        lookalike: Option<String>,
        /// A guard close enough to count as one: in the same function, or naming something of the driver.
        near: bool,
        /// It names errors of connections: a database library's, the system's.
        about: bool,
    },
    /// It raised the error again or another one in its place.
    Reraised {
        /// The handler's header.
        handler: Place,
        /// What it raises, if another class.
        raised: Option<String>,
    },
    /// A guard with a class that could not be read; counts as if it covered.
    Unclear(Place),
}

/// Index of a path in [`Paths`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(u32);

impl PathId {
    /// The empty path.
    pub const EMPTY: Self = Self(0);
}

/// Chains of calls from an entry point inwards, sharing their tails.
#[derive(Debug)]
pub struct Paths {
    nodes: Vec<(ExprRef, PathId, u32)>,
    ids: FxHashMap<(ExprRef, PathId), PathId>,
}

impl Default for Paths {
    fn default() -> Self {
        let nowhere = ExprRef {
            unit: UnitId(u32::MAX),
            expr: crate::core::ExprId(0),
        };
        Self {
            nodes: vec![(nowhere, PathId::EMPTY, 0)],
            ids: FxHashMap::default(),
        }
    }
}

impl Paths {
    /// The path that first makes this call and then goes on along `rest`.
    pub fn prepend(&mut self, call: ExprRef, rest: PathId) -> PathId {
        if let Some(&id) = self.ids.get(&(call, rest)) {
            return id;
        }
        let id = PathId(self.nodes.len() as u32);
        self.nodes.push((call, rest, self.length(rest) + 1));
        self.ids.insert((call, rest), id);
        id
    }

    /// The path without its first step if that is this call.
    pub fn without(&self, path: PathId, call: ExprRef) -> PathId {
        let (first, rest, _) = self.nodes[path.0 as usize];
        if path != PathId::EMPTY && first == call {
            rest
        } else {
            path
        }
    }

    /// How many calls.
    pub fn length(&self, path: PathId) -> u32 {
        self.nodes[path.0 as usize].2
    }

    /// The calls from the outermost inwards.
    pub fn calls(&self, mut path: PathId) -> Vec<ExprRef> {
        let mut calls = Vec::new();
        while path != PathId::EMPTY {
            let (call, rest, _) = self.nodes[path.0 as usize];
            calls.push(call);
            path = rest;
        }
        calls
    }
}

/// An error on its way out of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flight {
    /// Where it started.
    pub site: SiteId,
    /// What flies now.
    pub error: Error,
    /// No error yet, but the making of a lazy object: the expression that made it. Guards that catch this are
    /// remembered, and it goes no further.
    pub making: Option<ExprRef>,
    /// At a lazy object's round trip: the expression that made the object.
    pub created: Option<ExprRef>,
    /// What encloses the making of that object, and nothing of its use.
    pub around: Around,
    /// Guards passed, innermost first.
    pub notes: Vec<Note>,
    /// It has left an endless loop on its way.
    pub ends_loop: bool,
    /// The calls between here and the site, outermost first.
    pub path: PathId,
    /// What else is known of its way.
    pub marks: Marks,
}

impl Flight {
    /// The same error in the same state, perhaps along another path.
    pub fn is_same(&self, other: &Self) -> bool {
        self.site == other.site
            && self.error == other.error
            && self.notes == other.notes
            && self.created == other.created
            && self.around == other.around
            && self.ends_loop == other.ends_loop
            && self.making == other.making
    }
}

/// What encloses the making of a lazy object alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Around {
    /// No function on the way has made the object, so far.
    #[default]
    Unknown,
    /// The function that made it, or called for it, has no guard there.
    Nothing,
    /// A guard, by its index in [`crate::flow::Outcomes::making_guards`].
    Guard(u32),
}

/// What else is known of an error's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks {
    /// It came out of the result of a task that was joined: where that was started.
    pub task: Option<ExprRef>,
    /// It ended a worker's endless loop.
    pub worker: Option<Place>,
    /// It is of opening a connection or taking one out of a pool.
    pub opening: bool,
    /// It asks for a new attempt, whose first call shows whether the server is back.
    pub try_again: bool,
    /// It comes out of a branch that no call which was read takes.
    pub untaken: Option<Untaken>,
    /// Python: it is in an exception group, which only `except*` and handlers for everything receive.
    pub group: bool,
}

/// A branch that no call which was read takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Untaken {
    /// The function with the branch.
    pub func: FuncRef,
    /// The path from there inwards.
    pub path: PathId,
    /// The guards passed so far.
    pub notes: u32,
}

/// What stopped an error.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stop {
    /// The handler's header, the decorator, the guard.
    pub place: Place,
    /// In words: `except AutoReconnect`, `tenacity.retry`.
    pub what: String,
    /// It repeats the call: the retry's place.
    pub retry: Option<Place>,
    /// A library's guard.
    pub guard: Option<GuardId>,
}

/// Who starts the code in which an error got away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A file's own statements.
    Module(UnitId),
    /// A function that nothing in the project calls.
    Function(FuncRef),
    /// A function that a framework calls, with the specification that registered it.
    Registered(FuncRef, SpecId),
    /// A thread or task, and where it is started.
    Spawned(ExprRef),
    /// Rust: a worker's endless loop, which nothing starts again.
    Worker(Place),
}

/// The end of an error at an entry point.
#[derive(Clone, Debug)]
pub struct Escape {
    /// The error as it got away.
    pub flight: Flight,
    /// From where.
    pub entry: Entry,
}
