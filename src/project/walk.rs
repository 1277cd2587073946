//! Finding the files: `.gitignore`, hidden and installed folders, shebangs, links.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{WalkBuilder, WalkState};

use super::role::{Role, role};
use crate::core::Language;

/// Decides on a path: `true` leaves it out. The flag says whether it is a folder.
pub type Exclude = Arc<dyn Fn(&Path, bool) -> bool + Send + Sync>;

/// A file to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// How reports show it: as given on the command line, with forward slashes.
    pub display: String,
    /// Its language.
    pub language: Language,
    /// What it is for.
    pub role: Role,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Source files, in the order of their names.
    pub entries: Vec<Entry>,
    /// Files that may pin versions.
    pub manifests: Vec<PathBuf>,
    /// Paths that could not be read, and why.
    pub problems: Vec<(String, String)>,
}

/// Folders that hold installed or generated code.
const INSTALLED: [&str; 9] = [
    "node_modules",
    "__pycache__",
    "site-packages",
    ".tox",
    ".nox",
    ".venv",
    ".git",
    ".mypy_cache",
    ".eggs",
];

/// Walks the paths. A file that is given by name is always checked, unless `force_exclude` is set.
pub fn walk(paths: &[PathBuf], exclude: Option<&Exclude>, force_exclude: bool) -> Walked {
    let walked = Mutex::new(Walked::default());
    for root in paths {
        if root.is_file() {
            let excluded = force_exclude && exclude.is_some_and(|e| e(root, false));
            if !excluded {
                let language = by_suffix(root).or_else(|| by_shebang(root)).unwrap_or(Language::Python);
                let entry = Entry {
                    path: root.clone(),
                    display: shown(root),
                    language,
                    role: Role::Normal,
                };
                walked
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .entries
                    .push(entry);
            }
            if let Some(folder) = root.parent() {
                let folder = if folder.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    folder
                };
                let near = fs::read_dir(folder)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|e| e.path())
                    .filter(|p| is_manifest(p));
                walked
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .manifests
                    .extend(near);
            }
            continue;
        }
        folder(root, exclude, &walked);
    }
    let mut walked = walked.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    walked.entries.sort_by(|a, b| a.display.cmp(&b.display));
    walked.entries.dedup_by(|a, b| a.path == b.path);
    walked.manifests.sort();
    walked.manifests.dedup();
    walked.problems.sort();
    walked
}

fn folder(root: &Path, exclude: Option<&Exclude>, walked: &Mutex<Walked>) {
    let filter = exclude.cloned();
    let builder = |root: &Path| {
        let filter = filter.clone();
        let mut builder = WalkBuilder::new(root);
        builder
            .require_git(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                if entry.depth() == 0 {
                    return true;
                }
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                if is_dir && is_installed(entry.path()) {
                    return false;
                }
                !filter.as_ref().is_some_and(|exclude| exclude(entry.path(), is_dir))
            });
        builder
    };
    builder(root).build_parallel().run(|| {
        let mut found = Batch {
            walked,
            part: Walked::default(),
        };
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    let kind = entry.file_type();
                    // A link to a file is read like the file; one to a folder is not followed, so loops can't happen.
                    let is_file = kind.is_some_and(|k| k.is_file())
                        || kind.is_some_and(|k| k.is_symlink()) && entry.path().is_file();
                    if is_file {
                        found.add(root, entry.into_path());
                    }
                }
                Err(error) => found.part.problems.push((problem_path(&error), error.to_string())),
            }
            WalkState::Continue
        })
    });
}

/// The finds of one thread, handed over at its end.
struct Batch<'w> {
    walked: &'w Mutex<Walked>,
    part: Walked,
}

impl Batch<'_> {
    fn add(&mut self, root: &Path, path: PathBuf) {
        if is_manifest(&path) {
            self.part.manifests.push(path.clone());
        }
        let language = match path.extension() {
            Some(_) => by_suffix(&path),
            None => by_shebang(&path),
        };
        let Some(language) = language else { return };
        let role = role(path.strip_prefix(root).unwrap_or(&path));
        let display = shown(&path);
        self.part.entries.push(Entry {
            path,
            display,
            language,
            role,
        });
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut walked = self.walked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        walked.entries.append(&mut self.part.entries);
        walked.manifests.append(&mut self.part.manifests);
        walked.problems.append(&mut self.part.problems);
    }
}

fn problem_path(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { path, .. } => shown(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => problem_path(err),
        _ => String::new(),
    }
}

/// Folders of installed packages and build results.
fn is_installed(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    INSTALLED.contains(&name.as_ref())
        || matches!(name.as_ref(), "venv" | "env" | "virtualenv") && path.join("pyvenv.cfg").exists()
        || name == "target" && path.join("CACHEDIR.TAG").exists()
        || name == "build" && path.join("lib").is_dir() && path.parent().is_some_and(|p| p.join("setup.py").exists())
}

fn by_suffix(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "py" | "pyw" => Some(Language::Python),
        "rs" => Some(Language::Rust),
        _ => None,
    }
}

/// `#!/usr/bin/env python3`, `#! /usr/bin/python -u`.
fn by_shebang(path: &Path) -> Option<Language> {
    let mut start = [0; 128];
    let read = fs::File::open(path).and_then(|mut f| f.read(&mut start)).ok()?;
    let line = start[..read].split(|b| *b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let is_python =
        line.starts_with("#!") && (line.contains("python") || line.contains("uv run") || line.contains("pypy"));
    is_python.then_some(Language::Python)
}

fn is_manifest(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
        return false;
    };
    // `requirements/base.txt`, `requirements/extras/redis.txt`
    let mut folders = path.ancestors().skip(1).take(2);
    folders.any(|f| super::manifests::is_manifest(name, f.file_name().and_then(|n| n.to_str())))
}

/// A path as reports show it: forward slashes, no leading `./`.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}
