//! The program on disk, as the engine asks for it.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::run::Given;
use crate::core::{ExprKind, Language, Module, Symbol};
use crate::knowledge::{Knowledge, LibId, Release};
use crate::project::manifests::{Firmness, Libraries, Pin};
use crate::project::scan::{ImportLine, python_imports};
use crate::project::{Crates, Entry, Modules, decode, is_package};
use crate::resolve::program::{Assumed, World};
use crate::resolve::value::UnitId;

/// A file of the project.
pub(super) struct File {
    pub entry: Entry,
    /// Left out of findings about calls.
    pub aside: bool,
    /// Inside of what the user asked for.
    pub reported: bool,
    pub text: Option<Arc<str>>,
    #[allow(clippy::option_option)] // three states, of which two are read together
    /// `None`: not parsed yet. `Some(None)`: can't be.
    pub module: Option<Option<Arc<Module>>>,
    /// Known libraries that it imports.
    pub imports: Vec<LibId>,
    /// Its imports, as far as lines tell.
    pub lines: Vec<ImportLine>,
}

/// The project.
pub(super) struct ProjectWorld<'k> {
    pub files: Vec<File>,
    pub seeds: Vec<UnitId>,
    /// Further files that name something which leads to a driver; too many to be parsed unasked.
    pub users: FxHashSet<usize>,
    pub knowledge: &'k Knowledge,
    modules: Modules,
    crates: Crates,
    roots: FxHashMap<UnitId, UnitId>,
    manifests: Libraries,
    given: Given,
    resolved: FxHashMap<(UnitId, String, u32), Vec<UnitId>>,
    /// What the names that the program uses tell of the versions of libraries.
    floors: FxHashMap<LibId, Option<(Release, Symbol)>>,
    imports_read: bool,
}

impl<'k> ProjectWorld<'k> {
    pub(super) fn new(
        files: Vec<File>,
        given: Given,
        knowledge: &'k Knowledge,
        manifests: Libraries,
        crates: Crates,
    ) -> Self {
        let modules = Modules::new(files.iter().map(|f| f.entry.path.as_path()));
        Self {
            files,
            seeds: Vec::new(),
            users: FxHashSet::default(),
            knowledge,
            modules,
            crates,
            roots: FxHashMap::default(),
            manifests,
            given,
            resolved: FxHashMap::default(),
            floors: FxHashMap::default(),
            imports_read: false,
        }
    }

    /// Parses files, several at a time.
    pub(super) fn parse(&mut self, which: &[usize]) {
        let todo: Vec<usize> = which
            .iter()
            .copied()
            .filter(|i| self.files[*i].module.is_none())
            .collect();
        #[allow(clippy::type_complexity)] // of this place alone
        let parsed: Vec<(usize, Option<Arc<str>>, Option<Arc<Module>>)> = todo
            .par_iter()
            .map(|&index| {
                let file = &self.files[index];
                let text = file.text.clone().or_else(|| read(&file.entry, &self.given));
                let module = text.as_ref().map(|text| Arc::new(lower(file.entry.language, text)));
                (index, text, module)
            })
            .collect();
        for (index, text, module) in parsed {
            let file = &mut self.files[index];
            file.text = text;
            file.module = Some(module);
        }
    }

    /// Reads the import lines of all files that the scan passed by.
    pub(super) fn read_imports(&mut self) {
        if std::mem::replace(&mut self.imports_read, true) {
            return;
        }
        let (knowledge, given) = (self.knowledge, &self.given);
        self.files.par_iter_mut().for_each(|file| {
            if file.text.is_none() && file.lines.is_empty() && !file.aside && file.entry.language == Language::Python {
                file.lines = bytes(&file.entry.path, given)
                    .map(|bytes| python_imports(&bytes))
                    .unwrap_or_default();
                for line in file.lines.iter().filter(|l| l.level == 0) {
                    let top = Symbol::new(line.module.split('.').next().unwrap_or_default());
                    for lib in knowledge.imported(top) {
                        if !file.imports.contains(lib) {
                            file.imports.push(*lib);
                        }
                    }
                }
            }
        });
    }

    /// The files that an import line may mean, modules named after `import` included.
    pub(super) fn targets(&self, from: u32, line: &ImportLine) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .modules_named(from, &line.module, line.level)
            .into_iter()
            .take(2)
            .collect();
        for name in line.names.iter().filter(|n| *n != "*") {
            let inner = if line.module.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", line.module)
            };
            found.extend(self.modules_named(from, &inner, line.level).into_iter().take(1));
        }
        found
    }

    /// The files that an import may mean. The name of a known library is that library's.
    fn modules_named(&self, from: u32, module: &str, level: u32) -> Vec<u32> {
        let found = self.modules.resolve(from, module, level);
        let first = module.split('.').next().unwrap_or_default();
        if found.is_empty() && level == 0 && self.knowledge.imported(Symbol::new(first)).is_empty() {
            return self.modules.resolve_within(from, module);
        }
        found
    }

    /// The content of a file.
    pub(super) fn bytes(&self, file: usize) -> std::io::Result<Cow<'_, [u8]>> {
        bytes(&self.files[file].entry.path, &self.given)
    }

    /// True if a file is the module of this name.
    pub(super) fn is_module(&self, file: u32, name: &str) -> bool {
        let path = &self.files[file as usize].entry.path;
        path.file_stem().is_some_and(|s| s == name)
            || is_package(path) && path.parent().and_then(Path::file_name).is_some_and(|n| n == name)
    }

    fn pin(&self, unit: UnitId, lib: LibId) -> Option<&Pin> {
        let path = &self.files[unit.0 as usize].entry.path;
        let packages = &self.knowledge.library(lib).file.library.packages;
        packages.iter().find_map(|p| self.manifests.pin(path, p))
    }
}

/// The content of a file, or what an editor holds of it.
pub(super) fn bytes<'a>(path: &Path, given: &'a Given) -> std::io::Result<Cow<'a, [u8]>> {
    match given.get(path) {
        Some(text) => Ok(Cow::Borrowed(text.as_bytes())),
        None => std::fs::read(path).map(Cow::Owned),
    }
}

fn read(entry: &Entry, given: &Given) -> Option<Arc<str>> {
    let given = given.get(&entry.path).cloned();
    given.or_else(|| decode(std::fs::read(&entry.path).ok()?).ok())
}

fn lower(language: Language, text: &str) -> Module {
    match language {
        Language::Python => crate::syntax::python::parse(text),
        Language::Rust => crate::syntax::rust::parse(text),
    }
}

impl World for ProjectWorld<'_> {
    fn module(&mut self, unit: UnitId) -> Option<Arc<Module>> {
        let index = unit.0 as usize;
        if self.files.get(index)?.module.is_none() {
            self.parse(&[index]);
            let file = &mut self.files[index];
            if file.lines.is_empty() && file.entry.language == Language::Python {
                let text = file.text.clone().unwrap_or_default();
                file.lines = python_imports(text.as_bytes());
            }
        }
        self.files[index].module.clone().flatten()
    }

    fn text(&self, unit: UnitId) -> Arc<str> {
        self.files[unit.0 as usize].text.clone().unwrap_or_default()
    }

    fn resolve(&mut self, from: UnitId, path: &[Symbol], level: u32) -> Vec<UnitId> {
        let joined = path.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".");
        let key = (from, joined, level);
        if let Some(known) = self.resolved.get(&key) {
            return known.clone();
        }
        let found: Vec<UnitId> = self
            .modules_named(from.0, &key.1, level)
            .into_iter()
            .map(UnitId)
            .collect();
        self.resolved.insert(key, found.clone());
        found
    }

    fn crate_root(&mut self, unit: UnitId) -> UnitId {
        if let Some(&root) = self.roots.get(&unit) {
            return root;
        }
        let found = self.crates.roots(unit.0);
        let root = match found[..] {
            [one] => UnitId(one),
            _ => self.declaring_root(unit, &found),
        };
        self.roots.insert(unit, root);
        root
    }

    fn submodule(&mut self, unit: UnitId, outer: &[Symbol], name: Symbol, path: Option<&str>) -> Option<UnitId> {
        let is_root = self.crate_root(unit) == unit;
        let outer: Vec<&str> = outer.iter().map(|s| s.as_str()).collect();
        let file = self.crates.submodule(unit.0, is_root, &outer, name.as_str(), path)?;
        let root = self.crate_root(unit);
        self.roots.entry(UnitId(file)).or_insert(root);
        Some(UnitId(file))
    }

    fn module_parent(&mut self, unit: UnitId) -> Option<UnitId> {
        self.crates.parent(unit.0).map(UnitId)
    }

    fn extern_crate(&mut self, unit: UnitId, name: Symbol) -> Option<UnitId> {
        self.crates.library(unit.0, name.as_str()).map(UnitId)
    }

    fn crate_name(&mut self, unit: UnitId, name: Symbol) -> Symbol {
        Symbol::new(&self.crates.real_name(unit.0, name.as_str()))
    }

    fn assumed(&mut self, unit: UnitId, lib: LibId) -> Assumed {
        let library = self.knowledge.library(lib);
        let head = &library.file.library;
        let name = &head.name;
        // A range of the driver and a layer that needs more of it: both hold.
        let implied = self.implied(unit, lib);
        let open = |pin: &&Pin| pin.firmness < Firmness::Pinned;
        if let (Some(implied), Some(least)) = (&implied, self.pin(unit, lib).filter(open).map(|p| p.least))
            && least.is_none_or(|l| l < implied.release)
        {
            return implied.clone();
        }
        let floor = self.floor(lib);
        if let Some(pin) = self.pin(unit, lib) {
            let release = pin
                .least
                .unwrap_or_else(|| floor.map_or_else(|| fallback(self.knowledge, lib), |f| f.0));
            let written = pin.written.strip_prefix("==").unwrap_or(&pin.written).trim();
            let text = match pin.least {
                Some(_) if pin.written.starts_with(['=', '^']) || !pin.written.contains(['<', '>', '~']) => {
                    format!("{name} {written}, from {}", pin.source)
                }
                Some(_) if pin.written.contains('>') && !pin.written.contains(">=") => {
                    format!("{name} {written}, from {}", pin.source)
                }
                Some(_) => format!("{name} {written}, from {}, taken as {}", pin.source, short(release)),
                None => format!(
                    "{name} without a version in {}, taken as {}{}",
                    pin.source,
                    short(release),
                    first_with(floor)
                ),
            };
            Assumed {
                release,
                newest: newest(pin),
                known: pin.least.is_some(),
                text,
            }
        } else {
            if let Some(implied) = implied {
                return implied;
            }
            let release = floor.map_or_else(|| fallback(self.knowledge, lib), |f| f.0);
            let text = format!(
                "{name}, version not found, taken as {}{}",
                short(release),
                first_with(floor)
            );
            Assumed {
                release,
                newest: NEWEST,
                known: false,
                text,
            }
        }
    }

    fn imports(&mut self, unit: UnitId) -> Vec<LibId> {
        self.files[unit.0 as usize].imports.clone()
    }

    fn seeds(&self) -> Vec<UnitId> {
        self.seeds.clone()
    }

    fn may_use(&self, unit: UnitId, other: UnitId) -> bool {
        self.crates.may_use(unit.0, other.0)
    }

    fn leads(&self, unit: UnitId) -> bool {
        self.users.contains(&(unit.0 as usize)) || self.seeds.binary_search(&unit).is_ok()
    }

    fn is_aside(&self, unit: UnitId) -> bool {
        self.files[unit.0 as usize].aside
    }

    fn bears(&self, unit: UnitId, name: &str) -> bool {
        self.file_bears(unit.0 as usize, name)
    }

    fn display(&self, unit: UnitId) -> String {
        self.files[unit.0 as usize].entry.display.clone()
    }
}

impl ProjectWorld<'_> {
    /// True if a file or one of its folders, as far as they lie in the project, bears this name.
    pub(super) fn file_bears(&self, index: usize, name: &str) -> bool {
        let mut parts = self.files[index].entry.display.split('/').rev();
        let file = parts.next().unwrap_or_default();
        file.split('.').next() == Some(name) || parts.any(|folder| folder == name)
    }

    /// The crates of the project.
    pub(super) fn crates(&self) -> &Crates {
        &self.crates
    }

    /// True if a file is a module of tests: each declaration of it that is found stands under `#[cfg(test)]`.
    pub(super) fn is_test_module(&mut self, unit: UnitId, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let mut found = false;
        for parent in self.crates.parents(unit.0) {
            let parent = UnitId(parent);
            let Some(module) = self.module(parent) else { continue };
            let is_root = self.crate_root(parent) == parent;
            let declared = module.submodules.iter().filter(|s| s.outer.is_none()).find(|s| {
                let file = self
                    .crates
                    .submodule(parent.0, is_root, &[], s.name.as_str(), s.path.as_deref());
                file == Some(unit.0)
            });
            let Some(declared) = declared else { continue };
            if !declared.is_test && !self.is_test_module(parent, depth - 1) {
                return false;
            }
            found = true;
        }
        found
    }

    /// Of several roots the one whose modules lead to a file: the first that declares the outermost module on the way.
    fn declaring_root(&mut self, unit: UnitId, roots: &[u32]) -> UnitId {
        let mut outermost = unit;
        for _ in 0..16 {
            match self.crates.parent(outermost.0) {
                Some(parent) if !roots.contains(&parent) => outermost = UnitId(parent),
                _ => break,
            }
        }
        for &root in roots {
            let Some(module) = self.module(UnitId(root)) else {
                continue;
            };
            let declares = module.submodules.iter().filter(|s| s.outer.is_none()).any(|s| {
                let found = self
                    .crates
                    .submodule(root, true, &[], s.name.as_str(), s.path.as_deref());
                found == Some(outermost.0)
            });
            if declares {
                return UnitId(root);
            }
        }
        UnitId(roots[0])
    }

    /// The oldest version of a library that has all that the program uses of it, and the name that tells.
    fn floor(&mut self, lib: LibId) -> Option<(Release, Symbol)> {
        if let Some(known) = self.floors.get(&lib) {
            return *known;
        }
        let library = self.knowledge.library(lib);
        let mut names: FxHashMap<Symbol, Release> = FxHashMap::default();
        for (version, introduced) in &library.file.library.introduced {
            if let Ok(release) = version.parse::<Release>() {
                names.extend(introduced.iter().map(|n| (Symbol::new(n), release)));
            }
        }
        let mut floor: Option<(Release, Symbol)> = None;
        if !names.is_empty() {
            let modules = self
                .files
                .iter()
                .filter(|f| !f.aside)
                .filter_map(|f| f.module.as_ref()?.as_ref());
            for expr in modules.flat_map(|m| &m.exprs) {
                if let ExprKind::Attr { name, .. } | ExprKind::Name(name) = &expr.kind
                    && let Some(&release) = names.get(name)
                    && floor.is_none_or(|(known, _)| known < release)
                {
                    floor = Some((release, *name));
                }
            }
        }
        self.floors.insert(lib, floor);
        floor
    }

    /// What the version of a layer says of its driver's.
    fn implied(&self, unit: UnitId, driver: LibId) -> Option<Assumed> {
        for (id, library) in self.knowledge.libraries() {
            if library.driver != driver || id == driver {
                continue;
            }
            let Some(pin) = self.pin(unit, id) else { continue };
            let least = pin.least.unwrap_or_else(|| fallback(self.knowledge, id));
            let found = library
                .file
                .library
                .implies
                .iter()
                .find(|i| crate::knowledge::matches(i.versions.as_deref(), least));
            if let Some(release) = found.and_then(|i| i.driver.parse::<Release>().ok()) {
                let name = &self.knowledge.library(driver).file.library.name;
                let layer = &library.file.library.name;
                let written = pin.written.trim_start_matches('=').trim();
                let layer = [layer.as_str(), written].join(" ");
                let text = format!(
                    "{name} {} or newer, by {}, from {}",
                    short(release),
                    layer.trim_end(),
                    pin.source
                );
                return Some(Assumed {
                    release,
                    newest: NEWEST,
                    known: pin.least.is_some(),
                    text,
                });
            }
        }
        None
    }
}

/// Why a version is the oldest that can be meant.
fn first_with(floor: Option<(Release, Symbol)>) -> String {
    floor.map_or_else(String::new, |(_, name)| format!(", the first with `{name}`"))
}

/// Newer than any.
const NEWEST: Release = Release(u32::MAX, 0, 0);

/// The newest version that a pin allows.
fn newest(pin: &Pin) -> Release {
    if pin.firmness >= Firmness::Pinned {
        return pin.least.unwrap_or(NEWEST);
    }
    let bound = pin.written.split(',').find_map(|part| {
        part.trim()
            .strip_prefix('<')?
            .trim_start_matches('=')
            .parse::<Release>()
            .ok()
    });
    match bound {
        // Just below: `<4` allows every 3.
        Some(Release(major, 0, 0)) if major > 0 => Release(major - 1, u32::MAX, 0),
        Some(Release(major, minor, 0)) if minor > 0 => Release(major, minor - 1, u32::MAX),
        Some(bound) => bound,
        None => NEWEST,
    }
}

/// What is assumed where nothing is known.
fn fallback(knowledge: &Knowledge, lib: LibId) -> Release {
    let library = knowledge.library(lib);
    library
        .file
        .library
        .assumed
        .as_deref()
        .and_then(|a| a.parse().ok())
        .unwrap_or(library.oldest)
}

/// Without zeros at the end.
fn short(release: Release) -> String {
    match release {
        Release(a, b, 0) => format!("{a}.{b}"),
        Release(a, b, c) => format!("{a}.{b}.{c}"),
    }
}
