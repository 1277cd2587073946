//! Repairs: which edits are applied, and how files are written.
//!
//! In: findings with fixes. Out: new texts. May not know: lints, reports.

mod write;

pub use write::write_atomically;
