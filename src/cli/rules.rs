//! `reconnect-lint rules`: a table of all rules.

use std::io::Write;

use serde_json::{Value, json};

use super::Status;
use super::error::CliError;
use super::rule::TextOrJson;
use super::ui::Ui;
use crate::lints::texts::{self, Rule};

/// Arguments of `rules`.
#[derive(clap::Args)]
pub struct Args {
    /// How the table is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output_format: TextOrJson,
}

/// Prints the table.
pub fn run(args: &Args, ui: &Ui) -> Result<Status, CliError> {
    let mut out = ui.out();
    match args.output_format {
        TextOrJson::Text => {
            let width = texts::rules().iter().map(|rule| rule.name.len()).max().unwrap_or(0);
            writeln!(
                out,
                "{:5}  {:width$}  {:8}  {:5}  summary",
                "code", "name", "severity", "since"
            )?;
            for rule in texts::rules() {
                let (name, severity, since) = (rule.name, rule.severity, rule.since);
                writeln!(
                    out,
                    "{}  {name:width$}  {severity:8}  {since:5}  {}",
                    rule.code, rule.summary
                )?;
            }
        }
        TextOrJson::Json => {
            let rules: Vec<Value> = texts::rules().iter().map(json).collect();
            serde_json::to_writer_pretty(&mut out, &rules).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(Status::Clean)
}

/// A rule without its text.
pub fn json(rule: &Rule) -> Value {
    json!({
        "code": rule.code.to_string(),
        "name": rule.name,
        "severity": rule.severity.as_str(),
        "since": rule.since,
        "summary": rule.summary,
        "url": rule.url(),
    })
}
