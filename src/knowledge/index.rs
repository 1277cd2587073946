//! The engine's view of the library files: paths, types with inheritance resolved, errors.

use std::fmt;
use std::str::FromStr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Broken, CallSpec, Connection, ErrorClass, Gate, GuardSpec, LibraryFile, Loss, OptionSpec, Release, Requirement,
    Retry, Role, TypeSpec,
};
use crate::core::{Language, Symbol};

/// Index of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibId(pub u32);

/// Index of a type of some library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// Index of a call specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpecId(pub u32);

/// A type with everything it inherits.
#[derive(Debug)]
pub struct Type {
    /// The library that describes it.
    pub lib: LibId,
    /// Its key in the file.
    pub key: Symbol,
    /// Its description, bases merged in.
    pub spec: TypeSpec,
    /// Methods by name.
    pub methods: FxHashMap<Symbol, SpecId>,
    /// Methods of the class itself.
    pub class_methods: FxHashMap<Symbol, SpecId>,
    /// Attributes whose reading is a round trip.
    pub properties: FxHashMap<Symbol, SpecId>,
    /// Methods of other objects that take this as an argument.
    pub taken_by: FxHashMap<Symbol, SpecId>,
    /// Calling it.
    pub call: Option<SpecId>,
    /// Subscripting it.
    pub index: Option<SpecId>,
    /// Slicing it.
    pub slice: Option<SpecId>,
    /// Constructing it.
    pub constructor: Option<SpecId>,
    /// Awaiting it.
    pub on_await: Option<SpecId>,
    /// Entering it.
    pub on_enter: Option<SpecId>,
    /// Leaving it.
    pub on_exit: Option<SpecId>,
    /// The keys of all types that it inherits from, itself first.
    pub lineage: Vec<TypeId>,
}

/// A call specification in its library.
#[derive(Debug)]
pub struct Spec {
    /// The library whose file holds it.
    pub lib: LibId,
    /// The operation's name: the method, or the last part of the path.
    pub name: Symbol,
    /// What the file says.
    pub call: CallSpec,
    /// `Some(true)`: only queued, to be sent by another method of the object.
    pub queued: Option<bool>,
}

/// What a canonical path denotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A class whose objects are followed.
    Type(TypeId),
    /// A function, decorator or other callable.
    Function(SpecId),
    /// An exception class.
    Error(LibId),
    /// An object that a module of the library holds, of this type.
    Object(TypeId),
}

/// A library with its index.
#[derive(Debug)]
pub struct Library {
    /// The file.
    pub file: LibraryFile,
    /// Types by key.
    pub types: FxHashMap<String, TypeId>,
    /// The driver whose errors count: itself, or a layer's driver if that is loaded.
    pub driver: LibId,
    /// Assumed when the version is unknown.
    pub oldest: Release,
}

/// All loaded libraries.
#[derive(Debug, Default)]
pub struct Knowledge {
    libs: Vec<Library>,
    types: Vec<Type>,
    specs: Vec<Spec>,
    items: FxHashMap<Symbol, Item>,
    aliases: FxHashMap<String, String>,
    prefixes: Vec<(String, String)>,
    errors: FxHashMap<Symbol, (LibId, ErrorClass)>,
    lookalikes: FxHashMap<Symbol, Vec<(LibId, String)>>,
    lookalike_prefixes: Vec<(String, LibId, String)>,
    options: FxHashMap<Symbol, Vec<(LibId, usize)>>,
    broken: FxHashMap<Symbol, Vec<(LibId, usize)>>,
    asked_for: FxHashSet<Symbol>,
    setting_names: FxHashSet<Symbol>,
    listed_names: FxHashSet<Symbol>,
    imports: FxHashMap<Symbol, Vec<LibId>>,
    flags: Vec<String>,
}

/// A defect of a library file that its schema can't express.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnowledgeError {
    /// The library's name.
    pub library: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for KnowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.library, self.message)
    }
}

impl Knowledge {
    /// Builds the index. References that lead nowhere are returned as errors; the rest is usable.
    pub fn new(files: Vec<LibraryFile>) -> (Self, Vec<KnowledgeError>) {
        let mut errors = Vec::new();
        let mut this = Self::default();
        for file in files {
            this.add(file, &mut errors);
        }
        this.link(&mut errors);
        this.register();
        (this, errors)
    }

    fn add(&mut self, file: LibraryFile, errors: &mut Vec<KnowledgeError>) {
        let lib = LibId(self.libs.len() as u32);
        for (from, to) in &file.aliases {
            if let (Some(from), Some(to)) = (from.strip_suffix(".*"), to.strip_suffix(".*")) {
                self.prefixes.push((format!("{from}."), format!("{to}.")));
            } else {
                self.aliases.insert(from.clone(), to.clone());
            }
        }
        for (path, class) in &file.errors.classes {
            let symbol = Symbol::new(path);
            self.errors.insert(symbol, (lib, class.clone()));
            self.items.entry(symbol).or_insert(Item::Error(lib));
        }
        for (path, why) in &file.errors.lookalikes {
            if let Some(prefix) = path.strip_suffix(".*") {
                self.lookalike_prefixes.push((format!("{prefix}."), lib, why.clone()));
                continue;
            }
            self.lookalikes
                .entry(Symbol::new(path))
                .or_default()
                .push((lib, why.clone()));
        }
        for import in &file.library.imports {
            self.imports.entry(Symbol::new(import)).or_default().push(lib);
        }
        for (path, spec) in &file.functions {
            let name = Symbol::new(path.rsplit('.').next().unwrap_or(path));
            let id = self.spec(lib, name, spec.clone());
            let symbol = Symbol::new(path);
            self.items.insert(symbol, Item::Function(id));
        }
        let oldest = file
            .library
            .oldest
            .as_deref()
            .unwrap_or("0")
            .parse()
            .unwrap_or_else(|message| {
                errors.push(KnowledgeError {
                    library: file.library.name.clone(),
                    message,
                });
                Release::default()
            });
        self.libs.push(Library {
            file,
            types: FxHashMap::default(),
            driver: lib,
            oldest,
        });
    }

    fn spec(&mut self, lib: LibId, name: Symbol, call: CallSpec) -> SpecId {
        for flag in call.sets.iter().chain(call.when.iter().filter_map(|w| w.sets.as_ref())) {
            if !self.flags.contains(flag) {
                self.flags.push(flag.clone());
            }
        }
        self.specs.push(Spec {
            lib,
            name,
            call,
            queued: None,
        });
        SpecId(self.specs.len() as u32 - 1)
    }

    fn link(&mut self, errors: &mut Vec<KnowledgeError>) {
        for index in 0..self.libs.len() {
            if let Some(driver) = self.libs[index].file.library.driver.clone()
                && let Some(found) = self.named(LibId(index as u32), &driver)
            {
                self.libs[index].driver = found;
            }
            let lib = LibId(index as u32);
            let keys: Vec<String> = self.libs[index].file.types.keys().cloned().collect();
            for key in keys {
                let id = TypeId(self.types.len() as u32);
                self.libs[index].types.insert(key.clone(), id);
                self.types.push(Type {
                    lib,
                    key: Symbol::new(&key),
                    spec: TypeSpec::default(),
                    methods: FxHashMap::default(),
                    class_methods: FxHashMap::default(),
                    properties: FxHashMap::default(),
                    taken_by: FxHashMap::default(),
                    call: None,
                    index: None,
                    slice: None,
                    constructor: None,
                    on_await: None,
                    on_enter: None,
                    on_exit: None,
                    lineage: Vec::new(),
                });
            }
        }
        for index in 0..self.types.len() {
            let id = TypeId(index as u32);
            let (lib, key) = (self.types[index].lib, self.types[index].key);
            let mut lineage = vec![id];
            let mut current = id;
            while let Some(base) = self.raw(current).base.clone() {
                let Some(next) = self.type_named(self.types[current.0 as usize].lib, &base) else {
                    // A base in a library that was not loaded (its driver is not used here) is no defect.
                    if !base.contains(':') {
                        errors.push(self.error(lib, format!("type `{key}` has the unknown base `{base}`")));
                    }
                    break;
                };
                if lineage.contains(&next) {
                    errors.push(self.error(lib, format!("type `{key}` inherits from itself")));
                    break;
                }
                lineage.push(next);
                current = next;
            }
            let mut merged = self.raw(id).clone();
            for &base in &lineage[1..] {
                let owner = self.types[base.0 as usize].lib;
                let mut inherited = self.raw(base).clone();
                if owner != lib {
                    qualify(&mut inherited, &self.library(owner).file.library.name);
                }
                merge(&mut merged, &inherited);
            }
            // Specifications keep the library of the file that wrote them, so that its behaviours and versions count.
            let mut methods = FxHashMap::default();
            let mut class_methods = FxHashMap::default();
            let mut properties = FxHashMap::default();
            let mut taken_by = FxHashMap::default();
            let (mut queued, mut own_methods) = (false, FxHashSet::default());
            let (mut call, mut index_spec, mut constructor) = (None, None, None);
            let (mut on_await, mut on_enter, mut on_exit, mut slice) = (None, None, None, None);
            for &owner in &lineage {
                let from = self.types[owner.0 as usize].lib;
                let raw = self.raw(owner).clone();
                let groups = [
                    (&raw.methods, &mut methods),
                    (&raw.class_methods, &mut class_methods),
                    (&raw.properties, &mut properties),
                    (&raw.taken_by, &mut taken_by),
                ];
                for (source, target) in groups {
                    for (name, spec) in source {
                        let name = Symbol::new(name);
                        target
                            .entry(name)
                            .or_insert_with(|| self.spec(from, name, spec.clone()));
                    }
                }
                for group in &raw.groups {
                    for name in &group.names {
                        let name = Symbol::new(name);
                        methods
                            .entry(name)
                            .or_insert_with(|| self.spec(from, name, group.does.clone()));
                    }
                }
                // Inherited methods of a queue wait for its own ones to send them.
                if owner == id && raw.queues {
                    queued = true;
                } else if queued {
                    for spec in methods.values() {
                        let entry = &mut self.specs[spec.0 as usize];
                        if entry.queued.is_none() {
                            entry.queued = Some(!own_methods.contains(spec));
                        }
                    }
                }
                if owner == id {
                    own_methods.extend(methods.values().copied());
                }
                let single = [
                    (&raw.call, &mut call, "call"),
                    (&raw.index, &mut index_spec, "subscript"),
                    (&raw.slice, &mut slice, "subscript"),
                    (&raw.constructor, &mut constructor, merged.name.as_str()),
                    (&raw.on_await, &mut on_await, "await"),
                    (&raw.on_enter, &mut on_enter, "with"),
                    (&raw.on_exit, &mut on_exit, "with"),
                ];
                for (source, target, name) in single {
                    if let (Some(spec), None) = (source, &target) {
                        *target = Some(self.spec(from, Symbol::new(name), spec.clone()));
                    }
                }
            }
            for path in &self.raw(id).paths.clone() {
                self.items.insert(Symbol::new(path), Item::Type(id));
            }
            let slot = &mut self.types[index];
            slot.spec = merged;
            slot.methods = methods;
            slot.class_methods = class_methods;
            slot.properties = properties;
            slot.taken_by = taken_by;
            slot.call = call;
            slot.index = index_spec;
            slot.slice = slice;
            slot.constructor = constructor;
            slot.on_await = on_await;
            slot.on_enter = on_enter;
            slot.on_exit = on_exit;
            slot.lineage = lineage;
        }
    }

    /// Options and broken parts by who takes them, and objects by path.
    fn register(&mut self) {
        for index in 0..self.libs.len() {
            let lib = LibId(index as u32);
            let file = self.libs[index].file.clone();
            for (number, option) in file.options.iter().enumerate() {
                for on in &option.on {
                    let key = self.key(lib, on);
                    self.options.entry(key).or_default().push((lib, number));
                }
            }
            for (number, broken) in file.broken.iter().enumerate() {
                let key = self.key(lib, &broken.path);
                self.broken.entry(key).or_default().push((lib, number));
            }
            let conditions = file.options.iter().flat_map(|o| o.only.iter().chain(&o.unless));
            let conditions = conditions.chain(file.broken.iter().flat_map(|b| &b.only));
            for setting in &file.settings {
                self.setting_names
                    .insert(Symbol::new(setting.name.split('.').next().unwrap_or_default()));
            }
            for key in file.listed.keys() {
                self.listed_names
                    .insert(Symbol::new(key.split('.').next().unwrap_or_default()));
            }
            for name in conditions.flat_map(|w| &w.holds) {
                self.asked_for.insert(Symbol::new(name));
            }
            for (path, ty) in &file.objects {
                if let Some(ty) = self.type_named(lib, ty) {
                    let path = self.canonical(path);
                    self.items.insert(path, Item::Object(ty));
                }
            }
        }
    }

    /// True if a project configures some library by a variable or key of this name.
    pub fn is_setting(&self, name: Symbol) -> bool {
        self.setting_names.contains(&name)
    }

    /// What is registered by the dotted paths in this variable, with the key to step into (empty for none), by library.
    pub fn listed(&self, name: Symbol) -> Vec<(LibId, &str, &super::Registers)> {
        let mut found = Vec::new();
        if !self.listed_names.contains(&name) {
            return found;
        }
        for (index, library) in self.libs.iter().enumerate() {
            for (key, registers) in &library.file.listed {
                let (variable, inner) = key.split_once('.').unwrap_or((key, ""));
                if variable == name.as_str() {
                    found.push((LibId(index as u32), inner, registers));
                }
            }
        }
        found
    }

    /// True if some condition asks for what this method (`type.method`) gives.
    pub fn is_asked_for(&self, method: Symbol) -> bool {
        self.asked_for.contains(&method)
    }

    /// Who takes an option, as one word: `library#type`, `library#type.method` or a canonical path.
    fn key(&self, lib: LibId, on: &str) -> Symbol {
        let name = &self.library(lib).file.library.name;
        let head = on.split('.').next().unwrap_or(on);
        if self.library(lib).types.contains_key(head) {
            Symbol::new(&format!("{name}#{on}"))
        } else {
            self.canonical(on)
        }
    }

    /// The options that a call takes, by its keys (see [`Self::keys`]).
    pub fn options_of(&self, keys: &[Symbol]) -> Vec<(LibId, &OptionSpec)> {
        let mut found: Vec<(LibId, usize)> = keys
            .iter()
            .filter_map(|k| self.options.get(k))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .map(|(lib, number)| (lib, &self.library(lib).file.options[number]))
            .filter(|(lib, option)| {
                let name = &self.library(*lib).file.library.name;
                let excluded = |on: &String| {
                    let own = format!("{name}#{on}");
                    keys.iter().any(|k| {
                        k.as_str()
                            .strip_prefix(&own)
                            .is_some_and(|r| r.is_empty() || r.starts_with('.'))
                    })
                };
                !option.not_on.iter().any(excluded)
            })
            .collect()
    }

    /// What is known not to work about a call, by its keys.
    pub fn broken_of(&self, keys: &[Symbol]) -> Vec<(LibId, &Broken)> {
        let mut found: Vec<(LibId, usize)> = keys
            .iter()
            .filter_map(|k| self.broken.get(k))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .map(|(lib, number)| (lib, &self.library(lib).file.broken[number]))
            .collect()
    }

    /// The keys by which options and broken parts name a call: of a type's constructor (`method: None`) or method, for the
    /// type and all that it is based on.
    pub fn keys(&self, ty: TypeId, method: Option<&str>) -> Vec<Symbol> {
        self.ty(ty)
            .lineage
            .iter()
            .map(|t| {
                let entry = self.ty(*t);
                let name = &self.library(entry.lib).file.library.name;
                match method {
                    Some(method) => Symbol::new(&format!("{name}#{}.{method}", entry.key)),
                    None => Symbol::new(&format!("{name}#{}", entry.key)),
                }
            })
            .collect()
    }

    fn raw(&self, id: TypeId) -> &TypeSpec {
        let entry = &self.types[id.0 as usize];
        &self.libs[entry.lib.0 as usize].file.types[entry.key.as_str()]
    }

    fn error(&self, lib: LibId, message: String) -> KnowledgeError {
        KnowledgeError {
            library: self.library(lib).file.library.name.clone(),
            message,
        }
    }

    /// The library behind an id.
    pub fn library(&self, id: LibId) -> &Library {
        &self.libs[id.0 as usize]
    }

    /// All libraries.
    pub fn libraries(&self) -> impl Iterator<Item = (LibId, &Library)> {
        self.libs.iter().enumerate().map(|(i, l)| (LibId(i as u32), l))
    }

    /// The type behind an id.
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// The call specification behind an id.
    pub fn call(&self, id: SpecId) -> &Spec {
        &self.specs[id.0 as usize]
    }

    /// A library by the name that another one of the same language calls it.
    fn named(&self, from: LibId, name: &str) -> Option<LibId> {
        let language = self.library(from).file.library.language;
        let is_it = |l: &Library| l.file.library.name == name && l.file.library.language == language;
        self.libs.iter().position(is_it).map(|found| LibId(found as u32))
    }

    /// A type by `key` in a library or its driver, or by `library:key`.
    pub fn type_named(&self, lib: LibId, reference: &str) -> Option<TypeId> {
        if let Some((library, key)) = reference.split_once(':') {
            let found = self.named(lib, library)?;
            return self.library(found).types.get(key).copied();
        }
        let library = self.library(lib);
        library
            .types
            .get(reference)
            .or_else(|| self.library(library.driver).types.get(reference))
            .copied()
    }

    /// True if some library file sets this flag.
    pub fn is_flag(&self, name: &str) -> bool {
        self.flags.iter().any(|f| f == name)
    }

    /// A type of a language's own library: what wraps values of any type there.
    pub fn std_type(&self, language: Language, key: &str) -> Option<TypeId> {
        let is_std =
            |l: &&Library| l.file.library.role == Role::Std && Language::from(l.file.library.language) == language;
        self.libs.iter().filter(is_std).find_map(|l| l.types.get(key)).copied()
    }

    /// The bit of a flag.
    pub fn flag(&self, name: &str) -> u32 {
        self.flags.iter().position(|f| f == name).map_or(0, |i| 1 << (i % 32))
    }

    /// The canonical form of an import path.
    pub fn canonical(&self, path: &str) -> Symbol {
        let mut current = path.to_owned();
        for _ in 0..4 {
            if let Some(next) = self.aliases.get(&current) {
                current.clone_from(next);
                continue;
            }
            let Some((from, to)) = self
                .prefixes
                .iter()
                .filter(|(from, _)| current.starts_with(from.as_str()))
                .max_by_key(|(f, _)| f.len())
            else {
                break;
            };
            current = format!("{to}{}", &current[from.len()..]);
        }
        Symbol::new(&current)
    }

    /// What a canonical path denotes.
    pub fn item(&self, path: Symbol) -> Option<Item> {
        self.items.get(&path).copied()
    }

    /// The objects through which the names of a settings module are read. `bears` tells whether the module or one of its
    /// folders has a name.
    pub fn settings_objects(&self, bears: impl Fn(&str) -> bool) -> Vec<String> {
        let all = self.libs.iter().flat_map(|l| &l.file.settings_objects);
        all.filter(|(_, name)| bears(name))
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// What a function, type or method (with a dot before its name) makes is read to its end.
    pub fn ends(&self, path: Symbol) -> bool {
        self.libs.iter().any(|l| l.file.ends.iter().any(|e| e == path.as_str()))
    }

    /// True for an object that lives for one unit of work (a request's).
    pub fn is_scope(&self, path: Symbol) -> bool {
        self.libs
            .iter()
            .any(|l| l.file.scopes.iter().any(|s| s == path.as_str()))
    }

    /// Libraries that a top-level import name brings in.
    pub fn imported(&self, name: Symbol) -> &[LibId] {
        self.imports.get(&name).map_or(&[], Vec::as_slice)
    }

    /// The library that defines an exception class, and the class.
    pub fn error_class(&self, path: Symbol) -> Option<(LibId, &ErrorClass)> {
        self.errors.get(&path).map(|(lib, class)| (*lib, class))
    }

    /// The same library, or one whose types are built on the other's (FastAPI's on Starlette's).
    pub fn akin(&self, lib: LibId, base: LibId) -> bool {
        lib == base
            || self
                .types
                .iter()
                .any(|t| t.lib == lib && t.lineage.iter().any(|&above| self.ty(above).lib == base))
    }

    /// Why this name never fires for that library's losses.
    pub fn lookalike(&self, path: Symbol, lib: LibId) -> Option<&str> {
        let exact = self
            .lookalikes
            .get(&path)
            .and_then(|l| l.iter().find(|(l, _)| *l == lib))
            .map(|(_, why)| why.as_str());
        let prefix = || {
            let found = self
                .lookalike_prefixes
                .iter()
                .find(|(p, l, _)| *l == lib && path.as_str().starts_with(p.as_str()));
            found.map(|(_, _, why)| why.as_str())
        };
        exact.or_else(prefix)
    }

    /// True if `ancestor` is `class` or one of its bases, as far as known.
    pub fn is_subclass(&self, class: Symbol, ancestor: Symbol) -> bool {
        let mut todo = vec![class];
        let mut seen = FxHashSet::default();
        while let Some(next) = todo.pop() {
            if next == ancestor {
                return true;
            }
            if seen.insert(next)
                && let Some((_, class)) = self.errors.get(&next)
            {
                todo.extend(class.bases.iter().map(|b| self.canonical(b)));
            }
        }
        false
    }

    /// What is raised on a loss by this library at this version, for an object of this type with these flags.
    pub fn loss_of(&self, lib: LibId, ty: Option<TypeId>, flags: u32, release: Release) -> Option<&Loss> {
        let library = self.library(lib);
        let of_type = ty.map(|t| self.ty(t).spec.loss.as_slice()).unwrap_or_default();
        let own = library.file.errors.loss.as_slice();
        let inherited = self.library(library.driver).file.errors.loss.as_slice();
        let losses = [of_type, own, inherited].into_iter().find(|l| !l.is_empty())?;
        losses.iter().find(|l| {
            matches(l.versions.as_deref(), release) && l.flag.as_ref().is_none_or(|f| flags & self.flag(f) != 0)
        })
    }

    /// The classes raised on a loss by this library at this version.
    pub fn loss(&self, lib: LibId, release: Release) -> Vec<Symbol> {
        self.loss_of(lib, None, 0, release)
            .map(|l| l.classes.iter().map(|c| self.canonical(c)).collect())
            .unwrap_or_default()
    }

    /// The gates of a named behaviour and the library whose versions they speak of.
    pub fn behaviour(&self, lib: LibId, name: &str) -> Option<(LibId, &[Gate])> {
        let (lib, name) = match name.split_once(':') {
            Some((library, rest)) => (self.named(lib, library)?, rest),
            None => (lib, name),
        };
        let library = self.library(lib);
        if let Some(gates) = library.file.behaviours.get(name) {
            return Some((lib, gates));
        }
        self.library(library.driver)
            .file
            .behaviours
            .get(name)
            .map(|g| (library.driver, g.as_slice()))
    }

    /// The connection kind of a type.
    pub fn connection(&self, ty: TypeId) -> Option<Connection> {
        self.ty(ty).spec.connection
    }

    /// True for libraries whose import makes a file worth analysing.
    pub fn is_store(&self, lib: LibId) -> bool {
        matches!(self.library(lib).file.library.role, Role::Driver | Role::Layer)
    }

    /// The language of a library.
    pub fn language(&self, lib: LibId) -> Language {
        self.library(lib).file.library.language.into()
    }
}

/// True if the requirement is left out or holds; one that does not parse never holds (a test of the files prevents it).
pub fn matches(requirement: Option<&str>, release: Release) -> bool {
    requirement.is_none_or(|r| Requirement::from_str(r).is_ok_and(|r| r.matches(release)))
}

/// What a behaviour means for this version and these options and flags (`Some(true)`: on). If several conditions hold, the
/// strongest counts.
pub fn retry(gates: &[Gate], release: Release, option: impl Fn(&str) -> Option<bool>) -> Retry {
    let Some(gate) = gates.iter().find(|g| matches(g.versions.as_deref(), release)) else {
        return Retry::Never;
    };
    let all = |names: &str, wanted: bool| names.split('+').all(|n| option(n.trim()) == Some(wanted));
    let with = gate
        .with
        .iter()
        .filter(|(names, _)| all(names, true))
        .map(|(_, retry)| *retry)
        .max();
    let without = gate
        .without
        .iter()
        .filter(|(names, _)| all(names, false))
        .map(|(_, retry)| *retry)
        .min();
    with.or(without).unwrap_or(gate.retry)
}

impl GuardSpec {
    /// True if it guards with these versions of its library and of the driver.
    pub fn applies(&self, own: Release, driver: Release) -> bool {
        matches(self.versions.as_deref(), own) && matches(self.driver_versions.as_deref(), driver)
    }
}

/// Names of types are those of the file that wrote them, also for a type of another library that inherits them.
fn qualify(spec: &mut TypeSpec, library: &str) {
    let named = [&mut spec.attribute, &mut spec.element, &mut spec.enter, &mut spec.inner];
    let listed = spec.attributes.values_mut().chain(spec.class_attributes.values_mut());
    for name in named.into_iter().flatten().chain(listed) {
        if !name.contains(':') && !matches!(name.as_str(), "self" | "argument" | "unknown") {
            *name = format!("{library}:{name}");
        }
    }
}

/// Fills what `into` leaves open from its base. Methods are merged separately, to keep their library.
fn merge(into: &mut TypeSpec, base: &TypeSpec) {
    into.connection = into.connection.or(base.connection);
    into.guards = into.guards.take().or_else(|| base.guards.clone());
    into.attribute = into.attribute.take().or_else(|| base.attribute.clone());
    into.iterate = into.iterate.take().or_else(|| base.iterate.clone());
    into.element = into.element.take().or_else(|| base.element.clone());
    into.enter = into.enter.take().or_else(|| base.enter.clone());
    into.turns_on = into.turns_on.take().or_else(|| base.turns_on.clone());
    into.truth = into.truth.take().or_else(|| base.truth.clone());
    into.transparent = into.transparent.or(base.transparent);
    into.through = into.through.take().or_else(|| base.through.clone());
    if into.loss.is_empty() {
        into.loss.clone_from(&base.loss);
    }
    if into.blind.is_empty() {
        into.blind.clone_from(&base.blind);
    }
    if into.immediate_loss.is_empty() {
        into.immediate_loss.clone_from(&base.immediate_loss);
    }
    if into.immediate.is_empty() {
        into.immediate.clone_from(&base.immediate);
    }
    if into.blocks.is_empty() {
        into.blocks.clone_from(&base.blocks);
    }
    if into.overrides.is_empty() {
        into.overrides.clone_from(&base.overrides);
    }
    into.dead_after_loss |= base.dead_after_loss;
    if into.tells_end.is_empty() {
        into.tells_end.clone_from(&base.tells_end);
    }
    into.awaited |= base.awaited;
    into.endless |= base.endless;
    into.transaction |= base.transaction;
    into.attempt |= base.attempt;
    into.inner = into.inner.take().or_else(|| base.inner.clone());
    into.generic = into.generic.or(base.generic);
    into.checked_out |= base.checked_out;
    into.builder |= base.builder;
    into.state |= base.state;
    into.per_call |= base.per_call;
    into.background |= base.background;
    if into.funnels.is_empty() {
        into.funnels.clone_from(&base.funnels);
    }
    if into.run_by.is_empty() {
        into.run_by.clone_from(&base.run_by);
    }
    for (name, ty) in &base.attributes {
        into.attributes.entry(name.clone()).or_insert_with(|| ty.clone());
    }
    for (name, class) in &base.class_errors {
        into.class_errors.entry(name.clone()).or_insert_with(|| class.clone());
    }
    for (name, ty) in &base.class_attributes {
        into.class_attributes.entry(name.clone()).or_insert_with(|| ty.clone());
    }
}
