//! The files of a project and what its manifests say.
//!
//! In: paths. Out: files with their language and role, decoded texts, the libraries' versions, what an import means.
//! May not know: syntax trees, what a library does, rules.

mod crates;
mod decode;
pub mod manifests;
mod modules;
mod role;
mod root;
pub mod scan;
mod walk;

pub use crates::Crates;
pub use decode::{Undecodable, decode};
pub use modules::{Modules, is_package};
pub use role::{Role, role};
pub use root::project_root;
pub use walk::{Entry, Exclude, Walked, shown, walk};

/// One form for all spellings of a path (`shop/db.py`, `./shop/db.py`), by its text alone: a file that the user names and one
/// that the walk finds must be comparable.
fn absolute(path: &std::path::Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
