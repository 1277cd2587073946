//! The one test binary: a module per part of what users touch.

#[path = "all/support.rs"]
mod support;

#[path = "all/baselines.rs"]
mod baselines;
#[path = "all/cli.rs"]
mod cli;
#[path = "all/configuration.rs"]
mod configuration;
#[path = "all/fixes.rs"]
mod fixes;
#[path = "all/reports.rs"]
mod reports;
#[path = "all/suppressions.rs"]
mod suppressions;
