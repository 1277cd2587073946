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
    /// The file, as seen from the folder that holds all manifests.
    pub source: String,
    /// Its line, from 1.
    pub line: u32,
    /// What tests, documentation or developers need, not the program itself.
    pub aside: bool,
}

/// The versions that a project's manifests allow.
#[derive(Debug, Default)]
pub struct Libraries {
    /// Folder -> package -> firmest pin.
    folders: FxHashMap<PathBuf, FxHashMap<String, Pin>>,
    /// The firmest pin anywhere, for files outside of every manifest's folder.
    anywhere: FxHashMap<String, (usize, Pin)>,
    /// The folder that holds all manifests.
    top: PathBuf,
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
        let top = common_folder(manifests);
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
                Ok(mut pins) => {
                    let absolute = super::absolute(path);
                    let inner = absolute.strip_prefix(&top).unwrap_or(path);
                    let aside = is_aside(inner);
                    let source = inner.to_string_lossy().replace('\\', "/");
                    for pin in &mut pins {
                        pin.aside |= aside;
                        pin.source.clone_from(&source);
                    }
                    if name.eq_ignore_ascii_case("cargo.lock") {
                        cargo.locks.extend(folder.map(|folder| (folder, pins)));
                    } else {
                        this.add(path, pins);
                    }
                }
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
        this.top = top;
        this
    }

    fn add(&mut self, path: &Path, pins: Vec<Pin>) {
        let mut folder = super::absolute(path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        // `requirements/base.txt`, `requirements/extras/redis.txt` speak for the folder above.
        let outer = folder.ancestors().take(2).position(|f| {
            f.file_name()
                .is_some_and(|n| n.eq_ignore_ascii_case("requirements") || n == "requires" || n == "deps")
        });
        for _ in 0..outer.map_or(0, |up| up + 1) {
            folder.pop();
        }
        let depth = folder.components().count();
        let known = self.folders.entry(folder).or_default();
        for pin in pins {
            let firmer = known
                .get(&pin.package)
                .is_none_or(|old| (!pin.aside, pin.firmness, old.least) > (!old.aside, old.firmness, pin.least));
            if firmer {
                known.insert(pin.package.clone(), pin.clone());
            }
            let better = self.anywhere.get(&pin.package).is_none_or(|(d, old)| {
                (pin.aside, depth, std::cmp::Reverse(pin.firmness)) < (old.aside, *d, std::cmp::Reverse(old.firmness))
            });
            if better {
                self.anywhere.insert(pin.package.clone(), (depth, pin));
            }
        }
    }

    /// What the manifests say of a package for code in this file: the nearest folder above it counts, then any. What a folder
    /// further out installs exactly tells more than a range nearby that allows it. What only tests need comes last.
    pub fn pin(&self, file: &Path, package: &str) -> Option<&Pin> {
        let package = normalise(package);
        let folders = super::absolute(file);
        let above: Vec<&Pin> = folders
            .ancestors()
            .skip(1)
            .filter_map(|folder| self.folders.get(folder)?.get(&package))
            .collect();
        let own = || above.iter().copied().filter(|p| !p.aside);
        let near = own().find(|p| p.least.is_some()).or_else(|| own().next());
        if let Some(near) = near {
            let exact = own().find(|p| p.firmness >= Firmness::Pinned && p.least >= near.least);
            return exact.filter(|_| near.firmness < Firmness::Pinned).or(Some(near));
        }
        let elsewhere = match self.component(&folders) {
            Some(component) => self.within(component, &package),
            None => self.anywhere.get(&package).map(|(_, pin)| pin),
        };
        elsewhere.filter(|p| !p.aside).or(above.first().copied()).or(elsewhere)
    }

    /// The part of a project to which a file of Python belongs, if that has requirements of its own: what other parts
    /// require is not installed with it.
    fn component<'f>(&self, file: &'f Path) -> Option<&'f Path> {
        let speaks = |folder: &&Path| {
            let pins = self.folders.get(*folder);
            pins.is_some_and(|p| p.values().any(|pin| !pin.aside))
        };
        let nearest = file.ancestors().skip(1).find(speaks)?;
        let is_rust = file.extension().is_some_and(|e| e == "rs");
        (!is_rust && nearest != self.top && nearest.starts_with(&self.top)).then_some(nearest)
    }

    /// The firmest pin in the folders below this one.
    fn within(&self, component: &Path, package: &str) -> Option<&Pin> {
        let pins = self.folders.iter().filter(|(folder, _)| folder.starts_with(component));
        let mut found: Vec<(&PathBuf, &Pin)> = pins.filter_map(|(f, pins)| Some((f, pins.get(package)?))).collect();
        found.sort_by_key(|(f, pin)| (pin.aside, f.components().count(), std::cmp::Reverse(pin.firmness), *f));
        found.first().map(|(_, pin)| *pin)
    }

    /// True if some manifest names one of these packages.
    pub fn names(&self, package: &str) -> bool {
        self.anywhere.contains_key(&normalise(package))
    }
}

/// The folder that holds all of these files.
fn common_folder(files: &[PathBuf]) -> PathBuf {
    let mut folders = files.iter().map(|f| {
        let mut folder = super::absolute(f);
        folder.pop();
        folder
    });
    let mut common = folders.next().unwrap_or_default();
    for folder in folders {
        while !folder.starts_with(&common) && common.pop() {}
    }
    common
}

/// `requirements-dev.txt`, `tests/requirements.txt`, `tox.ini`.
fn is_aside(file: &Path) -> bool {
    file.file_name().is_some_and(|n| n == "tox.ini")
        || file
            .with_extension("")
            .iter()
            .any(|part| is_aside_name(&part.to_string_lossy()))
}

/// The name of a group of requirements that the program itself does not need.
fn is_aside_name(name: &str) -> bool {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| {
            word.ends_with("test")
                || word.ends_with("tests")
                || matches!(
                    word,
                    "testing"
                        | "dev"
                        | "develop"
                        | "development"
                        | "ci"
                        | "doc"
                        | "docs"
                        | "lint"
                        | "linting"
                        | "typing"
                        | "example"
                        | "examples"
                        | "bench"
                        | "benchmark"
                        | "benchmarks"
                )
        })
}

fn parse(name: &str, text: &str) -> Result<Vec<Pin>, String> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "pyproject.toml" => python::pyproject(name, text),
        "setup.py" | "setup.cfg" => Ok(python::setup(name, text)),
        "pipfile" => python::pipfile(name, text),
        "pipfile.lock" => python::pipfile_lock(name, text),
        "cargo.lock" => Ok(python::lock(name, text)),
        "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" => Ok(python::newest(python::lock(name, text))),
        "cargo.toml" => rust::cargo(name, text),
        "environment.yml" | "environment.yaml" => Ok(python::conda(name, text)),
        "dockerfile" | "tox.ini" => Ok(python::loose(name, text)),
        _ => Ok(python::requirements(name, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)], code: &str, package: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            paths.push(path);
        }
        let libraries = Libraries::read(&paths);
        let pin = libraries.pin(&dir.path().join(code), package).unwrap();
        format!("{} from {}", pin.written, pin.source)
    }

    #[test]
    fn what_is_installed_exactly_beats_a_range_nearby() {
        let lock = r#"{"default": {"django": {"version": "==5.2.17"}}}"#;
        let files = [
            ("Pipfile.lock", lock),
            ("setup.py", "setup(install_requires=['Django>=4.2'])"),
            ("importer/setup.py", "setup(install_requires=['Django>=2.1'])"),
        ];
        assert_eq!(
            told(&files, "importer/tasks.py", "Django"),
            "==5.2.17 from Pipfile.lock"
        );
        assert_eq!(told(&files, "site/tasks.py", "Django"), "==5.2.17 from Pipfile.lock");
        assert_eq!(
            told(&files[1..], "importer/tasks.py", "Django"),
            ">=2.1 from importer/setup.py"
        );
        assert_eq!(told(&files[1..], "site/tasks.py", "Django"), ">=4.2 from setup.py");
    }

    #[test]
    fn what_another_part_requires_is_not_installed_with_this_one() {
        let files = [
            ("pyproject.toml", "[project]\ndependencies = ['click']\n"),
            ("backend/requirements.txt", "SQLAlchemy==1.4.41"),
            ("inference/requirements.txt", "sqlmodel"),
        ];
        assert_eq!(
            told(&files, "scripts/load.py", "SQLAlchemy"),
            "==1.4.41 from backend/requirements.txt"
        );
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| dir.path().join(name)).collect();
        for (path, (_, text)) in paths.iter().zip(files) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let libraries = Libraries::read(&paths);
        assert_eq!(
            libraries.pin(&dir.path().join("inference/database.py"), "SQLAlchemy"),
            None
        );
    }

    #[test]
    fn what_only_tests_need_comes_last() {
        let files = [
            ("setup.py", ""),
            ("requirements/funtest.txt", "redis==3.0"),
            ("requirements/extras/redis.txt", "redis>=5.3.1"),
        ];
        assert_eq!(
            told(&files, "kombu/transport.py", "redis"),
            ">=5.3.1 from requirements/extras/redis.txt"
        );
        assert_eq!(
            told(&files[..2], "kombu/transport.py", "redis"),
            "==3.0 from requirements/funtest.txt"
        );
        let groups = "[project]\ndependencies = ['redis>=4']\n[dependency-groups]\ndev = ['redis==7.0']\n";
        assert_eq!(
            told(&[("pyproject.toml", groups)], "a.py", "redis"),
            ">=4 from pyproject.toml"
        );
    }
}
