//! `reconnect-lint`: finds the lines of Rust and Python code that will not survive a lost database connection.

pub mod analysis;
pub mod core;
pub mod findings;
pub mod flow;
pub mod knowledge;
pub mod lints;
pub mod report;
pub mod resolve;
pub mod syntax;
