//! The small common language that both front-ends lower to.
//!
//! In: nothing (pure data). Out: [`Module`], read by `resolve` and `flow`.
//! May not know: tree-sitter, syn, any driver, any rule.
//!
//! One [`Module`] per file. Expressions live in an arena ([`Module::exprs`]) and are named by [`ExprId`], so that
//! later stages can hang facts on them; statements are a plain tree. Every node keeps the byte span of its source.
//! What a front-end does not understand becomes [`ExprKind::Unknown`] with its children, so nothing inside is lost.

mod span;
mod symbol;

pub use span::{LineIndex, Position, Span};
pub use symbol::Symbol;

/// The language a module was written in. Decides the few semantic differences (exceptions or results).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Python 2 or 3.
    Python,
    /// Rust, any edition.
    Rust,
}

/// Index of an expression in [`Module::exprs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

impl ExprId {
    /// No expression of the file: what calls an entry point, or awaits what it returns, stands outside of the program.
    pub const OUTSIDE: Self = Self(u32::MAX);
}

/// Index of a function, lambda or closure in [`Module::funcs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncId(pub u32);

/// Index of a class, struct, enum, trait or inline module in [`Module::classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u32);

/// Index of an `impl` block in [`Module::impls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImplId(pub u32);

/// How deep the Rust front-end lets expressions, types, patterns and blocks nest (a method call is one level, which is
/// two nodes). What lies deeper becomes [`ExprKind::Unknown`] and is recorded in [`Module::errors`], so that a later
/// stage may walk the tree by recursion.
pub const MAX_DEPTH: u32 = 500;

/// One lowered file.
#[derive(Debug)]
pub struct Module {
    /// Source language.
    pub language: Language,
    /// All expressions, by [`ExprId`].
    pub exprs: Vec<Expr>,
    /// All functions, lambdas and closures, by [`FuncId`], nested ones too.
    pub funcs: Vec<Func>,
    /// All classes and their like, by [`ClassId`], nested ones too.
    pub classes: Vec<Class>,
    /// Rust `impl` blocks, by [`ImplId`]. Empty in Python.
    pub impls: Vec<Impl>,
    /// Rust: the `mod name;` declarations, which say where the files of submodules are. Empty in Python.
    pub submodules: Vec<Submodule>,
    /// The statements at module level, in order. Items appear as [`StmtKind::Func`] and [`StmtKind::Class`].
    pub body: Block,
    /// Comments, in order, for suppressions. Doc comments included.
    pub comments: Vec<Span>,
    /// Regions that could not be parsed. Nothing inside them was lowered.
    pub errors: Vec<SyntaxError>,
    /// The module docstring or `//!` lines carry no code: spans of strings that are documentation.
    pub docstrings: Vec<Span>,
}

static NO_EXPR: Expr = Expr {
    kind: ExprKind::Unknown(Vec::new()),
    span: Span { start: 0, end: 0 },
};

impl Module {
    /// An empty module, for a front-end to fill.
    pub fn new(language: Language) -> Self {
        Self {
            language,
            exprs: Vec::new(),
            funcs: Vec::new(),
            classes: Vec::new(),
            impls: Vec::new(),
            submodules: Vec::new(),
            body: Block::default(),
            comments: Vec::new(),
            errors: Vec::new(),
            docstrings: Vec::new(),
        }
    }

    /// Adds an expression to the arena.
    pub fn add(&mut self, kind: ExprKind, span: Span) -> ExprId {
        let id =
            ExprId(u32::try_from(self.exprs.len()).expect("fewer expressions than bytes, and files are below 4 GB"));
        self.exprs.push(Expr { kind, span });
        id
    }

    /// The expression behind an id of this module. An id that names none (a call that no text of the project makes) is
    /// an unknown expression at the start of the file.
    pub fn expr(&self, id: ExprId) -> &Expr {
        self.exprs.get(id.0 as usize).unwrap_or(&NO_EXPR)
    }

    /// The function behind an id of this module.
    pub fn func(&self, id: FuncId) -> &Func {
        &self.funcs[id.0 as usize]
    }

    /// The class behind an id of this module.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.0 as usize]
    }

    /// The `impl` block behind an id of this module.
    pub fn imp(&self, id: ImplId) -> &Impl {
        &self.impls[id.0 as usize]
    }
}

/// A region that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// What the parser says, lower case, no full stop.
    pub message: String,
}

/// A sequence of statements. In Rust the value of a block is that of a trailing [`StmtKind::Value`]; where the block
/// belongs to a statement whose value nobody takes (`if a { b() } else { c() };`), that value is dropped.
#[derive(Debug, Default)]
pub struct Block(pub Vec<Stmt>);

/// A statement and its place.
#[derive(Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it is: the whole statement.
    pub span: Span,
}

/// The forms of statements.
#[derive(Debug)]
pub enum StmtKind {
    /// An expression whose value is dropped (`f()` in Python, `f();` in Rust).
    Expr(ExprId),
    /// Rust: the trailing expression of a block, which is the block's value.
    Value(ExprId),
    /// `a = b = value`. Targets are names, attributes, subscripts, tuples/lists of targets, [`ExprKind::Star`].
    Assign {
        /// What is assigned to.
        targets: Vec<ExprId>,
        /// The value; `None` for a bare annotation `x: T`.
        value: Option<ExprId>,
        /// `x: T = ..`.
        annotation: Option<ExprId>,
    },
    /// `a += b`.
    AugAssign {
        /// What is changed.
        target: ExprId,
        /// By what.
        value: ExprId,
    },
    /// Rust: `let pattern: ty = value else { .. };`.
    Let {
        /// What is bound.
        pattern: Pattern,
        /// The declared type.
        annotation: Option<ExprId>,
        /// The value, if initialised.
        value: Option<ExprId>,
        /// `else { .. }`, which never falls through.
        otherwise: Option<Block>,
    },
    /// `if`. In Rust the test may hold [`ExprKind::LetCond`].
    If {
        /// The condition.
        test: ExprId,
        /// Taken when true.
        then: Block,
        /// `else`; an `elif` is an `If` in here.
        otherwise: Block,
    },
    /// `while`. Rust's `loop` has `test: None`.
    While {
        /// The condition.
        test: Option<ExprId>,
        /// The body.
        body: Block,
        /// Python's `while .. else`.
        otherwise: Block,
    },
    /// `for`, `async for`.
    For {
        /// Python target.
        target: Pattern,
        /// What is iterated.
        iter: ExprId,
        /// The body.
        body: Block,
        /// Python's `for .. else`.
        otherwise: Block,
        /// `async for`.
        is_async: bool,
    },
    /// `try`.
    Try {
        /// The protected part.
        body: Block,
        /// The `except` clauses in order.
        handlers: Vec<Handler>,
        /// `else`.
        otherwise: Block,
        /// `finally`.
        finally: Block,
    },
    /// `with`, `async with`.
    With {
        /// The managers and what they are bound to.
        items: Vec<(ExprId, Option<ExprId>)>,
        /// The body.
        body: Block,
        /// `async with`.
        is_async: bool,
    },
    /// `match`, in both languages.
    Match {
        /// What is matched.
        subject: ExprId,
        /// The arms in order.
        arms: Vec<Arm>,
    },
    /// A bare block (Rust's `{ .. }`, `unsafe { .. }`).
    Block(Block),
    /// Rust: `'a: { .. }`, which `break 'a value` leaves with that value.
    Labelled(Block),
    /// `return`.
    Return(Option<ExprId>),
    /// `raise exc from cause`; a bare `raise` has neither.
    Raise {
        /// What is raised.
        exc: Option<ExprId>,
        /// `from`.
        cause: Option<ExprId>,
    },
    /// `break`; in Rust possibly with a value. Labels are resolved by the front-end: `depth` loops outwards, 0 the
    /// innermost. A [`StmtKind::Labelled`] block counts like a loop.
    Break {
        /// How many further loops are left.
        depth: u32,
        /// `break value`.
        value: Option<ExprId>,
    },
    /// `continue`, `depth` as in [`StmtKind::Break`].
    Continue {
        /// How many loops are left before continuing.
        depth: u32,
    },
    /// A named function is defined here.
    Func(FuncId),
    /// A class, struct, enum, trait or inline module is defined here.
    Class(ClassId),
    /// `import`, `from .. import`, `use`.
    Import(Vec<Import>),
    /// `global` and `nonlocal` declarations.
    Global(Vec<Symbol>),
    /// `nonlocal` declarations.
    Nonlocal(Vec<Symbol>),
    /// `del a, b`.
    Delete(Vec<ExprId>),
    /// `assert test, message`.
    Assert(Vec<ExprId>),
    /// Something else; the children are evaluated in order.
    Unknown(Vec<ExprId>),
}

/// One name brought in by an import. Rust's `mod x;` is one too, of `x` from `self` (see also [`Submodule`]); so is
/// `extern crate x as y;`, with `x` as the `module` and no `name`.
#[derive(Clone, Debug)]
pub struct Import {
    /// The path before the imported name: `a.b` in `from a.b import c`, `a.b` in `import a.b`, `a::b` in `use a::b::c`.
    pub module: Vec<Symbol>,
    /// Leading dots of a relative import in Python. In Rust `crate`, `self`, `super` stay in `module`.
    pub level: u32,
    /// `c` in `from a.b import c` and `use a::b::c`; `None` for `import a.b`.
    pub name: Option<Symbol>,
    /// `from a import *`, `use a::*`.
    pub glob: bool,
    /// The local name that is bound. For `import a.b` without `as` it is `a`. Unused for globs (there it is `*`).
    pub binding: Symbol,
    /// True if the binding was written with `as`.
    pub renamed: bool,
    /// Where.
    pub span: Span,
    /// Rust: `pub use` (a re-export). Python: always true.
    pub public: bool,
}

/// A `mod name;` declaration: the module's items are in another file.
#[derive(Clone, Debug)]
pub struct Submodule {
    /// The module's name.
    pub name: Symbol,
    /// `#[path = ".."]`.
    pub path: Option<String>,
    /// The inline module that holds it; its name is a folder in the path.
    pub outer: Option<ClassId>,
    /// Under `#[cfg(test)]`: all of that file is test code.
    pub is_test: bool,
    /// The whole declaration.
    pub span: Span,
}

/// An `except` clause.
#[derive(Debug)]
pub struct Handler {
    /// The class or tuple of classes; `None` for a bare `except:`. Python 2's `except A, e` has only `A` here.
    pub class: Option<ExprId>,
    /// `as name`, or the name of Python 2's `except A, name`.
    pub name: Option<Symbol>,
    /// The body.
    pub body: Block,
    /// From `except` to the end of the header (up to the colon).
    pub span: Span,
    /// `except*`.
    pub group: bool,
}

/// An arm of a `match`.
#[derive(Debug)]
pub struct Arm {
    /// What it matches.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<ExprId>,
    /// The body; in Rust its value is a trailing [`StmtKind::Value`].
    pub body: Block,
    /// The whole arm.
    pub span: Span,
}

/// A pattern and its place.
#[derive(Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

impl Pattern {
    /// The names that it binds, in order.
    pub fn names(&self) -> Vec<Symbol> {
        let mut names = Vec::new();
        self.add_names(&mut names);
        names
    }

    fn add_names(&self, names: &mut Vec<Symbol>) {
        match &self.kind {
            PatternKind::Bind(name, inner) => {
                names.push(*name);
                if let Some(inner) = inner {
                    inner.add_names(names);
                }
            }
            PatternKind::Star(name) => names.extend(*name),
            PatternKind::Tuple(items) | PatternKind::TupleStruct(_, items) | PatternKind::Or(items) => {
                for item in items {
                    item.add_names(names);
                }
            }
            PatternKind::Struct(_, fields) => fields.iter().for_each(|(_, field)| field.add_names(names)),
            _ => {}
        }
    }
}

/// The forms of patterns.
#[derive(Debug)]
pub enum PatternKind {
    /// `_`, or a literal or range that binds nothing; the children are evaluated.
    Wild,
    /// A literal or other value compared with.
    Literal(ExprId),
    /// A name that is bound, perhaps with a sub-pattern (`x @ Some(_)`).
    Bind(Symbol, Option<Box<Pattern>>),
    /// An assignment target that is not a plain name (Python: `for self.x in ..`).
    Target(ExprId),
    /// A path without arguments: `None`, `Kind::Io`. Never a plain lower-case identifier, which binds.
    Path(ExprId),
    /// `Some(x)`, `Err(Kind::Io(e))`, Python's `Point(x, y=0)`.
    TupleStruct(ExprId, Vec<Pattern>),
    /// `Struct { field: pattern, .. }`.
    Struct(ExprId, Vec<(Symbol, Pattern)>),
    /// `(a, b)` and slices.
    Tuple(Vec<Pattern>),
    /// `a | b`.
    Or(Vec<Pattern>),
    /// `*rest`, `rest @ ..`.
    Star(Option<Symbol>),
}

/// An expression and its place.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is: the whole expression, a method chain from its first token.
    pub span: Span,
}

/// The forms of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// An identifier. In Rust also `self`, `Self`, `crate`, `super`; a macro's name ends in `!`. A raw identifier is
    /// without its `r#`.
    Name(Symbol),
    /// `base.name`, and in Rust `base::name`, tuple fields `base.0`.
    Attr {
        /// The left side.
        base: ExprId,
        /// The attribute.
        name: Symbol,
        /// Where the name itself is.
        name_span: Span,
        /// Rust: written with `::`.
        path: bool,
    },
    /// A call. A Rust method call has an [`ExprKind::Attr`] as its callee, its turbofish is dropped. Macro arguments are
    /// lowered as arguments: `name = value` by name; a body of statements is one argument, a [`ExprKind::Control`] block
    /// or, if it yields, a generator ([`ExprKind::Lambda`]). A macro whose tokens make no sense has no arguments.
    /// `lazy_static!` and `thread_local!` become assignments of the call of that macro with a closure.
    Call {
        /// What is called.
        callee: ExprId,
        /// The arguments in order.
        args: Vec<Arg>,
    },
    /// `base[index]`. A type with generics (`Optional[X]`, `Arc<X, Y>`) is an index, several arguments a tuple.
    /// Rust: `Item = X` among them is an [`ExprKind::Assign`]; `Fn(A, B) -> C` is `Fn[(A, B), C]` with the arguments
    /// always a tuple; `impl A + B` and `dyn A + B` are `impl[A, B]` and `dyn[A, B]`. Lifetimes are left out.
    Index {
        /// The container or generic type.
        base: ExprId,
        /// The key, slice, or type arguments.
        index: ExprId,
    },
    /// `a:b:c` inside an index, `a..b` in Rust (only the ends that are given).
    Slice(Vec<ExprId>),
    /// A string, bytes or f-string.
    Str(StrLit),
    /// An integer that fits.
    Int(i64),
    /// A float, a big integer, a character or another literal without parts.
    Literal,
    /// `True`/`true`, `False`/`false`.
    Bool(bool),
    /// Python's `None`; Rust's unit `()`.
    None,
    /// `(a, b)`, and Python's `a, b`.
    Tuple(Vec<ExprId>),
    /// `[a, b]`, Rust arrays and `vec![..]` (`[a; n]` has one element), slice types `[T]`.
    List(Vec<ExprId>),
    /// `{a, b}`.
    Set(Vec<ExprId>),
    /// `{k: v, **rest}`: a `None` key is `**rest`. Rust: macros of that shape (`doc! { "a": 1 }`, `json!({..})`,
    /// `hashmap! { a => b }`), nested ones too.
    Dict(Vec<(Option<ExprId>, ExprId)>),
    /// A comprehension or generator expression.
    Comp {
        /// Which.
        kind: CompKind,
        /// The `for` clauses with their conditions, outermost first.
        clauses: Vec<Clause>,
        /// The element (for a dict: key, value).
        element: Vec<ExprId>,
    },
    /// A lambda, a closure. A Rust `async` block is the call of an `is_async` closure without parameters.
    Lambda(FuncId),
    /// `await x`, `x.await`.
    Await(ExprId),
    /// `yield x`.
    Yield(Option<ExprId>),
    /// `yield from x`.
    YieldFrom(ExprId),
    /// `*x` in a call, a list or a target; Rust's `..base` does not use it.
    Star(ExprId),
    /// `a if test else b`.
    Cond {
        /// The condition.
        test: ExprId,
        /// When true.
        then: ExprId,
        /// When false.
        otherwise: ExprId,
    },
    /// `a and b`, `a && b`.
    And(Vec<ExprId>),
    /// `a or b`, `a || b`.
    Or(Vec<ExprId>),
    /// `not a`, `!a`.
    Not(ExprId),
    /// Any other operator, comparisons too. In Rust `a + b + c` is one node with three operands.
    Op {
        /// As written: `+`, `==`, `is not`, `in`, `|`, `%`.
        op: Symbol,
        /// The operands.
        operands: Vec<ExprId>,
    },
    /// `name := value`, and Rust's assignment expression `a = b`.
    Assign {
        /// What is assigned to.
        target: ExprId,
        /// The value.
        value: ExprId,
    },
    /// Rust: `value?`.
    Propagate(ExprId),
    /// Rust: `let pattern = value` as a condition, and `matches!(value, pattern)`.
    LetCond {
        /// The pattern.
        pattern: Box<Pattern>,
        /// The value.
        value: ExprId,
    },
    /// Rust: `Path { field: value, ..base }`.
    New {
        /// The type.
        class: ExprId,
        /// The fields given.
        fields: Vec<(Symbol, ExprId)>,
        /// `..base`.
        rest: Option<ExprId>,
    },
    /// Rust: a statement used as an expression (`if`, `match`, `loop`, a block). Also `return`, `break` in expression position.
    Control(Box<Stmt>),
    /// Rust: `select! { pattern = future => body, .. }`: one of the futures completes and its body runs, the others are
    /// dropped. Where a pattern does not match, the others go on.
    Select(Vec<SelectArm>),
    /// Rust: `&x`, `&mut x`, `*x`, `x as T`, `(x)`, the types `&T`, `*const T`: the same value for every question asked here.
    Same(ExprId),
    /// Anything else, with the parts that are evaluated.
    Unknown(Vec<ExprId>),
}

/// An arm of [`ExprKind::Select`].
#[derive(Debug)]
pub struct SelectArm {
    /// What the result is bound to; [`PatternKind::Wild`] for `else`.
    pub pattern: Pattern,
    /// What is waited for, as an [`ExprKind::Await`] of the future (a plain call in crossbeam's `recv(r) -> x => ..`).
    /// `None` for `else`, `default` and `complete`.
    pub future: Option<ExprId>,
    /// `, if condition`: evaluated first.
    pub guard: Option<ExprId>,
    /// What runs then; its value is a trailing [`StmtKind::Value`].
    pub body: Block,
    /// The whole arm.
    pub span: Span,
}

/// A string literal: its text as far as it is known.
///
/// In the format string of a Rust formatting macro every placeholder is a `None` part. Only captured names (`{name}`)
/// are in `values`; what fills the others are the further arguments of the macro.
#[derive(Debug, Default)]
pub struct StrLit {
    /// The decoded parts; `None` stands for an interpolated value. Adjacent literals are joined.
    pub parts: Vec<Option<String>>,
    /// The interpolated expressions, evaluated in order.
    pub values: Vec<ExprId>,
}

impl StrLit {
    /// The text if it is wholly known.
    pub fn known(&self) -> Option<String> {
        self.parts.iter().cloned().collect()
    }
}

/// Which comprehension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompKind {
    /// `[..]`
    List,
    /// `{..}`
    Set,
    /// `{k: v ..}`
    Dict,
    /// `(..)`, lazy.
    Generator,
}

/// `for target in iter if conditions`.
#[derive(Debug)]
pub struct Clause {
    /// What is bound.
    pub target: Pattern,
    /// What is iterated.
    pub iter: ExprId,
    /// The conditions.
    pub conditions: Vec<ExprId>,
    /// `async for`.
    pub is_async: bool,
}

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// How it is passed.
    pub kind: ArgKind,
    /// The value.
    pub value: ExprId,
}

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// By position.
    Positional,
    /// By name.
    Keyword(Symbol),
    /// `*args`.
    Star,
    /// `**kwargs`.
    DoubleStar,
}

/// A function, method, lambda or closure.
#[derive(Debug)]
pub struct Func {
    /// The name; `None` for lambdas, closures and async blocks.
    pub name: Option<Symbol>,
    /// The parameters in order, Rust's `self` included.
    pub params: Vec<Param>,
    /// The return type as written.
    pub returns: Option<ExprId>,
    /// Decorators outermost first; Rust attributes, lowered as calls or names. `#[name = value]` is `name(value)`.
    pub decorators: Vec<ExprId>,
    /// Rust: the type parameters with their bounds, also those that a `where` clause adds to parameters of the outer
    /// `impl`.
    pub generics: Vec<Generic>,
    /// The body. A Python lambda's is a single [`StmtKind::Return`]; a Rust body may end in [`StmtKind::Value`].
    pub body: Block,
    /// `async def`, `async fn`, `async move {}`.
    pub is_async: bool,
    /// Contains a `yield` of its own.
    pub is_generator: bool,
    /// The class, trait or inline module whose body holds it. `None` for what an `impl` block or another function holds.
    pub class: Option<ClassId>,
    /// Rust: the `impl` block that holds it.
    pub imp: Option<ImplId>,
    /// The function that it is nested in.
    pub parent: Option<FuncId>,
    /// Rust: visible outside of its module (`pub`, `pub(crate)`), or a method of a trait or of its implementation.
    /// Python: true.
    pub public: bool,
    /// Rust: `#[test]` and its like, or inside `#[cfg(test)]` or a test.
    pub is_test: bool,
    /// Rust: a trait method or foreign function without a body.
    pub declaration_only: bool,
    /// The whole definition.
    pub span: Span,
    /// The name alone, or the start of a lambda.
    pub name_span: Span,
}

/// A type parameter.
#[derive(Debug)]
pub struct Generic {
    /// Its name.
    pub name: Symbol,
    /// The traits it must have, as types; bounds such as `?Sized` and lifetimes are left out. A const parameter has none.
    pub bounds: Vec<ExprId>,
    /// Its default.
    pub default: Option<ExprId>,
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name. For a Rust pattern that is not a plain name: the first name bound, see `pattern`.
    pub name: Symbol,
    /// Rust: a destructuring pattern (`State(db): State<Db>`).
    pub pattern: Option<Pattern>,
    /// The declared type.
    pub annotation: Option<ExprId>,
    /// The default.
    pub default: Option<ExprId>,
    /// How it takes arguments.
    pub kind: ParamKind,
    /// Where.
    pub span: Span,
}

/// How a parameter takes arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// By position or name.
    Normal,
    /// By position only (before `/`).
    PositionalOnly,
    /// By name only (after `*`).
    KeywordOnly,
    /// `*args`.
    Star,
    /// `**kwargs`.
    DoubleStar,
}

/// What kind of class-like thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassKind {
    /// Python's `class`.
    Class,
    /// Rust's `struct`, `union`.
    Struct,
    /// Rust's `enum`.
    Enum,
    /// Rust's `trait`.
    Trait,
    /// Rust: `mod name { .. }`.
    Module,
    /// Rust: `type Name = ..;`, the aliased type is the only base. In a trait the base is the default or else
    /// `impl[bounds]`. Trait aliases have their bounds as bases.
    Alias,
}

/// A class, struct, enum, trait, inline module or type alias.
#[derive(Debug)]
pub struct Class {
    /// Its name.
    pub name: Symbol,
    /// Which.
    pub kind: ClassKind,
    /// Python's bases, a trait's supertraits, an alias's target.
    pub bases: Vec<ExprId>,
    /// `metaclass=..` and other keywords.
    pub keywords: Vec<(Symbol, ExprId)>,
    /// Decorators; Rust attributes (`#[derive(..)]` as `derive(A, B)`).
    pub decorators: Vec<ExprId>,
    /// The statements in the body (methods as [`StmtKind::Func`]). Empty for structs.
    pub body: Block,
    /// Rust: the fields; tuple fields are named `0`, `1`. For an enum: `Variant` per variant, its type a tuple of payloads.
    pub fields: Vec<Field>,
    /// Rust: the type parameters.
    pub generics: Vec<Generic>,
    /// The function that it is nested in.
    pub parent: Option<FuncId>,
    /// The class or inline module that it is nested in.
    pub outer: Option<ClassId>,
    /// Rust: it has a lifetime parameter, and cannot outlive what it borrows.
    pub borrows: bool,
    /// Rust: inside `#[cfg(test)]`.
    pub is_test: bool,
    /// The whole definition.
    pub span: Span,
    /// The name alone.
    pub name_span: Span,
}

/// A field of a Rust struct or a variant of an enum.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub annotation: Option<ExprId>,
    /// Attributes, as decorators.
    pub decorators: Vec<ExprId>,
    /// What a variant carries, again with attributes. Empty for the field of a struct.
    pub fields: Vec<Field>,
    /// Where.
    pub span: Span,
}

/// A Rust `impl` block.
#[derive(Debug)]
pub struct Impl {
    /// The type parameters.
    pub generics: Vec<Generic>,
    /// The trait of `impl Trait for Type`.
    pub of_trait: Option<ExprId>,
    /// The type.
    pub self_type: ExprId,
    /// The functions.
    pub funcs: Vec<FuncId>,
    /// Associated types: `type Target = X;`.
    pub types: Vec<(Symbol, ExprId)>,
    /// Associated constants as [`StmtKind::Assign`].
    pub consts: Block,
    /// The inline module that holds it, for name look-up.
    pub outer: Option<ClassId>,
    /// The function that holds it.
    pub parent: Option<FuncId>,
    /// Inside `#[cfg(test)]`.
    pub is_test: bool,
    /// The whole block.
    pub span: Span,
}
