//! The typed form of one library file under `rules/` (or of a team's own).
//!
//! One file describes one library completely. Everything here is data: the engine asks it questions and knows no
//! library by name. Unknown keys are errors.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::Language;

/// One library: a driver, a layer above a driver, a retry library, a framework or a part of the standard library.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LibraryFile {
    /// What it is called and how it is recognised.
    pub library: Head,
    /// Import path -> canonical path, for re-exports: `"pymongo.mongo_client.MongoClient" = "pymongo.MongoClient"`.
    /// A key ending in `.*` renames a whole prefix.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// The exceptions.
    #[serde(default)]
    pub errors: Errors,
    /// Named retry behaviours; the first gate whose versions match the assumed version decides.
    #[serde(default)]
    pub behaviours: BTreeMap<String, Vec<Gate>>,
    /// The type graph, by a short name used in `gives`, `attribute`, ... (`client`, `collection`).
    #[serde(default)]
    pub types: BTreeMap<String, TypeSpec>,
    /// Functions and decorators by canonical path. Classes belong in `types`.
    #[serde(default)]
    pub functions: BTreeMap<String, CallSpec>,
    /// Objects that a module of the library holds, by canonical path, and their types: `"django.db.connection" = "connection"`.
    #[serde(default)]
    pub objects: BTreeMap<String, String>,
    /// Objects that live for one unit of work, by canonical path: `flask.g`. What is stored on them is not kept.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Objects through which a program reads the names of its settings modules, by canonical path, and the name that such
    /// a module or one of its folders bears: `"django.conf.settings" = "settings"`.
    #[serde(default)]
    pub settings_objects: BTreeMap<String, String>,
    /// Rust: what makes a stream or a set that is read to its end: functions and types by canonical path, methods with a
    /// dot before the name. A loop over one is no worker's.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Options of constructors and connection strings.
    #[serde(default)]
    pub options: Vec<OptionSpec>,
    /// Variables that hold dotted paths in texts, and what is registered there: Django's `MIDDLEWARE`. A dot steps into a
    /// dictionary (`REST_FRAMEWORK.EXCEPTION_HANDLER`).
    #[serde(default)]
    pub listed: BTreeMap<String, Registers>,
    /// Variables and dictionary keys by which a project configures a client without calling its constructor.
    #[serde(default)]
    pub settings: Vec<SettingSpec>,
    /// Type name -> names of parameters and attributes that by convention hold one. They make handles of confidence
    /// `likely`, only in modules that import the library.
    #[serde(default)]
    pub conventions: BTreeMap<String, Vec<String>>,
    /// Constructors, calls or versions whose reconnecting is known not to work (RL303), by canonical path or `type.method`.
    #[serde(default)]
    pub broken: Vec<Broken>,
    /// Update operators which, applied twice, change the result (`$inc`).
    #[serde(default)]
    pub changing: Vec<String>,
    /// Help texts. Keys: `default`, a rule code, `CODE.operation-kind` (`RL101.read`, `RL101.write`), or `CODE.type` (`RL106.connection`). `{handle}`, `{call}`
    /// `{error}` are replaced.
    #[serde(default)]
    pub help: BTreeMap<String, String>,
    /// Samples: tests of this file.
    #[serde(default, rename = "sample")]
    pub samples: Vec<Sample>,
}

impl LibraryFile {
    /// Every call that the file describes, with the type it belongs to, if any.
    pub fn calls(&self) -> impl Iterator<Item = (Option<&str>, &CallSpec)> {
        let of_types = self.types.iter().flat_map(|(key, ty)| {
            let single = [
                &ty.constructor,
                &ty.index,
                &ty.slice,
                &ty.call,
                &ty.on_await,
                &ty.on_enter,
                &ty.on_exit,
            ]
            .into_iter()
            .flatten();
            let named = ty
                .methods
                .values()
                .chain(ty.class_methods.values())
                .chain(ty.properties.values());
            single
                .chain(named)
                .chain(ty.groups.iter().map(|g| &g.does))
                .map(move |call| (Some(key.as_str()), call))
        });
        of_types.chain(self.functions.values().map(|call| (None, call)))
    }

    /// True if some call of the file sets this flag.
    pub fn sets(&self, flag: &str) -> bool {
        self.calls().any(|(_, call)| {
            call.sets
                .iter()
                .chain(call.when.iter().filter_map(|w| w.sets.as_ref()))
                .any(|f| f == flag)
        })
    }
}

/// How a library is recognised.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Shown in findings.
    pub name: String,
    /// `python` or `rust`.
    pub language: LanguageName,
    /// `driver`, `layer` (above a driver), `retry`, `framework` or `std`.
    pub role: Role,
    /// The data store, for drivers and layers: `mongodb`, `redis`, `mysql`, `postgresql`, `sql`.
    #[serde(default)]
    pub store: Option<String>,
    /// Names on PyPI or crates.io; versions are looked up by the first that the project declares.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Top-level module or crate names. A file that imports one of these is analysed (drivers and layers only).
    pub imports: Vec<String>,
    /// The driver whose errors and versions count, for a layer: `pymongo`.
    #[serde(default)]
    pub driver: Option<String>,
    /// The version assumed when none is known: the oldest whose behaviour is described.
    #[serde(default)]
    pub oldest: Option<String>,
    /// What the version of this library says of the driver's, where that one is not known itself; the first match counts.
    #[serde(default)]
    pub implies: Vec<Implied>,
    /// Names that tell how old the library is at least, where its version is not known: by the version that brought them.
    #[serde(default)]
    pub introduced: BTreeMap<String, Vec<String>>,
    /// The version assumed instead of `oldest`, where that would mislead: a requirement without a version installs the
    /// newest release, so a library whose defaults changed long ago is better taken for a newer one.
    #[serde(default)]
    pub assumed: Option<String>,
    /// Where the facts come from.
    pub source: String,
}

/// The oldest driver that a version of a layer takes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Implied {
    /// Versions of the layer; all if left out.
    #[serde(default)]
    pub versions: Option<String>,
    /// The driver is at least this release, and is taken to be it.
    pub driver: String,
}

/// The analysed language, as written in library files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LanguageName {
    /// Python.
    Python,
    /// Rust.
    Rust,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::Python => Language::Python,
            LanguageName::Rust => Language::Rust,
        }
    }
}

/// What part a library plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Talks to a data store.
    Driver,
    /// An ODM, ORM or plugin above a driver.
    Layer,
    /// Retries calls.
    Retry,
    /// Calls the project's functions.
    Framework,
    /// The language's own library.
    Std,
}

/// The exceptions of a library.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// What is raised when the connection is lost, by version; the first match decides. Several classes: all of them must be covered.
    #[serde(default)]
    pub loss: Vec<Loss>,
    /// Class -> bases and versions. Builtin bases are written plainly (`Exception`, `OSError`).
    #[serde(default)]
    pub classes: BTreeMap<String, ErrorClass>,
    /// Classes that people name in its place and that never fire (RL109), and why. A key ending in `.*` stands for every class
    /// below it (`pymysql.err.*`).
    #[serde(default)]
    pub lookalikes: BTreeMap<String, String>,
    /// Codes of a lost connection that an exception carries: numbers (`"2006"`), SQL states (`"08*"`), names of constants
    /// (`"CR_SERVER_LOST"`). A handler that asks for another code is for something else.
    #[serde(default)]
    pub codes: Vec<String>,
    /// What the texts of these exceptions say, in lower case: `"server has gone away"`.
    #[serde(default)]
    pub texts: Vec<String>,
    /// Rust: methods and functions by which a program asks whether an error is a lost connection (`is_io_error`, `is_connection_dropped`).
    #[serde(default)]
    pub predicates: Vec<String>,
    /// Rust: variants and kinds that stand for a lost connection (`redis::ErrorKind::Io`); a match on others is RL104.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// What is raised on a lost connection.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Versions, such as `>=3.0,<4`; all if left out.
    #[serde(default)]
    pub versions: Option<String>,
    /// The documented class or classes; naming each of them, or a class above, is a guard.
    pub classes: Vec<String>,
    /// Which of `classes` is raised depends on what the program does not tell (the URL's driver): naming one is enough.
    #[serde(default)]
    pub any: bool,
    /// Only for objects that carry this flag (see `CallSpec::sets`).
    #[serde(default)]
    pub flag: Option<String>,
    /// Only in projects whose manifest names this package: the driver below, where the program does not tell it.
    #[serde(default)]
    pub package: Option<String>,
    /// Raised by every later call on the same dead connection, where that differs. Naming these is no condition for a guard;
    /// naming only these misses the first failure.
    #[serde(default)]
    pub then: Vec<String>,
}

/// An exception class.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorClass {
    /// Base classes by canonical path.
    pub bases: Vec<String>,
    /// Versions in which it exists; outside of them naming it is RL109.
    #[serde(default)]
    pub versions: Option<String>,
}

/// How often the driver itself repeats an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The first lost reply reaches the caller.
    Never,
    /// One lost reply is absorbed.
    Once,
    /// Repeats until it succeeds or a deadline.
    Many,
}

/// One line of a retry behaviour.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Versions; all if left out.
    #[serde(default)]
    pub versions: Option<String>,
    /// What the driver does.
    pub retry: Retry,
    /// What it does if this option is on (`retryWrites=true` before 3.9), or if the object carries this flag (see
    /// `CallSpec::sets`). An object has the options and flags of what it was made from (`over`, the receiver).
    /// `a+b` stands for both. If several hold, the strongest of them replaces `retry`.
    #[serde(default)]
    pub with: BTreeMap<String, Retry>,
    /// What it does if this option is off.
    #[serde(default)]
    pub without: BTreeMap<String, Retry>,
}

/// What happens to a connection that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Every later call fails until somebody opens a new one. If it was checked out of a pooled object and is dropped within
    /// the unit of work, the pool's line of the tables in `rules/` counts. A class of the project with several bases takes
    /// its kind from the first base that has one.
    Bare,
    /// The failing call raises, the next gets a fresh connection.
    Pooled,
    /// Reconnects by itself.
    SelfHealing,
    /// One per thread, held by the library and renewed by a framework between two units of work (requests, tasks). In an endless
    /// loop or a thread of the project's own nothing renews it but a call with `revives`: RL106 at the loop.
    Ambient,
}

/// A type of the library.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeSpec {
    /// Shown in findings: `Collection`.
    pub name: String,
    /// Class paths: constructing one, or annotating with it, gives this type.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Inherits everything not given here from this type (`type` or `library:type`).
    #[serde(default)]
    pub base: Option<String>,
    /// Versions in which the type exists.
    #[serde(default)]
    pub versions: Option<String>,
    /// What happens to it when the connection is lost; for the type that holds the connection.
    #[serde(default)]
    pub connection: Option<Connection>,
    /// What it raises on a loss, instead of the library's `loss`.
    #[serde(default)]
    pub loss: Vec<Loss>,
    /// Attributes and methods that do not notice a loss (`conn.open`): replacing or reviving the connection only if they say so
    /// does not count.
    #[serde(default)]
    pub blind: Vec<String>,
    /// Methods that wait until something comes (`queue.get()`, BLPOP): a loop around them is a worker's, even if it can end.
    #[serde(default)]
    pub blocks: Vec<String>,
    /// Methods that a class of the project overrides to make it reconnect (`execute_sql`, `cursor`): with a guard in the override
    /// that repeats or revives, its objects are as good as pooled ones.
    #[serde(default)]
    pub overrides: Vec<String>,
    /// Class attribute through which the round trips of a class and its objects find their handle: `Meta.database`. Looked up
    /// in the bases too. What leads to no handle makes no round trip (a model on an SQLite file).
    #[serde(default)]
    pub through: Option<String>,
    /// What the constructor does, beyond giving the type (a round trip, what it keeps).
    #[serde(default)]
    pub constructor: Option<CallSpec>,
    /// Constructing wraps its first argument and gives a guarded form of it, catching these classes (a proxy).
    #[serde(default)]
    pub guards: Option<GuardSpec>,
    /// What any attribute not named here gives.
    #[serde(default)]
    pub attribute: Option<String>,
    /// Named attributes that are not methods. A key may begin with `*` (`*_set`). A value `class:type` is the class itself, to be
    /// called or subclassed, as it may be wherever something `gives`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Inner methods through which the driver sends whatever has one of these behaviours: a program that puts its own
    /// function in the place of one guards all of them (`Connection._send_message`).
    #[serde(default)]
    pub funnels: BTreeMap<String, Vec<String>>,
    /// Attributes whose reading is a round trip, and its behaviour.
    #[serde(default)]
    pub properties: BTreeMap<String, CallSpec>,
    /// What a subscript gives.
    #[serde(default)]
    pub index: Option<CallSpec>,
    /// What a slice (`x[2:5]`) gives; `index` if left out.
    #[serde(default)]
    pub slice: Option<CallSpec>,
    /// What calling the object does.
    #[serde(default)]
    pub call: Option<CallSpec>,
    /// Its methods.
    #[serde(default)]
    pub methods: BTreeMap<String, CallSpec>,
    /// Methods that do the same, together. A method described in `methods` too is described there.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The methods inherited from `base` make no round trip: they queue what they would do and give the object itself (a
    /// pipeline). Only methods described here make round trips. Their `repeat` still counts, when a retry repeats those.
    #[serde(default)]
    pub queues: bool,
    /// After a call of the first of these methods, until one of the others is called, nothing is queued (`["watch", "multi"]`).
    #[serde(default)]
    pub immediate: Vec<String>,
    /// Methods of the class itself (`Model.get(..)`), for types that are subclassed by the project.
    #[serde(default)]
    pub class_methods: BTreeMap<String, CallSpec>,
    /// What a loss is raised as once the first of `immediate` was called, until the object is reset.
    #[serde(default)]
    pub immediate_loss: Vec<String>,
    /// Attributes of the class itself (`Document.objects`).
    #[serde(default)]
    pub class_attributes: BTreeMap<String, String>,
    /// Exception classes that each class has as attributes (`Model.DoesNotExist`), and what is above them.
    #[serde(default)]
    pub class_errors: BTreeMap<String, String>,
    /// The type is lazy: the round trips happen when it is iterated.
    #[serde(default)]
    pub iterate: Option<Iteration>,
    /// The iteration never ends by itself: a listener waits in it. Rust: nor does waiting for its next element (channels,
    /// timers, listeners); a loop over it is a worker's.
    #[serde(default)]
    pub endless: bool,
    /// What iteration gives.
    #[serde(default)]
    pub element: Option<String>,
    /// After a loss the object is finished: going on with it loses the rest silently (RL204).
    #[serde(default)]
    pub dead_after_loss: bool,
    /// Members that tell whether such an object is finished, also after a loss: a loop that asks one ends with it.
    #[serde(default)]
    pub tells_end: Vec<String>,
    /// Its round trips happen when the result is awaited.
    #[serde(default)]
    pub awaited: bool,
    /// What `await object` does, for lazy awaitables (an ODM's query).
    #[serde(default)]
    pub on_await: Option<CallSpec>,
    /// What `with object as x` gives; `self` if left out.
    #[serde(default)]
    pub enter: Option<String>,
    /// What entering does: a round trip, a transaction.
    #[serde(default)]
    pub on_enter: Option<CallSpec>,
    /// What leaving does: the commit of a transaction.
    #[serde(default)]
    pub on_exit: Option<CallSpec>,
    /// Leaving a `with` of this type waits for the tasks that were started in it; their errors come out as a group.
    #[serde(default)]
    pub joins_tasks: bool,
    /// The calls inside a `with` of this type are in one transaction.
    #[serde(default)]
    pub transaction: bool,
    /// Inside of a `with` of this type this option counts as on (`with pymongo.timeout(5)`: `timeoutMS`).
    #[serde(default)]
    pub turns_on: Option<String>,
    /// `bool(x)`, `len(x)`, `x in ..` are round trips with this behaviour.
    #[serde(default)]
    pub truth: Option<String>,
    /// Rust: the generic argument that this type stands for (`Arc<T>` gives `T`): index of the argument.
    #[serde(default)]
    pub transparent: Option<usize>,
    /// Code running in a `with` of this type, or in the body of a loop over it, is guarded (tenacity's `attempt`).
    #[serde(default)]
    pub attempt: bool,
    /// Rust: the type of the connection inside, where neither generic arguments nor constructors say it: what a manager
    /// makes, a pool hands out, a guard derefs to. Methods that are not found here are looked up there.
    #[serde(default)]
    pub inner: Option<String>,
    /// Rust: what is inside instead of `inner` in a pool of this type (`"bb8:pool" = "multiplexed"`: `redis::Client` is a
    /// manager of r2d2's blocking connections and of bb8's asynchronous ones).
    #[serde(default)]
    pub inner_for: BTreeMap<String, String>,
    /// Rust: the generic argument that says what is inside (`Pool<M>`: 0). A type with `inner` of its own there, such as
    /// a manager, passes that on.
    #[serde(default)]
    pub generic: Option<usize>,
    /// Rust: taken out of a pool and given back when dropped. Keeping it longer than a unit of work is RL106.
    #[serde(default)]
    pub checked_out: bool,
    /// Rust: a database that is a file on this machine, or a part of one. There is no connection to lose: what has it as a
    /// type argument, and what is made of it, is of no interest.
    #[serde(default)]
    pub local: bool,
    /// Rust: its methods, and the fields set on it, are options of what is built at last.
    #[serde(default)]
    pub builder: bool,
    /// Rust: a transparent wrapper that holds what lives as long as the program (`State<T>`, `web::Data<T>`).
    #[serde(default)]
    pub state: bool,
    /// Its methods run outside of requests (a management command): application-wide handlers do not receive their errors.
    #[serde(default)]
    pub background: bool,
    /// Objects that are made anew for each request: views; in Rust a trait's implementors (extractors, guards of a request).
    #[serde(default)]
    pub per_call: bool,
    /// Rust: methods of whatever object that take this connection as an argument (`query.load(&mut conn)`); each has `on`.
    #[serde(default)]
    pub taken_by: BTreeMap<String, CallSpec>,
    /// Rust: methods that carry out what a method with `awaited` has prepared, besides `.await` (`find_one(..).run()`).
    /// Where the project leaves them out the version at hand has no such step.
    #[serde(default)]
    pub run_by: Vec<String>,
}

/// Methods that do the same.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Their names.
    pub names: Vec<String>,
    /// What each of them does.
    pub does: CallSpec,
}

/// The round trips of an iteration.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Iteration {
    /// The behaviour of the first batch.
    pub first: String,
    /// The behaviour of later batches; none if all arrives at once.
    #[serde(default)]
    pub rest: Option<String>,
}

/// Which arguments.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ArgRef {
    /// By position from 0.
    Position(usize),
    /// By keyword; `*` means all positional arguments.
    Name(String),
    /// By position or keyword.
    Either(usize, String),
}

/// What calling something does. The same form serves methods, functions, constructors and decorators.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallSpec {
    /// The call is a round trip with this behaviour.
    #[serde(default)]
    pub trip: Option<String>,
    /// What it gives: a type of this file, `library:type`, `self`, `argument` (the first argument unchanged), `list` or `dict` (a
    /// new one of Python's, which the program fills) or nothing known.
    #[serde(default)]
    pub gives: Option<String>,
    /// The result is made without a round trip and does its work later (cursors); guards around it are remembered for RL103.
    #[serde(default)]
    pub lazy: bool,
    /// Overrides by arguments; the first that matches counts.
    #[serde(default)]
    pub when: Vec<When>,
    /// Versions in which it exists.
    #[serde(default)]
    pub versions: Option<String>,
    /// What it raises on a loss, instead of the library's `loss`.
    #[serde(default)]
    pub raises: Option<String>,
    /// What it gives is this argument, unchanged (`typing.cast(T, x)`); `gives = "argument"` stands for the first.
    #[serde(default)]
    pub gives_argument: Option<ArgRef>,
    /// It enters this argument, a context manager, which is left with the `with` around its object
    /// (`ExitStack.enter_context`). It gives what entering gives.
    #[serde(default)]
    pub enters: Option<ArgRef>,
    /// It iterates its object: `all` batches or the `first`.
    #[serde(default)]
    pub consumes: Option<Consumes>,
    /// It iterates this argument wholly (`list(x)`).
    #[serde(default)]
    pub consumes_argument: Option<ArgRef>,
    /// It takes one item of this argument (`next(x)`).
    #[serde(default)]
    pub steps_argument: Option<ArgRef>,
    /// It asks for the truth or the length of this argument (`bool(x)`, `len(x)`): its type's `truth` is a round trip.
    #[serde(default)]
    pub tests_argument: Option<ArgRef>,
    /// It hands on the lazy argument (`enumerate(x)`).
    #[serde(default)]
    pub passes_iterable: Option<ArgRef>,
    /// It awaits these arguments (`asyncio.gather(*aws)`).
    #[serde(default)]
    pub awaits: Option<ArgRef>,
    /// With `awaits`: if this argument is true, errors are among the results and are not raised (`gather(return_exceptions=True)`).
    #[serde(default)]
    pub returns_errors: Option<ArgRef>,
    /// True if the round trip happens when the result is awaited; the default is the type's `awaited`.
    #[serde(default)]
    pub awaited: Option<bool>,
    /// It calls this argument with the further ones, and gives its result. A method of an object whose constructor has
    /// a `guard` calls it inside of that guard (`Retrying(..).call(f)`).
    #[serde(default)]
    pub calls: Option<ArgRef>,
    /// It runs this argument on its own (thread, task): its errors do not come back here.
    #[serde(default)]
    pub spawns: Option<ArgRef>,
    /// With `spawns`: the result gives the argument's value and errors when this method is called or it is awaited.
    #[serde(default)]
    pub joins: Option<String>,
    /// With `calls` or as a decorator: errors of these classes are caught.
    #[serde(default)]
    pub guard: Option<GuardSpec>,
    /// The library's own method that calls these methods of the object (`View.dispatch` calls `get`), `*` for all that do not
    /// begin with `_`: one of the project that takes its place and calls it is around them. With `guard` it catches
    /// their errors itself.
    #[serde(default)]
    pub dispatches: Vec<String>,
    /// What is registered has the attributes of this type besides its own (`task.retry()`).
    #[serde(default)]
    pub becomes: Option<String>,
    /// A decorator (or a maker of one) that leaves the function as it is.
    #[serde(default)]
    pub transparent: bool,
    /// With `transparent`: results are kept for later calls (`lru_cache`).
    #[serde(default)]
    pub caches: bool,
    /// `functools.partial`.
    #[serde(default)]
    pub partial: bool,
    /// A decorator under which a generator's `yield` waits like `await` (`tornado.gen.coroutine`).
    #[serde(default)]
    pub coroutine: bool,
    /// A decorator that makes a context manager of a generator.
    #[serde(default)]
    pub context_manager: bool,
    /// A context manager that drops errors of the classes in its arguments (`contextlib.suppress`).
    #[serde(default)]
    pub suppresses: bool,
    /// Describes which errors a retry covers (`retry_if_exception_type(A)`).
    #[serde(default)]
    pub predicate: Option<Predicate>,
    /// Never returns (`sys.exit`, `abort`): in a handler it counts as an answer.
    #[serde(default)]
    pub exits: bool,
    /// The first argument is an exception, and the result is `None` unless that is of one of these classes.
    #[serde(default)]
    pub only_for: Vec<String>,
    /// As an exception class: raising it is an answer, not an escape (`HTTPException`).
    #[serde(default)]
    pub answers: bool,
    /// Registers functions with a framework.
    #[serde(default)]
    pub registers: Option<Registers>,
    /// Further registrations of the same call (`FastAPI(exception_handlers=.., middleware=..)`). One whose argument is left
    /// out registers nothing.
    #[serde(default)]
    pub also_registers: Vec<Registers>,
    /// Reads this argument as the name of an environment variable.
    #[serde(default)]
    pub reads_env: Option<ArgRef>,
    /// What repeating it does (RL201).
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Marks the object with a flag (`one-batch`) when the condition of `when` holds, or always.
    #[serde(default)]
    pub sets: Option<String>,
    /// It opens a connection or checks one out of a pool: not a call site by itself.
    #[serde(default)]
    pub opens: bool,
    /// The arguments over whose handle it works: `Session(bind=engine)`, `Redis(connection_pool=pool)`, `execute_values(cursor, ..)`.
    /// The result is made from that handle (the object itself, if nothing is given: `configure(bind=engine)`). A function with
    /// `trip` makes its round trip on it, and none if the argument is no handle.
    #[serde(default)]
    pub over: Option<ArgRef>,
    /// Arguments that hold a dictionary of further options (`engine_options={..}`).
    #[serde(default)]
    pub options_in: Vec<ArgRef>,
    /// It makes the dead connection of its object usable again (`ping(reconnect=True)`). A function without an object, or
    /// with nothing to say which, revives the library's ambient connections.
    #[serde(default)]
    pub revives: bool,
    /// It starts a transaction on its object, if none is open: explicitly, or as the first statement outside of autocommit mode.
    #[serde(default)]
    pub begins: bool,
    /// It ends a transaction on its object.
    #[serde(default)]
    pub ends: bool,
    /// Waits (`time.sleep`): a retry with it has a backoff.
    #[serde(default)]
    pub waits: bool,
    /// Waits until something comes (`input()`): a loop around it is a worker's, even if it can end.
    #[serde(default)]
    pub blocks: bool,
    /// It is the constructor of a settings class: annotated fields are environment variables.
    #[serde(default)]
    pub settings: bool,
    /// Rust: the connection is this argument, not the object (`query.fetch_one(&pool)`).
    #[serde(default)]
    pub on: Option<ArgRef>,
    /// Rust: what it does with the `Result` that it is called on, or that this argument is.
    #[serde(default)]
    pub outcome: Option<OutcomeRole>,
    /// Rust: this argument lives as long as the program from here on (`web::Data::new(x)`, `with_state(x)`).
    #[serde(default)]
    pub keeps: Option<ArgRef>,
    /// Rust: what is inside of the result is (inside of) this argument (`build(manager)`).
    #[serde(default)]
    pub holds: Option<ArgRef>,
    /// Rust: afterwards its object is empty (`Option::take`).
    #[serde(default)]
    pub empties: bool,
    /// Rust: afterwards its object is this argument, or what calling it gives (`Option::replace`, `ArcSwap::store`).
    #[serde(default)]
    pub replaces: Option<ArgRef>,
    /// Rust: if its object is empty, it becomes this argument, or what calling it gives (`OnceCell::get_or_init`), which
    /// is also the result.
    #[serde(default)]
    pub fills: Option<ArgRef>,
    /// Rust: it asks its object whether the connection is lost (`is_closed`), without a round trip.
    #[serde(default)]
    pub asks: bool,
    /// Rust: this argument becomes an element of its object (`Vec::push`).
    #[serde(default)]
    pub adds: Option<ArgRef>,
    /// Rust: it makes the function return an error (`bail!`).
    #[serde(default)]
    pub fails: bool,
    /// Rust: awaiting or calling the result gives a `Result` around what awaiting this argument gives (`timeout(d, future)`).
    /// A closure in its place is called with what the method `gives` (`conn.interact(|conn| ..)`).
    #[serde(default)]
    pub wraps: Option<ArgRef>,
    /// Rust, with `awaits`: its own result is the first error or all values (`try_join!`).
    #[serde(default)]
    pub tries: bool,
    /// Rust: the statement that its result will execute (`query("INSERT ..")`), for `repeat = "statement"` there.
    #[serde(default)]
    pub statement: Option<ArgRef>,
}

/// What a method does with a Rust `Result`. Closures among its arguments get the value or the error accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeRole {
    /// Value and error go on (`context`, `as_ref`). A closure gets the error.
    Pass,
    /// The error ends here (`unwrap_or_default`, `ok`). A closure gets the error and gives the value in its place.
    Handle,
    /// Panics on an error (`unwrap`).
    Panic,
    /// A closure makes another value (`map`, `inspect`).
    Map,
    /// A closure makes another error (`map_err`).
    MapError,
    /// A closure goes on with the value and may fail itself (`and_then`).
    Then,
    /// A closure gets the error and may recover or fail again (`or_else`).
    Else,
    /// A closure for the error and one for the value, in this order (`map_or_else`).
    Either,
    /// The outer of two layers goes, or they change places (`flatten`, `transpose`).
    Flatten,
    /// Gives the error, if there is one (`err`).
    Error,
    /// True if there is an error (`is_err`).
    Failed,
    /// True if there is none (`is_ok`).
    Succeeded,
}

/// How an object is iterated by a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Consumes {
    /// Every batch.
    All,
    /// The first batch only.
    First,
    /// One more item: any batch.
    Next,
}

/// An override by arguments or flags.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The argument looked at.
    #[serde(default)]
    pub arg: Option<ArgRef>,
    /// Its literal value: `true`, `false`, a number or a string; `"none"` stands for `None`.
    #[serde(default)]
    pub is: Option<Literal>,
    /// It holds one of these dictionary keys or strings, at any depth.
    #[serde(default)]
    pub contains: Vec<String>,
    /// It holds the result of one of these constructors, functions or methods (`type.method`), at any depth.
    #[serde(default)]
    pub holds: Vec<String>,
    /// It names one of these classes, functions or constants, by canonical path (`poolclass=NullPool`).
    #[serde(default)]
    pub names: Vec<String>,
    /// It is an object of a library that carries this flag.
    #[serde(default)]
    pub flagged: Option<String>,
    /// Its text is known to begin with one of these (`sqlite:`), or, as an object, was made from such a text.
    #[serde(default)]
    pub starts: Vec<String>,
    /// It is given, and not known to be this value.
    #[serde(default)]
    pub is_not: Option<Literal>,
    /// The project calls this function or `type.method` somewhere; the other conditions are about that call's arguments.
    #[serde(default)]
    pub called: Option<String>,
    /// It is a known integer of at least this.
    #[serde(default)]
    pub min: Option<i64>,
    /// It is a known integer of at most this.
    #[serde(default)]
    pub max: Option<i64>,
    /// The argument is given (true) or left out (false).
    #[serde(default)]
    pub given: Option<bool>,
    /// The object carries this flag.
    #[serde(default)]
    pub flag: Option<String>,
    /// Versions.
    #[serde(default)]
    pub versions: Option<String>,
    /// Then this behaviour; `none` for no round trip.
    #[serde(default)]
    pub trip: Option<String>,
    /// Then it gives this.
    #[serde(default)]
    pub gives: Option<String>,
    /// Then it iterates its object so far (`to_list(5)`: the first batch).
    #[serde(default)]
    pub consumes: Option<Consumes>,
    /// Then it sets this flag.
    #[serde(default)]
    pub sets: Option<String>,
    /// Then repeating it does this.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Then it revives its object.
    #[serde(default)]
    pub revives: Option<bool>,
    /// Then it starts a transaction on its object, or does not (a connection in autocommit mode).
    #[serde(default)]
    pub begins: Option<bool>,
    /// Then it raises this on a loss.
    #[serde(default)]
    pub raises: Option<String>,
}

/// A literal in a condition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Literal {
    /// A truth value.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

/// What applying an operation twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// The result is the same.
    Same,
    /// A second insert: a duplicate, unless the document carries its own key.
    Inserts,
    /// Depends on the update operators in the arguments (`$inc`, `$push` change the result).
    Updates,
    /// The result changes.
    Changes,
    /// A statement in text decides (`INSERT` changes, `SELECT`, `UPDATE .. SET x = 1` do not).
    Statement,
}

/// Which errors a guard catches and what it does then.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardSpec {
    /// Arguments that name exception classes, a tuple of them, or a predicate.
    #[serde(default)]
    pub exceptions: Vec<ArgRef>,
    /// Arguments that hold a predicate function over the exception.
    #[serde(default)]
    pub predicate: Vec<ArgRef>,
    /// What is caught if none of those is given.
    #[serde(default)]
    pub default: Vec<String>,
    /// Catches only if this argument is given.
    #[serde(default)]
    pub needs: Vec<ArgRef>,
    /// The argument that holds a class of which attributes stand in for what is not given (`base=TaskThatRetries`).
    #[serde(default)]
    pub from_class: Option<ArgRef>,
    /// Versions of the library in which it guards.
    #[serde(default)]
    pub versions: Option<String>,
    /// Versions of the driver with which it guards.
    #[serde(default)]
    pub driver_versions: Option<String>,
    /// It repeats the call.
    #[serde(default)]
    pub retries: bool,
    /// Arguments any of which limits the attempts; empty if it is limited anyway.
    #[serde(default)]
    pub limits: Vec<ArgRef>,
    /// Limited even without `limits`.
    #[serde(default)]
    pub limited: bool,
    /// Arguments any of which waits between attempts.
    #[serde(default)]
    pub waits: Vec<ArgRef>,
    /// Waits even without `waits`.
    #[serde(default)]
    pub waiting: bool,
    /// What, given for `limits` or `waits`, means no limit or no wait all the same (`tenacity.stop_never`).
    #[serde(default)]
    pub void: Vec<String>,
    /// Returns quietly after the last attempt if this argument is given.
    #[serde(default)]
    pub silent: Option<ArgRef>,
}

/// How a predicate is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Predicate {
    /// Covers the classes in its arguments.
    Types,
    /// Covers all but the classes in its arguments.
    NotTypes,
    /// Calls its argument with the exception.
    Function,
    /// Any of its arguments.
    Any,
    /// All of its arguments.
    All,
    /// Covers no exception (`retry_if_result`).
    Nothing,
    /// Covers every exception (`retry_always`).
    Everything,
}

/// What is registered with a framework.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registers {
    /// What is registered.
    pub what: Registration,
    /// Which argument holds the function; as a decorator the decorated function if left out.
    #[serde(default)]
    pub function: Option<ArgRef>,
    /// Which argument names the exception classes (for `error-handler`).
    #[serde(default)]
    pub classes: Option<ArgRef>,
    /// Position of the parameter through which a middleware calls on (`call_next`).
    #[serde(default)]
    pub next: Option<usize>,
    /// Only for routes of the same object (a blueprint), not application-wide.
    #[serde(default)]
    pub local: bool,
    /// What in the place of `classes` stands for every exception: `500`, `werkzeug.exceptions.InternalServerError`. Any other
    /// number is the status of an answer, and stands for none.
    #[serde(default)]
    pub everything: Vec<Literal>,
    /// It is called around each request (`before_request`): what it opens lives for one, what it closes is closed after each.
    #[serde(default)]
    pub each: bool,
    /// It is no answer to a request (a command, what runs at the start): the application's handlers and middlewares are not
    /// around it.
    #[serde(default)]
    pub alone: bool,
    /// For a class: the method that receives the error (Django's `process_exception`), besides `__call__`.
    #[serde(default)]
    pub method: Option<String>,
}

/// What is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    /// A function that the framework calls.
    Entry,
    /// A handler of exceptions, application-wide.
    ErrorHandler,
    /// A function around every entry.
    Middleware,
    /// The argument is a function whose result is passed as the parameter (`Depends(get_db)`).
    Dependency,
}

/// An option of a constructor or connection string.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// The keyword; also looked for in connection strings, where case does not count.
    pub name: String,
    /// Other spellings.
    #[serde(default)]
    pub spellings: Vec<String>,
    /// Who takes it: types (their class called, or their setting; the types based on them too), functions or single classes by
    /// canonical path (`redis.from_url`), methods that make one (`type.method`).
    pub on: Vec<String>,
    /// Types among those based on one of `on` that it says nothing of.
    #[serde(default)]
    pub not_on: Vec<String>,
    /// Values that count as off or as set.
    #[serde(default)]
    pub values: Vec<Literal>,
    /// Reported when it has one of `values` (`RL301`, `RL304`), or is missing (`RL302`).
    #[serde(default)]
    pub code: Option<String>,
    /// Severity of that finding; the rule's own if left out.
    #[serde(default)]
    pub severity: Option<String>,
    /// True: reported when the option is missing.
    #[serde(default)]
    pub missing: bool,
    /// Versions in which it counts: of this library, not of a layer's driver.
    #[serde(default)]
    pub versions: Option<String>,
    /// Reported only if one of these holds for the other options and arguments; then at the argument that it looks at
    /// (`CONN_MAX_AGE`, when `CONN_HEALTH_CHECKS` is missing), or at the call if that has no place of its own.
    #[serde(default)]
    pub only: Vec<When>,
    /// Not reported if one of these holds (`poolclass=NullPool`, an SQLite URL).
    #[serde(default)]
    pub unless: Vec<When>,
    /// Rust: reported only where a library of one of these names is known to be inside (of a pool, by its manager).
    #[serde(default)]
    pub inside: Vec<String>,
    /// Reported only where the client outlives one unit of work.
    #[serde(default)]
    pub kept: bool,
    /// Methods by which a class of the project sets options itself: not reported where one of them names the option.
    #[serde(default)]
    pub hooks: Vec<String>,
    /// Instead of being reported: where one of `only` holds and none of `unless`, the library's ambient connections outlive a
    /// unit of work, as those of a pool do (`CONN_MAX_AGE`).
    #[serde(default)]
    pub pools: bool,
    /// Why it matters: the message's second half.
    #[serde(default)]
    pub why: String,
    /// What to do.
    #[serde(default)]
    pub help: String,
}

/// A variable or key by which a project configures a client. A file that has one counts as one that uses the library, if the
/// project's manifest or another of its files names the library: settings modules seldom import it.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingSpec {
    /// `SQLALCHEMY_ENGINE_OPTIONS`; a dot steps into a dictionary, `*` stands for any key (`DATABASES.*`). Looked for as a module
    /// variable, a class attribute (configuration classes, inherited ones too), and a key of a mapping
    /// (`app.config["X"] = ..`, `config.update(X=..)`, `DATABASES["default"]["CONN_MAX_AGE"] = ..`).
    pub name: String,
    /// What it configures: a type, as in `OptionSpec::on`.
    pub on: String,
    /// The one option or argument that it sets; if left out, it holds a dictionary of options, and a missing one is reported
    /// there and not at the constructor.
    #[serde(default)]
    pub option: Option<String>,
    /// It stands for the whole client: there is no constructor that takes the setting, and each one is checked for missing options.
    #[serde(default)]
    pub client: bool,
    /// Versions in which it is read.
    #[serde(default)]
    pub versions: Option<String>,
}

/// A part whose reconnecting is known not to work.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// Canonical path of the constructor or function, or `type.method`.
    pub path: String,
    /// Versions of the library.
    #[serde(default)]
    pub versions: Option<String>,
    /// Versions of the driver.
    #[serde(default)]
    pub driver_versions: Option<String>,
    /// Only if this argument is left out.
    #[serde(default)]
    pub unless: Vec<ArgRef>,
    /// Only if one of these holds (a retry policy made for the other kind of client).
    #[serde(default)]
    pub only: Vec<When>,
    /// Only in a class of the project that also inherits from one of these.
    #[serde(default)]
    pub together: Vec<String>,
    /// Not in a class that defines one of these attributes (or inherits it from a class of the project).
    #[serde(default)]
    pub unless_defines: Vec<String>,
    /// Only where nothing of the project receives what it raises: within a guard it is a mere test.
    #[serde(default)]
    pub unless_guarded: bool,
    /// What goes wrong.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// A test of the file: code and the findings expected as end-of-line comments.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What it shows.
    pub name: String,
    /// Manifest lines, `pymongo==4.6.3`.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The file's name, where it matters (`settings.py`); else one that fits the language.
    #[serde(default)]
    pub file: Option<String>,
    /// The code; expected codes as `#! RL101` or `//~ RL101` at the end of a line (`#! RL101|RL104`: either). `#? RL101` or
    /// `//? RL101`: allowed there, not required.
    pub code: String,
}
