//! The program as the engine sees it: files by number, lowered when asked for.

use std::sync::Arc;

use super::value::UnitId;
use crate::core::{Module, Symbol};
use crate::knowledge::{LibId, Release};

/// A library's version as far as the manifests tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// The least version that the manifests allow, or the oldest described if they say nothing.
    pub release: Release,
    /// The newest version that the manifests allow.
    pub newest: Release,
    /// True if a manifest says something about it.
    pub known: bool,
    /// In words: `pymongo 3.4.0, from requirements.txt`.
    pub text: String,
}

impl Assumed {
    /// The words without the one version that was picked from a range.
    pub fn without_release(&self) -> &str {
        self.text.rsplit_once(", taken as").map_or(&self.text, |(from, _)| from)
    }
}

/// What the engine asks of its surroundings.
pub trait World {
    /// The lowered file; `None` if it can't be read or is not worth reading.
    fn module(&mut self, unit: UnitId) -> Option<Arc<Module>>;
    /// The source text of a file that was lowered.
    fn text(&self, unit: UnitId) -> Arc<str>;
    /// Files that an import may mean, best first. `level` counts the dots of a relative one.
    fn resolve(&mut self, from: UnitId, path: &[Symbol], level: u32) -> Vec<UnitId>;
    /// Rust: the root file of the crate that a file belongs to.
    fn crate_root(&mut self, unit: UnitId) -> UnitId {
        unit
    }
    /// Rust: the file of `mod name;`, which stands in the inline modules `outer` of a file. `path` is its `#[path]`.
    fn submodule(&mut self, unit: UnitId, outer: &[Symbol], name: Symbol, path: Option<&str>) -> Option<UnitId> {
        let _ = (unit, outer, name, path);
        None
    }
    /// Rust: the file of the module around that of a file, as far as the folders tell.
    fn module_parent(&mut self, unit: UnitId) -> Option<UnitId> {
        let _ = unit;
        None
    }
    /// Rust: the root file of a crate of the same workspace, by the name that code in a file has for it.
    fn extern_crate(&mut self, unit: UnitId, name: Symbol) -> Option<UnitId> {
        let _ = (unit, name);
        None
    }
    /// Rust: the real name of a crate that the manifest renames.
    fn crate_name(&mut self, unit: UnitId, name: Symbol) -> Symbol {
        let _ = unit;
        name
    }
    /// The version that the analysis assumes for code in this file.
    fn assumed(&mut self, unit: UnitId, lib: LibId) -> Assumed;
    /// Libraries whose import stands in this file.
    fn imports(&mut self, unit: UnitId) -> Vec<LibId>;
    /// Files to analyse from the start.
    fn seeds(&self) -> Vec<UnitId>;

    /// True if the code of a file may name what another file defines.
    fn may_use(&self, unit: UnitId, other: UnitId) -> bool;

    /// True if a file may use what leads to a driver: it is worth starting at its functions.
    fn leads(&self, unit: UnitId) -> bool;
    /// Files left out of findings: tests, examples, migrations. Their code is read when imported, but starts nothing.
    fn is_aside(&self, unit: UnitId) -> bool;
    /// True if the file or one of its folders bears this name.
    fn bears(&self, unit: UnitId, name: &str) -> bool;
    /// The last part of the module's name, for messages.
    fn display(&self, unit: UnitId) -> String;
}
