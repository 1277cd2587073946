//! `reconnect-lint`: finds the lines of Rust and Python code that will not survive a lost database connection.

pub mod core;
pub mod findings;
pub mod knowledge;
pub mod syntax;
