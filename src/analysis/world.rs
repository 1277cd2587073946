//! The program on disk, as the engine asks for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Request;
use crate::core::{Language, Module, Symbol};
use crate::knowledge::{Knowledge, LibId, Release};
use crate::resolve::program::{Assumed, World};
use crate::resolve::value::UnitId;

pub(super) struct File {
    pub path: PathBuf,
    pub display: String,
    pub language: Language,
    pub aside: bool,
    pub text: Option<Arc<str>>,
    pub module: Option<Option<Arc<Module>>>,
    pub imports: Vec<Symbol>,
    /// Inside of what is to be checked; the others are read for their callers and guards.
    pub reported: bool,
}

/// The files of a request: those to be checked, those around them, and the one on standard input.
pub(super) fn listed(request: &Request, named: &[PathBuf]) -> Vec<File> {
    let around = super::files(&Request { paths: request.context.clone(), ..request.clone() });
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // A file in both is taken as the walk of its project spells it, for modules are named by the path below the root.
    let mut named: FxHashMap<PathBuf, &PathBuf> = named.iter().map(|path| (absolute(path), path)).collect();
    let mut found = Vec::new();
    for path in around {
        let reported = named.remove(&absolute(&path)).is_some();
        found.push(File::new(path, reported));
    }
    let mut rest: Vec<&PathBuf> = named.into_values().collect();
    rest.sort();
    found.extend(rest.into_iter().map(|path| File::new(path.clone(), true)));
    if let Some(stdin) = &request.stdin {
        let path = absolute(&stdin.filename);
        found.retain(|file| absolute(&file.path) != path);
        found.push(File { text: Some(Arc::clone(&stdin.text)), ..File::new(stdin.filename.clone(), true) });
    }
    found
}

impl File {
    fn new(path: PathBuf, reported: bool) -> Self {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        Self {
            display: super::shown(&path),
            language: if is_rust { Language::Rust } else { Language::Python },
            aside: false,
            text: None,
            module: None,
            imports: Vec::new(),
            reported,
            path,
        }
    }
}

pub(super) struct ProjectWorld<'k> {
    pub files: Vec<File>,
    pub seeds: Vec<UnitId>,
    pub knowledge: &'k Knowledge,
    by_module: FxHashMap<String, Vec<UnitId>>,
    versions: FxHashMap<String, (String, String)>,
}

impl<'k> ProjectWorld<'k> {
    pub(super) fn new(files: Vec<File>, knowledge: &'k Knowledge, root: &Path) -> Self {
        let mut by_module: FxHashMap<String, Vec<UnitId>> = FxHashMap::default();
        for (index, file) in files.iter().enumerate() {
            let Ok(relative) = file.path.strip_prefix(root) else { continue };
            let mut parts: Vec<String> =
                relative.with_extension("").iter().map(|p| p.to_string_lossy().into_owned()).collect();
            if parts.last().is_some_and(|p| p == "__init__") {
                parts.pop();
            }
            for start in 0..parts.len() {
                by_module.entry(parts[start..].join(".")).or_default().push(UnitId(index as u32));
            }
        }
        Self { files, seeds: Vec::new(), knowledge, by_module, versions: versions(root) }
    }
}

fn versions(root: &Path) -> FxHashMap<String, (String, String)> {
    let mut found = FxHashMap::default();
    if let Ok(text) = std::fs::read_to_string(root.join("requirements.txt")) {
        for line in text.lines() {
            if let Some((name, version)) = line.split_once("==") {
                found.insert(name.trim().to_ascii_lowercase(), (version.trim().to_owned(), "requirements.txt".to_owned()));
            }
        }
    }
    if let Ok(text) = std::fs::read_to_string(root.join("poetry.lock")) {
        let mut name = String::new();
        for line in text.lines() {
            if let Some(value) = line.strip_prefix("name = ") {
                name = value.trim_matches('"').to_ascii_lowercase();
            }
            if let Some(value) = line.strip_prefix("version = ") {
                found.insert(name.clone(), (value.trim_matches('"').to_owned(), "poetry.lock".to_owned()));
            }
        }
    }
    found
}

impl World for ProjectWorld<'_> {
    fn module(&mut self, unit: UnitId) -> Option<Arc<Module>> {
        let file = &mut self.files[unit.0 as usize];
        if file.module.is_none() {
            let text = file.text.take();
            let text = text.or_else(|| std::fs::read(&file.path).ok().map(|b| Arc::from(String::from_utf8_lossy(&b).as_ref())));
            let parsed = text.as_ref().map(|text: &Arc<str>| {
                Arc::new(match file.language {
                    Language::Python => crate::syntax::python::parse(text),
                    Language::Rust => crate::syntax::rust::parse(text),
                })
            });
            file.text = text;
            file.module = Some(parsed);
        }
        file.module.clone().flatten()
    }

    fn text(&self, unit: UnitId) -> Arc<str> {
        self.files[unit.0 as usize].text.clone().unwrap_or_else(|| Arc::from(""))
    }

    fn resolve(&mut self, from: UnitId, path: &[Symbol], level: u32) -> Vec<UnitId> {
        let joined = path.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".");
        let file = &self.files[from.0 as usize];
        if level == 0 {
            let own = file.path.parent().map(Path::to_path_buf).unwrap_or_default();
            let mut found: Vec<UnitId> =
                self.by_module.get(&joined).cloned().unwrap_or_default().into_iter().filter(|u| *u != from).collect();
            found.sort_by_key(|u| {
                let p = &self.files[u.0 as usize].path;
                (p.parent() != Some(&own), p.components().count())
            });
            return found;
        }
        let mut base = file.path.parent().map(Path::to_path_buf).unwrap_or_default();
        for _ in 1..level {
            base.pop();
        }
        for part in path {
            base.push(part.as_str());
        }
        let candidates = [base.with_extension("py"), base.join("__init__.py")];
        self.files
            .iter()
            .enumerate()
            .filter(|(_, f)| candidates.contains(&f.path))
            .map(|(i, _)| UnitId(i as u32))
            .collect()
    }

    fn assumed(&mut self, _unit: UnitId, lib: LibId) -> Assumed {
        let library = self.knowledge.library(lib);
        for package in &library.file.library.packages {
            if let Some((version, source)) = self.versions.get(&package.to_ascii_lowercase()) {
                let release: Release = version.parse().unwrap_or_default();
                return Assumed { release, known: true, text: format!("{package} {version}, from {source}") };
            }
        }
        let name = &library.file.library.name;
        Assumed {
            release: library.oldest,
            known: false,
            text: format!("{name} of unknown version, taken as {}", library.oldest),
        }
    }

    fn imports(&mut self, unit: UnitId) -> Vec<LibId> {
        let mut seen = FxHashSet::default();
        let names = self.files[unit.0 as usize].imports.clone();
        names.iter().flat_map(|n| self.knowledge.imported(*n).to_vec()).filter(|l| seen.insert(*l)).collect()
    }

    fn seeds(&self) -> Vec<UnitId> {
        self.seeds.clone()
    }

    fn is_aside(&self, unit: UnitId) -> bool {
        self.files[unit.0 as usize].aside
    }

    fn display(&self, unit: UnitId) -> String {
        self.files[unit.0 as usize].display.clone()
    }
}
