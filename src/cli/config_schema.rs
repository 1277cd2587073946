//! `reconnect-lint config-schema`: the JSON Schema of the configuration.

use std::io::Write;

use super::Status;
use super::error::CliError;
use super::ui::Ui;
use crate::config::schema;

/// Prints the schema.
pub fn run(ui: &Ui) -> Result<Status, CliError> {
    let mut out = ui.out();
    out.write_all(schema::schema().as_bytes())?;
    out.flush()?;
    Ok(Status::Clean)
}
