//! The one test binary: a module per part of what users touch.

#[path = "all/support.rs"]
mod support;

#[path = "all/reports.rs"]
mod reports;
