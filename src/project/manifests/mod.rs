//! Which libraries in which versions: requirement files, project files, locks.

mod cargo_lock;
mod python;
mod requirement;
mod rust;

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::knowledge::Release;

pub use requirement::{lower_bound, normalise};

/// How firmly a manifest speaks. The firmest of one folder counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firmness {
    /// A bare name.
    Named,
    /// A range.
    Range,
    /// An exact version.
    Pinned,
    /// A lock file.
    Locked,
    /// Of several versions in a lock file the one that is required here.
    Chosen,
}

/// What one line of a manifest says of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The normalised name.
    pub package: String,
    /// The least version that it allows; `None` if it gives no lower bound.
    pub least: Option<Release>,
    /// As written: `==3.4.0`, `>=3.0,<4.0`; empty for a bare name.
    pub written: String,
    /// How firmly.
    pub firmness: Firmness,
    /// The file's name.
    pub source: String,
    /// Its line, from 1.
    pub line: u32,
}

/// The versions that a project's manifests allow.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Folder -> package -> firmest pin.
    folders: FxHashMap<PathBuf, FxHashMap<String, Pin>>,
    /// The firmest pin anywhere, for files outside of every manifest's folder.
    anywhere: FxHashMap<String, (usize, Pin)>,
    /// Manifests that could not be read, and why.
    pub problems: Vec<(String, String)>,
}

/// True if a file of this name, in a folder of that name, may pin versions.
pub fn is_manifest(name: &str, folder: Option<&str>) -> bool {
    let lower = name.to_ascii_lowercase();
    let is = |suffix: &str| lower.ends_with(suffix);
    matches!(
        lower.as_str(),
        "pyproject.toml"
            | "setup.py"
            | "setup.cfg"
            | "pipfile"
            | "pipfile.lock"
            | "poetry.lock"
            | "uv.lock"
            | "pdm.lock"
            | "pylock.toml"
            | "cargo.toml"
            | "cargo.lock"
            | "environment.yml"
            | "environment.yaml"
            | "dockerfile"
            | "tox.ini"
    ) || is(".txt")
        && (lower.contains("require")
            || lower.contains("constraint")
            || folder.is_some_and(|f| f.eq_ignore_ascii_case("requirements")))
        || is(".in") && lower.contains("require")
        || lower == "requirements"
}

impl Libraries {
    /// Reads manifests. Those that can't be read are counted, never fatal.
    pub fn read(manifests: &[PathBuf]) -> Self {
        let mut this = Self::default();
        let mut cargo = cargo_lock::Cargo::default();
        for path in manifests {
            let bytes = match std::fs::read(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    this.problems.push((super::shown(path), error.to_string()));
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&bytes);
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            let folder = super::absolute(path).parent().map(Path::to_path_buf);
            match parse(&name, &text) {
                Ok(pins) if name.eq_ignore_ascii_case("cargo.lock") => {
                    cargo.locks.extend(folder.map(|folder| (folder, pins)));
                }
                Ok(pins) => this.add(path, pins),
                Err(message) => this.problems.push((super::shown(path), message)),
            }
            if name.eq_ignore_ascii_case("cargo.toml")
                && let Ok(table) = text.parse()
            {
                cargo.packages.extend(
                    super::absolute(path)
                        .parent()
                        .map(|folder| (folder.to_path_buf(), table)),
                );
            }
        }
        for (folder, pins) in cargo.pins() {
            this.add(&folder.join("Cargo.lock"), pins);
        }
        this
    }

    fn add(&mut self, path: &Path, pins: Vec<Pin>) {
        let mut folder = super::absolute(path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        // `requirements/base.txt` speaks for the folder above.
        if folder
            .file_name()
            .is_some_and(|n| n.eq_ignore_ascii_case("requirements") || n == "requires" || n == "deps")
        {
            folder.pop();
        }
        let depth = folder.components().count();
        let known = self.folders.entry(folder).or_default();
        for pin in pins {
            let firmer = known
                .get(&pin.package)
                .is_none_or(|old| (pin.firmness, old.least) > (old.firmness, pin.least));
            if firmer {
                known.insert(pin.package.clone(), pin.clone());
            }
            let better = self.anywhere.get(&pin.package).is_none_or(|(d, old)| {
                (depth, std::cmp::Reverse(pin.firmness)) < (*d, std::cmp::Reverse(old.firmness))
            });
            if better {
                self.anywhere.insert(pin.package.clone(), (depth, pin));
            }
        }
    }

    /// What the manifests say of a package for code in this file: the nearest folder above it counts, then any.
    pub fn pin(&self, file: &Path, package: &str) -> Option<&Pin> {
        let package = normalise(package);
        let mut bare = None;
        for folder in super::absolute(file).ancestors().skip(1) {
            if let Some(pin) = self.folders.get(folder).and_then(|pins| pins.get(&package)) {
                if pin.least.is_some() {
                    return Some(pin);
                }
                bare = bare.or(Some(pin));
            }
        }
        bare.or_else(|| self.anywhere.get(&package).map(|(_, pin)| pin))
    }

    /// True if some manifest names one of these packages.
    pub fn names(&self, package: &str) -> bool {
        self.anywhere.contains_key(&normalise(package))
    }
}

fn parse(name: &str, text: &str) -> Result<Vec<Pin>, String> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "pyproject.toml" => python::pyproject(name, text),
        "setup.py" | "setup.cfg" => Ok(python::setup(name, text)),
        "pipfile" => python::pipfile(name, text),
        "pipfile.lock" => python::pipfile_lock(name, text),
        "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" | "cargo.lock" => Ok(python::lock(name, text)),
        "cargo.toml" => rust::cargo(name, text),
        "environment.yml" | "environment.yaml" => Ok(python::conda(name, text)),
        "dockerfile" | "tox.ini" => Ok(python::loose(name, text)),
        _ => Ok(python::requirements(name, text)),
    }
}
