//! What every lint needs: the outcomes, and words for places, handles, versions and paths.

use rustc_hash::FxHashMap;

use crate::core::{ClassId, ExprId, ExprKind, Language, Module, StmtKind, Symbol};
use crate::findings::{Code, Confidence, FileId, Finding, Location, Related, Severity};
use crate::flow::Outcomes;
use crate::flow::flight::{Entry, Error, Escape, Note, Place, Site, SiteId};
use crate::knowledge::{Connection, Knowledge, LibId, Retry};
use crate::lints::texts;
use crate::resolve::program::{Assumed, World};
use crate::resolve::value::{ExprRef, FuncRef, UnitId};

/// Characters of a decorator that a label shows.
const MAX_SHOWN: usize = 40;
/// Modules whose classes, as bases, call nothing.
const PASSIVE_MODULES: [&str; 4] = ["abc", "enum", "typing", "typing_extensions"];
/// Python's own decorators, which say how a function is bound and not who calls it.
const BUILTIN_DECORATORS: [&str; 3] = ["property", "staticmethod", "classmethod"];

/// What lints read, and where they put findings.
pub struct Context<'a> {
    /// What the analysis found.
    pub out: &'a Outcomes,
    /// The libraries.
    pub knowledge: &'a Knowledge,
    /// The program.
    pub world: &'a mut dyn World,
    /// The files of the report, by unit.
    pub files: &'a FxHashMap<UnitId, FileId>,
    /// The findings so far.
    pub findings: Vec<Finding>,
    /// How often names are used in the files that were read; counted when it is first asked for.
    pub mentions: Option<FxHashMap<Symbol, u32>>,
}

impl Context<'_> {
    /// A finding of this rule, not added yet. `None` if the place is in no file of the report.
    pub fn finding(&mut self, code: u16, place: Place, message: String) -> Option<Finding> {
        let rule = texts::by_code(Code::new(code))?;
        let location = self.location(place)?;
        Some(Finding::new(rule.code, rule.name, rule.severity, location, message))
    }

    /// Adds a finding. One of confidence `likely` is at most a warning.
    pub fn add(&mut self, mut finding: Finding) {
        if finding.confidence == Confidence::Likely {
            finding.severity = finding.severity.min(Severity::Warning);
        }
        let same = |f: &Finding| f.code == finding.code && f.location == finding.location;
        if !self.findings.iter().any(same) {
            self.findings.push(finding);
        }
    }

    /// A place of the program as a place of the report.
    pub fn location(&self, place: Place) -> Option<Location> {
        Some(Location {
            file: *self.files.get(&place.unit)?,
            span: place.span,
        })
    }

    /// Where an expression stands.
    pub fn place(&mut self, at: ExprRef) -> Option<Place> {
        let module = self.world.module(at.unit)?;
        let expr = module.exprs.get(at.expr.0 as usize)?;
        Some(Place {
            unit: at.unit,
            span: expr.span,
        })
    }

    /// A further place with what it has to do with the finding.
    pub fn related(&self, place: Place, message: impl Into<String>) -> Option<Related> {
        Some(Related {
            message: message.into(),
            location: self.location(place)?,
        })
    }

    /// The version assumed at a place.
    pub fn assumed(&mut self, unit: UnitId, lib: LibId) -> Assumed {
        self.world.assumed(unit, lib)
    }

    /// A library's name.
    pub fn library(&self, lib: LibId) -> &str {
        &self.knowledge.library(lib).file.library.name
    }

    /// `Class.method`, `function`, or empty at module level.
    pub fn function_name(&mut self, func: FuncRef) -> String {
        let Some(module) = self.world.module(func.unit) else {
            return String::new();
        };
        let mut parts = Vec::new();
        let mut current = Some(func.func);
        let mut class = None;
        while let Some(id) = current {
            let f = module.func(id);
            parts.push(f.name.map_or_else(|| "<lambda>".to_owned(), |n| n.to_string()));
            class = f.class;
            current = if class.is_some() { None } else { f.parent };
        }
        if let Some(class) = class {
            parts.push(module.class(class).name.to_string());
        }
        parts.reverse();
        parts.join(".")
    }

    /// The name of the error that gets away.
    pub fn error_name(&mut self, error: &Error) -> String {
        match error {
            Error::Loss(_, classes, _) => classes.first().map_or_else(String::new, |c| {
                c.as_str().rsplit('.').next().unwrap_or_default().to_owned()
            }),
            _ => "the error".into(),
        }
    }

    /// What the driver raises at this site.
    pub fn loss_name(&mut self, site: &Site) -> String {
        let release = self.assumed(site.place.unit, site.driver).release;
        let classes = self.knowledge.loss(site.lib, release);
        classes.first().map_or_else(
            || "an error".to_owned(),
            |c: &Symbol| c.as_str().rsplit('.').next().unwrap_or_default().to_owned(),
        )
    }

    /// What is called, for messages: `orders.insert_one()` or `iterating cursor`.
    pub fn call_text(site: &Site) -> String {
        if site.iteration && site.call == site.receiver {
            format!("iterating `{}`", site.call)
        } else if site.iteration {
            // `list(orders.find())`: the function iterates.
            format!("`{}`", site.call)
        } else if site.ty.is_some() && !site.call.contains(site.operation.as_str()) && !is_syntax(site) {
            // Called under another name: `attr(...)` of a proxy.
            format!("`{}` (`{}`)", site.call, site.operation)
        } else {
            format!("`{}`", site.call)
        }
    }

    /// Notes below a finding: driver and version, what it does by itself, the handle.
    pub fn facts(&mut self, site: &Site) -> Vec<String> {
        let assumed = self.assumed(site.place.unit, site.driver);
        let retries = match site.retry {
            Retry::Never if site.in_transaction => "a statement of a transaction is never retried by the driver",
            Retry::Never if site.iteration => "the driver never retries fetching the next batch",
            Retry::Never => "the driver never retries this operation",
            Retry::Once => "the driver retries this operation once by itself",
            Retry::Many => "the driver retries this operation until it succeeds",
        };
        let mut facts = vec![format!("driver: {}; {retries}", assumed.text)];
        if let Some(ty) = site.ty {
            let name = self.knowledge.ty(ty).spec.name.clone();
            let lib = self.library(self.knowledge.ty(ty).lib).to_owned();
            let sure = if site.confidence == Confidence::Likely {
                ", by its name only"
            } else {
                ""
            };
            facts.push(if self.is_sent(site) {
                format!("handle: `{}`, to which a {lib} {name} is sent{sure}", site.receiver)
            } else {
                format!("handle: `{}` is a {lib} {name}{sure}", site.receiver)
            });
        }
        facts
    }

    /// The call is made on a command, and the connection is an argument of which nothing is known.
    fn is_sent(&self, site: &Site) -> bool {
        !site.iteration
            && !site.call.starts_with(site.receiver.as_str())
            && site.ty.is_some_and(|ty| self.knowledge.connection(ty).is_none())
    }

    /// True if the function around a site returns something, or if that is not known.
    pub fn returns(&mut self, site: &Site) -> bool {
        let Some(func) = site.func else { return true };
        let Some(module) = self.world.module(func.unit) else {
            return true;
        };
        let func = module.func(func.func);
        func.name.is_none() || func.returns.is_some()
    }

    /// Where the connection was opened. One that a library holds for the project is opened by nothing that can be shown.
    pub fn opening(&mut self, site: &Site) -> Option<Related> {
        if site.ty.and_then(|ty| self.knowledge.connection(ty)) == Some(Connection::Ambient) || self.is_sent(site) {
            return None;
        }
        let origin = site.origin.filter(|at| !self.out.makings.contains(at))?;
        let place = self.place(origin)?;
        self.related(place, "the connection is opened here")
    }

    /// The path from the entry point inwards, and the guards passed.
    pub fn path(&mut self, site: &Site, escape: &Escape) -> Vec<Related> {
        let mut path = Vec::new();
        let flight = &escape.flight;
        // What lies further out is none of its callers, unless a guard there was judged.
        let untaken = flight.marks.untaken.filter(|u| u.notes as usize == flight.notes.len());
        match &escape.entry {
            _ if untaken.is_some() => {
                let func = untaken.map(|u| u.func);
                let name = func.map(|f| self.function_name(f)).unwrap_or_default();
                let place = func.and_then(|f| self.function_place(f));
                let text = format!("entry point: no call of `{name}` that was read takes the branch that leads here");
                path.extend(place.and_then(|p| self.related(p, text)));
            }
            Entry::Module(_) => {}
            Entry::Function(func) => {
                let text = format!("entry point: {}", self.unknown_caller(*func));
                let place = self.function_place(*func);
                path.extend(place.and_then(|p| self.related(p, text)));
            }
            Entry::Registered(func, spec) => {
                let name = self.function_name(*func);
                let library = self.library(self.knowledge.call(*spec).lib).to_owned();
                let place = self.function_place(*func);
                path.extend(place.and_then(|p| self.related(p, format!("entry point: {library} calls `{name}`"))));
            }
            Entry::Worker(place) => {
                path.extend(self.related(
                    *place,
                    "this worker's loop ends with the error, and nothing starts it again",
                ));
            }
            Entry::Spawned(at) => {
                let place = self.place(*at);
                path.extend(place.and_then(|p| self.related(p, "entry point: a thread or task is started here")));
            }
        }
        let calls = self.out.paths.calls(untaken.map_or(flight.path, |u| u.path));
        let called = if escape.flight.notes.is_empty() {
            "which is called from here, with no guard for the error"
        } else {
            "which is called from here"
        };
        let mut started = matches!(escape.entry, Entry::Module(_)) && untaken.is_none();
        for call in calls {
            if call == site.at {
                continue;
            }
            if let Some(place) = self.place(call) {
                let text = if std::mem::take(&mut started) {
                    called.replace("which is called from here", "entry point: this file calls it itself")
                } else {
                    called.to_owned()
                };
                path.extend(self.related(place, text));
            }
        }
        for note in &escape.flight.notes {
            let (place, text) = match note {
                Note::Missed {
                    handler,
                    classes,
                    part: true,
                    ..
                } => (*handler, format!("`{classes}` covers only a part of the error")),
                Note::Missed { handler, classes, .. } => (*handler, format!("`{classes}` does not cover the error")),
                Note::Reraised {
                    handler,
                    raised: Some(raised),
                    ..
                } => (*handler, format!("the handler raises `{raised}` in its place")),
                Note::Reraised {
                    handler, raised: None, ..
                } => {
                    // The place of a handler of a class is the name of its method.
                    let text = self.world.text(handler.unit);
                    let leaves = text
                        .get(handler.span.range())
                        .is_some_and(|t| matches!(t, "__exit__" | "__aexit__"));
                    let label = if leaves {
                        "this looks at the error and lets it go on"
                    } else {
                        "the handler raises it again"
                    };
                    (*handler, label.to_owned())
                }
                Note::Unclear(handler) => (*handler, "the classes of this handler are not known".to_owned()),
            };
            path.extend(self.related(place, text));
        }
        path
    }

    /// What is known of the callers of a function in which an error ends.
    fn unknown_caller(&mut self, func: FuncRef) -> String {
        let name = self.function_name(func);
        let Some(module) = self.world.module(func.unit) else {
            return format!("`{name}`");
        };
        let f = module.func(func.func);
        if module.language == Language::Rust && f.name.is_some_and(|n| n.as_str() == "main") {
            return "the program starts here".to_owned();
        }
        let class = f.class.map(|c| &module.class(c).decorators[..]).unwrap_or_default();
        let mut decorators = f.decorators.iter().chain(class).copied();
        let builtin =
            |d: &ExprId| matches!(&module.expr(*d).kind, ExprKind::Name(n) if BUILTIN_DECORATORS.contains(&n.as_str()));
        let foreign = decorators.find(|d| module.language == Language::Python && !builtin(d));
        let own = f.name.map_or(0, |n| {
            let used = |e: &&crate::core::Expr| used_name(&e.kind) == Some(n) && f.span.contains(e.span);
            module.exprs.iter().filter(used).count() as u32
        });
        let used = f.name.and_then(|n| self.mentions().get(&n).copied()).unwrap_or(0);
        if used > own {
            format!("how `{name}` is called could not be followed")
        } else if let Some(decorator) = foreign {
            let text = self.world.text(func.unit);
            let text = text.get(module.expr(decorator).span.range()).unwrap_or_default();
            format!("nothing that was read calls `{name}`, but `@{}` may", shortened(text))
        } else if let Some(base) = f.class.and_then(|c| self.foreign_base(func.unit, &module, c)) {
            format!("nothing that was read calls `{name}`, but its base `{base}` may")
        } else {
            format!("nothing that was read calls `{name}`")
        }
    }

    /// A class outside of the project that a class derives from, by the name that the file imports it under.
    fn foreign_base(&mut self, unit: UnitId, module: &Module, class: ClassId) -> Option<String> {
        let imports = |first: Symbol| {
            module.body.0.iter().find_map(|s| match &s.kind {
                StmtKind::Import(imports) => imports.iter().find(|i| i.binding == first).cloned(),
                _ => None,
            })
        };
        for base in &module.class(class).bases {
            let Some(first) = first_name(module, *base) else {
                continue;
            };
            let Some(import) = imports(first) else { continue };
            let plain = import
                .module
                .first()
                .is_some_and(|m| PASSIVE_MODULES.contains(&m.as_str()));
            if !import.module.is_empty()
                && !plain
                && import.level == 0
                && self.world.resolve(unit, &import.module, 0).is_empty()
            {
                let text = self.world.text(unit);
                return text.get(module.expr(*base).span.range()).map(shortened);
            }
        }
        None
    }

    fn mentions(&mut self) -> &FxHashMap<Symbol, u32> {
        if self.mentions.is_none() {
            let mut found: FxHashMap<Symbol, u32> = FxHashMap::default();
            for unit in self.files.keys() {
                let Some(module) = self.world.module(*unit) else {
                    continue;
                };
                for name in module.exprs.iter().filter_map(|e| used_name(&e.kind)) {
                    *found.entry(name).or_default() += 1;
                }
            }
            self.mentions = Some(found);
        }
        self.mentions.get_or_insert_default()
    }

    /// The body of the innermost function around an expression.
    pub fn enclosing(&mut self, at: ExprRef) -> Option<Place> {
        let module = self.world.module(at.unit)?;
        let inner = module.expr(at.expr).span;
        let around = module.funcs.iter().map(|f| f.span).filter(|s| s.contains(inner));
        let span = around.min_by_key(|s| s.end - s.start)?;
        Some(Place { unit: at.unit, span })
    }

    /// A call site that is reached only from within this place.
    pub fn is_within(&mut self, site: SiteId, place: Place) -> bool {
        let out = self.out;
        let own = out.sites.get(site).place;
        if own.unit == place.unit && place.span.contains(own.span) {
            return true;
        }
        let Some(fate) = out.fates.get(site.0 as usize) else {
            return false;
        };
        let mut through = |at: ExprRef| {
            let call = self.place(at);
            call.is_some_and(|c| c.unit == place.unit && place.span.contains(c.span))
        };
        fate.escapes
            .iter()
            .all(|e| out.paths.calls(e.flight.path).into_iter().any(&mut through))
    }

    fn function_place(&mut self, func: FuncRef) -> Option<Place> {
        let module = self.world.module(func.unit)?;
        Some(Place {
            unit: func.unit,
            span: module.func(func.func).name_span,
        })
    }

    /// The help text of the library for this rule and operation.
    pub fn help(&mut self, code: u16, site: &Site) -> String {
        self.help_of(&[site.lib, site.driver], code, site)
    }

    /// The same, by the first of these libraries that has something to say.
    pub fn help_of(&mut self, libraries: &[LibId], code: u16, site: &Site) -> String {
        let kind = match site.repeat {
            _ if site.in_transaction => "transaction",
            _ if site.iteration => "iteration",
            None if site.reads => "read",
            Some(_) => "write",
            None => "command",
        };
        let keys = [
            format!("RL{code:03}.{kind}"),
            format!("RL{code:03}"),
            format!("default.{kind}"),
            "default".into(),
        ];
        // What is said of this type of handle comes first.
        let ty = site.ty.map(|ty| self.knowledge.ty(ty));
        let mut text = ty.filter(|ty| libraries.contains(&ty.lib)).and_then(|ty| {
            let help = &self.knowledge.library(ty.lib).file.help;
            help.get(&format!("RL{code:03}.{}", ty.key)).cloned()
        });
        // A panic is no matter of the library alone: what it says of errors in general comes last.
        let own = if code == 107 { 2 } else { keys.len() };
        for keys in [&keys[..own], &keys[own..]] {
            for lib in libraries {
                let help = &self.knowledge.library(*lib).file.help;
                text = text.or_else(|| keys.iter().find_map(|k| help.get(k)).cloned());
            }
        }
        let error = self.loss_name(site);
        let text = text.unwrap_or_else(|| "catch `{error}` around `{call}` and answer, fall back or retry".to_owned());
        let call = if site.iteration {
            site.receiver.clone()
        } else {
            let arguments = if is_syntax(site) { "" } else { "(...)" };
            format!("{}{arguments}", site.call)
        };
        text.replace("{handle}", &site.receiver)
            .replace("{call}", &call)
            .replace("{error}", &error)
            .replace("{operation}", site.operation.as_str())
            .trim_end()
            .to_owned()
    }
}

/// The first line of a text, cut to a length that fits into a label.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim_end();
    if line.len() == text.len() && line.chars().count() <= MAX_SHOWN {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX_SHOWN).collect();
    format!("{}...", cut.trim_end_matches(['.', ' ']))
}

/// The name that `a.b.c` begins with.
fn first_name(module: &Module, id: ExprId) -> Option<Symbol> {
    match &module.expr(id).kind {
        ExprKind::Name(name) => Some(*name),
        ExprKind::Attr { base, .. } => first_name(module, *base),
        _ => None,
    }
}

/// The name that an expression uses, also one in a string, by which functions are found while the program runs.
fn used_name(kind: &ExprKind) -> Option<Symbol> {
    match kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => Some(*name),
        ExprKind::Str(literal) => {
            let text = literal.known()?;
            let identifier = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
            identifier.then(|| Symbol::new(&text))
        }
        _ => None,
    }
}

/// The operation is a form of the language, not a method: `orders[0]`, `with`, `await`, a call of the object.
fn is_syntax(site: &Site) -> bool {
    matches!(site.operation.as_str(), "subscript" | "await" | "with" | "call")
}
