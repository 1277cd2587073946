//! Configuration: found next to the code, checked down to the last key, resolved to [`Settings`].
//!
//! In: `reconnect-lint.toml`, a section of `pyproject.toml` or `Cargo.toml`, overrides of the command line.
//! Out: [`Settings`] per folder. What cannot be understood is a [`Problem`](crate::diagnostics::Problem) with its place; nothing is ignored.
//! May not know: the engine, how findings are reported.

mod globs;
mod load;
mod options;
mod resolver;
pub mod schema;
mod selector;
mod settings;
mod show;

pub use globs::Patterns;
pub use options::{Options, Override};
pub use resolver::{Mode, Resolver};
pub use selector::{Selection, Selector};
pub use settings::{FailOn, Settings};
