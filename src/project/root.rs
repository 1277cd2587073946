//! The project around a file.

use std::path::{Path, PathBuf};

/// What marks the root of a project.
const ROOTS: &[&str] = &["reconnect-lint.toml", ".reconnect-lint.toml", ".git", ".hg"];
/// What marks one where nothing of [`ROOTS`] is found.
const MANIFESTS: &[&str] = &[
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "Cargo.toml",
];

/// The nearest folder above that a repository or a configuration marks; without one, the outermost with a manifest.
pub fn project_root(path: &Path) -> Option<PathBuf> {
    let folders: Vec<&Path> = path.ancestors().skip(1).collect();
    let marked = |folder: &&&Path, names: &[&str]| names.iter().any(|name| folder.join(name).exists());
    let nearest = folders.iter().find(|folder| marked(folder, ROOTS));
    let root = nearest.or_else(|| folders.iter().rfind(|folder| marked(folder, MANIFESTS)));
    root.map(|folder| folder.to_path_buf())
}
