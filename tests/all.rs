//! The one test binary: a module per part of the product.

#[path = "all/programs.rs"]
mod programs;
#[path = "all/support.rs"]
mod support;

#[path = "all/architecture.rs"]
mod architecture;
#[path = "all/baselines.rs"]
mod baselines;
#[path = "all/cli.rs"]
mod cli;
#[path = "all/configuration.rs"]
mod configuration;
#[path = "all/documents.rs"]
mod documents;
#[path = "all/fixes.rs"]
mod fixes;
#[path = "all/oracle.rs"]
mod oracle;
#[path = "all/python_flow.rs"]
mod python_flow;
#[path = "all/reports.rs"]
mod reports;
#[path = "all/rules_consistent.rs"]
mod rules_consistent;
#[path = "all/rules_parse.rs"]
mod rules_parse;
#[path = "all/rules_sql.rs"]
mod rules_sql;
#[path = "all/rust_flow.rs"]
mod rust_flow;
#[path = "all/samples.rs"]
mod samples;
#[path = "all/server.rs"]
mod server;
#[path = "all/suppressions.rs"]
mod suppressions;
#[path = "all/wrong_inputs.rs"]
mod wrong_inputs;
