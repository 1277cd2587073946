//! The one test binary: a module per part of the product.

#[path = "all/support.rs"]
mod support;

#[path = "all/reports.rs"]
mod reports;
#[path = "all/rules_parse.rs"]
mod rules_parse;
mod rules_sql;
