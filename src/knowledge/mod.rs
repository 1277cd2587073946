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

include!(concat!(env!("OUT_DIR"), "/libraries.rs"));

/// Parses the embedded files whose path passes the filter. They are tested, so all parse.
pub fn embedded(wanted: impl Fn(&str) -> bool) -> Vec<LibraryFile> {
    LIBRARIES
        .iter()
        .filter(|(path, _)| wanted(path))
        .map(|(path, text)| toml::from_str(text).unwrap_or_else(|error| unreachable!("rules/{path} is tested: {error}")))
        .collect()
}
