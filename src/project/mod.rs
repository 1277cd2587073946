//! The files of a project and what its manifests say.
//!
//! In: paths. Out: files with their language and role, decoded texts, the libraries' versions, what an import means.
//! May not know: syntax trees, what a library does, rules.

mod decode;
pub mod manifests;
mod modules;
mod role;
pub mod scan;
mod walk;

pub use decode::{Undecodable, decode};
pub use modules::Modules;
pub use role::{Role, role};
pub use walk::{Entry, Exclude, Walked, shown, walk};
