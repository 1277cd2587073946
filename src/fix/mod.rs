//! Repairs: which edits are applied, and how files are written.
//!
//! In: findings with fixes. Out: new texts. May not know: lints, reports.

mod apply;
mod encoding;
mod write;

pub use apply::{Plan, plan};
pub use write::{WriteError, write_atomically, write_text};
