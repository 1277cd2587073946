//! What is known about libraries: the typed form of `rules/`.
//!
//! In: TOML files (embedded ones and a team's own). Out: [`LibraryFile`]s and, for the engine, an index over them.
//! May not know: syntax trees, the analysed program.

mod schema;
mod version;

pub use schema::*;
pub use version::{Release, Requirement};
