//! `reconnect-lint`: finds the lines of Rust and Python code that will not survive a lost database connection.

pub mod analysis;
pub mod check;
pub mod cli;
pub mod config;
pub mod core;
pub mod diagnostics;
pub mod findings;
pub mod fix;
pub mod flow;
pub mod knowledge;
pub mod lints;
pub mod project;
pub mod report;
pub mod resolve;
pub mod suggest;
pub mod syntax;
