//! The one test binary: a module per part of the product.

#[path = "all/support.rs"]
mod support;

#[path = "all/reports.rs"]
mod reports;
#[path = "all/rules_parse.rs"]
mod rules_parse;
#[path = "all/rules_consistent.rs"]
mod rules_consistent;
#[path = "all/rules_sql.rs"]
mod rules_sql;
