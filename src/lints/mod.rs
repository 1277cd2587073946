//! The rules.
//!
//! In: verdicts of `flow`. Out: findings. May not know: syntax trees, how a report looks.

mod calls;
pub mod context;
mod environment;
mod kept;
mod one_url;
mod options;
mod retries;
pub mod texts;

use crate::analysis::EnvNames;
use context::Context;

/// Runs every rule.
pub fn run(ctx: &mut Context<'_>, names: &EnvNames) {
    calls::check(ctx);
    retries::check(ctx);
    kept::check(ctx);
    options::check(ctx);
    environment::check(ctx, names);
}
