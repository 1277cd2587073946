//! The rules.
//!
//! In: verdicts of `flow`. Out: findings. May not know: syntax trees, how a report looks.

pub mod texts;
