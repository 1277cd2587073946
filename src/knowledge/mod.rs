//! What is known about libraries: the typed form of `rules/`.
//!
//! In: TOML files (embedded ones and a team's own). Out: [`Knowledge`], an index for the engine.
//! May not know: syntax trees, the analysed program.

mod index;
mod schema;
mod version;

pub use index::{Item, Knowledge, KnowledgeError, LibId, Library, Spec, SpecId, Type, TypeId, matches, retry};
pub use schema::*;
pub use version::{Release, Requirement};

/// A library file as it is embedded, with what decides whether a run needs it.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Path below `rules/`.
    pub path: &'static str,
    /// The file.
    pub text: &'static str,
    /// The library's name.
    pub name: &'static str,
    /// `python` or `rust`.
    pub language: &'static str,
    /// As in [`Role`].
    pub role: &'static str,
    /// The driver of a layer; empty for others.
    pub driver: &'static str,
    /// Top-level names that bring it in.
    pub imports: &'static [&'static str],
    /// Variables by which a project configures it.
    pub settings: &'static [&'static str],
}

impl Embedded {
    /// Talks to a data store itself, or through a driver.
    pub fn is_store(&self) -> bool {
        matches!(self.role, "driver" | "layer")
    }

    /// The parsed file. Embedded files are tested, so all parse.
    pub fn parse(&self) -> LibraryFile {
        toml::from_str(self.text).unwrap_or_else(|error| unreachable!("rules/{} is tested: {error}", self.path))
    }
}

include!(concat!(env!("OUT_DIR"), "/libraries.rs"));
